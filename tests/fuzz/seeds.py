"""Small media files of many kinds, and files that are made to do harm."""

import struct
import subprocess
from pathlib import Path

from tests.audio.making import ffmpeg

# Extension, and how ffmpeg makes it; half a second each, so that ten thousand are decoded soon.
KINDS: dict[str, tuple[str, ...]] = {
    "wav": (),
    "aiff": (),
    "au": (),
    "caf": (),
    "flac": (),
    "mp3": ("-c:a", "libmp3lame"),
    "mp2": (),
    "ogg": ("-c:a", "libvorbis"),
    "opus": ("-c:a", "libopus"),
    "aac": (),
    "m4a": ("-c:a", "aac"),
    "mp4": ("-c:a", "aac", "-movflags", "+faststart"),
    "mov": ("-c:a", "pcm_s16le"),
    "mka": ("-c:a", "flac"),
    "webm": ("-c:a", "libopus"),
    "avi": ("-c:a", "mp2"),
    "asf": ("-c:a", "wmav2"),
    "ts": ("-c:a", "mp2"),
    "flv": ("-c:a", "aac"),
    "ac3": (),
    "tta": (),
    "wv": (),
    "voc": (),
    "amr": ("-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1"),
}
SOUND = ("-f", "lavfi", "-i", "sine=frequency=300:sample_rate=16000:duration=0.5")


def make_seeds(folder: Path) -> dict[str, bytes]:
    """Name and content of every seed that this ffmpeg can make."""
    seeds: dict[str, bytes] = {}
    for extension, options in KINDS.items():
        path = folder / f"seed.{extension}"
        try:
            ffmpeg(*SOUND, "-map_metadata", "-1", *options, path)
        except (OSError, ValueError, subprocess.CalledProcessError):
            continue
        seeds[path.name] = path.read_bytes()
    return seeds


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
    silence = ("-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono")
    for name, options in (
        ("silence.flac", ("-t", "900")),
        ("silence.opus", ("-t", "600", "-b:a", "500", "-frame_duration", "60")),
        ("silence.mka", ("-t", "900", "-c:a", "flac")),
    ):
        path = folder / name
        ffmpeg(*silence, *options, path)
        bombs[name] = path.read_bytes()
    return bombs
