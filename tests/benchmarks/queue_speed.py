"""A queue of files: fwtui beside a bare script that calls faster-whisper, side by side.

python -m tests.benchmarks.queue_speed [--files 30] [--rounds 3]

Both use the demo model, one thread, beam size 1, no sampling. The bare script loads the model
once and keeps the text in memory; fwtui journals every window, measures memory and writes five
files per clip. The rounds alternate, and the median counts, since machines are noisy.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fwtui import demo

BARE = """
import sys
from faster_whisper import WhisperModel
model = WhisperModel(sys.argv[1], device="cpu", cpu_threads=1)
for path in sys.argv[2:]:
    segments, _ = model.transcribe(path, beam_size=1, temperature=0.0)
    list(segments)
"""


def timed(command: list[str]) -> float:
    """Seconds of wall time of a command that must succeed."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def bare(files: list[Path]) -> list[str]:
    return [sys.executable, "-c", BARE, str(demo.model_dir()), *map(str, files)]


def ours(files: list[Path], out: Path) -> list[str]:
    options = ["--model", str(demo.model_dir()), "--device", "cpu", "--threads", "1"]
    options += ["--beam_size", "1", "--temperature_increment_on_fallback", "None"]
    return [sys.executable, "-m", "fwtui", "run", *options, "-o", str(out), *map(str, files)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = demo.clips()
        files = [
            Path(
                shutil.copy(clips[i % len(clips)], folder / f"{i:03}-{clips[i % len(clips)].name}")
            )
            for i in range(arguments.files)
        ]
        times: dict[str, list[float]] = {"bare script": [], "fwtui run": []}
        for _ in range(arguments.rounds):
            times["bare script"].append(timed(bare(files)))
            times["fwtui run"].append(timed(ours(files, folder / "out")))
    base = statistics.median(times["bare script"])
    print(f"{arguments.files} files, {arguments.rounds} rounds, wall time in seconds")
    print(f"{'':<12} {'median':>8} {'best':>8} {'worst':>8} {'ratio':>7}")
    for label, values in times.items():
        middle = statistics.median(values)
        print(
            f"{label:<12} {middle:8.2f} {min(values):8.2f} {max(values):8.2f} {middle / base:7.2f}"
        )


if __name__ == "__main__":
    main()
