"""The state of a batch: queue, session on disk and listeners, changed as one.

Every change is durable before it is shown. All methods run in the event loop; what waits for the
disk runs in a thread meanwhile.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import chain, islice, zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from fwtui.batch.batch_inputs import BatchInputs
from fwtui.batch.discovery import Problem
from fwtui.batch.link import Listener
from fwtui.batch.output_folders import OutputFolders
from fwtui.batch.queue import Queue, put_back
from fwtui.batch.session_outputs import transcript_of_outputs
from fwtui.config.overrides import from_overrides
from fwtui.core.attribution import by_channel, with_speakers
from fwtui.core.disk_errors import reason_of
from fwtui.core.events import (
    AnyEvent,
    DurableChange,
    JobChanged,
    JobsAdded,
    JobsRemoved,
    Level,
    LogLine,
    SegmentsFound,
    SegmentsReset,
    SettingsChanged,
)
from fwtui.core.failure import Failure
from fwtui.core.job import AudioTrack, Cancelled, Completed, Failed, Job, JobId, MediaInfo, Pending
from fwtui.core.paths import StrPath, expand_home, path_to_text, text_to_path
from fwtui.core.redact import redacted
from fwtui.core.segment import Segment, Transcript
from fwtui.core.session import FilePlan, WindowResult
from fwtui.core.settings import Settings
from fwtui.core.speakers import labels_of
from fwtui.core.text import text_so_far, valid_unicode
from fwtui.core.view import JobCounts
from fwtui.core.voices import SpeakerGroup, SpeakerTurns
from fwtui.core.watched_folder import WatchedFolder
from fwtui.errors import FwtuiError
from fwtui.outputs.history import TranscriptionHistory
from fwtui.outputs.naming import Names, Naming
from fwtui.outputs.reserved import NameReservation, names_of_other_sessions
from fwtui.sessions.store import SessionStore

PORTION = 1000  # files that are added or changed in one write
MOST_LOGGED = 5  # lines in the log about files of one kind

logger = logging.getLogger(__name__)


def now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


class _NewFile(Struct, frozen=True):
    """A file to add, one that cannot be read, or a link with the path of its future file."""

    path: StrPath
    root: str = ""
    failure: Failure | None = None
    source: str | None = None


def _with_length(lengths: Mapping[str, float], job: Job) -> Job:
    """The job with its length, if that was measured before: a client may say anything."""
    seconds = lengths.get(job.path, 0.0)
    is_length = isinstance(job.state, Pending) and 0 < seconds < math.inf
    return replace(job, media=MediaInfo(seconds)) if is_length else job


class BatchState:
    """Queue, settings and session of a batch; only `commit` changes what is in them."""

    def __init__(self, store: SessionStore) -> None:
        self.store = store
        self.view = store.view
        self.queue = Queue(self.view)
        self.inputs = BatchInputs(self.queue)
        self.history = TranscriptionHistory(store.directory.parent)
        self.output_folders = OutputFolders(store)
        # Called with each change before the listeners, for work that depends on it.
        self.on_commit: Callable[[DurableChange], None] = lambda _: None
        self._committing = asyncio.Lock()
        self._listeners: list[Listener] = []
        self._broken: list[Listener] = []

    @property
    def settings(self) -> Settings:
        """The settings of the batch."""
        return self.view.settings

    @property
    def counts(self) -> JobCounts:
        """Files by state, and seconds of audio."""
        return self.view.counts

    def use_settings_of_user(self, own: Settings) -> None:
        """Use the sections of `own` that a session does not keep."""
        self.view.settings = self.view.settings.with_user_settings_of(own)

    async def commit(self, *changes: DurableChange) -> None:
        """Make changes durable, in one write, then apply and show them.

        Raises StorageError; nothing has changed then.
        """
        async with self._committing:
            changes = tuple(map(self._with_text_seconds, changes))
            await asyncio.to_thread(self.store.append, changes)
            for change in changes:
                before = self.queue.get(change.job.id) if isinstance(change, JobChanged) else None
                self.queue.apply(change)
                self.on_commit(change)
                self.emit(change)
                self._mention_text(change, before)
            self._tell_notices()

    def _with_text_seconds(self, change: DurableChange) -> DurableChange:
        """The change, with how much of a failed or cancelled file has a text."""
        match change:
            case JobChanged(job=Job(id=job_id, state=Failed() | Cancelled() as state) as job):
                seconds = self.store.done_seconds(job_id)
                return JobChanged(replace(job, state=replace(state, done_seconds=seconds)))
            case _:
                return change

    def _mention_text(self, change: DurableChange, before: Job | None) -> None:
        """Say where the text of a file is that has just failed or was cancelled."""
        if not isinstance(change, JobChanged) or not isinstance(
            change.job.state, Failed | Cancelled
        ):
            return
        job, session = change.job, self.store.session_id
        ended = before is None or not isinstance(before.state, Failed | Cancelled)
        if ended and (text := text_so_far(job.text_seconds, session, job.name)):
            self.log(Level.INFO, f"{job.name}: {text}", job.id)

    # --- listeners -----------------------------------------------------------------------------

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; returns what removes it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def emit(self, event: AnyEvent) -> None:
        """Pass an event to all listeners. One that fails is logged once."""
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:  # third-party listeners must not break a long-running batch
                if listener not in self._broken:
                    self._broken.append(listener)
                    logger.exception("a listener failed")
                    self.log(Level.ERROR, f"A listener of the batch failed: {listener}")

    def log(self, level: Level, text: str, job: JobId | None = None) -> None:
        """Emit a line for the log, without secrets."""
        self.emit(LogLine(now(), level, redacted(valid_unicode(text)), job))

    # --- jobs ----------------------------------------------------------------------------------

    def naming(self, settings: Settings) -> Naming:
        """Names of outputs by these settings."""
        return Naming(settings, f"{self.store.created_at:%Y-%m-%d}")

    def names_of(self, job: Job) -> Names:
        """The names that a job's outputs would have if nobody else used them."""
        settings = self.settings if job.settings is None else from_overrides(job.settings)
        return self.naming(settings).names_of(job)

    async def add(
        self,
        files: Sequence[StrPath],
        problems: Iterable[Problem],
        roots: Sequence[str] = (),
        settings: dict[str, Any] | None = None,
        links: Mapping[str, Path] = MappingProxyType({}),
        lengths: Mapping[str, float] = MappingProxyType({}),
    ) -> int:
        """Append files that are not in the queue; problems become failed rows. Returns how many.

        `roots` has the folder (as `path_to_text`) that each file was found in, `links` map to the
        paths of their future files; `settings` as in `Job`; `lengths` as in `AddPaths`. Works in
        portions, so that the screen stays responsive while a hundred thousand files are added.
        """
        async with self.names_of_other_sessions() as others:
            self.queue.avoid(others)
            found = chain(
                (_NewFile(path, root) for path, root in zip_longest(files, roots, fillvalue="")),
                (_NewFile(problem.path, failure=problem.failure) for problem in problems),
                (_NewFile(path, source=url) for url, path in links.items()),
            )
            added = 0
            while portion := tuple(islice(found, PORTION)):
                added += await self._add(portion, settings, others, lengths)
            return added

    async def _add(
        self,
        found: Iterable[_NewFile],
        settings: dict[str, Any] | None,
        others: Mapping[str, str],
        lengths: Mapping[str, float],
    ) -> int:
        new = list(map(partial(_with_length, lengths), self._new_jobs(found, settings)))
        if new:
            try:
                await self.commit(JobsAdded(tuple(new)))
            except FwtuiError:
                self.queue.release(new)
                raise
            if others:
                self.log_renamed([job for job in new if self.wanted_stem(job) in others], others)
        return len(new)

    def _new_jobs(
        self, found: Iterable[_NewFile], settings: dict[str, Any] | None
    ) -> Iterator[Job]:
        naming = self.naming(self.settings if settings is None else from_overrides(settings))
        for one in found:
            known = one.source is not None and self.queue.has_link(one.source)
            if known or self.queue.has_path(one.path):
                continue
            names = naming.names(one.path, one.root, fetched=one.source is not None)
            job = self.queue.make(one.path, names, one.root, one.source)
            if one.failure is not None:
                yield replace(job, state=Failed(now(), one.failure))
            else:
                yield job if settings is None else replace(job, settings=settings)

    async def split_tracks(self, job: Job, tracks: Sequence[AudioTrack]) -> None:
        """Make each audio track of a file a job, in one change; the job itself is the first."""

        def of_track(number: int) -> Job:
            media = job.media or MediaInfo(0.0)
            return replace(
                job, track=number, media=replace(media, tracks=tuple(tracks), track=number)
            )

        first = of_track(tracks[0].number)
        async with self.names_of_other_sessions() as others:
            self.queue.avoid(others)
            self.queue.free_name(job)
            first = self.queue.renamed(first, self.names_of(first))
            new = []
            for track in tracks[1:]:
                one = of_track(track.number)
                made = self.queue.make(job.path, self.names_of(one), job.root, track=one.track)
                new.append(replace(made, media=one.media, settings=job.settings))
            try:
                await self.commit(JobChanged(first), JobsAdded(tuple(new)))
            except FwtuiError:
                self.queue.release(new)
                self.queue.keep_name(job)
                raise

    @asynccontextmanager
    async def names_of_other_sessions(self) -> AsyncIterator[Mapping[str, str]]:
        """The names that other running sessions use in our output folder, with their sessions.

        No other fwtui chooses names in the meantime.
        """
        store, folder = self.store, self.settings.output.output_dir
        reservation = NameReservation(store.directory)
        await asyncio.to_thread(reservation.begin)
        try:
            yield await asyncio.to_thread(
                names_of_other_sessions, store.directory, store.session_id, folder
            )
        finally:
            await asyncio.to_thread(reservation.end)

    def wanted_stem(self, job: Job) -> str:
        """The first choice for the name of its outputs, case-folded."""
        return path_to_text(self.names_of(job)[0]).casefold()

    def log_renamed(self, jobs: Sequence[Job], others: Mapping[str, str]) -> None:
        """Log that outputs got another name because other sessions use their first choice."""
        for job in jobs[:MOST_LOGGED]:
            session = others.get(self.wanted_stem(job), "")
            user = f"session {session}, which is running," if session else "another fwtui"
            text = f"{job.name}: {user} uses that name in the output folder; this file is written"
            self.log(Level.WARNING, f"{text} as {text_to_path(job.stem)}.*", job.id)
        if len(jobs) > MOST_LOGGED:
            self.log(Level.WARNING, f"... and {len(jobs) - MOST_LOGGED} more files")

    async def put(self, job: Job) -> None:
        """Replace a job."""
        await self.commit(JobChanged(job))

    async def put_all(self, jobs: Iterable[Job], *, restart: bool = False) -> None:
        """Replace many jobs, in portions of one write each. `restart`: from their beginning."""
        rest = iter(jobs)
        while portion := tuple(islice(rest, PORTION)):
            changes: list[DurableChange] = []
            for job in portion:
                changes += (
                    [SegmentsReset(job.id), JobChanged(job)] if restart else [JobChanged(job)]
                )
            await self.commit(*changes)

    async def remove(self, ids: Sequence[JobId]) -> None:
        """Remove jobs, with their progress."""
        there = tuple(job for job in ids if job in self.queue)
        if there:
            await self.commit(JobsRemoved(there))

    async def bring_back(self, jobs: Sequence[Job], before: Sequence[JobId]) -> None:
        """Restore removed jobs to their places in the order `before`, with their progress."""
        back = [
            again
            for job in jobs
            if (again := self.queue.remake(self._with_progress(job), self.names_of(job)))
        ]
        try:
            await self.commit(JobsAdded(tuple(back)))
        except FwtuiError:
            self.queue.release(back)
            raise
        async with self._committing:
            await asyncio.to_thread(self.store.restore_progress, back)
        await self.reorder(put_back(self.queue.order, before, {job.id for job in back}))

    def _with_progress(self, job: Job) -> Job:
        if job.is_finished:
            return job
        return replace(job, state=Pending(self.store.done_seconds(job.id)))

    async def reorder(self, wanted: Sequence[JobId]) -> None:
        """Put the jobs into this order; those that are not named come last."""
        change = self.view.reordering(wanted)
        if change is not None:
            await self.commit(change)

    # --- settings, progress inside files ---------------------------------------------------------

    async def change_settings(self, settings: Settings) -> None:
        """Use other settings for jobs that have not started yet."""
        await self.commit(SettingsChanged(settings))

    async def remember_folders(self, scratch: Path) -> None:
        """Remember where outputs and scratch files go, before anything is written there.

        Raises StorageError.
        """
        output = self.settings.output
        folders = {expand_home(text_to_path(path_to_text(output.output_dir)))}
        if output.output_layout == "source":
            folders |= {job.file.parent for job in self.queue if isinstance(job.state, Pending)}
        async with self._committing:
            await asyncio.to_thread(self.output_folders.remember, folders)
            await asyncio.to_thread(self.output_folders.remember_drive, scratch)

    async def remember_started(self) -> None:
        """Record that the queue is started. Raises StorageError."""
        async with self._committing:
            await asyncio.to_thread(self.store.remember_started)

    async def watch(self, folders: tuple[WatchedFolder, ...]) -> None:
        """Change the watched folders of the session."""
        async with self._committing:
            await asyncio.to_thread(self.store.set_folders, folders)

    async def save_snapshot(self) -> None:
        """Bring the session file up to date. Raises StorageError."""
        async with self._committing:
            await asyncio.to_thread(self.store.save_snapshot)

    async def look_after_session(self) -> None:
        """Write the session's files again if they were deleted. An error is told by a write."""
        async with self._committing:
            with contextlib.suppress(FwtuiError):
                await asyncio.to_thread(self.store.look_after_files)
            self._tell_notices()

    def _tell_notices(self) -> None:
        for notice in self.store.take_notices():
            self.log(Level.ERROR, notice)

    async def begin_file(self, job: JobId, plan: FilePlan) -> None:
        """Record that a file starts from its beginning."""
        async with self._committing:
            await asyncio.to_thread(self.store.begin_file, job, plan)
        self.emit(SegmentsReset(job))

    async def add_window(self, job: JobId, result: WindowResult, language: str) -> None:
        """Record a finished window."""
        async with self._committing:
            await asyncio.to_thread(self.store.add_window, job, result)
            self._tell_notices()
        if result.segments:
            segments = self._by_channel(result.segments, self.queue.get(job), in_order=False)
            self.emit(SegmentsFound(job, segments, language))

    def _by_channel(
        self, segments: tuple[Segment, ...], job: Job | None, *, in_order: bool
    ) -> tuple[Segment, ...]:
        """The segments of channels that are transcribed by themselves, with their speakers."""
        names = None if job is None else job.speaker_names
        return by_channel(segments, self.settings.speakers, names, in_order=in_order)

    async def add_group(self, job: JobId, group: SpeakerGroup) -> None:
        """Record voices heard in a file."""
        async with self._committing:
            await asyncio.to_thread(self.store.add_group, job, group)
            self._tell_notices()

    async def set_speakers(self, job: JobId, speakers: SpeakerTurns) -> None:
        """Record who speaks when in a file."""
        async with self._committing:
            await asyncio.to_thread(self.store.set_speakers, job, speakers)
            self._tell_notices()

    async def transcript(self, job: JobId) -> Transcript:
        """The transcript of a file so far, or of its outputs if it is completed."""
        known = self.queue.get(job)

        def read() -> Transcript:
            segments = self.store.segments(job)
            if not segments and known is not None and isinstance(known.state, Completed):
                return self._with_speakers(transcript_of_outputs(known, known.state), known)
            language = self.store.language(job) or ""
            duration = known.duration if known else 0.0
            # Those of a running file are as they came: the next one follows the last.
            done = known is not None and isinstance(known.state, Completed)
            segments = self._by_channel(segments, known, in_order=done)
            return self._with_speakers(Transcript(language, segments, duration), known)

        return await asyncio.to_thread(read)

    def _with_speakers(self, transcript: Transcript, job: Job | None) -> Transcript:
        """The transcript of a completed file with its turns, and the names of its speakers."""
        if job is None or not isinstance(job.state, Completed) or not job.state.speakers:
            return transcript
        found = self.store.speakers(job.id)
        used = from_overrides(job.state.used or {}).speakers
        turns = found.turns if found else ()
        labels = labels_of(job.state.speakers, used, job.speaker_names)
        known = replace(transcript, turns=turns, labels=labels)
        if any(segment.speaker for segment in transcript.segments):
            return known  # read from an output
        attributed = with_speakers(known)
        assert isinstance(attributed, Transcript)
        return attributed

    async def add_temp(self, path: Path) -> None:
        """Record a scratch file before it is created."""
        async with self._committing:
            await asyncio.to_thread(self.store.add_temp, path)

    async def drop_temp(self, path: Path) -> None:
        """Delete a scratch file and record that. One that cannot be deleted stays recorded."""

        def drop() -> OSError | None:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                return error
            self.store.drop_temp(path)
            return None

        async with self._committing:
            kept = await asyncio.to_thread(drop)
        if kept is not None:
            text = f"The scratch file {path} cannot be deleted yet: {reason_of(kept)}"
            self.log(Level.WARNING, text)
