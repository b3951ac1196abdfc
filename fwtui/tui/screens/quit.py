"""What to ask before work is interrupted."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Button

from fwtui.core.events import Phase
from fwtui.core.job import Job, Processing
from fwtui.core.text import clock
from fwtui.sessions.catalog import StoredSession
from fwtui.tui.formatting import base_name, clean, file_count, outputs_location
from fwtui.tui.model import BatchModel
from fwtui.tui.screens.dialog import ConfirmDialog, Dialog, frame, text

Choice = Literal["quit", "background", "stay", "again"]


class Leave(Dialog[Choice]):
    """Says what is being worked on, and what is kept; escape stays.

    Work can go on in the background, a search for files cannot. `again`: it has to be asked anew,
    because the question is another one by now.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "choose('background')", "In the background")
    ]
    escape_result: Choice = "stay"

    def __init__(self, model: BatchModel) -> None:
        super().__init__()
        self._model = model
        self._asks = self._question

    @property
    def _question(self) -> tuple[Phase, bool]:
        return self._model.phase, self._model.adding.adding

    @property
    def is_outdated(self) -> bool:
        """Whether what it says is no longer so."""
        return self._question != self._asks

    def compose(self) -> ComposeResult:
        """Text and answers."""
        quits = Button("Quit", id="quit", variant="error")
        background = Button("In the background", id="background")
        works = self._model.is_working
        yield frame(
            _title(self._model),
            VerticalScroll(text("\n".join(_lines(self._model))), classes="body"),
            buttons=(
                Button("Keep working" if works else "Stay", id="stay"),
                *((quits, background) if works else (quits,)),
            ),
        )

    def on_mount(self) -> None:
        """The harmless answer first."""
        self.query_one("#stay").focus()

    def action_choose(self, choice: Choice) -> None:
        """An answer by its letter."""
        if self._model.is_working:
            self.dismiss(choice)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """An answer by its button."""
        match event.button.id:
            case "quit" | "background" as choice:
                self.dismiss(choice)
            case _:
                self.dismiss("stay")


def _title(model: BatchModel) -> str:
    if model.phase is Phase.WATCHING:
        return "Quit while folders are watched?"
    return f"Quit while files are being {'transcribed' if model.is_working else 'looked for'}?"


def _lines(model: BatchModel) -> list[str]:
    lines = _at_work(model)
    counts = model.counts
    where = outputs_location(model.settings.output)
    if model.adding.adding:
        lines.append(
            "What is being added is not all found yet: nothing of it is kept that is not "
            "transcribed, and it has to be added again. What was in the queue before is kept."
        )
    if model.is_working:
        lines.append(
            f"Nothing{' else' if model.adding.adding else ''} is lost: the session is kept and the "
            "next start offers to resume, inside the file at its last finished window. In the "
            "background (b) it goes on without a screen: fwtui attach shows it again."
        )
    if model.folders:
        lines.append("The folders are watched again then, and what came meanwhile is found.")
    lines.append("")
    lines.append(f"{file_count(counts.to_do)} still to do, {counts.failed:,} failed,")
    lines.append(f"{file_count(counts.completed)} done and safe in {where}")
    return lines


def ask_change(model: BatchModel, stored: StoredSession) -> ConfirmDialog:
    """Before another session takes the place of one that is at work."""
    name = clean(stored.session.session_id)
    lines = _at_work(model)
    lines.append(
        f"This batch stops and is kept as session {clean(model.session_id)}; it can be resumed "
        "inside the file at its last finished window."
    )
    words = "\n".join(lines)
    return ConfirmDialog(f"Stop this batch and go on with {name}?", words, "Change", "Keep working")


def ask_again(done: Sequence[Job]) -> ConfirmDialog:
    """Before files that are done are transcribed once more."""
    first = clean(base_name(done[0].path))
    what = f"{first} is done." if len(done) == 1 else f"{file_count(len(done))} of these are done."
    words = "The work begins anew; the transcripts on disk stay until the new ones are there."
    return ConfirmDialog("Transcribe again?", f"{what} {words}", "Again", "Keep")


def _at_work(model: BatchModel) -> list[str]:
    """How far the files are that are being transcribed."""
    lines = []
    for job_id in model.running:
        job, progress = model.jobs[job_id], model.progress.get(job_id)
        name = clean(base_name(job.path))
        if not isinstance(job.state, Processing) or job.state.preparing or progress is None:
            continue
        total = f" of {clock(progress.total)}" if progress.total else ""
        lines.append(f"{name} is at {clock(progress.done)}{total}.")
    return lines
