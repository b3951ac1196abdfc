"""A file's details: its words with confidences, what is said about it, and trying it again."""

from pathlib import Path

import msgspec
from textual.widgets import Input

from fwtui.config.overrides import to_overrides
from fwtui.core.commands import RetryJobs
from fwtui.core.events import JobChanged, JobProgress, Phase, SegmentsFound
from fwtui.core.job import Pending, Processing
from fwtui.core.segment import Transcript, Word
from fwtui.core.settings import DecodingSettings, Settings
from fwtui.tui.glyphs import ASCII
from fwtui.tui.screens.details import DetailsDialog
from fwtui.tui.widgets.transcript import confident_lines
from tests.tui.driving import NARROW, WIDE, Driver, running, scripted
from tests.tui.fakes import (
    NOW,
    SETTINGS,
    ScriptedLink,
    ScriptedWorkspace,
    completed,
    gallery,
    job,
    segment,
)
from tests.tui.test_formatting import HOSTILE

WORDS = (Word(0, 1, " Sure", 0.95), Word(1, 2, " perhaps", 0.6), Word(2, 3, " 会議", 0.1))
SPOKEN = msgspec.structs.replace(segment(0, 3.0, " Sure perhaps 会議"), words=WORDS)


async def open_details(driver: Driver, *keys: str) -> DetailsDialog:
    await driver.press(*(keys or ("g",)), "enter")
    await driver.until_screen("DetailsDialog")
    screen = driver.app.screen
    assert isinstance(screen, DetailsDialog)
    await driver.until(lambda: screen.source.transcript.whole)
    await driver.settle()
    return screen


def test_words_have_the_inks_of_their_probabilities() -> None:
    assert confident_lines(SPOKEN, 60) == [
        [("Sure", "plain"), (" perhaps", "unsure"), (" 会議", "doubtful")]
    ]
    assert confident_lines(SPOKEN, 8) == [
        [("Sure", "plain")],
        [("perhaps", "unsure")],
        [("会議", "doubtful")],
    ]
    assert confident_lines(SPOKEN, 3) == [
        [("Sur", "plain")],
        [("e", "plain")],
        [("per", "unsure")],
        [("hap", "unsure")],
        [("s", "unsure")],
        [("会", "doubtful")],
        [("議", "doubtful")],
    ]
    # Without single words' probabilities, the segment's: exp(-0.2) and exp(-1.2).
    assert confident_lines(segment(0, 0, " a b"), 60) == [[("a b", "plain")]]
    doubtful = msgspec.structs.replace(segment(0, 0, " a b"), avg_logprob=-1.2)
    assert confident_lines(doubtful, 60) == [[("a b", "doubtful")]]
    assert confident_lines(segment(0, 0, ""), 60) == [[("", "plain")]]
    hostile = msgspec.structs.replace(SPOKEN, words=(Word(0, 1, " \x1b[31mred\n[b]", 0.9),))
    assert confident_lines(hostile, 60) == [[("\\x1b[31mred [b]", "plain")]]


async def test_everything_about_a_completed_file(tmp_path: Path) -> None:
    here = tmp_path / "talk.srt"
    here.write_text("words")
    used = to_overrides(Settings(decoding=DecodingSettings(beam_size=7, language="en")))
    state = completed(outputs=(str(here), "/gone/talk.txt"), used=used, warnings=("3 s damaged",))
    link = ScriptedLink([job(1, state=state), job(2, state=completed())])
    link.transcripts[1] = Transcript("en", (SPOKEN,))
    async with scripted(link, size=(160, 48)) as driver:
        await open_details(driver)
        await driver.until_text(
            "30:00 in 4:00 (7.5×)",
            "/gone/talk.txt (missing)",
            "3 s damaged",
            "Settings used",
            "beam_size 7",
            "language en",
            "Sure perhaps 会議",
            "word confidence:",
        )
        await driver.until_text(str(here)[:20])
        await driver.until_gone("talk.srt (missing")
        await driver.press("y")
        assert driver.app.clipboard == "Sure perhaps 会議"
        # The words of the second are gone: that is said, not "no words were found".
        await driver.press("escape")
        await open_details(driver, "G")
        await driver.until_text("Transcript no longer available")
        await driver.until_text("Settings of the batch")
        await driver.press("q")
        await driver.until_screen("MainScreen")
        assert not link.commands


async def test_a_file_is_followed_while_it_is_worked_on() -> None:
    link = ScriptedLink([job(1)])
    async with scripted(link) as driver:
        await open_details(driver)
        await driver.until_text("Not transcribed yet")
        link.emit(JobChanged(job(1, state=Processing(NOW, preparing=False))))
        await driver.until(lambda: driver.app.controller.model.running)
        link.emit(JobProgress(1, 600.0, 1800.0, 7.5, 160.0))
        await driver.until_text("10:00 of 30:00, 33%, 7.5×")
        link.emit(SegmentsFound(1, (SPOKEN,), "en"))
        await driver.until_text("Sure perhaps")
        await driver.press("r", "e")  # not while it is worked on
        await driver.until_screen("DetailsDialog")
        assert not link.commands


async def test_retry_as_it_was_and_with_other_settings() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        await open_details(driver, "g", "j", "j", "j")
        await driver.until_text("Check that it plays")
        await driver.press("r")
        await driver.until(lambda: link.commands == [RetryJobs((4,))])
        await open_details(driver)
        await driver.press("w")
        await driver.until_screen("SettingsDialog")
        await driver.until_text("Retry with these")
        await driver.press("1", "a")  # the profile Fast, then take it
        await driver.until(lambda: len(link.commands) == 2)
        command = link.commands[1]
        assert isinstance(command, RetryJobs)
        assert command.ids == (1,)
        assert command.settings is not None
        assert command.settings.decoding.beam_size == 1
        assert command.settings.model.model == SETTINGS.model.model
        # From then on it has its own, which are the start of the next change.
        own = to_overrides(command.settings)
        link.emit(JobChanged(msgspec.structs.replace(job(1), state=Pending(), settings=own)))
        await driver.until(lambda: driver.app.controller.model.jobs[1].settings)
        await open_details(driver)
        await driver.until_text("Settings of this file")
        await driver.until_text("beam_size 1")


async def test_escape_from_other_settings_changes_nothing() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link, size=NARROW) as driver:
        await open_details(driver)
        await driver.click("#retry_with")
        await driver.until_screen("SettingsDialog")
        await driver.press("escape")
        await driver.until_screen("DetailsDialog")
        await driver.click("#close")
        await driver.until_screen("MainScreen")
        assert not link.commands


async def test_hostile_texts_at_every_size() -> None:
    jobs = [job(n, name, state=completed()) for n, name in enumerate(HOSTILE, 1)]
    link = ScriptedLink(jobs)
    for one in jobs:
        segments = tuple(segment(at, at * 4000.0, name) for at, name in enumerate(HOSTILE))
        link.transcripts[one.id] = Transcript("en", segments, source=f"/o/{HOSTILE[0]}")
    async with scripted(link, glyphs=ASCII) as driver:
        for _ in jobs:
            screen = await open_details(driver, "j")
            await driver.until_gone("\x1b")
            assert screen.transcript.text().count("\n") == len(HOSTILE) - 1
            await driver.press("escape")
        await open_details(driver, "g")
        for size in ((20, 5), (1, 1), (50, 14), NARROW, WIDE):
            await driver.resize(*size)
            await driver.press("tab", "end", "home", "pagedown")
        await driver.until_text("loaded from [red]alarm[bold].mp3")


async def test_a_worker_of_a_screen_that_fails_is_a_dialog() -> None:
    link = ScriptedLink([job(1, state=completed())])
    link.phase = Phase.RUNNING

    async def fail(job_id: int) -> Transcript:
        raise ValueError("unreadable [b]words[/]")

    link.transcript = fail  # type: ignore[assignment, method-assign]
    async with running(ScriptedWorkspace(link)) as driver:
        # The main screen's first, then the details' own.
        await driver.until_text("ValueError: unreadable [b]words[/]")
        await driver.press("escape", "enter")
        await driver.until_screen("MessageDialog")
        await driver.until_text("The batch is still running")
        await driver.press("escape")
        await driver.until_screen("DetailsDialog")
        await driver.press("escape")
        link.emit(JobChanged(job(1, state=Pending(60.0))))
        await driver.until_text("resumes at 1:00")


async def test_typing_in_the_filter_is_not_taken_for_keys() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        await driver.press("slash", *"image")
        assert driver.app.main.query_one("#filter", Input).value == "image"
        await driver.until_screen("MainScreen")
