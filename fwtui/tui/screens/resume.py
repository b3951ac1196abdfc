"""At the start: sessions that were not finished, and what to do with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from fwtui.batch.remote.batch_status import Glimpse, Seen
from fwtui.batch.remote.endpoints import Place
from fwtui.batch.session_outputs import Outputs
from fwtui.core.job import Failed, Job, Pending
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.session import Session
from fwtui.sessions.catalog import StoredSession
from fwtui.tui.controller import BatchWorkspace
from fwtui.tui.formatting import (
    base_name,
    clean,
    clock,
    file_count,
    file_size,
    fraction,
    percent,
    shown_path,
    time_span,
)
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.screens.dialog import ConfirmDialog, Dialog, frame, text

LABEL = 13
MOST_NAMES = 500
MOST_SESSIONS = 6
NARROW_WIDTH = 100

Part = tuple[str, str]


@dataclass(frozen=True)
class ResumeChoice:
    """What to do, and with which session."""

    what: Literal["resume", "discard", "later"]
    stored: StoredSession | None = None


LATER = ResumeChoice("later")


class ResumeDialog(Dialog[ResumeChoice]):
    """The sessions, the fields of the one looked at, and the choices."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("resume")
    escape_result = LATER

    def __init__(
        self,
        workspace: BatchWorkspace,
        stored: Sequence[StoredSession],
        problems: Sequence[str],
        glyphs: Glyphs,
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self._stored = stored
        self._problems = problems
        self._glyphs = glyphs
        self.beside_body = min(len(stored), MOST_SESSIONS) + 1 if len(stored) > 1 else 0
        free = [index for index, one in enumerate(stored) if one.in_use is None]
        self._at = free[0] if free else 0

    def compose(self) -> ComposeResult:
        """List (when there are several), fields, buttons."""
        several = len(self._stored) > 1
        options = [Option(_headline(one, self._glyphs)) for one in self._stored] if several else []
        sessions = OptionList(*options, id="session-list", markup=False, compact=True)
        sessions.display = several
        yield frame(
            "Previous transcription session found!"
            if not several
            else f"{len(self._stored)} previous transcription sessions found!",
            sessions,
            VerticalScroll(text("", id="session-fields"), classes="body", can_focus=False),
            buttons=(
                Button("Discard & Start Fresh", id="discard", variant="error"),
                Button("Inspect", id="inspect"),
                Button("Later", id="later"),
                Button("Resume Session", id="resume", variant="primary"),
            ),
        )

    def on_mount(self) -> None:
        """Show the newest that can be resumed."""
        sessions = self.query_one(OptionList)
        if sessions.display:
            sessions.highlighted = self._at
        self._show()
        if self._one.in_use is None:
            self.query_one("#resume").focus()
        else:
            self.query_one("#later").focus()

    def on_resize(self, event: events.Resize) -> None:
        """The keys that fit."""
        super().on_resize(event)
        self.set_class(event.size.width < NARROW_WIDTH, "narrow")
        self.call_after_refresh(self.show_hints, "resume")

    def let_go(self) -> None:
        """Forget the files that were shown: the screen lives on for a while when it is left."""
        self._stored = [one.without_files for one in self._stored]

    @property
    def _one(self) -> StoredSession:
        return self._stored[self._at]

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Look at another session."""
        self._at = event.option_index
        self._show()

    def on_option_list_option_selected(self) -> None:
        """Enter in the list goes to the button."""
        self.query_one("#resume" if self._one.in_use is None else "#later").focus()

    def _show(self) -> None:
        one = self._one
        fields = describe(one, self._glyphs)
        problems = [(f"\n{clean(problem)}", "$warning") for problem in self._problems]
        self.query_one("#session-fields", Static).update(Content.assemble(fields, *problems))
        for name in ("#resume", "#discard"):
            self.query_one(name, Button).disabled = one.in_use is not None

    def action_choose(self, what: Literal["resume", "discard", "later"]) -> None:
        """A choice by its letter."""
        if what == "later":
            self.dismiss(LATER)
        elif self._one.in_use is None:
            self.dismiss(ResumeChoice(what, self._one))

    def action_inspect(self) -> None:
        """Look into the session, and come back."""
        from fwtui.tui.screens.sessions import InspectDialog

        self.app.push_screen(InspectDialog(self._one, self._workspace, self._glyphs))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A choice by its button."""
        match event.button.id:
            case "inspect":
                self.action_inspect()
            case "resume":
                self.action_choose("resume")
            case "discard":
                self.action_choose("discard")
            case _:
                self.action_choose("later")


def ask_discard(session: Session) -> ConfirmDialog:
    """The second question, which says what goes and what stays."""
    inside = [job for job in session.pending if _done(job) > 0]
    seconds = sum(_done(job) for job in inside)
    lost = (
        f"Deleted for good: session {clean(session.session_id)} and its journal, so that "
        f"{file_count(len(session.pending))} pending and {file_count(len(session.failed))} failed "
        "are not remembered any more"
    )
    if inside:
        lost += f", and {clock(seconds)} of audio already transcribed inside unfinished files"
    temporary = len(session.temp_files)
    lost += f"; {file_count(temporary)} with temporary sound." if temporary else "."
    kept = (
        f"Kept: your recordings, and the transcripts of {file_count(len(session.completed))} "
        f"already written to {shown_path(session.settings.output.output_dir)}."
    )
    return ConfirmDialog("Discard this session?", f"{lost}\n\n{kept}", "Discard", "Keep it")


def ask_delete(session: Session, outputs: Outputs) -> ConfirmDialog:
    """The question before a session goes with all that it wrote."""
    name = clean(session.session_id)
    parts: list[Part] = [(f"Deleted for good: session {name} and its journal", "")]
    inside = sum(_done(job) for job in session.pending)
    if inside:
        words = f", with {clock(inside)} of audio transcribed inside unfinished files"
        parts.append((words, ""))
    if session.temp_files:
        parts.append((f", {file_count(len(session.temp_files))} with temporary sound", ""))
    if outputs.files:
        count = f"{len(outputs.files):,} transcript{'' if len(outputs.files) == 1 else 's'}"
        parts.append((f", and {count} that it wrote ({file_size(outputs.bytes)}):", ""))
    names = [shown_path(path_to_text(path)) for path in outputs.files[:MOST_NAMES]]
    parts += [(f"\n  {name}", "$warning") for name in names]
    if len(outputs.files) > MOST_NAMES:
        parts.append((f"\n  and {len(outputs.files) - MOST_NAMES:,} more", "$ink-dim"))
    parts.append(("\n\nKept: your recordings.", ""))
    return ConfirmDialog(
        "Delete this session and its transcripts?", Content.assemble(*parts), "Delete", "Keep it"
    )


def describe(stored: StoredSession, glyphs: Glyphs) -> Content:
    """The fields and the two lists of the reference document."""
    session = stored.session
    pending, failed = session.pending, session.failed
    total = len(session.jobs)
    parts: list[Part] = []
    if stored.in_use is not None:
        parts.append(
            (f"In use by {clean(str(stored.in_use))}: it cannot be resumed here\n\n", "$warning")
        )
    for label, value in (
        ("Session ID", clean(session.session_id)),
        ("Created", f"{session.created_at:%Y-%m-%d %H:%M:%S}"),
        ("Model", clean(base_name(session.settings.model.model.rstrip("/\\")))),
        ("Total Files", f"{total:,}"),
        ("Completed", f"{len(session.completed):,}"),
        ("Failed", f"{len(failed):,}"),
        ("Pending", f"{len(pending):,}"),
        ("Progress", percent(fraction(total - len(pending), total))),
    ):
        parts += [(f"{label + ':':<{LABEL}}", "$ink-dim"), (f"{value}\n", "bold")]
    for folder in session.folders:
        parts += [(f"{'Watches:':<{LABEL}}", "$ink-dim"), (f"{shown_path(folder.path)}\n", "bold")]
    parts += _names("Pending Files:", pending, glyphs)
    parts += _names("Failed Files (will retry):", failed, glyphs)
    return Content.assemble(*parts).rstrip()


def _names(title: str, jobs: Sequence[Job], glyphs: Glyphs) -> list[Part]:
    if not jobs:
        return []
    parts: list[Part] = [(f"\n{title}\n", "$primary")]
    for job in jobs[:MOST_NAMES]:
        parts.append((f"  {glyphs.bullet} {clean(base_name(job.path))}", ""))
        match job.state:
            case Failed(failure=failure):
                parts.append((f" - {clean(failure.title)}", "$error"))
            case Pending(done_seconds=done) if done > 0:
                parts.append((f" - goes on at {clock(done)}", "$ink-dim"))
            case _:
                pass
        parts.append(("\n", ""))
    if len(jobs) > MOST_NAMES:
        parts.append((f"  {glyphs.bullet} and {len(jobs) - MOST_NAMES:,} more\n", "$ink-dim"))
    return parts


def _headline(stored: StoredSession, glyphs: Glyphs) -> str:
    session = stored.session
    words = f"{clean(session.session_id)}  {glyphs.dot}  {file_count(len(session.jobs))}, "
    words += f"{len(session.pending):,} pending, {len(session.failed):,} failed"
    return words + ("  (in use)" if stored.in_use is not None else "")


def _done(job: Job) -> float:
    return job.state.done_seconds if isinstance(job.state, Pending) else 0.0


QUESTION = (
    "The session was made on another machine, or its files have moved. Where is this folder now? "
    "The answer is remembered."
)


class RemapDialog(Dialog[str | None]):
    """Asks for the folder here that stands for `folder`; None: not now."""

    escape_result = None

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder

    def compose(self) -> ComposeResult:
        """Question, the folder there, the folder here."""
        yield frame(
            "Files of another machine",
            VerticalScroll(
                text(f"{QUESTION}\n\n{clean(self._folder)}\n"), classes="body", can_focus=False
            ),
            Input(placeholder="folder on this machine", id="here"),
            text("", id="remap-wrong"),
            buttons=(
                Button("Cancel", id="no"),
                Button("Remember", id="yes", variant="primary"),
            ),
        )

    def on_mount(self) -> None:
        """The answer is typed at once."""
        self.query_one(Input).focus()

    def on_input_submitted(self) -> None:
        """Enter is enough."""
        self._answer()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer, or not."""
        if event.button.id == "yes":
            self._answer()
        else:
            self.dismiss(None)

    def _answer(self) -> None:
        words = self.query_one(Input).value.strip()
        folder = Path(words).expanduser()
        if words and folder.is_dir():
            self.dismiss(str(folder.absolute()))
        else:
            self.query_one("#remap-wrong", Static).update(f"There is no folder {clean(words)}")


MOST_BATCHES = 6
_WHERE = {
    "background": "in the background",
    "screen": "on another screen",
    "run": "in fwtui run",
}


class RunningDialog(Dialog[Place | None]):
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
        options = (
            [Option(_batch_headline(one, self._glyphs)) for one in self._batches] if several else []
        )
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
            total = f" of {clock(one.total)}" if one.total else ""
            name = clean(base_name(str(text_to_path(path))))
            rows.append(("Now", f"{name}, at {clock(one.done)}{total}"))
    rows += [("Watches", shown_path(one.folder.path)) for one in seen.folders]
    if seen.progress is not None and seen.progress.eta is not None:
        rows.append(("Time left", time_span(seen.progress.eta)))
    return [*rows, ("Transcripts", shown_path(seen.output_dir))]


def _batch_headline(batch: Glimpse, glyphs: Glyphs) -> str:
    words = f"{clean(batch.place.session_id)}  {glyphs.dot}  "
    if batch.seen is None:
        return words + "cannot be attached to"
    return words + f"{batch.seen.phase.value}, {file_count(batch.seen.unfinished)} to do"
