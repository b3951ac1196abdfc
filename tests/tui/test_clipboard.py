"""What a terminal is sent to copy a text, with nothing between and through multiplexers."""

import base64
import re

import pytest

from fwtui.tui.clipboard import Copied, clipboard_request, copy_in_multiplexer

TEXTS = ["short", "会議 \udcff\x1b[31m", "long " * 1000]


def asked(sequence: str) -> str:
    """The text in an OSC 52 request."""
    found = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\a", sequence)
    assert found, sequence[:80]
    return base64.b64decode(found[1]).decode()


@pytest.mark.parametrize("text", TEXTS)
def test_the_terminal_gets_the_whole_text(text: str) -> None:
    shown = text.encode("utf-8", "replace").decode()
    assert asked(clipboard_request(text, {})) == shown

    wrapped = clipboard_request(text, {"TMUX": "socket"})
    assert wrapped.startswith("\x1bPtmux;\x1b\x1b]52")
    inner = wrapped.removeprefix("\x1bPtmux;").removesuffix("\x1b\\")
    assert asked(inner.replace("\x1b\x1b", "\x1b")) == shown

    wrapped = clipboard_request(text, {"STY": "1.pts"})
    parts = re.findall(r"\x1bP(.*?)\x1b\\", wrapped, re.DOTALL)
    assert all(len(part) <= 768 for part in parts), "screen drops longer ones"
    assert asked("".join(parts)) == shown


def test_what_was_done_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert copy_in_multiplexer("text", {}) is Copied.TERMINAL
    assert copy_in_multiplexer("text", {"STY": "1.pts"}) is Copied.SCREEN
    monkeypatch.setenv("PATH", "")
    assert copy_in_multiplexer("text", {"TMUX": "socket"}) is Copied.TERMINAL, "tmux is not there"
