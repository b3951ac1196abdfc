"""What has changed in a folder: told by the system, or found out by looking time and again."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

TICK = 0.25  # s: how often files that are not complete yet are looked at
RESCAN = 60.0  # s: events can be lost, so the whole folder is looked at now and then
_SHARE = 20  # looking takes at most one part of so many
_DEBOUNCE, _STEP = 200, 50  # ms
_NETWORK = frozenset(
    "nfs nfs4 cifs smbfs smb2 smb3 ncpfs afs afpfs 9p virtiofs ceph glusterfs lustre beegfs davfs "
    "davfs2 webdav vboxsf vmhgfs drvfs prl_fs fuseblk.sshfs".split()
)

# None: look at everything; else the paths that something has happened to, perhaps none.
Hint = set[str] | None


class CannotTell(Exception):
    """The system does not tell what happens in the folder; `str` says why."""


def told(folder: Path, stop: threading.Event) -> Iterator[Hint]:
    """What the system tells, at least every `TICK`; the first hint comes when it listens.

    Raises CannotTell.
    """
    from watchfiles import watch

    again = 0.0
    try:
        for changes in watch(
            folder,
            watch_filter=None,
            debounce=_DEBOUNCE,
            step=_STEP,
            stop_event=stop,
            rust_timeout=int(TICK * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
            force_polling=False,
            ignore_permission_denied=True,
        ):
            if (began := time.monotonic()) >= again:
                yield None
                again = _next(began, RESCAN)
            else:
                yield {path for _, path in changes}
    except (OSError, RuntimeError) as error:  # RuntimeError: what the library's core raises
        raise CannotTell(str(error)) from error


def polled(stop: threading.Event, seconds: float) -> Iterator[Hint]:
    """Everything every so many seconds, and in between those that are not complete yet."""
    while not stop.is_set():
        began = time.monotonic()
        yield None
        again = _next(began, seconds)
        while (left := again - time.monotonic()) > 0 and not stop.wait(min(TICK, left)):
            yield set()


def _next(began: float, seconds: float) -> float:
    """When to look at everything again: a huge folder must not keep the disk busy all the time."""
    now = time.monotonic()
    return now + max(seconds, _SHARE * (now - began))


def is_on_network(path: Path) -> bool:
    """Whether a folder is on a share, where changes by other machines are not told. Blocks."""
    import psutil

    real = os.path.realpath(path)
    if sys.platform == "win32" and real.startswith("\\\\"):
        return True
    found, kind = "", ""
    for mount in psutil.disk_partitions(all=True):
        point = mount.mountpoint
        inside = real == point or real.startswith(point.rstrip(os.sep) + os.sep)
        if inside and len(point) >= len(found):
            found, kind = point, f"{mount.fstype} {mount.opts}".lower()
    return is_network_kind(kind)


def is_network_kind(kind: str) -> bool:
    """Whether a file system is a share, by its type and options, as psutil gives them."""
    name, _, options = kind.partition(" ")
    return name in _NETWORK or name.startswith("fuse.") or "remote" in options.split(",")
