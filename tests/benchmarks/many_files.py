"""One engine, many short files in a row: memory, threads, descriptors and scratch files.

python -m tests.benchmarks.many_files [--files 1000] [--batched]
"""

import argparse
import random
import statistics
import tempfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil

from fwtui import demo
from fwtui.core.settings import DecodingSettings, ModelSettings
from fwtui.engine.client import EngineClient
from fwtui.engine.protocol import FileFailed, FileFinished, Shutdown, Transcribe
from tests.engine.support import write_wav
from tests.whisper_audio import decode_audio

SEQUENTIAL = DecodingSettings(beam_size=1, temperature_increment_on_fallback=None)
BATCHED = DecodingSettings(
    beam_size=1, temperature_increment_on_fallback=None, batched=True, batch_size=8
)
AHEAD = 20
READINGS = 20


class Use(NamedTuple):
    """What a process has: MB of resident memory, threads, descriptors; and the scratch files.

    The memory is the mean of the last readings, one after each file: buffers of the model as large
    as 34 MB come and go all the time.
    """

    files: int
    rss: float
    threads: int
    descriptors: int
    scratch: int


def short_clips(folder: Path, kinds: int = 20) -> list[Path]:
    """Clips of 1 to 6 s out of the long demo clip."""
    sound = decode_audio(demo.clips()[-1])
    chance = random.Random(1)
    paths = []
    for number in range(kinds):
        length = int(chance.uniform(1, 6) * 16000)
        start = chance.randrange(sound.size - length)
        paths.append(folder / f"clip{number}.wav")
        write_wav(paths[-1], sound[start : start + length].astype(np.float32))
    return paths


def use_of(process: psutil.Process, files: int, rss: float, scratch: Path) -> Use:
    with process.oneshot():
        threads, descriptors = process.num_threads(), process.num_fds()
    return Use(files, rss, threads, descriptors, len(list(scratch.iterdir())))


def after(marks: list[int], clips: list[Path], decoding: DecodingSettings) -> Iterator[Use]:
    """What the engine uses after so many files."""
    model = ModelSettings(model=str(demo.model_dir()), device="cpu", threads=1)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        client = EngineClient(model, lambda _: None)

        def send(job: int) -> None:
            path, wav = clips[job % len(clips)], scratch / f"tmp{job}.wav"
            client.send(Transcribe(job, str(path), decoding, "hash", str(wav)))

        for job in range(min(AHEAD, marks[-1])):
            send(job)
        done = 0
        process = psutil.Process(client.pid)
        readings: deque[float] = deque(maxlen=READINGS)
        for reply in client.replies():
            if isinstance(reply, FileFailed):
                raise AssertionError(reply.failure)
            if not isinstance(reply, FileFinished):
                continue
            done += 1
            readings.append(process.memory_info().rss / 2**20)
            if done in marks:
                yield use_of(process, done, statistics.mean(readings), scratch)
            if done == marks[-1]:
                break
            if done + AHEAD <= marks[-1]:
                send(done + AHEAD - 1)
        client.send(Shutdown())
        for _ in client.replies():
            pass
        client.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--batched", action="store_true")
    arguments = parser.parse_args()
    marks = [n for n in (1, 50, 100, 200, 500, 1000) if n < arguments.files] + [arguments.files]
    print(f"{'files':>6} {'RSS MB':>8} {'threads':>8} {'descriptors':>12} {'scratch':>8}")
    with tempfile.TemporaryDirectory() as name:
        clips = short_clips(Path(name))
        for use in after(marks, clips, BATCHED if arguments.batched else SEQUENTIAL):
            line = f"{use.files:6} {use.rss:8.0f} {use.threads:8} {use.descriptors:12}"
            print(f"{line} {use.scratch:8}", flush=True)


if __name__ == "__main__":
    main()
