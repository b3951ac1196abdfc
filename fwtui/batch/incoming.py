"""Commands in their order, while paths are looked up beside the batch."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from fwtui.batch.discovery import find_bit_by_bit
from fwtui.batch.found import Found
from fwtui.core.commands import AnyCommand, Pause, Quit, Start, Stop
from fwtui.core.events import AddingChanged

Finder = Callable[[Iterable[str]], Iterator[Found]]


class LookedUp(Struct, frozen=True):
    """Some of what the paths of an `AddPaths` led to, with its roots."""

    found: Found
    roots: tuple[str, ...] = ()


class LookedUpAll(Struct, frozen=True):
    """There is no more to find in these paths."""

    paths: tuple[str, ...]


class Incoming:
    """Looks paths up in a thread of its own: a folder can be huge, and a network share can hang.

    Meanwhile other commands wait, because they may be about the files that are being added; only
    those that end work do not. `post` puts what is found into the runner's inbox, from any thread,
    bit by bit: the first of a hundred thousand files are there at once. `find` does the work;
    `tell` hears of what others have to wait for.
    """

    def __init__(
        self,
        post: Callable[[LookedUp | LookedUpAll], None],
        tell: Callable[[AddingChanged], None],
    ) -> None:
        self.find: Finder = find_bit_by_bit
        self._post = post
        self._tell = tell
        self._told = AddingChanged(adding=False)
        self._turn = threading.Semaphore(0)
        self._looking = False
        self._waiting: deque[AnyCommand] = deque()

    @property
    def is_busy(self) -> bool:
        """Whether something is still to be added or obeyed."""
        return self._looking or bool(self._waiting)

    @property
    def is_looking(self) -> bool:
        """Whether there may be more to find."""
        return self._looking

    def must_wait(self, command: AnyCommand) -> bool:
        """Whether the command comes out of `next` later; it is kept then."""
        if isinstance(command, Pause | Stop | Quit):
            starts = [waiting for waiting in self._waiting if isinstance(waiting, Start)]
            for start in starts:
                self._waiting.remove(start)
            self._tell_changes()
            return False
        if self.is_busy:
            self._waiting.append(command)
            self._tell_changes()
            return True
        return False

    def next(self) -> AnyCommand | None:
        """The next command that has waited and need not wait any longer."""
        return self._waiting.popleft() if self._waiting and not self._looking else None

    def look_up(self, paths: tuple[str, ...], roots: tuple[str, ...] = ()) -> None:
        """Find the media files; the answers are posted, with these roots."""
        self._looking = True
        self._tell_changes()
        # A daemon: one that hangs for ever must not keep fwtui from ending.
        threading.Thread(target=self._find, args=(paths, roots), name="intake", daemon=True).start()

    def _find(self, paths: tuple[str, ...], roots: tuple[str, ...]) -> None:
        try:
            for found in self.find(paths):
                self._answer(LookedUp(found, roots))
                # Else thousands would be in front of a command that the user gives meanwhile.
                self._turn.acquire()
        finally:  # all other commands wait for it
            self._answer(LookedUpAll(paths))

    def _answer(self, answer: LookedUp | LookedUpAll) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for it
            self._post(answer)

    def taken(self, answer: LookedUp) -> LookedUp:
        """The answer, which was taken out of the inbox: the search goes on."""
        self._turn.release()
        return answer

    def done(self) -> None:
        """The last answer was taken out of the inbox."""
        self._looking = False
        self._tell_changes()

    @property
    def state(self) -> AddingChanged:
        """What others have to wait for."""
        starts = any(isinstance(command, Start) for command in self._waiting)
        return AddingChanged(self._looking, self._looking and starts)

    def _tell_changes(self) -> None:
        state = self.state
        if state != self._told:
            self._told = state
            self._tell(state)
