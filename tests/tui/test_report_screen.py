"""The report on the screen: its figures, its curve, its exports."""

import json
import unicodedata
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fwtui.core.events import (
    BatchFinished,
    MemoryPoint,
    MemoryReading,
    MemorySampled,
    Phase,
    PhaseChanged,
)
from fwtui.core.job import Job
from fwtui.core.settings import OutputSettings
from fwtui.report.report import BatchReport, make_report
from fwtui.tui.formatting import width
from fwtui.tui.glyphs import ASCII, UNICODE, Glyphs
from fwtui.tui.model import BatchHistory, MemoryCurve
from fwtui.tui.report_layout import area_chart, report_lines
from tests.tui.driving import NARROW, WIDE, running, scripted
from tests.tui.fakes import NOW, SETTINGS, ScriptedLink, ScriptedWorkspace, completed, gallery, job
from tests.tui.test_formatting import HOSTILE


def reading(rss: float) -> MemoryReading:
    return MemoryReading(rss, 2900.0, 7.4, 1720.0, 9_730.0, 15_906.0)


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(1, 1e5)), max_size=60), st.integers(2, 9))
def test_a_curve_keeps_the_highest_value_and_few_points(
    steps: list[tuple[float, float]], most: int
) -> None:
    curve, at = MemoryCurve(most), 0.0
    for step, value in steps:
        at += step
        curve.add(at, value)
    assert len(curve.values) <= most
    assert max(curve.values, default=0.0) == max((value for _, value in steps), default=0.0)
    assert not steps or curve.seconds >= at


def test_a_curve_over_time() -> None:
    curve = MemoryCurve(4)
    for at, value in ((0, 10), (1, 20), (3, 5), (3.5, 8), (5, 9)):
        curve.add(at, value)
    assert (curve.step, curve.values) == (2.0, [20, 20, 9])


def test_the_history_is_that_of_the_last_start() -> None:
    now = NOW
    history = BatchHistory(lambda: now)
    history.sample(reading(500))  # nothing is at work
    history.phase_changed(Phase.IDLE, Phase.RUNNING)
    history.sample(reading(900))
    now += timedelta(seconds=60)
    history.phase_changed(Phase.RUNNING, Phase.PAUSED)
    history.sample(reading(700))
    history.phase_changed(Phase.PAUSED, Phase.IDLE)
    history.sample(reading(100))
    assert (history.began, history.ended, history.peak) == (NOW, now, 1720.0)
    assert len(history.points) == 61
    assert history.points[-1] == MemoryPoint(60.0, 700)
    history.phase_changed(Phase.IDLE, Phase.RUNNING)
    assert (history.began, history.ended, history.points) == (now, None, ())


def test_the_area_below_a_curve() -> None:
    assert area_chart([0, 4, 8], 3, 2, 8.0, ASCII) == ["  #", ".##"]
    assert area_chart([0, 4, 8], 3, 2, 8.0, UNICODE) == ["  █", "▁██"]
    assert area_chart([1, 9, 1, 1], 2, 1, 9.0, UNICODE) == ["█▁"]
    assert area_chart([], 3, 2, 8.0, UNICODE) == area_chart([1], 0, 2, 8.0, UNICODE) == []


def report(*jobs: Job, points: int = 90) -> BatchReport:
    memory = tuple(MemoryPoint(at * 60.0, 900 + at % 7 * 100) for at in range(points))
    ends = NOW + timedelta(minutes=points)
    return make_report(jobs, SETTINGS, "20260314_150926", NOW, ends, 1720, memory=memory)


@pytest.mark.parametrize("cells", [1, 18, 40, 76, 116, 200])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_figures_of_everything_at_every_width(cells: int, glyphs: Glyphs) -> None:
    hostile = [
        job(n, name, state=completed(1800, n * 10, warnings=(name,)))
        for n, name in enumerate(HOSTILE, 100)
    ]
    for made in (report(), report(points=0), report(*gallery(), *hostile)):
        for line in report_lines(made, glyphs, cells):
            text = "".join(piece for piece, _ in line)
            assert not any(unicodedata.category(character) == "Cc" for character in text)
            assert cells < 60 or width(text) <= cells


async def test_the_report_after_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = replace(SETTINGS, output=OutputSettings(output_dir=str(tmp_path)))
    link = ScriptedLink(gallery(), settings)
    now = [NOW]
    async with scripted(link) as driver:
        driver.app.controller.model.history = BatchHistory(lambda: now[0])
        history = driver.app.controller.model.history
        link.emit(PhaseChanged(Phase.RUNNING))
        await driver.until(lambda: history.began)
        await driver.press("i")
        await driver.until_text("Report so far · session 20260314_150926")
        for minute in range(90):
            now[0] = NOW + timedelta(minutes=minute)
            history.sample(reading(900 + minute % 7 * 100))
        link.emit(MemorySampled(reading(900)), PhaseChanged(Phase.IDLE))
        link.emit(BatchFinished(4, 2, 2, stopped=False, seconds=5340.0))
        await driver.until(lambda: history.ended)
        await driver.press("q", "i")
        await driver.until_text(
            "19 files  ✓ 4 done  ? 1 to check  ✗ 2 failed  ○ 11 left  ■ 1 cancelled  – 1 skipped",  # noqa: RUF001
            "4:54:35",
            "9.0× real time",
            "1:29:00",
            "en 3, fr 1",
            "Memory use",
            "1.5 GB│",
            "Slowest files",
            "1:42:00 in 11:42    8.7×",
            "Failures  ·  2 files",
            "Check that it plays",
            "retried with batch size 4",
        )
        text = driver.text
        assert text.index("lecture-07-acoustics") < text.index("interview-marguerite")
        await driver.press("end")
        await driver.until_text("Interrupted at 21:20; resume to continue from there")
        await driver.press("e", "enter")
        await driver.until_screen("ReportDialog")
        exported = tmp_path / "fwtui-report-20260314_150926.md"
        assert exported.read_text().startswith("# fwtui batch report\n")
        await driver.press("e", "up", "enter")
        await driver.until_screen("ReportDialog")
        document = json.loads(exported.with_suffix(".json").read_text())
        assert max(point["rss"] for point in document["memory"]) == 1500
        for size in ((20, 5), (1, 1), NARROW, WIDE):
            await driver.resize(*size)
            await driver.press("down", "end", "home", "tab")
        await driver.until_text("Slowest files")


async def test_nothing_to_report() -> None:
    async with running(ScriptedWorkspace()) as driver:
        await driver.press("i")
        await driver.until_screen("ReportDialog")
        await driver.until_text("No files")
        await driver.press("escape")
        await driver.until_screen("MainScreen")
