"""Running the application in a test: start it, press keys, wait for what should come, read."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from textual.pilot import Pilot

from fwtui.core.commands import AddPaths
from fwtui.core.settings import Settings
from fwtui.errors import ExitCode
from fwtui.tui.app import FwtuiApp
from fwtui.tui.controller import BatchWorkspace
from fwtui.tui.glyphs import UNICODE, Glyphs
from fwtui.tui.keymap import DEFAULT_KEYMAP, Keymap
from tests.tui.fakes import NOW, SETTINGS, ScriptedLink, ScriptedWorkspace

WIDE = (120, 40)
NARROW = (80, 24)
SECONDS = 30.0


class Driver:
    """An application under test."""

    def __init__(self, app: FwtuiApp, pilot: Pilot[ExitCode]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def text(self) -> str:
        """What is on the screen, as text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(part.text for part in strip) for strip in strips)

    @property
    def screen(self) -> str:
        return type(self.app.screen).__name__

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.app.simulate_key(key)
            await self.settle()

    async def settle(self) -> None:
        """Let everything that is under way be handled: app, screen, widgets, and what they post.

        Textual's own pause waits until the process uses little processor time, which takes long
        on a busy machine.
        """
        for _ in range(3):
            for pump in (self.app, *self.app.screen.walk_children(with_self=True)):
                handled = asyncio.Event()
                if not pump.call_later(handled.set):
                    continue
                while not handled.is_set() and self.app.is_running and pump.is_running:
                    await asyncio.sleep(0)
            if not self.app.is_running:
                return
        self.app.screen._refresh_layout()

    async def until(self, true: Callable[[], object], seconds: float = SECONDS) -> None:
        """Wait until `true()`; a short look again and again, the app goes on meanwhile."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if true():
                if self.app.is_running:
                    await self.settle()
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"did not happen; the screen is:\n{self.text}")

    async def until_text(self, words: str, seconds: float = SECONDS) -> None:
        await self.until(lambda: words in self.text, seconds)


@asynccontextmanager
async def running(
    workspace: BatchWorkspace,
    *,
    size: tuple[int, int] = WIDE,
    paths: Sequence[str] = (),
    settings: Settings = SETTINGS,
    glyphs: Glyphs = UNICODE,
    keymap: Keymap = DEFAULT_KEYMAP,
    now: Callable[[], datetime] = lambda: NOW,
    wait: bool = True,
) -> AsyncIterator[Driver]:
    """The application, with a batch (unless `wait` is off, for start-up dialogs)."""
    first = [AddPaths(tuple(paths))] if paths else []
    app = FwtuiApp(
        workspace,
        settings,
        first,
        keymap=keymap,
        now=now,
        glyphs=glyphs,
    )
    app.strict = True
    async with app.run_test(size=size) as pilot:
        driver = Driver(app, pilot)
        if wait:
            await driver.until(lambda: app.controller.batch is not None)
            await driver.until(lambda: app.main.is_mounted)
        yield driver


@asynccontextmanager
async def scripted(
    link: ScriptedLink,
    *,
    size: tuple[int, int] = WIDE,
    glyphs: Glyphs = UNICODE,
    paths: Sequence[str] = (),
) -> AsyncIterator[Driver]:
    """The application on a scripted batch whose jobs are all there."""
    async with running(ScriptedWorkspace(link), size=size, glyphs=glyphs, paths=paths) as driver:
        await driver.until(lambda: len(driver.app.controller.model.jobs) == len(link.jobs))
        yield driver
