"""What the keys do to the queue: each action becomes one command to the batch."""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from textual.screen import Screen

from fwtui.core.commands import (
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
from fwtui.core.settings import Settings
from fwtui.tui.controller import BatchController
from fwtui.tui.formatting import clean, file_count, shown_name
from fwtui.tui.keymap import with_keys
from fwtui.tui.queue_filter import HINT
from fwtui.tui.sort_filter import MAIN_SORTS, ORDERS, Sort
from fwtui.tui.widgets.lines import LineView
from fwtui.tui.widgets.log import LogView
from fwtui.tui.widgets.queue_table import QueueTable

if TYPE_CHECKING:
    from textual.widgets import Input


class FilterFields:
    """The text fields that filter the queue and the log; each is made when it is first opened."""

    def __init__(self, screen: Screen[None], queue: QueueTable, log_view: LogView) -> None:
        self._screen = screen
        self._queue = queue
        self._log_view = log_view
        self._fields: dict[LineView, Input] = {}

    async def open_for_queue(self) -> None:
        """Let the user type a filter for the queue."""
        await self._open(self._queue, "filter", HINT)

    async def open_for_log(self) -> None:
        """Let the user type a filter for the log."""
        await self._open(self._log_view, "log-filter", "Text in the log")

    async def _open(self, view: LineView, name: str, hint: str) -> None:
        from textual.widgets import Input

        field = self._fields.get(view)
        if field is None:
            field = self._fields[view] = Input(placeholder=hint, id=name)
            await self._screen.mount(field, after=view)
        field.add_class("open")
        field.focus()
        # So that the first letter does not wait for the names of a hundred thousand files.
        model = self._queue.model
        self._screen.call_after_refresh(lambda: model.names_of(model.order))

    def changed(self, field: "Input") -> None:
        """Filter by what has been typed so far."""
        if field is self._fields.get(self._queue):
            self._queue.set_filter(field.value)
            self._queue.post_message(QueueTable.CursorMoved())
        elif field is self._fields.get(self._log_view):
            self._log_view.set_filter(field.value)

    def submitted(self, field: "Input") -> None:
        """Keep the filter and go back to the lines."""
        if not field.value:
            field.remove_class("open")
        view = self._queue if field is self._fields.get(self._queue) else self._log_view
        view.focus()

    def clear(self) -> None:
        """Show the whole queue."""
        field = self._fields.get(self._queue)
        if field is not None:
            field.value = ""
        self._queue.set_filter("")

    def close(self) -> bool:
        """Close the log's filter if the focus is there, else the queue's; False: none is open."""
        log = self._fields.get(self._log_view)
        in_log = log is not None and self._screen.focused in {log, self._log_view}
        return (in_log and self._close(self._log_view)) or self._close(self._queue)

    def _close(self, view: LineView) -> bool:
        field = self._fields.get(view)
        if field is None or not field.has_class("open"):
            return False
        field.value = ""
        field.remove_class("open")
        view.focus()
        return True


class QueueActions:
    """Sends commands about the files under the cursor or selected, and about the batch."""

    def __init__(
        self, screen: Screen[None], controller: BatchController, queue: QueueTable
    ) -> None:
        self._screen = screen
        self._controller = controller
        self._model = controller.model
        self._queue = queue
        self.removals = 0  # that can be undone

    def labels(self) -> dict[str, str | None]:
        """Labels that depend on the state, by the id of the key; None: the key does nothing."""
        counts = self._model.counts
        current = self._queue.current
        some = bool(self._queue.selected)
        finished = current is not None and current.is_finished
        return {
            "start": self._start_label(),
            "details": "Details" if current is not None else None,
            "skip": "Skip" if some or self._can_skip(current) else None,
            "retry": "Retry" if some or finished else None,
            "remove": "Remove" if current is not None else None,
            "undo": "Undo" if self.removals else None,
            "sort": "Sort" if counts.total else None,
            "sort_reverse": "Reverse" if self._is_sorted else None,
            "work_order": "Process in this order" if self._is_sorted else None,
            "filter": "Filter" if counts.total else None,
            "fit": "Fit memory" if self._proposal else None,
            "report": "Report" if counts.total else None,
            "quit": "Detach" if self._model.attached else "Quit",
        }

    def _can_skip(self, job: Job | None) -> bool:
        return job is not None and not job.is_finished and job.id not in self._model.requested

    def _start_label(self) -> str | None:
        match self._model.phase:
            case Phase.RUNNING | Phase.WATCHING:
                return "Pause"
            case Phase.PAUSED | Phase.PAUSING:
                return "Resume"
            case _:
                return "Start" if self._can_start else None

    @property
    def _can_start(self) -> bool:
        return bool(self._model.counts.unfinished or self._model.folders)

    def start_pause(self) -> None:
        """Start, pause or resume."""
        match self._model.phase:
            case Phase.RUNNING | Phase.WATCHING:
                self._controller.send(Pause())
            case Phase.IDLE if not self._can_start:
                empty = not self._model.counts.total
                text = "Nothing to do: {add} to add files"
                self._notify(text if empty else "Everything is done: {retry} to retry a file")
            case _:
                self._controller.send(Start())

    def stop(self) -> None:
        """Stop at once; progress is kept."""
        if self._model.phase is not Phase.IDLE or self._model.engine is not None:
            self._controller.send(Stop())
        else:
            self.say("Nothing is running")

    def skip(self) -> None:
        """Cancel running files, skip waiting ones."""
        ids = self._model.request(self._queue.targets)
        if ids:
            self._controller.send(SkipJobs(ids))
            self._queue.touch(set(ids))
            self.unselect()
        elif not self._queue.targets:
            self.say_empty()
        elif any(not self._model.jobs[i].is_finished for i in self._queue.targets):
            self.say("It is being cancelled or skipped already")
        else:
            self.say("Finished already: only waiting and running files can be skipped")

    def retry(self, *, restart: bool) -> None:
        """Queue finished files again; asks if some of them are done."""
        jobs = [self._model.jobs[i] for i in self._queue.targets]
        command = RetryJobs(tuple(job.id for job in jobs if job.is_finished), restart)
        done = [job for job in jobs if isinstance(job.state, Completed)]
        if done:
            self._run_dialog(self._ask_and_retry(command, done))
        elif command.ids:
            self._send_retry(command)
        elif jobs:
            self.say("Not finished yet: only finished files can be queued again")
        else:
            self.say_empty()

    async def _ask_and_retry(self, command: RetryJobs, done: list[Job]) -> None:
        from fwtui.tui.screens.quit import ask_again

        if await self._screen.app.push_screen_wait(ask_again(done)):
            self._send_retry(command)

    def _send_retry(self, command: RetryJobs) -> None:
        self._controller.send(command)
        self.unselect()

    def remove(self) -> None:
        """Remove files from the queue; asks when that interrupts one."""
        self._run_dialog(self._remove())

    async def _remove(self) -> None:
        ids = self._queue.targets
        running = [i for i in ids if isinstance(self._model.jobs[i].state, Processing)]
        if not ids:
            self.say_empty()
        if not ids or (running and not await self._confirm_removal(len(ids), running[0])):
            return
        self._controller.send(RemoveJobs(ids))
        self.removals += 1
        self.unselect()
        self._notify(f"{file_count(len(ids))} removed · {{undo}} to undo", timeout=3)

    async def _confirm_removal(self, count: int, running: JobId) -> bool:
        from fwtui.tui.screens.dialog import ConfirmDialog

        name = shown_name(self._model.jobs[running].path)
        question = (
            f"Remove {file_count(count)} from the queue?\n\n"
            f"{name} is being transcribed; its current chunk is lost.\n\n"
            "Recordings and transcripts stay on disk."
        )
        ask = ConfirmDialog("Remove files", question, "Remove", "Keep")
        return await self._screen.app.push_screen_wait(ask)

    def undo(self) -> None:
        """Undo the last removal."""
        if self.removals:
            self.removals -= 1
            self._controller.send(UndoRemove())
        else:
            self.say("No removal to undo")

    # The order.

    @property
    def _is_sorted(self) -> bool:
        return self._queue.shown.sort != "queue"

    def next_sort(self, sorts: tuple[Sort, ...] = MAIN_SORTS) -> None:
        """Show the files in the next of these orders."""
        if not self._model.counts.total:
            self.say_empty()
            return
        now = self._queue.shown.sort
        following = sorts[(sorts.index(now) + 1) % len(sorts)] if now in sorts else sorts[0]
        self._queue.set_sort(following)
        self._queue.post_message(QueueTable.CursorMoved())

    def reverse_sort(self) -> None:
        """Show the files in the opposite order."""
        if self._is_sorted:
            self._queue.set_sort(ORDERS[self._queue.shown.sort].opposite)
            self._queue.post_message(QueueTable.CursorMoved())
        else:
            self.say("The view is not sorted: {sort} sorts it")

    def use_shown_order(self) -> None:
        """Process files in the order shown; those that the filter hides come last."""
        if self._is_sorted:
            self._controller.send(ArrangeJobs(tuple(self._queue.ids)))
            self._queue.set_sort("queue")
            self._queue.post_message(QueueTable.CursorMoved())
            self._notify("Files are processed in this order now", timeout=3)
        else:
            self.say("Files are already processed in the order shown; {sort} sorts the view")

    def move(self, offset: int) -> bool:
        """Move files up or down the queue; False: nothing is moved."""
        ids = self._queue.targets
        if self._is_sorted:
            self._notify("This view is sorted: {work_order} to process files in this order")
            return False
        if not ids:
            self.say_empty()
            return False
        from fwtui.batch.queue import moved

        order = list(self._model.order)
        if moved(order, set(ids), offset) == order:
            self.say("Already last" if offset > 0 else "Already first")
            return False
        self._controller.send(MoveJobs(ids, offset))
        return True

    # The selection.

    def toggle_range(self) -> None:
        """Begin or end the selection of a range: from the cursor to wherever it goes."""
        if self._queue.current is None:
            self.say_empty()
        elif self._queue.in_range:
            self._queue.end_range()
        else:
            self._queue.begin_range()
        self._queue.post_message(QueueTable.CursorMoved())

    def select_all(self) -> None:
        """Select all files shown, or none."""
        shown = set(self._queue.ids)
        if not shown:
            self.say_empty()
        self._queue.select(() if shown <= self._queue.selected else shown)
        self._queue.post_message(QueueTable.CursorMoved())

    def unselect(self) -> None:
        """Select nothing."""
        self._queue.end_range()
        self._queue.select(())
        self._queue.post_message(QueueTable.CursorMoved())

    # Settings.

    @property
    def _proposal(self) -> Forecast | None:
        """The forecast, if it suggests other settings."""
        forecast = self._model.forecast
        return forecast if forecast is not None and forecast.proposal else None

    def fit_memory(self) -> None:
        """Apply the settings that the forecast suggests."""
        from fwtui.config.fields import apply

        forecast = self._proposal
        if forecast is not None:
            self._controller.send(ChangeSettings(apply(self._model.settings, forecast.proposal)))
            self._notify(f"Files that have not started use {clean(forecast.remedy)}")
        elif self._model.forecast is None:
            self.say("How much memory the batch needs is not known yet")
        elif self._model.forecast.fits:
            self.say("The batch fits into memory as it is")
        else:
            self.say("No smaller settings would fit")

    def use_model(self, name: str) -> None:
        """Use another model for the files that have not started."""
        settings = self._model.settings
        if name != settings.model.model:
            model = replace(settings.model, model=name)
            self._controller.send(ChangeSettings(replace(settings, model=model)))
            self._notify(f"Files that have not started use {clean(name)}")

    def change_settings(self, wanted: Settings) -> None:
        """Use other settings for the files that have not started."""
        self._controller.send(ChangeSettings(wanted))
        self._notify("Files that have not started use the new settings")

    def say(self, text: str) -> None:
        """Say why a key does nothing now, with `{action}` in place of keys."""
        self._notify(text, timeout=2)

    def say_empty(self) -> None:
        """Say that there is no file that a key could be about."""
        shown = self._queue.needle
        self.say("No file is shown" if shown else "The queue is empty: {add} to add files")

    def _notify(self, text: str, timeout: float | None = None) -> None:
        text = with_keys(self._screen, text)
        self._screen.notify(text, timeout=timeout, markup=False)

    def _run_dialog(self, work: Coroutine[Any, Any, None]) -> None:
        self._screen.run_worker(work, exclusive=True, group="dialog", exit_on_error=False)
