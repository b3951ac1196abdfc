"""What happens after the first frame: offer running batches and unfinished sessions, open one."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from textual.app import App

from fwtui.core.job import JobId
from fwtui.core.watched_folder import moves_text
from fwtui.errors import ExitCode, FwtuiError
from fwtui.tui.controller import BatchController
from fwtui.tui.formatting import clean, file_count
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import with_keys

if TYPE_CHECKING:
    from fwtui.batch.remote.endpoints import Endpoint
    from fwtui.core.session import Session
    from fwtui.sessions.catalog import StoredSession


class Startup:
    """Runs once, inside a worker, because it waits for dialogs."""

    def __init__(self, app: App[ExitCode], controller: BatchController, glyphs: Glyphs) -> None:
        self._app = app
        self._controller = controller
        self._glyphs = glyphs

    async def run(self, attach: "Endpoint | None" = None) -> None:
        """Open what the user chooses: a running batch, a stored session, or a new one."""
        if attach is not None:
            await self._controller.attach(attach)
            return
        running = await self._offer_running()
        if running is None:
            return
        from fwtui.memory.cleanup import MANY, clean_up

        while True:
            stored, starts = await self._choose(running)
            if stored is not None and not await allow_moves(self._app, stored.session):
                continue
            if stored is not None and not await self._remap_folders(stored):
                continue
            resumed = None if stored is None else ResumeSummary.of(stored)
            if stored is not None and len(stored.session.jobs) > MANY:
                stored = stored.without_files
                await asyncio.to_thread(clean_up)
            try:
                await self._controller.begin(stored)
            except FwtuiError as error:
                if stored is None:
                    raise
                # It was opened or deleted meanwhile: ask again.
                await self._show(error, "Cannot resume the session")
                continue
            if resumed is not None:
                self._controller.resume(resumed.retried, start=starts)
                note = with_keys(self._app, resumed.text(started=starts))
                self._app.notify(note, markup=False)
                await self._controller.read_checked()
            return

    async def _offer_running(self) -> frozenset[str] | None:
        """Offer the running batches. None: one is shown now; else the ids of their sessions."""
        workspace, session_ids = self._controller.workspace, frozenset[str]()
        while endpoints := await self._running():
            batches = await asyncio.gather(*(workspace.status(endpoint) for endpoint in endpoints))
            # An empty one is a screen on which nothing has been done yet.
            offered = [one for one in batches if one.details is None or one.details.total]
            session_ids = frozenset(endpoint.session_id for endpoint in endpoints)
            if not offered:
                return session_ids
            from fwtui.tui.screens.running import RunningDialog

            endpoint = await self._app.push_screen_wait(RunningDialog(offered, self._glyphs))
            if endpoint is None:
                return session_ids
            try:
                await self._controller.attach(endpoint)
            except FwtuiError as error:
                await self._show(error, "Cannot attach to the batch")
                continue
            return None
        return session_ids

    async def _running(self) -> "tuple[Endpoint, ...]":
        try:
            return await self._controller.workspace.running()
        except FwtuiError as error:
            await self._show(error, "Cannot look for running batches")
            return ()

    async def _choose(self, running: frozenset[str]) -> "tuple[StoredSession | None, bool]":
        """The session to open, and whether to start it; None: a new session."""
        while True:
            try:
                found = await self._controller.workspace.incomplete()
            except FwtuiError as error:
                await self._show(error, "Cannot read the stored sessions")
                return None, False
            offered = [
                one
                for one in found.sessions
                if one.is_offered and one.session.session_id not in running
            ]
            if not offered:
                self._show_problems(found.problems)
                return None, False
            from fwtui.tui.screens.resume import ResumeDialog

            workspace = self._controller.workspace
            screen = ResumeDialog(workspace, offered, found.problems, self._glyphs)
            choice = await self._app.push_screen_wait(screen)
            screen.forget_files()
            match choice.what:
                case "resume" | "load":
                    return choice.sessions[0], choice.what == "resume"
                case "later":
                    return None, False
                case "never":
                    await self._hide(choice.sessions)
                case "discard":
                    await self._discard(choice.sessions)

    async def _remap_folders(self, stored: "StoredSession") -> bool:
        """Ask where folders of another machine are; False: the user cancelled."""
        from fwtui.tui.screens.resume import RemapDialog

        workspace = self._controller.workspace
        try:
            while folders := (await workspace.mapped(stored)).missing:
                here = await self._app.push_screen_wait(RemapDialog(folders[0]))
                if here is None:
                    return False
                await workspace.remember({folders[0]: here})
        except FwtuiError as error:
            await self._show(error, "Cannot resume the session")
            return False
        return True

    async def _discard(self, sessions: "Sequence[StoredSession]") -> None:
        from fwtui.tui.screens.sessions import ask_discard, discard_all, removed_note

        if not await self._app.push_screen_wait(ask_discard([one.session for one in sessions])):
            return
        try:
            gone = await discard_all(sessions, self._controller.workspace.discard)
        except FwtuiError as error:
            await self._show(error, "Cannot delete the session")
            return
        self._app.notify(removed_note(sessions, gone), markup=False)

    async def _hide(self, sessions: "Sequence[StoredSession]") -> None:
        ids = [one.session.session_id for one in sessions]
        try:
            await self._controller.workspace.set_offered(ids, offered=False)
        except FwtuiError as error:
            await self._show(error, "Cannot remember that")
            return
        what = "Session" if len(ids) == 1 else f"{len(ids):,} sessions"
        note = f"{what} kept, not offered again {self._glyphs.dot} {{sessions}} lists all"
        self._app.notify(with_keys(self._app, note), markup=False)

    def _show_problems(self, problems: Sequence[str]) -> None:
        for problem in problems[:3]:
            self._app.notify(clean(problem), severity="warning", markup=False)

    async def _show(self, error: FwtuiError, title: str) -> None:
        from fwtui.tui.screens.dialog import error_dialog

        await self._app.push_screen_wait(error_dialog(title, error))


async def allow_moves(app: App[ExitCode], session: "Session") -> bool:
    """Ask whether a stored session may move or tag recordings, if that is what it does.

    It is in a file that others may have written.
    """
    if not session.touching:
        return True
    from fwtui.tui.screens.dialog import ConfirmDialog

    lines = [clean(moves_text(folder)) for folder in session.touching]
    text = f"After their transcription, this session {'; '.join(lines)}."
    return await app.push_screen_wait(
        ConfirmDialog("Resume a session that changes recordings?", text, "Resume", "Cancel")
    )


class ResumeSummary(NamedTuple):
    """How many files of a resumed session are left, and which of them are retried."""

    unfinished: int
    retried: tuple[JobId, ...]

    @classmethod
    def of(cls, stored: "StoredSession") -> "ResumeSummary":
        """That of a stored session."""
        retried = tuple(job.id for job in stored.session.to_retry)
        return cls(len(stored.session.pending) + len(retried), retried)

    def text(self, *, started: bool) -> str:
        """A notification, with the name of an action in place of its key."""
        left = f"{file_count(self.unfinished)} left"
        if started:
            return f"Session resumed: {left}"
        return f"Session loaded: {left} · {{start}} to start"
