"""Batches that run in other processes, offered at the start: attach to one, or begin another."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button

from fwtui.batch.remote.batch_status import BatchDetails, BatchStatus
from fwtui.batch.remote.endpoints import Endpoint
from fwtui.batch.remote.protocol import Where
from fwtui.core.paths import text_to_path
from fwtui.core.text import clock, percent
from fwtui.tui.formatting import (
    FieldRow,
    base_name,
    clean,
    fields,
    file_count,
    shown_path,
    time_span,
)
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.screens.dialog import ListDialog, frame, scrolled
from fwtui.tui.widgets.lines import Listing
from fwtui.tui.widgets.paint import Piece

MOST_LINES = 6


class BatchesList(Listing[BatchStatus]):
    """Running batches: session and state."""

    def key(self, item: BatchStatus) -> str:
        return item.endpoint.session_id

    def pieces(self, item: BatchStatus) -> Sequence[Piece]:
        details = item.details
        state = "cannot be attached to"
        if details is not None:
            state = f"{details.phase.value}, {file_count(details.unfinished)} left"
        session = clean(item.endpoint.session_id)
        return [(f" {session}  {self.glyphs.dot}  {state}", "plain" if details else "dim")]


class RunningDialog(ListDialog[Endpoint | None]):
    """Gives the batch to attach to, or None for a new batch beside them."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("running")
    keys = "running"
    escape_result = None

    def __init__(self, batches: Sequence[BatchStatus], glyphs: Glyphs) -> None:
        self._list = BatchesList(glyphs, batches, id="batch-list")
        super().__init__(self._list)
        self._list.display = len(batches) > 1
        self.beside_body = min(len(batches), MOST_LINES) + 1 if len(batches) > 1 else 0
        self._list.cursor = next((i for i, one in enumerate(batches) if one.details is not None), 0)

    def compose(self) -> ComposeResult:
        count = len(self._list.items)
        yield frame(
            f"{count} batches are running" if count > 1 else "A batch is running",
            self._list,
            scrolled(self.details),
            buttons=(
                Button("New separate batch", id="close"),
                Button("Attach", id="attach", variant="primary"),
            ),
        )

    @property
    def first_focus(self) -> Widget:
        return self.query_one("#attach" if self._batch.details is not None else "#close")

    @property
    def _batch(self) -> BatchStatus:
        return self._list.items[self._list.cursor]

    def describe(self) -> Content:
        return describe_batch(self._batch)

    def show_current(self) -> None:
        super().show_current()
        self.enable(attach=self._batch.details is not None)

    def select_current(self) -> None:
        self.first_focus.focus()

    def action_attach(self) -> None:
        if self._batch.details is not None:
            self.dismiss(self._batch.endpoint)


def describe_batch(batch: BatchStatus) -> Content:
    """Who runs the batch and how far it is."""
    endpoint, details = batch.endpoint, batch.details
    rows = [
        FieldRow("Session ID", clean(endpoint.session_id), "bold"),
        FieldRow("Process", f"{endpoint.pid} on {clean(endpoint.host)}", "bold"),
        FieldRow("Started", f"{endpoint.since:%Y-%m-%d %H:%M:%S}", "bold"),
    ]
    if details is not None:
        rows += _progress(details)
    if batch.problem:
        note = (f"Cannot attach to it. {clean(batch.problem)}", "$warning")
    else:
        note = ("While attached, q leaves it running and S stops it.", "$ink-dim")
    return Content.assemble(fields(rows), "\n\n", note)


def _progress(details: BatchDetails) -> list[FieldRow]:
    files = ", ".join(
        f"{count:,} {state}"
        for count, state, always in (
            (details.completed, "done", True),
            (details.to_check, "to check", False),
            (details.failed, "failed", True),
            (details.cancelled, "cancelled", False),
            (details.skipped, "skipped", False),
            (details.unfinished, "left", True),
        )
        if count or always
    )
    rows = [("Status", f"{details.phase.value} {_where(details.where)}"), ("Files", files)]
    for path, one in details.current:
        if not one.preparing:
            total = f" of {clock(one.total)}" if one.total else ""
            name = clean(base_name(str(text_to_path(path))))
            rows.append(("Running", f"{name} at {clock(one.done)}{total}"))
    rows += [("Watching", shown_path(one.folder.path)) for one in details.folders]
    if details.progress is not None and details.progress.share is not None:
        rows.append(("Progress", percent(details.progress.share)))
    if details.progress is not None and details.progress.eta is not None:
        rows.append(("Time left", time_span(details.progress.eta)))
    rows.append(("Transcripts", shown_path(details.output_dir)))
    return [FieldRow(label, value, "bold") for label, value in rows]


def _where(where: Where) -> str:
    match where:
        case "background":
            return "in the background"
        case "screen":
            return "on another screen"
        case "run":
            return "in fwtui run"
