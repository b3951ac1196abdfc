"""Everything about one file: facts beside its words; and trying it again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from fwtui.config.overrides import from_overrides
from fwtui.core.events import JobProgress
from fwtui.core.job import Completed, Failed, Job
from fwtui.core.paths import text_to_path
from fwtui.core.segment import Transcript
from fwtui.core.settings import Settings
from fwtui.errors import FwtuiError
from fwtui.tui.formatting import base_name, clean
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.job_details import describe, source_note, words_note
from fwtui.tui.keys import bindings
from fwtui.tui.model import LiveTranscript
from fwtui.tui.opening import open_folder
from fwtui.tui.screens.dialog import Dialog, frame
from fwtui.tui.widgets.transcript import TranscriptView, has_words

NARROW_WIDTH = 100
LOW_HEIGHT = 16
LOOK_EVERY = 0.5


@dataclass(frozen=True)
class DetailsSource:
    """A file to look at. `look` gives it and its progress as they are now, None when it is gone.

    `settings` are the batch's. `read` completes the `transcript`. `can_retry`: the batch is here.
    `needs` is what its transcription is forecast to need, empty if that is not known.
    """

    look: Callable[[], tuple[Job, JobProgress | None] | None]
    settings: Settings
    transcript: LiveTranscript
    read: Callable[[], Awaitable[Transcript]]
    can_retry: bool
    needs: Callable[[Job], str] = lambda _: ""


@dataclass(frozen=True)
class RetryRequest:
    """Try the file again; with `settings` of its own if they are given."""

    settings: Settings | None = None


class DetailsDialog(Dialog[RetryRequest | None]):
    """Follows the file while it is worked on; gives how to try it again, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("details"),
        Binding("q", "leave", "Close", show=False),
    ]
    escape_result = None

    def __init__(self, subject: DetailsSource, glyphs: Glyphs) -> None:
        super().__init__()
        self.subject = subject
        self.glyphs = glyphs
        self.words = TranscriptView(glyphs, id="details-words", confidence=True)
        self._facts = Static("", markup=False, id="details-facts")
        self._missing: frozenset[str] = frozenset()
        self._seen: tuple[Job, JobProgress | None, int, int] | None = None
        look = subject.look()
        assert look is not None
        self._job, self._progress = look

    def compose(self) -> ComposeResult:
        """Facts, words, buttons."""
        buttons = [
            Button("Close", id="close"),
            Button("Copy words", id="copy"),
            Button("Open folder", id="folder"),
        ]
        if self.subject.can_retry:
            buttons += [
                Button("Retry with", id="retry_with"),
                Button("Retry", id="retry", variant="primary"),
            ]
        yield frame(
            clean(base_name(self._job.path)),
            Container(
                VerticalScroll(self._facts, id="details-left", classes="pane"),
                self.words,
                id="details-body",
            ),
            buttons=buttons,
            bad=isinstance(self._job.state, Failed),
            id="details-dialog",
        )
        self.words.add_class("pane")

    def on_mount(self) -> None:
        """Show what is known, and read the rest."""
        self.set_class(self.glyphs.ascii, "plain-ascii")
        self.query_one("#details-left").border_title = "About"
        self.words.show(self.subject.transcript, follow=False)
        self.words.focus()
        self._show()
        self._read()
        self.set_interval(LOOK_EVERY, self._look)

    def on_resize(self, event: events.Resize) -> None:
        """One above the other where the width is small."""
        super().on_resize(event)
        self.set_class(event.size.width < NARROW_WIDTH, "narrow")
        self.call_after_refresh(self.show_hints, "details")
        self.set_class(event.size.height < LOW_HEIGHT, "low")
        self.call_after_refresh(self._show)

    @work(exclusive=True, group="read", exit_on_error=False)
    async def _read(self) -> None:
        transcript = self.subject.transcript
        self._missing = await asyncio.to_thread(_missing, self._job)
        if not transcript.whole:
            try:
                found = await self.subject.read()
            except FwtuiError as error:
                transcript.whole = True
                self.words.set_note(clean(f"{error.title}. {error.hint}"))
                return
            transcript.complete(found)
        self._look()
        self._show()

    def _look(self) -> None:
        """Draw again if something is different; the file may be worked on meanwhile."""
        look = self.subject.look()
        if look is None:
            return
        transcript = self.subject.transcript
        seen = (*look, len(transcript.segments), transcript.generation)
        if self._seen != seen:
            self._seen = seen
            self._job, self._progress = look
            self._show()

    def _show(self) -> None:
        if not self.is_mounted:
            return
        job, transcript = self._job, self.subject.transcript
        cells = max(20, self.query_one("#details-left").scrollable_content_region.width - 1)
        used, whose = settings_of(job, self.subject.settings)
        facts = describe(
            job,
            self.glyphs,
            cells=cells,
            progress=self._progress,
            missing=self._missing,
            settings=used,
            whose=whose,
            needs=clean(self.subject.needs(job)),
        )
        self._facts.update(facts)
        self.words.update()
        self.words.set_note(words_note(job, transcript))
        dot = f" {self.glyphs.dot} "
        about = ["Words", clean(transcript.language), source_note(transcript)]
        self.words.border_title = Content(dot.join(part for part in about if part))
        self.words.border_subtitle = _legend(transcript)
        for name in ("retry", "retry_with"):
            for button in self.query(f"#{name}").results(Button):
                button.disabled = not job.is_finished
        self.query_one("#copy", Button).disabled = not transcript.segments

    # Actions.

    def action_retry(self) -> None:
        """Put the file back."""
        if self.subject.can_retry and self._job.is_finished:
            self.dismiss(RetryRequest())

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_retry_with(self) -> None:
        """Choose settings for this file alone, then put it back."""
        from fwtui.tui.screens.settings import SettingsDialog

        if not (self.subject.can_retry and self._job.is_finished):
            return
        own, batch = self._job.settings, self.subject.settings
        before = batch if own is None else from_overrides(own).with_user_settings_of(batch)
        screen = SettingsDialog(before, self.glyphs, use="Retry with these")
        wanted = await self.app.push_screen_wait(screen)
        if wanted is not None:
            self.dismiss(RetryRequest(wanted))

    @work(exclusive=True, group="folder", exit_on_error=False)
    async def action_folder(self) -> None:
        """Open the folder of the outputs."""
        await open_folder(self.app, _folder(self._job, self.subject.settings))

    def action_copy(self) -> None:
        """Copy the words."""
        text = self.words.text()
        if text:
            self.app.copy_to_clipboard(text)
            self.notify("Copied the transcript", timeout=2, markup=False)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The same by the mouse."""
        match event.button.id:
            case "retry":
                self.action_retry()
            case "retry_with":
                self.action_retry_with()
            case "folder":
                self.action_folder()
            case "copy":
                self.action_copy()
            case _:
                self.dismiss(None)


def settings_of(job: Job, batch: Settings) -> tuple[Settings, str]:
    """The settings that a file had, or will have, and how they come to be its."""
    if isinstance(job.state, Completed) and job.state.used is not None:
        return from_overrides(job.state.used), "as it was transcribed"
    if job.settings is not None:
        return from_overrides(job.settings), "this file's own"
    return batch, "the batch's"


def _missing(job: Job) -> frozenset[str]:
    """Outputs that are not on the disk any more."""
    if not isinstance(job.state, Completed):
        return frozenset()
    return frozenset(text for text in job.state.outputs if not _is_there(text_to_path(text)))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _folder(job: Job, batch: Settings) -> Path:
    if isinstance(job.state, Completed) and job.state.outputs:
        return text_to_path(job.state.outputs[0]).parent
    return text_to_path(settings_of(job, batch)[0].output.output_dir).expanduser()


def _legend(transcript: LiveTranscript) -> Content:
    """What the colours mean; nothing where nothing is known."""
    if not any(segment.avg_logprob or segment.words for segment in transcript.segments[:50]):
        return Content("")
    whose = "word" if any(has_words(segment) for segment in transcript.segments[:50]) else "segment"
    return Content.assemble(
        (f"{whose} confidence: ", "$ink-dim"),
        ("80% and more", "$foreground"),
        (" ", ""),
        ("50%", "$warning"),
        (" ", ""),
        ("less", "$error underline"),
    )
