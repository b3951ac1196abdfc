"""What all dialogs share: the frame, buttons, keys, sizes; questions, messages and lists."""

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Static

from fwtui.core.failure import Failure
from fwtui.errors import FwtuiError
from fwtui.tui.error_boundary import ErrorBoundary
from fwtui.tui.formatting import clean, fit_middle, sentence
from fwtui.tui.keymap import HasKeymap, key_for
from fwtui.tui.keys import KEYS, Where, bindings, hints
from fwtui.tui.screens import NARROW_WIDTH
from fwtui.tui.unbound_keys import UnboundKeys
from fwtui.tui.widgets.button_row import ButtonRow
from fwtui.tui.widgets.lines import LineView, Listing

Result = TypeVar("Result")
SHORT_HEIGHT = 28
TINY_HEIGHT = 10
BESIDE_TITLE = 6  # cells of corners, lines and spaces


# A dialog keeps the keys of the application away, but for those that have priority.
_HELP_KEY = next(key for key in KEYS if key.id == "help")
HELP = Binding(",".join(_HELP_KEY.keys), "app.help", show=False, id="help")


class Dialog(UnboundKeys, ErrorBoundary, ModalScreen[Result], Generic[Result]):
    """A modal that gives `escape_result` when it is closed; arrows move between its buttons.

    A button calls the action that its id names. `keys` is the part of the key table whose keys are
    shown in the lower edge.
    """

    # Read with the first dialog: it is most of the style sheets, and the first frame needs none.
    CSS_PATH = Path(__file__).parents[1] / "styles" / "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("dialog"),
        HELP,
    ]
    escape_result: Result
    keys: ClassVar[Where | None] = None
    # Keys of that part that have nothing to act on, by their ids.
    idle_keys: Collection[str] = ()
    # Lines that the dialog needs besides frame, body and buttons.
    beside_body = 0

    def on_mount(self) -> None:
        if isinstance(self.app, HasKeymap):
            self.set_class(self.app.glyphs.ascii, "plain-ascii")
        self._fit(self.app.size)  # so that the first layout is the right one

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size)
        if self.keys is not None:
            self.call_after_refresh(self.show_hints, self.keys)

    def _fit(self, size: Size) -> None:
        """Little height: no empty lines; very little: no frame either."""
        self.set_class(size.width < NARROW_WIDTH, "narrow")
        self.set_class(size.height < SHORT_HEIGHT, "short")
        self.set_class(size.height < TINY_HEIGHT, "tiny")
        self._fit_body()

    def on_button_row_lines_changed(self) -> None:
        self._fit_body()
        if isinstance(self.focused, Button):
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    def _fit_body(self) -> None:
        """Leave the body what the rest of the dialog does not need."""
        short, tiny = self.has_class("short"), self.has_class("tiny")
        lines = sum(max(1, row.outer_size.height) - 1 for row in self.query(".buttons"))
        room = self.app.size.height - (2 if tiny else 6 if short else 9) - self.beside_body - lines
        for body in self.query(".body"):
            body.styles.max_height = max(2 if tiny else 3, room)

    def show_hints(self, where: Where) -> None:
        """Put the keys into the lower edge of the box."""
        for box in self.query(".dialog"):
            room = box.outer_size.width - 6
            keys = hints(where, room, partial(key_for, self), self.idle_keys)
            box.border_subtitle = Content(keys)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        name = event.button.id or ""
        if hasattr(self, f"action_{name}"):
            self.call_later(self.app.run_action, name, self)

    def action_leave(self) -> None:
        self.action_close()

    @property
    def unsaved(self) -> str:
        """What is lost when the dialog is closed, as a sentence; empty if nothing is."""
        return ""

    def action_close(self) -> None:
        if self.unsaved:
            self._close_if_agreed(self.unsaved)
        else:
            self.dismiss(self.escape_result)

    @work(exclusive=True, group="close", exit_on_error=False)
    async def _close_if_agreed(self, lost: str) -> None:
        ask = ConfirmDialog("Discard the changes?", lost, "Discard", "Keep editing")
        if await self.app.push_screen_wait(ask):
            self.dismiss(self.escape_result)

    def action_scroll_body(self, lines: int) -> None:
        for body in self.query(".body"):
            body.scroll_relative(y=lines, animate=False)

    def action_focus_button(self, step: int) -> None:
        buttons = [button for button in self.query(Button) if not button.disabled]
        if isinstance(self.focused, Button) and self.focused in buttons:
            at = buttons.index(self.focused) + step
            buttons[at % len(buttons)].focus()
        elif buttons:
            buttons[0].focus()

    def enable(self, **buttons: bool) -> None:
        """Enable or disable buttons by their ids."""
        for name, enabled in buttons.items():
            for button in self.query(f"#{name}").results(Button):
                button.disabled = not enabled

    def pane_title(self, text: str) -> Content:
        """Clean text as the title of a pane.

        Textual puts no space around it where panes have no frame at the sides.
        """
        return Content(f" {text} " if text and self.has_class("narrow") else text)

    def show_error(self, error: FwtuiError) -> None:
        """Show an error above this dialog."""
        self.app.push_screen(error_dialog("Failed", error))


def error_text(error: FwtuiError | Failure) -> str:
    """The title, and the hint as a paragraph of its own; clean."""
    title = sentence(clean(error.title))
    return f"{title}\n\n{sentence(clean(error.hint))}" if error.hint else title


def error_line(error: FwtuiError) -> str:
    """Title and hint in one line; clean."""
    return clean(f"{error.title}: {error.hint}" if error.hint else error.title)


class DialogBox(Vertical):
    """The frame of a dialog; a title that is too long is cut in the middle."""

    def __init__(
        self,
        title: str,
        *body: Widget,
        classes: str,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(*body, id=id, classes=classes)
        self.set_title(title)

    def set_title(self, title: str) -> None:
        """Show another title."""
        self.full_title = clean(title)
        self._fit_title()

    def _fit_title(self) -> None:
        room = self.outer_size.width - BESIDE_TITLE
        title = self.full_title
        if room > 0:
            title = fit_middle(title, room).rstrip()
        self.border_title = Content(title)

    def on_resize(self) -> None:
        self._fit_title()


def frame(
    title: str,
    *body: Widget,
    buttons: Sequence[Button] = (),
    bad: bool = False,
    id: str | None = None,  # noqa: A002
) -> DialogBox:
    """The dialog's box."""
    box = DialogBox(title, *body, id=id, classes="dialog bad" if bad else "dialog")
    if buttons:
        box.compose_add_child(ButtonRow(*buttons, right=True, classes="buttons"))
    return box


def text(content: Content | str, id: str | None = None) -> Static:  # noqa: A002
    """A paragraph; plain text, never markup."""
    return Static(content, markup=False, classes="text", id=id)


def scrolled(*content: Widget) -> VerticalScroll:
    """A body that grows with its content and scrolls where there is no room for that."""
    return VerticalScroll(*content, classes="body", can_focus=False)


class ConfirmDialog(Dialog[bool]):
    """A question with two answers; escape and the first focus are the harmless one."""

    escape_result = False

    def __init__(self, title: str, question: Content | str, yes: str, no: str) -> None:
        super().__init__()
        self._title, self._question, self._yes, self._no = title, question, yes, no

    def compose(self) -> ComposeResult:
        yield frame(
            self._title,
            VerticalScroll(text(self._question), classes="body"),
            buttons=(
                Button(Content(self._no), id="close"),
                Button(Content(self._yes), id="confirm", variant="error"),
            ),
        )

    def on_mount(self) -> None:
        self.query_one("#close").focus()

    def action_confirm(self) -> None:
        self.dismiss(True)


class MessageDialog(Dialog[None]):
    """Something to read, and one button."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "leave", "Close", show=False)]
    escape_result = None

    def __init__(self, title: str, message: Content | str, *, bad: bool = False) -> None:
        super().__init__()
        self._title, self._message, self._bad = title, message, bad

    def compose(self) -> ComposeResult:
        yield message_frame(self._title, self._message, bad=self._bad)

    def on_mount(self) -> None:
        self.query_one("#close").focus()


def message_frame(title: str, message: Content | str, *, bad: bool = False) -> Widget:
    """A frame with something to read, and the button that closes it."""
    return frame(
        title,
        VerticalScroll(text(message), classes="body"),
        buttons=(Button("Close", id="close", variant="primary"),),
        bad=bad,
    )


def error_dialog(title: str, error: FwtuiError | Failure) -> MessageDialog:
    """A dialog that says what failed (`title`), why, and what to do."""
    return MessageDialog(title, error_text(error), bad=True)


class ListDialog(Dialog[Result], Generic[Result]):
    """A dialog around a view of lines, which has the focus: a list, or a text to scroll.

    Of a list, `describe` gives the details of the current item, shown in `details`; a double click
    calls `select_current`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "leave", "Close", show=False)]

    def __init__(self, view: LineView) -> None:
        super().__init__()
        self.view = view
        self.details = text("")

    @property
    def first_focus(self) -> Widget:
        """What has the focus at first."""
        return self.view

    def on_mount(self) -> None:
        self.show_current()
        self.first_focus.focus()

    def show_current(self) -> None:
        """Show what depends on the current item: its details, and which buttons apply to it."""
        self.details.update(self.describe())

    def describe(self) -> Content:
        """The details of the current item."""
        return Content("")

    def on_listing_highlighted(self, event: Listing.Highlighted) -> None:
        if event.listing is self.view:
            self.show_current()

    def on_listing_selected(self, event: Listing.Selected) -> None:
        event.listing.focus()
        self.select_current()

    def select_current(self) -> None:
        """Do with the current item what it is there for."""
