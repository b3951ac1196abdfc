"""Speakers on the screen: their colours and labels, their list, naming and playing them."""

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.app import App
from textual.color import Color
from textual.widgets import Input

from fwtui.core.attribution import with_speakers
from fwtui.core.commands import NameSpeaker
from fwtui.core.events import JobChanged, JobProgress, Phase
from fwtui.core.job import Job, Processing
from fwtui.core.segment import Transcript
from fwtui.core.speakers import Turn, labels_of, speaker_times
from fwtui.tui.glyphs import UNICODE
from fwtui.tui.model import LiveTranscript
from fwtui.tui.playing import MISSING, Playback, player
from fwtui.tui.rows import columns, row
from fwtui.tui.speaker_rows import speaker_rows
from fwtui.tui.theme import SPEAKER_INKS, THEMES, as_shown
from fwtui.tui.widgets.transcript import TranscriptView, confident_lines, plain_lines
from tests.outputs.cases import segment, spoken
from tests.tui.driving import NARROW, WIDE, Driver, scripted
from tests.tui.fakes import NOW, SETTINGS, ScriptedLink, completed, job
from tests.tui.test_theme import DEPTHS, variables

TURNS = (Turn(0.0, 2.4, 0), Turn(2.4, 7.5, 1), Turn(62.0, 65.0, 0))
SEGMENTS = (
    spoken(0.0, " Good", " morning", " dear", " Ben.", length=0.6),
    spoken(2.5, " And", " how", " are", " you", " this", " morning?", length=0.8),
    segment(63.0, 64.5, " Fine, thanks."),
    segment(90.0, 91.0, " Nobody knows who."),
)


def talk(**fields: object) -> Job:
    return replace(
        job(1, "/data/talk.wav", state=completed(speakers=speaker_times(TURNS))),
        **fields,
    )


def transcript(one: Job) -> Transcript:
    labels = labels_of(TURNS, SETTINGS.speakers, one.speaker_names)
    plain = Transcript("en", SEGMENTS, 91.0, turns=TURNS, labels=labels)
    found = with_speakers(plain)
    assert isinstance(found, Transcript)
    return found


def link_with(one: Job) -> ScriptedLink:
    link = ScriptedLink([one])
    link.transcripts[1] = transcript(one)
    return link


async def test_a_speaker_is_named_and_the_transcript_follows() -> None:
    link = link_with(talk())
    async with scripted(link, size=WIDE) as driver:
        await driver.until_text("SPEAKER_00: Good morning", "SPEAKER_01: And how")
        await driver.press("I")
        await driver.until_screen("SpeakersDialog")
        await driver.until_text("SPEAKER_00", "0:05 (51%)", "SPEAKER_01", "And how are you this")
        await driver.press("j", "enter")
        await driver.until(lambda: driver.app.screen.query_one(Input).has_focus)
        await driver.press(*"Zoë")
        await driver.press("enter")
        await driver.until(lambda: link.commands == [NameSpeaker(1, 1, "Zoë")])
        named = talk(speaker_names={1: "Zoë"})
        link.transcripts[1] = transcript(named)
        link.emit(JobChanged(named))
        await driver.until(lambda: "Zoë" in driver.text and "SPEAKER_01" not in driver.text)
        # The name can be corrected, and taken away.
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen.query_one(Input).value == "Zoë")
        await driver.press("backspace", "backspace", "backspace", "enter")
        await driver.until(lambda: link.commands[1:] == [NameSpeaker(1, 1, "")])
        await driver.press("escape")
        await driver.until_screen("MainScreen")
        await driver.until_text("Zoë: And how")


async def test_a_wrong_name_is_explained_and_escape_leaves_the_field_first() -> None:
    link = link_with(talk())
    async with scripted(link, size=NARROW) as driver:
        await open_speakers(driver)
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen.query_one(Input).has_focus)
        await driver.press(*"a=b", "enter")
        await driver.until_text("Allowed: at most 60")
        await driver.press("escape")
        await driver.until(lambda: not driver.app.screen.query_one(Input).has_focus)
        await driver.until_screen("SpeakersDialog")
        await driver.press("escape")
        await driver.until_screen("MainScreen")
        assert not link.commands


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All notifications: they do not stay on the screen."""
    found: list[str] = []

    def notify(_: App[object], message: str, **__: object) -> None:
        found.append(message)

    monkeypatch.setattr(App, "notify", notify)
    return found


async def open_speakers(driver: Driver) -> None:
    await driver.press("I")
    await driver.until_screen("SpeakersDialog")
    await driver.until_text("SPEAKER_01")


async def test_without_a_player_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, notes: list[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    async with scripted(link_with(talk()), size=WIDE) as driver:
        await open_speakers(driver)
        await driver.press("p")
        await driver.until(lambda: notes == [MISSING])


async def test_from_the_details_where_there_are_minutes() -> None:
    async with scripted(link_with(talk()), size=(160, 48)) as driver:
        await driver.press("enter")
        await driver.until_screen("DetailsDialog")
        await driver.until_text("Speakers", "SPEAKER_00 0:05 (51%)", "SPEAKER_01: And how")
        await driver.press("I")
        await driver.until_screen("SpeakersDialog")
        await driver.until_text("And how are you this")


async def test_a_file_without_speakers_says_why(notes: list[str]) -> None:
    link = ScriptedLink([job(1, state=completed()), job(2)])
    async with scripted(link, size=WIDE) as driver:
        await driver.press("I")
        await driver.until(lambda: len(notes) == 1)
        await driver.press("j", "I")
        await driver.until(lambda: len(notes) == 2)
        await driver.press("enter")
        await driver.until_screen("DetailsDialog")
        await driver.press("I")
        await driver.until(lambda: len(notes) == 3)
        assert "see the setting diarize" in notes[0]
        assert notes[1] == notes[2] == "The speakers of a file are known when it is done"
        await driver.until_screen("DetailsDialog")


async def test_help_shows_the_keys_of_the_list() -> None:
    async with scripted(link_with(talk()), size=WIDE) as driver:
        await open_speakers(driver)
        await driver.press("f1")
        await driver.until_screen("HelpDialog")
        await driver.until_text("Play a passage of the speaker", "Type the speaker's name")


async def test_when_a_file_is_done_its_live_transcript_gets_speakers() -> None:
    running = job(1, "/data/talk.wav", state=Processing(NOW, preparing=False))
    link = ScriptedLink([running])
    link.transcripts[1] = Transcript("en", SEGMENTS)
    async with scripted(link, size=WIDE) as driver:
        await driver.until_text("Good morning dear Ben.")
        link.transcripts[1] = transcript(talk())
        link.emit(JobChanged(talk()))
        await driver.until_text("SPEAKER_00: Good morning")


def test_a_label_begins_each_turn_and_lines_keep_their_width() -> None:
    words = spoken(0.0, " Good", " morning", " dear", " Ben.")
    label = ("Anna: ", "speaker-1")
    for broken in (plain_lines, confident_lines):
        lines = broken(words, 12, label)
        assert lines[0][0] == label
        text = [" ".join("".join(piece for piece, _ in line).split()) for line in lines]
        assert text == ["Anna: Good", "morning dear", "Ben."]
    long = ("A very long name: ", "speaker-1")
    for line in plain_lines(words, 8, long):
        assert sum(len(piece) for piece, _ in line) <= 8
    assert plain_lines(segment(0, 1, ""), 20, label) == [[label]]


def test_each_speaker_has_one_colour_and_the_copy_has_labels() -> None:
    view = TranscriptView(UNICODE)
    live = LiveTranscript()
    live.complete(transcript(talk(speaker_names={0: "Anna\x1b[31m"})))
    view.transcript = live
    inks = [view._speaker_ink(name) for name in ("A", "B", "A", None, "C")]
    assert inks == ["speaker-1", "speaker-2", "speaker-1", "dim", "speaker-3"]
    copied = view.text().splitlines()
    assert copied[0] == r"[Anna\x1b[31m]: Good morning dear Ben."
    assert copied[1] == "[SPEAKER_01]: And how are you this morning?"
    assert copied[3] == "Nobody knows who."


def test_what_is_read_again_replaces_what_came_live() -> None:
    """Outputs may have fewer segments than the model made, with other numbers."""
    live = LiveTranscript()
    live.extend(SEGMENTS)
    live.outdate()
    assert len(live.segments) == len(SEGMENTS)
    live.complete(Transcript("en", (replace(SEGMENTS[0], id=0),)))
    assert [one.id for one in live.segments] == [0]
    # but what comes while the beginning is read is kept
    running = LiveTranscript()
    running.extend(SEGMENTS[1:])
    running.complete(Transcript("en", SEGMENTS[:1]))
    assert len(running.segments) == len(SEGMENTS)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_speakers_have_colours_of_their_own(theme: object, depth: str) -> None:
    found = variables(theme, depth)  # type: ignore[arg-type]
    shown = {as_shown(Color.parse(found[name]), depth) for name in SPEAKER_INKS}
    assert len(shown) == len(SPEAKER_INKS)


def test_rows_of_the_list() -> None:
    one = talk(speaker_names={0: "Anna", 1: "Anna"})
    live = LiveTranscript()
    live.complete(transcript(one))
    rows = speaker_rows(one, live)
    assert [(row.label, row.name) for row in rows] == [("Anna", "Anna")] * 2
    # Of two speakers with one name each has a phrase of its own.
    assert [row.phrase for row in rows] == [
        "Good morning dear Ben.",
        "And how are you this morning?",
    ]
    assert [(row.start, row.length) for row in rows] == [(62.0, 3.0), (2.4, pytest.approx(5.1))]
    assert (rows[0].time.first, rows[0].time.last) == (0.0, 65.0)
    assert speaker_rows(replace(one, state=Processing(NOW)), live) == []


def test_the_row_says_that_speakers_are_being_told_apart() -> None:
    one = job(1, state=Processing(NOW, preparing=False))
    progress = JobProgress(1, 1800.0, 1800.0, 0.0, None, listening=True)
    for cells in (24, 40, 80, 120):
        pieces = row(one, progress, Phase.RUNNING, columns(cells), UNICODE, selected=False)
        text = "".join(piece for piece, _ in pieces)
        assert len(text) <= cells
        assert cells < 80 or "telling speakers apart" in text


def test_commands_of_players() -> None:
    file = Path("/data/-talk.wav")
    mpv = player(file, 3.0, 2.5, lambda name: f"/bin/{name}")
    assert mpv is not None
    assert mpv[0] == "/bin/mpv"
    assert {"--start=3.00", "--length=2.50"} <= set(mpv)
    assert mpv[-1].endswith("-talk.wav")
    ffplay = player(file, 0.0, 0.1, lambda name: "/bin/ffplay" if name == "ffplay" else None)
    assert ffplay is not None
    assert ffplay[-1] == mpv[-1]
    assert "0.50" in ffplay
    assert player(file, 0.0, 1.0, lambda _: None) is None


def test_one_passage_at_a_time() -> None:
    playback = Playback()
    waits = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert playback.play(waits)
    first = playback._process
    assert first is not None
    assert playback.play(waits)
    assert first.wait(10) is not None
    second = playback._process
    assert second is not None
    playback.stop()
    assert second.wait(10) is not None
    assert not playback.play(["/no/such/player"])
