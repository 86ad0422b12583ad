#!/usr/bin/env python3
"""run.py [WORDS…]: takes one safety at a time out of a copy of this tree (defects.toml), and shows that the tests notice.

WORDS: only the defects whose line holds one of them. The copy and its build stay in build/defects, so that a second run
compiles only what differs. Exit status: 0 when every defect was noticed; 1 when one was not, or does not fit the code
any more. The last line is "N of N defects noticed".
"""
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TREE = ROOT / "build" / "defects" / "tree"
BUILD = ROOT / "build" / "defects" / "build"
# Directories of the tree that a build reads.
PARTS = ["CMakeLists.txt", "cmake", "plans", "engine", "providers", "cli", "tests", "examples", "LICENSE", "README.md",
         ".clang-format"]


def copy_tree() -> None:
    """Only what differs, so that times of files stay and with them what is built."""
    TREE.mkdir(parents=True, exist_ok=True)
    sources = [str(ROOT / part) for part in PARTS]
    subprocess.run(["rsync", "-a", "--checksum", "--delete", *sources, str(TREE)], check=True)


def run(command: list[str], log: Path, **more) -> int:
    with log.open("w") as out:
        return subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False, **more).returncode


def build(programs: list[str], log: Path) -> bool:
    targets = [f"{name}_tests" for name in programs]
    return run(["cmake", "--build", str(BUILD), "-j", str(os.cpu_count()), "--target", *targets], log) == 0


def failing(defect: dict, log: Path) -> bool:
    """Whether one of the programs that must notice does: by a test that fails, not by a signal or a missing program."""
    for name in defect["tests"]:
        command = [str(BUILD / "tests" / f"{name}_tests"), "~[.]~[server]"]
        code = run(command, log, cwd=TREE, timeout=900)
        if code > 0 and "failed" in log.read_text(errors="replace"):
            return True
    return False


def main() -> int:
    defects = tomllib.loads((ROOT / "tests/defects/defects.toml").read_text())["defect"]
    wanted = [d for d in defects if not sys.argv[1:] or any(word in d["why"] for word in sys.argv[1:])]
    for tool in ("rsync", "cmake", "ninja"):
        if shutil.which(tool) is None:
            print(f"{tool} is missing; as root: apt-get install {tool.replace('ninja', 'ninja-build')}", file=sys.stderr)
            return 1
    copy_tree()
    log = ROOT / "build" / "defects" / "log"
    # Not as one big file for each layer: a defect compiles the file that it is in.
    configure = ["cmake", "-S", str(TREE), "-B", str(BUILD), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
                 "-DCMAKE_CXX_FLAGS_DEBUG=-O0"]
    programs = sorted({name for d in wanted for name in d["tests"]})
    if run(configure, log) != 0 or not build(programs, log):
        print(f"the tree without a defect does not build: {log}", file=sys.stderr)
        return 1
    for name in programs:
        if failing({"tests": [name]}, log):
            print(f"{name} fails without a defect: {log}", file=sys.stderr)
            return 1

    noticed = 0
    for number, defect in enumerate(wanted, 1):
        path = TREE / defect["file"]
        text = path.read_text()
        words = f"{number}/{len(wanted)} {defect['why']}"
        if text.count(defect["old"]) != 1:
            print(f"✗ {words}: no longer fits {defect['file']}, which has it {text.count(defect['old'])} times")
            continue
        try:
            path.write_text(text.replace(defect["old"], defect["new"]))
            if not build(defect["tests"], log):
                outcome = "does not build"
                print(log.read_text(errors="replace")[-1500:])
            elif failing(defect, log):
                noticed += 1
                outcome = None
            else:
                outcome = "NOT NOTICED"
        finally:
            path.write_text(text)
        print(f"✓ {words}" if outcome is None else f"✗ {words}: {outcome}", flush=True)
    print(f"{noticed} of {len(wanted)} defects noticed")
    return 0 if noticed == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
