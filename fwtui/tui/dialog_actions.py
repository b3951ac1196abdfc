"""Opens the dialogs of the main screen, and does what the user decided there."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from textual.message import Message
from textual.screen import Screen

from fwtui.core.commands import AddPaths, NameSpeaker, RetryJobs
from fwtui.core.events import Phase
from fwtui.core.job import Job, JobId
from fwtui.core.segment import Transcript
from fwtui.core.settings import InterfaceSettings
from fwtui.errors import FwtuiError
from fwtui.tui.controller import BatchController
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import with_keys
from fwtui.tui.queue_actions import QueueActions

if TYPE_CHECKING:
    from fwtui.config.profiles import Profile
    from fwtui.sessions.catalog import StoredSession
    from fwtui.tui.model_downloads import ModelDownloads
    from fwtui.tui.screens.speaker_list import SpeakersSource


class InterfaceChanged(Message):
    """The user has changed how the screen looks; for the app."""

    def __init__(self, interface: InterfaceSettings) -> None:
        super().__init__()
        self.interface = interface


class DialogActions:
    """One method for each dialog; `downloads` makes the downloads of models when it is called.

    Dialogs that are waited for run as workers of one group: one takes the place of another.
    """

    def __init__(
        self,
        screen: Screen[None],
        controller: BatchController,
        glyphs: Glyphs,
        actions: QueueActions,
        downloads: "Callable[[], ModelDownloads]",
    ) -> None:
        self._screen = screen
        self._controller = controller
        self._model = controller.model
        self._glyphs = glyphs
        self._actions = actions
        self._downloads = downloads

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self._screen.run_worker(work, exclusive=True, group="dialog", exit_on_error=False)

    def details(self, job: Job) -> None:
        """Show everything about a file; retry it if the user wants that."""
        self._run(self._details(job))

    async def _details(self, job: Job) -> None:
        from fwtui.tui.screens.details import DetailsDialog, DetailsSource

        job_id, model, controller = job.id, self._model, self._controller
        source = DetailsSource(
            current=lambda: (
                (model.jobs[job_id], model.progress.get(job_id)) if job_id in model.jobs else None
            ),
            settings=model.settings,
            transcript=model.transcript(job_id),
            read=partial(self._transcript, job_id),
            can_retry=True,
            speakers=partial(self._speakers, job_id),
            needs=self._memory_needs,
        )
        retry = await self._screen.app.push_screen_wait(DetailsDialog(source, self._glyphs))
        if retry is not None:
            controller.send(RetryJobs((job_id,), settings=retry.settings))

    def speakers(self, job: Job) -> None:
        """Show the speakers of a file, and name them."""
        from fwtui.tui.screens.speaker_list import SpeakersDialog

        self._screen.app.push_screen(SpeakersDialog(self._speakers(job.id), self._glyphs))

    def _speakers(self, job_id: JobId) -> "SpeakersSource":
        from fwtui.tui.screens.speaker_list import SpeakersSource

        def name(speaker: int, text: str) -> None:
            self._controller.send(NameSpeaker(job_id, speaker, text))

        return SpeakersSource(
            current=lambda: self._model.jobs.get(job_id),
            transcript=self._model.transcript(job_id),
            read=partial(self._transcript, job_id),
            name=name,
        )

    async def _transcript(self, job_id: JobId) -> Transcript:
        batch = self._controller.batch
        return Transcript("", ()) if batch is None else await batch.transcript(job_id)

    def _memory_needs(self, job: Job) -> str:
        from fwtui.memory.forecast import describe_file_needs

        forecast = self._model.forecast
        return describe_file_needs(forecast, job.duration) if forecast is not None else ""

    def report(self) -> None:
        """Show the batch in figures."""
        from fwtui.tui.screens.batch_report import ReportDialog

        self._screen.app.push_screen(ReportDialog(self._model, self._glyphs))

    def watched_folders(self, own: "tuple[Profile, ...]") -> None:
        """Show the watched folders; `own` are the user's profiles."""
        from fwtui.config.profiles import PROFILES
        from fwtui.tui.screens.watched import WatchedDialog

        profiles = (*PROFILES, *own)
        dialog = WatchedDialog(self._model, self._controller.send, profiles, self._glyphs)
        self._screen.app.push_screen(dialog)

    def models(self) -> None:
        """Show all models; use the one that the user picks."""
        self._run(self._models())

    async def _models(self) -> None:
        from fwtui.tui.screens.models import ModelsDialog

        settings, workspace = self._model.settings, self._controller.workspace
        dialog = ModelsDialog(settings, self._downloads(), self._glyphs, workspace.model_needs)
        name = await self._screen.app.push_screen_wait(dialog)
        if name is not None:
            self._actions.use_model(name)

    def doctor(self) -> None:
        """Check this machine."""
        from fwtui.config.locations import Locations
        from fwtui.config.sources import load_keys
        from fwtui.doctor.examine import Doctor
        from fwtui.tui.keymap import make_keymap
        from fwtui.tui.screens.doctor import DoctorDialog

        doctor = Doctor(
            Locations.default(),
            check_keys=lambda file: make_keymap(load_keys(file)),
            used=self._model.settings,
        )
        self._screen.app.push_screen(DoctorDialog(doctor.examine, self._glyphs))

    def sessions(self) -> None:
        """Show all stored sessions; resume the one that the user picks."""
        self._run(self._sessions())

    async def _sessions(self) -> None:
        from fwtui.tui.screens.sessions import SessionsDialog

        workspace, current = self._controller.workspace, self._model.session_id
        dialog = SessionsDialog(workspace, self._glyphs, current)
        choice = await self._screen.app.push_screen_wait(dialog)
        if choice is not None:
            await self._change_session(choice.sessions[0], start=choice.what == "resume")

    async def _change_session(self, stored: "StoredSession", *, start: bool) -> None:
        from fwtui.tui.screens.dialog import error_dialog
        from fwtui.tui.screens.quit import ask_change
        from fwtui.tui.startup import ResumeSummary, allow_moves

        app = self._screen.app
        idle = self._model.phase is Phase.IDLE
        if not idle and not await app.push_screen_wait(ask_change(self._model, stored)):
            return
        if not await allow_moves(app, stored.session):
            return
        try:
            await self._controller.change(stored)
        except FwtuiError as error:
            app.push_screen(error_dialog("Cannot resume the session", error))
            return
        summary = ResumeSummary.of(stored)
        self._controller.resume(summary.retried, start=start)
        note = with_keys(self._screen, summary.text(started=start))
        self._screen.notify(note, markup=False)
        await self._controller.read_checked()

    def history(self) -> None:
        """Show what was transcribed; add files of it to the queue."""
        from fwtui.config.locations import Locations
        from fwtui.outputs.batch_history import HistoryStore
        from fwtui.tui.screens.history_browser import HistoryDialog

        def add(paths: tuple[str, ...]) -> None:
            self._controller.send(AddPaths(paths))

        def is_queued(path: str) -> bool:
            return any(job.path == path for job in self._model.jobs.values())

        store = HistoryStore(Locations.default().state)
        self._screen.app.push_screen(
            HistoryDialog(store, self._glyphs, add, is_queued),
            lambda _: self._run(self._controller.read_checked()),
        )

    def add(self, prefilled: str = "") -> None:
        """Ask for files, some of them named already, and add them."""
        self._run(self._add(prefilled))

    async def _add(self, prefilled: str) -> None:
        from fwtui.config.locations import Locations
        from fwtui.tui.add_preview import queued_notes, read_known_files
        from fwtui.tui.screens.add import AddDialog

        queued = queued_notes(self._model.jobs.values())
        state: Path | None = None
        with suppress(FwtuiError):  # no home directory: there is no history
            state = Locations.default().state
        look = partial(read_known_files, queued, self._model.settings.output, state)
        dialog = AddDialog(self._glyphs, prefilled, read_known_files=look)
        wanted = await self._screen.app.push_screen_wait(dialog)
        if wanted is not None:
            self._controller.send(wanted)

    def settings(self) -> None:
        """Show the settings, and use changed ones for the files that have not started."""
        self._run(self._settings())

    async def _settings(self) -> None:
        from fwtui.tui.screens.settings import SettingsDialog

        controller = self._controller
        batch = controller.settings if controller.batch is None else self._model.settings
        # The interface is this program's; hooks and log are those of the batch's process.
        used = replace(batch, interface=controller.settings.interface)
        wanted = await self._screen.app.push_screen_wait(SettingsDialog(used, self._glyphs))
        if wanted is None or wanted == used:
            return
        if wanted.interface != used.interface:
            controller.settings = replace(controller.settings, interface=wanted.interface)
            self._screen.post_message(InterfaceChanged(wanted.interface))
        if replace(wanted, interface=batch.interface) != batch:
            controller.settings = replace(controller.settings, done=wanted.done, log=wanted.log)
            self._actions.change_settings(wanted)
