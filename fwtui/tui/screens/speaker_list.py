"""The speakers of a file: who they are by ear and by text, and what they are called."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Button, Input, Static

from fwtui.core.job import Job
from fwtui.core.segment import Transcript
from fwtui.core.speakers import MOST_NAME, SPEAKER_NAME, is_speaker_name
from fwtui.core.text import clock
from fwtui.errors import FwtuiError
from fwtui.tui.formatting import base_name, clean, fit, fit_right
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.model import LiveTranscript
from fwtui.tui.playing import MISSING, Playback, player
from fwtui.tui.screens import NARROW_WIDTH
from fwtui.tui.screens.dialog import ListDialog, error_line, frame
from fwtui.tui.speaker_rows import SpeakerRow, speaker_rows
from fwtui.tui.theme import SPEAKER_INKS
from fwtui.tui.widgets.lines import Listing
from fwtui.tui.widgets.paint import Piece

REFRESH_SECONDS = 0.25
NAME_CELLS, NARROW_NAME_CELLS = 24, 16


@dataclass(frozen=True)
class SpeakersSource:
    """Where the speakers of a file come from, and what names them.

    `current` gives the file as it is now, None when it was removed; `read` completes the
    `transcript`.
    """

    current: Callable[[], Job | None]
    transcript: LiveTranscript
    read: Callable[[], Awaitable[Transcript]]
    name: Callable[[int, str], None]


class SpeakersList(Listing[SpeakerRow]):
    """Speakers: name, how long, from when to when, and a phrase."""

    head = 1

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs, empty=f"Loading{glyphs.ellipsis}", id="speakers-list")

    @property
    def _name_cells(self) -> int:
        return NARROW_NAME_CELLS if self.size.width < NARROW_WIDTH - 10 else NAME_CELLS

    def head_line(self, y: int, cells: int) -> Strip:  # noqa: ARG002
        speaker, rest = fit("Speaker", self._name_cells), fit_right("Speaks", 16)
        return self.strip([(f"   {speaker}{rest}   From    To       Says", "dim")], cells)

    def key(self, item: SpeakerRow) -> int:
        return item.speaker

    def pieces(self, item: SpeakerRow) -> Sequence[Piece]:
        labels = list(dict.fromkeys(row.label for row in self.items))
        ink = SPEAKER_INKS[labels.index(item.label) % len(SPEAKER_INKS)]
        share = f"{clock(item.time.seconds)} ({item.share:.0%})"
        return [
            (f" {self.glyphs.running} ", ink),
            (fit(clean(item.label), self._name_cells, self.glyphs.ellipsis), ink),
            (fit_right(share, 16), "plain"),
            (f"   {fit(clock(item.time.first), 8)}{fit(clock(item.time.last), 9)}", "dim"),
            (clean(item.phrase), "plain"),
        ]


class SpeakersDialog(ListDialog[None]):
    """Names speakers; the outputs are written again at once."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("speakers")
    keys = "speakers"
    escape_result = None

    def __init__(self, source: SpeakersSource, glyphs: Glyphs) -> None:
        self._list = SpeakersList(glyphs)
        super().__init__(self._list)
        self.details = Static("", markup=False, id="speakers-details")
        self._source = source
        self._glyphs = glyphs
        self._shown: tuple[object, ...] = ()
        self._playback = Playback()

    def compose(self) -> ComposeResult:
        self._list.add_class("pane")
        job = self._source.current()
        title = f"Speakers {self._glyphs.dot} {clean(base_name(job.path))}" if job else "Speakers"
        yield frame(
            title,
            self._list,
            self.details,
            Input(placeholder="Name", max_length=MOST_NAME, id="speaker-name", disabled=True),
            Static("", markup=False, id="speaker-note"),
            buttons=(
                Button("Close", id="close"),
                Button("Play", id="play"),
                Button("Name", id="edit", variant="primary"),
            ),
            id="speakers-dialog",
        )

    def on_mount(self) -> None:
        self._read()
        self.set_interval(REFRESH_SECONDS, self._refresh)

    def on_unmount(self) -> None:
        self._playback.stop()

    @work(exclusive=True, group="read", exit_on_error=False)
    async def _read(self) -> None:
        transcript = self._source.transcript
        try:
            transcript.complete(await self._source.read())
        except FwtuiError as error:
            transcript.whole = True
            self._note(error_line(error))
        self._refresh()

    def _refresh(self) -> None:
        """Draw again if something changed: names, or the file was transcribed again."""
        job, transcript = self._source.current(), self._source.transcript
        if job is None:
            return
        shown = (job, transcript.generation, transcript.whole)
        if shown == self._shown:
            return
        self._shown = shown
        if not transcript.whole:
            self._read()
            return
        rows = speaker_rows(job, transcript)
        self._list.empty = "No speakers were told apart in this file"
        self._list.replace(rows)
        self.enable(edit=bool(rows), play=bool(rows))

    def describe(self) -> Content:
        row = self._list.current
        return Content(f'"{clean(row.phrase)}"' if row is not None and row.phrase else "")

    def _note(self, text: str) -> None:
        self.query_one("#speaker-note", Static).update(Content(clean(text)))

    # Naming.

    def select_current(self) -> None:
        self.action_edit()

    def action_edit(self) -> None:
        row, field = self._list.current, self.query_one(Input)
        if row is None:
            return
        field.disabled = False
        field.value = row.name
        field.placeholder = clean(row.label)
        field.focus()
        self._note("Enter to save, empty for the label; Esc to cancel")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        row, name = self._list.current, event.value.strip()
        if name and not is_speaker_name(name):
            self._note(f"Allowed: {SPEAKER_NAME}")
            return
        self._end_edit()
        if row is not None and name != row.name:
            self._source.name(row.speaker, name)

    def _end_edit(self) -> None:
        field = self.query_one(Input)
        self._list.focus()
        field.value, field.placeholder, field.disabled = "", "", True
        self._note("")

    def action_leave(self) -> None:
        """Leave the field first."""
        if self.query_one(Input).has_focus:
            self._end_edit()
        else:
            self.action_close()

    # Playing.

    @work(exclusive=True, group="play", exit_on_error=False)
    async def action_play(self) -> None:
        row, job = self._list.current, self._source.current()
        if row is None or job is None:
            return
        command = await asyncio.to_thread(player, job.file, row.start, row.length)
        if command is None:
            self.notify(MISSING, severity="warning", markup=False)
        elif not await asyncio.to_thread(job.file.is_file):
            self.notify("The recording is not where it was", severity="warning", markup=False)
        elif await asyncio.to_thread(self._playback.play, command):
            until = clock(row.start + row.length)
            self.notify(f"Playing {clock(row.start)} to {until}", timeout=2, markup=False)
        else:
            self.notify(f"{command[0]} cannot be started", severity="warning", markup=False)
