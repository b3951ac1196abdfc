"""How the application looks and is driven: themes, motion, signs, keys, terminal."""

import os
import sys
from typing import Any, Protocol, runtime_checkable

from textual.app import App, SystemCommand
from textual.driver import Driver
from textual.events import DescendantFocus
from textual.screen import Screen

from fwtui.core.own_settings import InterfaceSettings
from fwtui.errors import ExitCode
from fwtui.tui.error_boundary import Sturdy
from fwtui.tui.glyphs import choose_glyphs
from fwtui.tui.keymap import USUAL
from fwtui.tui.messages import InterfaceChanged
from fwtui.tui.theme import DARK, LIGHT, THEMES, complete


@runtime_checkable
class _Blinking(Protocol):
    """A text field."""

    cursor_blink: bool


class Looks(Sturdy, App[ExitCode]):
    """An application with our themes; `glyphs` and `keymap` may be replaced before it runs."""

    _has_themes = False

    def __init__(self) -> None:
        super().__init__()
        self._parsed_for = self.theme
        for theme in THEMES:
            self.register_theme(theme)
        self._has_themes = True
        self.glyphs = choose_glyphs()
        self.keymap = USUAL
        self.still = False
        self._animation = self.animation_level

    def refresh_css(self, animate: bool = True) -> None:
        """Apply the theme, if the style sheets were not parsed for it.

        Textual asks for this also for the theme that there was before the start; all style sheets
        would be parsed three times instead of once.
        """
        if self.theme != self._parsed_for:
            self._parsed_for = self.theme
            super().refresh_css(animate)

    def use(self, interface: InterfaceSettings) -> None:
        """Look as these settings say; over a network nothing is animated either."""
        self.theme = interface.theme
        if not self.is_running:  # nothing is parsed yet
            self._parsed_for = self.theme
            self.stylesheet.set_variables(self.get_css_variables())
        over_network = "SSH_CONNECTION" in os.environ and "TEXTUAL_ANIMATIONS" not in os.environ
        still = interface.reduced_motion or over_network
        self.animation_level = "none" if still else self._animation
        self.still = interface.reduced_motion

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Where nothing is to move, the cursor of a text does not blink either."""
        if isinstance(event.widget, _Blinking):
            event.widget.cursor_blink = not self.still

    def on_interface_changed(self, event: InterfaceChanged) -> None:
        """The settings screen was applied."""
        self.use(event.interface)

    def get_driver_class(self) -> type[Driver]:
        """Our own driver where Textual would use its Unix one."""
        chosen = super().get_driver_class()
        if sys.platform != "win32" and chosen.__name__ == "LinuxDriver":
            from fwtui.tui.terminal import TerminalDriver

            return TerminalDriver
        return chosen

    def write_to_terminal(self, sequence: str) -> None:
        """Write what is no part of the picture: a bell, a notification."""
        if sequence and self._driver is not None:
            self._driver.write(sequence)
            self._driver.flush()

    def get_css_variables(self) -> dict[str, str]:
        """The theme's variables, and ours derived from them."""
        if not self._has_themes:  # Textual asks before there is one of ours; `use` sets them
            return {}
        self.theme_variables = complete(super().get_css_variables())
        return self.theme_variables

    def action_theme(self) -> None:
        """Light or dark."""
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name

    def get_system_commands(self, screen: Screen[Any]) -> list[SystemCommand]:
        """Only those of Textual's commands that the registry does not have."""
        commands = super().get_system_commands(screen)
        return [command for command in commands if command.title in {"Theme", "Screenshot"}]
