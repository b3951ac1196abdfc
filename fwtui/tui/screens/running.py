"""At the start: batches that are running, in the background or elsewhere."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Button, OptionList, Static
from textual.widgets.option_list import Option

from fwtui.batch.remote.endpoints import Place
from fwtui.batch.remote.status import Glimpse, Seen
from fwtui.core.paths import text_to_path
from fwtui.tui import format as fmt
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.screens.dialog import Dialog, frame, text
from fwtui.tui.text import base_name, clean, shown_path

MOST_BATCHES = 6
_WHERE = {
    "background": "in the background",
    "screen": "on another screen",
    "run": "in fwtui run",
}


class Running(Dialog[Place | None]):
    """Attach to one of them, or (also by escape: None) begin a new batch beside them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "attach", "Attach"),
        Binding("n", "leave", "New batch"),
    ]
    escape_result = None

    def __init__(self, batches: Sequence[Glimpse], glyphs: Glyphs) -> None:
        super().__init__()
        self._batches = batches
        self._glyphs = glyphs
        self.beside_body = min(len(batches), MOST_BATCHES) + 1 if len(batches) > 1 else 0
        answering = [index for index, one in enumerate(batches) if one.seen is not None]
        self._at = answering[0] if answering else 0

    def compose(self) -> ComposeResult:
        """List (when there are several), fields, buttons."""
        several = len(self._batches) > 1
        options = [Option(_batch_headline(one, self._glyphs)) for one in self._batches] if several else []
        batches = OptionList(*options, id="batch-list", markup=False, compact=True)
        batches.display = several
        yield frame(
            "A batch is running" if not several else f"{len(self._batches)} batches are running",
            batches,
            VerticalScroll(text("", id="batch-fields"), classes="body", can_focus=False),
            buttons=(
                Button("New batch beside it", id="new"),
                Button("Attach", id="attach", variant="primary"),
            ),
        )

    def on_mount(self) -> None:
        """Show the first that answers."""
        batches = self.query_one(OptionList)
        if batches.display:
            batches.highlighted = self._at
        self._show()
        self.query_one("#attach" if self._one.seen is not None else "#new").focus()

    @property
    def _one(self) -> Glimpse:
        return self._batches[self._at]

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Look at another one."""
        self._at = event.option_index
        self._show()

    def on_option_list_option_selected(self) -> None:
        """Enter in the list goes to the button."""
        self.query_one("#attach" if self._one.seen is not None else "#new").focus()

    def _show(self) -> None:
        self.query_one("#batch-fields", Static).update(describe_batch(self._one))
        self.query_one("#attach", Button).disabled = self._one.seen is None

    def action_attach(self) -> None:
        """See the batch here."""
        if self._one.seen is not None:
            self.dismiss(self._one.place)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A choice by its button."""
        if event.button.id == "attach":
            self.action_attach()
        else:
            self.action_leave()


def describe_batch(batch: Glimpse) -> Content:
    """Who runs it and how far it is."""
    place, seen = batch.place, batch.seen
    rows = [
        ("Session ID", clean(place.session_id)),
        ("Run by", f"process {place.pid} on {clean(place.host)}"),
        ("Since", f"{place.since:%Y-%m-%d %H:%M:%S}"),
    ]
    if seen is not None:
        rows += _what(seen)
    parts = [
        part
        for label, value in rows
        for part in ((f"{label + ':':<{LABEL}}", "$ink-dim"), (f"{value}\n", "bold"))
    ]
    if batch.problem:
        parts.append((f"\nIt cannot be attached to. {clean(batch.problem)}\n", "$warning"))
    else:
        parts.append(("\nWhen attached, q leaves it running; S stops it.\n", "$ink-dim"))
    return Content.assemble(*parts).rstrip()


def _what(seen: Seen) -> list[tuple[str, str]]:
    files = f"{seen.completed:,} done, {seen.failed:,} failed, {seen.unfinished:,} to do"
    rows = [("It is", f"{seen.phase.value} {_WHERE[seen.where]}"), ("Files", files)]
    for path, one in seen.current:
        if not one.preparing:
            total = f" of {fmt.clock(one.total)}" if one.total else ""
            name = clean(base_name(str(text_to_path(path))))
            rows.append(("Now", f"{name}, at {fmt.clock(one.done)}{total}"))
    rows += [("Watches", shown_path(one.folder.path)) for one in seen.folders]
    if seen.progress is not None and seen.progress.eta is not None:
        rows.append(("Time left", fmt.span(seen.progress.eta)))
    return [*rows, ("Transcripts", shown_path(seen.output_dir))]


def _batch_headline(batch: Glimpse, glyphs: Glyphs) -> str:
    words = f"{clean(batch.place.session_id)}  {glyphs.dot}  "
    if batch.seen is None:
        return words + "cannot be attached to"
    return words + f"{batch.seen.phase.value}, {fmt.files(batch.seen.unfinished)} to do"
