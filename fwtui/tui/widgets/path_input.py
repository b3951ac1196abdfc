"""An input for paths: completed by Tab; pasted lines are quoted."""

import asyncio
import os
import re
import shlex
from collections.abc import Sequence
from typing import ClassVar

from textual import events, work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from fwtui.core.paths import MEDIA_SUFFIXES
from fwtui.tui.path_parsing import common_start, completions, last_word

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")


class PathInput(Input):
    """Tab completes; pasted lines become one line of quoted paths.

    Where the name could continue in several ways, Tab lists them; once more, it goes on.
    """

    class Several(Message):
        """The names that what was typed could become."""

        def __init__(self, names: Sequence[str]) -> None:
            super().__init__()
            self.names = names

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", show=False)]
    _listed: str | None = None  # the value whose completions were listed last

    @work(exclusive=True, group="complete")
    async def action_complete(self) -> None:
        start, typed = last_word(self.value)
        found = await asyncio.to_thread(completions, typed, MEDIA_SUFFIXES) if typed else []
        common = common_start(found)
        is_new = self._listed != (listed := self.value)
        if len(found) > 1 and is_new and len(common) <= len(os.path.expanduser(typed)):  # noqa: PTH111
            self._listed = listed
            self.post_message(self.Several(found))
            return
        if not found or len(common) <= len(os.path.expanduser(typed)):  # noqa: PTH111
            self.screen.focus_next()
            return
        whole = shlex.quote(common)
        if (common.endswith(os.sep) and whole != common) or (len(found) > 1 and whole != common):
            # The name continues: leave its quote open.
            whole = whole[:-1]
        self.value = self.value[:start] + whole
        self.cursor_position = len(self.value)
        if len(found) > 1:
            self._listed = self.value
            self.post_message(self.Several(found))

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.insert_text_at_cursor(one_line(event.text))


def one_line(pasted: str) -> str:
    """What was pasted, as one line: several lines become several quoted paths."""
    lines = [_CONTROLS.sub("", line).strip() for line in pasted.splitlines() if line.strip()]
    if len(lines) <= 1:
        return lines[0] if lines else ""
    return " ".join(_quoted(line) for line in lines)


def _quoted(line: str) -> str:
    # What the terminal has quoted already stays as it is.
    return line if line[0] in "'\"" or "\\" in line else shlex.quote(line)
