"""Names of speakers: kept with their file, whose outputs are written again with them."""

import asyncio
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from fwtui.batch.finish import recording_of, transcript_of, written_text
from fwtui.batch.session_outputs import transcript_of_outputs
from fwtui.batch.state import BatchState
from fwtui.config.overrides import from_overrides
from fwtui.core.attribution import with_speakers
from fwtui.core.commands import NameSpeaker
from fwtui.core.disk_errors import reason_of
from fwtui.core.events import Level
from fwtui.core.job import Completed, Job
from fwtui.core.paths import text_to_path
from fwtui.core.segment import AnyTranscript
from fwtui.core.settings import OutputSettings, Settings
from fwtui.core.speakers import SPEAKER_NAME, is_speaker_name, labels_of
from fwtui.core.text import printable
from fwtui.disk.files import write_output
from fwtui.errors import FwtuiError
from fwtui.outputs.formats.registry import FORMATS, render

NOT_RENAMED = "speaker names not changed in"


async def name_speaker(state: BatchState, command: NameSpeaker) -> None:
    """Keep the name, then write the outputs again if the file is done.

    Raises StorageError if the session cannot be written; an output that cannot be is a warning of
    the file.
    """
    job = state.queue.get(command.id)
    if job is None:
        return
    name = command.name.strip()
    if name and not is_speaker_name(name):
        text = f"{job.name}: no speaker can be called {name!a}. Allowed: {SPEAKER_NAME}"
        state.log(Level.ERROR, text, job.id)
        return
    names = dict(job.speaker_names or {})
    names.pop(command.speaker, None)
    if name:
        names[command.speaker] = name
    named = replace(job, speaker_names=names or None)
    await state.put(named)
    if isinstance(named.state, Completed):
        problems = await asyncio.to_thread(_rewrite, state, job, named)
        await _note(state, named, problems)


async def _note(state: BatchState, job: Job, problems: Iterable[str]) -> None:
    """Make what was not written a warning of the file, in place of that of an earlier try."""
    done = job.state
    assert isinstance(done, Completed)
    others = (text for text in done.warnings if not text.startswith(NOT_RENAMED))
    warnings = (*others, *(f"{NOT_RENAMED} {problem}" for problem in problems))
    if warnings != done.warnings:
        await state.put(replace(job, state=replace(done, warnings=warnings)))
    if not problems:
        state.log(Level.INFO, f"{job.name}: speaker names changed in its transcripts", job.id)


def _rewrite(state: BatchState, before: Job, job: Job) -> list[str]:
    """Write the outputs with other names; returns the files that could not be, with the reasons.

    One that is not what was written with the names `before` was edited, and is left alone.
    """
    assert isinstance(job.state, Completed)
    settings = from_overrides(job.state.used) if job.state.used else state.settings
    output = settings.output
    try:
        old, new = _text(state, before, settings), _text(state, job, settings)
    except (FwtuiError, OSError) as error:
        return [f"{job.stem}: {_reason(error)}"]
    if old is None or new is None:
        return [f"{job.stem}: its text is no longer in the session, nor in a json"]
    problems = []
    for path in map(text_to_path, job.state.outputs):
        form = path.suffix[1:]
        try:
            if form not in FORMATS or not _is(path, old, form, output):
                problems.append(f"{path.name}: it was changed or deleted since")
            else:
                write_output(path, render(new, form, output), owner=state.store.owner)
        except (FwtuiError, OSError) as error:
            problems.append(f"{path.name}: {_reason(error)}")
    return [printable(problem) for problem in problems]


def _reason(error: FwtuiError | OSError) -> str:
    return error.title if isinstance(error, FwtuiError) else reason_of(error)


def _text(state: BatchState, job: Job, settings: Settings) -> AnyTranscript | None:
    """The text of a completed file as it is written; None if it cannot be found any more.

    After a restart of fwtui its segments are those of the json output. Raises FwtuiError or
    OSError.
    """
    assert isinstance(job.state, Completed)
    store = state.store
    known, point = store.speakers(job.id), store.resume_point(job.id)
    turns = known.turns if known else ()
    labels = labels_of(turns, settings.speakers, job.speaker_names)
    if point is not None and point.is_done:
        spoken, marked = store.spoken(job.id), store.findings(job.id)
        segments = store.stored_segments(job.id)
        found = transcript_of(segments, point.plan, settings, spoken, marked)
        return written_text(found, settings, turns, labels, job)
    read = transcript_of_outputs(job, job.state)
    if not read.source.endswith(".json"):
        return None
    plain = replace(read, turns=turns, labels=labels, recording=recording_of(job))
    return with_speakers(plain)


def _is(path: Path, text: AnyTranscript, form: str, output: OutputSettings) -> bool:
    """Whether a file has this text. Raises OSError."""
    if form == "docx":  # the time is in it
        wanted = b"".join(render(text, form, output))
        return _words(path.read_bytes()) == _words(wanted)
    try:
        with path.open("rb") as file:
            same = all(file.read(len(piece)) == piece for piece in render(text, form, output))
            return same and not file.read(1)
    except FileNotFoundError:
        return False


def _words(document: bytes) -> bytes:
    """The text in a Word document; empty if it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(document)) as parts:
            return parts.read("word/document.xml")
    except (zipfile.BadZipFile, KeyError):
        return b""
