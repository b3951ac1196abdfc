"""How the panes of the main screen are arranged: what is hidden, how large what is shown is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from fwtui.disk.files import (
    PRIVATE_FILE,
    ensure_folder,
    read_regular,
    storage_error,
    write_atomic,
)

QUEUE = "queue"
SIDES = ("transcript", "log", "memory")
PANES = (QUEUE, *SIDES)
# A pane with its border and something in it.
SMALLEST_WIDTH = 24  # cells
SMALLEST_HEIGHT = 5  # lines; without a frame at its sides and bottom one less
COLUMN_STEP = 4  # cells
ROW_STEP = 1  # line
_LARGEST = 1 << 16  # bytes
_VERSION = 1


class Arrangement(msgspec.Struct, frozen=True):
    """What is shown of the panes, and the shares that the user has given to them.

    `hidden`: of two columns; `side`: the pane that is shown where there is room for one beside the
    queue, or none; `zoomed`: the only pane, if there is one. The shares, between 0 and 1, are those
    of the left column, of the upper row, and of the queue above another pane; None: the usual ones.
    """

    hidden: frozenset[str] = frozenset()
    side: str = "transcript"
    zoomed: str = ""
    column: float | None = None
    row: float | None = None
    stack: float | None = None

    def shows(self, pane: str, *, narrow: bool) -> bool:
        """Whether a pane is on the screen."""
        if self.zoomed:
            return pane == self.zoomed
        if pane == QUEUE:
            return True
        return pane == self.side if narrow else pane not in self.hidden

    def panes(self, *, narrow: bool) -> list[str]:
        """The panes on the screen."""
        return [pane for pane in PANES if self.shows(pane, narrow=narrow)]


DEFAULT = Arrangement()


class Preset(NamedTuple):
    """An arrangement with a name; sizes stay as they are."""

    title: str
    hidden: frozenset[str]
    side: str
    zoomed: str = ""

    def of(self, arrangement: Arrangement) -> Arrangement:
        """The arrangement with what this preset shows."""
        return replace(arrangement, hidden=self.hidden, side=self.side, zoomed=self.zoomed)


PRESETS = (
    Preset("all panes", frozenset(), "transcript"),
    Preset("queue and transcript", frozenset({"log", "memory"}), "transcript"),
    Preset("queue and log", frozenset({"transcript", "memory"}), "log"),
    Preset("queue only", frozenset(SIDES), ""),
    Preset("transcript only", frozenset(), "transcript", "transcript"),
)


def next_preset(arrangement: Arrangement, step: int, *, narrow: bool) -> Preset:
    """The preset after (`step` 1) or before (-1) what is shown; each looks different."""
    looks: dict[tuple[str, ...], Preset] = {}
    for preset in PRESETS:
        looks.setdefault(tuple(preset.of(DEFAULT).panes(narrow=narrow)), preset)
    shown = tuple(arrangement.panes(narrow=narrow))
    order = list(looks)
    at = order.index(shown) if shown in looks else (-1 if step > 0 else 0)
    return looks[order[(at + step) % len(order)]]


def cells_of(share: float, cells: int, smallest: int) -> int:
    """The cells of a share, so that it and the rest have at least the smallest size.

    If there is no room for both, half of it.
    """
    if cells < 2 * smallest:
        return cells // 2
    return max(smallest, min(round(share * cells), cells - smallest))


# The file.


def _is_share(value: object) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool) and 0 < value < 1


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "side": lambda value: value in {*SIDES, ""},
    "zoomed": lambda value: value in {*PANES, ""},
    "column": _is_share,
    "row": _is_share,
    "stack": _is_share,
}


class ArrangementFile:
    """Where the arrangement is remembered: a JSON object.

    What cannot be read, and what another version wrote in another way, is as usual; fields that
    this version does not know are kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: dict[str, Any] = {}

    def load(self) -> Arrangement:
        """The arrangement as it was left; never raises for what the file is."""
        try:
            found = msgspec.json.decode(read_regular(self.path, _LARGEST))
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return DEFAULT
        if not isinstance(found, dict):
            return DEFAULT
        self._kept = found
        good = {name: found[name] for name, check in _CHECKS.items() if _passes(check, found, name)}
        hidden = found.get("hidden")
        if isinstance(hidden, list):
            good["hidden"] = frozenset(pane for pane in SIDES if pane in hidden)
        return Arrangement(**good)

    def save(self, arrangement: Arrangement) -> None:
        """Remember the arrangement. Raises StorageError."""
        fields = {**self._kept, "version": _VERSION, **msgspec.structs.asdict(arrangement)}
        before = self._kept.get("hidden")
        unknown = [pane for pane in before if pane not in SIDES] if isinstance(before, list) else []
        fields["hidden"] = [*(pane for pane in SIDES if pane in arrangement.hidden), *unknown]
        data = {name: value for name, value in fields.items() if value is not None}
        try:
            ensure_folder(self.path.parent)
        except OSError as error:
            raise storage_error(error, self.path, "write") from error
        write_atomic(self.path, msgspec.json.encode(data), PRIVATE_FILE)


def _passes(check: Callable[[Any], bool], found: dict[str, Any], name: str) -> bool:
    try:
        return name in found and check(found[name])
    except TypeError:  # something that is not hashable
        return False
