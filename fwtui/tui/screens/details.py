"""Everything about one file."""

from datetime import datetime

from textual.content import Content

from fwtui.core.failure import Failure
from fwtui.core.job import (
    Attempt,
    Cancelled,
    Completed,
    Failed,
    Job,
    MediaInfo,
    Pending,
    Processing,
    Skipped,
    status_word,
)
from fwtui.tui import format as fmt
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.screens.dialog import Tell
from fwtui.tui.text import base_name, clean, shown_path, wrap

LABEL = 12
VALUE_CELLS = 58

Part = tuple[str, str]


def details_dialog(job: Job, glyphs: Glyphs, needs: str = "") -> Tell:
    """The dialog for a job as it is now; `needs` is its forecast (`told_of_file`)."""
    title = clean(base_name(job.path))
    return Tell(title, describe(job, glyphs, needs), bad=isinstance(job.state, Failed))


def describe(job: Job, glyphs: Glyphs, needs: str = "") -> Content:
    """All that is known, as lines of label and value."""
    parts: list[Part] = [*_line("File", shown_path(job.path))]
    if job.media is not None:
        parts += _line("Media", _media(job.media, glyphs))
    if needs and not job.is_finished:
        parts += _line("Needs", clean(needs))
    parts += _line("State", f"{glyphs.of(job.state)} {status_word(job.state)}")
    parts += _state(job)
    for number, attempt in enumerate(job.attempts, 1):
        parts += _attempt(number, attempt)
    return Content.assemble(*parts).rstrip()


def _line(label: str, value: str, style: str = "") -> list[Part]:
    first, *rest = wrap(value, VALUE_CELLS)
    lines = "\n".join([first, *(" " * LABEL + line for line in rest)])
    return [(f"{label:<{LABEL}}", "$ink-dim"), (lines + "\n", style)]


def _media(media: MediaInfo, glyphs: Glyphs) -> str:
    known = [
        fmt.clock(media.duration) if media.duration else "",
        clean(media.container),
        clean(media.codec),
        f"{media.sample_rate / 1000:g} kHz" if media.sample_rate else "",
        {1: "mono", 2: "stereo"}.get(media.channels, f"{media.channels} channels")
        if media.channels
        else "",
        "with video" if media.has_video else "",
        fmt.size(media.size) if media.size else "",
    ]
    return f" {glyphs.dot} ".join(part for part in known if part)


def _state(job: Job) -> list[Part]:
    match job.state:
        case Pending(done_seconds=done):
            return _line("Goes on", f"from {fmt.clock(done)}") if done > 0 else []
        case Processing(started_at=started):
            return _line("Started", _at(started))
        case Completed() as state:
            return _completed(state)
        case Failed(failure=failure, completed_at=at):
            return [*_line("Failed", _at(at)), *_failure(failure)]
        case Cancelled(completed_at=at):
            return _line("Cancelled", f"{_at(at)}; r puts it back")
        case Skipped(completed_at=at, reason=reason):
            return _line("Skipped", f"{_at(at)}: {clean(reason)}")


def _completed(state: Completed) -> list[Part]:
    pace = fmt.speed(state.audio_seconds / state.work_seconds) if state.work_seconds > 0 else ""
    took = f"{fmt.clock(state.audio_seconds)} of audio in {fmt.took(state.work_seconds)}"
    lines = [
        *_line("Finished", _at(state.completed_at)),
        *_line("Work", f"{took}, {pace} times real time" if pace else took),
        *_line("Text", f"{state.segments:,} segments, language {clean(state.language) or '?'}"),
    ]
    for number, output in enumerate(state.outputs):
        lines += _line("" if number else "Outputs", shown_path(output), "$success")
    for warning in state.warnings:
        lines += _line("Warning", clean(warning), "$warning")
    return lines


def _failure(failure: Failure) -> list[Part]:
    lines = _line("Error", clean(failure.title), "$error")
    if failure.hint:
        lines += _line("What to do", clean(failure.hint))
    lines += _line("Kind", failure.kind.value.replace("_", " "))
    for number, detail in enumerate(failure.detail.strip().splitlines()[-12:]):
        lines += _line("" if number else "Detail", clean(detail), "$ink-dim")
    return lines


def _attempt(number: int, attempt: Attempt) -> list[Part]:
    return [
        *_line(
            f"Attempt {number}", f"{_at(attempt.at)}, stopped at {fmt.clock(attempt.at_seconds)}"
        ),
        *_line("", clean(attempt.failure.title), "$error"),
        *_line("", f"then: {clean(attempt.remedy)}", "$warning"),
    ]


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
