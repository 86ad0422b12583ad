"""What the bench says: a Markdown table for a README, and every single run as JSON."""

import json
import os
import statistics
import subprocess
import time
from pathlib import Path

from contestants import APPLY, CHECK, NAMES, TASKS, TITLES

HEADINGS = {APPLY: "First apply", CHECK: "Check that finds nothing to do"}


def _first_field(path, name):
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":" if ":" in line else "=")
        if key.strip() == name:
            return value.strip().strip('"')
    return "unknown"


def machine():
    version = subprocess.run(["mariadbd", "--version"], capture_output=True, text=True).stdout
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": _first_field("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(_first_field("/proc/meminfo", "MemTotal").split()[0]) / 2**20),
        "kernel": os.uname().release,
        "system": _first_field("/etc/os-release", "PRETTY_NAME"),
        "server": version.split("Ver ", 1)[-1].split(" for ")[0].strip(),
        "load": os.getloadavg()[0],
    }


def medians(runs):
    """One entry for each case, task and contestant that was measured, in the order of the runs."""
    groups = {}
    for run in runs:
        groups.setdefault((run["task"], run["replicas"], run["rtt_ms"], run["contestant"]), []).append(run)
    out = []
    for (task, replicas, rtt, contestant), members in groups.items():
        good = [run["seconds"] for run in members if run["ok"]]
        out.append({
            "task": task, "replicas": replicas, "rtt_ms": rtt, "contestant": contestant,
            "runs": len(good), "bad": len(members) - len(good),
            "median": statistics.median(good) if good else None,
            "min": min(good, default=None), "max": max(good, default=None)})
    limits = {(each["task"], each["replicas"], each["rtt_ms"]): each["median"]
              for each in out if each["contestant"] == "limit"}
    for each in out:
        limit = limits.get((each["task"], each["replicas"], each["rtt_ms"]))
        each["ratio"] = each["median"] / limit if limit and each["median"] else None
    return out


def _seconds(value):
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _ratio(value):
    return f"{value:.2f}×" if value < 10 else f"{value:.0f}×"


def _cell(entry):
    if entry is None:
        return "–"
    if entry["median"] is None:
        return "bad"
    text = _seconds(entry["median"])
    if entry["ratio"] is not None and entry["contestant"] != "limit":
        text += f" ({_ratio(entry['ratio'])})"
    return text + (f" [{entry['bad']} bad]" if entry["bad"] else "")


def _table(task, entries):
    entries = [each for each in entries if each["task"] == task]
    names = [name for name in NAMES if any(each["contestant"] == name for each in entries)]
    cases = list(dict.fromkeys((each["rtt_ms"], each["replicas"]) for each in entries))
    lines = [f"| {HEADINGS[task]} | " + " | ".join(TITLES[name] for name in names) + " |",
             "|---|" + "---:|" * len(names)]
    for rtt, replicas in sorted(cases):
        found = {each["contestant"]: each for each in entries
                 if (each["rtt_ms"], each["replicas"]) == (rtt, replicas)}
        title = f"{replicas} replicas" + (f", {rtt} ms" if rtt else "")
        lines.append(f"| {title} | " + " | ".join(_cell(found.get(name)) for name in names) + " |")
    return "\n".join(lines)


def _counts(entries):
    counts = {}
    for each in entries:
        bounds = counts.setdefault((each["contestant"] == "ansible", each["task"]), [])
        bounds.append(each["runs"])
    text = []
    for (ansible, task), runs in counts.items():
        many = str(min(runs)) if min(runs) == max(runs) else f"{min(runs)} to {max(runs)}"
        text.append(f"{many} {'applies' if task == APPLY else 'checks'}{' by Ansible' if ansible else ''}")
    return ", ".join(text)


def markdown(runs, skipped, where):
    entries = medians(runs)
    measured = {each["task"] for each in entries}
    parts = [_table(task, entries) for task in TASKS if task in measured]
    parts.append(
        f"Seconds of wall time, medians of {_counts(entries)}; in brackets: times the limit. {where['cpu']}, "
        f"{where['cores']} cores, {where['memory_gb']} GB, kernel {where['kernel']}, {where['system']}, "
        f"{where['server']}; servers and tools share the cores. {where['date']}, "
        f"load {where['load']:.1f} at the start.")
    for name, why in skipped.items():
        parts.append(f"{TITLES[name]}: not run: {why}.")
    bad = [run for run in runs if not run["ok"]]
    if bad:
        parts.append("Bad runs, not counted:\n\n" + "\n".join(
            f"- {run['task']} by {run['contestant']}, {run['replicas']} replicas, {run['rtt_ms']} ms: "
            + " ".join(run["why"].split())[:300] for run in bad))
    return "\n\n".join(parts)


def write_json(path, bench, where):
    path.write_text(json.dumps({
        "machine": where, "wires": bench.wires, "skipped": bench.skipped, "medians": medians(bench.runs),
        "runs": bench.runs}, indent=2) + "\n")
