"""What a screen says of a key that does nothing there."""

from time import monotonic
from typing import Any, cast

from textual import events
from textual.message_pump import MessagePump
from textual.screen import Screen

from fwtui.tui.keymap import key_for
from fwtui.tui.keys import shown

# Something that was typed or pasted into the wrong place is told of once.
_QUIET_SECONDS = 3.0


class UnboundKeys(MessagePump):
    """Mixin for screens: answers keys that nothing on the screen handles.

    No widget itself, for then style sheets would not know its screens as screens.
    """

    _told = float("-inf")

    def on_key(self, event: events.Key) -> None:
        """Say that a key does nothing; the bound ones come here, too, before their actions."""
        screen = cast(Screen[Any], self)
        named = event.character if event.is_printable else event.key
        if not event.is_printable and not event.key.startswith("f"):
            return
        if monotonic() - self._told <= _QUIET_SECONDS:
            return
        if not screen.active_bindings.keys().isdisjoint({event.key, *event.aliases}):
            return
        self._told = monotonic()
        name = shown(named or event.key)
        note = f"{name} does nothing here; {key_for(screen, 'help')} shows the keys"
        screen.notify(note, timeout=2, markup=False)
