"""What the keys do to the queue: each action becomes one command to the batch."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace
from textual import work
from textual.screen import Screen

from fwtui.core.commands import (
    AddPaths,
    ArrangeJobs,
    ChangeSettings,
    MoveJobs,
    Pause,
    RemoveJobs,
    RetryJobs,
    SkipJobs,
    Start,
    Stop,
    UndoRemove,
)
from fwtui.core.events import Forecast, Phase
from fwtui.core.job import Completed, Job, JobId, Processing
from fwtui.core.segment import Transcript
from fwtui.errors import FwtuiError
from fwtui.tui.app_messages import InterfaceChanged, TranscriptWanted
from fwtui.tui.controller import BatchController
from fwtui.tui.formatting import base_name, clean, file_count
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import with_keys
from fwtui.tui.model import BatchModel, Changes
from fwtui.tui.sort_filter import SORTS, Sort
from fwtui.tui.widgets.footer import Footer
from fwtui.tui.widgets.header import Header
from fwtui.tui.widgets.lines import LineView
from fwtui.tui.widgets.log import LogView
from fwtui.tui.widgets.queue_table import QueueTable

if TYPE_CHECKING:
    from textual.widgets import Input

    from fwtui.sessions.catalog import StoredSession


class Filtering(Screen[None]):
    """For the main screen. A filter's field is made when it is opened for the first time."""

    queue: QueueTable
    log_view: LogView

    def __init__(self) -> None:
        super().__init__()
        self._fields: dict[LineView, Input] = {}

    async def action_filter(self) -> None:
        """Type what to show."""
        await self._type(self.queue, "filter", "Filter by name, or is:failed")

    async def action_filter_log(self) -> None:
        """Type what to show of the log."""
        await self._type(self.log_view, "log-filter", "Text in the log")

    async def _type(self, view: LineView, name: str, hint: str) -> None:
        from textual.widgets import Input

        field = self._fields.get(view)
        if field is None:
            field = self._fields[view] = Input(placeholder=hint, id=name)
            await self.mount(field, after=view)
        field.add_class("open")
        field.focus()
        # So that the first letter does not wait for a hundred thousand of them.
        model = self.queue.model
        self.call_after_refresh(lambda: model.names_of(model.order))

    def on_input_changed(self, event: "Input.Changed") -> None:
        """Filter while typing."""
        if event.input is self._fields.get(self.queue):
            self.queue.set_filter(event.value)
            self.queue.post_message(QueueTable.CursorMoved())
        elif event.input is self._fields.get(self.log_view):
            self.log_view.set_filter(event.value)

    def on_input_submitted(self, event: "Input.Submitted") -> None:
        """Keep the filter and go back to the rows."""
        if not event.input.value:
            event.input.remove_class("open")
        view = self.queue if event.input is self._fields.get(self.queue) else self.log_view
        view.focus()

    def clear_filter(self) -> None:
        """Show the whole queue."""
        field = self._fields.get(self.queue)
        if field is not None:
            field.value = ""
        self.queue.set_filter("")

    def end_filter(self) -> bool:
        """Close the log's filter if the focus is there, else the queue's; False: none is open."""
        log = self._fields.get(self.log_view)
        in_log = log is not None and self.focused in {log, self.log_view}
        return (in_log and self._ended(self.log_view)) or self._ended(self.queue)

    def _ended(self, view: LineView) -> bool:
        field = self._fields.get(view)
        if field is None or not field.has_class("open"):
            return False
        field.value = ""
        field.remove_class("open")
        view.focus()
        return True


TRANSCRIPT_REST = 0.12


class Looking(Screen[None]):
    """For the main screen."""

    controller: BatchController
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
        batch = self.controller.batch
        if batch is None or self.shown != event.job_id:
            return
        stored = await batch.transcript(event.job_id)
        self.model.transcript(event.job_id).complete(stored)
        self.apply(Changes(transcripts={event.job_id}))

    def _needs(self, job: Job) -> str:
        from fwtui.memory.forecast import describe_file_needs

        made = self.model.forecast
        return describe_file_needs(made, job.duration) if made is not None else ""

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_details(self) -> None:
        """Everything about the file, and trying it again."""
        from fwtui.tui.screens.details import DetailsDialog, DetailsSource

        job = self.queue.current
        if job is None:
            return
        job_id, model, controller = job.id, self.model, self.controller

        async def read() -> Transcript:
            batch = controller.batch
            return Transcript("", ()) if batch is None else await batch.transcript(job_id)

        source = DetailsSource(
            current=lambda: (
                (model.jobs[job_id], model.progress.get(job_id)) if job_id in model.jobs else None
            ),
            settings=model.settings,
            transcript=model.transcript(job_id),
            read=read,
            can_retry=True,
            needs=self._needs,
        )
        again = await self.app.push_screen_wait(DetailsDialog(source, self.glyphs))
        if again is not None:
            controller.send(RetryJobs((job_id,), settings=again.settings))

    def action_report(self) -> None:
        """The batch in figures."""
        from fwtui.tui.screens.batch_report import ReportDialog

        self.app.push_screen(ReportDialog(self.model, self.glyphs))

    def action_watch(self) -> None:
        """The folders that feed the queue."""
        from fwtui.config.profiles import PROFILES
        from fwtui.tui.screens.watched import WatchedDialog

        profiles = (*PROFILES, *self.header.profiles)
        screen = WatchedDialog(self.model, self.controller.send, profiles, self.glyphs)
        self.app.push_screen(screen)

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_models(self) -> None:
        """All models; uses one if the user wants that."""
        from fwtui.tui.app import Fetching
        from fwtui.tui.screens.models import ModelsDialog

        assert isinstance(self.app, Fetching)
        used = self.model.settings.model
        name = await self.app.push_screen_wait(ModelsDialog(used, self.app.downloads, self.glyphs))
        if name is not None and name != used.model:
            settings = self.model.settings
            self.controller.send(ChangeSettings(replace(settings, model=replace(used, model=name))))
            self.notify(f"Files that have not started use {clean(name)}", markup=False)

    def action_doctor(self) -> None:
        """Whether this machine is fit."""
        from fwtui.config.locations import Locations
        from fwtui.config.sources import load_keys
        from fwtui.doctor.examine import Doctor
        from fwtui.tui.keymap import make_keymap
        from fwtui.tui.screens.doctor import DoctorDialog

        doctor = Doctor(Locations.default(), check_keys=lambda file: make_keymap(load_keys(file)))
        self.app.push_screen(DoctorDialog(doctor.examine, self.glyphs))

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_sessions(self) -> None:
        """All stored sessions; goes on with one if the user wants that."""
        from fwtui.tui.screens.sessions import SessionsDialog

        screen = SessionsDialog(self.controller.workspace, self.glyphs, self.model.session_id)
        stored = await self.app.push_screen_wait(screen)
        if stored is not None:
            await self._change(stored)

    async def _change(self, stored: "StoredSession") -> None:
        from fwtui.tui.screens.dialog import MessageDialog
        from fwtui.tui.screens.quit import ask_change
        from fwtui.tui.startup import Resumed

        if self.model.phase is not Phase.IDLE and not await self.app.push_screen_wait(
            ask_change(self.model, stored)
        ):
            return
        try:
            await self.controller.change(stored)
        except FwtuiError as error:
            words = clean(error.title) + (f"\n\n{clean(error.hint)}" if error.hint else "")
            self.app.push_screen(MessageDialog("That did not work", words, bad=True))
            return
        resumed = Resumed.of(stored)
        self.controller.retry(resumed.failed)
        self.notify(with_keys(self, resumed.words), markup=False)


class QueueCommands(Filtering, Looking):
    """The actions of the queue, for the main screen."""

    footer: Footer
    following: bool
    removals: int

    def labels(self) -> dict[str, str | None]:
        """Labels that depend on the state; None: nothing to do for this key."""
        counts, phase = self.model.counts, self.model.phase
        start: str | None = "Start" if counts.to_do or self.model.folders else None
        if phase in {Phase.RUNNING, Phase.WATCHING}:
            start = "Pause"
        elif phase in {Phase.PAUSED, Phase.PAUSING}:
            start = "Go on"
        current = self.queue.current
        some = bool(self.queue.selected)
        finished = current is not None and current.is_finished
        return {
            "start": start,
            "details": "Details" if current is not None else None,
            "skip": "Skip" if some or (current is not None and not finished) else None,
            "retry": "Retry" if some or finished else None,
            "remove": "Remove" if current is not None else None,
            "undo": "Undo" if self.removals else None,
            "sort": "Sort" if counts.total else None,
            "work_order": "Work in this order" if self._is_arranged else None,
            "filter": "Filter" if counts.total else None,
            "fit": "Fit the memory" if self._proposal else None,
            "report": "Report" if counts.total else None,
            "quit": "Detach" if self.model.attached else "Quit",
        }

    @property
    def _proposal(self) -> Forecast | None:
        """The forecast, if it proposes something."""
        made = self.model.forecast
        return made if made is not None and made.proposal else None

    def action_fit(self) -> None:
        """Take the settings that the forecast proposes."""
        from fwtui.config.fields import apply

        made = self._proposal
        if made is not None:
            self.controller.send(ChangeSettings(apply(self.model.settings, made.proposal)))
            text = f"Files that have not started use {clean(made.remedy)}"
            self.notify(text, markup=False)

    def action_start_pause(self) -> None:
        """Start, pause, or go on."""
        match self.model.phase:
            case Phase.RUNNING | Phase.WATCHING:
                self.controller.send(Pause())
            case Phase.IDLE if not self.model.counts.to_do and not self.model.folders:
                words = (
                    "Nothing to do: {add} adds files"
                    if not self.model.counts.total
                    else "Everything is done: {retry} tries a file again"
                )
                self.notify(with_keys(self, words), markup=False)
            case _:
                self.controller.send(Start())

    def action_stop(self) -> None:
        """Stop at once; nothing is lost."""
        if self.model.phase is not Phase.IDLE or self.model.engine is not None:
            self.controller.send(Stop())

    def action_skip(self) -> None:
        """Cancel running files, leave waiting ones out."""
        ids = tuple(i for i in self.queue.targets if not self.model.jobs[i].is_finished)
        if ids:
            self.controller.send(SkipJobs(ids))
            self._unselect()

    def action_retry(self) -> None:
        """Put finished files back."""
        self._retry(restart=False)

    def action_restart(self) -> None:
        """Put finished files back, from their beginning."""
        self._retry(restart=True)

    def _retry(self, *, restart: bool) -> None:
        jobs = [self.model.jobs[i] for i in self.queue.targets]
        again = RetryJobs(tuple(job.id for job in jobs if job.is_finished), restart)
        done = [job for job in jobs if isinstance(job.state, Completed)]
        if done:
            self._do_again(again, done)
        elif again.ids:
            self._send_retry(again)

    def _send_retry(self, again: RetryJobs) -> None:
        self.controller.send(again)
        self._unselect()

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def _do_again(self, again: RetryJobs, done: list[Job]) -> None:
        from fwtui.tui.screens.quit import ask_again

        if await self.app.push_screen_wait(ask_again(done)):
            self._send_retry(again)

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_remove(self) -> None:
        """Take files out; asks when that interrupts work."""
        ids = self.queue.targets
        running = [i for i in ids if isinstance(self.model.jobs[i].state, Processing)]
        if running and not await self._sure(ids, running):
            return
        if ids:
            self.controller.send(RemoveJobs(ids))
            self.removals += 1
            self._unselect()
            words = f"{file_count(len(ids))} removed, {{undo}} puts back"
            self.notify(with_keys(self, words), timeout=3, markup=False)

    async def _sure(self, ids: tuple[JobId, ...], running: list[JobId]) -> bool:
        from fwtui.tui.screens.dialog import ConfirmDialog

        name = clean(base_name(self.model.jobs[running[0]].path))
        question = f"Take {file_count(len(ids))} out of the queue?\n\n"
        question += f"{name} is being worked on; the window in the model is given up."
        question += "\n\nThe recordings and transcripts on disk stay."
        return await self.app.push_screen_wait(ConfirmDialog("Remove", question, "Remove", "Keep"))

    def action_undo(self) -> None:
        """Put back what was removed last."""
        if self.removals:
            self.removals -= 1
            self.controller.send(UndoRemove())

    @property
    def _is_arranged(self) -> bool:
        return self.queue.shown.sort != "queue"

    def action_sort(self) -> None:
        """The next order of the view."""
        self.sort_by(SORTS)

    def sort_by(self, sorts: tuple[Sort, ...]) -> None:
        """Of these orders, the one after the present one."""
        now = self.queue.shown.sort
        following = sorts[(sorts.index(now) + 1) % len(sorts)] if now in sorts else sorts[0]
        self.queue.set_sort(following)
        self.queue.post_message(QueueTable.CursorMoved())

    def action_work_order(self) -> None:
        """The order shown becomes the queue's; what the filter hides comes last."""
        if self._is_arranged:
            self.controller.send(ArrangeJobs(tuple(self.queue.ids)))
            self.queue.set_sort("queue")
            self.queue.post_message(QueueTable.CursorMoved())
            self.notify("This is the order of work now", timeout=3, markup=False)

    def action_move(self, offset: int) -> None:
        """Move files up or down."""
        ids = self.queue.targets
        if self._is_arranged:
            words = "This is a sorted view: {work_order} makes it the order of work"
            self.notify(with_keys(self, words), markup=False)
        elif ids:
            self.following = False
            self.controller.send(MoveJobs(ids, offset))

    def action_select(self) -> None:
        """Select and go on."""
        self.queue.toggle()
        self.refresh_bindings()

    def action_select_all(self) -> None:
        """All that is shown, or none."""
        shown = set(self.queue.ids)
        self.queue.select(() if shown <= self.queue.selected else shown)
        self.queue.post_message(QueueTable.CursorMoved())

    def _unselect(self) -> None:
        self.queue.select(())
        self.queue.post_message(QueueTable.CursorMoved())

    def action_follow(self) -> None:
        """Back to the running file."""
        live = self.model.live
        if live is not None:
            if live not in self.queue.ids:
                self.clear_filter()
            self.queue.show(live)
            self.queue.post_message(QueueTable.CursorMoved())

    def action_add(self) -> None:
        """Ask for files."""
        self.ask_files("")

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def ask_files(self, prefilled: str) -> None:
        """Ask for files, with some named already, and add them."""
        from fwtui.tui.add_preview import queued_notes, read_known_files
        from fwtui.tui.screens.add import AddDialog

        queued = queued_notes(self.model.jobs.values())
        look = partial(read_known_files, queued, self.model.settings.output)
        screen = AddDialog(self.glyphs, prefilled, read_known_files=look)
        names = await self.app.push_screen_wait(screen)
        if names:
            self.controller.send(AddPaths(names))

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_settings(self) -> None:
        """Ask for other settings and use them for what has not started."""
        from fwtui.tui.screens.settings import SettingsDialog

        batch = self.controller.settings if self.controller.batch is None else self.model.settings
        # The screen is ours; hooks and log belong to whoever works on the batch.
        used = replace(batch, interface=self.controller.settings.interface)
        wanted = await self.app.push_screen_wait(SettingsDialog(used, self.glyphs))
        if wanted is None or wanted == used:
            return
        if wanted.interface != used.interface:
            self.controller.settings = replace(self.controller.settings, interface=wanted.interface)
            self.post_message(InterfaceChanged(wanted.interface))
        if replace(wanted, interface=batch.interface) != batch:
            own = self.controller.settings
            self.controller.settings = replace(own, done=wanted.done, log=wanted.log)
            self.controller.send(ChangeSettings(wanted))
            self.notify("Files that have not started use the new settings", markup=False)

    def action_escape(self) -> None:
        """End the log's filter if one is there, else the queue's, the selection, the zoom."""
        if self.end_filter():
            return
        if self.queue.selected:
            self._unselect()
        elif self.has_class("zoomed"):
            self.action_zoom()

    def action_zoom(self) -> None:
        """See the main screen."""
        raise NotImplementedError


SECONDS = 12.0


def tell_hook(screen: Screen[None], changes: Changes) -> None:
    """Say that a command of the user's failed."""
    if changes.hook is not None:
        text = clean(": ".join(part for part in (changes.hook.text, changes.hook.hint) if part))
        screen.notify(
            text, title="When it is done", severity="warning", timeout=SECONDS, markup=False
        )


def tell_memory(screen: Screen[None], changes: Changes, key: str) -> None:
    """Say what is new; `key` is the one that takes a proposal."""
    alert, forecast = changes.alert, changes.forecast
    if alert is not None and alert.text:
        text = clean(f"{alert.text}; {alert.hint}")
        severity: Literal["error", "warning"] = "error" if alert.hard else "warning"
        screen.notify(text, title="Memory", severity=severity, timeout=SECONDS, markup=False)
    if forecast is not None and not forecast.fits:
        from fwtui.memory.forecast import describe_forecast

        text = clean(describe_forecast(forecast, key))
        screen.notify(text, title="Memory", severity="warning", timeout=SECONDS, markup=False)
