"""What a key is, and where keys work."""

from typing import Literal

from msgspec import Struct

Where = Literal[
    "everywhere",
    "queue",
    "panes",
    "moving",
    "log",
    "add",
    "settings",
    "resume",
    "sessions",
    "details",
    "report",
    "watch",
    "bug",
    "models",
    "doctor",
]

TITLES: dict[Where, str] = {
    "everywhere": "Everywhere",
    "queue": "Files in the queue",
    "panes": "Panes",
    "moving": "Moving",
    "log": "Log",
    "add": "Add files: the tree",
    "settings": "Settings",
    "resume": "Unfinished sessions at the start",
    "sessions": "Sessions",
    "details": "Details of a file",
    "report": "Report",
    "watch": "Watched folders",
    "bug": "Report a bug",
    "models": "Models",
    "doctor": "Doctor",
}


class Key(Struct, frozen=True):
    """One action and the keys that call it.

    `footer` ranks it among the hints at the bottom (0: not there); `palette` puts it into the
    command palette; `priority` makes it work wherever the focus is, text fields included.
    """

    id: str
    keys: tuple[str, ...]
    action: str
    label: str
    tooltip: str
    where: Where
    footer: int = 0
    palette: bool = True
    priority: bool = False
