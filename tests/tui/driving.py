"""Running the application in a test: start it, press keys, wait for what should come, read."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any, Self

import pytest
from textual.message_pump import MessagePump
from textual.notifications import Notification, Notifications
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from fwtui.core.commands import AddPaths
from fwtui.core.events import AnyEvent, LogLine
from fwtui.core.settings import Settings
from fwtui.errors import ExitCode
from fwtui.tui.app import FwtuiApp
from fwtui.tui.arrangement import ArrangementFile
from fwtui.tui.controller import BatchWorkspace
from fwtui.tui.glyphs import UNICODE, Glyphs
from fwtui.tui.keymap import DEFAULT_KEYMAP, Keymap
from tests.tui.fakes import NOW, SETTINGS, ScriptedLink, ScriptedWorkspace, busy_events

WIDE = (120, 40)
NARROW = (80, 24)
SECONDS = 90.0
# Between two looks at the screen, each of which draws it; ten times as much after two seconds.
LOOK_SECONDS = 0.02
# A screen that is never at rest, because a batch is at work, is read all the same after this long;
# one that waits for a thread, which a test may hold, after less.
SETTLE_SECONDS = 20.0
THREAD_SECONDS = 1.0
# It rests if there is nothing to do this many times in a row.
RESTS = 2


class AllNotifications(Notifications):
    """Keeps every notification; those that are shown are gone after some seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Notification] = []

    def add(self, notification: Notification) -> Self:
        self.all.append(notification)
        return super().add(notification)


class Driver:
    """An application under test."""

    def __init__(
        self, app: FwtuiApp, pilot: Pilot[ExitCode], threads: set[asyncio.Future[Any]]
    ) -> None:
        self.app = app
        self.pilot = pilot
        self.threads = threads
        recorded = AllNotifications()
        app._notifications = recorded
        self.notes = recorded.all

    @property
    def text(self) -> str:
        """What is on the screen, as text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(part.text for part in strip) for strip in strips)

    @property
    def words(self) -> str:
        """What is on the screen, as one line, however it is wrapped and framed."""
        return " ".join(self.text.replace("│", " ").split())

    @property
    def screen(self) -> str:
        return type(self.app.screen).__name__

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.app.simulate_key(key)
            await self.settle()

    async def click(
        self,
        where: Widget | str | None = None,
        offset: tuple[int, int] = (0, 0),
        *,
        times: int = 1,
        shift: bool = False,
    ) -> None:
        await self.pilot.click(where, offset=offset, times=times, shift=shift)
        await self.settle()

    async def resize(self, width: int, height: int) -> None:
        await self.pilot.resize_terminal(width, height)
        await self.settle()

    async def settle(self) -> None:
        """Let everything that is under way come to its end.

        Messages, the layout, callbacks that wait for it, jumps of what is scrolled, threads of
        screens, and what these lead to. Textual's own pause waits until the process uses little
        processor time, which takes long on a busy machine.
        """
        begun = time.monotonic()
        rests = 0
        while rests < RESTS and self.app.is_running:
            past = time.monotonic() - begun
            if past > SETTLE_SECONDS:
                return
            await self._handle_messages(begun + SETTLE_SECONDS)
            busy = await self._advance(threads=past < THREAD_SECONDS)
            rests = 0 if busy else rests + 1

    async def _handle_messages(self, ends: float) -> None:
        """Wait until app, screens and widgets have handled the messages that they have now."""
        waiting: dict[MessagePump, asyncio.Event] = {}
        for pump in self._pumps():
            handled = asyncio.Event()
            if pump.call_later(handled.set):
                waiting[pump] = handled
        for pump, handled in waiting.items():
            while not handled.is_set() and self.app.is_running and pump.is_running:
                if time.monotonic() > ends:
                    return
                await asyncio.sleep(0)

    async def _advance(self, *, threads: bool) -> bool:
        """Do now what Textual would do a moment later; False if there is nothing.

        `threads`: to wait for them is something to do.
        """
        app, screen = self.app, self.app.screen
        if app.animator._animations:
            app.animator()
        elif _waits_for_layout(screen) or screen._callbacks:
            screen._on_timer_update()
        elif not (threads and self.threads) and not any(map(_has_work, self._pumps())):
            return False
        else:
            await asyncio.sleep(0.001)
        return True

    def _pumps(self) -> list[MessagePump]:
        behind = [screen for screen in self.app.screen_stack if screen is not self.app.screen]
        return [self.app, *behind, *self.app.screen.walk_children(with_self=True)]

    async def until(
        self, true: Callable[[], object], seconds: float = SECONDS, what: object = "this"
    ) -> None:
        """Wait until `true()`, and still so when the screen has settled."""
        ends = time.monotonic() + seconds
        pause = LOOK_SECONDS
        while time.monotonic() < ends:
            if true():
                if not self.app.is_running:
                    return
                await self.settle()
                if true():
                    return
            await asyncio.sleep(pause)
            pause = min(pause * 1.2, LOOK_SECONDS * 10)
        raise AssertionError(f"{what} did not happen; the screen is:\n{self.text}")

    async def until_text(self, *words: str, seconds: float = SECONDS) -> None:
        """Wait until all of this is on the screen at once."""
        await self._until_on_screen(lambda text: [one for one in words if one not in text], seconds)

    async def until_gone(self, *words: str, seconds: float = SECONDS) -> None:
        """Wait until none of this is on the screen any more."""
        await self._until_on_screen(lambda text: [one for one in words if one in text], seconds)

    async def until_words(self, *words: str) -> None:
        """Wait until all of this is to be read at once, however it is wrapped and framed."""
        await self.until(lambda: all(one in self.words for one in words))

    async def until_told(self, words: str) -> None:
        """Wait for a notification with this in it."""
        await self.until(lambda: any(words in note.message for note in self.notes), what=words)

    async def until_screen(self, name: str) -> None:
        """Wait until this is the screen on top."""
        await self.until(lambda: self.screen == name)

    async def _until_on_screen(self, wrong: Callable[[str], list[str]], seconds: float) -> None:
        try:
            await self.until(lambda: not wrong(self.text), seconds)
        except AssertionError as error:
            raise AssertionError(f"{wrong(self.text)}: {error}") from None


def _waits_for_layout(widget: Widget) -> bool:
    """Whether it will be elsewhere or of another size; what it shows is drawn when it is read."""
    return widget._layout_required or widget._scroll_required or widget._recompose_required


def _has_work(pump: MessagePump) -> bool:
    if not pump.is_running:
        return False
    if pump._next_callbacks or not pump._message_queue.empty():
        return True
    return isinstance(pump, Widget) and not isinstance(pump, Screen) and _waits_for_layout(pump)


@contextmanager
def counted_threads() -> Iterator[set[asyncio.Future[Any]]]:
    """What the running loop's threads are at, of all that is asked for from now on."""
    loop = asyncio.get_running_loop()
    original = loop.run_in_executor
    at_work: set[asyncio.Future[Any]] = set()

    def run_in_executor(*given: Any) -> asyncio.Future[Any]:
        future = original(*given)
        at_work.add(future)
        future.add_done_callback(at_work.discard)
        return future

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "run_in_executor", run_in_executor)
        yield at_work


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
    arrangement_file: ArrangementFile | None = None,
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
        arrangement_file=arrangement_file,
    )
    app.strict = True
    with counted_threads() as threads:
        async with app.run_test(size=size) as pilot:
            driver = Driver(app, pilot, threads)
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


async def at_work(driver: Driver, link: ScriptedLink, *events: AnyEvent) -> None:
    """Let the gallery's batch work, and wait until the screen has all of it."""
    before = driver.app.controller.model.log_count
    sent = [*events, *busy_events()]
    lines = sum(isinstance(event, LogLine) for event in sent)
    link.emit(*sent)
    model = driver.app.controller.model
    await driver.until(lambda: model.log_count >= before + lines)
