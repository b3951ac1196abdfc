"""A queue of files: fwtui beside a bare script that calls faster-whisper, side by side.

python -m tests.benchmarks.queue_speed [--files 30] [--rounds 3]
python -m tests.benchmarks.queue_speed --short 200

Without `--short` the files are the demo clips, transcribed one window after the other. With it they
are clips of 3 to 10 s, which fwtui does in batches, several clips in each (`--batched`), and the
bare script one by one; and fwtui does the same speech as one long file.

Both use the demo model, one thread, beam size 1, no sampling. The bare script loads the model
once and keeps the text in memory; fwtui journals every window, measures memory and writes five
files per clip. whisper-ctranslate2 takes part if it is installed. The rounds alternate, and the
median counts, since machines are noisy.
"""

import argparse
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

from fwtui import demo
from tests.whisper_audio import decode_audio

BARE = """
import os, sys
os.nice(5)  # as fwtui's engine: on a busy machine this decides more than anything else
from faster_whisper import WhisperModel
from tests.whisper_audio import decode_audio
model = WhisperModel(sys.argv[1], device="cpu", cpu_threads=1)
for path in sys.argv[2:]:
    segments, _ = model.transcribe(decode_audio(path), beam_size=1, temperature=0.0)
    list(segments)
"""
RATE = 16_000
WINDOW_SECONDS = 30
BUSY = re.compile(rb"Model utilisation ([\d.]+)%")


def timed(command: list[str]) -> tuple[float, float]:
    """Seconds of wall time of a command that must succeed, and the busy share that it tells."""
    began = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - began
    told = BUSY.findall(done.stderr)
    return seconds, float(told[-1]) if told else 0.0


def bare(files: list[Path]) -> list[str]:
    return [sys.executable, "-c", BARE, str(demo.model_dir()), *map(str, files)]


def options(out: Path) -> list[str]:
    """What fwtui and whisper-ctranslate2 have in common."""
    chosen = ["--device", "cpu", "--threads", "1", "--beam_size", "1"]
    return [*chosen, "--temperature_increment_on_fallback", "None", "-o", str(out)]


def ours(files: list[Path], out: Path, extra: list[str]) -> list[str]:
    model = ["--model", str(demo.model_dir())]
    run = [sys.executable, "-m", "fwtui", "run", "--verbose"]
    return [*run, *model, *options(out), *extra, *map(str, files)]


def ctranslate2(program: str, files: list[Path], out: Path) -> list[str]:
    model = ["--model_directory", str(demo.model_dir())]
    return [program, *model, *options(out), *map(str, files)]


def demo_files(folder: Path, count: int) -> list[Path]:
    clips = demo.clips()
    return [
        Path(shutil.copy(clips[i % len(clips)], folder / f"{i:03}-{clips[i % len(clips)].name}"))
        for i in range(count)
    ]


def short_files(folder: Path, count: int) -> list[Path]:
    """Clips of 3 to 10 s out of the long demo clip."""
    sound = (decode_audio(demo.clips()[-1]) * 32767).astype("<i2")
    chance = random.Random(1)
    files = []
    for number in range(count):
        length = int(chance.uniform(3, 10) * RATE)
        start = chance.randrange(sound.size - length)
        path = folder / f"{number:03}.wav"
        write(path, sound[start : start + length].tobytes())
        files.append(path)
    return files


def write(path: Path, samples: bytes) -> None:
    with wave.open(str(path), "wb") as writer:
        writer.setparams((1, 2, RATE, 0, "NONE", ""))
        writer.writeframes(samples)


def long_file(files: list[Path], path: Path) -> Path:
    """The same speech in one file: a clip every 30 s, so that each is a chunk of its own."""
    chunks = []
    for file in files:
        with wave.open(str(file), "rb") as clip:
            samples = clip.readframes(clip.getnframes())
        chunks.append(samples.ljust(WINDOW_SECONDS * RATE * 2, b"\0"))
    write(path, b"".join(chunks))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=30)
    parser.add_argument("--short", type=int, default=0)
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.short:
            files = short_files(folder, arguments.short)
            extra = ["--batched", "--batch_size", str(arguments.batch_size)]
        else:
            files, extra = demo_files(folder, arguments.files), []
        commands = {
            "bare script": bare(files),
            "fwtui run": ours(files, folder / "out", extra),
        }
        if arguments.short:
            whole = [long_file(files, folder / "long.wav")]
            commands["one long file"] = ours(whole, folder / "out", extra)
        if program := shutil.which("whisper-ctranslate2"):
            commands["whisper-ctranslate2"] = ctranslate2(program, files, folder / "other")
        times: dict[str, list[tuple[float, float]]] = {label: [] for label in commands}
        for _ in range(arguments.rounds):
            for label, command in commands.items():
                times[label].append(timed(command))
    base = statistics.median(seconds for seconds, _ in times["bare script"])
    print(f"{len(files)} files, {arguments.rounds} rounds, wall time in seconds")
    print(f"{'':<20} {'median':>8} {'best':>8} {'worst':>8} {'ratio':>7} {'model busy':>11}")
    for label, values in times.items():
        seconds = [value for value, _ in values]
        middle = statistics.median(seconds)
        told = statistics.median(busy for _, busy in values)
        busy = f"{told:.1f} %" if told else "-"
        print(
            f"{label:<20} {middle:8.2f} {min(seconds):8.2f} {max(seconds):8.2f}"
            f" {middle / base:7.2f} {busy:>11}"
        )


if __name__ == "__main__":
    main()
