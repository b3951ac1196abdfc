"""Runs of the program on a disk that fails: `python -m tests.faults [AREAS] [CALLS] [ERRNOS]`.

Each argument is a list with commas; without them all of it takes hours. Prints a line for each run,
and what was wrong: an exit code that is none, no `BatchFinished`, "a bug in fwtui", a run that says
it is done and wrote nothing.
"""

import errno
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from fwtui import demo
from tests.faults.faulty_disk import CALLS, FaultyDisk

AREAS = {
    "output": "/out",
    "scratch": "/cache/scratch",
    "state": "/state",
    "sessions": "/state/sessions",
    "cache": "/cache",
    "model": "/model",
    "input": "/in",
}
ERRNOS = "EACCES ENOTCONN ESTALE EIO EROFS ENOSPC EDQUOT EPERM EMFILE ENODEV ETIMEDOUT".split()
FORMATS = 5
PATIENCE = 120.0


def run(disk: FaultyDisk, folder: Path, area: str, call: str, name: str) -> str:
    """One run; returns what was wrong."""
    root, backing = disk.folder, folder / "backing"
    for each in ("out", "cache", "state"):
        shutil.rmtree(backing / each, ignore_errors=True)
        (backing / each).mkdir()
    places = {f"FWTUI_{each.upper()}_DIR": str(root / each) for each in ("state", "cache")}
    command = [sys.executable, "-m", "fwtui", "run", "--json", "--on_disk_full", "stop"]
    command += ["--model", str(root / "model"), "--device", "cpu", "--language", "en"]
    command += ["--output_dir", str(root / "out"), str(root / "in")]
    environment = {**os.environ, **places, "FWTUI_CONFIG_DIR": str(folder / "config")}
    disk.fail(call, getattr(errno, name), AREAS[area])
    try:
        ran = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return "hangs"
    finally:
        hits = disk.work()
    kinds = [json.loads(line)["type"] for line in ran.stdout.splitlines()]
    wrong = []
    if ran.returncode not in {0, 1, 3, 4}:
        wrong.append(f"exit code {ran.returncode}")
    if "BatchFinished" not in kinds:
        wrong.append("no BatchFinished")
    if "bug in fwtui" in ran.stderr or "report it" in ran.stderr:
        wrong.append("a bug")
    if ran.returncode == 0 and hits and len(list((backing / "out").iterdir())) < FORMATS:
        wrong.append("not done")
    return f"{'; '.join(wrong)}\n{ran.stderr}" if wrong else ""


def main() -> int:
    """Run the product of the arguments; 1 if anything was wrong."""
    chosen = [argument.split(",") for argument in sys.argv[1:]]
    areas, calls, names = [*chosen, *[list(AREAS), list(CALLS), ERRNOS][len(chosen) :]]
    failed = 0
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with FaultyDisk(folder / "backing", folder / "disk") as disk:
            shutil.copytree(demo.model_dir(), folder / "backing" / "model")
            (folder / "backing" / "in").mkdir()
            shutil.copy(demo.clips()[0], folder / "backing" / "in")
            for area, call, name in itertools.product(areas, calls, names):
                wrong = run(disk, folder, area, call, name)
                failed += bool(wrong)
                print(f"{area:8} {call:7} {name:12} {wrong or 'ok'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
