"""Memory limits of containers and batch systems (Docker, systemd, SLURM): cgroups v1 and v2."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

_MB = 2**20
# v1 expresses "no limit" as a number near 2**63; no machine has this much memory.
_NO_LIMIT = 2**60


class CgroupMemory(msgspec.Struct, frozen=True):
    """The lowest limit for this process, and the memory available below the tightest one, in MB."""

    limit: float
    available: float


class CgroupMeter:
    """Reads the limits of this process's cgroup and of all above it."""

    def __init__(
        self, membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
    ) -> None:
        self._groups = tuple(_groups(membership, root))

    def read(self) -> CgroupMemory | None:
        """The present limits; None if there are none."""
        found = [memory for group in self._groups if (memory := group.read()) is not None]
        if not found:
            return None
        limit = min(memory.limit for memory in found)
        return CgroupMemory(limit, min(memory.available for memory in found))


class _Group(msgspec.Struct, frozen=True):
    """A cgroup with a limit file; the kernel reclaims `cache` before it kills anything."""

    folder: Path
    limits: tuple[str, ...]
    usage: str
    cache: str

    def read(self) -> CgroupMemory | None:
        numbers = [_number(self.folder / name) for name in self.limits]
        limits = [number for number in numbers if number is not None and number < _NO_LIMIT]
        if not limits:
            return None
        used = (_number(self.folder / self.usage) or 0) - _stat(self.folder, self.cache)
        return CgroupMemory(min(limits) / _MB, max(0.0, (min(limits) - max(0, used)) / _MB))


def _groups(membership: Path, root: Path) -> Iterator[_Group]:
    try:
        lines = membership.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        number, controllers, path = (*line.split(":", 2), "", "")[:3]
        if number == "0" and not controllers:
            for folder in _upwards(root, path):
                yield _Group(
                    folder, ("memory.max", "memory.high"), "memory.current", "inactive_file"
                )
        elif "memory" in controllers.split(","):
            for folder in _upwards(root / "memory", path):
                yield _Group(
                    folder,
                    ("memory.limit_in_bytes",),
                    "memory.usage_in_bytes",
                    "total_inactive_file",
                )


def _upwards(root: Path, path: str) -> Iterator[Path]:
    """The group's folder and those above it.

    A container sees its own group as the root of the tree, though its path may be the host's.
    """
    folder = root / path.strip("/")
    while ".." not in folder.parts and folder != root and root in folder.parents:
        if folder.is_dir():
            yield folder
        folder = folder.parent
    if root.is_dir():
        yield root


def _number(file: Path) -> int | None:
    """The number in a file; None if it has none ("max"), or if there is no file."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def _stat(folder: Path, key: str) -> int:
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{key} ")), 0)
