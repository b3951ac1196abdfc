"""Every error of the system has a kind, a verdict for every area, and words."""

import errno
import os

import pytest

from fwtui.core.disk_errors import (
    VERDICTS,
    DiskArea,
    DiskErrorKind,
    DiskVerdict,
    disk_failure,
    kind_of,
    may_pass,
    verdict,
)
from fwtui.core.failure import FailureKind

KINDS = {
    DiskErrorKind.FULL: "ENOSPC EDQUOT EFBIG",
    DiskErrorKind.LOST: "EIO ESTALE ENOTCONN ENODEV ENXIO ETIMEDOUT EHOSTDOWN EHOSTUNREACH",
    DiskErrorKind.READ_ONLY: "EROFS",
    DiskErrorKind.REFUSED: "EACCES EPERM",
    DiskErrorKind.MISSING: "ENOENT ENOTDIR",
    DiskErrorKind.NAME: "ENAMETOOLONG ELOOP",
    DiskErrorKind.EXHAUSTED: "EMFILE ENFILE ENOMEM",
    DiskErrorKind.OTHER: "EBADF EXDEV EISDIR",
}
NAMED = {name: kind for kind, names in KINDS.items() for name in names.split()}


def os_error(number: int, path: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), path)


@pytest.mark.parametrize(("name", "kind"), NAMED.items())
def test_kinds(name: str, kind: DiskErrorKind) -> None:
    if (number := getattr(errno, name, None)) is not None:
        assert kind_of(os_error(number)) is kind


def test_an_error_without_a_number_has_a_kind() -> None:
    assert kind_of(OSError("odd")) is DiskErrorKind.OTHER


@pytest.mark.parametrize("area", DiskArea)
def test_each_error_of_this_system_everywhere(area: DiskArea) -> None:
    """A verdict, in words; a place to try again exactly where the batch waits."""
    for number in errno.errorcode:
        check(number, area)


def check(number: int, area: DiskArea) -> None:
    error = os_error(number, "/media/x/a\x1b.wav")
    failure = disk_failure(area, error, "/media/x")
    what = verdict(area, error)
    if (area, kind_of(error)) != (DiskArea.SCRATCH, DiskErrorKind.MISSING):
        assert failure.title == f"Cannot use /media/x/a\\x1b.wav: {os.strerror(number)}"
    assert "/media/x/a\\x1b.wav" in failure.title
    assert failure.hint.endswith(".")
    assert (failure.place, failure.stops) == {
        DiskVerdict.WAIT: ("/media/x", False),
        DiskVerdict.FAIL_FILE: ("", False),
        DiskVerdict.CANNOT_CONTINUE: ("", True),
    }[what]
    assert failure.kind is not FailureKind.INTERNAL  # nothing of this is a bug


def test_the_table() -> None:
    """What may pass is waited for, everywhere; the rest is about one file, or about all."""
    letters = {DiskVerdict.WAIT: "w", DiskVerdict.FAIL_FILE: "f", DiskVerdict.CANNOT_CONTINUE: "c"}
    rows = {
        area.name: "".join(letters[VERDICTS[area][kind]] for kind in DiskErrorKind)
        for area in DiskArea
    }
    # full, lost, read-only, refused, missing, name, exhausted, other
    assert rows == {
        "OUTPUT": "wwwfffwf",
        "SCRATCH": "wwwcfcwc",
        "STATE": "wwwcccwc",
        "CACHE": "wwwfffwf",
        "MODEL": "wwwcccwc",
        "WATCHED": "wwwwwwww",
        "INPUT": "wwwfffwf",
    }


def test_waiting_is_for_what_may_pass() -> None:
    for error in map(os_error, errno.errorcode):
        waits = [area for area in DiskArea if verdict(area, error) is DiskVerdict.WAIT]
        assert waits == (list(DiskArea) if may_pass(error) else [DiskArea.WATCHED])
