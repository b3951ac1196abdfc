"""The main screen: what it shows, at which size, and what its keys send."""

import pytest

from fwtui.core.commands import (
    AddPaths,
    AnyCommand,
    MoveJobs,
    Pause,
    Quit,
    RemoveJobs,
    RetryJobs,
    SkipJobs,
    Start,
    Stop,
    UndoRemove,
)
from fwtui.core.events import (
    BatchFinished,
    BatchSnapshot,
    EngineChanged,
    JobChanged,
    JobProgress,
    JobsRemoved,
    Level,
    LogLine,
    Phase,
    PhaseChanged,
    SegmentsFound,
)
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Cancelled, Failed, Job, Pending, Processing
from fwtui.core.segment import Transcript
from fwtui.errors import ExitCode
from fwtui.tui.glyphs import ASCII
from tests.tui.driving import NARROW, WIDE, Driver, scripted
from tests.tui.fakes import (
    ENGINE,
    NOW,
    SETTINGS,
    ScriptedLink,
    busy_events,
    completed,
    gallery,
    job,
    segment,
)
from tests.tui.test_formatting import HOSTILE

WORKING = Processing(NOW, preparing=False)


def busy() -> ScriptedLink:
    return ScriptedLink(gallery())


async def start_work(driver: Driver, link: ScriptedLink) -> None:
    link.emit(EngineChanged(0, ENGINE), *busy_events())
    await driver.until(lambda: driver.app.controller.model.log_count >= 8)
    await driver.until_text("43%")


@pytest.mark.parametrize("size", [WIDE, NARROW, (200, 60)])
async def test_one_sees_what_it_is_doing(size: tuple[int, int]) -> None:
    link = busy()
    async with scripted(link, size=size) as driver:
        await start_work(driver, link)
        text = driver.text
        for words in (
            "large-v3 · float16 · cuda:0",
            "▶ running",
            *(
                ("✓ 4  ? 1  ✗ 2",)
                if size == NARROW
                else ("4 done", "1 to check", "2 failed", "11 left")
            ),
            "29%",
            "1 h 46 min left · done at 16:55",
            "43%",
            "That was the sort of joke",
            "s Pause",
        ):
            assert words in text
        everything = "After cleanup: Memory" in text and "System" in text
        assert everything is (size != NARROW)


async def test_narrow_shows_one_pane_beside_the_queue() -> None:
    link = busy()
    async with scripted(link, size=NARROW) as driver:
        await start_work(driver, link)
        await driver.press("tab")
        assert driver.app.main.pane == "transcript"
        await driver.press("tab")
        await driver.until_text("After cleanup: Memory: 1280 MB")
        await driver.until_gone("joke")
        await driver.press("tab")
        await driver.until_text("GPU 0")
        await driver.press("tab")
        assert driver.app.main.pane == "queue"
        await driver.until_text("GPU 0")
        await driver.press("2")
        await driver.until_text("joke")


async def test_resizing_down_to_almost_nothing_and_back() -> None:
    link = busy()
    async with scripted(link) as driver:
        await start_work(driver, link)
        for size in ((20, 5), (1, 1), (60, 10), (300, 8), (120, 40)):
            await driver.resize(*size)
            await driver.press("tab", "j", "end")
        await driver.until_text("System")


async def test_zoom_gives_one_pane_the_screen() -> None:
    link = busy()
    async with scripted(link) as driver:
        await start_work(driver, link)
        await driver.press("2", "z")
        await driver.until_text("joke")
        await driver.until_gone("keynote")
        await driver.press("1")
        await driver.until_text("keynote")
        await driver.until_gone("joke")
        await driver.press("escape")
        await driver.until_text("joke")


def last(link: ScriptedLink) -> AnyCommand:
    return link.commands[-1]


async def test_keys_send_commands() -> None:
    link = ScriptedLink([job(1), job(2), job(3, state=completed())])
    async with scripted(link) as driver:
        await driver.press("s")
        assert last(link) == Start()
        link.emit(PhaseChanged(Phase.RUNNING))
        await driver.until_text("s Pause")
        await driver.press("s")
        assert last(link) == Pause()
        link.emit(PhaseChanged(Phase.PAUSED))
        await driver.until_text("s Resume")
        await driver.press("s")
        assert last(link) == Start()
        await driver.press("S")
        assert last(link) == Stop()
        await driver.press("x")
        assert last(link) == SkipJobs((1,))
        await driver.press("j", "J")
        assert last(link) == MoveJobs((2,), 1)
        await driver.press("K")
        assert last(link) == MoveJobs((2,), -1)
        await driver.press("d")
        assert last(link) == RemoveJobs((2,))
        await driver.press("r")
        assert last(link) == RemoveJobs((2,)), "nothing to retry: it has not run"
        await driver.press("G", "r")
        await driver.until_text("Transcribe again?")
        await driver.press("enter")
        assert last(link) == RemoveJobs((2,)), "what is done is not done again for one key"
        await driver.press("R")
        await driver.until_text("Transcribe again?")
        await driver.press("tab", "enter")
        await driver.until(lambda: last(link) == RetryJobs((3,), restart=True))


async def test_commands_are_for_the_selection() -> None:
    link = ScriptedLink([job(n) for n in range(1, 6)])
    async with scripted(link) as driver:
        await driver.press("space", "j", "space")
        await driver.until_text("2 selected")
        await driver.press("x")
        assert last(link) == SkipJobs((1, 3))
        await driver.press("u")
        assert last(link) == SkipJobs((1, 3)), "nothing was removed yet"
        await driver.press("ctrl+a", "d")
        assert last(link) == RemoveJobs((1, 2, 3, 4, 5))
        await driver.press("u", "u")
        assert link.commands[-2:] == [RemoveJobs((1, 2, 3, 4, 5)), UndoRemove()]
        link.emit(JobChanged(job(3, state=WORKING)))
        await driver.until(lambda: driver.app.controller.model.running)
        await driver.press("ctrl+a", "d")
        await driver.until_screen("ConfirmDialog")
        await driver.until_text("talk-003.mp3 is being transcribed")
        await driver.press("escape")
        assert last(link) == UndoRemove()


async def test_cursor_and_selection_stay_with_their_files() -> None:
    link = ScriptedLink([job(n) for n in range(1, 6)])
    async with scripted(link) as driver:
        await driver.press("j", "j", "space")
        queue = driver.app.main.queue
        assert queue.current is not None
        assert queue.current.id == 4
        link.emit(JobsRemoved((1, 3)))
        await driver.until(lambda: len(queue.ids) == 3)
        assert queue.current.id == 4
        assert queue.selected == set()
        link.emit(JobsRemoved((4, 5)))
        await driver.until(lambda: len(queue.ids) == 1)
        assert queue.current.id == 2
        link.emit(JobsRemoved((2,)))
        await driver.until_text("Nothing in the queue yet")
        await driver.press("j", "G", "space", "enter", "x", "d", "r", "J", "f", "ctrl+a")
        assert link.commands == []


async def test_filter() -> None:
    link = busy()
    async with scripted(link) as driver:
        await driver.press("slash", *"work", "backspace", *"kshop")
        queue = driver.app.main.queue
        assert queue.count() == 4
        await driver.until_gone("keynote")
        await driver.press("enter", "x")
        assert last(link) == SkipJobs((15,))
        await driver.press("slash", *"-nothing")
        await driver.until_text("No file matches")
        await driver.press("escape")
        assert queue.count() == 19
        await driver.press("slash", *"is:failed")
        assert queue.ids == [4, 6]


async def test_no_transcript_of_a_file_that_is_not_shown() -> None:
    link = ScriptedLink([job(1, state=completed()), job(2, state=Cancelled(NOW))])
    async with scripted(link) as driver:
        await driver.until_text("✓ finished")
        await driver.until_text("Transcript · talk-001.mp3")
        await driver.press("slash", *"nothing", "enter")
        await driver.until_text("The transcript of the running file")
        await driver.until_gone("Transcript ·")


async def test_the_transcript_follows_until_the_user_scrolls_up() -> None:
    link = busy()
    async with scripted(link, size=NARROW) as driver:
        await start_work(driver, link)
        view = driver.app.main.transcript_view
        await driver.press("2", "pageup")
        assert not view.tail
        await driver.until_text("scrolled · End to follow")
        top = view.top
        link.emit(SegmentsFound(7, (segment(50, 1300, "brand new words"),), "en"))
        await driver.until(lambda: len(view.transcript.segments) == 13)
        assert view.top == top
        await driver.until_gone("brand new words")
        await driver.press("end")
        await driver.until_text("brand new words")
        link.emit(SegmentsFound(7, (segment(51, 1310, "and the next"),), "en"))
        await driver.until_text("and the next")


async def test_looking_at_another_file_reads_its_words() -> None:
    link = busy()
    link.transcripts[1] = Transcript("en", (segment(1, 3, "Good morning everybody"),))
    async with scripted(link) as driver:
        await start_work(driver, link)
        await driver.press("g")
        await driver.until_text("Good morning everybody")
        await driver.until_text("Transcript · keynote-opening.mp4")
        link.emit(JobProgress(7, 1400, 2875, 9, 100))
        link.emit(SegmentsFound(7, (segment(60, 1390, "meanwhile"),), "en"))
        await driver.until_text("48%")
        await driver.until_text("Good morning everybody")
        await driver.press("f")
        await driver.until_text("meanwhile")


async def test_a_failed_file_shows_its_error_where_its_words_would_be() -> None:
    async with scripted(busy()) as driver:
        await driver.press("g", "j", "j", "j")
        await driver.until_text("This is not a media file. Check")


async def test_words_found_before_we_looked_come_first() -> None:
    link = ScriptedLink([job(1, state=Pending(60.0))])
    link.transcripts[1] = Transcript("en", tuple(segment(n, n, f"old {n}") for n in (1, 2)))
    async with scripted(link) as driver:
        link.emit(JobChanged(job(1, state=WORKING)))
        link.emit(SegmentsFound(1, (segment(3, 60, "new 3"),), "en"))
        await driver.until_text("old 1")
        assert [one.id for one in driver.app.main.transcript_view.transcript.segments] == [1, 2, 3]


async def test_log_levels_and_copy() -> None:
    link = busy()
    async with scripted(link) as driver:
        await start_work(driver, link)
        await driver.until_gone("window 41")
        await driver.press("3", "v")
        await driver.until_text("ERROR [File: holiday-photos.mp3]")
        await driver.until_gone("Starting")
        await driver.press("v")
        await driver.until_gone("damaged and were")
        await driver.press("v")
        await driver.until_text("window 41")
        await driver.press("v", "right")
        assert driver.app.main.log_view.side > 0
        await driver.press("y")
        assert "After cleanup: Memory: 1280 MB" in driver.app.clipboard
        await driver.press("2", "y")
        assert driver.app.clipboard.startswith("So the tape begins")


async def test_ten_thousand_log_lines_are_one_picture() -> None:
    link = busy()
    async with scripted(link) as driver:
        link.emit(*(LogLine(NOW, Level.INFO, f"line {n}") for n in range(30_000)))
        await driver.until_text("line 29999")
        view = driver.app.main.log_view
        await driver.press("3", "home")
        await driver.until_text("line 20000")
        await driver.press("j")
        top_line = view.line(view.top, 60).text
        link.emit(*(LogLine(NOW, Level.INFO, f"more {n}") for n in range(50)))
        await driver.until(lambda: driver.app.controller.model.log_count == 30_050)
        assert view.top == 0
        assert top_line != view.line(0, 60).text


async def test_details() -> None:
    async with scripted(busy()) as driver:
        await driver.press("g", "enter")
        await driver.until_text(
            "in /data/transcripts", "talk.srt", "mov,mp4", "44.1 kHz", "412 · English"
        )
        await driver.press("q", "j", "j", "j", "enter")
        await driver.until_text("Check that it plays")
        await driver.until_text("Invalid data found")
        await driver.press("escape", *"jjjjj", "enter")
        await driver.until_text("Attempt 1")
        await driver.until_text("retried with batch size 4")
        await driver.until_text("at 21:20")


async def test_help_has_every_key_and_the_palette_finds_commands() -> None:
    link = busy()
    async with scripted(link, size=(120, 120)) as driver:
        await driver.press("question_mark")
        await driver.until_text("Save and quit (asks", "Move files down", "Maximise this pane")
        await driver.press("escape", "g", *"jjj", "ctrl+p")
        await driver.press(*"retry")
        await driver.until_text("Retry  (r)")
        await driver.press("enter")
        await driver.until(lambda: link.commands == [RetryJobs((4,))])  # it failed


async def test_the_mouse() -> None:
    link = busy()
    async with scripted(link) as driver:
        queue = driver.app.main.queue
        await driver.click(queue, offset=(10, 4))
        assert queue.cursor == 3
        await driver.click(queue, offset=(10, 1), times=2)
        await driver.until_screen("DetailsDialog")
        await driver.press("escape")
        await driver.click(driver.app.main.footer, offset=(9, 0))
        await driver.until(lambda: link.commands == [Start()])


async def test_light_and_dark() -> None:
    async with scripted(busy()) as driver:
        assert driver.app.current_theme.dark
        await driver.press("t")
        assert not driver.app.current_theme.dark
        await driver.settle()
        driver.app.theme = "nord"
        await driver.settle()
        await driver.until_text("keynote")


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_hostile_names_and_words_are_shown_as_text(size: tuple[int, int]) -> None:
    link = ScriptedLink([job(n, f"/d/{name}", state=WORKING) for n, name in enumerate(HOSTILE, 1)])
    async with scripted(link, size=size) as driver:
        for number, name in enumerate(HOSTILE, 1):
            link.emit(SegmentsFound(number, (segment(1, 0, name),), name))
            link.emit(LogLine(NOW, Level.ERROR, name))
        everything = " ".join(HOSTILE)
        failure = Failure(FailureKind.INTERNAL, everything, everything, everything)
        link.emit(JobChanged(job(1, f"/d/{HOSTILE[0]}", state=Failed(NOW, failure))))
        link.emit(BatchFinished(0, 0, 0, False, 1.0, None, failure))
        await driver.until_screen("MessageDialog")
        await driver.until_text("[red]alarm[bold].mp3 [/]")
        await driver.press("escape", "g", "enter")
        await driver.until_screen("DetailsDialog")
        await driver.press("escape")
        seen = driver.text
        for _ in HOSTILE:
            await driver.press("j")
            seen += driver.text
        assert "[red]alarm[bold].mp3" in seen
        assert not set(seen) & {chr(code) for code in range(32) if chr(code) != "\n"}
        await driver.press("slash", *"[red]")
        assert driver.app.main.queue.count() == 1


async def test_ascii_screens_are_ascii() -> None:
    link = ScriptedLink([one for one in gallery() if one.path.isascii()])
    async with scripted(link, glyphs=ASCII) as driver:
        await start_work(driver, link)
        await driver.press("v")
        lines = [line for line in driver.text.splitlines() if "Memory: 1450 MB" not in line]
        assert [line for line in lines if not line.isascii()] == []


async def test_a_hundred_thousand_rows() -> None:
    jobs = tuple(Job(id=n, path=f"/data/part-{n:06}.mp3") for n in range(1, 100_001))
    link = ScriptedLink(jobs)
    async with scripted(link) as driver:
        await driver.until_text("part-000001.mp3")
        await driver.press("end")
        await driver.until_text("part-100000.mp3")
        await driver.press("home", "pagedown", "ctrl+d", "down")
        await driver.until_gone("part-000001.mp3")
        await driver.press("slash", *"99999")
        assert driver.app.main.queue.count() == 1
        await driver.press("escape")
        drawn = 0
        queue = driver.app.main.queue
        original = queue.render_line

        def counting(y: int) -> object:
            nonlocal drawn
            drawn += 1
            return original(y)

        queue.render_line = counting  # type: ignore[method-assign, assignment]
        link.emit(JobChanged(job(99_999, state=completed())))
        await driver.until(lambda: driver.app.controller.model.counts.completed == 1)
        drawn = 0
        link.emit(JobProgress(50, 1, 2, 3, 4))
        await driver.press("up")
        assert drawn <= 4, "one key draws two rows, not all"


async def test_after_a_stop_the_header_names_the_key_that_starts() -> None:
    link = ScriptedLink([job(1)])
    async with scripted(link) as driver:
        link.emit(BatchFinished(0, 0, 0, True, 4.0, None, None))
        await driver.until_text("stopped after 4 s")
        await driver.until_text("· s to start")


async def test_quit_without_work_asks_nothing() -> None:
    link = ScriptedLink([job(1)])
    async with scripted(link) as driver:
        await driver.press("q")
        await driver.until(lambda: not driver.app.is_running)
        assert link.commands == [Quit()]
    assert driver.app.return_value is ExitCode.STOPPED


@pytest.mark.parametrize(
    ("jobs", "code"),
    [
        ((), ExitCode.DONE),
        ((job(1, state=completed()),), ExitCode.DONE),
        ((job(1, state=completed()), gallery()[3]), ExitCode.SOME_FAILED),
        ((job(1), gallery()[3]), ExitCode.STOPPED),
    ],
)
async def test_exit_codes(jobs: tuple[Job, ...], code: ExitCode) -> None:
    async with scripted(ScriptedLink(jobs)) as driver:
        await driver.press("ctrl+c")
        await driver.until(lambda: not driver.app.is_running)
    assert driver.app.return_value is code


async def test_quit_asks_while_a_file_is_being_worked_on() -> None:
    link = busy()
    async with scripted(link, size=NARROW) as driver:
        await start_work(driver, link)
        await driver.press("q")
        await driver.until_screen("QuitDialog")
        await driver.until_text("oral-history-tape-12-side-a.wav is at 20:57 of 47:55")
        await driver.until_text("11 files left")
        await driver.press("enter")
        await driver.until_screen("MainScreen")
        assert link.commands == []
        await driver.press("ctrl+c", "right", "enter")
        await driver.until(lambda: not driver.app.is_running)
    assert link.commands == [Quit()]
    assert driver.app.return_value is ExitCode.STOPPED


async def test_quit_asks_no_longer_when_the_work_is_done() -> None:
    link = busy()
    async with scripted(link, size=NARROW) as driver:
        await start_work(driver, link)
        await driver.press("q")
        await driver.until_screen("QuitDialog")
        link.emit(PhaseChanged(Phase.IDLE))
        await driver.until_told("work has finished")
        await driver.until_screen("MainScreen")
        await start_work(driver, link)
        link.emit(PhaseChanged(Phase.IDLE))
        await driver.press("q")  # not asked about work that was still shown a moment ago
        await driver.until(lambda: not driver.app.is_running)
    assert link.commands == [Quit()]


async def test_a_new_snapshot_redraws_everything() -> None:
    link = busy()
    async with scripted(link) as driver:
        await start_work(driver, link)
        link.emit(BatchSnapshot("t", NOW, SETTINGS, Phase.IDLE, (job(77, "other.wav"),)))
        await driver.until_text("other.wav")
        assert driver.app.main.queue.ids == [77]


async def test_paths_given_at_the_start_are_added() -> None:
    link = ScriptedLink()
    async with scripted(link, paths=["/a/b.mp3"]) as driver:
        await driver.until(lambda: link.commands == [AddPaths(("/a/b.mp3",))])
