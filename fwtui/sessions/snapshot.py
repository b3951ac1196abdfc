"""The session file: the keys of the reference document, our own, and unknown ones."""

import contextlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from operator import attrgetter
from typing import Annotated, Any

import msgspec

from fwtui.core.job import Completed, Failed, Job, JobId, state_name
from fwtui.core.text import plural
from fwtui.core.view import BatchView
from fwtui.core.watched_folder import WatchedFolder
from fwtui.disk.codec import UNREADABLE, clean, encode_checked
from fwtui.errors import SessionTooNewError, StorageError
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
_OWN |= {"watch", "journal", "checksum"}
_TIMES = ("started_at", "completed_at")
_FILE = {"path", "status", "error", "output_path", *_TIMES}
_FILE |= {"progress", *Job.__struct_encode_fields__}
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

VERSION = 1


class UnreadableError(StorageError):
    """A session file that cannot be read."""


# The last line. Anything before it is what the checksum is of.
_CHECKSUM = re.compile(rb',\n  "checksum": "([0-9a-f]{8})"\n}\n\Z')
_CHECKSUM_LENGTH = 29  # bytes
# Nobody's own keys are deeper, and all that recurses through them is safe.
_DEEPEST = 100


class JournalPosition(msgspec.Struct, frozen=True):
    """How much of the journal of `generation` the snapshot includes: its first `end` bytes."""

    generation: int
    end: Annotated[int, msgspec.Meta(ge=0)]


class Snapshot(msgspec.Struct, frozen=True):
    """A parsed session file. `is_legacy`: the earlier program wrote it; it has no journal.

    `journal_end`: the bytes of its journal that it includes, 0 if that is not known. `written_id`:
    the session id in it. `problem`: what is wrong with it, for people; `has_settings`: they could
    be read.
    """

    content: SessionContent
    generation: int
    is_legacy: bool
    journal_end: int = 0
    written_id: str = ""
    problem: str = ""
    has_settings: bool = True


def encode_snapshot(
    content: SessionContent,
    generation: int,
    progress: dict[JobId, FileProgress],
    journal_end: Callable[[], int] = lambda: 0,
) -> Iterator[bytes]:
    """The session file in pieces, with one line for each file of the batch and a checksum.

    `journal_end` gives the length of the journal that the content includes.
    """
    checksum = 0
    for piece in _pieces(content, JournalPosition(generation, journal_end()), progress):
        checksum = zlib.crc32(piece, checksum)
        yield piece
    yield b',\n  "checksum": "%08x"\n}\n' % checksum


def is_unchanged(data: bytes | memoryview) -> bool | None:
    """Whether a session file is what was written, by its checksum; None: it has none."""
    found = _CHECKSUM.search(bytes(data[-_CHECKSUM_LENGTH:]))
    if found is None:
        return None
    return zlib.crc32(data[: len(data) - _CHECKSUM_LENGTH]) == int(found[1], 16)


def _pieces(
    content: SessionContent, position: JournalPosition, progress: dict[JobId, FileProgress]
) -> Iterator[bytes]:
    head = msgspec.json.encode(clean(msgspec.to_builtins(_head(content, position))))
    yield msgspec.json.format(head, indent=2)[:-2]
    yield b',\n  "files": ['
    comma = b"\n    "
    for job in content.view.jobs.values():
        entry = _entry(job, progress.get(job.id)) | content.file_extra.get(job.id, {})
        yield comma + encode_checked(entry, _jobs)
        comma = b",\n    "
    yield b'\n  ],\n  "temp_files": ' + msgspec.json.encode(clean(list(content.temps)))


def _head(content: SessionContent, position: JournalPosition) -> dict[str, Any]:
    watch = {"watch": content.folders} if content.folders else {}
    return {
        "session_id": content.session_id,
        "created_at": content.created_at,
        **keys_from_settings(content.view.settings),
        **content.extra,
        "version": VERSION,
        "generation": position.generation,
        "journal": position,
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
    for field in _FIELDS:
        if field.encode_name not in entry and (value := getattr(job, field.name)) != field.default:
            entry[field.encode_name] = value
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
        generation = 0 if is_legacy else msgspec.convert(document.get("generation"), int)
        content = _content_of(document, entries, session_id, modified, is_legacy)
        _check_depth(content)
        return Snapshot(
            content,
            generation,
            is_legacy,
            journal_end(document, generation),
            written_id(document) or session_id,
        )
    except UNREADABLE as error:
        raise UnreadableError(f"Session {session_id} cannot be read: {error}") from error


def journal_end(document: dict[str, Any], generation: int) -> int:
    """How much of its journal a session file includes.

    An earlier version keeps the key, but not up to date; then its generation is another one.
    """
    try:
        position = msgspec.convert(document.get("journal"), JournalPosition)
    except msgspec.ValidationError:
        return 0
    return position.end if position.generation == generation else 0


def written_id(document: dict[str, Any]) -> str:
    """The session id in a session file; empty if there is none."""
    found = document.get("session_id")
    return found if isinstance(found, str) else ""


def _check_depth(content: SessionContent) -> None:
    """Raise ValidationError for values of unknown keys that are nested absurdly deep."""
    strange = [content.extra, content.settings_extra, *content.file_extra.values()]
    for job in content.view.jobs.values():
        strange += filter(None, (job.settings, getattr(job.state, "used", None)))
    if any(_is_deeper(value, _DEEPEST) for value in strange):
        raise msgspec.ValidationError("nested too deep")


def _is_deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in items)


def _check_version(version: object, session_id: str) -> None:
    if msgspec.convert(version, int) > VERSION:
        raise SessionTooNewError(
            f"Session {session_id} was written by a newer fwtui", "Resume it with that one."
        )


def salvaged_snapshot(data: bytes | memoryview, session_id: str, modified: datetime) -> Snapshot:
    """What can be read of a damaged session file: its entries and, if possible, its settings."""
    data = bytes(data)
    head, _, _ = data.partition(b'\n  "files": [')
    try:
        document = msgspec.json.decode(head.rstrip(b", \n") + b"\n}", type=dict[str, Any])
        content = _content_of({**document, "temp_files": []}, [], session_id, modified, False)
        _check_depth(content)
    except (StorageError, *UNREADABLE):
        created_at = _time_of(session_id) or local_time(modified)
        document, content = {}, SessionContent(session_id, created_at, BatchView())
    jobs: dict[JobId, Job] = {}
    for start, end in pairwise([*(m.start() for m in _ENTRY.finditer(data)), len(data)]):
        line = data[start:end].partition(b"\n")[0]
        with contextlib.suppress(*UNREADABLE):
            job = _jobs.decode(line[: line.rfind(b"}") + 1])
            number = max(jobs) + 1 if job.id in jobs else job.id
            jobs[number] = msgspec.structs.replace(job, id=number)
    content.view.add(compacted(jobs.values()))
    found = plural(len(jobs), "file")
    return Snapshot(
        content,
        0,
        is_legacy=False,
        written_id=written_id(document),
        problem=f"its session file is damaged: {found} could be read from it",
        has_settings="settings" in document,
    )


_ENTRY = re.compile(rb'\{"path":')


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
