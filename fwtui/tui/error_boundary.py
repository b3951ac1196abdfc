"""What fails in a handler, a worker or while drawing must not end its screen, or the program."""

from typing import Protocol, cast

from textual.geometry import Region
from textual.message import Message
from textual.message_pump import MessagePump
from textual.strip import Strip
from textual.widget import Widget
from textual.worker import Worker, WorkerState


class _Forgiving(Protocol):
    def forgive(self, error: Exception) -> bool: ...

    def worker_failed(self, error: BaseException) -> None: ...

    def drawing_failed(self, error: Exception) -> bool: ...


class Sturdy(MessagePump):
    """Tells the app of an exception in a handler, and goes on with the next message."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            # The one broad border: behind it a mistake costs a dialog, not days of work.
            if not cast(_Forgiving, self.app).forgive(error):
                raise

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell the app of a worker that failed: only the node that started it hears of it."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            cast(_Forgiving, self.app).worker_failed(event.worker.error)


class SturdyWidget(Sturdy, Widget):
    """A widget that stays blank, and tells so once, when it cannot be drawn."""

    _undrawable = False

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the widget."""
        try:
            self.prepare()
            return super().render_lines(crop)
        except Exception as error:
            if not self._undrawable and not cast(_Forgiving, self.app).drawing_failed(error):
                raise
            self._undrawable = True
            return [Strip.blank(crop.width)] * crop.height

    def prepare(self) -> None:
        """Called each time before the widget is drawn."""
