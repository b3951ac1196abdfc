"""Transcripts of stored sessions: reading them, and deleting them with their session."""

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fwtui.core.attribution import by_channel
from fwtui.core.job import Completed, Job
from fwtui.core.paths import text_to_path
from fwtui.core.segment import Transcript
from fwtui.core.session import Session
from fwtui.disk.files import storage_error
from fwtui.outputs.formats.read import read_transcript
from fwtui.outputs.formats.registry import FORMATS
from fwtui.sessions.catalog import StoredSession, discard_stored, stored_segments
from fwtui.sessions.delete import DeletedFiles


def transcript_of_outputs(job: Job, state: Completed) -> Transcript:
    """The transcript in the outputs of a completed file; without segments if they are gone."""
    paths = (text_to_path(path) for path in state.outputs)
    found = read_transcript(path for path in paths if _is_ours(path, job))
    found = found or Transcript("", ())
    return replace(found, language=found.language or state.language, duration=state.audio_seconds)


def stored_transcript(stored: StoredSession, directory: Path, job: Job) -> Transcript:
    """The transcript of a file of a stored session, as far as it exists. Raises StorageError."""
    if isinstance(job.state, Completed):
        return transcript_of_outputs(job, job.state)
    if stored.legacy_file is not None:
        return Transcript("", ())
    segments = stored_segments(directory, stored.session.session_id, job.id)
    segments = by_channel(segments, stored.session.settings.speakers, job.speaker_names)
    resume = stored.session.resumable.get(job.id)
    return Transcript(resume.plan.language if resume else "", segments, job.duration)


class SessionOutputs(msgspec.Struct, frozen=True):
    """Existing transcripts that a session wrote; `bytes` in total."""

    files: tuple[Path, ...] = ()
    bytes: int = 0


def outputs_of(session: Session) -> SessionOutputs:
    """The transcripts that `delete_stored` would delete with the session."""
    found = list(_outputs(session))
    return SessionOutputs(tuple(path for path, _ in found), sum(size for _, size in found))


def _outputs(session: Session) -> Iterator[tuple[Path, int]]:
    media = {job.path for job in session.jobs}
    for job in session.completed:
        assert isinstance(job.state, Completed)
        for text in job.state.outputs:
            path = text_to_path(text)
            if text not in media and _is_ours(path, job):
                try:
                    found = path.lstat()
                except (OSError, ValueError):
                    continue
                if stat.S_ISREG(found.st_mode):
                    yield path, found.st_size


def _is_ours(path: Path, job: Job) -> bool:
    """Session files are untrusted: only files named like a transcript are read or deleted."""
    stem = text_to_path(job.stem).name
    return path.is_absolute() and path.name in {f"{stem}.{name}" for name in FORMATS}


def delete_stored(stored: StoredSession, directory: Path) -> DeletedFiles:
    """Delete a session and the transcripts it wrote; recordings stay.

    Raises SessionInUseError (nothing is deleted then) or StorageError.
    """
    # The session first: its lock keeps other processes from writing these files.
    files = outputs_of(stored.session).files
    gone = discard_stored(stored, directory)
    return _remove(files, gone)


def _remove(paths: Iterable[Path], gone: DeletedFiles) -> DeletedFiles:
    for path in paths:
        try:
            size = path.lstat().st_size
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise storage_error(error, path, "delete") from error
        gone = DeletedFiles((*gone.files, path), gone.bytes + size)
    return gone
