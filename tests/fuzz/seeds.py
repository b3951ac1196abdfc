"""Small media files of many kinds, and files that are made to do harm."""

import shutil
import struct
from dataclasses import replace
from pathlib import Path

from tests.audio.encoding import (
    AAC,
    FLAC,
    MP2,
    MP3,
    OPUS,
    VORBIS,
    WAV,
    Sound,
    silence,
    tone,
    write_media,
)

# Extension, and how its sound is encoded; half a second each: ten thousand are decoded soon.
KINDS = {
    "wav": WAV,
    "aiff": Sound("pcm_s16be"),
    "au": Sound("pcm_s16be"),
    "caf": Sound("pcm_s16be"),
    "flac": FLAC,
    "mp3": MP3,
    "mp2": MP2,
    "ogg": VORBIS,
    "opus": OPUS,
    "aac": AAC,
    "m4a": AAC,
    "mp4": AAC,
    "mov": WAV,
    "mka": FLAC,
    "webm": OPUS,
    "avi": MP2,
    "asf": Sound("wmav2", bit_rate=64_000),
    "ts": MP2,
    "flv": replace(AAC, rate=44_100),
    "ac3": Sound("ac3", rate=48_000, bit_rate=96_000),
    "tta": Sound("tta"),
    "wv": Sound("wavpack"),
    "voc": Sound("pcm_u8"),
}
# PyAV 19 cannot encode AMR, only decode it.
READY_MADE = (Path(__file__).parent / "seed.amr",)


def make_seeds(folder: Path) -> dict[str, bytes]:
    """Name and content of every seed."""
    for extension, sound in KINDS.items():
        index_first = {"movflags": "+faststart"} if extension == "mp4" else None
        write_media(folder / f"seed.{extension}", tone(0.5), sound, options=index_first)
    for path in READY_MADE:
        shutil.copy(path, folder)
    return {path.name: path.read_bytes() for path in sorted(folder.glob("seed.*"))}


def wav(rate: int, channels: int, bits: int, sound: bytes, claimed: int | None = None) -> bytes:
    """A WAV that may claim anything."""
    block = channels * bits // 8
    size = len(sound) if claimed is None else claimed
    head = struct.pack(
        "<HHIIHH", 1, channels, rate, rate * block & 0xFFFF_FFFF, block & 0xFFFF, bits
    )
    body = b"fmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", size) + sound
    return b"RIFF" + struct.pack("<I", min(len(body) + 4, 0xFFFF_FFFF)) + b"WAVE" + body


def hostile(folder: Path) -> dict[str, bytes]:
    """Files that are wrong on purpose, by the name of what is wrong with them."""
    noise = bytes(range(256)) * 40
    bombs = {
        "no-rate.wav": wav(0, 1, 16, noise),
        "thousand-channels.wav": wav(16_000, 1000, 16, noise),
        "all-channels.wav": wav(16_000, 65_535, 16, noise),
        "no-channels.wav": wav(16_000, 0, 16, noise),
        "no-bits.wav": wav(16_000, 1, 0, noise),
        "one-hertz.wav": wav(1, 1, 8, noise),  # nearly three hours in ten kilobytes
        "fast.wav": wav(4_000_000_000, 1, 16, noise),
        "claims-much.wav": wav(16_000, 1, 16, noise, 0xFFFF_FFFE),
    }
    slow = replace(OPUS, bit_rate=500, options={"frame_duration": "60"})
    for name, minutes, sound in (
        ("silence.flac", 15, FLAC),
        ("silence.opus", 10, slow),
        ("silence.mka", 15, FLAC),
    ):
        path = folder / name
        write_media(path, silence(60 * minutes), sound)
        bombs[name] = path.read_bytes()
    return bombs
