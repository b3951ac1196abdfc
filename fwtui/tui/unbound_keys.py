"""What a screen says of a key that does nothing there."""

from time import monotonic

from textual import events
from textual.widget import Widget

from fwtui.tui.keymap import key_for
from fwtui.tui.keys import shown

# Something that was typed or pasted into the wrong place is told of once.
_QUIET_SECONDS = 3.0


class UnboundKeys(Widget):
    """A screen that answers keys which nothing on it handles."""

    _told = float("-inf")

    def on_key(self, event: events.Key) -> None:
        """Say that the key does nothing; comes here only if nothing else has handled it."""
        named = event.character if event.is_printable else event.key
        if not event.is_printable and not event.key.startswith("f"):
            return
        if monotonic() - self._told > _QUIET_SECONDS:
            self._told = monotonic()
            name = shown(named or event.key)
            note = f"{name} does nothing here; {key_for(self, 'help')} shows the keys"
            self.notify(note, timeout=2, markup=False)
