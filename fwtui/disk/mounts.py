"""Mount points: whether the drive or share that a folder was on is still there."""

import os
from collections.abc import Collection
from pathlib import Path


def mount_points() -> frozenset[str]:
    """All folders on which something is mounted now; asks no disk, so that none can hang."""
    import psutil

    return frozenset(one.mountpoint for one in psutil.disk_partitions(all=True))


def mount_of(folder: Path, points: Collection[str]) -> str:
    """The mount point, of these, that a folder is on; empty if it is on the system's own disk.

    The folder need not exist. Symbolic links are followed.
    """
    real = os.path.realpath(folder)
    own = Path(real).anchor
    inside = [point for point in points if point != own and _is_below(real, point)]
    return max(inside, key=len, default="")


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
