"""The error boundary: a failed handler, timer, worker or drawing costs at most its dialog."""

from inspect import isawaitable
from typing import Protocol, cast

from textual.message import Message
from textual.message_pump import MessagePump
from textual.timer import Timer, TimerCallback
from textual.worker import Worker, WorkerState


class ErrorHandler(Protocol):
    """The application, to its error boundary."""

    def handle_error(self, error: BaseException) -> bool:
        """Show an error of a handler or timer; False: the program must end with it."""

    def handle_worker_error(self, error: BaseException) -> None:
        """Show the error of a worker."""

    def handle_drawing_error(self, error: Exception) -> bool:
        """Show the error of a widget that cannot be drawn; False: the program must end with it."""


def error_handler(node: MessagePump) -> ErrorHandler:
    """The application that shows the errors of a node."""
    return cast(ErrorHandler, node.app)


class ErrorBoundary(MessagePump):
    """Mixin for screens, widgets and the app: reports exceptions to the app and continues.

    It is the one broad border of the screens: behind it a mistake costs a dialog, not the batch.
    """

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            if not error_handler(self).handle_error(error):
                raise

    def set_timer(
        self,
        delay: float,
        callback: TimerCallback | None = None,
        *,
        name: str | None = None,
        pause: bool = False,
    ) -> Timer:
        call = None if callback is None else _GuardedCall(self, callback)
        return super().set_timer(delay, call, name=name, pause=pause)

    def set_interval(
        self,
        interval: float,
        callback: TimerCallback | None = None,
        *,
        name: str | None = None,
        repeat: int = 0,
        pause: bool = False,
    ) -> Timer:
        call = None if callback is None else _GuardedCall(self, callback)
        timer = super().set_interval(interval, call, name=name, repeat=repeat, pause=pause)
        if call is not None:
            call.timer = timer
        return timer

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        # Textual tells only the node that started the worker.
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            error_handler(self).handle_worker_error(event.worker.error)


class _GuardedCall:
    """A timer's callback. Once it has failed, its timer stops: it would fail again each time."""

    def __init__(self, node: MessagePump, callback: TimerCallback) -> None:
        self.timer: Timer | None = None
        self._node = node
        self._callback = callback

    async def __call__(self) -> None:
        try:
            result = self._callback()
            if isawaitable(result):
                await result
        except Exception as error:
            if self.timer is not None:
                self.timer.stop()
            if not error_handler(self._node).handle_error(error):
                raise
