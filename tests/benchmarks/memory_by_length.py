"""Peak memory by the length of the file, in each mode, beside faster-whisper's `transcribe`.

python -m tests.benchmarks.memory_by_length [--minutes 10 60] [--modes sequential batched ...]
python -m tests.benchmarks.memory_by_length --minutes 600 --seconds 600

The number is that of the whole process tree of `fwtui run`, in MB: the most resident memory that
all its processes had at the same time, fifty times a second. `engine` is the kernel's own peak
(VmHWM) of the largest of them. With `--seconds` a file is given up after so much sound of it: all
of it was decoded, searched for speech and scanned by then. With `--rounds` it is the median of so
many runs: the model's buffers come in steps of 16 or 32 MB. Files are the long demo clip, repeated.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import psutil

from fwtui import demo
from tests.audio.encoding import FLAC, read_clip, write_media

BASE = "--device cpu --threads 1 --beam_size 1 --temperature_increment_on_fallback None"
MODES = {
    "sequential": "",
    "vad": "--vad_filter",
    "words": "--vad_filter --word_timestamps",
    "languages": "--multilingual --language_detection_segments 8",
    "hotwords": "--hotwords monday",
    "clips": "--clip_timestamps 30",
    "batched": "--batched --batch_size 8",
    "batched words": "--batched --batch_size 8 --word_timestamps",
}
WHISPER = """
import sys
from faster_whisper import BatchedInferencePipeline, WhisperModel
from tests.whisper_audio import decode_audio
model = WhisperModel(sys.argv[1], device="cpu", cpu_threads=1)
options = {"beam_size": 1, "temperature": 0.0}
if "batched" in sys.argv[3]:
    model = BatchedInferencePipeline(model)
    options |= {"batch_size": 8, "without_timestamps": False}
else:
    options["vad_filter"] = sys.argv[3] in ("vad", "words")
options["word_timestamps"] = "words" in sys.argv[3]
segments, _ = model.transcribe(decode_audio(sys.argv[2]), **options)
for segment in segments:
    if segment.end > float(sys.argv[4]):
        break
print(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
"""


def resident(process: psutil.Process) -> tuple[float, float]:
    """Resident memory of a process in MB, now and at its peak; zeros once it is gone."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return 0.0, 0.0
    found = {name: value for name, _, value in (line.partition(":") for line in lines)}
    now, peak = (int(found.get(name, "0 kB").split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak


class TreePeak:
    """Looks at a process and all below it until it has ended."""

    def __init__(self, pid: int) -> None:
        self.tree = self.engine = 0.0  # MB
        self._root = psutil.Process(pid)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(0.02):
            try:
                below = self._root.children(recursive=True)
            except psutil.NoSuchProcess:
                return
            now, peaks = zip(*map(resident, [self._root, *below]), strict=True)
            self.tree = max(self.tree, sum(now))
            self.engine = max(self.engine, *peaks[1:], 0.0)

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


def sound_file(folder: Path, minutes: int) -> Path:
    path = folder / f"{minutes}.flac"
    if not path.exists():
        clip = read_clip(demo.clips()[-1], 16_000)
        write_media(path, clip.repeated(minutes // 3 + 1).first(minutes * 60), FLAC)
    return path


def ours(path: Path, mode: str, seconds: float, folder: Path) -> tuple[float, float]:
    """Peaks in MB of the tree and of its engine, while `fwtui run` does so much of the file."""
    homes = {f"XDG_{name}_HOME": str(folder / name) for name in ("CONFIG", "STATE", "CACHE")}
    command = [sys.executable, "-m", "fwtui", "run", str(path), "--json", "-o", str(folder / "out")]
    chosen = f"--model {demo.model_dir()} {BASE} {MODES[mode]}".split()
    with subprocess.Popen(
        [*command, *chosen],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | homes,
    ) as run:
        assert run.stdout is not None
        found = TreePeak(run.pid)
        asked = False
        for line in run.stdout:
            if not asked and is_past(json.loads(line), seconds):
                run.send_signal(signal.SIGTERM)  # a job in the background ignores SIGINT
                asked = True
        found.end()
    if run.returncode not in (0, 3):  # 3: stopped; the file may have ended first
        raise SystemExit(f"fwtui run ended with {run.returncode}")
    return found.tree, found.engine


def is_past(event: dict[str, Any], seconds: float) -> bool:
    """Whether so much of the file is transcribed."""
    if event["type"] != "JobProgress" or event["preparing"]:
        return False
    return bool(event["done"] >= seconds)


def theirs(path: Path, mode: str, seconds: float) -> float:
    command = [sys.executable, "-c", WHISPER, str(demo.model_dir()), str(path), mode, str(seconds)]
    return int(subprocess.run(command, check=True, capture_output=True).stdout) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, nargs="+", default=[10, 60])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--whisper", action="store_true", help="faster-whisper's peak as well")
    arguments = parser.parse_args()
    print(f"{'mode':<14} {'minutes':>8} {'tree MB':>8} {'engine MB':>10} {'faster-whisper MB':>18}")
    with tempfile.TemporaryDirectory() as name:
        for mode in arguments.modes:
            for minutes in arguments.minutes:
                print(row(mode, minutes, arguments, Path(name)), flush=True)


def row(mode: str, minutes: int, arguments: argparse.Namespace, folder: Path) -> str:
    """The line of a file of so many minutes."""
    path = sound_file(folder, minutes)
    runs = []
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory(dir=folder) as own:
            runs.append(ours(path, mode, arguments.seconds, Path(own)))
    tree, engine = (statistics.median(peaks) for peaks in zip(*runs, strict=True))
    whisper = theirs(path, mode, arguments.seconds) if arguments.whisper else float("nan")
    return f"{mode:<14} {minutes:8} {tree:8.0f} {engine:10.0f} {whisper:18.0f}"


if __name__ == "__main__":
    main()
