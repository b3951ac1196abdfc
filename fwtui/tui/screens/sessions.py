"""All stored sessions: look into them, resume, export, discard or delete them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import Button

from fwtui.batch.session_outputs import outputs_of
from fwtui.core.job import Job
from fwtui.core.paths import text_to_path
from fwtui.errors import FwtuiError
from fwtui.report.render import SESSION_FORMATS, export_session
from fwtui.sessions.catalog import StoredSession
from fwtui.sessions.delete import Discarded
from fwtui.tui.controller import BatchWorkspace
from fwtui.tui.formatting import clean, file_count, file_size, fraction
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.model import LiveTranscript
from fwtui.tui.opening import open_folder
from fwtui.tui.screens.details import DetailsDialog, DetailsSource
from fwtui.tui.screens.dialog import Dialog, MessageDialog, frame
from fwtui.tui.screens.export import Exportable, ExportDialog
from fwtui.tui.screens.resume import ask_delete, ask_discard
from fwtui.tui.widgets.lines import Listing
from fwtui.tui.widgets.paint import Piece, bar
from fwtui.tui.widgets.session_details import SessionView


class InspectDialog(Dialog[None]):
    """Fields, files, attempts; enter opens a file's details."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", show=False),
        Binding("q", "leave", "Close", show=False),
    ]
    escape_result = None

    def __init__(self, stored: StoredSession, workspace: BatchWorkspace, glyphs: Glyphs) -> None:
        super().__init__()
        self._stored = stored
        self._workspace = workspace
        self._glyphs = glyphs
        self._view = SessionView(glyphs, id="session-view")

    def compose(self) -> ComposeResult:
        """The session and a button."""
        yield frame(
            f"Session {clean(self._stored.session.session_id)}",
            self._view,
            buttons=(Button("Close", id="close", variant="primary"),),
            id="inspect-dialog",
        )

    def on_mount(self) -> None:
        """Begin in the files."""
        self.set_class(self._glyphs.ascii, "plain-ascii")
        self._view.show(self._stored)
        self._view.files.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Little room: smaller buttons."""
        super().on_resize(event)
        self.set_class(event.size.width < NARROW_WIDTH, "narrow")

    def action_open(self) -> None:
        """Everything about the file."""
        job = self._view.current
        if job is not None:
            subject = stored_subject(self._stored, self._workspace, job)
            self.app.push_screen(DetailsDialog(subject, self._glyphs))

    def on_listing_selected(self, event: Listing.Selected) -> None:
        """A double click opens the details."""
        event.stop()
        self.action_open()

    def on_button_pressed(self) -> None:
        """Close."""
        self.dismiss(None)


def stored_subject(stored: StoredSession, workspace: BatchWorkspace, job: Job) -> DetailsSource:
    """A file of a stored session, to look at."""
    return DetailsSource(
        look=lambda: (job, None),
        settings=stored.session.settings,
        transcript=LiveTranscript(),
        read=lambda: workspace.transcript(stored, job),
        can_retry=False,
    )


NARROW_WIDTH = 100
BAR_CELLS = 10
BESIDE_BAR = 34


class SessionsList(Listing):
    """A line a session: when, how far, how many files."""

    def __init__(self, glyphs: Glyphs, own: str) -> None:
        super().__init__(glyphs, id="sessions-list")
        self.sessions: Sequence[StoredSession] = ()
        self.own = own
        self.waiting = True

    def count(self) -> int:
        """Sessions, or the line that says why there are none."""
        return max(1, len(self.sessions))

    def pieces(self, index: int) -> Sequence[Piece]:
        """One session."""
        if not self.sessions:
            ellipsis = self.glyphs.ellipsis
            words = f"Reading{ellipsis}" if self.waiting else "No session is stored"
            return [(f" {words}", "dim")]
        stored = self.sessions[index]
        session = stored.session
        done, total = len(session.completed), len(session.jobs)
        mark, ink = self._mark(stored)
        room = max(0, min(BAR_CELLS, self.size.width - BESIDE_BAR))
        return [
            (f" {mark} ", ink),
            (f"{session.created_at:%Y-%m-%d %H:%M}  ", "plain"),
            *bar(fraction(done, total), room, self.glyphs, "good"),
            (f"  {done:,}/{total:,}" if room else f"{done:,}/{total:,}", "dim"),
            (f" {self.glyphs.failed}{len(session.failed):,}" if session.failed else "", "bad"),
        ]

    def _mark(self, stored: StoredSession) -> Piece:
        if stored.session.session_id == self.own:
            return self.glyphs.running, "accent"
        if stored.in_use is not None:
            return self.glyphs.paused, "warn"
        return self.glyphs.pending, "dim"

    @property
    def current(self) -> StoredSession | None:
        """The session under the cursor."""
        return self.sessions[self.cursor] if self.cursor < len(self.sessions) else None


class SessionsDialog(Dialog[StoredSession | None]):
    """Gives the session to resume, or None. `own` is the id of the batch of this program."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("sessions")
    escape_result = None

    def __init__(self, workspace: BatchWorkspace, glyphs: Glyphs, own: str) -> None:
        super().__init__()
        self._workspace = workspace
        self._glyphs = glyphs
        self._own = own
        self._list = SessionsList(glyphs, own)
        self._view = SessionView(glyphs, id="session-view")

    def compose(self) -> ComposeResult:
        """Sessions, the one under the cursor, buttons."""
        self._list.add_class("pane")
        self._view.add_class("pane")
        yield frame(
            "Sessions",
            Container(self._list, self._view, id="sessions-body"),
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
        """Read the sessions."""
        self.set_class(self._glyphs.ascii, "plain-ascii")
        self._list.focus()
        self._show()
        self._read()

    def on_resize(self, event: events.Resize) -> None:
        """One above the other where the width is small."""
        super().on_resize(event)
        self.set_class(event.size.width < NARROW_WIDTH, "narrow")
        self.call_after_refresh(self.show_hints, "sessions")

    @work(exclusive=True, group="read", exit_on_error=False)
    async def _read(self) -> None:
        try:
            found = await self._workspace.all_sessions()
        except FwtuiError as error:
            self._tell(error)
            return
        self._list.waiting = False
        self._list.sessions = [
            one for one in found.sessions if one.session.jobs or one.session.folders
        ]
        self._list.relist()
        for problem in found.problems[:3]:
            self.notify(clean(problem), severity="warning", markup=False)

    def on_listing_highlighted(self, event: Listing.Highlighted) -> None:
        """Another session."""
        if event.listing is self._list:
            self._show()

    def on_listing_selected(self, event: Listing.Selected) -> None:
        """A double click opens."""
        event.listing.focus()
        self.action_open()

    def _show(self) -> None:
        stored = self._list.current
        own = stored is not None and stored.session.session_id == self._own
        self._view.show(stored, own=own)
        self._view.border_title = Content(
            f"Session {clean(stored.session.session_id)}" if stored else ""
        )
        count = len(self._list.sessions)
        self._list.border_title = Content(f"{count:,} stored" if count else "Stored")
        for name in ("export", "folder"):
            self.query_one(f"#{name}", Button).disabled = stored is None
        free = stored is not None and stored.in_use is None and not own
        for name in ("delete", "discard"):
            self.query_one(f"#{name}", Button).disabled = not free
        resumable = free and stored is not None and stored.session.is_incomplete
        self.query_one("#resume", Button).disabled = not resumable

    # Actions.

    def _free(self) -> StoredSession | None:
        """The session under the cursor, if nobody works on it; else says who does."""
        stored = self._list.current
        if stored is None:
            return None
        if stored.session.session_id == self._own:
            self.notify("This is the batch on the main screen", markup=False)
            return None
        if stored.in_use is not None:
            words = f"In use by {clean(str(stored.in_use))}"
            self.notify(words, severity="warning", markup=False)
            return None
        return stored

    def action_open(self) -> None:
        """To the files, or to the details of one."""
        if isinstance(self.focused, Button):
            self.focused.press()
            return
        stored, job = self._list.current, self._view.current
        if self.focused is not self._view.files:
            self._view.files.focus()
        elif stored is not None and job is not None:
            subject = stored_subject(stored, self._workspace, job)
            self.app.push_screen(DetailsDialog(subject, self._glyphs))

    def action_leave(self) -> None:
        """Escape: from the files back to the sessions, then out."""
        if self.focused is self._view.files:
            self._list.focus()
        else:
            self.dismiss(None)

    def action_resume(self) -> None:
        """Go on with it."""
        stored = self._free()
        if stored is not None and stored.session.is_incomplete:
            self.dismiss(stored)
        elif stored is not None:
            self.notify("Nothing is left to do in this session", markup=False)

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_export(self) -> None:
        """Write it as a file."""
        stored = self._list.current
        if stored is None:
            return
        session = stored.session

        def data(form: str) -> bytes:
            return export_session(session, form)

        name = f"fwtui-session-{clean(session.session_id)}"
        what = Exportable(f"session {session.session_id}", Path.cwd() / name, SESSION_FORMATS, data)
        said = await self.app.push_screen_wait(ExportDialog(what))
        if said:
            self.notify(clean(said), markup=False)

    @work(exclusive=True, group="folder", exit_on_error=False)
    async def action_folder(self) -> None:
        """Open the folder of the transcripts."""
        stored = self._list.current
        if stored is not None:
            folder = text_to_path(stored.session.settings.output.output_dir).expanduser()
            await open_folder(self.app, folder)

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_discard(self) -> None:
        """Forget it, transcripts stay."""
        stored = self._free()
        if stored is not None and await self.app.push_screen_wait(ask_discard(stored.session)):
            await self._remove(stored, self._workspace.discard)

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete it and its transcripts."""
        stored = self._free()
        if stored is None:
            return
        outputs = await asyncio.to_thread(outputs_of, stored.session)
        if await self.app.push_screen_wait(ask_delete(stored.session, outputs)):
            await self._remove(stored, self._workspace.delete)

    async def _remove(
        self, stored: StoredSession, remove: Callable[[StoredSession], Awaitable[Discarded]]
    ) -> None:
        try:
            gone = await remove(stored)
        except FwtuiError as error:
            self._tell(error)
        else:
            name = clean(stored.session.session_id)
            words = f"Session {name} deleted: {file_count(len(gone.files))}, "
            words += file_size(gone.bytes)
            self.notify(words, markup=False)
        self._read()

    def _tell(self, error: FwtuiError) -> None:
        words = clean(error.title) + (f"\n\n{clean(error.hint)}" if error.hint else "")
        self.app.push_screen(MessageDialog("That did not work", words, bad=True))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The same by the mouse."""
        actions: dict[str | None, Callable[[], object]] = {
            "resume": self.action_resume,
            "export": self.action_export,
            "folder": self.action_folder,
            "discard": self.action_discard,
            "delete": self.action_delete,
        }
        actions.get(event.button.id, lambda: self.dismiss(None))()
