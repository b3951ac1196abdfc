"""Every screen shows every state there is: a new member of an enum or a union must work, or fail
here.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from itertools import chain
from typing import get_args

import msgspec
import pytest

from fwtui.batch.remote.batch_status import BatchDetails, BatchStatus
from fwtui.batch.remote.endpoints import Endpoint
from fwtui.batch.remote.protocol import Where
from fwtui.core.events import FoldersChanged, JobProgress, Level, LogLine, Phase, PhaseChanged
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.finding import Finding, FindingKind
from fwtui.core.job import (
    Attempt,
    Cancelled,
    Completed,
    Failed,
    Job,
    Pending,
    Processing,
    Skipped,
    State,
)
from fwtui.core.settings import Settings
from fwtui.core.speakers import SpeakerTime
from fwtui.core.watched_folder import After, FolderStatus, WatchedFolder
from fwtui.doctor.results import CheckResult, Severity
from fwtui.models.inventory import ModelEntry, Presence
from fwtui.report.render import REPORT_FORMATS, export_report, render_report
from fwtui.report.report import BatchReport, RemarkKind, make_report, remarks
from fwtui.tui import rows
from fwtui.tui.glyphs import ASCII, UNICODE, Glyphs
from fwtui.tui.job_details import describe_job, transcript_note
from fwtui.tui.model import LiveTranscript
from fwtui.tui.report_layout import report_lines
from fwtui.tui.screens.doctor import DoctorDialog, result_lines
from fwtui.tui.screens.models import ModelsDialog
from fwtui.tui.screens.running import RunningDialog, describe_batch
from tests.tui.driving import NARROW, WIDE, Driver, running, scripted
from tests.tui.fakes import NOW, SETTINGS, ScriptedLink, ScriptedWorkspace, completed, job, stored

LINK = "https://example.org/talk"
PROGRESS = (None, (0.0, 0.0, 0.0), (600.0, 1800.0, 7.5), (1800.0, 1800.0, 0.0))


def failure(kind: FailureKind) -> Failure:
    return Failure(kind, f"It failed: {kind.value}", "what to do", "the detail")


def states() -> dict[type, Sequence[State]]:
    """Examples of all members of the union, with everything that they can carry."""
    findings = [Finding(kind, 61.0, 75.0, "detail") for kind in FindingKind]
    return {
        Pending: [Pending(), Pending(1280.0)],
        Processing: [
            Processing(NOW, preparing=preparing, slot=1, downloading=downloading)
            for preparing in (True, False)
            for downloading in (True, False)
        ],
        Completed: [
            completed(),
            completed(work=0.0, language="", segments=0, outputs=()),
            completed(warnings=("3 s are damaged",), used={"decoding.language": "en"}),
            completed(findings=tuple(findings)),
            completed(skipped_chunks=2, timed_seconds=600.0),
            completed(speakers=(SpeakerTime(0, 61.0, 0.0, 75.0), SpeakerTime(1, 14.0, 60.0, 90.0))),
            *(completed(findings=(one,)) for one in findings),
        ],
        Failed: [
            *(Failed(NOW, failure(kind)) for kind in FailureKind),
            Failed(NOW, failure(FailureKind.DISK_FULL), NOW, done_seconds=600.0),
        ],
        Cancelled: [Cancelled(NOW), Cancelled(NOW, NOW, kept=True, done_seconds=600.0)],
        Skipped: [Skipped(NOW, "skipped by you"), Skipped(NOW, "already transcribed")],
    }


def all_jobs() -> list[Job]:
    """A job in each state; and with attempts that failed for each reason."""
    found = [job(n, state=one) for n, one in enumerate(chain(*states().values()), 1)]
    attempts = tuple(
        Attempt(NOW, failure(kind), at * 10.0, remedy)
        for at, kind in enumerate(FailureKind)
        for remedy in ("beam size 1", "")
    )
    found.append(job(len(found) + 1, attempts=attempts, settings={"decoding.beam_size": 1}))
    found.append(job(len(found) + 1, "talk.mp3", attempts=attempts, state=completed()))
    return [*found, job(len(found) + 1, source=LINK, state=Processing(NOW, downloading=True))]


def test_there_is_an_example_of_every_state() -> None:
    assert states().keys() == set(get_args(State))
    assert all(isinstance(one, kind) for kind, found in states().items() for one in found)


@pytest.mark.parametrize("kind", get_args(State))
def test_the_examples_have_everything_that_a_state_can_carry(kind: type) -> None:
    """A new field of a state is shown by these tests, too."""
    examples = states()[kind]
    never = {
        field.name
        for field in msgspec.structs.fields(kind)
        if all(getattr(one, field.name) == field.default for one in examples)
    }
    assert not never


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize("one", all_jobs(), ids=lambda one: f"{one.id}-{type(one.state).__name__}")
def test_every_file_has_a_row_and_details(one: Job, glyphs: Glyphs) -> None:
    for numbers in PROGRESS:
        progress = None
        if numbers is not None:
            progress = JobProgress(one.id, *numbers, None)
        for phase in Phase:
            for cells in (20, 60, 120):
                drawn = rows.row(one, progress, phase, rows.columns(cells), glyphs, selected=False)
                assert drawn
        text = describe_job(
            one,
            glyphs,
            cells=60,
            progress=progress,
            missing=frozenset(),
            settings=SETTINGS,
            settings_title="Settings of the batch",
        ).plain
        assert "Status" in text
        assert "processing" not in text.lower().replace("being processed", "")
    for whole in (True, False):
        transcript = LiveTranscript()
        transcript.whole = whole
        assert transcript_note(one, transcript)


def full_report() -> BatchReport:
    return make_report(all_jobs(), Settings(), "20260314_150926", NOW, NOW, 900)


def test_every_kind_of_remark_is_in_every_form_of_the_report() -> None:
    report = full_report()
    found = remarks(report)
    assert set(found) == set(RemarkKind)
    assert all(found.values())
    text, markdown = render_report(report), export_report(report, "md").decode()
    for cells in (20, 73, 120):
        for glyphs in (UNICODE, ASCII):
            lines = [
                "".join(text for text, _ in line) for line in report_lines(report, glyphs, cells)
            ]
            assert all(any(line.startswith(f" {kind}") for line in lines) for kind in RemarkKind)
    assert all(f"{kind}\n--" in text and f"## {kind}\n" in markdown for kind in RemarkKind)
    assert all(export_report(report, name) for name in REPORT_FORMATS)


@pytest.mark.parametrize("severity", Severity)
def test_every_severity_of_the_doctor(severity: Severity) -> None:
    result = CheckResult("Machine", "memory", severity, "little", "buy some")
    assert len(result_lines([result], UNICODE, 60)) == 3


@pytest.mark.parametrize("where", get_args(Where))
@pytest.mark.parametrize("phase", Phase)
def test_every_place_that_a_batch_runs_in(where: Where, phase: Phase) -> None:
    place = Endpoint("20260314_150926", "box", 4711, datetime(2026, 3, 14, 9))
    seen = BatchDetails(
        where=where,
        phase=phase,
        completed=1,
        failed=0,
        unfinished=2,
        total=3,
        progress=None,
        current=(),
        engine=None,
        memory=None,
        output_dir="/out",
        log="",
    )
    assert phase.value in describe_batch(BatchStatus(place, seen)).plain


def folder_statuses() -> list[FolderStatus]:
    shown = get_args(FolderStatus.__annotations__["state"])
    return [
        FolderStatus(
            folder=WatchedFolder(path=f"/in/{state}-{after}", after=after),
            state=state,
            waiting=2,
            problem="why",
        )
        for state in shown
        for after in get_args(After)
    ]


async def change_phase(driver: Driver, link: ScriptedLink, phase: Phase) -> None:
    link.emit(PhaseChanged(phase))
    await driver.until(lambda: driver.app.controller.model.phase is phase)


async def visit(driver: Driver, key: str, screen: str, lines: int) -> None:
    """Open a screen, go through its lines, and close it."""
    await driver.press(key)
    await driver.until_screen(screen)
    for _ in range(lines):
        await driver.press("down")
    await driver.press("end", "escape")
    await driver.until_screen("MainScreen")


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_every_screen_opens_with_every_state(size: tuple[int, int]) -> None:
    jobs = all_jobs()
    link = ScriptedLink(jobs)
    async with scripted(link, size=size) as driver:
        for phase in Phase:
            await change_phase(driver, link, phase)
            await visit(driver, "i", "ReportDialog", 3)
        link.emit(*(LogLine(NOW, level, f"a line: {level}") for level in Level))
        link.emit(FoldersChanged(tuple(folder_statuses())))
        await driver.until(lambda: driver.app.controller.model.folders)
        await visit(driver, "W", "WatchedDialog", len(folder_statuses()))
        seen = set[type]()
        await driver.press("g")
        for one in jobs:
            if type(one.state) not in seen or one.attempts:
                seen.add(type(one.state))
                await visit(driver, "enter", "DetailsDialog", 1)
            await driver.press("j")
        assert seen == set(get_args(State))


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_stored_sessions_with_every_state(size: tuple[int, int]) -> None:
    jobs = all_jobs()
    session = stored("20251201_080000", jobs)
    async with running(ScriptedWorkspace(sessions=[session]), size=size, wait=False) as driver:
        await driver.until_text("Unfinished session found")
        await driver.press("pagedown", "i")
        await driver.until_screen("InspectDialog")
        await driver.press(*["pagedown"] * 8, "escape", "l")
        await driver.until_screen("MainScreen")
        await driver.press("ctrl+o")
        await driver.until_screen("SessionsDialog")
        await driver.until_text("1 stored")
        await driver.press("enter", *["pagedown"] * 8, "escape", "escape")
        await driver.until_screen("MainScreen")


async def test_models_checks_and_batches_in_every_state(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = tuple(
        ModelEntry(presence.value, presence, f"owner/{presence}", 75_000_000, partial=3)
        for presence in Presence
    )
    monkeypatch.setattr("fwtui.tui.screens.models.list_models", lambda _: entries)
    results = [CheckResult("Machine", one.value, one, "text", "fix") for one in Severity]

    async def examine() -> AsyncIterator[CheckResult]:
        for one in results:
            yield one

    place = Endpoint("20260314_150926", "box", 4711, datetime(2026, 3, 14, 9))
    async with scripted(ScriptedLink()) as driver:
        app = driver.app
        for screen in (
            ModelsDialog(Settings(), app.downloads, UNICODE, ScriptedWorkspace().model_needs),
            DoctorDialog(examine, UNICODE),
            RunningDialog([BatchStatus(place, problem="no answer")], UNICODE),
        ):
            await app.push_screen(screen)
            await driver.press("down", "down", "down", "down", "up", "escape")
            await driver.until_screen("MainScreen")


def test_the_job_of_every_state_is_counted_once() -> None:
    for glyphs in (UNICODE, ASCII):
        first = report_lines(full_report(), glyphs, 120)[0]
        numbers = [
            int(word)
            for text, _ in first
            for word in text.split()
            if word.isdigit() and "to check" not in text  # which are done
        ]
        assert numbers[0] == sum(numbers[1:]) == len(all_jobs())
        assert any("to check" in text for text, _ in first)
