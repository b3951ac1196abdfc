"""What a terminal is told at the end of a batch."""

import pytest

from fwtui.core.events import BatchFinished
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.notification import end_text, terminal_signal
from fwtui.core.settings import DoneSettings

FULL = Failure(FailureKind.DISK_FULL, "no room in /\x1b[2J")


def end(
    *, stopped: bool = False, seconds: float = 1.0, failure: Failure | None = None, failed: int = 0
) -> BatchFinished:
    return BatchFinished(3, failed, 0, stopped=stopped, seconds=seconds, failure=failure)


@pytest.mark.parametrize(
    ("finished", "is_notable", "text"),
    [
        (end(), True, "3 files done"),
        (end(failed=2), True, "3 files done, 2 failed"),
        (end(stopped=True), False, "3 files done"),
        (end(seconds=0.0), False, "3 files done"),
        (end(stopped=True, failure=FULL), True, "cannot continue: no room in /\\x1b[2J"),
    ],
)
def test_an_end_that_the_user_did_not_make_is_notable(
    finished: BatchFinished, is_notable: bool, text: str
) -> None:
    assert (finished.is_notable, end_text(finished)) == (is_notable, text)


@pytest.mark.parametrize(
    ("done", "environ", "sequence"),
    [
        (DoneSettings(), {}, ""),
        (DoneSettings(bell=True), {}, "\a"),
        (DoneSettings(terminal_notification="osc9"), {}, "\x1b]9;fwtui: a; b\a"),
        (DoneSettings(terminal_notification="osc777"), {}, "\x1b]777;notify;fwtui;a, b\a"),
        (
            DoneSettings(terminal_notification="auto"),
            {"TERM": "foot"},
            "\x1b]777;notify;fwtui;a, b\a",
        ),
        (
            DoneSettings(terminal_notification="auto", bell=True),
            {"TERM": "tmux-256color", "TMUX": "x"},
            "\a\x1bPtmux;\x1b\x1b]9;fwtui: a; b\a\x1b\\",
        ),
    ],
)
def test_the_terminal_gets_what_is_wanted(
    done: DoneSettings, environ: dict[str, str], sequence: str
) -> None:
    assert terminal_signal(done, "a; b", environ) == sequence
