"""Who is measured: the command of each contestant for each task."""

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

HERE = Path(__file__).resolve().parent

APPLY, CHECK = "apply", "check"
TASKS = (APPLY, CHECK)
NAMES = ("limit", "stemma", "script-parallel", "script", "ansible")
TITLES = {"limit": "limit", "stemma": "stemma", "script-parallel": "script, parallel",
          "script": "script, sequential", "ansible": "Ansible, 50 forks"}

TOPOLOGY = """\
[topology]
name = "bench"
coordinates = "position"

[admin]
user = "root"
password = {{ env = "BENCH_PASSWORD" }}

[replication]
user = "repl_user"
host = "%"
password = {{ env = "BENCH_REPL_PASSWORD" }}
plugin = "mysql_native_password"

[server.primary]
address = "{host}:{near}"
advertise = "{host}:{real}"
server_id = 1
"""
REPLICA = """
[server.replica-{index}]
address = "{host}:{near}"
advertise = "{host}:{real}"
server_id = {server_id}
source = "primary"
"""
INVENTORY = """\
[primary]
primary login_port={primary}

[replicas]
{replicas}

[all:vars]
ansible_connection=local
ansible_python_interpreter=/usr/bin/python3
login_host={host}
advertised_host={host}
advertised_port={advertised}
"""


@dataclass
class Place:
    """One topology: where a tool reaches each server, and where the servers really are."""
    host: str
    near: list  # ports, the primary's first
    real: list
    workdir: Path

    def addresses(self):
        near = [f"{self.host}:{port}" for port in self.near]
        return [near[0], f"{self.host}:{self.real[0]}", *near[1:]]

    def topology_file(self):
        ports = list(zip(self.near, self.real))
        text = TOPOLOGY.format(host=self.host, near=ports[0][0], real=ports[0][1])
        for index, (near, real) in enumerate(ports[1:], 1):
            text += REPLICA.format(index=index, host=self.host, near=near, real=real, server_id=index + 1)
        path = self.workdir / "topology.toml"
        path.write_text(text)
        return str(path)

    def inventory_file(self):
        replicas = "\n".join(f"replica-{index} login_port={port}"
                             for index, port in enumerate(self.near[1:], 1))
        path = self.workdir / "inventory.ini"
        path.write_text(INVENTORY.format(host=self.host, primary=self.near[0], advertised=self.real[0],
                                         replicas=replicas))
        return str(path)


def no_complaint(_task, _output):
    return None


def ansible_complaint(task, output):
    """A check that changed something was none."""
    if task == CHECK and re.search(r"changed=[1-9]", output):
        changes = re.findall(r"TASK \[.*?\]|changed: .*", output)
        return "the second run changed something: " + " ".join(changes)
    return None


@dataclass
class Contestant:
    name: str
    command: Callable  # (task, Place) -> argv
    missing: str = ""  # why it can't run here
    runs: int = 0
    checks: int = 0    # timed checks after each apply
    complaint: Callable = field(default=no_complaint)


def stemma_command(binary):
    def command(task, place):
        words = {APPLY: ["apply", place.topology_file(), "--yes"], CHECK: ["drift", place.topology_file()]}
        return [str(binary), *words[task]]
    return command


def script_command(mode):
    return lambda task, place: [str(HERE / f"{task}.sh"), mode, *place.addresses()]


def ansible_command(_task, place):
    playbook = HERE / "ansible" / "replication.yml"
    return ["ansible-playbook", "-i", place.inventory_file(), "-f", "50", str(playbook)]


def all_contestants(options):
    """In the order of the table. Those that can't run here say why in `missing`."""
    everyday = {"runs": options.n, "checks": options.checks}
    limit = options.programs / "bench_limit"
    stemma = options.stemma.resolve()
    found = [
        Contestant("limit", lambda task, place: [str(limit), task, *place.addresses()], **everyday),
        Contestant("stemma", stemma_command(stemma),
                   "" if stemma.is_file() else f"{options.stemma} not found", **everyday),
        Contestant("script-parallel", script_command("parallel"), **everyday),
        Contestant("script", script_command("sequential"), **everyday),
        Contestant("ansible", ansible_command, "" if shutil.which("ansible-playbook") else
                   "ansible-playbook not found", runs=min(options.n, options.ansible_runs), checks=1,
                   complaint=ansible_complaint),
    ]
    return [each for each in found if each.name in options.only]
