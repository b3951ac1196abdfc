"""The profiles as buttons, the built-in ones first."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Static

from fwtui.config.profiles import PROFILES, Profile
from fwtui.tui.text import clean, fit_middle, width

MOST_NAME_CELLS = 20


class ProfileBar(Horizontal):
    """Buttons for `profiles`: the built-in ones, then the user's own. `legend` is at the right."""

    class Picked(Message):
        """A profile was clicked; its place among all."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, legend: str) -> None:
        super().__init__(id="profiles")
        self.profiles: tuple[Profile, ...] = PROFILES
        self._legend = legend

    def compose(self) -> ComposeResult:
        """The built-in ones; the others are read from the file."""
        yield Static("Profile", markup=False, id="profile-title")
        for number, profile in enumerate(PROFILES, 1):
            yield _button(number, profile)
        yield Static(self._legend, markup=False, id="settings-legend")

    async def set_own(self, own: Sequence[Profile]) -> None:
        """Show these profiles after the built-in ones."""
        await self.query(".own").remove()
        self.profiles = (*PROFILES, *own)
        buttons = [_button(at, profile) for at, profile in enumerate(self.profiles, 1)]
        await self.mount(*buttons[len(PROFILES) :], before="#settings-legend")

    def mark(self, chosen: Profile | None) -> None:
        """Show which one the settings are."""
        for button, profile in zip(self.query(Button), self.profiles, strict=False):
            button.set_class(profile is chosen, "on")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Pick one."""
        event.stop()
        name = event.button.id or ""
        self.post_message(self.Picked(int(name.removeprefix("profile-")) - 1))


def _button(number: int, profile: Profile) -> Button:
    name = clean(profile.name)
    name = name if width(name) <= MOST_NAME_CELLS else fit_middle(name, MOST_NAME_CELLS)
    return Button(
        Content(f"{number} {name}"),
        id=f"profile-{number}",
        classes="own" if profile.whole else "",
        tooltip=Content(clean(profile.description)),
    )
