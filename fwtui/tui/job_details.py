"""Everything known of a file, as labels and values."""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime

from textual.content import Content

from fwtui.config.fields import find_field
from fwtui.config.overrides import to_overrides
from fwtui.core.events import JobProgress
from fwtui.core.failure import Failure
from fwtui.core.finding import finding_text
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
    State,
    needs_check,
    state_label,
)
from fwtui.core.languages import LANGUAGES
from fwtui.core.settings import Settings
from fwtui.core.text import clock, percent, without_name
from fwtui.report.report import speaker_texts
from fwtui.tui.formatting import (
    FieldRow,
    base_name,
    clean,
    elapsed,
    fields,
    file_size,
    fraction,
    label_width,
    sentence,
    shown_path,
    speed_factor,
)
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.model import LiveTranscript
from fwtui.tui.settings_draft import shown_value

MOST_DETAIL = 12
# Shown by themselves, whether they are defaults or not.
_SHOWN = {"model.model", "model.device", "model.compute_type"}


def describe_job(
    job: Job,
    glyphs: Glyphs,
    *,
    cells: int,
    progress: JobProgress | None,
    missing: frozenset[str],
    settings: Settings,
    settings_title: str,
    needs: str = "",
) -> Content:
    """Everything known of a file, in lines of at most `cells`.

    `missing` are outputs that no longer exist; `settings` are shown below `settings_title`;
    `needs` is the forecast.
    """
    rows = [
        *_file(job, progress, glyphs),
        *_progress(job.state, progress, glyphs),
        *([FieldRow("Needs", needs)] if needs and not job.is_finished else []),
        *_state(job.state, missing, glyphs),
        *_speakers(job),
        *(row for at, attempt in enumerate(job.attempts, 1) for row in _attempt(at, attempt)),
    ]
    used = list(_settings(settings, glyphs))
    labels = label_width([*rows, *used])
    return Content.assemble(
        fields(rows, labels=labels, cells=cells),
        (f"\n\n{settings_title}\n", "$primary"),
        fields(used, labels=labels, cells=cells),
    )


def _file(job: Job, progress: JobProgress | None, glyphs: Glyphs) -> Iterator[FieldRow]:
    yield FieldRow("File", shown_path(job.path))
    if job.source is not None:
        yield FieldRow("Link", clean(job.source))
    if job.media is not None:
        yield FieldRow("Media", _media(job.media, glyphs))
        yield from _tracks(job.media, glyphs)
    name = _state_name(job.state, progress, glyphs)
    yield FieldRow("Status", f"{glyphs.of(job.state)} {name}", _ink(job.state))


def _state_name(state: State, progress: JobProgress | None, glyphs: Glyphs) -> str:
    """The state as in the file's row of the queue."""
    match state:
        case Completed() if needs_check(state):
            return f"{state_label(state)} {glyphs.dot} check"
        case Processing(downloading=True):
            return "downloading"
        case Processing(preparing=True):
            ready = progress is not None and fraction(progress.done, progress.total) >= 1
            return "next" if ready else "preparing"
        case _:
            return state_label(state)


def _ink(state: State) -> str:
    match state:
        case Completed():
            return "$warning" if needs_check(state) else "$success"
        case Failed():
            return "bold $error"
        case Processing():
            return "$primary"
        case Cancelled():
            return "$warning"
        case Pending() | Skipped():
            return "$ink-dim"


def _progress(state: State, progress: JobProgress | None, glyphs: Glyphs) -> Iterator[FieldRow]:
    if progress is None:
        return
    done = percent(fraction(progress.done, progress.total))
    pace = speed_factor(progress.speed)
    if isinstance(state, Processing) and state.downloading:
        total = f" of {file_size(int(progress.total))}, {done}" if progress.total else ""
        yield FieldRow("Downloaded", f"{file_size(int(progress.done))}{total}")
    elif progress.listening:
        yield FieldRow("Done", "transcribed; speakers are being told apart")
    elif progress.preparing:
        yield FieldRow("Prepared", done)
    else:
        speed = f", {pace}{glyphs.times}" if pace else ""
        yield FieldRow("Done", f"{clock(progress.done)} of {clock(progress.total)}, {done}{speed}")


def _media(media: MediaInfo, glyphs: Glyphs) -> str:
    known = [
        clock(media.duration) if media.duration else "",
        clean(media.container),
        clean(media.codec),
        f"{media.sample_rate / 1000:g} kHz" if media.sample_rate else "",
        _channels(media.channels),
        "with video" if media.has_video else "",
        file_size(media.size) if media.size else "",
    ]
    return f" {glyphs.dot} ".join(part for part in known if part)


def _tracks(media: MediaInfo, glyphs: Glyphs) -> Iterator[FieldRow]:
    for track in media.tracks if len(media.tracks) > 1 else ():
        known = [
            LANGUAGES.get(track.language, "").title(),
            clean(track.title),
            clean(track.codec) or "unknown format",
            _channels(track.channels),
            "default" if track.default else "",
            "transcribed" if track.number == media.track else "",
        ]
        yield FieldRow(f"Track {track.number}", f" {glyphs.dot} ".join(filter(None, known)))


def _channels(count: int) -> str:
    match count:
        case 0:
            return ""
        case 1:
            return "mono"
        case 2:
            return "stereo"
        case _:
            return f"{count} channels"


def _state(state: State, missing: frozenset[str], glyphs: Glyphs) -> Iterator[FieldRow]:
    match state:
        case Pending(done_seconds=done):
            if done > 0:
                yield FieldRow("Resumes", f"at {clock(done)}")
        case Processing(preparing=False, started_at=started):
            yield FieldRow("Started", _moment(started))
        case Completed():
            yield from _completed(state, missing, glyphs)
        case Failed(failure=failure, completed_at=at):
            yield FieldRow("Failed", _moment(at))
            yield from _failure(failure)
            yield from _text_so_far(state.done_seconds)
        case Cancelled(completed_at=at):
            yield FieldRow("Cancelled", f"{_moment(at)}; retry to queue it again")
            yield from _text_so_far(state.done_seconds or 0.0)
        case Skipped(completed_at=at, reason=reason):
            yield FieldRow("Skipped", f"{_moment(at)}: {clean(reason)}")


def _text_so_far(seconds: float) -> Iterator[FieldRow]:
    if seconds > 0:
        text = f"of its first {clock(seconds)}, below; to write it: fwtui sessions text"
        yield FieldRow("Text", text)


def _completed(state: Completed, missing: frozenset[str], glyphs: Glyphs) -> Iterator[FieldRow]:
    yield FieldRow("Finished", _moment(state.completed_at))
    if pace := speed_factor(state.speed or 0.0):
        took = f"{clock(state.audio_timed)} in {elapsed(state.work_seconds)}"
        yield FieldRow("Speed", f"{took} ({pace}{glyphs.times})")
    language = f" {glyphs.dot} {_language(state.language)}" if state.language else ""
    yield FieldRow("Segments", f"{state.segments:,}{language}")
    yield from _outputs(state.outputs, missing)
    for warning in state.warnings:
        yield FieldRow("Warning", clean(warning), "$warning")
    for number, finding in enumerate(state.findings):
        times = f"{clock(finding.start)} to {clock(finding.end)}"
        text = clean(finding_text(finding))
        yield FieldRow("" if number else "Check", f"{times} {text}", "$warning")


def _outputs(outputs: Sequence[str], missing: frozenset[str]) -> Iterator[FieldRow]:
    """The outputs; their folder once if they have one in common."""
    folders = {output.removesuffix(base_name(output)) for output in outputs}
    together = len(outputs) > 1 and len(folders) == 1
    if together:
        yield FieldRow("Outputs", f"in {shown_path(folders.pop().rstrip(os.sep) or os.sep)}")
    for number, output in enumerate(outputs):
        is_missing = output in missing
        shown = clean(base_name(output)) if together else shown_path(output)
        label = "" if number or together else "Outputs"
        ink = "$warning" if is_missing else "$success"
        yield FieldRow(label, shown + (" (missing)" if is_missing else ""), ink)


def _speakers(job: Job) -> Iterator[FieldRow]:
    for number, (name, text) in enumerate(speaker_texts(job)):
        yield FieldRow("" if number else "Speakers", f"{clean(name)} {text}")


def _language(code: str) -> str:
    return LANGUAGES.get(code, "").capitalize() or clean(code)


def _failure(failure: Failure) -> Iterator[FieldRow]:
    yield FieldRow("Error", clean(failure.title), "$error")
    if failure.hint:
        yield FieldRow("What to do", sentence(clean(failure.hint)))
    yield FieldRow("Kind", failure.kind.value.replace("_", " "))
    for number, detail in enumerate(failure.detail.strip().splitlines()[-MOST_DETAIL:]):
        yield FieldRow("" if number else "Detail", clean(detail), "$ink-dim")


def _attempt(number: int, attempt: Attempt) -> Iterator[FieldRow]:
    stopped = f"{_moment(attempt.at)}, stopped at {clock(attempt.at_seconds)}"
    yield FieldRow(f"Attempt {number}", stopped)
    yield FieldRow("", clean(attempt.failure.title), "$error")
    if attempt.remedy:
        yield FieldRow("", f"retried with {clean(attempt.remedy)}", "$warning")


def _settings(settings: Settings, glyphs: Glyphs) -> Iterator[FieldRow]:
    yield FieldRow("Model", clean(base_name(settings.model.model.rstrip("/\\"))))
    dot = f" {glyphs.dot} "
    yield FieldRow("Device", f"{settings.model.device}{dot}{settings.model.compute_type}")
    others = {key: value for key, value in to_overrides(settings).items() if key not in _SHOWN}
    for number, (key, value) in enumerate(others.items()):
        field = find_field(key)
        label = "" if number else "Changed"
        yield FieldRow(label, f"{field.name} {shown_value(field, value)}")


def _moment(at: datetime) -> str:
    local = at.astimezone() if at.tzinfo else at
    return f"{local:%Y-%m-%d %H:%M:%S}"


def transcript_note(job: Job, transcript: LiveTranscript) -> str:
    """Why there is no transcript to show."""
    match job.state:
        case Failed(failure=failure):
            title = sentence(clean(without_name(failure.title, base_name(job.path))))
            return f"{title}. {sentence(clean(failure.hint))}" if failure.hint else title
        case Pending(done_seconds=0.0) | Skipped():
            return "Not transcribed yet"
        case Completed(segments=0):
            return "No speech found"
        case Completed() if not transcript.whole:
            return "Loading the transcript"
        case Completed():
            return "Transcript no longer available: its output files could not be read"
        case Pending() | Processing() | Cancelled():
            return "No text yet"


def speakers_note(job: Job) -> str:
    """Why the speakers of a file cannot be listed; empty if they can."""
    match job.state:
        case Completed(speakers=speakers):
            none = "No speakers were told apart in this file: see the setting diarize"
            return "" if speakers else none
        case _:
            return "The speakers of a file are known when it is done"


def source_note(transcript: LiveTranscript) -> str:
    """Where the transcript comes from, if not from the session."""
    return f"loaded from {clean(base_name(transcript.source))}" if transcript.source else ""
