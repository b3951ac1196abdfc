"""Notification of the end of a batch: its text, and the control sequences for a terminal."""

from collections.abc import Mapping

from fwtui.core.events import BatchFinished
from fwtui.core.settings import DoneSettings
from fwtui.core.text import percent, printable

TITLE = "fwtui"
_BELL = "\a"
_ESCAPE = "\x1b"


def end_text(finished: BatchFinished) -> str:
    """`12 files done, 1 to check, 2 failed (85%)`, or why the batch cannot continue.

    The percentage is that of the whole batch, where it is not 100.
    """
    if finished.failure is not None:
        return f"cannot continue: {printable(finished.failure.title)}"
    parts = [f"{finished.completed} file{'' if finished.completed == 1 else 's'} done"]
    for count, state in (
        (finished.to_check, "to check"),
        (finished.failed, "failed"),
        (finished.cancelled - finished.skipped, "cancelled"),
        (finished.skipped, "skipped"),
    ):
        parts += [f"{count} {state}"] if count > 0 else []
    share = finished.share
    whole = f" ({percent(share)})" if share is not None and share < 1 else ""
    return ", ".join(parts) + whole


def terminal_signal(done: DoneSettings, text: str, environ: Mapping[str, str]) -> str:
    """The control sequence for the notifications that the user wants; may be empty.

    The sequences also work over SSH: OSC 9 (iTerm2, WezTerm, kitty, Ghostty,
    Windows Terminal) and OSC 777 (foot, VTE's, urxvt). tmux needs `allow-passthrough on`.
    """
    bell = _BELL if done.bell else ""
    text = printable(text)
    match done.terminal_notification:
        case "off":
            return bell
        case "auto":
            kind = _kind(environ)
        case kind:
            pass
    body = text.replace(";", ",")  # which is a separator there
    sequence = f"777;notify;{TITLE};{body}" if kind == "osc777" else f"9;{TITLE}: {text}"
    return bell + _through_tmux(f"{_ESCAPE}]{sequence}{_BELL}", environ)


def _kind(environ: Mapping[str, str]) -> str:
    term = environ.get("TERM", "")
    knows_777 = "VTE_VERSION" in environ or term.startswith(("foot", "rxvt"))
    return "osc777" if knows_777 else "osc9"


def _through_tmux(sequence: str, environ: Mapping[str, str]) -> str:
    if "TMUX" not in environ:
        return sequence
    return f"{_ESCAPE}Ptmux;{sequence.replace(_ESCAPE, 2 * _ESCAPE)}{_ESCAPE}\\"
