"""What huge pages cost and bring, by the size of the model, on the CPU.

python -m tests.benchmarks.large_pages [--sizes tiny base small] [--windows 5] [--rounds 2]

Each model has random weights (int8) and gets windows of noise: encoder, and 40 tokens with a beam
of 5, one thread, CTranslate2 alone in a process. `small`: pages of 4 kB; `huge`: all that glibc
allocates in huge ones; `engine`: as in the engine, the model in small pages, what it works with
in huge ones. Medians of the rounds, in turns.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from fwtui.engine.client import TUNING
from tests.benchmarks.random_model import SIZES, write_model

WAYS = ("small", "huge", "engine")
SMALL = TUNING | {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"}
CHILD = """
import contextlib, ctranslate2, json, numpy as np, resource, sys, time
from pathlib import Path
from fwtui.memory.pages import small_pages

folder, windows, guarded = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "engine"
words = json.loads((Path(folder) / "vocabulary.json").read_bytes())
tokens = "<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>"
prompt = [words.index(token) for token in tokens]
with small_pages() if guarded else contextlib.nullcontext():
    model = ctranslate2.models.Whisper(folder, device="cpu", intra_threads=1)
sound = np.random.default_rng(0).standard_normal((1, 80, 3000)).astype(np.float32)

def window():
    encoded = model.encode(ctranslate2.StorageView.from_array(sound), to_cpu=False)
    model.generate(encoded, [prompt], beam_size=5, max_length=40)

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))

window()
before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
for _ in range(windows):
    window()
after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - began
print(json.dumps([status("VmRSS"), status("VmHWM"), wall / windows,
    (after.ru_stime - before.ru_stime) / windows]))
"""


class Use(NamedTuple):
    """MB after the last window and at most; seconds for a window, and the kernel's part of them."""

    rss: float
    peak: float
    wall: float
    kernel: float


def run(folder: Path, windows: int, way: str) -> Use:
    environment = SMALL if way == "small" else TUNING
    command = [sys.executable, "-c", CHILD, str(folder), str(windows), way]
    found = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | environment
    )
    return Use(*json.loads(found.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["tiny", "base", "small"])
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    print(f"{'model':16} {'pages':8} {'RSS MB':>8} {'peak MB':>8} {'s/window':>9} {'kernel s':>9}")
    for name in arguments.sizes:
        with tempfile.TemporaryDirectory() as folder:
            write_model(SIZES[name], Path(folder))
            uses: dict[str, list[Use]] = {way: [] for way in WAYS}
            for _ in range(arguments.rounds):
                for way, found in uses.items():
                    found.append(run(Path(folder), arguments.windows, way))
        for way, found in uses.items():
            use = Use(*map(statistics.median, zip(*found, strict=True)))
            line = f"{name:16} {way:8} {use.rss:8.0f} {use.peak:8.0f}"
            print(f"{line} {use.wall:9.2f} {use.kernel:9.2f}", flush=True)


if __name__ == "__main__":
    main()
