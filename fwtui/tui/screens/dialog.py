"""What all dialogs share: a frame, a text, buttons in a row, escape."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Static

from fwtui.tui.error_boundary import Sturdy
from fwtui.tui.keymap import sign_of
from fwtui.tui.keys import Where, hints

Result = TypeVar("Result")
SHORT_HEIGHT = 28
TINY_HEIGHT = 10


class Dialog(Sturdy, ModalScreen[Result], Generic[Result]):
    """A modal with `escape_result` for escape; arrows move between its buttons."""

    # Read with the first dialog: it is most of the style sheets, and the first frame needs none.
    CSS_PATH = Path(__file__).parents[1] / "styles" / "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", show=False),
        Binding("left", "focus_button(-1)", show=False),
        Binding("right", "focus_button(1)", show=False),
        Binding("down,j", "scroll_body(1)", show=False),
        Binding("up,k", "scroll_body(-1)", show=False),
        Binding("pagedown", "scroll_body(10)", show=False),
        Binding("pageup", "scroll_body(-10)", show=False),
    ]
    escape_result: Result
    # Lines that the dialog needs besides frame, body and buttons.
    beside_body = 0

    def on_resize(self, event: events.Resize) -> None:
        """Little height: no empty lines; very little: no frame either."""
        short, tiny = event.size.height < SHORT_HEIGHT, event.size.height < TINY_HEIGHT
        self.set_class(short, "short")
        self.set_class(tiny, "tiny")
        room = event.size.height - (2 if tiny else 6 if short else 9) - self.beside_body
        for body in self.query(".body"):
            body.styles.max_height = max(2 if tiny else 3, room)

    def show_hints(self, where: Where) -> None:
        """Put the keys into the lower edge of the box."""
        for box in self.query(".dialog"):
            room = box.outer_size.width - 6
            box.border_subtitle = Content(hints(where, room, partial(sign_of, self)))

    def action_leave(self) -> None:
        """Escape."""
        self.dismiss(self.escape_result)

    def action_scroll_body(self, lines: int) -> None:
        """Scroll the text."""
        for body in self.query(".body"):
            body.scroll_relative(y=lines, animate=False)

    def action_focus_button(self, step: int) -> None:
        """Go to the next button, from anything that needs no left and right itself."""
        buttons = [button for button in self.query(Button) if not button.disabled]
        if isinstance(self.focused, Button) and self.focused in buttons:
            at = buttons.index(self.focused) + step
            buttons[at % len(buttons)].focus()
        elif buttons:
            buttons[0].focus()


def frame(
    title: str,
    *body: Widget,
    buttons: Sequence[Button] = (),
    bad: bool = False,
    id: str | None = None,  # noqa: A002
) -> Vertical:
    """The dialog's box."""
    box = Vertical(*body, id=id, classes="dialog bad" if bad else "dialog")
    box.border_title = Content(title)
    if buttons:
        box.compose_add_child(Horizontal(*buttons, classes="buttons"))
    return box


def text(content: Content | str, id: str | None = None) -> Static:  # noqa: A002
    """A paragraph; plain text, never markup."""
    return Static(content, markup=False, classes="text", id=id)


class ConfirmDialog(Dialog[bool]):
    """A question with two answers; escape and the first focus are the harmless one."""

    escape_result = False

    def __init__(self, title: str, question: Content | str, yes: str, no: str) -> None:
        super().__init__()
        self._title, self._question, self._yes, self._no = title, question, yes, no

    def compose(self) -> ComposeResult:
        """Question and answers."""
        yield frame(
            self._title,
            VerticalScroll(text(self._question), classes="body"),
            buttons=(
                Button(Content(self._no), id="no"),
                Button(Content(self._yes), id="yes", variant="error"),
            ),
        )

    def on_mount(self) -> None:
        """The harmless answer first."""
        self.query_one("#no").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")


class MessageDialog(Dialog[None]):
    """Something to read, and one button."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "leave", "Close", show=False)]
    escape_result = None

    def __init__(self, title: str, message: Content | str, *, bad: bool = False) -> None:
        super().__init__()
        self._title, self._message, self._bad = title, message, bad

    def compose(self) -> ComposeResult:
        """Text and button."""
        yield frame(
            self._title,
            VerticalScroll(text(self._message), classes="body"),
            buttons=(Button("Close", id="close", variant="primary"),),
            bad=self._bad,
        )

    def on_mount(self) -> None:
        """Enter closes."""
        self.query_one("#close").focus()

    def on_button_pressed(self) -> None:
        """Close."""
        self.dismiss(None)
