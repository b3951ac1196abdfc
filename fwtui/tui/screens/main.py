"""The main screen: header, queue, transcript, log, memory, footer."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.dom import DOMNode
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from fwtui.core.events import Level
from fwtui.core.job import Completed, Job, JobId, Pending, Skipped
from fwtui.core.settings import ModelSettings
from fwtui.core.text import clock
from fwtui.tui.compositor import PartialCompositor, set_titles
from fwtui.tui.controller import BatchController
from fwtui.tui.dialog_actions import DialogActions
from fwtui.tui.error_boundary import ErrorBoundary
from fwtui.tui.formatting import clean, file_count, fit_middle, shown_name, width
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.job_details import source_note, transcript_note
from fwtui.tui.keymap import key_for
from fwtui.tui.keys import Key, bindings
from fwtui.tui.model import BatchModel, Changes, LiveTranscript
from fwtui.tui.queue_actions import FilterFields, QueueActions
from fwtui.tui.screens import NARROW_WIDTH
from fwtui.tui.sort_filter import ORDERS
from fwtui.tui.unbound_keys import UnboundKeys
from fwtui.tui.widgets.footer import Footer
from fwtui.tui.widgets.header import Header
from fwtui.tui.widgets.lines import LineView
from fwtui.tui.widgets.log import LogView
from fwtui.tui.widgets.memory import MemoryView
from fwtui.tui.widgets.paint import InkWidget
from fwtui.tui.widgets.queue_table import QueueTable, modification_times
from fwtui.tui.widgets.searchable import SearchableView
from fwtui.tui.widgets.transcript import TranscriptView

if TYPE_CHECKING:
    from textual.widgets import Input

    from fwtui.tui.model_downloads import ModelDownloads

NARROW_HEIGHT = 30
LOW_HEIGHT = 14
FRAME_CELLS = 6
TABS_CELLS = 30
PANES = ("queue", "transcript", "log", "memory")
SIDES = PANES[1:]
WARNING_SECONDS = 12.0
# A cursor that moves on at once does not load the transcript.
TRANSCRIPT_DELAY = 0.12  # s
_BOXES = {"queue": "queue-pane", "transcript": "transcript", "log": "log-pane", "memory": "memory"}


def layout_classes(size: Size) -> dict[str, bool]:
    """The classes that choose the layout for a size."""
    narrow = size.width < NARROW_WIDTH or size.height < NARROW_HEIGHT
    return {"narrow": narrow, "wide": not narrow, "low": size.height < LOW_HEIGHT}


def blank_lines(widget: Widget, crop: Region) -> list[Strip]:
    """What lies under the panes, without drawing line by line."""
    strip = Strip.blank(crop.width, widget.rich_style)
    for line_filter in widget.get_line_filters():
        strip = strip.apply_filter(line_filter, widget.background_colors[1])
    return [strip] * crop.height


class Panes(Container):
    """The four panes."""

    def render_lines(self, crop: Region) -> list[Strip]:
        return blank_lines(self, crop)


class MainScreen(UnboundKeys, ErrorBoundary, Screen[None]):
    """Puts the panes together and brings the model's changes to them."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("queue", "panes")

    def __init__(
        self,
        controller: BatchController,
        glyphs: Glyphs,
        now: Callable[[], datetime],
        size: Size,
        downloads: "Callable[[], ModelDownloads]",
    ) -> None:
        super().__init__()
        # Each change of classes later on works out the styles of all widgets again.
        classes = layout_classes(size) | {"plain-ascii": glyphs.ascii}
        self.update_classes(classes, update=False)
        self._compositor = PartialCompositor()
        self.controller = controller
        self.glyphs = glyphs
        self.model: BatchModel = controller.model
        self.following = True
        self.shown: JobId | None = None  # in the transcript pane
        self._is_live = False  # the file that is shown
        self._is_new = True
        self.side = "transcript"
        self._examined: ModelSettings | None = None  # whose presence is shown
        self.header = Header(self.model, glyphs, now)
        self.queue = QueueTable(self.model, glyphs, id="queue")
        self.transcript_view = TranscriptView(glyphs, id="transcript")
        self.log_view = LogView(self.model, glyphs, id="log")
        self.memory = MemoryView(self.model, glyphs, id="memory")
        self.filters = FilterFields(self, self.queue, self.log_view)
        self.actions = QueueActions(self, controller, self.queue)
        self.dialogs = DialogActions(self, controller, glyphs, self.actions, downloads)
        self.footer = Footer(glyphs, lambda: self.footer_pane, self._labels)

    def compose(self) -> ComposeResult:
        yield self.header
        with Panes(id="panes"):
            yield Vertical(self.queue, id="queue-pane", classes="pane")
            log_pane = Vertical(self.log_view, id="log-pane")
            sides = (self.transcript_view, log_pane, self.memory)
            for name, pane in zip(SIDES, sides, strict=True):
                classes = {"pane": True, "side": True, "active": name == self.side}
                pane.update_classes(classes, update=False)
                yield pane
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
        self._titles()

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
        focused = self.focused
        inside = [] if focused is None else [node.id for node in focused.ancestors_with_self]
        return next((name for name in SIDES if _BOXES[name] in inside), "queue")

    def is_shown(self, side: str) -> bool:
        """Whether a side pane is on the screen."""
        return side == self.side if self.narrow else not self.has_class(f"without-{side}")

    def _activate(self, side: str) -> None:
        self.side = side
        for name in SIDES:
            self._box(name).set_class(name == side, "active")

    def action_pane(self, name: str) -> None:
        if name == self.pane and name in SIDES:
            self._hide(name)
            name = "queue"
        elif name in SIDES:
            self.remove_class(f"without-{name}")
            self._activate(name)
        if self.has_class("zoomed"):
            self._zoom(name)
        self.query_one(f"#{name}").focus()
        self._titles()

    def _hide(self, name: str) -> None:
        if self.narrow:
            self._activate("")
        else:
            self.add_class(f"without-{name}")

    def action_next_pane(self, step: int) -> None:
        # With room for one pane beside the queue, all of them take turns.
        panes = [name for name in PANES if name == "queue" or self.narrow or self.is_shown(name)]
        self.action_pane(panes[(panes.index(self.pane) + step) % len(panes)])

    def action_zoom(self) -> None:
        self.toggle_class("zoomed")
        self._zoom(self.pane)

    def _zoom(self, name: str) -> None:
        for each in PANES:
            self._box(each).set_class(each == name, "zoom")

    def _box(self, name: str) -> Widget:
        return self.query_one(f"#{_BOXES[name]}")

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

    # Titles.

    def _titles(self) -> None:
        job = self.model.jobs.get(self.shown) if self.shown is not None else None
        name = shown_name(job.path) if job is not None else ""
        texts = {"transcript": (name, self._transcript_state(job)), "log": ("", self._log_state())}
        for side in SIDES:
            subject, state = texts.get(side, ("", ""))
            if self.narrow:
                title, below = self._tabs(side, subject, state), ""
            else:
                title = Content(self._cut(self._joined(side.capitalize(), subject), side))
                below = state
            set_titles(self._box(side), title, Content(below))
        queue, chosen = self._queue_title(), self._selection()
        if self.narrow:
            queue, chosen = f" {self._joined(queue, chosen)} ", ""
        set_titles(self._box("queue"), Content(queue), Content(chosen))

    def _joined(self, *parts: str) -> str:
        return f" {self.glyphs.dot} ".join(part for part in parts if part)

    def _tabs(self, active: str, subject: str, state: str) -> Content:
        parts: list[tuple[str, str]] = []
        for name in SIDES:
            here = name == active
            word = f"[{name.capitalize()}]" if here and self.glyphs.ascii else name.capitalize()
            style = "bold $primary reverse" if here else "$ink-dim"
            parts.append((f" {word} ", f"{style} @click=screen.pane('{name}')"))
        subject = self._cut(subject, active, TABS_CELLS + width(state) + 3)
        text = self._joined(subject, state)
        return Content.assemble(*parts, (f"  {text} " if text else "", "$ink-dim"))

    def _cut(self, text: str, name: str, used: int = 0) -> str:
        """What of a title fits into its pane's border, as soon as that has a width."""
        cells = self._box(name).outer_size.width
        if not cells:
            return text
        room = max(0, cells - FRAME_CELLS - used)
        return fit_middle(text, room, self.glyphs.ellipsis) if width(text) > room else text

    @property
    def _scrolled(self) -> str:
        return f"scrolled {self.glyphs.dot} {key_for(self, 'end')} to follow"

    def _transcript_state(self, job: Job | None) -> str:
        if job is None:
            return ""
        state = ""
        if job.id == self.model.live:
            state = "live" if self.transcript_view.tail else self._scrolled
        transcript = self.transcript_view.transcript
        return self._joined(clean(transcript.language), source_note(transcript), state)

    def _log_state(self) -> str:
        view = self.log_view
        level = "" if view.level is Level.INFO else f"{view.level.value} and above"
        needle = f"filter {clean(view.needle)}: {view.count():,} shown" if view.needle else ""
        return self._joined(needle, level, "" if view.tail else self._scrolled)

    def _queue_title(self) -> str:
        total, seconds = self.model.counts.total, self.model.counts.audio_seconds
        if not total:
            return "Queue"
        return self._joined("Queue", file_count(total), clock(seconds) if seconds else "")

    def _selection(self) -> str:
        queue = self.queue
        order = ORDERS[queue.shown.sort].title
        shown = f"filter {clean(queue.needle)}: {queue.count():,} shown" if queue.needle else ""
        selected = f"{len(queue.selected):,} selected" if queue.selected else ""
        if selected and (hidden := len(queue.selected.difference(queue.ids))):
            selected += f", {hidden:,} not shown"
        return self._joined(order, shown, "range" if queue.in_range else "", selected)

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
        labels["zoom"] = "Restore" if self.has_class("zoomed") else "Zoom"
        job = self._subject
        if self.pane == "transcript":
            is_done = job is not None and isinstance(job.state, Completed)
            if not is_done:
                labels |= {"edit": None, "view": None}
            labels["details"] = "Details" if job is not None else None
        view = self.focused
        is_behind = isinstance(view, LineView) and view.tails and not view.tail
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
        elif self.has_class("zoomed"):
            self.action_zoom()
        else:
            self.actions.say("Nothing to clear; {quit} to quit")
