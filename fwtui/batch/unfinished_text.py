"""The text of unfinished files of a stored session, as far as they are transcribed."""

import os
from collections.abc import Iterable, Sequence
from itertools import chain, count
from pathlib import Path

from msgspec import Struct

from fwtui.core.attribution import by_channel
from fwtui.core.job import Completed, Job
from fwtui.core.paths import UNFINISHED
from fwtui.core.segment import Transcript
from fwtui.core.session import Session
from fwtui.core.settings import OutputSettings
from fwtui.core.text import printable
from fwtui.disk.files import ensure_folder, storage_error, write_output
from fwtui.errors import UsageError
from fwtui.outputs.formats.registry import render
from fwtui.sessions.catalog import stored_segments


class UnfinishedText(Struct, frozen=True):
    """An unfinished file and its text so far."""

    job: Job
    transcript: Transcript

    def rendered(self, form: str, output: OutputSettings) -> bytes:
        """The text in a format. Raises UsageError for one that needs an optional dependency."""
        return b"".join(render(self.transcript, form, output))


def read_unfinished(
    session: Session, directory: Path, files: Sequence[str] = ()
) -> list[UnfinishedText]:
    """The texts of the named files, by default of all unfinished ones that have any.

    Raises UsageError for a name that is not in the session, a file that is done, and if there is
    no text; StorageError if the journal cannot be read.
    """
    jobs = _named(session, files) if files else session.jobs
    found = []
    for job in jobs:
        if isinstance(job.state, Completed):
            if files:
                where = ", ".join(job.state.outputs)
                raise UsageError(f"{job.name} is done", f"its transcripts: {where}")
            continue
        resume = session.resumable.get(job.id)
        segments = stored_segments(directory, session.session_id, job.id)
        if segments:
            segments = by_channel(segments, session.settings.speakers, job.speaker_names)
            language = resume.plan.language if resume else ""
            found.append(UnfinishedText(job, Transcript(language, segments, job.duration)))
    if not found:
        raise UsageError(
            "there is no text of unfinished files in this session",
            "see: fwtui sessions show",
        )
    return found


def _names_of(job: Job) -> set[str]:
    """What a file may be called: as it is, or as it is shown."""
    return {job.name, printable(job.name), str(job.file), printable(str(job.file))}


def _named(session: Session, files: Iterable[str]) -> list[Job]:
    chosen: dict[int, Job] = {}
    for name in files:
        path = str(Path(name).absolute())
        matching = [job for job in session.jobs if name in _names_of(job)]
        matching = matching or [job for job in session.jobs if str(job.file) == path]
        if not matching:
            raise UsageError(
                f"{name} is not in session {session.session_id}",
                f"see: fwtui sessions show {session.session_id}",
            )
        chosen |= {job.id: job for job in matching}
    return list(chosen.values())


def write_unfinished(
    texts: Iterable[UnfinishedText], output: OutputSettings, form: str, folder: Path
) -> list[Path]:
    """Write each text to a file of its own; nothing is overwritten. Raises FwtuiError."""
    try:
        ensure_folder(folder, mode=0o777)
    except OSError as error:
        raise storage_error(error, folder, "create the folder") from error
    written = []
    for one in texts:
        stem = f"{one.job.file.stem}{UNFINISHED}"
        path = folder / f"{_free_stem(folder, stem, form)}.{form}"
        write_output(path, one.rendered(form, output))
        written.append(path)
    return written


def _free_stem(folder: Path, stem: str, form: str) -> str:
    """The name, or it with a number, under which there is no file of a format yet."""
    names = chain([stem], (f"{stem} ({number})" for number in count(2)))
    return next(name for name in names if not os.path.lexists(folder / f"{name}.{form}"))
