"""All that is known of a file, as lines of label and value."""

from datetime import datetime

from textual.content import Content

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
    state_label,
)
from fwtui.core.settings import Settings
from fwtui.tui.formatting import (
    base_name,
    clean,
    clock,
    elapsed,
    file_size,
    fraction,
    percent,
    shown_path,
    speed_factor,
    wrap,
)
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.model import LiveTranscript
from fwtui.tui.settings_draft import shown_value

LABEL = 12
MOST_DETAIL = 12
_SAID = {"model.model", "model.device", "model.compute_type"}

Part = tuple[str, str]


def describe(
    job: Job,
    glyphs: Glyphs,
    *,
    cells: int,
    progress: JobProgress | None,
    missing: frozenset[str],
    settings: Settings,
    whose: str,
    needs: str = "",
) -> Content:
    """Lines of at most `cells`.

    `missing` are outputs that are gone; `whose` tells the settings; `needs` is what is forecast.
    """
    facts = _Facts(cells, glyphs)
    facts.add("File", shown_path(job.path))
    if job.source is not None:
        facts.add("From", clean(job.source))
    if job.media is not None:
        facts.add("Media", _media(job.media, glyphs))
    facts.add("State", f"{glyphs.of(job.state)} {state_label(job.state)}", _ink(job.state))
    if progress is not None:
        facts.add("Done", _progress(progress, glyphs, job.state))
    if needs and not job.is_finished:
        facts.add("Needs", needs)
    _state(facts, job.state, missing)
    for number, attempt in enumerate(job.attempts, 1):
        _attempt(facts, number, attempt)
    _settings(facts, settings, whose)
    return Content.assemble(*facts.parts).rstrip()


class _Facts:
    """Gathers the lines."""

    def __init__(self, cells: int, glyphs: Glyphs) -> None:
        self.parts: list[Part] = []
        self.glyphs = glyphs
        self._cells = max(8, cells - LABEL)

    def add(self, label: str, value: str, style: str = "") -> None:
        first, *rest = wrap(value, self._cells) or [""]
        lines = "\n".join([first, *(" " * LABEL + line for line in rest)])
        self.parts += [(f"{label:<{LABEL}}", "$ink-dim"), (lines + "\n", style)]

    def title(self, words: str) -> None:
        self.parts.append((f"\n{words}\n", "$primary"))


def _ink(state: State) -> str:
    match state:
        case Completed(findings=findings):
            return "$warning" if findings else "$success"
        case Failed():
            return "bold $error"
        case Processing():
            return "$primary"
        case Cancelled():
            return "$warning"
        case Pending() | Skipped():
            return "$ink-dim"


def _progress(progress: JobProgress, glyphs: Glyphs, state: State) -> str:
    done = percent(fraction(progress.done, progress.total))
    if isinstance(state, Processing) and state.downloading:
        of = f" of {file_size(int(progress.total))}, {done}" if progress.total else ""
        return f"{file_size(int(progress.done))}{of} downloaded"
    if progress.preparing:
        return f"{done} prepared"
    of = f"{clock(progress.done)} of {clock(progress.total)}, {done}"
    pace = speed_factor(progress.speed)
    return f"{of}, {pace}{glyphs.times}" if pace else of


def _media(media: MediaInfo, glyphs: Glyphs) -> str:
    known = [
        clock(media.duration) if media.duration else "",
        clean(media.container),
        clean(media.codec),
        f"{media.sample_rate / 1000:g} kHz" if media.sample_rate else "",
        {1: "mono", 2: "stereo"}.get(media.channels, f"{media.channels} channels")
        if media.channels
        else "",
        "with video" if media.has_video else "",
        file_size(media.size) if media.size else "",
    ]
    return f" {glyphs.dot} ".join(part for part in known if part)


def _state(facts: _Facts, state: State, missing: frozenset[str]) -> None:
    match state:
        case Pending(done_seconds=done):
            if done > 0:
                facts.add("Goes on", f"from {clock(done)}")
        case Processing(started_at=started):
            facts.add("Started", _at(started))
        case Completed():
            _completed(facts, state, missing)
        case Failed(failure=failure, completed_at=at):
            facts.add("Failed", _at(at))
            _failure(facts, failure)
        case Cancelled(completed_at=at):
            facts.add("Cancelled", f"{_at(at)}; a retry puts it back")
        case Skipped(completed_at=at, reason=reason):
            facts.add("Skipped", f"{_at(at)}: {clean(reason)}")


def _completed(facts: _Facts, state: Completed, missing: frozenset[str]) -> None:
    pace = speed_factor(state.audio_seconds / state.work_seconds) if state.work_seconds > 0 else ""
    took = f"{clock(state.audio_seconds)} of audio in {elapsed(state.work_seconds)}"
    facts.add("Finished", _at(state.completed_at))
    facts.add("Work", f"{took}, {pace}{facts.glyphs.times}" if pace else took)
    facts.add("Text", f"{state.segments:,} segments, language {clean(state.language) or '?'}")
    for number, output in enumerate(state.outputs):
        gone = output in missing
        words = shown_path(output) + (" (not there any more)" if gone else "")
        facts.add("" if number else "Outputs", words, "$warning" if gone else "$success")
    for warning in state.warnings:
        facts.add("Warning", clean(warning), "$warning")
    for number, finding in enumerate(state.findings):
        times = f"{clock(finding.start)} to {clock(finding.end)}"
        facts.add(
            "" if number else "To check", f"{times} {clean(finding_text(finding))}", "$warning"
        )


def _failure(facts: _Facts, failure: Failure) -> None:
    facts.add("Error", clean(failure.title), "$error")
    if failure.hint:
        facts.add("What to do", clean(failure.hint))
    facts.add("Kind", failure.kind.value.replace("_", " "))
    for number, detail in enumerate(failure.detail.strip().splitlines()[-MOST_DETAIL:]):
        facts.add("" if number else "Detail", clean(detail), "$ink-dim")


def _attempt(facts: _Facts, number: int, attempt: Attempt) -> None:
    where = f"{_at(attempt.at)}, stopped at {clock(attempt.at_seconds)}"
    facts.add(f"Attempt {number}", where)
    facts.add("", clean(attempt.failure.title), "$error")
    facts.add("", f"then: {clean(attempt.remedy)}", "$warning")


def _settings(facts: _Facts, settings: Settings, whose: str) -> None:
    facts.title(f"Settings, {whose}")
    facts.add("Model", clean(base_name(settings.model.model.rstrip("/\\"))))
    dot = f" {facts.glyphs.dot} "
    facts.add("Runs", f"{settings.model.device}{dot}{settings.model.compute_type}")
    for key, value in to_overrides(settings).items():
        if key not in _SAID:
            facts.add("", f"{key.partition('.')[2]} {shown_value(value)}")


def _at(moment: datetime) -> str:
    local = moment.astimezone() if moment.tzinfo else moment
    return f"{local:%Y-%m-%d %H:%M:%S}"


def words_note(job: Job, transcript: LiveTranscript) -> str:
    """Why there are no words."""
    match job.state:
        case Failed(failure=failure):
            return clean(str(failure))
        case Pending(done_seconds=0.0) | Skipped():
            return "Not transcribed yet"
        case Completed(segments=0):
            return "No words were found"
        case Completed() if not transcript.whole:
            return "Reading the words"
        case Completed():
            return (
                "The words are not here any more: a session keeps those of finished files only "
                "until it is resumed, and no output of this file could be read back"
            )
        case _:
            return "No words yet"


def source_note(transcript: LiveTranscript) -> str:
    """Where the words come from, if not from the session."""
    return f"read back from {clean(base_name(transcript.source))}" if transcript.source else ""
