"""Errors in handlers and workers become dialogs instead of the end of the program."""

from typing import Protocol, cast

from textual.message import Message
from textual.message_pump import MessagePump
from textual.worker import Worker, WorkerState


class ErrorHandler(Protocol):
    """The application, which shows errors; False: it cannot, the program must end."""

    def forgive(self, error: Exception) -> bool: ...

    def worker_failed(self, error: BaseException) -> None: ...

    def drawing_failed(self, error: Exception) -> bool: ...


class ErrorBoundary(MessagePump):
    """Reports an exception in a handler or worker to the app, and handles the next message."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            # The one broad border: behind it a mistake costs a dialog, not days of work.
            if not cast(ErrorHandler, self.app).forgive(error):
                raise

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell the app of a worker that failed: only the node that started it hears of it."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            cast(ErrorHandler, self.app).worker_failed(event.worker.error)
