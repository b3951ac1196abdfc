"""The watched folders of a batch: what comes from them, and what becomes of it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from fwtui.batch.messages import AfterActionDone
from fwtui.batch.state import BatchState
from fwtui.config.fields import Value, apply
from fwtui.config.locations import Locations
from fwtui.config.overrides import to_overrides
from fwtui.core.events import AnyEvent, FoldersChanged, JobChanged, JobsAdded, JobsRemoved, Level
from fwtui.core.failure import FailureKind
from fwtui.core.job import Completed, Failed, Job, JobId, Pending, Processing
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.text import in_natural_order, printable
from fwtui.core.watched_folder import FolderStatus, WatchedFolder
from fwtui.errors import ConfigError, FwtuiError, StorageError
from fwtui.sessions.load import load
from fwtui.sessions.paths import SessionFiles
from fwtui.watch.actions import Replaced, afterwards
from fwtui.watch.folder import (
    FileRenamed,
    FilesArrived,
    FolderLogLine,
    FolderMessage,
    FolderStatusChanged,
    FolderWatch,
)
from fwtui.watch.processed import Taken, TakenLedger


def settle_left_over(
    taken: TakenLedger, sessions: Path, own: str, is_queued: Callable[[str], bool]
) -> None:
    """Bring the ledger in line with the queues: before the folder is watched. Raises StorageError.

    A file was written down before it came into the queue of its session. If it is not there, that
    was cut off, and it is forgotten, to be taken again. If its session is gone, all of that was
    done, or given up by the user.
    """
    queues: dict[str, set[str] | None] = {}

    def settled() -> Iterator[Taken]:
        for entry in taken.queued():
            if entry.session == own:
                if not is_queued(entry.path):
                    yield replace(entry, fate="forgotten")
                continue
            if entry.session not in queues:
                queues[entry.session] = _paths(sessions, entry.session)
            paths = queues[entry.session]
            if paths is None:
                yield replace(entry, fate="done")
            elif entry.path not in paths:
                yield replace(entry, fate="forgotten")

    taken.add(tuple(settled()))


def _paths(sessions: Path, session: str) -> set[str] | None:
    """The files of a session; None: there is no such session."""
    files = SessionFiles(sessions, session)
    if not files.snapshot.exists():
        return None
    try:
        return {job.path for job in load(files).content.view.jobs.values()}
    except StorageError:
        return None


JOIN_SECONDS = 5.0
TELL_SECONDS = 0.5  # how often it is told how folders are


@dataclass
class _Open:
    """A folder with its ledger and its thread; without them it cannot be watched now."""

    status: FolderStatus
    taken: TakenLedger | None = None
    watch: FolderWatch | None = None

    @property
    def folder(self) -> WatchedFolder:
        return self.status.folder


@dataclass
class Folders:
    """All methods run in the event loop, but for `close`. `post` and `settled` fill the inbox."""

    state: BatchState
    locations: Locations
    post: Callable[[FolderMessage], None]
    settled: Callable[[AfterActionDone], None]
    _open: dict[str, _Open] = field(default_factory=dict)
    _apart: set[str] = field(default_factory=set)
    _paths: dict[JobId, str] = field(default_factory=dict)
    _missed: set[str] = field(default_factory=set)  # were not there when their turn came
    _ended: list[Job] = field(default_factory=list)
    _again: set[JobId] = field(default_factory=set)  # replaced while it was worked on
    _moving: set[JobId] = field(default_factory=set)  # renamed before they were done
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _told: tuple[FolderStatus, ...] = ()

    def __post_init__(self) -> None:
        self.state.listen(self._hear)

    def __bool__(self) -> bool:
        return bool(self._open)

    @property
    def statuses(self) -> tuple[FolderStatus, ...]:
        """How they are."""
        return tuple(one.status for one in self._open.values())

    # --- which folders -------------------------------------------------------------------------

    async def watch(self, folder: WatchedFolder) -> None:
        """Begin to watch; one that is watched already is watched anew, in the way it says now.

        What is in the way is told, and leaves it in the list. Raises StorageError if the session
        cannot be written.
        """
        await self._leave(folder.path)
        if not self._open:
            self._look_at_queue()
        one = self._open[folder.path] = _Open(FolderStatus(folder=folder))
        self._keep_apart()
        await self._remember()
        try:
            one.taken = await asyncio.to_thread(
                TakenLedger.open, self.locations.watched, folder.path
            )
            if one.taken.problem:
                self.state.log(Level.ERROR, one.taken.problem)
            await asyncio.to_thread(
                settle_left_over,
                one.taken,
                self.locations.sessions,
                self.state.store.session_id,
                lambda path: self.state.queue.at(path) is not None,
            )
        except FwtuiError as error:
            one.status = replace(one.status, state="failed", problem=error.title)
            words = f"{error.title}. {error.hint}" if error.hint else error.title
            self.state.log(Level.ERROR, words)
        else:
            session = self.state.store.session_id
            one.watch = FolderWatch(
                folder, one.taken, session, self._apart, self._missed, self.post
            )
            self._take_up(one.taken)
            one.watch.start()
        self.tell()

    def _look_at_queue(self) -> None:
        """As long as there are no folders, nothing is heard of it, or kept."""
        self._paths = {job.id: job.path for job in self.state.queue}
        self._missed.clear()
        self._missed |= {job.path for job in self.state.queue if _was_missing(job)}

    async def unwatch(self, path: str) -> None:
        """Let go of a folder. Raises StorageError."""
        if path in self._open:
            await self._leave(path)
            self._keep_apart()
            await self._remember()
            self.tell()

    async def _leave(self, path: str) -> None:
        one = self._open.pop(path, None)
        if one is not None:
            await asyncio.to_thread(_end, [one])

    def close(self) -> None:
        """End all; blocks for a moment. The session still knows them."""
        _end(self._open.values())

    async def finish(self) -> None:
        """Wait for what is being done to transcribed files, but not for ever."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=JOIN_SECONDS)
        for task in self._tasks:
            task.cancel()

    async def _remember(self) -> None:
        folders = tuple(one.folder for one in self._open.values())
        if folders != self.state.store.folders:
            await self.state.watch(folders)

    def _keep_apart(self) -> None:
        """Folders that none of them looks into; the threads see the change at once."""
        folders = [one.folder for one in self._open.values()]
        own = (self.locations.state, self.locations.cache, self.locations.config)
        now = {str(text_to_path(folder.path)) for folder in folders} | {str(path) for path in own}
        now |= {str(Path(folder.target)) for folder in folders if folder.target}
        self._apart |= now
        self._apart &= now

    def tell(self) -> None:
        """Tell how they are, if that is new."""
        statuses = self.statuses
        if statuses != self._told:
            self._told = statuses
            self.state.emit(FoldersChanged(statuses))

    # --- what comes from them ------------------------------------------------------------------

    async def handle(self, news: FolderMessage | AfterActionDone) -> None:
        """Take news from a folder, or of a file that is settled. Raises StorageError."""
        match news:
            case FolderStatusChanged(status=status):
                await self._note(status)
            case FolderLogLine(level=level, text=text):
                self.state.log(level, text)
            case FilesArrived():
                await self._take(news)
            case FileRenamed(before=before, after=after):
                if (job := self.state.queue.at(before)) is not None:
                    await self._renamed(job, after)
            case AfterActionDone():
                await self._settle(news)

    async def _note(self, status: FolderStatus) -> None:
        one = self._open.get(status.folder.path)
        if one is None or one.folder is not status.folder:
            return
        before, one.status = one.status, status
        if status.problem and status.problem != before.problem:
            self.state.log(Level.WARNING, f"Watched folder: {printable(status.problem)}")
        elif before.state == "missing" and status.state in {"watching", "polling"}:
            self.state.log(Level.INFO, f"The watched folder {status.folder.path} is back")
            root = text_to_path(status.folder.path)
            await self._retry(
                job
                for job in self.state.queue
                if _was_missing(job) and job.file.is_relative_to(root)
            )

    async def _take(self, news: FilesArrived) -> None:
        one = self._open.get(news.folder)
        if one is None:
            return  # let go meanwhile: what was written down is forgotten at the next start
        settings = self._settings(one.folder)
        new, over = [], []
        for path in in_natural_order(news.files):
            job = self.state.queue.at(path)
            if job is None:
                new.append(text_to_path(path))
            elif isinstance(job.state, Processing):
                self._again.add(job.id)
            elif not isinstance(job.state, Pending):
                over.append(replace(job, state=Pending(), settings=settings))
        roots = [one.folder.path] * len(new)
        await self.state.add(new, (), roots, settings)
        await self.state.put_all(over, restart=True)
        where = printable(str(text_to_path(one.folder.path)))
        if new:
            self.state.log(Level.INFO, f"{len(new):,} new in {where}")
        for job in over:
            self.state.log(Level.INFO, f"{job.name} was replaced: it is done again", job.id)

    def _settings(self, folder: WatchedFolder) -> dict[str, Value] | None:
        """The settings of a folder's files; None: those of the batch."""
        if not folder.values:
            return None
        try:
            return to_overrides(apply(self.state.settings, folder.values))
        except ConfigError as error:
            self.state.log(Level.ERROR, f"{folder.path}: its settings are not used: {error.title}")
            return None

    async def _renamed(self, job: Job, path: str) -> None:
        """A file that is in the queue has another name."""
        await self._relocate(job, path)
        if not job.is_finished:
            self._moving.add(job.id)
        elif _was_missing(job):
            await self._retry([self.state.queue[job.id]])

    async def _relocate(self, job: Job, path: str) -> None:
        if self.state.queue.at(path) is None:
            await self.state.put(job.with_path(path))

    # --- what becomes of their files -----------------------------------------------------------

    def _hear(self, event: AnyEvent) -> None:
        """A listener of the batch."""
        if not self._open:
            return
        match event:
            case JobsAdded(jobs=jobs):
                self._paths.update((job.id, job.path) for job in jobs)
            case JobChanged(job=job):
                self._paths[job.id] = job.path
                (self._missed.add if _was_missing(job) else self._missed.discard)(job.path)
                if isinstance(job.state, Completed | Failed) and self._ledger_of(job.path):
                    self._ended.append(job)
            case JobsRemoved(ids=ids):
                gone = [self._paths.pop(job) for job in ids if job in self._paths]
                self._missed.difference_update(gone)
                self._spawn(self._give_up(gone))
            case _:
                pass

    def _ledger_of(self, path: str) -> _Open | None:
        """The watched folder that a file was taken from."""
        for one in self._open.values():
            if one.taken is not None and (entry := one.taken.at(path)) and entry.fate == "queued":
                return one
        return None

    def _take_up(self, taken: TakenLedger) -> None:
        """What ended before the last end of fwtui, and was not settled."""
        for entry in taken.queued():
            job = self.state.queue.at(entry.path)
            if job is not None and isinstance(job.state, Completed):
                self._ended.append(job)

    async def follow_up(self) -> None:
        """Go on with files that have ended. Raises StorageError."""
        ended, self._ended = self._ended, []
        for job in ended:
            now = self.state.queue.get(job.id)
            if now is None or not isinstance(now.state, Completed | Failed):
                continue
            if job.id in self._again:
                self._again.discard(job.id)
                await self.state.put_all([replace(now, state=Pending())], restart=True)
                self.state.log(Level.INFO, f"{now.name} was replaced: it is done again", now.id)
            elif isinstance(now.state, Completed):
                self._spawn(self._afterwards(now))
            elif now.id in self._moving and _was_missing(now):
                await self._retry([now])  # it was renamed before it was opened
            self._moving.discard(job.id)

    async def _retry(self, jobs: Iterable[Job]) -> None:
        done = self.state.store.done_seconds
        there = [job for job in jobs if await asyncio.to_thread(job.file.exists)]
        await self.state.put_all(replace(job, state=Pending(done(job.id))) for job in there)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _give_up(self, paths: list[str]) -> None:
        """The user took files out of the queue: they are not to come again."""
        for one in tuple(self._open.values()):
            if one.taken is not None:
                for path in paths:
                    await asyncio.to_thread(one.taken.change, path, "left")

    async def _afterwards(self, job: Job) -> None:
        """Move or tag a file whose transcript is there."""
        async with self._turn:
            one = self._ledger_of(job.path)
            entry = one.taken.at(job.path) if one is not None and one.taken is not None else None
            if one is None or entry is None:
                return
            place: str | None = None
            try:
                where = await asyncio.to_thread(afterwards, one.folder, job.file, entry.known)
                place = path_to_text(where)
            except Replaced:
                pass  # the watch takes what is there now
            except OSError as error:
                word = "moved" if one.folder.after == "move" else "tagged"
                reason = error.strerror or str(error)
                text = f"{job.name} has its transcript, but was not {word}: {reason}"
                self.state.log(Level.WARNING, text, job.id)
            self.settled(AfterActionDone(job.id, job.path, entry.identity, place))

    async def _settle(self, news: AfterActionDone) -> None:
        one, job = self._ledger_of(news.path), self.state.queue.get(news.job)
        entry = one.taken.at(news.path) if one is not None and one.taken is not None else None
        if one is None or one.taken is None or entry is None or entry.identity != news.identity:
            return  # another file is there by now
        if news.moved_to in {None, news.path}:
            await asyncio.to_thread(one.taken.change, news.path, "done")
            return
        assert news.moved_to is not None
        if job is not None:
            await self._relocate(job, news.moved_to)
        moved = replace(entry, path=news.moved_to, fate="done")
        await asyncio.to_thread(one.taken.add, [moved, replace(entry, fate="forgotten")])


def _end(folders: Iterable[_Open]) -> None:
    there = tuple(folders)
    for one in there:
        if one.watch is not None:
            one.watch.stop()
    for one in there:
        if one.watch is not None:
            one.watch.join(JOIN_SECONDS)
        if one.taken is not None:
            one.taken.close()


def _was_missing(job: Job) -> bool:
    state = job.state
    return isinstance(state, Failed) and state.failure.kind is FailureKind.FILE_MISSING
