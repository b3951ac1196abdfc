"""Everything about one file beside its transcript; retry it, with other settings too."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Button

from fwtui.config.overrides import from_overrides
from fwtui.core.events import JobProgress
from fwtui.core.job import Completed, Failed, Job
from fwtui.core.paths import expand_home, text_to_path
from fwtui.core.segment import Transcript
from fwtui.core.settings import Settings
from fwtui.errors import FwtuiError
from fwtui.tui.formatting import base_name, clean
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.job_details import describe_job, source_note, speakers_note, transcript_note
from fwtui.tui.keys import bindings
from fwtui.tui.model import LiveTranscript
from fwtui.tui.opening import edit_transcript, has_desktop, open_folder, page_transcript
from fwtui.tui.screens.dialog import ListDialog, error_line, frame
from fwtui.tui.widgets.transcript import TranscriptView, has_words

if TYPE_CHECKING:
    from fwtui.tui.screens.speaker_list import SpeakersSource

LOW_HEIGHT = 16
REFRESH_SECONDS = 0.5
NOT_HERE = "Resume the session to retry its files"


@dataclass(frozen=True)
class DetailsSource:
    """Where the details of a file come from.

    `current` gives the file and its progress as they are now, None when it was removed.
    `settings` are the batch's. `read` completes the `transcript`. `can_retry`: the file is in the
    batch of this screen. `needs` is the forecast for its transcription, empty if there is none.
    `speakers` is where its speakers come from, if they can be named.
    """

    current: Callable[[], tuple[Job, JobProgress | None] | None]
    settings: Settings
    transcript: LiveTranscript
    read: Callable[[], Awaitable[Transcript]]
    can_retry: bool
    needs: Callable[[Job], str] = lambda _: ""
    speakers: "Callable[[], SpeakersSource] | None" = None


@dataclass(frozen=True)
class RetryRequest:
    """Retry the file, with its own `settings` if they are given."""

    settings: Settings | None = None


class DetailsDialog(ListDialog[RetryRequest | None]):
    """Everything about a file, beside its transcript; gives how to retry it, or None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("details")
    keys = "details"
    escape_result = None

    def __init__(self, source: DetailsSource, glyphs: Glyphs) -> None:
        self.transcript = TranscriptView(glyphs, id="details-transcript", confidence=True)
        super().__init__(self.transcript)
        self.details.id = "details-fields"
        self.source = source
        self.glyphs = glyphs
        self.idle_keys = () if source.can_retry else ("details_retry", "details_settings")
        self._missing: frozenset[str] = frozenset()
        self._shown: tuple[Job, JobProgress | None, int, int] | None = None
        current = source.current()
        assert current is not None
        self._job, self._progress = current

    def compose(self) -> ComposeResult:
        buttons = [
            Button("Close", id="close"),
            Button("Copy transcript", id="copy"),
            Button("Open folder", id="folder"),
        ]
        if self.source.speakers is not None:
            buttons.append(Button("Speakers", id="speakers"))
        if self.source.can_retry:
            buttons += [
                Button("Retry with", id="retry_with"),
                Button("Retry", id="retry", variant="primary"),
            ]
        yield frame(
            clean(base_name(self._job.path)),
            Container(
                VerticalScroll(self.details, id="details-left", classes="pane"),
                self.transcript,
                id="details-body",
            ),
            buttons=buttons,
            bad=isinstance(self._job.state, Failed),
            id="details-dialog",
        )
        self.transcript.add_class("pane")

    def on_mount(self) -> None:
        self.transcript.show(self.source.transcript, follow=False)
        self._read()
        self.set_interval(REFRESH_SECONDS, self._refresh)

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height < LOW_HEIGHT, "low")
        self.call_after_refresh(self.show_current)

    @work(exclusive=True, group="read", exit_on_error=False)
    async def _read(self) -> None:
        transcript = self.source.transcript
        self._missing = await asyncio.to_thread(_missing, self._job)
        if not transcript.whole:
            try:
                found = await self.source.read()
            except FwtuiError as error:
                transcript.whole = True
                self.transcript.set_note(error_line(error))
                return
            transcript.complete(found)
        self._refresh()
        self.show_current()

    def _refresh(self) -> None:
        """Draw again if something changed: the file may be running."""
        current = self.source.current()
        if current is None:
            return
        transcript = self.source.transcript
        shown = (*current, len(transcript.segments), transcript.generation)
        if self._shown != shown:
            self._shown = shown
            self._job, self._progress = current
            self.show_current()
            if not transcript.whole:
                self._read()

    def show_current(self) -> None:
        if not self.is_mounted:
            return
        super().show_current()
        job, transcript = self._job, self.source.transcript
        self.set_class(not transcript.segments, "without-text")
        self.transcript.update()
        self.transcript.set_note(transcript_note(job, transcript))
        dot = f" {self.glyphs.dot} "
        title = ["Transcript", clean(transcript.language), source_note(transcript)]
        self.query_one("#details-left").border_title = self.pane_title("About")
        self.transcript.border_title = self.pane_title(dot.join(part for part in title if part))
        self.transcript.border_subtitle = _legend(transcript, self.glyphs)
        self.enable(
            retry=job.is_finished,
            retry_with=job.is_finished,
            copy=bool(transcript.segments),
            speakers=not speakers_note(job),
        )

    def describe(self) -> Content:
        job = self._job
        cells = max(20, self.query_one("#details-left").scrollable_content_region.width - 1)
        used, title = settings_of(job, self.source.settings)
        return describe_job(
            job,
            self.glyphs,
            cells=cells,
            progress=self._progress,
            missing=self._missing,
            settings=used,
            settings_title=title,
            needs=clean(self.source.needs(job)),
        )

    # Actions.

    def action_retry(self) -> None:
        if self.source.can_retry and self._job.is_finished:
            self.dismiss(RetryRequest())
        else:
            self._say_no_retry()

    def _say_no_retry(self) -> None:
        reason = "This file is not finished yet" if self.source.can_retry else NOT_HERE
        self.notify(reason, timeout=2, markup=False)

    @work(exclusive=True, group="dialog", exit_on_error=False)
    async def action_retry_with(self) -> None:
        from fwtui.tui.screens.settings import SettingsDialog

        if not (self.source.can_retry and self._job.is_finished):
            self._say_no_retry()
            return
        own, batch = self._job.settings, self.source.settings
        before = batch if own is None else from_overrides(own).with_user_settings_of(batch)
        screen = SettingsDialog(before, self.glyphs, use="Retry with these")
        changed = await self.app.push_screen_wait(screen)
        if changed is not None:
            self.dismiss(RetryRequest(changed))

    @work(exclusive=True, group="folder", exit_on_error=False)
    async def action_folder(self) -> None:
        if has_desktop() or not isinstance(self._job.state, Completed):
            await open_folder(self.app, _folder(self._job, self.source.settings))
        else:
            await page_transcript(self.app, self._job)

    @work(exclusive=True, group="terminal", exit_on_error=False)
    async def action_edit(self) -> None:
        await edit_transcript(self.app, self._job)

    @work(exclusive=True, group="terminal", exit_on_error=False)
    async def action_view(self) -> None:
        await page_transcript(self.app, self._job)

    def action_speakers(self) -> None:
        if self.source.speakers is None:
            self.notify("Resume the session to name its speakers", timeout=2, markup=False)
        elif note := speakers_note(self._job):
            self.notify(note, timeout=2, markup=False)
        else:
            from fwtui.tui.screens.speaker_list import SpeakersDialog

            self.app.push_screen(SpeakersDialog(self.source.speakers(), self.glyphs))

    def action_copy(self) -> None:
        text = self.transcript.text()
        if text:
            self.app.copy_to_clipboard(text)


def settings_of(job: Job, batch: Settings) -> tuple[Settings, str]:
    """The settings that a file had, or will have, and a title for them."""
    if isinstance(job.state, Completed) and job.state.used is not None:
        return from_overrides(job.state.used), "Settings used"
    if job.settings is not None:
        return from_overrides(job.settings), "Settings of this file"
    return batch, "Settings of the batch"


def _missing(job: Job) -> frozenset[str]:
    """Outputs that are no longer on the disk."""
    if not isinstance(job.state, Completed):
        return frozenset()
    return frozenset(text for text in job.state.outputs if not _exists(text_to_path(text)))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _folder(job: Job, batch: Settings) -> Path:
    if isinstance(job.state, Completed) and job.state.outputs:
        return text_to_path(job.state.outputs[0]).parent
    return expand_home(text_to_path(settings_of(job, batch)[0].output.output_dir))


def _legend(transcript: LiveTranscript, glyphs: Glyphs) -> Content:
    """What the colours mean; nothing where no confidence is known."""
    segments = transcript.segments[:50]
    if not any(segment.avg_logprob or segment.words for segment in segments):
        return Content("")
    whose = "word" if any(has_words(segment) for segment in segments) else "segment"
    at_least, dash = (">=", "-") if glyphs.ascii else ("\u2265", "\u2013")
    return Content.assemble(
        (f"{whose} confidence: ", "$ink-dim"),
        (f"{at_least}80%", "$foreground"),
        ("  ", ""),
        (f"50{dash}80%", "$warning"),
        ("  ", ""),
        ("<50%", "$error underline"),
    )
