"""How the application ends: by its user, by a signal, or because its terminal is gone."""

from typing import TYPE_CHECKING

from textual import work

from fwtui.errors import ExitCode
from fwtui.tui.compositor import SmallFrames
from fwtui.tui.controller import Host
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.lifecycle import TERMINAL_CHECK, Lifecycle

if TYPE_CHECKING:
    from fwtui.tui.screens.quit import Choice, Leave

LONG_CLOSE = 0.3


class Ending(SmallFrames[ExitCode]):
    """The part of the application that knows when and how to end.

    `hand_over`: the batch is to go on in a process without a terminal; `failed_start` is the exit
    code when there could be no batch.
    """

    host: Host
    glyphs: Glyphs

    def __init__(self) -> None:
        super().__init__()
        self.hand_over = False
        self.failed_start: ExitCode | None = None
        self._question: Leave | None = None
        self.lifecycle = Lifecycle(self._end, self._hang_up)

    def watch_terminal(self) -> None:
        """Notice signals and hang-ups from now on."""
        if not self.is_headless:
            self.lifecycle.install()
        self.set_interval(TERMINAL_CHECK, self._check_terminal)

    @work(exclusive=True, group="quit", exit_on_error=False)
    async def action_quit(self) -> None:  # type: ignore[override]
        """Save and leave; asks when that interrupts something. Attached: only leave."""
        if self.host.closing:
            self.exit(ExitCode.STOPPED)
            return
        self.host.bridge.drain()  # the work may have ended since the last picture
        choice: Choice = "again"
        while choice == "again":
            choice = await self._ask_to_leave() if self._would_interrupt() else "quit"
        if choice != "stay":
            self.hand_over = choice == "background"
            self.leave()

    async def _ask_to_leave(self) -> "Choice":
        from fwtui.tui.screens.quit import Leave

        self._question = Leave(self.host.model)
        return await self.push_screen_wait(self._question)

    def _would_interrupt(self) -> bool:
        model = self.host.model
        return (model.is_working or model.adding.adding) and not model.attached

    def withdraw_question(self) -> None:
        """Whether to interrupt work is another question, or none, once that work has ended."""
        question = self._question
        if question is None or not question.is_current or not question.is_outdated:
            return
        if self._would_interrupt():
            question.dismiss("again")
        else:
            question.dismiss("stay")
            self.notify("There is nothing to interrupt any more.", markup=False)

    @work(group="leave", exit_on_error=False)
    async def leave(self) -> None:
        """Let the batch save everything, then end."""
        timer = self.set_timer(LONG_CLOSE, self._say_saving)
        await self.host.close()
        timer.stop()
        self.exit(self.failed_start or self.host.exit_code)

    def _say_saving(self) -> None:
        self.notify("Saving the session" + self.glyphs.ellipsis, timeout=30, markup=False)

    def _end(self) -> None:
        self.call_later(self.leave)

    def _hang_up(self) -> None:
        self._stop_reading()
        self.call_later(self._let_go)

    def _let_go(self) -> None:
        """Leave the batch to go on without a screen, if it may; else end in an orderly way."""
        if self.host.release():
            self.exit(ExitCode.DONE)
        else:
            self.leave()

    def _check_terminal(self) -> None:
        if not self.is_headless and self.lifecycle.check_terminal():
            self._stop_reading()

    def _stop_reading(self) -> None:
        hang_up = getattr(self._driver, "hang_up", None)
        if hang_up is not None:
            hang_up()
