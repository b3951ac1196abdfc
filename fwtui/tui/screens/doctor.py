"""The checks of this machine, line by line as they are made."""

from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Button

from fwtui.doctor.results import CheckResult, Severity, summary
from fwtui.doctor.verdicts import lines
from fwtui.tui.formatting import clean, fit, wrap
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.screens.dialog import DialogBox, ListDialog, frame
from fwtui.tui.widgets.lines import FlowView
from fwtui.tui.widgets.paint import Piece

NAME_CELLS = 11

Examine = Callable[[], AsyncIterator[CheckResult]]


def result_lines(results: Sequence[CheckResult], glyphs: Glyphs, cells: int) -> list[list[Piece]]:
    """The results in lines of at most `cells`."""
    drawn: list[list[Piece]] = []
    group = ""
    for result in results:
        if result.group != group:
            drawn += (
                [[], [(f" {result.group}", "key")]] if group else [[(f" {result.group}", "key")]]
            )
            group = result.group
        sign, ink = _mark(result.level, glyphs)
        head: list[Piece] = [(f" {sign} ", ink), (fit(result.name, NAME_CELLS), ink)]
        before = NAME_CELLS + 3
        for number, part in enumerate(wrap(clean(result.text), cells - before)):
            drawn.append([*(head if not number else [(" " * before, "plain")]), (part, "plain")])
        if result.fix:
            for part in wrap(clean(f"Fix: {result.fix}"), cells - before):
                drawn.append([(" " * before, "plain"), (part, "accent")])
    return drawn


def _mark(severity: Severity, glyphs: Glyphs) -> Piece:
    match severity:
        case Severity.OK:
            return glyphs.completed, "good"
        case Severity.NOTE:
            return glyphs.dot, "dim"
        case Severity.WARNING:
            return "!", "warn"
        case Severity.ERROR:
            return glyphs.failed, "bad"


class DoctorDialog(ListDialog[None]):
    """Shows the results of `examine`, which makes all checks once."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("doctor")
    keys = "doctor"
    escape_result = None

    def __init__(self, examine: Examine, glyphs: Glyphs) -> None:
        self._view = FlowView(partial(result_lines, (), glyphs), glyphs, id="doctor-view")
        super().__init__(self._view)
        self._examine = examine
        self._glyphs = glyphs
        self.results: list[CheckResult] = []

    def compose(self) -> ComposeResult:
        yield frame(
            "Doctor",
            self._view,
            buttons=(
                Button("Close", id="close"),
                Button("Copy", id="copy"),
                Button("Re-run", id="again", variant="primary"),
            ),
            id="doctor-dialog",
        )

    def on_mount(self) -> None:
        self._check()

    @work(exclusive=True, group="check", exit_on_error=False)
    async def _check(self) -> None:
        self._set_title(f"checking{self._glyphs.ellipsis}")
        self._show([])
        async for result in self._examine():
            self._show([*self.results, result])
        self._set_title(summary(self.results))

    def _show(self, results: list[CheckResult]) -> None:
        self.results = results
        self._view.show(partial(result_lines, results, self._glyphs))

    def _set_title(self, status: str) -> None:
        box = self.query_one("#doctor-dialog", DialogBox)
        box.set_title(f"Doctor {self._glyphs.dot} {status}")

    def action_again(self) -> None:
        self._check()

    def action_copy(self) -> None:
        self.app.copy_to_clipboard("\n".join(lines(self.results)))
