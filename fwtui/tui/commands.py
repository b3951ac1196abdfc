"""What the keys do to the queue: each action becomes one command to the batch."""

from textual import work
from textual.screen import Screen
from textual.widgets import Input

from fwtui.core.commands import (
    AddPaths,
    ChangeSettings,
    MoveJobs,
    Pause,
    RemoveJobs,
    RetryJobs,
    SkipJobs,
    Start,
    Stop,
)
from fwtui.core.events import Phase
from fwtui.core.job import JobId, Processing
from fwtui.tui import format as fmt
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.host import Host
from fwtui.tui.model import BatchModel
from fwtui.tui.screens.add import AddFiles
from fwtui.tui.screens.details import details_dialog
from fwtui.tui.screens.dialog import Ask
from fwtui.tui.text import base_name, clean
from fwtui.tui.widgets.footer import Footer
from fwtui.tui.widgets.queue import QueueTable


class QueueCommands(Screen[None]):
    """The actions of the queue, for the main screen."""

    host: Host
    model: BatchModel
    glyphs: Glyphs
    queue: QueueTable
    footer: Footer
    filter: Input
    following: bool

    def labels(self) -> dict[str, str | None]:
        """Labels that depend on the state; None: nothing to do for this key."""
        counts, phase = self.model.counts, self.model.phase
        start: str | None = "Start" if counts.to_do else None
        if phase is Phase.RUNNING:
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
            "filter": "Filter" if counts.total else None,
            "quit": "Detach" if self.model.attached else "Quit",
        }

    def action_start_pause(self) -> None:
        """Start, pause, or go on."""
        match self.model.phase:
            case Phase.RUNNING:
                self.host.send(Pause())
            case Phase.IDLE if not self.model.counts.to_do:
                words = (
                    "Nothing to do: a adds files"
                    if not self.model.counts.total
                    else ("Everything is done: r tries a file again")
                )
                self.notify(words, markup=False)
            case _:
                self.host.send(Start())

    def action_stop(self) -> None:
        """Stop at once; nothing is lost."""
        if self.model.phase is not Phase.IDLE:
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
        ids = tuple(i for i in self.queue.targets if self.model.jobs[i].is_finished)
        if ids:
            self.host.send(RetryJobs(ids, restart))
            self._unselect()

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_remove(self) -> None:
        """Take files out; asks when that is much or interrupts work."""
        ids = self.queue.targets
        running = [i for i in ids if isinstance(self.model.jobs[i].state, Processing)]
        if (running or len(ids) > 1) and not await self._sure(ids, running):
            return
        if ids:
            self.host.send(RemoveJobs(ids))
            self._unselect()

    async def _sure(self, ids: tuple[JobId, ...], running: list[JobId]) -> bool:
        question = f"Take {fmt.files(len(ids))} out of the queue?"
        if running:
            name = clean(base_name(self.model.jobs[running[0]].path))
            question += f"\n\n{name} is being worked on; its progress is given up."
        question += "\n\nThe recordings and transcripts on disk stay."
        return await self.app.push_screen_wait(Ask("Remove", question, "Remove", "Keep"))

    def action_move(self, offset: int) -> None:
        """Move files up or down."""
        ids = self.queue.targets
        if ids:
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
                self.filter.value = ""
                self.queue.set_filter("")
            self.queue.show(live)
            self.queue.post_message(QueueTable.CursorMoved())

    def action_details(self) -> None:
        """Everything about the file."""
        job = self.queue.current
        if job is not None:
            self.app.push_screen(details_dialog(job, self.glyphs))

    def action_add(self) -> None:
        """Ask for files."""
        self.ask_files("")

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def ask_files(self, prefilled: str) -> None:
        """Ask for files, with some named already, and add them."""
        names = await self.app.push_screen_wait(AddFiles(self.glyphs, prefilled))
        if names:
            self.host.send(AddPaths(names))

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_settings(self) -> None:
        """Ask for other settings and use them for what has not started."""
        from fwtui.tui.screens.settings import SettingsScreen

        used = self.host.settings if self.host.runner is None else self.model.settings
        wanted = await self.app.push_screen_wait(SettingsScreen(used, self.glyphs))
        if wanted is not None and wanted != used:
            self.host.send(ChangeSettings(wanted))
            self.notify("Files that have not started use the new settings", markup=False)

    # The filter.

    def action_filter(self) -> None:
        """Type what to show."""
        self.filter.add_class("open")
        self.filter.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while typing."""
        if event.input is self.filter:
            self.queue.set_filter(event.value)
            self.queue.post_message(QueueTable.CursorMoved())

    def on_input_submitted(self) -> None:
        """Keep the filter and go back to the rows."""
        if not self.filter.value:
            self.filter.remove_class("open")
        self.queue.focus()

    def action_escape(self) -> None:
        """End the filter, then the selection."""
        if self.filter.has_class("open"):
            self.filter.value = ""
            self.filter.remove_class("open")
            self.queue.focus()
        elif self.queue.selected:
            self._unselect()
        elif self.has_class("zoomed"):
            self.action_zoom()

    def action_zoom(self) -> None:
        """See the main screen."""
        raise NotImplementedError
