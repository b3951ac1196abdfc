"""The file of known voices, which the user has asked to keep: read with care, written privately.

A voice print is biometric: it is in this file and nowhere else. Imports nothing that is native.
"""

import contextlib
import math
import re
import struct
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from fwtui.core.disk_errors import reason_of
from fwtui.core.speakers import is_speaker_name
from fwtui.core.text import printable
from fwtui.disk.codec import UNREADABLE
from fwtui.disk.files import (
    FILES,
    PRIVATE_FILE,
    ensure_folder,
    own_error,
    read_regular,
    storage_error,
    write_atomic,
)
from fwtui.disk.lock import SessionLock
from fwtui.errors import SessionInUseError, StorageError, UsageError

FORMAT = 1
MOST_VOICES = 1000
MOST_NUMBERS = 1024  # of a vector; models of voices have 192 to 512
LARGEST = 4 << 20
"""Bytes of the file: 1000 voices of 1024 numbers are 3 MB."""
_MOST_TEXT = 255
_MODEL = re.compile("[0-9a-f]{16}")
_LENGTH = 0.02  # by which a vector of float16 may differ from unit length
_OWNER = "known voices"  # of temporary files: what a crash leaves is removed by the next write


class KnownVoice(msgspec.Struct, frozen=True):
    """What a person sounds like: a vector of unit length as float16 bytes (little-endian).

    `model`: hex digest of the model of voices that it comes from, whose file is `model_file`.
    `seconds` of speech that it was made of; `added`: when, in local time.
    """

    name: str
    model: str
    model_file: str
    vector: bytes
    seconds: float
    added: datetime


class _Content(msgspec.Struct, frozen=True):
    format: int = 0
    voices: tuple[KnownVoice, ...] = ()


def load_known_voices(path: Path) -> tuple[KnownVoice, ...]:
    """The known voices in the order in which they were added; none if there is no file.

    Raises StorageError if the file cannot be read, is a link, or is not in order in every part.
    """
    try:
        if path.is_symlink():
            raise _damaged(path, "it is a link")
        data = read_regular(path, LARGEST)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise own_error(error, path, "read") from error
    try:
        content = msgspec.json.decode(data, type=_Content)
    except UNREADABLE as error:
        raise _damaged(path, "it is not what fwtui writes") from error
    if content.format != FORMAT:
        raise _damaged(path, f"its format is {content.format}, not {FORMAT}")
    if len(content.voices) > MOST_VOICES or not all(map(_is_sound, content.voices)):
        raise _damaged(path, "a voice in it is not in order")
    if len({voice.name for voice in content.voices}) < len(content.voices):
        raise _damaged(path, "a name is in it twice")
    return content.voices


def _damaged(path: Path, why: str) -> StorageError:
    return StorageError(
        f"The known speakers in {path} cannot be used: {why}",
        "delete them, and add them again: fwtui speakers delete --all",
    )


def _is_sound(voice: KnownVoice) -> bool:
    return (
        is_speaker_name(voice.name)
        and _MODEL.fullmatch(voice.model) is not None
        and len(voice.model_file) <= _MOST_TEXT
        and printable(voice.model_file) == voice.model_file
        and 0 <= voice.seconds < math.inf
        and is_vector(voice.vector)
    )


def is_vector(data: bytes) -> bool:
    """Whether bytes are float16 numbers, not too many, of unit length together."""
    count, rest = divmod(len(data), 2)
    if rest or not 0 < count <= MOST_NUMBERS:
        return False
    length = math.sqrt(sum(number * number for number in struct.unpack(f"<{count}e", data)))
    return abs(length - 1) <= _LENGTH  # not so if it is not a number


def add_known_voice(path: Path, voice: KnownVoice) -> bool:
    """Keep a voice, in place of one of the same name; returns whether there was one.

    Raises StorageError, UsageError.
    """
    with _alone(path):
        others = [one for one in load_known_voices(path) if one.name != voice.name]
        before = len(load_known_voices(path)) > len(others)
        if len(others) >= MOST_VOICES:
            raise UsageError(
                f"{MOST_VOICES} speakers are known, which is the most",
                "delete some: fwtui speakers delete NAME",
            )
        _save(path, [*others, voice])
    return before


def delete_known_voice(path: Path, name: str) -> None:
    """Delete the voice of that name. Raises StorageError, UsageError: there is none."""
    with _alone(path):
        voices = load_known_voices(path)
        others = [one for one in voices if one.name != name]
        if len(others) == len(voices):
            raise UsageError(f"No known speaker is called {name}", "see: fwtui speakers list")
        if others:
            _save(path, others)
        else:
            _remove(path)


def delete_known_voices(path: Path) -> None:
    """Delete all voices, whatever is in the file. Raises StorageError."""
    with _alone(path):
        _remove(path)


def _remove(path: Path) -> None:
    _save(path, ())  # also removes what a crash left of an earlier write
    try:
        FILES.unlink(path)
        FILES.sync_folder(path.parent)
    except OSError as error:
        raise storage_error(error, path, "delete") from error


def _save(path: Path, voices: Iterable[KnownVoice]) -> None:
    content = _Content(FORMAT, tuple(voices))
    write_atomic(path, msgspec.json.encode(content), PRIVATE_FILE, owner=_OWNER)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else changes the file meanwhile. Raises StorageError."""
    try:
        ensure_folder(path.parent)
        lock = SessionLock.acquire(path.with_suffix(".lock"))
    except SessionInUseError as error:
        raise StorageError("Another fwtui is changing the known speakers", "try again") from error
    except OSError as error:
        raise StorageError(f"Cannot use {path.parent}: {reason_of(error)}") from error
    try:
        yield
    finally:
        lock.release(remove=True)
