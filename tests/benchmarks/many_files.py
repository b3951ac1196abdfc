"""One engine, many short files in a row: memory, threads, descriptors and scratch files.

python -m tests.benchmarks.many_files [--files 1000] [--batched]
"""

import argparse
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
from faster_whisper.audio import decode_audio

from fwtui import demo
from fwtui.core.settings import DecodingSettings, ModelSettings
from fwtui.engine.client import EngineClient
from fwtui.engine.protocol import FileFailed, Finished, Shutdown, Transcribe
from tests.engine.support import write_wav

SEQUENTIAL = DecodingSettings(beam_size=1, temperature_increment_on_fallback=None)
BATCHED = DecodingSettings(
    beam_size=1, temperature_increment_on_fallback=None, batched=True, batch_size=8
)
AHEAD = 20


class Use(NamedTuple):
    """What a process has: MB of resident memory, threads, descriptors; and the scratch files."""

    files: int
    rss: float
    threads: int
    descriptors: int
    scratch: int


def short_clips(folder: Path, kinds: int = 20) -> list[Path]:
    """Clips of 1 to 6 s out of the long demo clip."""
    sound = decode_audio(str(demo.clips()[-1]))
    chance = random.Random(1)
    paths = []
    for number in range(kinds):
        length = int(chance.uniform(1, 6) * 16000)
        start = chance.randrange(sound.size - length)
        paths.append(folder / f"clip{number}.wav")
        write_wav(paths[-1], sound[start : start + length].astype(np.float32))
    return paths


def use_of(pid: int, files: int, scratch: Path) -> Use:
    process = psutil.Process(pid)
    with process.oneshot():
        rss, threads = process.memory_info().rss / 2**20, process.num_threads()
        return Use(files, rss, threads, process.num_fds(), len(list(scratch.iterdir())))


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
        for reply in client.replies():
            if isinstance(reply, FileFailed):
                raise AssertionError(reply.failure)
            if not isinstance(reply, Finished):
                continue
            done += 1
            if done in marks:
                yield use_of(client.pid, done, scratch)
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
