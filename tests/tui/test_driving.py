"""Tests of the screen wait for what they assert: what comes last is not there at once."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.app import ComposeResult
from textual.containers import HorizontalScroll
from textual.screen import Screen
from textual.widgets import Button, Label

from tests.tui.driving import scripted
from tests.tui.fakes import ScriptedLink

# Waits of the driver, and what may be read at once after one of them.
READ = {"text", "words", "screen"}
TESTS = sorted(Path(__file__).parent.glob("test_*.py"))


def read_at_once(tree: ast.AST) -> Iterator[int]:
    """The lines that assert what `driver.text` and the like are at this moment."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            for part in ast.walk(node.test):
                match part:
                    case ast.Attribute(value=ast.Name(id="driver"), attr=name) if name in READ:
                        yield node.lineno
                    case ast.Attribute(value=ast.Attribute(attr="driver"), attr=name) if (
                        name in READ
                    ):
                        yield node.lineno


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_nothing_is_read_before_it_was_waited_for(file: Path) -> None:
    lines = list(read_at_once(ast.parse(file.read_text(encoding="utf-8"))))
    assert lines == [], "wait with until_text, until_gone, until_words, until_screen or until"


class Late(Screen[None]):
    """Its last button is scrolled to, and what it says is there, some messages later."""

    CSS = "HorizontalScroll { width: 30; height: 3; } Button { min-width: 16; }"

    def compose(self) -> ComposeResult:
        with HorizontalScroll():
            yield from (Button(f"Button {number}", id=f"b{number}") for number in range(4))

    def on_mount(self) -> None:
        self.query_one("#b3").focus()
        self.call_after_refresh(self._later, 5)

    async def _later(self, times: int) -> None:
        if times:
            self.call_after_refresh(self._later, times - 1)
            return
        await self.mount(Label("added at last"))
        self.run_worker(self._at_last())

    async def _at_last(self) -> None:
        self.query_one(Label).update("said at last")


async def test_it_settles_when_nothing_more_comes() -> None:
    async with scripted(ScriptedLink()) as driver:
        for _ in range(20):
            late = Late()
            driver.app.push_screen(late)
            await driver.settle()
            text = driver.text
            assert "Button 3" in text
            assert "Button 0" not in text
            assert "said at last" in text
            driver.app.pop_screen()
            await driver.settle()
