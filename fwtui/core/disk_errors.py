"""What the errors of the operating system mean: one table of verdicts for all disks. Pure.

An error has a kind, whatever call met it; the kind and the area (what the disk is used for) decide
what happens: the batch waits, the file fails, or the batch cannot continue.
"""

import errno
from collections.abc import Mapping
from enum import Enum, auto

from fwtui.core.failure import Failure, FailureKind
from fwtui.core.text import printable


class DiskErrorKind(Enum):
    """The kinds of errors, by what can be done about them."""

    FULL = auto()
    LOST = auto()  # the disk failed, or the share or drive is disconnected
    READ_ONLY = auto()
    REFUSED = auto()
    MISSING = auto()
    NAME = auto()  # too long, or not possible on that disk
    EXHAUSTED = auto()  # too many open files, no memory in the kernel
    OTHER = auto()


class DiskArea(Enum):
    """What a folder is used for."""

    OUTPUT = auto()
    SCRATCH = auto()
    STATE = auto()
    CACHE = auto()  # downloads of links
    MODEL = auto()
    WATCHED = auto()
    INPUT = auto()


class DiskVerdict(Enum):
    """What an error means for the batch."""

    WAIT = auto()  # until it works again; then the batch resumes by itself
    FAIL_FILE = auto()
    CANNOT_CONTINUE = auto()  # every file would meet it: the files keep waiting, exit code 4


_NAMES = {
    DiskErrorKind.FULL: "ENOSPC EDQUOT EFBIG",
    DiskErrorKind.LOST: "EIO ESTALE ENODEV ENXIO ENOTCONN ETIMEDOUT EHOSTDOWN EHOSTUNREACH ENETDOWN"
    " ENETUNREACH ENETRESET ECONNRESET ECONNABORTED ECONNREFUSED ESHUTDOWN ENOLINK ECOMM"
    " ENOMEDIUM EREMOTEIO EUCLEAN EBADMSG",
    DiskErrorKind.READ_ONLY: "EROFS",
    DiskErrorKind.REFUSED: "EACCES EPERM",
    DiskErrorKind.MISSING: "ENOENT ENOTDIR",
    DiskErrorKind.NAME: "ENAMETOOLONG EILSEQ EINVAL ELOOP",
    DiskErrorKind.EXHAUSTED: "EMFILE ENFILE ENOMEM ENOBUFS EAGAIN ENOLCK",
}
_KINDS: Mapping[int, DiskErrorKind] = {
    getattr(errno, name): kind
    for kind, names in _NAMES.items()
    for name in names.split()
    if hasattr(errno, name)  # not every system has all of them
}
# What may be over later without anybody doing something to the file: worth waiting for.
_PASSING = (
    DiskErrorKind.FULL,
    DiskErrorKind.LOST,
    DiskErrorKind.READ_ONLY,
    DiskErrorKind.EXHAUSTED,
)
# What a kind that does not pass means: one file's name or rights, or those of all files.
_LASTING = {
    DiskArea.OUTPUT: DiskVerdict.FAIL_FILE,
    DiskArea.SCRATCH: DiskVerdict.CANNOT_CONTINUE,
    DiskArea.STATE: DiskVerdict.CANNOT_CONTINUE,
    DiskArea.CACHE: DiskVerdict.FAIL_FILE,
    DiskArea.MODEL: DiskVerdict.CANNOT_CONTINUE,
    DiskArea.WATCHED: DiskVerdict.WAIT,  # the folder is looked at again every second
    DiskArea.INPUT: DiskVerdict.FAIL_FILE,
}
# A scratch file that somebody deleted is written again by a retry.
_EXCEPTIONS = {(DiskArea.SCRATCH, DiskErrorKind.MISSING): DiskVerdict.FAIL_FILE}
VERDICTS: Mapping[DiskArea, Mapping[DiskErrorKind, DiskVerdict]] = {
    area: {
        kind: DiskVerdict.WAIT if kind in _PASSING else _EXCEPTIONS.get((area, kind), lasting)
        for kind in DiskErrorKind
    }
    for area, lasting in _LASTING.items()
}

_HINTS = {
    DiskErrorKind.FULL: "Free some space on that disk, then retry.",
    DiskErrorKind.LOST: "Its disk or network share has failed or is disconnected: reconnect it, "
    "then retry.",
    DiskErrorKind.READ_ONLY: "The disk is read-only: make it writable, or choose another folder.",
    DiskErrorKind.REFUSED: "Check the permissions of the folder.",
    DiskErrorKind.MISSING: "It was moved, renamed or deleted, or its drive is not connected.",
    DiskErrorKind.NAME: "The name is too long for that disk, or not possible there.",
    DiskErrorKind.EXHAUSTED: "Close other programs, or raise the limit on open files (ulimit -n).",
    DiskErrorKind.OTHER: "Check the disk or the network share.",
}


def errnos_of(kind: DiskErrorKind) -> frozenset[int]:
    """The error numbers of a kind that this system has."""
    return frozenset(number for number, known in _KINDS.items() if known is kind)


def kind_of(error: OSError) -> DiskErrorKind:
    """The kind of an error."""
    return _KINDS.get(error.errno or 0, DiskErrorKind.OTHER)


def verdict(area: DiskArea, error: OSError) -> DiskVerdict:
    """What the error means there."""
    return VERDICTS[area][kind_of(error)]


def may_pass(error: OSError) -> bool:
    """Whether the error may be over later, on the same disk."""
    return kind_of(error) in _PASSING


def disk_hint(error: OSError) -> str:
    """What to do about the error, for people."""
    return _HINTS[kind_of(error)]


def reason_of(error: OSError) -> str:
    """What happened, in the words of the system."""
    return error.strerror or str(error) or type(error).__name__


_READ = (DiskArea.INPUT, DiskArea.MODEL, DiskArea.WATCHED)


def disk_failure(area: DiskArea, error: OSError, place: str, doing: str = "use") -> Failure:
    """The failure for an error; `doing` as in "Cannot <doing> <path>".

    `place` (as `path_to_text`) is the file (of what is read) or the folder (of what is written)
    to try until the error is over.
    """
    named = error.filename if isinstance(error.filename, str) else ""
    where = named or place.lstrip("\0")
    what = verdict(area, error)
    if area is DiskArea.SCRATCH and kind_of(error) is DiskErrorKind.MISSING:
        return Failure(
            FailureKind.OUTPUT,
            printable(f"The decoded audio was deleted while it was needed: {where}"),
            "The recording is untouched: retry the file. Something empties the cache folder: "
            "exclude it there, or set FWTUI_CACHE_DIR to another one.",
            repr(error),
        )
    return Failure(
        _failure_kind(area, kind_of(error)),
        printable(f"Cannot {doing} {where}: {reason_of(error)}"),
        disk_hint(error),
        repr(error),
        place if what is DiskVerdict.WAIT else "",
        stops=what is DiskVerdict.CANNOT_CONTINUE,
    )


def _failure_kind(area: DiskArea, kind: DiskErrorKind) -> FailureKind:
    reads = area in _READ
    match kind:
        case _ if reads and kind in _PASSING:
            return FailureKind.INPUT_LOST
        case DiskErrorKind.FULL:
            return FailureKind.DISK_FULL
        case DiskErrorKind.REFUSED:
            return FailureKind.PERMISSION
        case DiskErrorKind.MISSING if reads:
            return FailureKind.FILE_MISSING
        case _:
            return FailureKind.OUTPUT
