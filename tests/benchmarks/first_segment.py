"""From the start of a program to its first segment: fwtui beside a bare script.

python -m tests.benchmarks.first_segment [--rounds 5] [FILE]

Seconds from the start of the process until each thing is there: the engine has its model, the file
is ready for the model (decoded, searched for speech), the first segment is told. The bare script
loads faster-whisper, then the model, then the file. Both use the demo model, one thread, beam
size 1, no sampling; the file is the long demo clip unless another is given.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from fwtui import demo

BARE = """
import sys
from faster_whisper import WhisperModel
from tests.whisper_audio import decode_audio
model = WhisperModel(sys.argv[1], device="cpu", cpu_threads=1)
print("model", flush=True)
segments, _ = model.transcribe(decode_audio(sys.argv[2]), beam_size=1, temperature=0.0)
print("file", flush=True)
next(segments)
print("segment", flush=True)
"""
STEPS = ("model", "file", "segment")
Times = dict[str, float]


def until(lines: Iterator[str], began: float) -> Times:
    """Seconds until each step is told for the first time."""
    times: Times = {}
    for line in lines:
        times.setdefault(line, time.perf_counter() - began)
        if STEPS[-1] in times:
            break
    return times


def steps(events: Iterator[bytes]) -> Iterator[str]:
    """The steps that events of `fwtui run --json` are about."""
    for line in events:
        event = json.loads(line)
        match event["type"]:
            case "EngineChanged" if event["info"] is not None:
                yield "model"
            case "JobChanged" if event["job"]["state"].get("preparing") is False:
                yield "file"
            case "SegmentsFound":
                yield "segment"


def timed(command: list[str], folder: Path) -> Times:
    """One run, ended after its first segment."""
    homes = {f"XDG_{name}_HOME": str(folder / name) for name in ("CONFIG", "STATE", "CACHE")}
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | homes
    ) as run:
        assert run.stdout is not None
        if command[1] == "-c":
            times = until((line.decode().strip() for line in run.stdout), began)
        else:
            times = until(steps(iter(run.stdout)), began)
        run.terminate()
        run.stdout.read()
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("file", type=Path, nargs="?", default=demo.clips()[-1])
    arguments = parser.parse_args()
    model, file = str(demo.model_dir()), str(arguments.file)
    options = "--device cpu --threads 1 --beam_size 1 --temperature_increment_on_fallback None"
    run = [sys.executable, "-m", "fwtui", "run", file, "--json", "--model", model, *options.split()]
    found: dict[str, list[Times]] = {"bare script": [], "fwtui run": []}
    for _ in range(arguments.rounds):
        found["bare script"].append(timed([sys.executable, "-c", BARE, model, file], Path()))
        with tempfile.TemporaryDirectory() as name:
            out = ["-o", str(Path(name) / "out")]
            found["fwtui run"].append(timed([*run, *out], Path(name)))
    print(f"{'':<14}" + "".join(f"{step:>10}" for step in STEPS))
    for label, runs in found.items():
        middle = (statistics.median(times[step] for times in runs) for step in STEPS)
        print(f"{label:<14}" + "".join(f"{seconds:8.2f} s" for seconds in middle))


if __name__ == "__main__":
    main()
