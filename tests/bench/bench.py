#!/usr/bin/env python3
"""Measures a first apply and the check that finds nothing to do, on real servers. Called by run.sh."""

import argparse
import os
import secrets
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import report
from contestants import APPLY, CHECK, NAMES, Place, all_contestants
from fleet import HOST, BenchError, Fleet, greeting_ms, reserved, wire

# After a reset the servers still write; a run that starts at once would pay for it.
SETTLE = 0.1
RUN_PATIENCE = 600.0
PROXY_PORTS_ABOVE = 500


def parse_options():
    numbers = lambda text: [int(each) for each in text.split(",")]
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__)
    parser.add_argument("--sizes", type=numbers, default=[2, 8, 24], help="numbers of replicas (2,8,24)")
    parser.add_argument("--latency", type=numbers, default=[0, 20], help="round trips in ms (0,20)")
    parser.add_argument("-n", type=int, default=5, help="counted applies of each contestant (5)")
    parser.add_argument("--checks", type=int, default=3, help="timed checks after each apply (3)")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(NAMES),
                        metavar="NAME,...", help="contestants: " + ", ".join(NAMES))
    parser.add_argument("--ansible", action=argparse.BooleanOptionalAction, default=None,
                        help="with or without Ansible (default: with it where it is installed)")
    parser.add_argument("--ansible-runs", type=int, default=2, help="at most so many applies by Ansible (2)")
    parser.add_argument("--stemma", type=Path, help="the program to measure (build/release/stemma)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single run there")
    parser.add_argument("--base-port", type=int, default=25000,
                        help="the primary's port, others follow (25000: the kernel gives out higher ones)")
    parser.add_argument("--programs", type=Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name in options.only:
        if name not in NAMES:
            parser.error(f"--only: {name} is none of {', '.join(NAMES)}")
    if options.ansible and not shutil.which("ansible-playbook"):
        parser.error("--ansible: ansible-playbook not found (Debian: packages ansible, python3-pymysql)")
    if options.ansible is False:
        options.only = [name for name in options.only if name != "ansible"]
    if options.n < 1 or options.checks < 1 or min(options.sizes) < 1 or min(options.latency) < 0:
        parser.error("-n, --checks and --sizes are at least 1, --latency at least 0")
    return options


class Bench:
    def __init__(self, options, workdir):
        self.options = options
        self.workdir = workdir
        self.password = os.environ.get("BENCH_PASSWORD") or secrets.token_hex(12)
        home = workdir / "home"
        home.mkdir()
        # A home of their own: nobody's settings, caches or journals of earlier runs take part.
        self.environment = {
            **os.environ, "BENCH_PASSWORD": self.password,
            "BENCH_REPL_PASSWORD": os.environ.get("BENCH_REPL_PASSWORD") or secrets.token_hex(12),
            "HOME": str(home), "XDG_STATE_HOME": str(home), "XDG_CACHE_HOME": str(home),
            "NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(home),
            "ANSIBLE_LOCAL_TEMP": str(home / "ansible")}
        self.contestants = []
        self.skipped = {}
        self.wires = []
        self.runs = []

    def choose(self):
        for each in all_contestants(self.options):
            if each.missing:
                self.skipped[each.name] = each.missing
                say(f"{each.name}: not run: {each.missing}")
            else:
                self.contestants.append(each)
        if not self.contestants:
            raise BenchError("nobody to measure")

    def measure(self):
        first = self.options.base_port
        most = max(self.options.sizes) + 1
        near_ports = range(first + PROXY_PORTS_ABOVE, first + PROXY_PORTS_ABOVE + most)
        with (reserved([*range(first, first + most), *near_ports]),
              Fleet(self.workdir, first, self.password) as fleet):
            for size in sorted(set(self.options.sizes)):
                fleet.grow(size + 1)
                for rtt in self.options.latency:
                    with wire(self.options.programs / "bench_proxy", rtt, near_ports, fleet) as near:
                        self._measure_case(fleet, rtt, near)

    def _measure_case(self, fleet, rtt, near):
        greeting = statistics.median(greeting_ms(near[0]) for _ in range(5))
        self.wires.append({"replicas": len(near) - 1, "rtt_ms": rtt, "greeting_ms": greeting})
        say(f"{len(near) - 1} replicas, {rtt} ms: a server greets after {greeting:.1f} ms")
        place = Place(HOST, near, [fleet.port(index) for index in range(len(near))], self.workdir)
        # Round robin, so that the noise of a busy moment hits all alike.
        for turn in range(max(each.runs for each in self.contestants)):
            for contestant in self.contestants:
                if turn < contestant.runs:
                    self._turn(fleet, contestant, place, rtt)

    def _turn(self, fleet, contestant, place, rtt):
        fleet.reset()
        time.sleep(SETTLE)
        self._run(contestant, APPLY, place, rtt, fleet.faults)
        if not self.runs[-1]["ok"]:
            return  # what it left behind is no ground for a check
        time.sleep(SETTLE)
        for _ in range(contestant.checks):
            self._run(contestant, CHECK, place, rtt, fleet.faults)

    def _run(self, contestant, task, place, rtt, faults):
        command = contestant.command(task, place)
        output = self.workdir / "output"
        with output.open("wb") as sink:
            started = time.perf_counter()
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
                                       cwd=self.workdir, env=self.environment, start_new_session=True)
            try:
                await_exit(process)
                seconds = time.perf_counter() - started
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)  # with what it started in the background
                raise
            finally:
                status = process.wait()
        said = output.read_text(errors="replace")
        why = [f"exit status {status}: {said.strip()[-600:]}"] if status != 0 else []
        why += filter(None, [contestant.complaint(task, said)])
        why += faults()
        self.runs.append({"task": task, "contestant": contestant.name, "replicas": len(place.near) - 1,
                          "rtt_ms": rtt, "seconds": seconds, "ok": not why, "why": "; ".join(why)})
        say(f"  {task} {contestant.name}: {seconds:.3f} s" + (f"  BAD: {'; '.join(why)}" if why else ""))


def await_exit(process):
    """Popen.wait with a time-out looks only every 50 ms in the end, which is more than what is measured."""
    descriptor = os.pidfd_open(process.pid)
    try:
        if not select.select([descriptor], [], [], RUN_PATIENCE)[0]:
            raise BenchError(f"hangs for {RUN_PATIENCE:.0f} s: {' '.join(map(str, process.args))}")
    finally:
        os.close(descriptor)


def say(text):
    print(text, file=sys.stderr, flush=True)


def interrupted(number, _frame):
    raise SystemExit(128 + number)


def main():
    options = parse_options()
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, interrupted)
    started_with = report.machine()
    workdir = Path(tempfile.mkdtemp(prefix="bench."))
    try:
        bench = Bench(options, workdir)
        bench.choose()
        bench.measure()
    except BenchError as error:
        say(f"bench: {error}")
        return 1
    finally:
        shutil.rmtree(workdir, ignore_errors=True)
    print(report.markdown(bench.runs, bench.skipped, started_with))
    if options.json:
        report.write_json(options.json, bench, started_with)
    return 0 if all(run["ok"] for run in bench.runs) else 1


if __name__ == "__main__":
    sys.exit(main())
