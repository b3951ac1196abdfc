"""Watched folders of a batch: new files go into the queue, transcribed ones are moved or tagged."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from fwtui.batch.disk_wait import failure_of
from fwtui.batch.finish import recording_name, rename_written
from fwtui.batch.messages import AfterActionDone
from fwtui.batch.start_checks import check_settings
from fwtui.batch.state import BatchState
from fwtui.config.fields import Value, apply
from fwtui.config.locations import Locations
from fwtui.config.overrides import to_overrides
from fwtui.config.validate import validated
from fwtui.core.events import FoldersChanged, Level
from fwtui.core.failure import FailureKind
from fwtui.core.job import Completed, Failed, Job, JobId, Pending, Processing
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.text import in_natural_order, plural, printable
from fwtui.core.watched_folder import FolderStatus, WatchedFolder
from fwtui.errors import FwtuiError, StorageError, UsageError
from fwtui.sessions.delete import was_quarantined
from fwtui.sessions.load import load
from fwtui.sessions.session_files import SessionFiles
from fwtui.sessions.snapshot import UnreadableError
from fwtui.watch.actions import FileReplaced, apply_after_action
from fwtui.watch.folder import (
    FileRenamed,
    FilesArrived,
    FolderLogLine,
    FolderMessage,
    FolderStatusChanged,
    FolderWatch,
)
from fwtui.watch.processed import ProcessedFile, ProcessedFiles, known_path, one_folder

JOIN_SECONDS = 5.0


def reconcile(
    files: ProcessedFiles, sessions: Path, own: str, is_queued: Callable[[str], bool]
) -> None:
    """Reconcile a folder's history with sessions that ended or crashed. Raises StorageError.

    A file is recorded as queued before it is in the queue of its session. If it is not there, that
    was interrupted, and the file is forgotten, to be queued again. If the session no longer exists,
    all its files are done, or the user gave them up.
    """
    queues: dict[str, set[str] | Literal["gone", "unknown"]] = {}

    def reconciled() -> Iterator[ProcessedFile]:
        for entry in files.queued():
            if entry.session == own:
                if not is_queued(entry.path):
                    yield replace(entry, status="forgotten")
                continue
            if entry.session not in queues:
                queues[entry.session] = _queue_of(sessions, entry.session)
            match queues[entry.session]:
                case "gone":
                    yield replace(entry, status="done")
                case "unknown":
                    pass
                case queue if entry.path not in queue:
                    yield replace(entry, status="forgotten")

    files.add(tuple(reconciled()))


def _queue_of(sessions: Path, session: str) -> set[str] | Literal["gone", "unknown"]:
    """The paths in the queue of a session: none if it could not be read, and is in quarantine.

    "unknown" if it may be readable later, or with another version.
    """
    stored = SessionFiles(sessions, session)
    try:
        if not stored.exists():
            return set() if was_quarantined(stored) else "gone"
        return {job.path for job in load(stored).content.view.jobs.values()}
    except UnreadableError:
        return set()
    except StorageError:
        return "unknown"


@dataclass
class _OpenFolder:
    """A watched folder. It has neither history nor thread while it cannot be watched."""

    status: FolderStatus
    files: ProcessedFiles | None = None
    watch: FolderWatch | None = None

    @property
    def folder(self) -> WatchedFolder:
        return self.status.folder


@dataclass
class WatchedFolders:
    """The folders of one batch. All methods but `close` run in the event loop.

    `post` gets the messages of the folders' threads, `post_done` those of finished actions.
    """

    state: BatchState
    locations: Locations
    post: Callable[[FolderMessage], None]
    post_done: Callable[[AfterActionDone], None]
    _open: dict[str, _OpenFolder] = field(default_factory=dict)
    _excluded: set[str] = field(default_factory=set)  # folders; read by the threads
    _missing: set[str] = field(default_factory=set)  # files, when transcribed; read by the threads
    _paths: dict[JobId, str] = field(default_factory=dict)
    _ended: list[Job] = field(default_factory=list)
    _replaced: set[JobId] = field(default_factory=set)  # while they were transcribed
    _renamed: set[JobId] = field(default_factory=set)  # before they were done
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _action_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _emitted: tuple[FolderStatus, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._open)

    @property
    def statuses(self) -> tuple[FolderStatus, ...]:
        """The present statuses of the folders."""
        return tuple(one.status for one in self._open.values())

    # --- which folders -------------------------------------------------------------------------

    async def watch(self, folder: WatchedFolder) -> None:
        """Begin to watch a folder. One that is watched already is watched with the new options.

        A folder that cannot be watched stays in the list with its problem. Raises StorageError if
        the session cannot be written.
        """
        folder = await asyncio.to_thread(one_folder, folder, self.locations.watched)
        await self._close_folder(folder.path)
        if not self._open:
            self._read_queue()
        one = self._open[folder.path] = _OpenFolder(FolderStatus(folder=folder))
        self._update_excluded()
        await self._save()
        if folder.target:
            target = text_to_path(folder.target)
            await asyncio.to_thread(self.state.output_folders.remember, [target])
        try:
            await asyncio.to_thread(self._check, folder)
            await self._open_files(one)
        except FwtuiError as error:
            one.status = replace(one.status, state="failed", problem=error.title)
            text = f"{error.title}. {error.hint}" if error.hint else error.title
            self.state.log(Level.ERROR, text)
        else:
            assert one.files is not None
            session = self.state.store.session_id
            one.watch = FolderWatch(
                folder, one.files, session, self._excluded, self._missing, self.post
            )
            self._follow_up_later(one.files)
            one.watch.start()
        self.emit_changes()

    def _check(self, folder: WatchedFolder) -> None:
        """Raise FwtuiError if the folder's own settings cannot work with those of the batch."""
        if folder.values:
            check_settings(validated(apply(self.state.settings, folder.values)))

    async def _open_files(self, one: _OpenFolder) -> None:
        path = one.folder.path
        if one.folder.target == path:
            raise UsageError("Finished files cannot be moved to the watched folder itself")
        one.files = await asyncio.to_thread(ProcessedFiles.open, self.locations.watched, path)
        if one.files.problem:
            self.state.log(Level.ERROR, one.files.problem)
        await asyncio.to_thread(
            reconcile,
            one.files,
            self.locations.sessions,
            self.state.store.session_id,
            lambda path: self.state.queue.at(path) is not None,
        )

    def _read_queue(self) -> None:
        """Without folders, changes of the queue are not followed."""
        self._paths = {job.id: job.path for job in self.state.queue}
        self._missing.clear()
        self._missing |= {job.path for job in self.state.queue if _was_missing(job)}

    async def unwatch(self, path: str) -> None:
        """Stop watching a folder. Raises StorageError."""
        if path not in self._open:
            known = known_path(text_to_path(path), self.locations.watched)
            path = path_to_text(known)
        if path in self._open:
            await self._close_folder(path)
            self._update_excluded()
            await self._save()
            self.emit_changes()

    async def _close_folder(self, path: str) -> None:
        one = self._open.pop(path, None)
        if one is not None:
            await asyncio.to_thread(_close, [one])

    def close(self) -> None:
        """Stop watching all folders; blocks for a moment. The session keeps their list."""
        _close(self._open.values())

    async def finish(self) -> None:
        """Wait a limited time for files that are being moved or tagged."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=JOIN_SECONDS)
        for task in self._tasks:
            task.cancel()

    async def _save(self) -> None:
        folders = tuple(one.folder for one in self._open.values())
        if folders != self.state.store.folders:
            await self.state.watch(folders)

    def _update_excluded(self) -> None:
        """Exclude watched folders and fwtui's own from each other; the threads share the set."""
        folders = [one.folder for one in self._open.values()]
        own = (self.locations.state, self.locations.cache, self.locations.config)
        now = {str(text_to_path(folder.path)) for folder in folders} | {str(path) for path in own}
        now |= {str(Path(folder.target)) for folder in folders if folder.target}
        self._excluded |= now
        self._excluded &= now

    def emit_changes(self) -> None:
        """Emit the statuses if they have changed."""
        statuses = self.statuses
        if statuses != self._emitted:
            self._emitted = statuses
            self.state.emit(FoldersChanged(statuses))

    # --- new files -----------------------------------------------------------------------------

    async def handle(self, message: FolderMessage | AfterActionDone) -> None:
        """Handle a message of a folder's thread or of a finished action. Raises StorageError."""
        match message:
            case FolderStatusChanged(status=status):
                await self._set_status(status)
            case FolderLogLine(level=level, text=text):
                self.state.log(level, text)
            case FilesArrived():
                await self._queue_files(message)
            case FileRenamed(before=before, after=after):
                if (job := self.state.queue.at(before)) is not None:
                    await self._rename(job, after)
            case AfterActionDone():
                await self._record_action(message)

    async def _set_status(self, status: FolderStatus) -> None:
        one = self._open.get(status.folder.path)
        if one is None or one.folder is not status.folder:
            return
        before, one.status = one.status, status
        if status.problem and status.problem != before.problem:
            self.state.log(Level.WARNING, f"Watched folder: {printable(status.problem)}")
        elif before.state == "missing" and status.state in {"watching", "polling"}:
            self.state.log(Level.INFO, f"Watched folder available again: {status.folder.path}")
            root = text_to_path(status.folder.path)
            await self._retry(
                job
                for job in self.state.queue
                if _was_missing(job) and job.file.is_relative_to(root)
            )

    async def _queue_files(self, message: FilesArrived) -> None:
        one = self._open.get(message.folder)
        if one is None:
            return  # no longer watched: the files are forgotten by the next `reconcile`
        settings = self._settings(one.folder)
        new, replaced = [], []
        for path in in_natural_order(message.files):
            job = self.state.queue.at(path)
            if job is None:
                new.append(text_to_path(path))
            elif isinstance(job.state, Processing):
                self._replaced.add(job.id)
            elif not isinstance(job.state, Pending):
                replaced.append(replace(job, state=Pending(), settings=settings))
        roots = [one.folder.path] * len(new)
        await self.state.add(new, (), roots, settings)
        await self.state.put_all(replaced, restart=True)
        if new:
            folder = printable(str(text_to_path(one.folder.path)))
            self.state.log(Level.INFO, f"{plural(len(new), 'new file')} in {folder}")
        for job in replaced:
            self._log_replaced(job)

    def _log_replaced(self, job: Job) -> None:
        self.state.log(Level.INFO, f"{job.name} was replaced: transcribing it again", job.id)

    def _settings(self, folder: WatchedFolder) -> dict[str, Value] | None:
        """The settings for the files of a folder; None: those of the batch."""
        if not folder.values:
            return None
        try:
            return to_overrides(validated(apply(self.state.settings, folder.values)))
        except FwtuiError as error:
            text = f"{folder.path}: the folder's settings are ignored: {error.title}"
            self.state.log(Level.ERROR, text)
            return None

    async def _rename(self, job: Job, path: str) -> None:
        await self._move_job(job, path)
        moved = self.state.queue[job.id]
        if not job.is_finished:
            self._renamed.add(job.id)
        elif isinstance(moved.state, Completed):  # it was renamed just before it was done
            self._spawn(self._act_on(await rename_written(self.state, moved)))
        elif _was_missing(job):
            await self._retry([moved])

    async def _move_job(self, job: Job, path: str) -> None:
        if self.state.queue.at(path) is None:
            await self.state.put(job.with_path(path))

    # --- files in the queue --------------------------------------------------------------------

    def jobs_added(self, jobs: Iterable[Job]) -> None:
        """Remember the paths of new jobs."""
        if self._open:
            self._paths.update((job.id, job.path) for job in jobs)

    def job_changed(self, job: Job) -> None:
        """Note a job that has ended; `follow_up` handles it."""
        if not self._open:
            return
        self._paths[job.id] = job.path
        (self._missing.add if _was_missing(job) else self._missing.discard)(job.path)
        if isinstance(job.state, Completed | Failed) and self._origin(job.path):
            self._ended.append(job)

    def jobs_removed(self, ids: Iterable[JobId]) -> None:
        """Record that the user does not want these files, so that they are not queued again."""
        if self._open:
            paths = [self._paths.pop(job) for job in ids if job in self._paths]
            self._missing.difference_update(paths)
            self._spawn(self._ignore(paths))

    def _origin(self, path: str) -> _OpenFolder | None:
        """The watched folder that queued a file."""
        for one in self._open.values():
            entry = one.files.at(path) if one.files is not None else None
            if entry is not None and entry.status == "queued":
                return one
        return None

    def _follow_up_later(self, files: ProcessedFiles) -> None:
        """Note files that were completed, but neither moved nor tagged, before fwtui ended."""
        for entry in files.queued():
            job = self.state.queue.at(entry.path)
            if job is not None and isinstance(job.state, Completed):
                self._ended.append(job)

    async def follow_up(self) -> None:
        """Handle files that have ended. Raises StorageError."""
        ended, self._ended = self._ended, []
        for job in ended:
            now = self.state.queue.get(job.id)
            if now is None or not isinstance(now.state, Completed | Failed):
                continue
            if job.id in self._replaced:
                self._replaced.discard(job.id)
                await self.state.put_all([replace(now, state=Pending())], restart=True)
                self._log_replaced(now)
            elif isinstance(now.state, Completed):
                self._spawn(self._act_on(now))
            elif now.id in self._renamed and _was_missing(now):
                await self._retry([now])  # it was renamed before it was opened
            self._renamed.discard(job.id)

    async def _retry(self, jobs: Iterable[Job]) -> None:
        done = self.state.store.done_seconds
        present = [job for job in jobs if await asyncio.to_thread(job.file.exists)]
        await self.state.put_all(replace(job, state=Pending(done(job.id))) for job in present)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended_task)

    def _ended_task(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, FwtuiError | OSError):  # of the history, or of the session
            failure = failure_of(error, self.locations.watched)
            self.state.log(Level.ERROR, f"Watched folders: {failure}")
        elif error is not None:
            raise error

    async def _ignore(self, paths: list[str]) -> None:
        for one in tuple(self._open.values()):
            if one.files is not None:
                for path in paths:
                    await asyncio.to_thread(one.files.set_status, path, "left")

    async def _act_on(self, job: Job) -> None:
        """Move or tag a file whose transcript is complete."""
        async with self._action_lock:
            one = self._origin(job.path)
            entry = one.files.at(job.path) if one is not None and one.files is not None else None
            if one is None or entry is None:
                return
            moved_to: str | None = None
            target = text_to_path(one.folder.target)
            try:
                if one.folder.target and (
                    missing := await asyncio.to_thread(self.state.output_folders.missing, target)
                ):
                    text = f"{job.name} was transcribed but not moved yet: {missing.title}"
                    self.state.log(Level.WARNING, text, job.id)
                    return  # it is moved when the folder is watched again
                name = recording_name(self.state, job)
                path = await asyncio.to_thread(
                    apply_after_action, one.folder, job.file, entry.known, name
                )
                moved_to = path_to_text(path)
            except FileReplaced:
                pass  # the folder's thread will find the new file
            except FileNotFoundError:
                return  # it was deleted; or renamed, which the folder's thread will tell
            except OSError as error:
                action = "moved" if one.folder.after == "move" else "tagged"
                reason = error.strerror or str(error)
                text = f"{job.name} was transcribed but could not be {action}: {reason}"
                self.state.log(Level.WARNING, text, job.id)
            self.post_done(AfterActionDone(job.id, job.path, entry.identity, moved_to))

    async def _record_action(self, message: AfterActionDone) -> None:
        one, job = self._origin(message.path), self.state.queue.get(message.job)
        entry = one.files.at(message.path) if one is not None and one.files is not None else None
        if one is None or one.files is None or entry is None or entry.identity != message.identity:
            return  # another file is at this path by now
        if message.moved_to is None or message.moved_to == message.path:
            await asyncio.to_thread(one.files.set_status, message.path, "done")
            return
        if job is not None:
            await self._move_job(job, message.moved_to)
        moved = replace(entry, path=message.moved_to, status="done")
        await asyncio.to_thread(one.files.add, [moved, replace(entry, status="forgotten")])


def _close(folders: Iterable[_OpenFolder]) -> None:
    present = tuple(folders)
    for one in present:
        if one.watch is not None:
            one.watch.stop()
    for one in present:
        if one.watch is not None:
            one.watch.join(JOIN_SECONDS)
        if one.files is not None:
            one.files.close()


def _was_missing(job: Job) -> bool:
    state = job.state
    return isinstance(state, Failed) and state.failure.kind is FailureKind.FILE_MISSING
