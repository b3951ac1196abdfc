"""The list of settings in groups, and the bar of profiles."""

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Button, Static

from fwtui.config.fields import Field
from fwtui.config.profiles import PROFILES, Profile
from fwtui.tui.formatting import clean, fit, fit_middle, width
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.settings_draft import Draft, grouped, shown_value
from fwtui.tui.widgets.button_row import ButtonRow
from fwtui.tui.widgets.lines import LineView
from fwtui.tui.widgets.paint import Piece, clip

MARK_CELLS = 3
NAME_CELLS = 36
VALUE_COLUMN = MARK_CELLS + NAME_CELLS
SPACED_ROWS = 22

SettingsRow = Field | str
"""A setting, the title of a group, or an empty line."""


class SettingsList(LineView):
    """Shows `draft`; the cursor is always on a setting, if any is shown.

    `locked`: the view stays where it is, because something lies over one of its lines.
    """

    class SettingHighlighted(Message):
        """The cursor is on another setting."""

    class EditRequested(Message):
        """The user clicked the value of the setting under the cursor."""

    def __init__(self, draft: Draft, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(glyphs, id=id)
        self.draft = draft
        self.needle = ""
        self.cursor = 0
        self.locked = False
        self._lines: list[SettingsRow] = []
        self._fill(spaced=False)

    def _fill(self, *, spaced: bool) -> None:
        self._lines = []
        for title, inside in grouped(self.needle):
            if self._lines and spaced:
                self._lines.append("")
            self._lines += [title, *inside]

    @property
    def current(self) -> Field | None:
        """The setting under the cursor."""
        line = self._lines[self.cursor] if self.cursor < len(self._lines) else None
        return line if isinstance(line, Field) else None

    @property
    def cursor_y(self) -> int:
        """The line of the widget that the cursor is on."""
        return self.cursor - self.top

    def count(self) -> int:
        """Lines, with titles."""
        return len(self._lines)

    def set_filter(self, needle: str) -> None:
        """Show only what matches."""
        self.needle = needle.strip()
        self._relist()

    def show(self, field: Field) -> None:
        """Put the cursor on a setting; ends a filter that hides it."""
        if field not in self._lines:
            self.set_filter("")
        self._move_to(self._lines.index(field), 1)

    def on_resize(self) -> None:
        """Separate the groups by empty lines where there is room."""
        self._relist()

    def _relist(self) -> None:
        before = self.current
        self._fill(spaced=self.size.height >= SPACED_ROWS)
        self.changed()
        self.cursor = self._lines.index(before) if before in self._lines else 0
        self._move_to(self.cursor, 1)
        self.refresh()

    def _move_to(self, index: int, direction: int) -> None:
        index = max(0, min(index, self.count() - 1))
        fields = [at for at, line in enumerate(self._lines) if isinstance(line, Field)]
        ahead = [at for at in fields if (at - index) * direction >= 0]
        if fields:
            nearest = min if direction > 0 else max
            self.cursor = nearest(ahead) if ahead else (fields[0] if direction < 0 else fields[-1])
        self._reveal()
        self.refresh()
        self.post_message(self.SettingHighlighted())

    def _reveal(self) -> None:
        # The title of the first setting of a group comes into view with it.
        first = self.cursor
        while first > 0 and isinstance(self._lines[first - 1], str):
            first -= 1
        self.reveal(self.cursor if first >= self.top else first)

    def set_top(self, top: int) -> None:
        """Scroll, unless locked."""
        if not self.locked:
            super().set_top(top)

    def action_go(self, lines: int) -> None:
        if not self.locked:
            self._move_to(self.cursor + lines, 1 if lines > 0 else -1)

    def action_home(self) -> None:
        self.action_go(-self.count())

    def action_end(self) -> None:
        self.action_go(self.count())

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Go to the line; on the value, or by a double click, edit it."""
        index = event.y + self.top
        if self.locked or index >= self.count() or not isinstance(self._lines[index], Field):
            return
        was_there = index == self.cursor
        self._move_to(index, 1)
        if event.chain == 2 or (event.chain == 1 and was_there and event.x >= VALUE_COLUMN):
            self.post_message(self.EditRequested())

    def render_line(self, y: int) -> Strip:
        """A line, or why there is none."""
        if not self._lines and y == 1:
            return self.strip([("   No matching settings", "dim")], self.size.width)
        return super().render_line(y)

    def line(self, index: int, cells: int) -> Strip:
        """A title, or a setting with its mark and value."""
        line = self._lines[index]
        if isinstance(line, str):
            return self.strip([(" " + line, "key")], cells)
        here = index == self.cursor
        over = ("cursor" if self.has_focus or self.locked else "cursor-away") if here else ""
        return self.strip(self._setting(line, cells, here=here), cells, over)

    def _setting(self, field: Field, cells: int, *, here: bool) -> list[Piece]:
        default, changed = self.draft.is_default(field), self.draft.is_changed(field)
        ink = "warn" if changed else "dim" if default else "accent"
        mark = "*" if changed else " " if default else self.glyphs.bullet
        name = fit(field.name, NAME_CELLS - 1, self.glyphs.ellipsis) + " "
        value = shown_value(field, self.draft.value(field))
        if here and field.kind in {"bool", "choice"}:
            before, after = ("<", ">") if self.glyphs.ascii else ("‹", "›")  # noqa: RUF001
            value = f"{before} {value} {after}"
        pieces = [(f" {mark} ", ink), (name, "plain"), (value, ink)]
        return clip(pieces, cells - 1, self.glyphs.ellipsis)


MOST_NAME_CELLS = 20


class ProfileBar(Horizontal):
    """Buttons for `profiles`: the built-in ones, then custom ones. `legend` is at the right."""

    class ProfileSelected(Message):
        """A profile was clicked; `number` is its index among all."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, legend: str) -> None:
        super().__init__(id="profiles")
        self.profiles: tuple[Profile, ...] = PROFILES
        self._legend = legend

    def compose(self) -> ComposeResult:
        yield Static("Profile", markup=False, id="profile-title")
        buttons = [_button(number, profile) for number, profile in enumerate(PROFILES, 1)]
        yield ButtonRow(*buttons, classes="choices")
        yield Static(self._legend, markup=False, id="settings-legend")

    async def set_own(self, own: Sequence[Profile]) -> None:
        """Show these custom profiles after the built-in ones."""
        await self.query(".own").remove()
        self.profiles = (*PROFILES, *own)
        buttons = [_button(at, profile) for at, profile in enumerate(self.profiles, 1)]
        await self.query_one(ButtonRow).mount(*buttons[len(PROFILES) :])

    def mark(self, chosen: Profile | None) -> None:
        """Show whose values the settings have."""
        for button, profile in zip(self.query(Button), self.profiles, strict=False):
            button.set_class(profile is chosen, "on")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        name = event.button.id or ""
        self.post_message(self.ProfileSelected(int(name.removeprefix("profile-")) - 1))


def _button(number: int, profile: Profile) -> Button:
    name = clean(profile.name)
    name = name if width(name) <= MOST_NAME_CELLS else fit_middle(name, MOST_NAME_CELLS)
    return Button(
        Content(f"{number} {name}"),
        id=f"profile-{number}",
        classes="own" if profile.complete else "",
        tooltip=Content(clean(profile.description)),
    )
