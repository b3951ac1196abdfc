"""How often the kernel killed for lack of memory: its counters, of cgroups and of the machine.

A process that was killed with signal 9 was killed by the kernel only if one of them went up.
"""

from pathlib import Path

_VMSTAT = Path("/proc/vmstat")
_V2, _V1 = "memory.events", "memory.oom_control"


class OomCounters:
    """Compares the counters with what they were; all files and folders may be missing."""

    def __init__(
        self,
        membership: Path = Path("/proc/self/cgroup"),
        root: Path = Path("/sys/fs/cgroup"),
        vmstat: Path = _VMSTAT,
    ) -> None:
        self._files = (vmstat, *_of_groups(membership, root))
        self._before = self._read()

    def restart(self) -> None:
        """Compare with the present counters from now on."""
        self._before = self._read()

    def has_killed(self) -> bool | None:
        """Whether the kernel has killed since; None if there is no counter."""
        now = self._read()
        known = now.keys() & self._before.keys()
        if not known:
            return None
        return any(now[name] > self._before[name] for name in known)

    def _read(self) -> dict[Path, int]:
        found = {path: _kills(path) for path in self._files}
        return {path: count for path, count in found.items() if count is not None}


def _of_groups(membership: Path, root: Path) -> tuple[Path, ...]:
    """The event files of this process's groups, and of those that a container sees as its own."""
    try:
        lines = membership.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    files = [root / _V2, root / "memory" / _V1]
    for line in lines:
        number, controllers, path = (*line.split(":", 2), "", "")[:3]
        own = path.strip("/")
        if ".." in Path(own).parts:
            continue
        if number == "0" and not controllers:
            files.append(root / own / _V2)
        elif "memory" in controllers.split(","):
            files.append(root / "memory" / own / _V1)
    return tuple(dict.fromkeys(files))


def _kills(path: Path) -> int | None:
    """The number of kills in a file of counters; None if it does not say."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    counts = [line.split() for line in lines]
    values = [pair[1] for pair in counts if len(pair) == 2 and pair[0] == "oom_kill"]
    return int(values[0]) if values and values[0].isdigit() else None
