"""The sessions that the user does not want to be offered at a start."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from fwtui.disk.files import PRIVATE_FILE, read_regular, write_atomic

_LARGEST = 1 << 20  # bytes


def hidden_sessions(file: Path) -> frozenset[str]:
    """Their ids. A file that is missing or cannot be read hides nothing."""
    try:
        return frozenset(msgspec.json.decode(read_regular(file, _LARGEST), type=list[str]))
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return frozenset()


def hide_sessions(file: Path, ids: Iterable[str], *, hidden: bool, known: Iterable[str]) -> None:
    """Add ids to the file, or remove them; of the others, those of `known` sessions are kept.

    Raises StorageError.
    """
    before = hidden_sessions(file)
    after = before | set(ids) if hidden else before - set(ids)
    after &= set(known)
    if after != before:
        write_atomic(file, [msgspec.json.encode(sorted(after))], PRIVATE_FILE)
