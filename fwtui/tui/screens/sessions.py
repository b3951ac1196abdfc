"""All stored sessions: inspect, resume, export, discard or delete them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import ClassVar, Literal

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
from fwtui.tui.formatting import StyledText, clean, file_count, file_size, shown_path
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import with_keys
from fwtui.tui.keys import bindings
from fwtui.tui.model import LiveTranscript
from fwtui.tui.opening import open_folder
from fwtui.tui.screens.details import DetailsDialog, DetailsSource
from fwtui.tui.screens.dialog import ConfirmDialog, ListDialog, frame
from fwtui.tui.screens.export import Exportable, ExportDialog
from fwtui.tui.screens.resume import ResumeChoice
from fwtui.tui.widgets.lines import SelectableListing
from fwtui.tui.widgets.paint import Piece, parts_bar
from fwtui.tui.widgets.session_details import SessionView

MOST_NAMES = 500
MOST_IDS = 6
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


class SessionsList(SelectableListing[StoredSession]):
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
            self.mark(item),
            (f"{mark} ", ink),
            (f"{session.created_at:%Y-%m-%d %H:%M}  ", "plain"),
            *parts_bar(session.shares, room, self.glyphs),
            (f"  {done:,}/{total:,}" if room else f"{done:,}/{total:,}", "dim"),
            (f" {self.glyphs.failed}{len(session.failed):,}" if session.failed else "", "bad"),
            ("  not started" if session.never_started else "", "dim"),
            ("  not offered" if item.hidden else "", "dim"),
        ]

    def _mark(self, item: StoredSession) -> Piece:
        if item.session.session_id == self._own:
            return self.glyphs.running, "accent"
        if item.in_use is not None:
            return self.glyphs.paused, "warn"
        return self.glyphs.pending, "dim"


class SessionsDialog(ListDialog[ResumeChoice | None]):
    """Gives the session to resume or load, or None. `own` is the id of this program's batch."""

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
            with_keys(self, f"Sessions {self._glyphs.dot} finished batches: {{history}} History"),
            Container(self._list, self._session, id="sessions-body"),
            buttons=(
                Button("Close", id="close"),
                Button("Delete", id="delete", variant="error"),
                Button("Discard", id="discard", variant="error"),
                Button("Open folder", id="folder"),
                Button("Export", id="export"),
                Button("Load", id="load"),
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
        self._list.empty = with_keys(self, "None unfinished; finished batches: {history}")
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
        self.enable(delete=free, discard=free or len(self._list.selected) > 1)
        can_resume = free and stored is not None and stored.is_unfinished
        self.enable(resume=can_resume, load=can_resume)

    # Actions.

    def _free(self) -> StoredSession | None:
        """The current session if nobody works on it; else notifies who does."""
        stored = self._list.current
        if stored is None:
            self.notify("There is no session", markup=False)
            return None
        return self._free_one(stored)

    def _free_one(self, stored: StoredSession) -> StoredSession | None:
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
        self._give("resume")

    def action_load(self) -> None:
        self._give("load")

    def _give(self, what: Literal["resume", "load"]) -> None:
        stored = self._free()
        if stored is not None and stored.is_unfinished:
            self.dismiss(ResumeChoice(what, (stored,)))
        elif stored is not None:
            self.notify("Nothing left to do in this session", markup=False)

    def action_select(self) -> None:
        self._list.toggle()

    def action_select_all(self) -> None:
        self._list.toggle_all()

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_offer(self) -> None:
        chosen = self._list.chosen
        if not chosen:
            return
        offered = all(one.hidden for one in chosen)
        try:
            ids = [one.session.session_id for one in chosen]
            await self._workspace.set_offered(ids, offered=offered)
        except FwtuiError as error:
            self.show_error(error)
            return
        what = "Session" if len(chosen) == 1 else f"{len(chosen):,} sessions"
        note = "offered at a start, if interrupted" if offered else "not offered again"
        self.notify(f"{what} {note}", markup=False)
        self._read()

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
            lambda: (job.file for job in session.jobs),
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
        chosen = self._list.chosen
        if not chosen:
            self.notify("There is no session", markup=False)
            return
        if any(self._free_one(one) is None for one in chosen):
            return
        if await self.app.push_screen_wait(ask_discard([one.session for one in chosen])):
            await self._remove(chosen, self._workspace.discard)

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_delete(self) -> None:
        stored = self._free()
        if stored is None:
            return
        outputs = await asyncio.to_thread(outputs_of, stored.session)
        if await self.app.push_screen_wait(ask_delete(stored.session, outputs)):
            await self._remove([stored], self._workspace.delete)

    async def _remove(
        self,
        sessions: Sequence[StoredSession],
        remove: Callable[[StoredSession], Awaitable[DeletedFiles]],
    ) -> None:
        try:
            removed = await discard_all(sessions, remove)
        except FwtuiError as error:
            self.show_error(error)
        else:
            self.notify(removed_note(sessions, removed), markup=False)
        self._read()


async def discard_all(
    sessions: Sequence[StoredSession], remove: Callable[[StoredSession], Awaitable[DeletedFiles]]
) -> DeletedFiles:
    """Delete sessions; what was deleted of all of them. Raises FwtuiError at the first failure."""
    removed = [await remove(stored) for stored in sessions]
    files = tuple(file for one in removed for file in one.files)
    return DeletedFiles(files, sum(one.bytes for one in removed))


def removed_note(sessions: Sequence[StoredSession], removed: DeletedFiles) -> str:
    """The notification after sessions were deleted."""
    what = f"{file_count(len(removed.files))}, {file_size(removed.bytes)}"
    if len(sessions) > 1:
        return f"{len(sessions):,} sessions deleted ({what})"
    return f"Session {clean(sessions[0].session.session_id)} deleted ({what})"


def ask_discard(sessions: Sequence[Session]) -> ConfirmDialog:
    """The question before sessions are deleted and their transcripts stay."""
    count = sum(len(one.pending) + len(one.failed) + len(one.cancelled) for one in sessions)
    several = len(sessions) > 1
    names = ", ".join(clean(one.session_id) for one in sessions[:MOST_IDS])
    if len(sessions) > MOST_IDS:
        names += f" and {len(sessions) - MOST_IDS:,} more"
    what = f"sessions {names} and their journals" if several else f"session {names} and its journal"
    lost = f"Permanently deletes {what}, with {count:,} unfinished file{'' if count == 1 else 's'}"
    if seconds := sum(map(_seconds_inside, sessions)):
        lost += f" ({clock(seconds)} of audio already transcribed)"
    if temps := sum(len(one.temp_files) for one in sessions):
        lost += f", and {file_count(temps)} of temporary audio"
    done = sum(len(one.completed) for one in sessions)
    folders = dict.fromkeys(one.settings.output.output_dir for one in sessions)
    where = shown_path(next(iter(folders))) if len(folders) == 1 else "their folders"
    kept = "Kept: your recordings"
    if done:
        kept += f", and the transcripts of {file_count(done)} already written to {where}"
    title = f"Discard these {len(sessions):,} sessions?" if several else "Discard this session?"
    keep = "Keep them" if several else "Keep it"
    return ConfirmDialog(title, f"{lost}.\n\n{kept}.", "Discard", keep)


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
