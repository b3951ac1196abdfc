"""What to ask before work is interrupted."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Button

from fwtui.core.events import Phase
from fwtui.core.job import Job, Processing
from fwtui.core.text import clock
from fwtui.sessions.catalog import StoredSession
from fwtui.tui.formatting import clean, file_count, outputs_location, shown_name
from fwtui.tui.keys import bindings
from fwtui.tui.model import BatchModel
from fwtui.tui.screens.dialog import ConfirmDialog, Dialog, frame, text

Choice = Literal["quit", "background", "stay", "again"]


class QuitDialog(Dialog[Choice]):
    """Says what is being transcribed, and what is kept; escape stays.

    Work can continue in the background, a search for files cannot. `again`: the work has changed,
    so a new question must be asked.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("leaving")
    keys = "leaving"
    escape_result: Choice = "stay"

    def __init__(self, model: BatchModel) -> None:
        super().__init__()
        self._model = model
        self.idle_keys = () if model.is_working else ("leaving_background",)
        self._asks = self._question

    @property
    def _question(self) -> tuple[Phase, bool]:
        return self._model.phase, self._model.adding.adding

    @property
    def is_outdated(self) -> bool:
        """Whether what it says is no longer true."""
        return self._question != self._asks

    def compose(self) -> ComposeResult:
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

    def on_mount(self) -> None:  # the harmless answer first
        self.query_one("#stay").focus()

    def action_stay(self) -> None:
        self.dismiss("stay")

    def action_quit(self) -> None:
        self.dismiss("quit")

    def action_background(self) -> None:
        if self._model.is_working:
            self.dismiss("background")


def _title(model: BatchModel) -> str:
    if model.phase is Phase.WATCHING:
        return "Quit while folders are being watched?"
    return f"Quit while files are being {'transcribed' if model.is_working else 'scanned'}?"


def _lines(model: BatchModel) -> Iterator[str]:
    counts = model.counts
    yield from _progress_lines(model)
    if model.adding.adding:
        yield (
            "The scan for files is not finished: files found so far are kept only once they are "
            "transcribed; the others must be added again. Files queued before are kept."
        )
    if model.is_working:
        nothing = "Nothing else" if model.adding.adding else "Nothing"
        yield (
            f'{nothing} is lost: next time you can resume inside the file. "In the background" '
            "(b) keeps transcribing without this screen; fwtui attach brings it back."
        )
    if model.folders:
        yield "Watched folders are scanned again next time, so new files will be found."
    yield ""
    yield f"{file_count(counts.unfinished)} left, {counts.failed:,} failed"
    where = outputs_location(model.settings.output)
    yield f"{file_count(counts.completed)} done, saved in {where}"


def ask_change(model: BatchModel, stored: StoredSession) -> ConfirmDialog:
    """The question before another session replaces a batch that is running."""
    name = clean(stored.session.session_id)
    lines = [
        *_progress_lines(model),
        f"This batch is stopped and kept as session {clean(model.session_id)}; you can resume it "
        "later, inside the file.",
    ]
    title = f"Stop this batch and resume {name}?"
    return ConfirmDialog(title, "\n".join(lines), "Stop and resume", "Keep working")


def ask_again(done: Sequence[Job]) -> ConfirmDialog:
    """The question before files that are done are transcribed again."""
    first = shown_name(done[0].path)
    what = f"{first} is done." if len(done) == 1 else f"{file_count(len(done))} of these are done."
    replaced = "Existing transcripts are replaced when the new ones are ready."
    return ConfirmDialog("Transcribe again?", f"{what} {replaced}", "Transcribe again", "Keep")


def _progress_lines(model: BatchModel) -> Iterator[str]:
    """How far the files are that are being transcribed."""
    for job_id in model.running:
        job, progress = model.jobs[job_id], model.progress.get(job_id)
        if not isinstance(job.state, Processing) or job.state.preparing or progress is None:
            continue
        total = f" of {clock(progress.total)}" if progress.total else ""
        yield f"{shown_name(job.path)} is at {clock(progress.done)}{total}."
