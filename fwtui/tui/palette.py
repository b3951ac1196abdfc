"""The command palette: the registry's commands that make sense now."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode
from textual.types import IgnoreReturnCallbackType

from fwtui.tui.keymap import sign_of
from fwtui.tui.keys import KEYS

if TYPE_CHECKING:
    from fwtui.tui.keys import Key


class KeyCommands(Provider):
    """Offers every key's action by its name."""

    async def discover(self) -> Hits:
        """All commands."""
        for key, label, call in self._commands():
            yield DiscoveryHit(self._title(key, label), call, help=key.tooltip)

    async def search(self, query: str) -> Hits:
        """Commands that match."""
        matcher = self.matcher(query)
        for key, label, call in self._commands():
            title = self._title(key, label)
            score = max(matcher.match(title), matcher.match(key.tooltip) * 0.9)
            if score > 0:
                yield Hit(score, matcher.highlight(title), call, help=key.tooltip)

    def _commands(self) -> Iterator[tuple["Key", str, IgnoreReturnCallbackType]]:
        from fwtui.tui.screens.main import MainScreen

        screen = self.screen
        for key in KEYS:
            label: str | None = key.label
            if isinstance(screen, MainScreen):
                label = screen.key_label(key)
            elif key.where != "everywhere":
                continue
            if key.palette and label is not None:
                yield key, label, partial(self._run, key)

    async def _run(self, key: "Key") -> None:
        target: DOMNode = self.app if key.where == "everywhere" else self.screen
        if key.where == "log":
            self.app.call_later(self.screen.query_one("#log").focus)
            target = self.screen.query_one("#log")
        await self.app.run_action(key.action, target)

    def _title(self, key: "Key", label: str) -> str:
        return f"{label}  ({sign_of(self.app, key.id)})"
