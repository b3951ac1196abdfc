"""Drives a batch without a screen: commands in, events to listeners, signals to an orderly stop."""

from collections.abc import Callable, Iterable
from typing import Protocol

from fwtui.cli.console import Console
from fwtui.cli.signals import stop_signals
from fwtui.core.commands import AnyCommand, Quit
from fwtui.core.events import AnyEvent, BatchFinished, Phase

Listener = Callable[[AnyEvent], None]


class Runner(Protocol):
    """What is used of a batch runner here."""

    phase: Phase

    @property
    def is_background(self) -> bool:
        """Whether it ends itself when there is nothing more to do."""

    def send(self, command: AnyCommand) -> None:
        """Ask for something."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear events; returns what ends it."""

    async def run(self) -> None:
        """Work until a `Quit`."""


async def drive(
    runner: Runner,
    commands: Iterable[AnyCommand],
    listeners: Iterable[Listener],
    console: Console,
    hang_up: Callable[[], bool] = lambda: False,
) -> bool:
    """Send the commands and work until the batch has finished or a signal stops it.

    One that watches folders does not finish. Each event goes to the listeners in their order.
    `hang_up` as in `stop_signals`; a runner in the background ends itself. Returns whether a
    signal stopped it.
    """
    stopped = False

    def quit_at_the_end(event: AnyEvent) -> None:
        watching = runner.phase is Phase.WATCHING
        if isinstance(event, BatchFinished) and not (watching or runner.is_background):
            runner.send(Quit())

    def stop() -> None:
        nonlocal stopped
        stopped = True
        console.always("stopping; once more to leave at once")
        runner.send(Quit())

    # Each for itself: one that fails must not keep the end from being noticed.
    ends = [runner.subscribe(listener) for listener in (*listeners, quit_at_the_end)]
    try:
        with stop_signals(stop, hang_up):
            for command in commands:
                runner.send(command)
            await runner.run()
    finally:
        for end in ends:
            end()
        console.clear()
    return stopped
