"""What a first batch is told that it needs, beside the most that its engine takes (CPU).

python -m tests.benchmarks.forecast [--sizes tiny base small medium large-v3-turbo]

Random weights, stored in int8 and in float16, loaded in int8 and in float32 by a real engine, and a
window that is decoded again at temperature 1: the weights have nothing to say. Of each attempt
there are four tokens, which is enough for the most memory but the text's own.
"""

import argparse
import tempfile
from itertools import product
from pathlib import Path

import psutil

from fwtui import demo
from fwtui.core.settings import ComputeType, DecodingSettings, ModelSettings, Settings
from fwtui.engine.client import EngineClient
from fwtui.engine.protocol import FileFinished, Shutdown, Transcribe
from fwtui.memory.forecast import estimate, weights_size
from tests.benchmarks.memory_by_length import resident
from tests.benchmarks.random_model import SIZES, write_model

STORED = ("int8", "float16")
DECODING = DecodingSettings(language="en", max_new_tokens=4, temperature_increment_on_fallback=1.0)
COMPUTED: tuple[ComputeType, ...] = ("int8", "float32")


def told_and_taken(folder: Path, compute_type: ComputeType) -> tuple[float, float]:
    """MB that are forecast for this model, and the peak of an engine that has used it."""
    model = ModelSettings(model=str(folder), device="cpu", compute_type=compute_type, threads=1)
    client = EngineClient(model, lambda _: None)
    client.send(Transcribe(1, str(demo.clips()[0]), DECODING, "hash", str(folder / "sound.wav")))
    most = 0.0
    for reply in client.replies():
        if isinstance(reply, FileFinished):
            _, most = resident(psutil.Process(client.pid))
            client.send(Shutdown())
    client.wait()
    settings = Settings(model=model, decoding=DECODING)
    return estimate(settings, weights_size(model) or 0.0, "cpu").ram, most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["tiny", "base", "small"])
    arguments = parser.parse_args()
    print(f"{'model':16} {'stored':8} {'loaded':8} {'forecast MB':>12} {'used MB':>8} {'ratio':>6}")
    for name, stored in product(arguments.sizes, STORED):
        with tempfile.TemporaryDirectory() as folder:
            write_model(SIZES[name], Path(folder), stored)
            for computed in COMPUTED:
                told, taken = told_and_taken(Path(folder), computed)
                line = f"{name:16} {stored:8} {computed:8} {told:12.0f} {taken:8.0f}"
                print(f"{line} {told / taken:6.2f}", flush=True)


if __name__ == "__main__":
    main()
