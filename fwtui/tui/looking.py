"""What the main screen's keys open: details, report, sessions, models, doctor; a file's words."""

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual import work
from textual.screen import Screen

from fwtui.core.commands import ChangeSettings, RetryJobs
from fwtui.core.events import Phase
from fwtui.core.job import Job, JobId
from fwtui.core.segment import Transcript
from fwtui.errors import FwtuiError
from fwtui.tui.controller import Host
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import with_keys
from fwtui.tui.messages import TranscriptWanted
from fwtui.tui.model import BatchModel, Changes
from fwtui.tui.text import clean
from fwtui.tui.widgets.header import Header
from fwtui.tui.widgets.queue import QueueTable

if TYPE_CHECKING:
    from fwtui.tui.workspace import Stored

TRANSCRIPT_REST = 0.12


class Looking(Screen[None]):
    """For the main screen."""

    host: Host
    model: BatchModel
    glyphs: Glyphs
    queue: QueueTable
    header: Header
    shown: JobId | None

    def apply(self, changes: Changes) -> None:
        """See the main screen."""
        raise NotImplementedError

    @work(exclusive=True, group="transcript", exit_on_error=False)
    async def on_transcript_wanted(self, event: TranscriptWanted) -> None:
        """Read the words of a file that is looked at for a moment."""
        await asyncio.sleep(TRANSCRIPT_REST)
        runner = self.host.runner
        if runner is None or self.shown != event.job_id:
            return
        transcript = await runner.transcript(event.job_id)
        feed = self.model.feed(event.job_id)
        feed.complete(transcript.segments)
        feed.language, feed.source = feed.language or transcript.language, transcript.source
        self.apply(Changes(feeds={event.job_id}))

    def _needs(self, job: Job) -> str:
        from fwtui.memory.forecast import told_of_file

        made = self.model.forecast
        return told_of_file(made, job.duration) if made is not None else ""

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_details(self) -> None:
        """Everything about the file, and trying it again."""
        from fwtui.tui.screens.details import Details, Subject

        job = self.queue.current
        if job is None:
            return
        job_id, model, host = job.id, self.model, self.host

        async def read() -> Transcript:
            return await host.runner.transcript(job_id) if host.runner else Transcript("", ())

        subject = Subject(
            look=lambda: (
                (model.jobs[job_id], model.progress.get(job_id)) if job_id in model.jobs else None
            ),
            settings=model.settings,
            feed=model.feed(job_id),
            read=read,
            can_retry=True,
            needs=self._needs,
        )
        again = await self.app.push_screen_wait(Details(subject, self.glyphs))
        if again is not None:
            host.send(RetryJobs((job_id,), settings=again.settings))

    def action_report(self) -> None:
        """The batch in figures."""
        from fwtui.tui.screens.report import Report

        self.app.push_screen(Report(self.model, self.glyphs))

    def action_watch(self) -> None:
        """The folders that feed the queue."""
        from fwtui.config.profiles import PROFILES
        from fwtui.tui.screens.watched import WatchedFolders

        profiles = (*PROFILES, *self.header.profiles)
        self.app.push_screen(WatchedFolders(self.model, self.host.send, profiles, self.glyphs))

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_models(self) -> None:
        """All models; uses one if the user wants that."""
        from fwtui.tui.fetching import Fetching
        from fwtui.tui.screens.models import Models

        assert isinstance(self.app, Fetching)
        used = self.model.settings.model
        name = await self.app.push_screen_wait(Models(used, self.app.downloads, self.glyphs))
        if name is not None and name != used.model:
            settings = self.model.settings
            self.host.send(ChangeSettings(replace(settings, model=replace(used, model=name))))
            self.notify(f"Files that have not started use {clean(name)}", markup=False)

    def action_doctor(self) -> None:
        """Whether this machine is fit."""
        from fwtui.config.locations import Locations
        from fwtui.config.own import load_keys
        from fwtui.doctor.examine import Doctor
        from fwtui.tui.keymap import make_keymap
        from fwtui.tui.screens.doctor import DoctorScreen

        doctor = Doctor(Locations.default(), check_keys=lambda file: make_keymap(load_keys(file)))
        self.app.push_screen(DoctorScreen(doctor.examine, self.glyphs))

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_sessions(self) -> None:
        """All stored sessions; goes on with one if the user wants that."""
        from fwtui.tui.screens.sessions import Sessions

        screen = Sessions(self.host.workspace, self.glyphs, self.model.session_id)
        stored = await self.app.push_screen_wait(screen)
        if stored is not None:
            await self._change(stored)

    async def _change(self, stored: "Stored") -> None:
        from fwtui.tui.screens.dialog import Tell
        from fwtui.tui.screens.quit import ask_change
        from fwtui.tui.startup import Resumed

        if self.model.phase is not Phase.IDLE and not await self.app.push_screen_wait(
            ask_change(self.model, stored)
        ):
            return
        try:
            await self.host.change(stored)
        except FwtuiError as error:
            words = clean(error.title) + (f"\n\n{clean(error.hint)}" if error.hint else "")
            self.app.push_screen(Tell("That did not work", words, bad=True))
            return
        resumed = Resumed.of(stored)
        self.host.retry(resumed.failed)
        self.notify(with_keys(self, resumed.words), markup=False)
