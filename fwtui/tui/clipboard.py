"""Copies text to the clipboard of the terminal that the user sits at, also over SSH.

A program can only ask its terminal to do that (OSC 52). By default tmux ignores the request of a
program (`set-clipboard external`), but passes on what is loaded into its buffer with `-w`; screen
passes on what is wrapped for it.
"""

import base64
import os
from collections.abc import Mapping
from enum import Enum

from fwtui.doctor.machine import run_tmux, tmux_reaches_clipboard

_ESCAPE = "\x1b"
_END = f"{_ESCAPE}\\"
_SCREEN_BYTES = 512  # screen drops strings of more than 768 bytes


class Copied(Enum):
    """What was done with a text; the values are for people."""

    TERMINAL = "sent to the terminal's clipboard"
    TMUX = "copied to tmux's buffer and the terminal's clipboard"
    TMUX_ONLY = "copied to tmux's buffer; the terminal's clipboard may not have it"
    SCREEN = "sent through screen to the terminal's clipboard"


def clipboard_request(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """The control sequence for the terminal, wrapped for the multiplexer that it must pass."""
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    sequence = f"{_ESCAPE}]52;c;{encoded}\a"
    if environ.get("TMUX"):  # heard if `allow-passthrough` is on
        return f"{_ESCAPE}Ptmux;{sequence.replace(_ESCAPE, 2 * _ESCAPE)}{_END}"
    if environ.get("STY"):
        starts = range(0, len(sequence), _SCREEN_BYTES)
        parts = (sequence[start : start + _SCREEN_BYTES] for start in starts)
        return "".join(f"{_ESCAPE}P{part}{_END}" for part in parts)
    return sequence


def copy_in_multiplexer(text: str, environ: Mapping[str, str] = os.environ) -> Copied:
    """Copy to tmux's buffer, if this is tmux; says what the terminal gets. Blocks for a moment."""
    if environ.get("TMUX"):
        data = text.encode("utf-8", "replace")
        if run_tmux("load-buffer", "-w", "-", data=data) is not None:
            return Copied.TMUX if tmux_reaches_clipboard() else Copied.TMUX_ONLY
        if run_tmux("load-buffer", "-", data=data) is not None:  # tmux before 3.2
            return Copied.TMUX_ONLY
        return Copied.TERMINAL
    return Copied.SCREEN if environ.get("STY") else Copied.TERMINAL
