"""Settings that belong to a user and a machine, never to a session: screen, hooks, log."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

# fwtui's own two, and Textual's.
ThemeName = Literal[
    "fwtui-dark",
    "fwtui-light",
    "textual-dark",
    "textual-light",
    "nord",
    "gruvbox",
    "catppuccin-mocha",
    "catppuccin-latte",
    "dracula",
    "tokyo-night",
    "monokai",
    "flexoki",
    "solarized-dark",
    "solarized-light",
    "rose-pine",
    "rose-pine-dawn",
    "atom-one-dark",
    "atom-one-light",
]


class InterfaceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the screen looks. The settings file's count, never those of a stored session."""

    theme: Annotated[ThemeName, Meta(description="Colours of the screen")] = "fwtui-dark"
    reduced_motion: Annotated[
        bool, Meta(description="Nothing on the screen moves by itself: no animation, no blinking")
    ] = False


class DoneSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens when a file or the batch is done: commands of the user, and notifications."""

    on_file_done: Annotated[
        str | None, Meta(description="Command to run after each file; facts as JSON on its stdin")
    ] = None
    on_batch_done: Annotated[
        str | None, Meta(description="Command to run after the batch; facts as JSON on its stdin")
    ] = None
    hook_shell: Annotated[
        bool, Meta(description="Give these commands to a shell: pipes, variables and the like")
    ] = False
    hook_seconds: Annotated[
        float, Meta(gt=0, description="A command that takes longer is ended, with all it started")
    ] = 60.0
    bell: Annotated[bool, Meta(description="Ring the terminal's bell after the batch")] = False
    terminal_notification: Annotated[
        Literal["off", "auto", "osc9", "osc777"],
        Meta(description="Have the terminal show a notification after the batch, also over SSH"),
    ] = "off"
    desktop_notification: Annotated[
        bool, Meta(description="Notification of the desktop that fwtui runs on, after the batch")
    ] = False


class LogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the log files in the state folder hold."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="The least important lines that are written to the log files"),
    ] = "debug"
    keep_days: Annotated[
        int, Meta(ge=1, le=3650, description="Log files are deleted so many days after their end")
    ] = 30
