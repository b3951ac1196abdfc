"""The main screen: header, queue, transcript, log, memory, footer."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from fwtui.core.events import Level
from fwtui.core.job import Job, JobId, Pending, Skipped
from fwtui.core.text import clock
from fwtui.tui.app_messages import TranscriptWanted
from fwtui.tui.compositor import SparingCompositor, plain, set_titles
from fwtui.tui.controller import BatchController
from fwtui.tui.error_boundary import ErrorBoundary
from fwtui.tui.formatting import base_name, clean, file_count, fit_middle, width
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.job_details import source_note, transcript_note
from fwtui.tui.keys import Key, bindings
from fwtui.tui.model import BatchModel, Changes
from fwtui.tui.queue_actions import QueueCommands, tell_hook, tell_memory
from fwtui.tui.sort_filter import SORT_WORDS
from fwtui.tui.widgets.footer import Footer
from fwtui.tui.widgets.header import Header
from fwtui.tui.widgets.log import LogView
from fwtui.tui.widgets.memory import MemoryView
from fwtui.tui.widgets.queue_table import QueueTable
from fwtui.tui.widgets.transcript import TranscriptView

NARROW_WIDTH = 100
NARROW_HEIGHT = 30
LOW_HEIGHT = 14
FRAME_CELLS = 6
TABS_CELLS = 30
PANES = ("queue", "transcript", "log", "memory")
SIDES = PANES[1:]
_BOXES = {"queue": "queue-pane", "transcript": "transcript", "log": "log-pane", "memory": "memory"}


def shape(size: Size) -> dict[str, bool]:
    """The classes that choose the layout for a size."""
    narrow = size.width < NARROW_WIDTH or size.height < NARROW_HEIGHT
    return {"narrow": narrow, "wide": not narrow, "low": size.height < LOW_HEIGHT}


def blank(widget: Widget, crop: Region) -> list[Strip]:
    """What lies under the panes, drawn without a look at each of its lines."""
    strip = Strip.blank(crop.width, widget.rich_style)
    for line_filter in widget.get_line_filters():
        strip = strip.apply_filter(line_filter, widget.background_colors[1])
    return [strip] * crop.height


class Panes(Container):
    """The four panes."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """Blank lines."""
        return blank(self, crop)


class MainScreen(ErrorBoundary, QueueCommands):
    """Puts the panes together and brings the model's changes to them."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("queue", "panes")

    def __init__(
        self, controller: BatchController, glyphs: Glyphs, now: Callable[[], datetime], size: Size
    ) -> None:
        super().__init__()
        # Each change of classes later on works out the styles of all widgets again.
        self.update_classes(shape(size) | {"plain-ascii": glyphs.ascii}, update=False)
        self._compositor = SparingCompositor()
        self.controller = controller
        self.glyphs = glyphs
        self.model: BatchModel = controller.model
        self.following = True
        self.shown: JobId | None = None
        self._is_live = False  # the file that is shown
        self._is_new = True
        self.side = "transcript"
        self.removals = 0
        self.header = Header(self.model, glyphs, now)
        self.queue = QueueTable(self.model, glyphs, id="queue")
        self.transcript_view = TranscriptView(glyphs, id="transcript")
        self.log_view = LogView(self.model, glyphs, id="log")
        self.memory = MemoryView(self.model, glyphs, id="memory")
        self.footer = Footer(glyphs, self.labels)

    def compose(self) -> ComposeResult:
        """Header, four panes, footer."""
        yield self.header
        with Panes(id="panes"):
            yield Vertical(self.queue, id="queue-pane", classes="pane")
            log_pane = Vertical(self.log_view, id="log-pane")
            sides = (self.transcript_view, log_pane, self.memory)
            for name, pane in zip(SIDES, sides, strict=True):
                pane.update_classes(
                    {"pane": True, "side": True, "active": name == self.side}, update=False
                )
                yield pane
        yield self.footer

    def render_lines(self, crop: Region) -> list[Strip]:
        """Blank lines."""
        return blank(self, crop)

    def update_node_styles(self, animate: bool = True) -> None:
        """Work the styles of all widgets out again.

        Textual asks for that also when the screen is shown first, right after it has done so.
        """
        if self._is_new and not animate:
            self._is_new = False
            return
        super().update_node_styles(animate)

    def on_mount(self) -> None:
        """Show what is known, in the first frame."""
        self._draw(Changes(everything=True))

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout for the size."""
        self.update_classes(shape(event.size))
        self._titles()

    def on_paste(self, event: events.Paste) -> None:
        """Pasted (or dropped) paths are files to add."""
        event.stop()
        if event.text.strip():
            self.ask_files(event.text)

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
            self.removals = 0
        if changes.everything or changes.order:
            self.queue.reorder()
        elif changes.jobs:
            self.queue.touch(changes.jobs)
        if changes.everything or changes.header or changes.order:
            self._follow()
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
        tell_memory(self, changes, "M")
        tell_hook(self, changes)
        self._titles()

    # The transcript follows the running file until the user looks at another one.

    def _follow(self) -> None:
        live = self.model.live
        if self.following and live is not None:
            self.queue.show(live)

    def on_queue_table_cursor_moved(self) -> None:
        """The user looks at a file: stay with it."""
        current = self.queue.current
        self.following = current is not None and current.id == self.model.live
        self._show_transcript(Changes())
        self.footer.update()
        self._titles()

    def on_line_view_tail_changed(self) -> None:
        """The title says whether the transcript follows."""
        self._titles()

    def on_queue_table_heading_clicked(self, event: QueueTable.HeadingClicked) -> None:
        """A click on a heading sorts."""
        self.sort_by(event.sorts)

    def on_queue_table_chosen(self) -> None:
        """A double click opens the details."""
        self.action_details()

    def _wanted(self) -> Job | None:
        current = self.queue.current
        live = self.model.jobs.get(self.model.live) if self.model.live is not None else None
        if current is None or (self.following and live is not None):
            return live
        has_words = not isinstance(current.state, Skipped) and not (
            isinstance(current.state, Pending) and current.state.done_seconds == 0
        )
        return current if has_words or live is None else live

    def _show_transcript(self, changes: Changes) -> None:
        job = self._wanted()
        job_id = job.id if job is not None else None
        if job_id is None or job is None:
            self.transcript_view.set_note("The words of the running file will be here")
            return
        live = job_id == self.model.live
        known = self.model.transcripts.get(job_id)
        if job_id != self.shown or self.transcript_view.transcript is not known:
            self.shown = job_id
            transcript = self.model.transcript(job_id)
            self.transcript_view.show(transcript, follow=live)
            if not transcript.whole:
                self.post_message(TranscriptWanted(job_id))
        else:
            if job_id in changes.transcripts:
                self.transcript_view.update()
            if live and not self._is_live:  # it was looked at before its turn came
                self.transcript_view.action_end()
        self._is_live = live
        self.transcript_view.set_note(transcript_note(job, self.model.transcript(job_id)))

    # Panes.

    @property
    def narrow(self) -> bool:
        """One pane beside the queue at a time."""
        return self.has_class("narrow")

    @property
    def pane(self) -> str:
        """The pane that has the focus."""
        focused = self.focused
        inside = [] if focused is None else [node.id for node in focused.ancestors_with_self]
        return next((name for name in SIDES if _BOXES[name] in inside), "queue")

    def is_shown(self, side: str) -> bool:
        """Whether a side pane has a place."""
        return side == self.side if self.narrow else not self.has_class(f"without-{side}")

    def _activate(self, side: str) -> None:
        self.side = side
        for name in SIDES:
            self._box(name).set_class(name == side, "active")

    def action_pane(self, name: str) -> None:
        """Go to a pane, shown again if it was hidden; from the pane itself: hide it."""
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
        """Go round the panes that are shown; where one has room, round all."""
        there = [name for name in PANES if name == "queue" or self.narrow or self.is_shown(name)]
        self.action_pane(there[(there.index(self.pane) + step) % len(there)])

    def action_zoom(self) -> None:
        """The whole screen for the focused pane, or for all again."""
        self.toggle_class("zoomed")
        self._zoom(self.pane)

    def _zoom(self, name: str) -> None:
        for each in PANES:
            self._box(each).set_class(each == name, "zoom")

    def _box(self, name: str) -> Widget:
        return self.query_one(f"#{_BOXES[name]}")

    def action_copy(self) -> None:
        """Copy the log, if that is where the focus is, else the transcript."""
        view = self.log_view if self.pane == "log" else self.transcript_view
        text = view.text()
        if text:
            self.app.copy_to_clipboard(text)
            self.notify(f"Copied the {view.id}", timeout=2, markup=False)

    # Titles.

    def _titles(self) -> None:
        job = self.model.jobs.get(self.shown) if self.shown is not None else None
        name = clean(base_name(job.path)) if job is not None else ""
        texts = {"transcript": (name, self._transcript_state(job)), "log": ("", self._log_state())}
        for side in SIDES:
            subject, state = texts.get(side, ("", ""))
            if self.narrow:
                title, below = self._tabs(side, subject, state), ""
            else:
                title = plain(self._cut(self._joined(side.capitalize(), subject), side))
                below = state
            set_titles(self._box(side), title, plain(below))
        queue, chosen = self._queue_title(), self._selection()
        if self.narrow:
            queue, chosen = self._joined(queue, chosen), ""
        set_titles(self._box("queue"), plain(queue), plain(chosen))

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

    def _cut(self, text: str, name: str, taken: int = 0) -> str:
        """What of a title fits into its pane's border, as soon as that has a width."""
        cells = self._box(name).outer_size.width
        if not cells:
            return text
        room = max(0, cells - FRAME_CELLS - taken)
        return fit_middle(text, room, self.glyphs.ellipsis) if width(text) > room else text

    def _transcript_state(self, job: Job | None) -> str:
        if job is None:
            return ""
        state = ""
        if job.id == self.model.live:
            state = "live" if self.transcript_view.tail else "scrolled up, End follows"
        transcript = self.transcript_view.transcript
        return self._joined(clean(transcript.language), source_note(transcript), state)

    def _log_state(self) -> str:
        view = self.log_view
        level = "" if view.level is Level.INFO else f"{view.level.value} and above"
        needle = f"filter {clean(view.needle)}: {view.count():,} shown" if view.needle else ""
        return self._joined(needle, level, "" if view.tail else "scrolled up, End follows")

    def _queue_title(self) -> str:
        total, seconds = self.model.counts.total, self.model.seconds[1]
        if not total:
            return "Queue"
        return self._joined("Queue", file_count(total), clock(seconds) if seconds else "")

    def _selection(self) -> str:
        queue = self.queue
        order = SORT_WORDS[queue.shown.sort]
        shown = f"filter {clean(queue.needle)}: {queue.count():,} shown" if queue.needle else ""
        selected = f"{len(queue.selected):,} selected" if queue.selected else ""
        return self._joined(order, shown, selected)

    # Footer.

    def key_label(self, key: Key) -> str | None:
        """What a key would do now; None when it would do nothing."""
        return self.labels().get(key.id, key.label)

    def on_footer_pressed(self, event: Footer.Pressed) -> None:
        """A click on a hint."""
        self.app.call_later(self.run_action, event.action)
