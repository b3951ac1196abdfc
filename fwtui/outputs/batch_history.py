"""The history of batches: what was transcribed when, how, and where the transcripts are.

It has no text of any transcript. Batches and files that are written again replace what was known
of them; the counts of a batch stay when files are removed because there are too many.
"""

# ruff: noqa: S608 - only conditions and names of our own are put into statements

import contextlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from fwtui.config.overrides import to_overrides
from fwtui.core.job import Cancelled, Completed, Failed, Job, JobId
from fwtui.core.languages import LANGUAGES
from fwtui.core.settings import Settings
from fwtui.core.text import valid_unicode
from fwtui.disk.codec import clean
from fwtui.disk.lock import holder_of
from fwtui.errors import StorageError
from fwtui.outputs.history_file import EARLIER, HistoryFile, searched_text

if TYPE_CHECKING:
    import sqlite3

MOST_FILES = 200_000
MOST_BATCHES = 20_000
_PORTION = 500  # files that are written in one transaction: it keeps other fwtuis waiting

Ending = Literal["", "finished", "stopped", "failed"]
FILE_STATES = ("done", "check", "checked", "failed", "cancelled")
_STATES = {
    "": "",
    "done": "state = 'done'",
    "check": "state = 'done' and findings + warnings > 0 and checked is null",
    "checked": "checked is not null",
    "failed": "state = 'failed'",
    "cancelled": "state = 'cancelled'",
}


class BatchUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of a batch. `ended` is None while it runs, `ending` is empty until its end.

    `jobs` are files that have finished since; `seconds` is how long the batch has worked since.
    `total`, `skipped` and `waiting` are numbers of files.
    """

    session: str
    started: datetime
    settings: Settings
    total: int = 0
    skipped: int = 0
    waiting: int = 0
    seconds: float = 0.0
    ended: datetime | None = None
    ending: Ending = ""
    problem: str = ""
    exit_code: int | None = None
    jobs: tuple[Job, ...] = ()


class BatchEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of the history. Times are UTC; `audio` and `seconds` are durations.

    `ending`: empty if it was interrupted, or has not ended. `settings` differ from the defaults, by
    `section.name`. `session_kept`: its session still exists; `running`: a fwtui has it.
    """

    number: int
    id: str
    started: datetime
    ended: datetime | None
    ending: str
    problem: str
    exit_code: int | None
    model: str
    folder: str
    settings: dict[str, Any]
    total: int
    done: int
    to_check: int
    failed: int
    cancelled: int
    skipped: int
    waiting: int
    audio: float
    seconds: float
    session_kept: bool = False
    running: bool = False

    @property
    def is_earlier(self) -> bool:
        """Whether it stands for all files from before there was a history of batches."""
        return self.id == EARLIER

    @property
    def end_text(self) -> str:
        """How it ended, in a word or two."""
        if self.running and not self.ending:
            return "running"
        if self.session_kept and not self.running:
            return "unfinished"
        if self.is_earlier:
            return "before there was a history"
        ends = {"finished": "finished", "stopped": "stopped", "failed": "could not continue"}
        return ends.get(self.ending, "interrupted")


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the history. `path` and `outputs` as by `path_to_text`.

    `state` is done, failed or cancelled; `reason` says why it failed. `audio` and `work` are
    seconds, `findings` and `warnings` numbers. `settings`: those that differ from the defaults, if
    they are not those of its batch. `checked`: when somebody marked the transcript as checked.
    """

    number: int
    batch: str
    path: str
    track: int
    state: str
    at: datetime
    reason: str
    audio: float
    work: float
    speed: float | None
    language: str
    model: str
    settings: dict[str, Any] | None
    findings: int
    warnings: int
    outputs: tuple[str, ...]
    checked: datetime | None

    @property
    def to_check(self) -> bool:
        """Whether somebody should check the transcript, and has not said to have done it."""
        return self.state == "done" and bool(self.findings + self.warnings) and not self.checked

    @property
    def state_text(self) -> str:
        """Its state, as the queue shows it, with the mark of the history."""
        if self.checked is not None:
            return f"{self.state} · checked"
        return f"{self.state} · check" if self.to_check else self.state


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which files: all `words` are in the path, model or language; `model` in the model's name.

    `state` is one of `FILE_STATES`, `batch` the number of one.
    """

    words: tuple[str, ...] = ()
    since: datetime | None = None
    model: str = ""
    state: str = ""
    batch: int | None = None

    @property
    def asks_for_files(self) -> bool:
        """Whether it asks for single files rather than for batches."""
        return bool(self.words or self.state or self.batch is not None)


class Cleared(msgspec.Struct, frozen=True):
    """How many batches and files were removed from the history."""

    batches: int
    files: int


class HistoryStore:
    """The history of batches in the state folder `state`; blocks on the disk.

    All methods raise StorageError, DamagedHistoryError if the database is damaged. Where there is
    no database, the history is empty.
    """

    def __init__(self, state: Path) -> None:
        self.file = HistoryFile(state)
        self._sessions = state / "sessions"

    # --- what a batch writes -------------------------------------------------------------------

    def write(self, update: BatchUpdate) -> None:
        """Write what has become of a batch. Writing the same again changes nothing, except that
        `seconds` are added; those are added only if all was written.
        """
        portions = list(_portions(update.jobs)) or [()]
        for number, jobs in enumerate(portions, 1):
            with self.file.batches(change=True) as db:
                batch = _batch_of(db, update)
                _put_files(db, batch, jobs, update.settings)
                if number == len(portions):
                    _put_batch(db, batch, update)

    def missing(self, session: str, jobs: Iterable[Job]) -> tuple[Job, ...]:
        """Those of the finished jobs of a session that the history does not have."""
        with self.file.batches() as db:
            rows = db.execute(
                "select job, f.at from files f join batches b on b.number = f.batch"
                " where b.session = ? and b.deleted = 0",
                (session,),
            )
            known: dict[JobId, str] = dict(rows.fetchall())
        return tuple(job for job in jobs if known.get(job.id) != _finished_at(job))

    def session_deleted(self, session: str) -> None:
        """Record that a session is over: another one with its id is another batch."""
        with self.file.batches(change=True) as db:
            db.execute("update batches set deleted = 1 where session = ?", (session,))

    # --- what people ask for -------------------------------------------------------------------

    def batch_numbers(self, query: HistoryQuery = HistoryQuery()) -> Sequence[int]:  # noqa: B008
        """The numbers of the batches that have such files, the last first; of all by default."""
        condition, values = "1", list[object]()
        if query.since is not None:
            condition += " and coalesce(ended, started) >= ?"
            values.append(_time(query.since))
        of_files = msgspec.structs.replace(query, since=None, batch=None)
        if of_files != HistoryQuery():
            inner, inner_values = _condition(of_files)
            condition += f" and exists (select 1 from files where batch = b.number and {inner})"
            values += inner_values
        return self._numbers(
            f"select number from batches b where {condition}"
            " order by ended is null desc, coalesce(ended, started) desc, number desc",
            values,
        )

    def file_numbers(self, query: HistoryQuery) -> Sequence[int]:
        """The numbers of such files: of one batch in their order, else the last first."""
        condition, values = _condition(query)
        order = "at desc, number desc" if query.batch is None else "number"
        return self._numbers(f"select number from files where {condition} order by {order}", values)

    def _numbers(self, statement: str, values: Sequence[object]) -> Sequence[int]:
        if not self._exists:
            return array("q")
        with self.file.batches() as db:
            return array("q", (number for (number,) in db.execute(statement, values)))

    def batches(self, numbers: Iterable[int]) -> list[BatchEntry]:
        """The batches with these numbers, in this order; those that are gone are left out."""
        rows = self._rows("batches", numbers)
        return [self._batch(row) for row in rows]

    def files(self, numbers: Iterable[int]) -> list[FileEntry]:
        """The files with these numbers, in this order; those that are gone are left out."""
        return [_file(row) for row in self._rows("files", numbers)]

    def find(self, batch_id: str) -> BatchEntry | None:
        """The batch with this id."""
        if not self._exists:
            return None
        with self.file.batches() as db:
            found = db.execute("select number from batches where id = ?", (batch_id,)).fetchone()
        return next(iter(self.batches(found)), None) if found else None

    def ids(self) -> list[str]:
        """The ids of all batches, the last first."""
        return [one.id for one in self.batches(self.batch_numbers())]

    @property
    def _exists(self) -> bool:
        try:
            return self.file.exists
        except OSError as error:
            raise StorageError(f"Cannot read {self.file.path}: {error.strerror}") from error

    def _rows(self, table: str, numbers: Iterable[int]) -> Iterator[dict[str, Any]]:
        wanted = list(numbers)
        if not wanted or not self._exists:
            return
        of_batch = ", (select id from batches where number = batch) as batch_id"
        columns = f"*{of_batch if table == 'files' else ''}"
        found: dict[int, dict[str, Any]] = {}
        with self.file.batches() as db:
            for some in _portions(wanted):
                marks = ", ".join("?" * len(some))
                rows = db.execute(f"select {columns} from {table} where number in ({marks})", some)
                names = [column[0] for column in rows.description]
                found |= {row[0]: dict(zip(names, row, strict=True)) for row in rows}
        yield from (found[number] for number in wanted if number in found)

    def _batch(self, row: dict[str, Any]) -> BatchEntry:
        session = row["session"]
        kept = bool(session) and not row["deleted"] and self._has_session(session)
        lock = self._sessions / f"{session}.lock"
        values = {name: row[name] for name in BatchEntry.__struct_fields__ if name in row}
        values |= {
            "started": _datetime(row["started"]),
            "ended": row["ended"] and _datetime(row["ended"]),
            "settings": _decoded(row["settings"], dict[str, Any], {}),
            "session_kept": kept,
            "running": kept and _is_locked(lock),
        }
        return BatchEntry(**values)

    def _has_session(self, session: str) -> bool:
        try:
            return (self._sessions / f"{session}.json").exists()
        except OSError:
            return False

    # --- what people change --------------------------------------------------------------------

    def set_checked(self, numbers: Iterable[int], when: datetime | None) -> None:
        """Mark files as checked, or not."""
        at = None if when is None else _time(when)
        with self.file.batches(change=True) as db:
            for number in numbers:
                known = "select batch, findings + warnings, checked from files where number = ?"
                found = db.execute(f"{known} and state = 'done'", (number,)).fetchone()
                if found is None:
                    continue
                db.execute("update files set checked = ? where number = ?", (at, number))
                if found[1] and (found[2] is None) != (at is None):
                    change = 1 if at is None else -1
                    counted = "update batches set to_check = to_check + ? where number = ?"
                    db.execute(counted, (change, found[0]))

    def checked_files(self, session: str) -> frozenset[tuple[str, int]]:
        """Path and track of each file of a session that is marked as checked."""
        if not self._exists:
            return frozenset()
        with self.file.batches() as db:
            rows = db.execute(
                "select path, track from files f join batches b on b.number = f.batch"
                " where b.session = ? and b.deleted = 0 and checked is not null",
                (session,),
            )
            return frozenset(rows.fetchall())

    def known_files(self) -> int:
        """How many transcribed files are known for `if_exists` and watched folders."""
        if not self._exists:
            return 0
        with self.file.batches() as db:
            known = "select 1 from sqlite_master where type = 'table' and name = 'transcribed'"
            if not db.execute(known).fetchone():
                return 0
            (count,) = db.execute("select count(*) from transcribed").fetchone()
            return int(count)

    def clear(self, before: datetime | None = None) -> Cleared:
        """Remove all batches and files, or those that ended `before`; nothing of them is left in
        the database. What is known of transcribed files for `if_exists` stays.
        """
        if not self._exists:
            return Cleared(0, 0)
        import sqlite3

        with self.file.batches() as db:
            db.execute("pragma secure_delete = on")  # overwritten with zeros
            db.execute("begin immediate")
            at = "~" if before is None else _time(before)
            old = "select number from batches where coalesce(ended, started) < ?"
            files = db.execute(f"delete from files where at < ? or batch in ({old})", (at, at))
            batches = db.execute("delete from batches where coalesce(ended, started) < ?", (at,))
            db.execute("commit")
            with contextlib.suppress(sqlite3.Error):  # it needs room
                db.execute("vacuum")
            return Cleared(batches.rowcount, files.rowcount)


Item = TypeVar("Item")


def _portions(items: Iterable[Item]) -> Iterator[tuple[Item, ...]]:
    rest = iter(items)
    while portion := tuple(islice(rest, _PORTION)):
        yield portion


def _condition(query: HistoryQuery) -> tuple[str, list[object]]:
    conditions, values = ["1"], list[object]()
    if query.batch is not None:
        conditions.append("batch = ?")
        values.append(query.batch)
    for word in query.words:
        conditions.append("instr(words, ?) > 0")
        values.append(valid_unicode(word).casefold())
    if query.since is not None:
        conditions.append("at >= ?")
        values.append(_time(query.since))
    if query.model:
        conditions.append("instr(lower(model), lower(?)) > 0")
        values.append(valid_unicode(query.model))
    if query.state:
        conditions.append(_STATES[query.state])
    return " and ".join(conditions), values


# --- writing a batch ---------------------------------------------------------------------------


def _batch_of(db: "sqlite3.Connection", update: BatchUpdate) -> int:
    """The number of the batch of a session, which is made if need be."""
    session = update.session
    known = "select number from batches where session = ? and deleted = 0 order by number desc"
    if found := db.execute(known, (session,)).fetchone():
        return int(found[0])
    name, count = session, 1
    while db.execute("select 1 from batches where id = ?", (name,)).fetchone():
        count += 1
        name = f"{session}.{count}"
    made = db.execute(
        "insert into batches (id, session, started) values (?, ?, ?)",
        (name, session, _time(update.started)),
    )
    number = made.lastrowid or 0
    db.execute("delete from files where batch <= ?", (number - MOST_BATCHES,))
    db.execute("delete from batches where number <= ?", (number - MOST_BATCHES,))
    return number


def _put_batch(db: "sqlite3.Connection", batch: int, update: BatchUpdate) -> None:
    output = update.settings.output
    values = {
        "ended": None if update.ended is None else _time(update.ended),
        "ending": update.ending,
        "problem": valid_unicode(update.problem),
        "exit_code": update.exit_code,
        "model": valid_unicode(update.settings.model.model),
        "folder": valid_unicode(output.output_dir) if output.output_layout != "source" else "",
        "settings": _encoded(to_overrides(update.settings)),
        "total": update.total,
        "skipped": update.skipped,
        "waiting": update.waiting,
    }
    changes = ", ".join(f"{name} = ?" for name in values)
    db.execute(
        f"update batches set {changes}, seconds = seconds + ? where number = ?",
        (*clean(values).values(), clean(update.seconds), batch),
    )


def _put_files(
    db: "sqlite3.Connection", batch: int, jobs: Iterable[Job], settings: Settings
) -> None:
    counts, last = dict.fromkeys(_COUNTED, 0.0), 0
    for job in jobs:
        values = _values(job, settings)
        known = db.execute(
            "select number, path, at, state, findings, warnings, audio, checked from files"
            " where batch = ? and job = ?",
            (batch, job.id),
        ).fetchone()
        if known is not None and values["path"] != known[1] and values["at"] != known[2]:
            # The id of a file that was removed from the queue was given to another one.
            db.execute("update files set job = null where number = ?", (known[0],))
            known = None
        same = known is not None and values["at"] == known[2]
        _count(counts, {**values, "checked": known[7] if same else None}, 1)
        if known is None:
            columns, marks = ", ".join(values), ", ".join("?" * len(values))
            made = db.execute(
                f"insert into files (batch, job, {columns}) values (?, ?, {marks})",
                (batch, job.id, *values.values()),
            )
            last = made.lastrowid or 0
            continue
        names = ("state", "findings", "warnings", "audio", "checked")
        _count(counts, dict(zip(names, known[3:], strict=True)), -1)
        changes = ", ".join(f"{name} = ?" for name in values)
        if not same:  # another transcript
            changes += ", checked = null"
        db.execute(f"update files set {changes} where number = ?", (*values.values(), known[0]))
    if changed := {name: count for name, count in counts.items() if count}:
        changes = ", ".join(f"{name} = {name} + ?" for name in changed)
        db.execute(f"update batches set {changes} where number = ?", (*changed.values(), batch))
    db.execute("delete from files where number <= ?", (last - MOST_FILES,))


_COUNTED = ("done", "to_check", "failed", "cancelled", "audio")


def _count(counts: dict[str, float], file: dict[str, Any], sign: int) -> None:
    """Count a file of a batch in or out."""
    counts[file["state"]] += sign
    if file["state"] == "done":
        counts["to_check"] += sign * (
            file["findings"] + file["warnings"] > 0 and not file["checked"]
        )
        counts["audio"] += sign * file["audio"]


def _values(job: Job, settings: Settings) -> dict[str, Any]:
    """The columns of a finished file."""
    used = job.settings
    values: dict[str, Any] = {"path": job.path, "track": job.track, "at": _finished_at(job)}
    match job.state:
        case Completed() as done:
            used = done.used if done.used is not None else used
            values |= {
                "state": "done",
                "audio": done.audio_seconds,
                "work": done.work_seconds,
                "speed": done.speed,
                "language": done.language,
                "findings": len(done.findings),
                "warnings": len(done.warnings),
                "outputs": _encoded(done.outputs),
            }
        case Failed(failure=failure):
            reason = valid_unicode(failure.beside(job.name))
            values |= {"state": "failed", "audio": job.duration, "reason": reason}
        case _:
            values |= {"state": "cancelled", "audio": job.duration}
    of_batch = to_overrides(settings)
    model = (of_batch if used is None else used).get("model.model", Settings().model.model)
    language = values.get("language", "")
    others = (valid_unicode(str(model)), language, LANGUAGES.get(language, ""))
    row = {
        **_BLANK,
        **values,
        "model": others[0],
        "settings": _encoded(used) if used is not None and used != of_batch else None,
        "words": searched_text(job.path, *others),
    }
    cleaned: dict[str, Any] = clean(row)  # SQLite has neither lone surrogates nor NaN
    return cleaned


_BLANK = {
    "reason": "",
    "work": 0.0,
    "speed": None,
    "language": "",
    "findings": 0,
    "warnings": 0,
    "outputs": "[]",
}


def _finished_at(job: Job) -> str:
    state = job.state
    assert isinstance(state, Completed | Failed | Cancelled)
    return _time(state.completed_at)


# --- values of columns -------------------------------------------------------------------------


def _time(when: datetime) -> str:
    """A time as text that sorts. Without a zone it is local."""
    return when.astimezone(UTC).isoformat(timespec="microseconds")


def _datetime(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def _encoded(value: object) -> str:
    return msgspec.json.encode(clean(msgspec.to_builtins(value))).decode()


def _decoded(text: str, kind: Any, default: Any) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return default


def _file(row: dict[str, Any]) -> FileEntry:
    values = {name: row[name] for name in FileEntry.__struct_fields__}
    return FileEntry(
        **values
        | {
            "batch": row["batch_id"] or "",
            "at": _datetime(row["at"]),
            "settings": row["settings"] and _decoded(row["settings"], dict[str, Any], None),
            "outputs": _decoded(row["outputs"], tuple[str, ...], ()),
            "checked": row["checked"] and _datetime(row["checked"]),
        }
    )


def _is_locked(lock: Path) -> bool:
    try:
        return holder_of(lock) is not None
    except StorageError:
        return False
