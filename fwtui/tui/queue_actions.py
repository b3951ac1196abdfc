"""What the keys do to the queue: each action becomes one command to the batch."""

from functools import partial

from msgspec.structs import replace
from textual import work

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
from fwtui.tui import format as fmt
from fwtui.tui.filtering import Filtering
from fwtui.tui.keymap import with_keys
from fwtui.tui.looking import Looking
from fwtui.tui.messages import InterfaceChanged
from fwtui.tui.sort_filter import SORTS, Sort
from fwtui.tui.text import base_name, clean
from fwtui.tui.widgets.footer import Footer
from fwtui.tui.widgets.queue import QueueTable


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
            self.host.send(ChangeSettings(apply(self.model.settings, made.proposal)))
            text = f"Files that have not started use {clean(made.remedy)}"
            self.notify(text, markup=False)

    def action_start_pause(self) -> None:
        """Start, pause, or go on."""
        match self.model.phase:
            case Phase.RUNNING | Phase.WATCHING:
                self.host.send(Pause())
            case Phase.IDLE if not self.model.counts.to_do and not self.model.folders:
                words = (
                    "Nothing to do: {add} adds files"
                    if not self.model.counts.total
                    else "Everything is done: {retry} tries a file again"
                )
                self.notify(with_keys(self, words), markup=False)
            case _:
                self.host.send(Start())

    def action_stop(self) -> None:
        """Stop at once; nothing is lost."""
        if self.model.phase is not Phase.IDLE or self.model.engine is not None:
            self.host.send(Stop())

    def action_skip(self) -> None:
        """Cancel running files, leave waiting ones out."""
        ids = tuple(i for i in self.queue.targets if not self.model.jobs[i].is_finished)
        if ids:
            self.host.send(SkipJobs(ids))
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
        self.host.send(again)
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
            self.host.send(RemoveJobs(ids))
            self.removals += 1
            self._unselect()
            words = f"{fmt.files(len(ids))} removed, {{undo}} puts back"
            self.notify(with_keys(self, words), timeout=3, markup=False)

    async def _sure(self, ids: tuple[JobId, ...], running: list[JobId]) -> bool:
        from fwtui.tui.screens.dialog import Ask

        name = clean(base_name(self.model.jobs[running[0]].path))
        question = f"Take {fmt.files(len(ids))} out of the queue?\n\n"
        question += f"{name} is being worked on; the window in the model is given up."
        question += "\n\nThe recordings and transcripts on disk stay."
        return await self.app.push_screen_wait(Ask("Remove", question, "Remove", "Keep"))

    def action_undo(self) -> None:
        """Put back what was removed last."""
        if self.removals:
            self.removals -= 1
            self.host.send(UndoRemove())

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
            self.host.send(ArrangeJobs(tuple(self.queue.ids)))
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
            self.host.send(MoveJobs(ids, offset))

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
        from fwtui.tui.add_preview import look_around, queued_notes
        from fwtui.tui.screens.add import AddFiles

        queued = queued_notes(self.model.jobs.values())
        look = partial(look_around, queued, self.model.settings.output)
        screen = AddFiles(self.glyphs, prefilled, look_around=look)
        names = await self.app.push_screen_wait(screen)
        if names:
            self.host.send(AddPaths(names))

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_settings(self) -> None:
        """Ask for other settings and use them for what has not started."""
        from fwtui.tui.screens.settings import SettingsScreen

        batch = self.host.settings if self.host.runner is None else self.model.settings
        # The screen is ours; hooks and log belong to whoever works on the batch.
        used = replace(batch, interface=self.host.settings.interface)
        wanted = await self.app.push_screen_wait(SettingsScreen(used, self.glyphs))
        if wanted is None or wanted == used:
            return
        if wanted.interface != used.interface:
            self.host.settings = replace(self.host.settings, interface=wanted.interface)
            self.post_message(InterfaceChanged(wanted.interface))
        if replace(wanted, interface=batch.interface) != batch:
            self.host.settings = replace(self.host.settings, done=wanted.done, log=wanted.log)
            self.host.send(ChangeSettings(wanted))
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
