"""Real MariaDB servers of the bench's own, side by side on loopback ports, and the wire in front of them."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HOST = "127.0.0.1"
START_PATIENCE = 60.0
STOP_PATIENCE = 20.0

SERVER_OPTIONS = [
    f"--bind-address={HOST}", "--skip-name-resolve", "--log-bin=binlog", "--log-slave-updates",
    "--relay-log=relay", "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=4M",
    "--aria-pagecache-buffer-size=1M", "--key-buffer-size=1M", "--performance-schema=OFF",
]

# Executed while the template has no binlog yet, so no server is born with a transaction of its own. Accounts
# other than root and the system's would shadow root@'%', and make the primary look used.
ACCOUNTS = """
FLUSH PRIVILEGES;
DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');
FLUSH PRIVILEGES;
ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';
CREATE USER 'root'@'%' IDENTIFIED BY '{password}';
GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;
"""

# The account first, while the binlog may still take it: RESET MASTER follows.
DETACH = """
STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only = 0;
SET SESSION sql_log_bin = 0; DROP USER IF EXISTS 'repl_user'@'%'
"""
FORGET = """
RESET MASTER; SET GLOBAL gtid_slave_pos = '';
SELECT CONCAT_WS('|', @@gtid_binlog_state, @@gtid_slave_pos, IF(@@global.read_only, 1, 0),
                 (SELECT COUNT(*) FROM mysql.user WHERE user = 'repl_user'))
"""
FRESH = "||0|0"


class BenchError(Exception):
    """Something that the bench itself needs does not work."""


def guarded(command):
    """The command so that the kernel ends it with us, however we end. It keeps its process id."""
    return ["setpriv", "--pdeathsig", "TERM", *command] if shutil.which("setpriv") else command


@contextlib.contextmanager
def reserved(ports):
    """Finds out before the first server starts whether a port is taken, and keeps them from then on.

    A socket that is bound and doesn't listen keeps the kernel from using the port for the near end of some
    connection, and with SO_REUSEADDR on both lets a server of ours in.
    """
    with contextlib.ExitStack() as held:
        for port in ports:
            holder = held.enter_context(socket.socket())
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                holder.bind((HOST, port))
            except OSError as error:
                raise BenchError(f"port {port}: {error.strerror}; choose others with --base-port") from error
        yield


def stop(process):
    process.terminate()
    try:
        process.wait(STOP_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Fleet:
    """Server 0 is the primary, the others are replicas. Stops what it started when the `with` ends."""

    def __init__(self, workdir: Path, base_port: int, password: str):
        self.workdir = workdir
        self.base_port = base_port
        self.password = password
        self.processes = []
        self.pool = ThreadPoolExecutor(8)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            stop(process)
        self.pool.shutdown()

    def port(self, index):
        return self.base_port + index

    def grow(self, count):
        """Starts servers until there are `count` of them, all accepting logins."""
        template = self.workdir / "template"
        if not template.exists():
            self._make_template(template)
        new = range(len(self.processes), count)
        for index in new:
            home = self._home(index)
            home.mkdir()
            shutil.copytree(template, home / "data")
            # From the main thread: the kernel's death signal is bound to the thread that starts a process.
            self.processes.append(subprocess.Popen(guarded([
                "mariadbd", "--no-defaults", *SERVER_OPTIONS, *self._user(), f"--datadir={home / 'data'}",
                f"--socket={home / 'sock'}", f"--pid-file={home / 'pid'}", f"--log-error={home / 'log'}",
                f"--port={self.port(index)}", f"--server-id={index + 1}"]),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True))
        list(self.pool.map(self._await_start, new))

    def reset(self):
        """Makes every server fresh again, and proves it."""
        everyone = range(len(self.processes))
        list(self.pool.map(lambda index: self.sql(index, DETACH), everyone))
        self._end_dump_threads()
        answers = self.pool.map(lambda index: self.sql(index, FORGET).strip(), everyone)
        for index, answer in zip(everyone, answers):
            if answer != FRESH:
                raise BenchError(f"server {index} is not fresh after its reset: {answer}, not {FRESH}")

    def faults(self):
        """What is wrong with the topology right now, by a look that shares nothing with the contestants."""
        replicas = range(1, len(self.processes))
        return [fault for faults in self.pool.map(self._replica_faults, replicas) for fault in faults]

    def sql(self, index, statements, *options):
        done = subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self._home(index) / 'sock'}", "-uroot", "-BN", *options],
            input=statements, capture_output=True, text=True, env={**os.environ, "MYSQL_PWD": self.password})
        if done.returncode != 0:
            raise BenchError(f"server {index}: {done.stderr.strip()}")
        return done.stdout

    def _home(self, index):
        return self.workdir / f"s{index}"

    def _user(self):
        return ["--user=root"] if os.geteuid() == 0 else []

    def _make_template(self, template):
        accounts = self.workdir / "accounts.sql"
        accounts.write_text(ACCOUNTS.format(password=self.password))
        done = subprocess.run(
            ["mariadb-install-db", "--no-defaults", *self._user(), "--auth-root-authentication-method=normal",
             "--skip-test-db", "--innodb-log-file-size=4M", f"--datadir={template}",
             f"--extra-file={accounts}"],
            capture_output=True, text=True)
        if done.returncode != 0:
            raise BenchError(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")

    def _await_start(self, index):
        deadline = time.monotonic() + START_PATIENCE
        while True:
            try:
                self.sql(index, "SELECT 1")
                return
            except BenchError as error:
                if self.processes[index].poll() is not None or time.monotonic() > deadline:
                    log = (self._home(index) / "log").read_text(errors="replace")[-2000:]
                    raise BenchError(f"server {index} does not start: {error}\n{log}") from error
                time.sleep(0.05)

    def _end_dump_threads(self):
        """A dump thread whose replica left stays until the next event, and delays the next one by 100 ms."""
        deadline = time.monotonic() + STOP_PATIENCE
        while ids := self.sql(0, "SELECT id FROM information_schema.processlist "
                                 "WHERE command LIKE 'Binlog Dump%'").split():
            if time.monotonic() > deadline:
                raise BenchError(f"dump threads {', '.join(ids)} of the primary don't end")
            # -f: one that ended by itself meanwhile is no error.
            with contextlib.suppress(BenchError):
                self.sql(0, "".join(f"KILL {each};" for each in ids), "-f")
            time.sleep(0.005)

    def _replica_faults(self, index):
        answer = self.sql(index, "SHOW SLAVE STATUS; SELECT @@global.read_only AS read_only",
                          "-E", "--column-names")
        fields = {name.strip(): value.strip()
                  for name, _, value in (line.partition(":") for line in answer.splitlines())}
        wanted = {"Master_Host": HOST, "Master_Port": str(self.port(0)), "Master_User": "repl_user",
                  "Slave_IO_Running": "Yes", "Slave_SQL_Running": "Yes", "read_only": "1"}
        return [f"server {index}: {name} is {fields.get(name)}, not {value}"
                for name, value in wanted.items() if fields.get(name) != value]


@contextlib.contextmanager
def wire(program, rtt_ms, near_ports, fleet):
    """Delays everything between a tool and the servers. Gives the port of each server's near end."""
    servers = [fleet.port(index) for index in range(len(fleet.processes))]
    if rtt_ms == 0:
        yield servers
        return
    ports = list(near_ports[:len(servers)])
    pairs = [f"{near}:{server}" for near, server in zip(ports, servers)]
    process = subprocess.Popen(
        guarded([str(program), str(round(rtt_ms * 1000)), *pairs]),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        if process.stdout.readline() != "ready\n":
            raise BenchError("the proxy does not start")
        yield ports
    finally:
        stop(process)


def greeting_ms(port):
    """How long a server takes to greet: two round trips on a real wire."""
    started = time.perf_counter()
    with socket.create_connection((HOST, port)) as near:
        near.recv(64)
        return 1000 * (time.perf_counter() - started)
