"""File identity: recognises a file that has changed. Cheap for files of any size."""

import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

_EDGE = 64 * 1024  # bytes


class Identity(NamedTuple):
    """Digest over the edges of a file, size in bytes, and time of change in ns.

    Size and time are None in records of earlier versions.
    """

    digest: str
    size: int | None = None
    modified: int | None = None

    def __str__(self) -> str:
        """The form that the journal keeps."""
        return f"{self.digest} {self.size} {self.modified}"

    @staticmethod
    def parse(text: str) -> "Identity":
        """Parse the result of `str`; anything else is the identity of no file."""
        digest, *numbers = text.split(" ")
        try:
            size, modified = (int(number) for number in numbers)
        except ValueError:
            return Identity(digest)
        return Identity(digest, size, modified)


def identify(path: Path) -> Identity:
    """Size, time of change, and a digest of size, first and last 64 KiB. Raises OSError."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        size = file.seek(0, os.SEEK_END)
        found = hashlib.blake2b(str(size).encode(), digest_size=16)
        file.seek(0)
        found.update(file.read(_EDGE))
        file.seek(max(0, size - _EDGE))
        found.update(file.read(_EDGE))
    return Identity(found.hexdigest(), size, status.st_mtime_ns)


def difference(before: Identity, after: Identity) -> str:
    """What has changed in the file, for people; empty if nothing has."""
    if before.digest == after.digest:
        if None in {before.modified, after.modified} or before.modified == after.modified:
            return ""
        return f"it was modified at {_moment(after)}"
    if before.size is None or after.size is None or before.size == after.size:
        return "it was replaced"
    verb = "grew" if after.size > before.size else "shrank"
    return f"it {verb} from {before.size:,} to {after.size:,} bytes"


def _moment(identity: Identity) -> str:
    return f"{datetime.fromtimestamp((identity.modified or 0) / 1e9):%Y-%m-%d %H:%M:%S}"


def change_since(path: Path, fingerprint: str) -> str:
    """What has changed in the file at `path`; empty if it cannot be read."""
    try:
        return difference(Identity.parse(fingerprint), identify(path))
    except OSError:
        return ""
