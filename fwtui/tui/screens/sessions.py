"""All stored sessions: inspect, resume, export, discard or delete them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import Button

from fwtui.batch.session_outputs import SessionOutputs, outputs_of
from fwtui.core.child_process import current_folder
from fwtui.core.job import Job
from fwtui.core.paths import expand_home, path_to_text, text_to_path
from fwtui.core.session import Session
from fwtui.core.text import clock
from fwtui.errors import FwtuiError
from fwtui.report.render import SESSION_FORMATS, export_session
from fwtui.sessions.catalog import StoredSession
from fwtui.sessions.delete import DeletedFiles
from fwtui.tui.controller import BatchWorkspace
from fwtui.tui.formatting import StyledText, clean, file_count, file_size, fraction, shown_path
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.model import LiveTranscript
from fwtui.tui.opening import open_folder
from fwtui.tui.screens.details import DetailsDialog, DetailsSource
from fwtui.tui.screens.dialog import ConfirmDialog, ListDialog, frame
from fwtui.tui.screens.export import Exportable, ExportDialog
from fwtui.tui.widgets.lines import Listing
from fwtui.tui.widgets.paint import Piece, bar
from fwtui.tui.widgets.session_details import SessionView

MOST_NAMES = 500
BAR_CELLS = 10
BESIDE_BAR = 34


class InspectDialog(ListDialog[None]):
    """Fields, files and attempts of one session; Enter opens a file's details."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", show=False)]
    escape_result = None

    def __init__(self, stored: StoredSession, workspace: BatchWorkspace, glyphs: Glyphs) -> None:
        self._session = SessionView(glyphs, id="session-view")
        super().__init__(self._session.files)
        self._stored = stored
        self._workspace = workspace
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        yield frame(
            f"Session {clean(self._stored.session.session_id)}",
            self._session,
            buttons=(Button("Close", id="close", variant="primary"),),
            id="inspect-dialog",
        )

    def on_mount(self) -> None:
        self._session.show(self._stored)

    def show_current(self) -> None:
        """The file's details are a dialog of their own."""

    def select_current(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        job = self._session.job
        if job is not None:
            source = stored_source(self._stored, self._workspace, job)
            self.app.push_screen(DetailsDialog(source, self._glyphs))


def stored_source(stored: StoredSession, workspace: BatchWorkspace, job: Job) -> DetailsSource:
    """A file of a stored session, for its details."""
    return DetailsSource(
        current=lambda: (job, None),
        settings=stored.session.settings,
        transcript=LiveTranscript(),
        read=lambda: workspace.transcript(stored, job),
        can_retry=False,
    )


class SessionsList(Listing[StoredSession]):
    """Stored sessions: when, how far, how many files. `own` is the id of this program's batch."""

    def __init__(self, glyphs: Glyphs, own: str) -> None:
        super().__init__(glyphs, empty=f"Loading{glyphs.ellipsis}", id="sessions-list")
        self._own = own

    def key(self, item: StoredSession) -> str:
        return item.session.session_id

    def pieces(self, item: StoredSession) -> Sequence[Piece]:
        session = item.session
        done, total = len(session.completed), len(session.jobs)
        room = max(0, min(BAR_CELLS, self.size.width - BESIDE_BAR))
        mark, ink = self._mark(item)
        return [
            (f" {mark} ", ink),
            (f"{session.created_at:%Y-%m-%d %H:%M}  ", "plain"),
            *bar(fraction(done, total), room, self.glyphs, "good"),
            (f"  {done:,}/{total:,}" if room else f"{done:,}/{total:,}", "dim"),
            (f" {self.glyphs.failed}{len(session.failed):,}" if session.failed else "", "bad"),
        ]

    def _mark(self, item: StoredSession) -> Piece:
        if item.session.session_id == self._own:
            return self.glyphs.running, "accent"
        if item.in_use is not None:
            return self.glyphs.paused, "warn"
        return self.glyphs.pending, "dim"


class SessionsDialog(ListDialog[StoredSession | None]):
    """Gives the session to resume, or None. `own` is the id of the batch of this program."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("sessions")
    keys = "sessions"
    escape_result = None

    def __init__(self, workspace: BatchWorkspace, glyphs: Glyphs, own: str) -> None:
        self._list = SessionsList(glyphs, own)
        super().__init__(self._list)
        self._workspace = workspace
        self._glyphs = glyphs
        self._own = own
        self._session = SessionView(glyphs, id="session-view")

    def compose(self) -> ComposeResult:
        self._list.add_class("pane")
        self._session.add_class("pane")
        yield frame(
            "Sessions",
            Container(self._list, self._session, id="sessions-body"),
            buttons=(
                Button("Close", id="close"),
                Button("Delete", id="delete", variant="error"),
                Button("Discard", id="discard", variant="error"),
                Button("Open folder", id="folder"),
                Button("Export", id="export"),
                Button("Resume", id="resume", variant="primary"),
            ),
            id="sessions-dialog",
        )

    def on_mount(self) -> None:
        self._read()

    def on_resize(self, _event: events.Resize) -> None:
        self.call_after_refresh(self.show_current)

    @work(exclusive=True, group="read", exit_on_error=False)
    async def _read(self) -> None:
        try:
            found = await self._workspace.all_sessions()
        except FwtuiError as error:
            self.show_error(error)
            return
        self._list.empty = "No sessions"
        self._list.replace(
            [one for one in found.sessions if one.session.jobs or one.session.folders]
        )
        for problem in found.problems[:3]:
            self.notify(clean(problem), severity="warning", markup=False)

    def show_current(self) -> None:
        stored = self._list.current
        own = stored is not None and stored.session.session_id == self._own
        self._session.show(stored, own=own)
        self._session.border_title = self.pane_title(
            f"Session {clean(stored.session.session_id)}" if stored else ""
        )
        count = len(self._list.items)
        self._list.border_title = self.pane_title(f"{count:,} stored" if count else "Stored")
        self.enable(export=stored is not None, folder=stored is not None)
        free = stored is not None and stored.in_use is None and not own
        self.enable(delete=free, discard=free)
        self.enable(resume=free and stored is not None and stored.is_unfinished)

    # Actions.

    def _free(self) -> StoredSession | None:
        """The current session if nobody works on it; else notifies who does."""
        stored = self._list.current
        if stored is None:
            return None
        if stored.session.session_id == self._own:
            self.notify("This is the batch on the main screen", markup=False)
            return None
        if stored.in_use is not None:
            self.notify(f"In use by {clean(str(stored.in_use))}", severity="warning", markup=False)
            return None
        return stored

    def select_current(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        stored, job = self._list.current, self._session.job
        if self.focused is not self._session.files:
            self._session.files.focus()
        elif stored is not None and job is not None:
            source = stored_source(stored, self._workspace, job)
            self.app.push_screen(DetailsDialog(source, self._glyphs))

    def action_leave(self) -> None:
        if self.focused is self._session.files:
            self._list.focus()
        else:
            self.action_close()

    def action_resume(self) -> None:
        stored = self._free()
        if stored is not None and stored.is_unfinished:
            self.dismiss(stored)
        elif stored is not None:
            self.notify("Nothing left to do in this session", markup=False)

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_export(self) -> None:
        stored = self._list.current
        if stored is None:
            return
        session = stored.session
        stem = current_folder() / f"fwtui-session-{clean(session.session_id)}"
        what = Exportable(
            f"session {session.session_id}",
            stem,
            SESSION_FORMATS,
            partial(export_session, session),
        )
        if result := await self.app.push_screen_wait(ExportDialog(what)):
            self.notify(clean(result), markup=False)

    @work(exclusive=True, group="folder", exit_on_error=False)
    async def action_folder(self) -> None:
        stored = self._list.current
        if stored is not None:
            folder = expand_home(text_to_path(stored.session.settings.output.output_dir))
            await open_folder(self.app, folder)

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_discard(self) -> None:
        stored = self._free()
        if stored is not None and await self.app.push_screen_wait(ask_discard(stored.session)):
            await self._remove(stored, self._workspace.discard)

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_delete(self) -> None:
        stored = self._free()
        if stored is None:
            return
        outputs = await asyncio.to_thread(outputs_of, stored.session)
        if await self.app.push_screen_wait(ask_delete(stored.session, outputs)):
            await self._remove(stored, self._workspace.delete)

    async def _remove(
        self, stored: StoredSession, remove: Callable[[StoredSession], Awaitable[DeletedFiles]]
    ) -> None:
        try:
            removed = await remove(stored)
        except FwtuiError as error:
            self.show_error(error)
        else:
            self.notify(removed_note(stored, removed), markup=False)
        self._read()


def removed_note(stored: StoredSession, removed: DeletedFiles) -> str:
    """The notification after a session was deleted."""
    what = f"{file_count(len(removed.files))}, {file_size(removed.bytes)}"
    return f"Session {clean(stored.session.session_id)} deleted ({what})"


def ask_discard(session: Session) -> ConfirmDialog:
    """The question before a session is deleted and its transcripts stay."""
    count = len(session.pending) + len(session.failed) + len(session.cancelled)
    lost = (
        f"Permanently deletes session {clean(session.session_id)} and its journal, "
        f"with {count:,} unfinished file{'' if count == 1 else 's'}"
    )
    if seconds := _seconds_inside(session):
        lost += f" ({clock(seconds)} of audio already transcribed)"
    if session.temp_files:
        lost += f", and {file_count(len(session.temp_files))} of temporary audio"
    kept = (
        f"Kept: your recordings, and the transcripts of {file_count(len(session.completed))} "
        f"already written to {shown_path(session.settings.output.output_dir)}."
    )
    return ConfirmDialog("Discard this session?", f"{lost}.\n\n{kept}", "Discard", "Keep it")


def ask_delete(session: Session, outputs: SessionOutputs) -> ConfirmDialog:
    """The question before a session is deleted together with its transcripts."""
    what = [f"session {clean(session.session_id)} and its journal"]
    if seconds := _seconds_inside(session):
        what.append(f"{clock(seconds)} of audio transcribed in unfinished files")
    if session.temp_files:
        what.append(f"{file_count(len(session.temp_files))} of temporary audio")
    if outputs.files:
        count = f"{len(outputs.files):,} transcript{'' if len(outputs.files) == 1 else 's'}"
        what.append(f"the {count} that it wrote ({file_size(outputs.bytes)}):")
    parts: list[StyledText] = [("Permanently deletes " + ", ".join(what), "")]
    names = [shown_path(path_to_text(path)) for path in outputs.files[:MOST_NAMES]]
    parts += [(f"\n  {name}", "$warning") for name in names]
    if len(outputs.files) > MOST_NAMES:
        parts.append((f"\n  and {len(outputs.files) - MOST_NAMES:,} more", "$ink-dim"))
    parts.append(("\n\nKept: your recordings.", ""))
    return ConfirmDialog(
        "Delete this session and its transcripts?", Content.assemble(*parts), "Delete", "Keep it"
    )


def _seconds_inside(session: Session) -> float:
    """How much audio is transcribed in files that are not finished."""
    return sum(map(session.seconds_inside, session.jobs))
