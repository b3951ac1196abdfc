"""A message handler that fails must not end its screen: Textual would stop it for good."""

from typing import Protocol, cast

from textual.message import Message
from textual.message_pump import MessagePump


class _Forgiving(Protocol):
    def forgive(self, error: Exception) -> bool: ...


class Sturdy(MessagePump):
    """Tells the app of an exception in a handler, and goes on with the next message."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            # The one broad border: behind it a mistake costs a dialog, not days of work.
            if not cast(_Forgiving, self.app).forgive(error):
                raise
