"""Every key of the program, once: bindings, footer, palette and help come from here."""

import re
from collections.abc import Callable

from textual.binding import Binding, BindingType

from fwtui.tui.dialog_keys import DIALOG_KEYS
from fwtui.tui.key import TITLES, Key, Where
from fwtui.tui.machine_keys import MACHINE_KEYS

__all__ = ["KEYS", "TITLES", "Key", "Where", "bindings", "footer_keys", "hints", "shown"]

KEYS: tuple[Key, ...] = (
    Key("add", ("a",), "add", "Add", "Add files, folders or patterns to the queue", "queue", 1),
    Key(
        "start",
        ("s",),
        "start_pause",
        "Start",
        "Start the queue, pause after the current window, or go on",
        "queue",
        2,
    ),
    Key(
        "stop",
        ("S",),
        "stop",
        "Stop",
        "Stop at once and free the memory; the running file keeps its progress",
        "queue",
    ),
    Key(
        "details",
        ("enter",),
        "details",
        "Details",
        "Everything about the file: media, attempts, error, outputs",
        "queue",
        3,
    ),
    Key(
        "skip",
        ("x",),
        "skip",
        "Skip",
        "Cancel the running file, or leave a waiting one out",
        "queue",
        4,
    ),
    Key("retry", ("r",), "retry", "Retry", "Put finished files back to waiting", "queue", 5),
    Key(
        "restart",
        ("R",),
        "restart",
        "Start over",
        "Put files back to waiting and forget their progress inside the file",
        "queue",
    ),
    Key("remove", ("d",), "remove", "Remove", "Take files out of the queue", "queue", 6),
    Key(
        "undo",
        ("u",),
        "undo",
        "Undo",
        "Put the files that were removed last back, with their progress",
        "queue",
    ),
    Key("move_down", ("J", "shift+down"), "move(1)", "Move down", "Move files down", "queue"),
    Key("move_up", ("K", "shift+up"), "move(-1)", "Move up", "Move files up", "queue"),
    Key("select", ("space",), "select", "Select", "Select the file and go to the next", "queue"),
    Key(
        "select_all",
        ("ctrl+a",),
        "select_all",
        "Select all",
        "Select all files shown, or none",
        "queue",
    ),
    Key(
        "filter",
        ("/",),
        "filter",
        "Filter",
        "Show only files whose name has this text; is:failed asks for a state",
        "queue",
        7,
    ),
    Key(
        "sort",
        ("o",),
        "sort",
        "Sort",
        "Show the files by name, length or state; the order of work stays",
        "queue",
    ),
    Key(
        "work_order",
        ("w",),
        "work_order",
        "Work in this order",
        "Make the order shown the order of work",
        "queue",
    ),
    Key(
        "watch",
        ("W",),
        "watch",
        "Watch folders",
        "Folders that feed the queue: see how they are, add one, let one go",
        "queue",
    ),
    Key(
        "settings",
        ("comma",),
        "settings",
        "Settings",
        "Settings and profiles, for this batch or as defaults",
        "queue",
        8,
    ),
    Key(
        "fit",
        ("M",),
        "fit",
        "Fit the memory",
        "When a batch will not fit the memory: use the settings that are proposed",
        "queue",
    ),
    Key(
        "report",
        ("i",),
        "report",
        "Report",
        "Totals, speed, slowest files, failures and memory of the batch",
        "queue",
        10,
    ),
    Key(
        "sessions",
        ("ctrl+o",),
        "sessions",
        "Sessions",
        "All stored sessions: look into them, resume, export or delete them",
        "queue",
        11,
    ),
    Key(
        "escape",
        ("escape",),
        "escape",
        "Back",
        "End the filter, then the selection, then the zoom",
        "queue",
        palette=False,
    ),
    Key(
        "follow",
        ("f",),
        "follow",
        "Follow",
        "Go to the running file and stay with it",
        "queue",
    ),
    Key(
        "next_pane",
        ("tab",),
        "next_pane(1)",
        "Panes",
        "Go to the next pane",
        "panes",
        9,
        palette=False,
    ),
    Key(
        "previous_pane",
        ("shift+tab",),
        "next_pane(-1)",
        "Previous pane",
        "Go to the previous pane",
        "panes",
        palette=False,
    ),
    Key("queue", ("1",), "pane('queue')", "Queue", "Go to the queue", "panes"),
    Key(
        "transcript",
        ("2",),
        "pane('transcript')",
        "Transcript",
        "Go to the transcript; from there: hide it",
        "panes",
    ),
    Key("log", ("3",), "pane('log')", "Log", "Go to the log; from there: hide it", "panes"),
    Key(
        "memory",
        ("4",),
        "pane('memory')",
        "Memory",
        "Go to the memory; from there: hide it",
        "panes",
    ),
    Key("zoom", ("z",), "zoom", "Zoom", "Give the whole screen to this pane, or end that", "panes"),
    Key("up", ("up", "k"), "go(-1)", "Up", "One line up", "moving", palette=False),
    Key("down", ("down", "j"), "go(1)", "Down", "One line down", "moving", palette=False),
    Key(
        "page_up",
        ("pageup", "ctrl+b"),
        "page(-1.0)",
        "Page up",
        "One page up",
        "moving",
        palette=False,
    ),
    Key(
        "page_down",
        ("pagedown", "ctrl+f"),
        "page(1.0)",
        "Page down",
        "One page down",
        "moving",
        palette=False,
    ),
    Key(
        "half_up",
        ("ctrl+u",),
        "page(-0.5)",
        "Half a page up",
        "Half a page up",
        "moving",
        palette=False,
    ),
    Key(
        "half_down",
        ("ctrl+d",),
        "page(0.5)",
        "Half a page down",
        "Half a page down",
        "moving",
        palette=False,
    ),
    Key("home", ("home", "g"), "home", "First", "To the first line", "moving", palette=False),
    Key(
        "end",
        ("end", "G"),
        "end",
        "Last",
        "To the last line; transcript and log follow again",
        "moving",
        palette=False,
    ),
    Key("left", ("left", "h"), "side(-1)", "Left", "Look at the left part", "log", palette=False),
    Key(
        "right", ("right", "l"), "side(1)", "Right", "Look at the right part", "log", palette=False
    ),
    Key("level", ("v",), "level", "Level", "Show only more important lines of the log", "log"),
    Key(
        "log_filter",
        ("/",),
        "screen.filter_log",
        "Filter log",
        "Show only lines of the log that have this text",
        "log",
    ),
    Key("copy", ("y",), "copy", "Copy", "Copy the transcript or the log shown", "panes"),
    Key("theme", ("t",), "theme", "Light or dark", "Change between light and dark", "everywhere"),
    Key(
        "palette",
        ("ctrl+p",),
        "command_palette",
        "Commands",
        "Find a command by its name",
        "everywhere",
        palette=False,
    ),
    Key(
        "bug",
        ("B",),
        "report_bug",
        "Report a bug",
        "Put together what a bug report needs, anonymised, and look at it first",
        "everywhere",
    ),
    Key("help", ("?", "f1"), "help", "Help", "All keys", "everywhere", 90),
    Key(
        "quit",
        ("q",),
        "quit",
        "Quit",
        "Save everything and leave; asks when a file is being worked on; attached: only leave",
        "everywhere",
        91,
    ),
    Key(
        "interrupt",
        ("ctrl+c", "ctrl+q"),
        "quit",
        "Quit",
        "Like quit, from any place",
        "everywhere",
        palette=False,
        priority=True,
    ),
    *DIALOG_KEYS,
    *MACHINE_KEYS,
)

_SHOWN = {
    "escape": "Esc",
    "comma": ",",
    "backspace": "⌫",
    "delete": "Del",
    "enter": "⏎",
    "space": "Space",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "shift+up": "Shift+↑",
    "shift+down": "Shift+↓",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "f1": "F1",
}
_FUNCTION_KEY = re.compile(r"f\d+")
_PLAIN = {"⏎": "Enter", "⌫": "Backspace", "↑": "Up", "↓": "Down", "←": "Left", "→": "Right"}


def bindings(*where: Where) -> list[BindingType]:
    """Textual bindings of the keys that belong there."""
    return [
        Binding(
            ",".join(key.keys),
            key.action,
            key.label,
            tooltip=key.tooltip,
            id=key.id,
            show=bool(key.footer),
            priority=key.priority,
        )
        for key in KEYS
        if key.where in where
    ]


def shown(name: str, *, ascii_only: bool = False) -> str:
    """How a key is written for people."""
    text = _SHOWN.get(name, name.upper() if _FUNCTION_KEY.fullmatch(name) else name)
    if text.startswith("ctrl+"):
        text = "Ctrl+" + text[5:].upper()
    if ascii_only:
        for sign, word in _PLAIN.items():
            text = text.replace(sign, word)
    return text


def footer_keys() -> list[Key]:
    """Keys for the bottom line, the most wanted first."""
    return sorted((key for key in KEYS if key.footer), key=lambda key: key.footer)


def hints(where: Where, room: int, sign: Callable[[str], str]) -> str:
    """The keys of a dialog with their labels, as many as fit into `room` cells.

    `sign` gives the key of an id, as the user has it.
    """
    text = ""
    for key in KEYS:
        if key.where == where:
            hint = f"{sign(key.id)} {key.label}"
            longer = f"{text}   {hint}" if text else hint
            if len(longer) > room:
                break
            text = longer
    return text
