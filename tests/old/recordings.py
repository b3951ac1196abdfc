"""Recordings with the same bytes and the same date wherever they are made, from embedded clips.

Imports nothing of fwtui: what an old session says of a recording must not depend on today's code.
"""

import os
import wave
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import av

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "fwtui"
MINUTE = REPOSITORY / "tests" / "data" / "english-minute.flac"
RATE = 16_000
DATE_NS = 1_793_534_400_000_000_000  # 2026-11-01 12:00:00 UTC
BROKEN = b"This is no recording.\n" * 100

# Clips that are joined to one WAV; a single name is a copy of the clip.
_JOINED: Mapping[str, tuple[str, ...]] = {
    "long": ("minute", "weekdays", "short", "weekdays", "short"),
    "talk": ("weekdays", "short"),
}
_CLIPS = {"short": "english-short", "weekdays": "english-weekdays", "german": "german-short"}


def make(recipe: str, path: Path) -> None:
    """Write the recording of this recipe."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if recipe == "broken":
        path.write_bytes(BROKEN)
    elif recipe in _JOINED:
        _join(_JOINED[recipe], path)
    else:
        path.write_bytes(_clip(recipe).read_bytes())
    os.utime(path, ns=(DATE_NS, DATE_NS))


def model_folder() -> Path:
    """The folder of the embedded model, wherever in the package it is."""
    return next(PACKAGE.rglob("model.bin")).parent


def put_model(cache: Path) -> None:
    """Let the embedded model be the hub's `tiny` in this cache."""
    home = cache / "models--Systran--faster-whisper-tiny"
    (home / "snapshots").mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("demo")
    (home / "snapshots" / "demo").symlink_to(model_folder())


def _clip(name: str) -> Path:
    return MINUTE if name == "minute" else next(PACKAGE.rglob(f"{_CLIPS[name]}.flac"))


def _join(names: tuple[str, ...], path: Path) -> None:
    with wave.open(str(path), "wb") as joined:
        joined.setnchannels(1)
        joined.setsampwidth(2)
        joined.setframerate(RATE)
        for name in names:
            joined.writeframes(_samples(_clip(name)))


@cache
def _samples(clip: Path) -> bytes:
    """The samples of a FLAC of 16 kHz, mono, 16 bits: no decoder may have them otherwise."""
    with av.open(str(clip)) as container:
        return b"".join(frame.to_ndarray().tobytes() for frame in container.decode(audio=0))
