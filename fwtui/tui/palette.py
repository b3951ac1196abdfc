"""The command palette: the actions of the key table that make sense now."""

from collections.abc import Iterator
from functools import partial
from typing import Protocol, runtime_checkable

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode
from textual.types import IgnoreReturnCallbackType
from textual.widget import Widget

from fwtui.tui.keymap import key_for
from fwtui.tui.keys import KEYS, Key


@runtime_checkable
class HasKeyLabels(Protocol):
    """The main screen, where all keys work."""

    def key_label(self, key: Key) -> str | None:
        """What a key would do now; None when it would do nothing."""

    def key_target(self, key: Key) -> DOMNode:
        """The widget or screen that a key's action belongs to."""


class KeyCommands(Provider):
    """Offers the actions of all keys by name."""

    async def discover(self) -> Hits:
        for key, label, call in self._commands():
            yield DiscoveryHit(self._title(key, label), call, help=key.tooltip)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for key, label, call in self._commands():
            title = self._title(key, label)
            score = max(matcher.match(title), matcher.match(key.tooltip) * 0.9)
            if score > 0:
                yield Hit(score, matcher.highlight(title), call, help=key.tooltip)

    def _commands(self) -> Iterator[tuple[Key, str, IgnoreReturnCallbackType]]:
        screen = self.screen
        for key in KEYS:
            label: str | None = key.label
            if isinstance(screen, HasKeyLabels):
                label = screen.key_label(key)
            elif key.where != "everywhere":
                continue
            if key.palette and label is not None:
                yield key, label, partial(self._run, key)

    async def _run(self, key: Key) -> None:
        screen = self.screen
        target: DOMNode = screen.key_target(key) if isinstance(screen, HasKeyLabels) else self.app
        if isinstance(target, Widget) and target.can_focus:
            self.app.call_later(target.focus)
        await self.app.run_action(key.action, target)

    def _title(self, key: Key, label: str) -> str:
        return f"{label}  ({key_for(self.app, key.id)})"
