"""Unfinished sessions at the start, and where the folders of another machine are on this one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from fwtui.core.job import Cancelled, Job, Skipped, needs_check
from fwtui.core.paths import expand_home
from fwtui.core.session import Session
from fwtui.core.text import clock, percent, without_name
from fwtui.sessions.catalog import StoredSession
from fwtui.tui.controller import BatchWorkspace
from fwtui.tui.formatting import (
    FieldRow,
    StyledText,
    base_name,
    clean,
    fields,
    file_count,
    shown_path,
)
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.screens.dialog import Dialog, ListDialog, frame, scrolled, text
from fwtui.tui.widgets.lines import SelectableListing
from fwtui.tui.widgets.paint import Piece

MOST_NAMES = 500
MOST_LINES = 6


@dataclass(frozen=True)
class ResumeChoice:
    """What to do, and with which sessions; one to `resume` or `load`."""

    what: Literal["resume", "load", "discard", "never", "later"]
    sessions: Sequence[StoredSession] = ()


LATER = ResumeChoice("later")


class UnfinishedList(SelectableListing[StoredSession]):
    """Unfinished sessions: id and counts."""

    def key(self, item: StoredSession) -> str:
        return item.session.session_id

    def pieces(self, item: StoredSession) -> Sequence[Piece]:
        session, dot = item.session, f"  {self.glyphs.dot}  "
        counts = f"{len(session.pending):,} waiting, {len(session.failed):,} failed"
        if session.cancelled:
            counts += f", {len(session.cancelled):,} cancelled"
        line = f"{clean(session.session_id)}{dot}{file_count(len(session.jobs))}, {counts}"
        in_use = "  (in use)" if item.in_use is not None else ""
        return [self.mark(item), (line, "dim" if in_use else "plain"), (in_use, "warn")]


class ResumeDialog(ListDialog[ResumeChoice]):
    """The unfinished sessions, the details of one, and what to do with it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("resume")
    keys = "resume"
    escape_result = LATER

    def __init__(
        self,
        workspace: BatchWorkspace,
        stored: Sequence[StoredSession],
        problems: Sequence[str],
        glyphs: Glyphs,
    ) -> None:
        self._list = UnfinishedList(glyphs, stored, id="session-list")
        super().__init__(self._list)
        self._workspace = workspace
        self._problems = problems
        self._glyphs = glyphs
        self._list.display = len(stored) > 1
        self.idle_keys = () if len(stored) > 1 else ("resume_select", "resume_select_all")
        self._discard = "Discard" if len(stored) > 1 else "Discard and start fresh"
        self.beside_body = min(len(stored), MOST_LINES) + 1 if len(stored) > 1 else 0
        self._list.cursor = next((i for i, one in enumerate(stored) if one.in_use is None), 0)

    def compose(self) -> ComposeResult:
        count = len(self._list.items)
        yield frame(
            f"{count} unfinished sessions found" if count > 1 else "Unfinished session found",
            self._list,
            scrolled(self.details),
            buttons=(
                Button(self._discard, id="discard", variant="error"),
                Button("Do not offer", id="never"),
                Button("Inspect", id="inspect"),
                Button("Load", id="load"),
                Button("Later", id="later"),
                Button("Resume", id="resume", variant="primary"),
            ),
            id="resume-dialog",
        )

    @property
    def first_focus(self) -> Widget:
        return self._list if self._list.display else self._button

    @property
    def _button(self) -> Widget:
        """The button for what the current session is most likely there for."""
        return self.query_one("#resume" if self._stored.in_use is None else "#later")

    def forget_files(self) -> None:
        """Release the files that were shown: the screen outlives its dismissal for a while."""
        self._list.items = [one.without_files for one in self._list.items]

    @property
    def _stored(self) -> StoredSession:
        return self._list.items[self._list.cursor]

    def describe(self) -> Content:
        problems = [(f"\n{clean(problem)}", "$warning") for problem in self._problems]
        return Content.assemble(describe_unfinished(self._stored, self._glyphs), *problems)

    def show_current(self) -> None:
        super().show_current()
        free = self._stored.in_use is None
        chosen = self._list.chosen
        self.enable(resume=free, load=free, discard=all(one.in_use is None for one in chosen))
        discard = self.query_one("#discard", Button)
        selected = len(self._list.selected)
        discard.label = f"Discard {selected:,}" if selected else self._discard
        discard.refresh(layout=True)

    def select_current(self) -> None:
        self._button.focus()

    def action_scroll_body(self, lines: int) -> None:
        """The list's cursor moves wherever the focus is; pages are those of the details."""
        if self._list.display and abs(lines) == 1:
            self._list.action_go(lines)
        else:
            super().action_scroll_body(lines)

    def _all_free(self, sessions: Sequence[StoredSession]) -> bool:
        """Whether nobody works on them; else notifies who does."""
        held = next((one for one in sessions if one.in_use is not None), None)
        if held is not None:
            self.notify(f"In use by {clean(str(held.in_use))}", severity="warning", markup=False)
        return held is None

    def action_resume(self) -> None:
        if self._all_free([self._stored]):
            self.dismiss(ResumeChoice("resume", (self._stored,)))

    def action_load(self) -> None:
        if self._all_free([self._stored]):
            self.dismiss(ResumeChoice("load", (self._stored,)))

    def action_discard(self) -> None:
        if self._all_free(self._list.chosen):
            self.dismiss(ResumeChoice("discard", tuple(self._list.chosen)))

    def action_never(self) -> None:
        self.dismiss(ResumeChoice("never", tuple(self._list.chosen)))

    def action_select(self) -> None:
        if self._list.display:
            self._list.toggle()
        else:
            self.notify("There is one session only", markup=False)

    def action_select_all(self) -> None:
        if self._list.display:
            self._list.toggle_all()

    def action_later(self) -> None:
        self.dismiss(LATER)

    def action_inspect(self) -> None:
        from fwtui.tui.screens.sessions import InspectDialog

        self.app.push_screen(InspectDialog(self._stored, self._workspace, self._glyphs))


def describe_unfinished(stored: StoredSession, glyphs: Glyphs) -> Content:
    """Fields of an unfinished session, and the names of its files that are not done."""
    session = stored.session
    waiting, failed, total = session.pending, session.failed, len(session.jobs)
    cancelled, skipped = session.cancelled, session.skipped
    to_check = sum(needs_check(job.state) for job in session.jobs)
    rows = [
        ("Session ID", clean(session.session_id)),
        ("Created", f"{session.created_at:%Y-%m-%d %H:%M:%S}"),
        ("Model", clean(base_name(session.settings.model.model.rstrip("/\\")))),
        ("Total files", f"{total:,}"),
        ("Done", f"{len(session.completed):,}"),
        *((("To check", f"{to_check:,}"),) if to_check else ()),
        ("Failed", f"{len(failed):,}"),
        ("Waiting", f"{len(waiting):,}"),
        *((("Cancelled", f"{len(cancelled):,}"),) if cancelled else ()),
        *((("Skipped", f"{len(skipped):,}"),) if skipped else ()),
        ("Progress", percent(session.shares.finished)),
        *((("To search", f"{len(session.asked):,} paths"),) if session.asked else ()),
        *(("Watching", shown_path(folder.path)) for folder in session.folders),
    ]
    parts: list[Content | StyledText] = []
    if stored.in_use is not None:
        in_use = f"In use by {clean(str(stored.in_use))}: it cannot be resumed here\n\n"
        parts.append((in_use, "$warning"))
    parts.append(fields(FieldRow(label, value, "bold") for label, value in rows))
    resumed = any(isinstance(job.state, Cancelled) for job in session.to_retry)
    title = "Cancelled files (will be resumed)" if resumed else "Cancelled files (stay cancelled)"
    parts += _names("Waiting files", waiting, session, glyphs)
    parts += _names("Failed files (will be retried)", failed, session, glyphs)
    parts += _names(title, cancelled, session, glyphs)
    parts += _names("Skipped files (stay skipped)", skipped, session, glyphs)
    return Content.assemble(*parts)


def _names(title: str, jobs: Sequence[Job], session: Session, glyphs: Glyphs) -> list[StyledText]:
    if not jobs:
        return []
    parts: list[StyledText] = [(f"\n\n{title}", "$primary")]
    for job in jobs[:MOST_NAMES]:
        parts.append((f"\n  {glyphs.bullet} {clean(base_name(job.path))}", ""))
        if job.failure is not None:
            reason = without_name(job.failure.title, base_name(job.path))
            parts.append((f" {glyphs.dot} {clean(reason)}", "$error"))
        elif isinstance(job.state, Skipped):
            parts.append((f" {glyphs.dot} {clean(job.state.reason)}", "$ink-dim"))
        elif seconds := session.seconds_inside(job):
            parts.append((f" {glyphs.dot} resumes at {clock(seconds)}", "$ink-dim"))
    if len(jobs) > MOST_NAMES:
        parts.append((f"\n  {glyphs.bullet} and {len(jobs) - MOST_NAMES:,} more", "$ink-dim"))
    return parts


QUESTION = (
    "The session was made on another machine, or its files have moved. Where is this folder now? "
    "The answer is remembered."
)


class RemapDialog(Dialog[str | None]):
    """Gives the folder on this machine that stands for `folder`, or None."""

    escape_result = None

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder

    def compose(self) -> ComposeResult:
        yield frame(
            "Files from another machine",
            scrolled(text(f"{QUESTION}\n\n{clean(self._folder)}\n")),
            Input(placeholder="Folder on this machine", id="here"),
            text("", id="remap-wrong"),
            buttons=(
                Button("Cancel", id="close"),
                Button("Remember", id="remember", variant="primary"),
            ),
        )

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self) -> None:
        self.action_remember()

    def action_remember(self) -> None:
        typed = self.query_one(Input).value.strip()
        folder = expand_home(typed)
        if typed and folder.is_dir():
            self.dismiss(str(folder.absolute()))
        else:
            self.query_one("#remap-wrong", Static).update(f"Folder not found: {clean(typed)}")
