"""Puts files through probe and decode, as the engine's prepare thread does, with limits.

`python -m tests.fuzz.worker MEMORY_MB SCRATCH_BYTES SCRATCH_WAV`: one path a line on stdin, one
JSON verdict a line on stdout.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

from fwtui.audio.decode import DecodeOptions, decode_to_wav
from fwtui.audio.media import probe
from fwtui.core.channels import MIX, SPLIT
from fwtui.engine.classify import classify_exception
from fwtui.engine.prepare import read_unchanged
from fwtui.errors import FwtuiError
from fwtui.memory.cleanup import peak_rss

CHANNELS = (MIX, "right", SPLIT)


def verdict(path: Path, wav: Path, limit: int) -> dict[str, object]:
    """What became of the file: `decoded`, `refused` with its failure, or `wrong`."""
    began = time.process_time()
    # All ways with channels, by the name of the file, so that it is the same the next time.
    channel = CHANNELS[len(path.name) % len(CHANNELS)]
    options = DecodeOptions(limit, channel=channel, measure=channel == MIX)
    try:
        probe(path)
        decoded = read_unchanged(
            path,
            lambda: decode_to_wav(path, wav, lambda _: None, lambda: False, options),
        )[1]
        found: dict[str, object] = {"is": "decoded", "samples": decoded.samples}
    except (FwtuiError, MemoryError) as error:
        failure = classify_exception(error)
        found = {"is": "refused", "kind": failure.kind.value, "title": failure.title}
    except Exception as error:  # noqa: BLE001  what must not be
        found = {"is": "wrong", "title": f"{type(error).__name__}: {error}"}
    size = wav.stat().st_size if wav.exists() else 0
    wav.unlink(missing_ok=True)
    return {**found, "cpu": time.process_time() - began, "scratch": size}


def main() -> None:
    memory, limit, wav = int(sys.argv[1]) << 20, int(sys.argv[2]), Path(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # FFmpeg has much to say about such files, in its own words.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    for line in sys.stdin:
        found = verdict(Path(line.rstrip("\n")), wav, limit)
        out.write(json.dumps({**found, "peak_kb": peak_rss() * 1024}) + "\n")


if __name__ == "__main__":
    main()
