"""The main screen: header, queue, transcript, log, memory, footer."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal

from msgspec.structs import replace
from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.dom import DOMNode
from textual.geometry import Region, Size
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip

from fwtui.core.job import Completed, Job, JobId, Pending, Skipped
from fwtui.core.settings import ModelSettings
from fwtui.tui.arrangement import (
    COLUMN_STEP,
    DEFAULT,
    PANES,
    QUEUE,
    ROW_STEP,
    SIDES,
    SMALLEST_HEIGHT,
    SMALLEST_WIDTH,
    Arrangement,
    cells_of,
    next_preset,
)
from fwtui.tui.compositor import PartialCompositor
from fwtui.tui.controller import BatchController
from fwtui.tui.dialog_actions import DialogActions
from fwtui.tui.error_boundary import ErrorBoundary
from fwtui.tui.formatting import clean
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.job_details import speakers_note, transcript_note
from fwtui.tui.keymap import key_for
from fwtui.tui.keys import Key, bindings
from fwtui.tui.model import BatchModel, Changes, LiveTranscript
from fwtui.tui.pane_titles import PaneTitles
from fwtui.tui.queue_actions import FilterFields, QueueActions
from fwtui.tui.screens import NARROW_WIDTH
from fwtui.tui.unbound_keys import UnboundKeys
from fwtui.tui.widgets.footer import Footer
from fwtui.tui.widgets.header import Header
from fwtui.tui.widgets.lines import LineView
from fwtui.tui.widgets.log import LogView
from fwtui.tui.widgets.memory import MemoryView
from fwtui.tui.widgets.paint import InkWidget
from fwtui.tui.widgets.panes import Panes, blank_lines
from fwtui.tui.widgets.queue_table import QueueTable, modification_times
from fwtui.tui.widgets.searchable import SearchableView
from fwtui.tui.widgets.transcript import TranscriptView

if TYPE_CHECKING:
    from textual.widgets import Input

    from fwtui.tui.model_downloads import ModelDownloads

NARROW_HEIGHT = 30
LOW_HEIGHT = 14
WARNING_SECONDS = 12.0
# A cursor that moves on at once does not load the transcript.
TRANSCRIPT_DELAY = 0.12  # s


def layout_classes(size: Size) -> dict[str, bool]:
    """The classes that choose the layout for a size."""
    narrow = size.width < NARROW_WIDTH or size.height < NARROW_HEIGHT
    return {"narrow": narrow, "wide": not narrow, "low": size.height < LOW_HEIGHT}


def arrangement_classes(arrangement: Arrangement) -> dict[str, bool]:
    """The classes for what is hidden."""
    hidden = {f"without-{side}": side in arrangement.hidden for side in SIDES}
    return hidden | {"zoomed": bool(arrangement.zoomed)}


class MainScreen(UnboundKeys, ErrorBoundary, Screen[None]):
    """Puts the panes together and brings the model's changes to them."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("queue", "panes")

    class Arranged(Message):
        """The user arranged the panes in another way."""

        def __init__(self, arrangement: Arrangement) -> None:
            super().__init__()
            self.arrangement = arrangement

    def __init__(
        self,
        controller: BatchController,
        glyphs: Glyphs,
        now: Callable[[], datetime],
        size: Size,
        downloads: "Callable[[], ModelDownloads]",
        arrangement: Arrangement = DEFAULT,
    ) -> None:
        super().__init__()
        # Each change of classes later on works out the styles of all widgets again.
        classes = layout_classes(size) | {"plain-ascii": glyphs.ascii}
        self.update_classes(classes | arrangement_classes(arrangement), update=False)
        self._compositor = PartialCompositor()
        self.controller = controller
        self.glyphs = glyphs
        self.model: BatchModel = controller.model
        self.following = True
        self.shown: JobId | None = None  # in the transcript pane
        self._is_live = False  # the file that is shown
        self._is_new = True
        self.arrangement = arrangement
        self._examined: ModelSettings | None = None  # whose presence is shown
        self.header = Header(self.model, glyphs, now)
        self.queue = QueueTable(self.model, glyphs, id="queue")
        self.transcript_view = TranscriptView(glyphs, id="transcript")
        self.log_view = LogView(self.model, glyphs, id="log")
        self.memory = MemoryView(self.model, glyphs, id="memory")
        self.panes = Panes(
            {
                "queue": Vertical(self.queue, id="queue-pane"),
                "transcript": self.transcript_view,
                "log": Vertical(self.log_view, id="log-pane"),
                "memory": self.memory,
            },
            id="panes",
        )
        self._fit_panes(size, update=False)
        self.titles = PaneTitles(
            self.model, glyphs, self.panes, self.queue, self.transcript_view, self.log_view
        )
        self.filters = FilterFields(self, self.queue, self.log_view)
        self.actions = QueueActions(self, controller, self.queue)
        self.dialogs = DialogActions(self, controller, glyphs, self.actions, downloads)
        self.footer = Footer(glyphs, lambda: self.footer_pane, self._labels)

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.panes
        yield self.footer

    def render_lines(self, crop: Region) -> list[Strip]:
        return blank_lines(self, crop)

    def update_node_styles(self, animate: bool = True) -> None:
        # Textual asks for that also when the screen is shown first, right after it has done so.
        if self._is_new and not animate:
            self._is_new = False
            return
        super().update_node_styles(animate)

    def on_mount(self) -> None:  # what is known is part of the first frame
        self._draw(Changes(everything=True))

    def on_resize(self, event: events.Resize) -> None:
        self.update_classes(layout_classes(event.size))
        self._fit_panes(event.size)
        self.app.call_later(self._keep_focus)
        self._titles()
        self.call_after_refresh(self._titles)  # they fit into the new widths

    def on_paste(self, event: events.Paste) -> None:  # of paths; dropped files come so, too
        event.stop()
        if event.text.strip():
            self.dialogs.add(event.text)

    def apply(self, changes: Changes) -> None:
        """Draw what changed."""
        if not self.is_mounted:
            return
        if changes.only_progress:  # five times a second, so it must be cheap
            self.queue.touch(changes.jobs)
        else:
            self._draw(changes)

    def _draw(self, changes: Changes) -> None:
        if changes.everything:
            self.shown = None
            self.following = True
            self.actions.removals = 0
        if changes.everything or changes.order:
            self.queue.reorder()
            self._look_up_dates()
        elif changes.jobs:
            self.queue.touch(changes.jobs)
        if changes.everything or changes.header or changes.order:
            self.header.update()
            self.footer.update()
        if changes.everything or changes.header:
            current = self.queue.current
            self.queue.touch({*self.model.running, *([current.id] if current else [])})
        self._show_transcript(changes)
        if changes.everything or changes.log:
            self.log_view.update()
        if changes.everything or changes.memory:
            self.memory.update()
        self._warn(changes)
        self._titles()
        if not self.model.order and self.model.settings.model != self._examined:
            self._examined = self.model.settings.model
            self._examine_model()

    @work(exclusive=True, group="presence", exit_on_error=False)
    async def _examine_model(self) -> None:
        """Say on the empty screen whether the model is on this machine."""
        if self.controller.batch is None:  # before the first frame, nothing else is imported
            self._examined = None
            return
        workspace, settings = self.controller.workspace, self.model.settings.model
        self.queue.set_presence(await workspace.model_presence(settings))

    def _warn(self, changes: Changes) -> None:
        """Notify of memory that runs short and of hooks that failed."""
        alert, forecast, hook = changes.alert, changes.forecast, changes.hook
        if alert is not None and alert.text:
            text = f"{alert.text}; {alert.hint}"
            self._notify_warning("Memory", text, "error" if alert.hard else "warning")
        if forecast is not None and not forecast.fits:
            from fwtui.memory.forecast import describe_forecast

            self._notify_warning("Memory", describe_forecast(forecast, key_for(self, "fit")))
        if hook is not None:
            text = ": ".join(part for part in (hook.text, hook.hint) if part)
            self._notify_warning("After the batch", text)

    def _notify_warning(
        self, title: str, text: str, severity: Literal["warning", "error"] = "warning"
    ) -> None:
        self.notify(
            clean(text), title=title, severity=severity, timeout=WARNING_SECONDS, markup=False
        )

    # The transcript follows the running file until the user looks at another one. The cursor does
    # not: keys are about its file.

    def on_queue_table_cursor_moved(self) -> None:
        current = self.queue.current
        self.following = current is not None and current.id == self.model.live
        self._show_transcript(Changes())
        self.footer.update()
        self._titles()

    def on_line_view_tail_changed(self) -> None:
        self.footer.update()
        self._titles()

    def on_searchable_view_search_changed(self) -> None:
        self.refresh_bindings()  # Esc ends a search, if there is one
        self._show_transcript(Changes())
        self._titles()

    def on_queue_table_heading_clicked(self, event: QueueTable.HeadingClicked) -> None:
        self.actions.next_sort(event.sorts)

    def on_queue_table_dates_wanted(self) -> None:
        self._look_up_dates()

    def _look_up_dates(self) -> None:
        if self.queue.paths_without_date():
            self._read_dates()

    @work(exclusive=True, group="dates", exit_on_error=False)
    async def _read_dates(self) -> None:
        """Look up when the files were changed; blocks on their disks."""
        found = await asyncio.to_thread(modification_times, self.queue.paths_without_date())
        self.queue.set_dates(found)

    def on_queue_table_row_double_clicked(self) -> None:
        self.action_details()

    def _wanted(self) -> Job | None:
        current = self.queue.current
        live = self.model.jobs.get(self.model.live) if self.model.live is not None else None
        shown = self.model.jobs.get(self.shown) if self.shown is not None else None
        if shown is not None and self.transcript_view.search is not None:
            return shown  # the user reads it
        if current is None or (self.following and live is not None):
            return live
        has_text = not isinstance(current.state, Skipped) and not (
            isinstance(current.state, Pending) and current.state.done_seconds == 0
        )
        return current if has_text or live is None else live

    def _show_transcript(self, changes: Changes) -> None:
        job = self._wanted()
        if job is None:
            if self.shown is not None or self.transcript_view.transcript.segments:
                self.shown = None
                self.transcript_view.show(LiveTranscript(), follow=False)
            self.transcript_view.set_note("The transcript of the running file appears here")
            return
        live = job.id == self.model.live
        known = self.model.transcripts.get(job.id)
        if job.id != self.shown or self.transcript_view.transcript is not known:
            self.shown = job.id
            transcript = self.model.transcript(job.id)
            self.transcript_view.show(transcript, follow=live)
            if not transcript.whole:
                self._load_transcript(job.id)
        else:
            if job.id in changes.transcripts:
                self.transcript_view.update()
                if not known.whole:
                    self._load_transcript(job.id)
            if live and not self._is_live:  # it was looked at before its turn came
                self.transcript_view.action_end()
        self._is_live = live
        self.transcript_view.set_note(transcript_note(job, self.model.transcript(job.id)))

    @work(exclusive=True, group="transcript", exit_on_error=False)
    async def _load_transcript(self, job_id: JobId) -> None:
        await asyncio.sleep(TRANSCRIPT_DELAY)
        batch = self.controller.batch
        if batch is None or self.shown != job_id:
            return
        stored = await batch.transcript(job_id)
        self.model.transcript(job_id).complete(stored)
        self.apply(Changes(transcripts={job_id}))

    # Panes.

    @property
    def narrow(self) -> bool:
        """Whether there is room for one pane beside the queue."""
        return self.has_class("narrow")

    @property
    def pane(self) -> str:
        """The pane that has the focus."""
        around = [] if self.focused is None else self.focused.ancestors_with_self
        boxes = self.panes.boxes.items()
        return next((name for name, box in boxes if box in around), QUEUE)

    def is_shown(self, pane: str) -> bool:
        """Whether a pane is on the screen."""
        return self.arrangement.shows(pane, narrow=self.narrow)

    def _arrange(self, arrangement: Arrangement) -> None:
        """Show the panes in this way, and remember it."""
        if arrangement == self.arrangement:
            return
        self.arrangement = arrangement
        self.update_classes(arrangement_classes(arrangement))
        self._fit_panes(self.size)
        self.app.call_later(self._keep_focus)  # behind what has been asked for already
        self.footer.update()
        self.call_after_refresh(self._titles)  # they fit into the new widths
        self.post_message(self.Arranged(arrangement))

    def _keep_focus(self) -> None:
        """Move the focus out of a pane that is hidden."""
        if not self.is_shown(self.pane):
            self._focus(self.arrangement.zoomed or QUEUE)

    def _fit_panes(self, size: Size, *, update: bool = True) -> None:
        low = self.has_class("low")
        room = Size(size.width, max(0, size.height - (2 if low else 3)))  # header and footer
        self.panes.show(self.arrangement, room, narrow=self.narrow, low=low, update=update)

    def _focus(self, pane: str) -> None:
        views = {"queue": self.queue, "log": self.log_view, "memory": self.memory}
        views.get(pane, self.transcript_view).focus()

    def action_pane(self, name: str) -> None:
        now = self.arrangement
        if name == self.pane and name in SIDES:
            hidden = replace(now, hidden=now.hidden | {name})
            now = replace(now, side="") if self.narrow else hidden
            name = QUEUE
        elif name in SIDES:
            now = replace(now, hidden=now.hidden - {name}, side=name)
        self._focus(name)
        self._arrange(replace(now, zoomed=name if now.zoomed else ""))
        self._titles()

    def action_next_pane(self, step: int) -> None:
        # With room for one pane beside the queue, all of them take turns.
        hidden = () if self.narrow else self.arrangement.hidden
        panes = [name for name in PANES if name not in hidden]
        self.action_pane(panes[(panes.index(self.pane) + step) % len(panes)])

    def action_zoom(self) -> None:
        zoomed = "" if self.arrangement.zoomed else self.pane
        self._arrange(replace(self.arrangement, zoomed=zoomed))

    def action_preset(self, step: int) -> None:
        preset = next_preset(self.arrangement, step, narrow=self.narrow)
        self._arrange(preset.of(self.arrangement))
        self.actions.say(f"Layout: {preset.title}")

    def action_usual_sizes(self) -> None:
        self._arrange(replace(self.arrangement, column=None, row=None, stack=None))
        self.actions.say("The panes have their usual sizes")

    def action_border(self, columns: int, rows: int) -> None:
        """Move the border between columns, or that between rows."""
        column, row = self.panes.borders
        if (columns and column is None) or (rows and row is None):
            where = "left and right" if columns else "above and below"
            self.actions.say(f"No panes {where} of each other: {{preset}} for another layout")
            return
        self._put_borders(
            column + columns * COLUMN_STEP if columns and column is not None else None,
            row + rows * ROW_STEP if rows and row is not None else None,
        )

    def on_panes_dragged(self, event: Panes.Dragged) -> None:
        self._put_borders(event.column, event.row)

    def _put_borders(self, column: int | None, row: int | None) -> None:
        """Move borders to these cells, as far as the smallest sizes allow."""
        cells, lines = self.panes.size
        now = self.arrangement
        if column is not None and cells:
            now = replace(now, column=cells_of(column / cells, cells, SMALLEST_WIDTH) / cells)
        if row is not None and lines and self.narrow:
            now = replace(now, stack=cells_of(row / lines, lines, SMALLEST_HEIGHT - 1) / lines)
        elif row is not None and lines:
            now = replace(now, row=cells_of(row / lines, lines, SMALLEST_HEIGHT) / lines)
        self._arrange(now)

    def action_copy(self) -> None:
        match self.pane:
            case "log":
                text = self.log_view.text()
            case "memory":
                text = self.memory.text()
            case _:
                text = self.transcript_view.text()
        if text:
            self.app.copy_to_clipboard(text)
        else:
            self.actions.say("Nothing to copy yet")

    def _titles(self) -> None:
        self.titles.update(self.shown, narrow=self.narrow)

    # Filter and footer.

    def on_input_changed(self, event: "Input.Changed") -> None:
        self.filters.changed(event.input)

    def on_input_submitted(self, event: "Input.Submitted") -> None:
        self.filters.submitted(event.input)

    @property
    def footer_pane(self) -> str:
        """The pane whose keys the footer shows first; a text field has its own."""
        in_view = self.focused is None or isinstance(self.focused, InkWidget)
        return self.pane if in_view else "typing"

    def _labels(self) -> dict[str, str | None]:
        """Labels that depend on the state, by the id of the key; None: the key does nothing."""
        labels = self.actions.labels()
        labels["zoom"] = "Restore" if self.arrangement.zoomed else "Zoom"
        job = self._subject
        if self.pane == "transcript":
            is_done = job is not None and isinstance(job.state, Completed)
            if not is_done:
                labels |= {"edit": None, "view": None}
            labels["details"] = "Details" if job is not None else None
        view = self.focused
        is_behind = isinstance(view, LineView) and view.tails and not view.tail
        if view is self.transcript_view and self.shown != self.model.live:
            is_behind = False  # nothing comes any more
        labels["end"] = "Follow" if is_behind else None
        if isinstance(view, SearchableView):
            labels |= view.search_labels()
        labels["memory_zero"] = "From lowest" if self.memory.from_zero else "From 0"
        return labels

    def key_label(self, key: Key) -> str | None:
        """What a key would do now; None when it would do nothing."""
        return self._labels().get(key.id, key.label)

    def key_target(self, key: Key) -> DOMNode:
        """The widget or screen that a key's action belongs to."""
        match key.where:
            case "everywhere":
                return self.app
            case "log":
                return self.log_view
            case "memory":
                return self.memory
            case "search":
                return self.log_view if self.pane == "log" else self.transcript_view
            case _:
                return self

    def on_footer_pressed(self, event: Footer.Pressed) -> None:
        for active in self.active_bindings.values():
            if active.binding.id == event.key.id:
                self.app.call_later(self.app.run_action, active.binding.action, active.node)
                return

    # Keys.

    def action_add(self) -> None:
        self.dialogs.add()

    def action_start_pause(self) -> None:
        self.actions.start_pause()

    def action_stop(self) -> None:
        self.actions.stop()

    @property
    def _subject(self) -> Job | None:
        """The file that a key about one file is about: in the transcript's pane the one shown."""
        if self.pane == "transcript" and self.shown is not None:
            return self.model.jobs.get(self.shown)
        return self.queue.current

    def action_details(self) -> None:
        if (job := self._subject) is not None:
            self.dialogs.details(job)
        else:
            self.actions.say_empty()

    def action_speakers(self) -> None:
        job = self._wanted() if self.pane == "transcript" else self.queue.current
        if job is None:
            self.actions.say_empty()
        elif note := speakers_note(job):
            self.actions.say(note)
        else:
            self.dialogs.speakers(job)

    def action_skip(self) -> None:
        self.actions.skip()

    def action_retry(self) -> None:
        self.actions.retry(restart=False)

    def action_restart(self) -> None:
        self.actions.retry(restart=True)

    def action_remove(self) -> None:
        self.actions.remove()

    def action_undo(self) -> None:
        self.actions.undo()

    def action_move(self, offset: int) -> None:
        if self.actions.move(offset):
            self.following = False

    def action_select(self) -> None:
        if self.queue.current is None:
            self.actions.say_empty()
        self.queue.toggle()
        self.refresh_bindings()

    def action_select_all(self) -> None:
        self.actions.select_all()

    async def action_filter(self) -> None:
        await self.filters.open_for_queue()

    async def action_filter_log(self) -> None:
        await self.filters.open_for_log()

    def action_sort(self) -> None:
        self.actions.next_sort()

    def action_sort_reverse(self) -> None:
        self.actions.reverse_sort()

    def action_range(self) -> None:
        self.actions.toggle_range()
        self.refresh_bindings()

    def action_extend(self, step: int) -> None:
        if self.queue.current is None:
            self.actions.say_empty()
        elif not self.queue.extend(step):
            self.actions.say("Already the last file" if step > 0 else "Already the first file")
        self.refresh_bindings()

    def action_work_order(self) -> None:
        self.actions.use_shown_order()

    @work(exclusive=True, group="terminal", exit_on_error=False)
    async def action_edit(self) -> None:
        from fwtui.tui.opening import edit_transcript

        await edit_transcript(self.app, self._subject)

    @work(exclusive=True, group="terminal", exit_on_error=False)
    async def action_view(self) -> None:
        from fwtui.tui.opening import page_transcript

        await page_transcript(self.app, self._subject)

    def action_watch(self) -> None:
        self.dialogs.watched_folders(self.header.profiles)

    def action_settings(self) -> None:
        self.dialogs.settings()

    def action_fit(self) -> None:
        self.actions.fit_memory()

    def action_report(self) -> None:
        self.dialogs.report()

    def action_sessions(self) -> None:
        self.dialogs.sessions()

    def action_history(self) -> None:
        self.dialogs.history()

    def action_models(self) -> None:
        self.dialogs.models()

    def action_doctor(self) -> None:
        self.dialogs.doctor()

    def action_follow(self) -> None:
        live = self.model.live
        current = self.queue.current
        if live is not None and self.following and current is not None and current.id == live:
            self.actions.say("The cursor is on the running file already")
        elif live is not None:
            if live not in self.queue.ids:
                self.filters.clear()
            self.queue.show(live)
            self.queue.post_message(QueueTable.CursorMoved())
        else:
            self.notify("No file is running", timeout=2, markup=False)

    def action_escape(self) -> None:
        if self.filters.close():
            return
        if self.queue.selected or self.queue.in_range:
            self.actions.unselect()
        elif self.arrangement.zoomed:
            self.action_zoom()
        else:
            self.actions.say("Nothing to clear; {quit} to quit")
