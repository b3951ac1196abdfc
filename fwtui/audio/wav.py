"""The scratch WAV: 16 kHz 16-bit PCM, written once from front to back.

Mono, but for a recording whose channels are transcribed one by one.
"""

import contextlib
import hashlib
import os
import shutil
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from fwtui.core.disk_errors import DiskErrorKind, disk_hint, kind_of, may_pass, reason_of
from fwtui.core.paths import path_to_text
from fwtui.core.text import valid_unicode
from fwtui.errors import DiskFullError, ScratchChangedError, StorageError

SAMPLE_RATE = 16000
SAMPLE_BYTES = 2
_MAX_RIFF = 0xFFFF_FFFF
_DS64_BYTES = 28
HEADER_BYTES = 12 + 8 + _DS64_BYTES + 8 + 16 + 8
_SILENCE_BLOCK = 1 << 16  # samples
# Recordings are private, also in the cache folder.
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)


# What is read back is compared in blocks of this size.
CHECK_BYTES = 1 << 16


class SampleChecks(NamedTuple):
    """What the samples of a scratch WAV must be: how many, and a checksum for each block.

    Four bytes for every two seconds: 72 KB for ten hours.
    """

    samples: int
    sums: bytes

    def agrees(self, block: int, data: bytes | memoryview) -> bool:
        """Whether a block has the checksum that it had when it was written."""
        return bool(self.sums[4 * block : 4 * block + 4] == _checksum(zlib.crc32(data)))


def _checksum(value: int) -> bytes:
    return value.to_bytes(4, "little")


class TooLong(Exception):
    """There is more audio than may be written."""


class WavWriter:
    """Writes samples; as a context manager, completes the file or deletes it on any error.

    Of several `channels`, there are as many samples at each moment, one after the other; `samples`
    counts them once. Raises DiskFullError (naming the folder and `needed` bytes), StorageError, and
    TooLong when there is more audio than `limit` bytes (0: no limit).
    """

    def __init__(self, path: Path, needed: int = 0, limit: int = 0, channels: int = 1) -> None:
        self._path = path
        self._channels = channels
        self._bytes = channels * SAMPLE_BYTES
        self._needed = needed
        self._limit = limit
        self.samples = 0
        self._digest = hashlib.blake2b(digest_size=16)
        self._sums = bytearray()
        self._sum = 0
        with self._errors():
            self._file: BinaryIO = os.fdopen(os.open(path, _CREATE, 0o600), "wb")

    def __enter__(self) -> Self:
        try:
            self._write(wav_header(0, self._channels))
        except StorageError:
            self._discard()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            with self._errors():
                self._file.seek(0)
                self._file.write(wav_header(self.samples * self._bytes, self._channels))
                self._file.close()
        except StorageError:
            self._discard()
            raise

    def write(self, samples: npt.NDArray[np.int16]) -> None:
        """Append samples: an array, or one for each channel."""
        data = np.ascontiguousarray(samples.T, dtype="<i2").reshape(-1).data
        count = samples.shape[-1]
        if self._limit and (self.samples + count) * self._bytes > self._limit:
            raise TooLong
        self._write(data)
        self._digest.update(data)
        self._check(data.cast("B"), self.samples * self._bytes)
        self.samples += count

    def _check(self, data: memoryview, at: int) -> None:
        """Add data that begins at byte `at` to the checksums of its blocks."""
        while data:
            room = CHECK_BYTES - at % CHECK_BYTES
            self._sum = zlib.crc32(data[:room], self._sum)
            if len(data) >= room:
                self._sums += _checksum(self._sum)
                self._sum = 0
            at, data = at + room, data[room:]

    @property
    def checks(self) -> SampleChecks:
        """What the samples written so far must be when they are read."""
        rest = self.samples * self._bytes % CHECK_BYTES
        return SampleChecks(
            self.samples, bytes(self._sums) + (_checksum(self._sum) if rest else b"")
        )

    @property
    def digest(self) -> str:
        """Hex digest of the samples written so far."""
        return self._digest.hexdigest()

    def write_silence(self, count: int) -> None:
        """Append `count` samples of silence, in blocks."""
        zeros = np.zeros((self._channels, min(count, _SILENCE_BLOCK)), np.int16)
        for done in range(0, count, _SILENCE_BLOCK):
            self.write(zeros[:, : count - done])

    def _write(self, data: bytes | memoryview) -> None:
        with self._errors():
            self._file.write(data)

    def _discard(self) -> None:
        # Closing flushes, which fails again on a full disk; the file is going away anyhow.
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            folder = valid_unicode(str(self._path.parent))
            if kind_of(error) is DiskErrorKind.FULL:
                needed = max(self._needed, HEADER_BYTES + self.samples * self._bytes)
                raise _no_room(self._path.parent, needed) from error
            raise StorageError(
                f"Cannot write decoded audio to {folder}: {reason_of(error)}",
                disk_hint(error),
                place=path_to_text(self._path.parent) if may_pass(error) else "",
            ) from error


def check_room(folder: Path, needed: int) -> None:
    """Raise DiskFullError if the folder has no room for `needed` bytes."""
    with contextlib.suppress(OSError):  # a file system that does not report it
        if shutil.disk_usage(folder).free < needed:
            raise _no_room(folder, needed)


def _no_room(folder: Path, needed: int) -> DiskFullError:
    return DiskFullError(
        f"No room left in {valid_unicode(str(folder))}",
        f"{needed / 2**20:.0f} MB are needed there for the decoded audio: "
        "free some space or set another cache folder.",
        place=path_to_text(folder),
        needed=needed,
    )


def wav_header(data_bytes: int, channels: int = 1) -> bytes:
    """A WAV header of exactly `HEADER_BYTES` bytes; RF64 if the audio is too long for RIFF."""
    riff = HEADER_BYTES - 8 + data_bytes
    is_long = riff > _MAX_RIFF
    frame = channels * SAMPLE_BYTES
    samples = data_bytes // frame
    ds64 = struct.pack("<QQQL", riff, data_bytes, samples, 0) if is_long else bytes(_DS64_BYTES)
    return b"".join(
        (
            struct.pack("<4sL4s", b"RF64" if is_long else b"RIFF", min(riff, _MAX_RIFF), b"WAVE"),
            struct.pack("<4sL", b"ds64" if is_long else b"JUNK", _DS64_BYTES),
            ds64,
            struct.pack("<4sLHHLLHH", b"fmt ", 16, 1, channels, SAMPLE_RATE, SAMPLE_RATE * frame,
                        frame, 8 * SAMPLE_BYTES),
            struct.pack("<4sL", b"data", _MAX_RIFF if is_long else data_bytes),
        )
    )  # fmt: skip


class WavData(NamedTuple):
    """Byte offset and number of the samples in a WAV file, and how many channels have so many."""

    offset: int
    samples: int
    channels: int = 1


def find_samples(file: BinaryIO, size: int) -> WavData:
    """Find the samples in a WAV of `size` bytes. Raises StorageError for another kind of WAV."""
    head = file.read(12)
    if len(head) < 12 or head[:4] not in {b"RIFF", b"RF64"} or head[8:] != b"WAVE":
        raise _not_scratch()
    channels = 0
    while len(head := file.read(8)) == 8:
        name, length = struct.unpack("<4sL", head)
        if name == b"data":
            rest = size - file.tell()
            length = rest if length == _MAX_RIFF else min(length, rest)
            if not channels:
                break
            return WavData(file.tell(), length // (SAMPLE_BYTES * channels), channels)
        body = file.read(length + length % 2)
        if name == b"fmt ":
            channels = _channels(body)
    raise _not_scratch()


def _channels(fmt: bytes) -> int:
    """How many channels there are; 0 if it is another kind of WAV."""
    if len(fmt) < 16:
        return 0
    kind, channels, rate, _, _, bits = struct.unpack("<HHLLHH", fmt[:16])
    return int(channels) if (kind, rate, bits) == (1, SAMPLE_RATE, 8 * SAMPLE_BYTES) else 0


def _not_scratch() -> ScratchChangedError:
    return scratch_changed("it is no 16 kHz 16-bit WAV")


def scratch_changed(what: str) -> ScratchChangedError:
    """The error for a scratch file that is not what was written; `what` is wrong with it."""
    return ScratchChangedError(
        f"The decoded audio was changed while it was needed: {what}",
        "The recording is untouched, and is decoded again. Something changes files in the cache "
        "folder: exclude it there, or set FWTUI_CACHE_DIR to another one.",
    )
