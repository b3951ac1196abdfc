"""Whether a complete file is taken: by what is known of its path and of its content."""

import filecmp
import os
from enum import Enum, auto
from typing import NamedTuple

from fwtui.audio.identity import Identity
from fwtui.core.paths import text_to_path
from fwtui.watch.processed import Taken, TakenLedger


class Verdict(Enum):
    """What a file is."""

    NEW = auto()  # or other content than before
    TOUCHED = auto()  # the content that was taken, with another date
    RENAMED = auto()
    COPY = auto()


class Decision(NamedTuple):
    """What a file is, and the entry that it goes on from."""

    verdict: Verdict
    before: Taken | None = None


def decide(path: str, identity: Identity, ledger: TakenLedger) -> Decision:
    """Look the file at `path` (`path_to_text`) up. Reads files of the same digest.

    Content decides: a file that was taken is not taken again under another name, but one whose
    content was replaced is. Only files with the same size, beginning and end are compared whole.
    """
    before = ledger.at(path)
    if before is not None:
        same = before.known.digest == identity.digest
        return Decision(Verdict.TOUCHED, before) if same else Decision(Verdict.NEW, before)
    gone: Taken | None = None
    for other in ledger.like(identity.digest):
        if not _is_still(other):
            gone = gone or other
        elif _same_content(path, other.path):
            return Decision(Verdict.COPY, other)
    return Decision(Verdict.RENAMED, gone) if gone is not None else Decision(Verdict.NEW)


def _is_still(entry: Taken) -> bool:
    """Whether the file is there as it was."""
    try:
        status = os.stat(text_to_path(entry.path))  # noqa: PTH116
    except (OSError, ValueError):
        return False
    known = entry.known
    return (status.st_size, status.st_mtime_ns) == (known.size, known.modified)


def _same_content(one: str, other: str) -> bool:
    try:
        return filecmp.cmp(text_to_path(one), text_to_path(other), shallow=False)
    except OSError:
        return True  # it cannot be compared now: nothing is done twice
