"""What the doctor finds on this machine, line by line as it is found."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Button

from fwtui.doctor.results import CheckResult, Severity, summary
from fwtui.doctor.verdicts import lines
from fwtui.tui.formatting import clean, fit, wrap
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.screens.dialog import Dialog, frame
from fwtui.tui.widgets.lines import LineView
from fwtui.tui.widgets.paint import Piece, clip

NARROW_WIDTH = 100
NAME_CELLS = 11
_INKS = {Severity.OK: "good", Severity.NOTE: "dim", Severity.WARNING: "warn", Severity.ERROR: "bad"}

Examine = Callable[[], AsyncIterator[CheckResult]]


def laid_out(findings: Sequence[CheckResult], cells: int, glyphs: Glyphs) -> list[list[Piece]]:
    """The findings in lines of at most `cells`. Pure."""
    signs = {
        Severity.OK: glyphs.completed,
        Severity.NOTE: glyphs.dot,
        Severity.WARNING: "!",
        Severity.ERROR: glyphs.failed,
    }
    drawn: list[list[Piece]] = []
    group = ""
    for one in findings:
        if one.group != group:
            drawn += [[], [(f" {one.group}", "key")]] if group else [[(f" {one.group}", "key")]]
            group = one.group
        ink = _INKS[one.level]
        head: list[Piece] = [(f" {signs[one.level]} ", ink), (fit(one.name, NAME_CELLS), ink)]
        before = NAME_CELLS + 3
        for number, part in enumerate(wrap(clean(one.text), cells - before)):
            drawn.append([*(head if not number else [(" " * before, "plain")]), (part, "plain")])
        if one.fix:
            for part in wrap(clean(f"Fix: {one.fix}"), cells - before):
                drawn.append([(" " * before, "plain"), (part, "accent")])
    return drawn


class FindingsView(LineView):
    """The findings, laid out for the width there is."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs, id="doctor-view")
        self.findings: list[CheckResult] = []
        self._lines: list[list[Piece]] = []

    def show(self, findings: Sequence[CheckResult]) -> None:
        """Show these."""
        self.findings = list(findings)
        self._lay_out()

    def on_resize(self) -> None:
        """Lay them out again."""
        self._lay_out()

    def _lay_out(self) -> None:
        if self.size.width > NAME_CELLS + 6:
            self._lines = laid_out(self.findings, self.size.width - 1, self.glyphs)
        self.changed()

    def count(self) -> int:
        """Lines."""
        return len(self._lines)

    def line(self, index: int, cells: int) -> Strip:
        """A line."""
        return self.strip(clip(self._lines[index], cells, self.glyphs.ellipsis), cells)


class DoctorDialog(Dialog[None]):
    """`examine` looks at everything once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("doctor"),
        Binding("q", "leave", "Close", show=False),
    ]
    escape_result = None

    def __init__(self, examine: Examine, glyphs: Glyphs) -> None:
        super().__init__()
        self._examine = examine
        self._glyphs = glyphs
        self._view = FindingsView(glyphs)

    def compose(self) -> ComposeResult:
        """Findings, buttons."""
        yield frame(
            "Doctor",
            self._view,
            buttons=(
                Button("Close", id="close"),
                Button("Copy", id="copy"),
                Button("Again", id="again", variant="primary"),
            ),
            id="doctor-dialog",
        )

    def on_mount(self) -> None:
        """Begin."""
        self.set_class(self._glyphs.ascii, "plain-ascii")
        self._view.focus()
        self._look()

    def on_resize(self, event: events.Resize) -> None:
        """The keys that fit."""
        super().on_resize(event)
        self.set_class(event.size.width < NARROW_WIDTH, "narrow")
        self.call_after_refresh(self.show_hints, "doctor")

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self) -> None:
        self._say(f"looking{self._glyphs.ellipsis}")
        findings: list[CheckResult] = []
        self._view.show(findings)
        async for one in self._examine():
            findings.append(one)
            self._view.show(findings)
        self._say(summary(findings))

    def _say(self, words: str) -> None:
        box = self.query_one("#doctor-dialog")
        box.border_title = Content(f"Doctor {self._glyphs.dot} {words}")

    def action_again(self) -> None:
        """Look once more."""
        self._look()

    def action_copy(self) -> None:
        """Copy what is shown."""
        self.app.copy_to_clipboard("\n".join(lines(self._view.findings)))
        self.notify("Copied the findings", timeout=2, markup=False)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The same by the mouse."""
        actions: dict[str | None, Callable[[], object]] = {
            "again": self.action_again,
            "copy": self.action_copy,
        }
        actions.get(event.button.id, lambda: self.dismiss(None))()
