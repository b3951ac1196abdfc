"""Which files are open for writing, where the system tells (Linux: programs of the same user)."""

import os
import sys
from collections.abc import Iterable

from fwtui.core.paths import text_to_path

_PROC = text_to_path("/proc")


def being_written(paths: Iterable[str]) -> set[str]:
    """Those of the files that some program has open for writing. Never raises."""
    wanted: dict[str, str] = {os.path.realpath(path): path for path in paths}
    if not wanted or sys.platform != "linux":
        return set()
    return {wanted[real] for real in _open_for_writing(wanted)}


def _open_for_writing(wanted: dict[str, str]) -> Iterable[str]:
    try:
        processes = [entry.path for entry in os.scandir(_PROC) if entry.name.isdecimal()]
    except OSError:
        return
    for process in processes:
        try:
            numbers = os.listdir(f"{process}/fd")  # noqa: PTH208 - thousands of strings
        except OSError:
            continue  # it has ended, or is another user's
        for number in numbers:
            try:
                real = os.readlink(f"{process}/fd/{number}")  # noqa: PTH115
            except OSError:
                continue
            if real in wanted and _writes(process, number):
                yield real


def _writes(process: str, number: str) -> bool:
    try:
        with open(f"{process}/fdinfo/{number}", encoding="ascii") as file:  # noqa: PTH123
            for line in file:
                if line.startswith("flags:"):
                    return int(line.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
    except (OSError, ValueError):
        return False
    return False
