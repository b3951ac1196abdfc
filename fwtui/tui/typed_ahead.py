"""Keys that are typed faster than the screen can follow: each waits for what the one before did.

Over a slow line several keys arrive at once. Textual sends all of them to what has the focus now;
but `/` opens a field for the keys after it, and `a` a dialog.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
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
MOST_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.01
SILENCE_SECONDS = 1.0


class TypedAhead:
    """Gives `handle` one key, or pasted text, at a time."""

    def __init__(self, app: App[Any], handle: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._handle = handle
        self._waiting: deque[events.Event] = deque()
        self._is_busy = False
        self._since = 0.0
        self._turn = 0
        self._screen: Screen[Any] | None = None
        self._before: frozenset[Worker[Any]] = frozenset()

    async def take(self, event: events.Event) -> None:
        """Handle this, or keep it until what came before is done."""
        at_once = isinstance(event, events.Key) and event.key in _AT_ONCE
        if at_once or not (self._is_busy or self._waiting):
            await self._begin(event)
            return
        self._waiting.append(event)
        # What was to tell the end of the key before may be closed, and then tells nothing.
        self._app.set_timer(SILENCE_SECONDS, partial(self._ask, self._turn))

    async def _begin(self, event: events.Event) -> None:
        self._is_busy, self._since, self._turn = True, monotonic(), self._turn + 1
        self._screen, self._before = self._app.screen, self._openers
        await self._handle(event)
        self._after_all(partial(self._look, self._turn))

    def _after_all(self, call: Callable[[], object]) -> None:
        """Call this when everything that has the key, or what it did, has handled it.

        A key goes from what has the focus up to the app, which looks for its action.
        """
        pumps = (self._app.focused or self._app.screen).ancestors_with_self
        _in_turn([*pumps, self._app], call)

    def _look(self, turn: int) -> None:
        """Go on if no dialog is about to come; else look again soon."""
        if self._must_wait:
            self._app.set_timer(LOOK_AGAIN_SECONDS, partial(self._look, turn))
        else:
            self._after_all(partial(self._next, turn))

    async def _ask(self, turn: int) -> None:
        """Go on although nothing was told, unless that has happened."""
        if turn == self._turn and self._must_wait:
            self._app.set_timer(SILENCE_SECONDS, partial(self._ask, turn))
        else:
            await self._next(turn)

    @property
    def _must_wait(self) -> bool:
        return self._is_opening and monotonic() - self._since < MOST_SECONDS

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

    async def _next(self, turn: int) -> None:
        """Handle what waits, if the key of this turn is still the last one."""
        if turn != self._turn:
            return
        self._is_busy = False
        if self._waiting:
            await self._begin(self._waiting.popleft())
            if self._waiting:
                self._app.set_timer(SILENCE_SECONDS, partial(self._ask, self._turn))


_AT_ONCE = frozenset(name for key in KEYS if key.priority for name in key.keys)
_UNFINISHED = frozenset({WorkerState.PENDING, WorkerState.RUNNING})


def _in_turn(pumps: list[MessagePump], call: Callable[[], object]) -> None:
    """Call this after all that these have to do now, one after the other."""
    first, *others = pumps
    then = call if not others else lambda: _in_turn(others, call)
    if not first.call_later(then) and others:  # it is closed
        _in_turn(others, call)
