"""What happens after the first frame: look for unfinished sessions, ask, open one."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from fwtui.core.job import JobId
from fwtui.errors import FwtuiError
from fwtui.tui.controller import BatchController
from fwtui.tui.formatting import clean, file_count
from fwtui.tui.keymap import with_keys

if TYPE_CHECKING:
    from fwtui.batch.remote.endpoints import Endpoint
    from fwtui.sessions.catalog import StoredSession
    from fwtui.tui.app import FwtuiApp


class StartUp:
    """Runs once, inside a worker, because it waits for dialogs."""

    def __init__(self, app: "FwtuiApp", controller: BatchController) -> None:
        self._app = app
        self._controller = controller

    async def run(self, attach: "Endpoint | None" = None) -> None:
        """Open what the user wants: a running batch, a stored session, or a new one."""
        if attach is not None:
            await self._controller.attach(attach)
            return
        beside = await self._running()
        if beside is None:
            return
        from fwtui.memory.cleanup import MANY, clean_up

        while True:
            stored = await self._choose(beside)
            if stored is not None and not await self._knows_its_folders(stored):
                continue
            resumed = None if stored is None else Resumed.of(stored)
            if stored is not None and len(stored.session.jobs) > MANY:
                stored = stored.without_files
                await asyncio.to_thread(clean_up)
            try:
                await self._controller.begin(stored)
            except FwtuiError as error:
                if stored is None:
                    raise
                # Somebody else took or removed it meanwhile: ask again.
                await self._wait_told(error)
                continue
            if resumed is not None:
                self._controller.retry(resumed.failed)
                self._app.notify(with_keys(self._app, resumed.words), markup=False)
            return

    async def _running(self) -> frozenset[str] | None:
        """Offer the running batches. None: it is shown; else the sessions that are left alone."""
        workspace, left = self._controller.workspace, frozenset[str]()
        while endpoints := await workspace.running():
            batches = await asyncio.gather(*(workspace.status(endpoint) for endpoint in endpoints))
            # An empty one is a screen on which nothing has been done yet.
            shown = [one for one in batches if one.details is None or one.details.total]
            left = frozenset(endpoint.session_id for endpoint in endpoints)
            if not shown:
                return left
            from fwtui.tui.screens.running import RunningDialog

            endpoint = await self._app.push_screen_wait(RunningDialog(shown, self._app.glyphs))
            if endpoint is None:
                return left
            try:
                await self._controller.attach(endpoint)
            except FwtuiError as error:
                await self._wait_told(error)
                continue
            return None
        return left

    async def _choose(self, beside: frozenset[str]) -> "StoredSession | None":
        while True:
            try:
                found = await self._controller.workspace.incomplete()
            except FwtuiError as error:
                await self._wait_told(error)
                return None
            mine = [one for one in found.sessions if one.session.session_id not in beside]
            if not mine:
                self._problems(found.problems)
                return None
            from fwtui.tui.screens.resume import LATER, ResumeDialog

            screen = ResumeDialog(
                self._controller.workspace, mine, found.problems, self._app.glyphs
            )
            choice = await self._app.push_screen_wait(screen)
            screen.forget_files()
            if choice == LATER or choice.stored is None:
                return None
            if choice.what == "resume":
                return choice.stored
            if await self._discard(choice.stored) and len(mine) == 1:
                return None

    async def _knows_its_folders(self, stored: "StoredSession") -> bool:
        """Ask where folders of another machine are; False: the user would rather not say."""
        from fwtui.tui.screens.resume import RemapDialog

        workspace = self._controller.workspace
        try:
            while folders := (await workspace.mapped(stored)).missing:
                here = await self._app.push_screen_wait(RemapDialog(folders[0]))
                if here is None:
                    return False
                await workspace.remember({folders[0]: here})
        except FwtuiError as error:
            await self._wait_told(error)
            return False
        return True

    async def _discard(self, stored: "StoredSession") -> bool:
        from fwtui.tui.screens.sessions import ask_discard, removed_note

        if not await self._app.push_screen_wait(ask_discard(stored.session)):
            return False
        try:
            gone = await self._controller.workspace.discard(stored)
        except FwtuiError as error:
            await self._wait_told(error)
            return False
        self._app.notify(removed_note(stored, gone), markup=False)
        return True

    def _problems(self, problems: Sequence[str]) -> None:
        for problem in problems[:3]:
            self._app.notify(clean(problem), severity="warning", markup=False)

    async def _wait_told(self, error: FwtuiError) -> None:
        from fwtui.tui.screens.dialog import MessageDialog

        words = clean(error.title) + (f"\n\n{clean(error.hint)}" if error.hint else "")
        await self._app.push_screen_wait(MessageDialog("That did not work", words, bad=True))


class Resumed(NamedTuple):
    """What is left of a session that goes on: how many files, and which of them had failed."""

    to_do: int
    failed: tuple[JobId, ...]

    @classmethod
    def of(cls, stored: "StoredSession") -> "Resumed":
        """That of a stored one."""
        failed = tuple(job.id for job in stored.session.failed)
        return cls(len(stored.session.pending) + len(failed), failed)

    @property
    def words(self) -> str:
        """What to tell, with the name of an action for its key."""
        return f"Session resumed: {file_count(self.to_do)} to do, {{start}} starts"
