"""The session file: the keys of the reference document, our own, and unknown ones."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec

from fwtui.core.job import Completed, Failed, Job, JobId, state_name
from fwtui.core.view import BatchView
from fwtui.core.watched_folder import WatchedFolder
from fwtui.disk.codec import UNREADABLE, clean, encode_checked
from fwtui.errors import SessionTooNewError, StorageError
from fwtui.sessions.journal import FORMAT
from fwtui.sessions.legacy import (
    keys_from_settings,
    moment,
    settings_from_keys,
    state_from_keys,
    stems,
)
from fwtui.sessions.replay import FileProgress, SessionContent, compacted
from fwtui.sessions.session_files import ID_FORMAT, local_time
from fwtui.sessions.settings_codec import settings_from, settings_to

_jobs = msgspec.json.Decoder(Job)
_OWN = {"session_id", "created_at", "version", "generation", "settings", "files", "temp_files"}
_OWN |= {"watch"}
_TIMES = ("started_at", "completed_at")
_FILE = {"path", "status", "error", "output_path", *_TIMES}
_FILE |= {"id", "stem", "state", "media", "attempts", "settings", "progress"}
_FILE |= {"root", "kept", "source"}
_FIELDS = msgspec.structs.fields(Job)
# An entry whose keys are all known, as nearly all are: read in one pass.
_Entry = msgspec.defstruct(
    "_Entry",
    [
        *((f.name, f.type, msgspec.field(default=f.default, name=f.encode_name)) for f in _FIELDS),
        *((key, msgspec.Raw, b"") for key in sorted(_FILE - set(Job.__struct_encode_fields__))),
    ],
    forbid_unknown_fields=True,
)
_entries = msgspec.json.Decoder(_Entry)
_job_fields = attrgetter(*Job.__struct_fields__)


class UnreadableError(StorageError):
    """A session file that cannot be read."""


class Snapshot(msgspec.Struct, frozen=True):
    """A parsed session file. `is_legacy`: the earlier program wrote it; it has no journal."""

    content: SessionContent
    generation: int
    is_legacy: bool


def encode_snapshot(
    content: SessionContent, generation: int, progress: dict[JobId, FileProgress]
) -> Iterator[bytes]:
    """The session file in pieces, with one line for each file of the batch."""
    head = msgspec.json.encode(clean(msgspec.to_builtins(_head(content, generation))))
    yield msgspec.json.format(head, indent=2)[:-2]
    yield b',\n  "files": ['
    comma = b"\n    "
    for job in content.view.jobs.values():
        entry = _entry(job, progress.get(job.id)) | content.file_extra.get(job.id, {})
        yield comma + encode_checked(entry, _jobs)
        comma = b",\n    "
    yield b'\n  ],\n  "temp_files": ' + msgspec.json.encode(clean(list(content.temps))) + b"\n}\n"


def _head(content: SessionContent, generation: int) -> dict[str, Any]:
    watch = {"watch": content.folders} if content.folders else {}
    return {
        "session_id": content.session_id,
        "created_at": content.created_at,
        **keys_from_settings(content.view.settings),
        **content.extra,
        "version": FORMAT,
        "generation": generation,
        "settings": settings_to(content.view.settings, content.settings_extra),
        **watch,
    }


def _entry(job: Job, progress: FileProgress | None) -> dict[str, Any]:
    state = job.state
    times = {key: getattr(state, key, None) for key in _TIMES}
    entry: dict[str, Any] = {
        "path": job.path,
        "status": state_name(state),
        "error": str(state.failure) if isinstance(state, Failed) else None,
        "output_path": next(iter(state.outputs), None) if isinstance(state, Completed) else None,
        **{key: time and local_time(time) for key, time in times.items()},
        "id": job.id,
        "stem": job.stem,
        "state": state,
        "media": job.media,
        "attempts": job.attempts,
    }
    if job.settings is not None:
        entry["settings"] = job.settings
    if job.root:
        entry["root"] = job.root
    if job.kept_formats is not None:
        entry["kept"] = job.kept_formats
    if job.source is not None:
        entry["source"] = job.source
    if progress:
        entry["progress"] = {"seconds": progress.seconds, "windows": len(progress.windows)}
    return entry


def decode_snapshot(data: bytes | memoryview, session_id: str, modified: datetime) -> Snapshot:
    """Read a session file. Raises UnreadableError, or SessionTooNewError.

    `modified` is used as its creation time if it has none.
    """
    try:
        raw = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        files = raw.pop("files", b"null")
        document = {key: msgspec.json.decode(value) for key, value in raw.items()}
        is_legacy = "version" not in document
        if not is_legacy:
            _check_version(document["version"], session_id)
        # One by one from here on: all at once, as plain data, they need six times the memory.
        entries = msgspec.json.decode(files, type=list[msgspec.Raw])
        return Snapshot(
            _content_of(document, entries, session_id, modified, is_legacy),
            0 if is_legacy else msgspec.convert(document.get("generation"), int),
            is_legacy,
        )
    except UNREADABLE as error:
        raise UnreadableError(f"Session {session_id} cannot be read: {error}") from error


def _check_version(version: object, session_id: str) -> None:
    if msgspec.convert(version, int) > FORMAT:
        raise SessionTooNewError(
            f"Session {session_id} was written by a newer fwtui", "Resume it with that one."
        )


def _content_of(
    document: dict[str, Any],
    entries: list[msgspec.Raw],
    session_id: str,
    modified: datetime,
    is_legacy: bool,
) -> SessionContent:
    created_at = moment(document.get("created_at")) or _time_of(session_id) or local_time(modified)
    view = BatchView(settings=settings_from_keys(document))
    content = SessionContent(session_id, created_at, view)
    if is_legacy:
        document["files"] = [msgspec.json.decode(entry, type=dict[str, Any]) for entry in entries]
        jobs = _legacy_jobs(document["files"], content.file_extra)
    else:
        jobs = _jobs_of(entries, content.file_extra)
        if "settings" in document:
            sections = msgspec.convert(document["settings"], dict[str, dict[str, Any]])
            view.settings, content.settings_extra = settings_from(sections)
            content.folders = _folders(document)
    view.add(compacted(jobs))
    if len(view.jobs) != len(entries):
        raise msgspec.ValidationError("two files with the same id")
    content.temps = dict.fromkeys(_texts(document.get("temp_files")))
    content.extra = _unknown(document, _OWN | keys_from_settings(view.settings).keys())
    return content


def _jobs_of(
    entries: Iterable[msgspec.Raw], file_extra: dict[JobId, dict[str, Any]]
) -> Iterator[Job]:
    """The jobs of our own entries; puts keys that are not known into `file_extra`."""
    for entry in entries:
        try:
            job = Job(*_job_fields(_entries.decode(entry)))
        except msgspec.ValidationError:
            job = _jobs.decode(entry)
            if extra := _unknown(msgspec.json.decode(entry), _FILE):
                file_extra[job.id] = extra
        yield job


def _folders(document: dict[str, Any]) -> tuple[WatchedFolder, ...]:
    try:
        return msgspec.convert(document.get("watch", ()), tuple[WatchedFolder, ...])
    except msgspec.ValidationError as error:
        raise StorageError(
            f"The session watches a folder in an unknown way: {error}",
            "Resume it with the fwtui that wrote it, or correct its file.",
        ) from error


def _legacy_jobs(
    entries: list[dict[str, Any]], file_extra: dict[JobId, dict[str, Any]]
) -> Iterator[Job]:
    paths = [msgspec.convert(entry.get("path"), str) for entry in entries]
    rows = zip(paths, stems(paths), entries, strict=True)
    for number, (path, stem, entry) in enumerate(rows, start=1):
        if extra := _unknown(entry, _FILE):
            file_extra[number] = extra
        yield Job(number, path, stem, state_from_keys(entry))


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _unknown(entry: dict[str, Any], known: set[str]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in known}


def _time_of(session_id: str) -> datetime | None:
    try:
        return datetime.strptime(session_id[:15], ID_FORMAT)
    except ValueError:
        return None
