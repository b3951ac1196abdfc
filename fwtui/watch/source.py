"""Changes in a folder: notifications of the system, or polling."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

TICK = 0.25  # s: how often incomplete files are checked
RESCAN = 60.0  # s: notifications can be lost, so the whole folder is scanned now and then
_SHARE = 20  # scanning takes at most 1/20 of the time
_DEBOUNCE, _STEP = 200, 50  # ms
_NETWORK = frozenset(
    "nfs nfs4 cifs smbfs smb2 smb3 ncpfs afs afpfs 9p virtiofs ceph glusterfs lustre beegfs davfs "
    "davfs2 webdav vboxsf vmhgfs drvfs prl_fs fuseblk.sshfs".split()
)

# None: scan everything; otherwise the paths that have changed, perhaps none.
Changes = set[str] | None


class NotificationsUnavailable(Exception):
    """The system gives no notifications for the folder; `str` says why."""


def notifications(folder: Path, stop: threading.Event) -> Iterator[Changes]:
    """Notifications of the system, at least every `TICK`; the first one when it is ready.

    Raises NotificationsUnavailable.
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
        raise NotificationsUnavailable(str(error)) from error


def polling(stop: threading.Event, seconds: float) -> Iterator[Changes]:
    """A full scan every so many seconds; in between, incomplete files are checked."""
    while not stop.is_set():
        began = time.monotonic()
        yield None
        again = _next(began, seconds)
        while (left := again - time.monotonic()) > 0 and not stop.wait(min(TICK, left)):
            yield set()


def _next(began: float, seconds: float) -> float:
    """When to scan again: a huge folder must not keep the disk busy all the time."""
    now = time.monotonic()
    return now + max(seconds, _SHARE * (now - began))


def is_on_network(path: Path) -> bool:
    """Whether a folder is on a network share, where other machines' changes are not notified."""
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
    """Whether a file system is a network share, by psutil's type and options."""
    name, _, options = kind.partition(" ")
    return name in _NETWORK or name.startswith("fuse.") or "remote" in options.split(",")
