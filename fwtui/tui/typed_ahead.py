"""Keys that are typed faster than the screen can follow: each waits for what the one before did.

Over a slow line several keys arrive at once. Textual sends all of them to what has the focus now;
but `/` opens a field for the keys after it, and `a` a dialog.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from textual import events
from textual.app import App
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from fwtui.tui.keys import KEYS

# The groups of the workers that open dialogs.
DIALOGS = frozenset({"dialog", "close", "quit"})
# A key waits for no longer, whatever the one before it does.
MOST_SECONDS = 2.0
LOOK_AGAIN_SECONDS = 0.01


class TypedAhead:
    """Gives `handle` one key, or pasted text, at a time."""

    def __init__(self, app: App[Any], handle: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._handle = handle
        self._waiting: deque[events.Event] = deque()
        self._is_busy = False
        self._since = 0.0
        self._screen: Screen[Any] | None = None
        self._before: frozenset[Worker[Any]] = frozenset()

    async def take(self, event: events.Event) -> None:
        """Handle this, or keep it until what came before is done."""
        waits = self._is_busy and monotonic() - self._since < MOST_SECONDS
        if waits and not (isinstance(event, events.Key) and event.key in _AT_ONCE):
            self._waiting.append(event)
        else:
            await self._begin(event)

    async def _begin(self, event: events.Event) -> None:
        self._is_busy, self._since = True, monotonic()
        self._screen, self._before = self._app.screen, self._openers
        await self._handle(event)
        self._after_all(self._look)

    def _after_all(self, call: Callable[[], object]) -> None:
        """Call this when everything that has the key, or what it did, has handled it.

        A key goes from what has the focus up to the app, which looks for its action.
        """
        pumps = (self._app.focused or self._app.screen).ancestors_with_self
        _in_turn([*pumps, self._app], call)

    def _look(self) -> None:
        """Go on if no dialog is about to come; else look again soon."""
        if self._is_opening and monotonic() - self._since < MOST_SECONDS:
            self._app.set_timer(LOOK_AGAIN_SECONDS, self._look)
        else:
            self._after_all(self._next)

    @property
    def _is_opening(self) -> bool:
        """Whether a worker was started that has not shown its dialog yet."""
        return self._app.screen is self._screen and bool(self._openers - self._before)

    @property
    def _openers(self) -> "frozenset[Worker[Any]]":
        """Unfinished workers that open dialogs."""
        return frozenset(
            worker
            for worker in self._app.workers
            if worker.group in DIALOGS and worker.state in _UNFINISHED
        )

    async def _next(self) -> None:
        self._is_busy = False
        if self._waiting:
            await self._begin(self._waiting.popleft())


_AT_ONCE = frozenset(name for key in KEYS if key.priority for name in key.keys)
_UNFINISHED = frozenset({WorkerState.PENDING, WorkerState.RUNNING})


def _in_turn(pumps: list[MessagePump], call: Callable[[], object]) -> None:
    """Call this after all that these have to do now, one after the other."""
    first, *others = pumps
    then = call if not others else lambda: _in_turn(others, call)
    if not first.call_later(then):  # it is closed
        _in_turn(others, call) if others else call()
