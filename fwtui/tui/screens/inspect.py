"""A look into one stored session; nothing can be changed here."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button

from fwtui.core.job import Job
from fwtui.tui.feed import Feed
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.screens.details import Details, Subject
from fwtui.tui.screens.dialog import Dialog, frame
from fwtui.tui.text import clean
from fwtui.tui.widgets.listing import Listing
from fwtui.tui.widgets.session import SessionView
from fwtui.tui.workspace import Stored, Workspace



class Inspect(Dialog[None]):
    """Fields, files, attempts; enter opens a file's details."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", show=False),
        Binding("q", "leave", "Close", show=False),
    ]
    escape_result = None

    def __init__(self, stored: Stored, workspace: Workspace, glyphs: Glyphs) -> None:
        super().__init__()
        self._stored = stored
        self._workspace = workspace
        self._glyphs = glyphs
        self._view = SessionView(glyphs, id="session-view")

    def compose(self) -> ComposeResult:
        """The session and a button."""
        yield frame(
            f"Session {clean(self._stored.session.session_id)}",
            self._view,
            buttons=(Button("Close", id="close", variant="primary"),),
            id="inspect-dialog",
        )

    def on_mount(self) -> None:
        """Begin in the files."""
        self.set_class(self._glyphs.ascii, "plain-ascii")
        self._view.show(self._stored)
        self._view.files.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Little room: smaller buttons."""
        super().on_resize(event)
        self.set_class(event.size.width < NARROW_WIDTH, "narrow")

    def action_open(self) -> None:
        """Everything about the file."""
        job = self._view.current
        if job is not None:
            subject = stored_subject(self._stored, self._workspace, job)
            self.app.push_screen(Details(subject, self._glyphs))

    def on_listing_chosen(self, event: Listing.Chosen) -> None:
        """A double click opens the details."""
        event.stop()
        self.action_open()

    def on_button_pressed(self) -> None:
        """Close."""
        self.dismiss(None)


def stored_subject(stored: Stored, workspace: Workspace, job: Job) -> Subject:
    """A file of a stored session, to look at."""
    return Subject(
        look=lambda: (job, None),
        settings=stored.session.settings,
        feed=Feed(),
        read=lambda: workspace.transcript(stored, job),
        can_retry=False,
    )
