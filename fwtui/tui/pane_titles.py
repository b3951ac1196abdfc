"""What the borders of the main screen's panes say: names, states, counts."""

from textual.content import Content

from fwtui.core.events import Level
from fwtui.core.job import Job, JobId
from fwtui.core.text import clock
from fwtui.tui.arrangement import SIDES
from fwtui.tui.compositor import set_titles
from fwtui.tui.formatting import clean, file_count, fit_middle, shown_name, width
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.job_details import source_note
from fwtui.tui.keymap import key_for
from fwtui.tui.model import BatchModel
from fwtui.tui.sort_filter import ORDERS
from fwtui.tui.widgets.log import LogView
from fwtui.tui.widgets.panes import Panes
from fwtui.tui.widgets.queue_table import QueueTable
from fwtui.tui.widgets.transcript import TranscriptView

FRAME_CELLS = 6
TABS_CELLS = 30


class PaneTitles:
    """The titles of all panes; where there is room for one beside the queue, it has tabs."""

    def __init__(
        self,
        model: BatchModel,
        glyphs: Glyphs,
        panes: Panes,
        queue: QueueTable,
        transcript: TranscriptView,
        log: LogView,
    ) -> None:
        self._model = model
        self._glyphs = glyphs
        self._panes = panes
        self._queue = queue
        self._transcript = transcript
        self._log = log

    def update(self, shown: JobId | None, *, narrow: bool) -> None:
        """Write the titles; `shown` is the file of the transcript's pane."""
        job = self._model.jobs.get(shown) if shown is not None else None
        name = shown_name(job.path) if job is not None else ""
        texts = {"transcript": (name, self._transcript_state(job)), "log": ("", self._log_state())}
        for side in SIDES:
            subject, state = texts.get(side, ("", ""))
            if narrow:
                title, below = self._tabs(side, subject, state), ""
            else:
                title = Content(self._cut(self._joined(side.capitalize(), subject), side))
                below = state
            set_titles(self._panes.boxes[side], title, Content(below))
        queue, chosen = self._queue_title(), self._selection()
        if narrow:
            queue, chosen = f" {self._joined(queue, chosen)} ", ""
        set_titles(self._panes.boxes["queue"], Content(queue), Content(chosen))

    def _joined(self, *parts: str) -> str:
        return f" {self._glyphs.dot} ".join(part for part in parts if part)

    def _tabs(self, active: str, subject: str, state: str) -> Content:
        parts: list[tuple[str, str]] = []
        for name in SIDES:
            here = name == active
            word = f"[{name.capitalize()}]" if here and self._glyphs.ascii else name.capitalize()
            style = "bold $primary reverse" if here else "$ink-dim"
            parts.append((f" {word} ", f"{style} @click=screen.pane('{name}')"))
        subject = self._cut(subject, active, TABS_CELLS + width(state) + 3)
        text = self._joined(subject, state)
        return Content.assemble(*parts, (f"  {text} " if text else "", "$ink-dim"))

    def _cut(self, text: str, name: str, used: int = 0) -> str:
        """What of a title fits into its pane's border, as soon as that has a width."""
        cells = self._panes.boxes[name].outer_size.width
        if not cells:
            return text
        room = max(0, cells - FRAME_CELLS - used)
        return fit_middle(text, room, self._glyphs.ellipsis) if width(text) > room else text

    @property
    def _scrolled(self) -> str:
        return f"scrolled {self._glyphs.dot} {key_for(self._panes, 'end')} to follow"

    def _transcript_state(self, job: Job | None) -> str:
        if job is None:
            return ""
        state = ""
        if job.id == self._model.live:
            state = "live, following" if self._transcript.tail else self._scrolled
        transcript = self._transcript.transcript
        return self._joined(clean(transcript.language), source_note(transcript), state)

    def _log_state(self) -> str:
        view = self._log
        level = "" if view.level is Level.INFO else f"{view.level.value} and above"
        needle = f"filter {clean(view.needle)}: {len(view.texts()):,} shown" if view.needle else ""
        return self._joined(needle, level, "" if view.tail else self._scrolled)

    def _queue_title(self) -> str:
        total, seconds = self._model.counts.total, self._model.counts.audio_seconds
        if not total:
            return "Queue"
        return self._joined("Queue", file_count(total), clock(seconds) if seconds else "")

    def _selection(self) -> str:
        queue = self._queue
        order = ORDERS[queue.shown.sort].title
        shown = f"filter {clean(queue.needle)}: {queue.count():,} shown" if queue.needle else ""
        selected = f"{len(queue.selected):,} selected" if queue.selected else ""
        if selected and (hidden := len(queue.selected.difference(queue.ids))):
            selected += f", {hidden:,} not shown"
        return self._joined(order, shown, "range" if queue.in_range else "", selected)
