"""The runner with the real engine: the main job, and what users do to it meanwhile."""

import os
import re
import shutil
import signal
from pathlib import Path

import psutil
import pytest

from fwtui import demo
from fwtui.config.locations import Locations
from fwtui.core.commands import (
    AddPaths,
    MoveJobs,
    Pause,
    RemoveJobs,
    RetryJobs,
    SkipJobs,
    Start,
    Stop,
)
from fwtui.core.events import (
    BatchFinished,
    JobChanged,
    JobProgress,
    JobsAdded,
    JobsRemoved,
    Phase,
    PhaseChanged,
    SegmentsFound,
    SegmentsReset,
)
from fwtui.core.failure import FailureKind
from fwtui.core.job import Cancelled, Completed, Failed, Job, Pending, Processing, Skipped
from fwtui.core.settings import DecodingSettings, OutputSettings
from tests.audio.encoding import write_media
from tests.batch.driver import (
    MINUTE,
    RESTING,
    SHORT,
    BatchDriver,
    children,
    leftovers,
    outputs,
    settings_for,
)
from tests.patient import WAITING


def kinds(batch: BatchDriver) -> list[str]:
    return [type(job.state).__name__ for job in batch.jobs.values()]


async def test_all_clips_are_done_and_nothing_is_left(tmp_path: Path) -> None:
    out, others = tmp_path / "out", children()
    async with BatchDriver(settings_for(out), demo.clips()) as batch:
        finished = await batch.to_the_end()
    assert (finished.completed, finished.failed, finished.stopped) == (5, 0, False)
    assert set(kinds(batch)) == {"Completed"}
    names = {f"{clip.stem}.{form}" for clip in demo.clips() for form in ("txt", "srt", "json")}
    assert names <= set(outputs(out))
    assert leftovers() == []
    assert children(others) == []
    for job in batch.jobs.values():
        assert isinstance(job.state, Completed)
        assert job.state.segments == sum(
            len(e.segments) for e in batch.events if isinstance(e, SegmentsFound) and e.id == job.id
        )
        assert all(Path(path).exists() for path in job.state.outputs)


async def test_completed_is_said_after_the_outputs_are_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    batch = BatchDriver(settings_for(out), [SHORT])
    seen: list[bool] = []
    async with batch:
        batch.actor.subscribe(
            lambda event: (
                seen.append((out / f"{SHORT.stem}.json").exists())
                if isinstance(event, JobChanged) and isinstance(event.job.state, Completed)
                else None
            )
        )
        await batch.to_the_end()
    assert seen == [True]


async def test_memory_is_logged_in_the_lines_of_the_document(tmp_path: Path) -> None:
    async with BatchDriver(settings_for(tmp_path / "out"), [SHORT]) as batch:
        await batch.to_the_end()
    whole = r"Memory: \d+ MB \(RSS\), \d+ MB \(VMS\), \d+\.\d%"
    name = re.escape(SHORT.name)
    for pattern in (
        rf"Batch start: {whole}",
        rf"\[File: {name}\] Starting - Memory: \d+ MB",
        rf"\[File: {name}\] Finished - Memory: \d+ MB \(Δ [+-]\d+ MB\)",
        rf"After cleanup: {whole}",
        rf"Batch end: {whole}",
    ):
        assert any(re.fullmatch(pattern, line) for line in batch.log), pattern


async def test_each_bad_file_has_its_own_error_and_the_others_are_done(tmp_path: Path) -> None:
    text, empty, film = tmp_path / "text.mp3", tmp_path / "empty.wav", tmp_path / "film.mp4"
    text.write_text("this is no sound")
    empty.write_bytes(b"")
    write_media(film, picture_seconds=1)
    gone = Path(shutil.copy(SHORT, tmp_path / "gone.flac"))
    missing = tmp_path / "missing.mp3"
    paths = [text, empty, film, gone, missing, SHORT]
    async with BatchDriver(settings_for(tmp_path / "out"), paths) as batch:
        gone.unlink()
        finished = await batch.to_the_end()
    assert (finished.completed, finished.failed) == (1, 5)
    failures = {
        job.name: job.state.failure for job in batch.jobs.values() if isinstance(job.state, Failed)
    }
    assert {name: failure.kind for name, failure in failures.items()} == {
        "text.mp3": FailureKind.BAD_MEDIA,
        "empty.wav": FailureKind.BAD_MEDIA,
        "film.mp4": FailureKind.NO_AUDIO,
        "gone.flac": FailureKind.FILE_MISSING,
        "missing.mp3": FailureKind.FILE_MISSING,
    }
    assert all(failure.title and failure.hint for failure in failures.values())
    assert len({failure.title for failure in failures.values()}) == 5
    listed = await batch.workspace.incomplete()
    assert [len(stored.session.failed) for stored in listed.sessions] == [5]


async def test_a_killed_engine_is_replaced_and_the_file_goes_on(
    tmp_path: Path, whole_minute: dict[str, bytes]
) -> None:
    go = tmp_path / "go"
    code = RESTING.format(go=str(go))
    async with BatchDriver(settings_for(tmp_path / "killed"), [MINUTE, SHORT], code) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        os.kill(await batch.engine_pid(), signal.SIGKILL)
        go.touch()
        await batch.until(BatchFinished)
    assert kinds(batch) == ["Completed", "Completed"]
    (attempt,) = batch.jobs[1].attempts
    # the kernel's counters say that it was not for lack of memory
    assert attempt.failure.kind is FailureKind.ENGINE_DIED
    assert attempt.at_seconds > 0
    assert any("signal 9" in line and MINUTE.name in line for line in batch.log)
    resets = [e for e in batch.events if isinstance(e, SegmentsReset) and e.id == 1]
    assert len(resets) == 1  # begun once, never started over
    killed = outputs(tmp_path / "killed")
    assert {name: killed[name] for name in whole_minute} == whole_minute


async def test_stop_keeps_the_progress_and_a_resume_gives_the_same_files(
    tmp_path: Path, whole_minute: dict[str, bytes]
) -> None:
    out = tmp_path / "out"
    async with BatchDriver(settings_for(out), [MINUTE], WAITING) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        batch.send(Stop())
        finished = await batch.until(BatchFinished)
        assert finished.stopped
        state = batch.jobs[1].state
        assert isinstance(state, Pending)
        assert state.done_seconds > 0
    assert not out.exists()
    again = await BatchDriver.resumed()
    async with again:
        first = await again.actor.transcript(1)
        assert len(first.segments) > 0
        await again.to_the_end()
    assert outputs(out) == whole_minute
    assert not any(isinstance(event, SegmentsReset) for event in again.events)
    assert leftovers() == []


async def test_other_settings_start_the_file_over(tmp_path: Path) -> None:
    from msgspec.structs import replace

    from fwtui.core.commands import ChangeSettings

    go = tmp_path / "go"
    code = RESTING.format(go=str(go))
    async with BatchDriver(settings_for(tmp_path / "out"), [MINUTE], code) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        batch.send(Stop())
        await batch.until(BatchFinished)
        go.touch()
        since = len(batch.events)
        decoding = replace(batch.settings.decoding, word_timestamps=True)
        batch.send(ChangeSettings(replace(batch.settings, decoding=decoding)))
        await batch.to_the_end(since)
    assert any("restarted because the settings have changed" in line for line in batch.log)
    assert b'"words": [' in (tmp_path / "out" / f"{MINUTE.stem}.json").read_bytes()


async def test_pause_rests_with_the_model_loaded(tmp_path: Path) -> None:
    async with BatchDriver(settings_for(tmp_path / "out"), [MINUTE], WAITING) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        batch.send(Pause())
        await batch.until(PhaseChanged, lambda e: e.phase is Phase.PAUSED)
        assert psutil.pid_exists(await batch.engine_pid())
        since = len(batch.events)
        batch.send(Start())
        await batch.until(PhaseChanged, lambda e: e.phase is Phase.RUNNING, since)
        finished = await batch.until(BatchFinished)
    assert finished.completed == 1


async def test_a_running_file_is_skipped_within_a_window(tmp_path: Path) -> None:
    async with BatchDriver(settings_for(tmp_path / "out"), [MINUTE, SHORT], WAITING) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        pid = await batch.engine_pid()
        batch.send(SkipJobs((1,)))
        await batch.state(1, Cancelled)
        await batch.until(BatchFinished)
        assert await batch.engine_pid() == pid
    assert kinds(batch) == ["Cancelled", "Completed"]


async def test_a_file_that_does_not_stop_in_time_is_killed(tmp_path: Path) -> None:
    from fwtui.core.settings import BatchSettings

    settings = settings_for(tmp_path / "out", batch=BatchSettings(cancel_seconds=0.0))
    async with BatchDriver(settings, [MINUTE, SHORT], WAITING) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        os.kill(await batch.engine_pid(), signal.SIGSTOP)
        batch.send(SkipJobs((1,)))
        await batch.state(1, Cancelled)
        await batch.until(BatchFinished)
    assert kinds(batch) == ["Cancelled", "Completed"]
    assert batch.jobs[2].attempts == ()


async def test_skip_while_paused(tmp_path: Path) -> None:
    async with BatchDriver(settings_for(tmp_path / "out"), [MINUTE, SHORT], WAITING) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        batch.send(Pause())
        await batch.until(PhaseChanged, lambda e: e.phase is Phase.PAUSED)
        batch.send(SkipJobs((1,)))
        await batch.state(1, Cancelled)
        assert not isinstance(batch.jobs[2].state, Completed)
        batch.send(Start())
        await batch.until(BatchFinished)
    assert kinds(batch) == ["Cancelled", "Completed"]


async def test_queue_commands_while_it_runs(tmp_path: Path) -> None:
    clips = demo.clips()
    async with BatchDriver(settings_for(tmp_path / "out"), [MINUTE, *clips[:3]], WAITING) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        batch.send(SkipJobs((3,)))
        await batch.state(3, Skipped)
        batch.send(MoveJobs((4,), -1))
        batch.send(AddPaths((str(clips[3]), str(clips[0]))))
        since = len(batch.events)
        added = await batch.until(JobsAdded, since=since)
        assert [Path(job.path).name for job in added.jobs] == [clips[3].name]
        batch.send(RemoveJobs((1,)))
        removed = await batch.until(JobsRemoved)
        assert removed.ids == (1,)
        assert not isinstance(batch.jobs[4].state, Completed)
        await batch.until(BatchFinished)
        assert batch.actor.state.queue.order == (2, 4, 3, 5)
        since = len(batch.events)
        batch.send(RetryJobs((3,)))
        await batch.state(3, Pending, since)
        finished = await batch.to_the_end(since)
    assert finished.completed == 4


async def test_a_failed_output_is_an_error_and_a_retry_only_writes(tmp_path: Path) -> None:
    out = tmp_path / "out" / "sub"
    out.parent.mkdir()
    out.write_text("a file where the folder should be")
    async with BatchDriver(
        settings_for(out.parent, output=OutputSettings(output_name="sub/{stem}")), [SHORT]
    ) as batch:
        await batch.to_the_end()
        state = batch.jobs[1].state
        assert isinstance(state, Failed)
        assert state.failure.kind is FailureKind.OUTPUT
        out.unlink()
        since = len(batch.events)
        batch.send(RetryJobs((1,)))
        await batch.state(1, Pending, since)
        since = len(batch.events)
        finished = await batch.to_the_end(since)
        assert finished.completed == 1
        assert not any(isinstance(event, JobProgress) for event in batch.events[since:])
    assert (out / f"{SHORT.stem}.txt").exists()


async def test_outputs_are_not_made_of_a_file_that_was_replaced(tmp_path: Path) -> None:
    """Its windows were all done, but then another file took its place."""
    out = tmp_path / "out" / "sub"
    out.parent.mkdir()
    out.write_text("a file where the folder should be")
    path = Path(shutil.copy(SHORT, tmp_path / "talk.flac"))
    async with BatchDriver(
        settings_for(out.parent, output=OutputSettings(output_name="sub/{stem}")), [path]
    ) as batch:
        await batch.to_the_end()
        assert isinstance(batch.jobs[1].state, Failed)
        out.unlink()
        shutil.copy(demo.clips()[1], path)
        since = len(batch.events)
        batch.send(RetryJobs((1,)))
        finished = await batch.to_the_end(since)
        assert finished.completed == 1
    assert any("restarted because the file has changed" in line for line in batch.log)


async def test_same_stem_from_two_folders_makes_two_outputs(tmp_path: Path) -> None:
    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        paths.append(Path(shutil.copy(SHORT, tmp_path / folder / SHORT.name)))
    settings = settings_for(tmp_path / "out", output=OutputSettings(output_format="txt"))
    async with BatchDriver(settings, paths) as batch:
        await batch.to_the_end()
    assert sorted(outputs(tmp_path / "out")) == ["english-short.flac.txt", "english-short.txt"]


async def test_a_missing_model_ends_the_batch_and_keeps_the_files(tmp_path: Path) -> None:
    from msgspec.structs import replace

    settings = settings_for(tmp_path / "out")
    settings = replace(settings, model=replace(settings.model, model=str(tmp_path / "no model")))
    async with BatchDriver(settings, [SHORT]) as batch:
        finished = await batch.to_the_end()
        assert finished.failure is not None
        assert finished.failure.kind is FailureKind.MODEL_MISSING
        assert kinds(batch) == ["Pending"]


@pytest.mark.parametrize("vad", [True, False])
async def test_silence_is_completed_with_a_warning(vad: bool, tmp_path: Path) -> None:
    """It has no speed: the model did not hear it. The time left is not judged by it."""
    import wave

    path = tmp_path / "silence.wav"
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16000)
        writer.writeframes(bytes(32000 * 4))
    decoding = DecodingSettings(vad_filter=vad)
    async with BatchDriver(settings_for(tmp_path / "out", decoding), [path]) as batch:
        await batch.to_the_end()
    state = batch.jobs[1].state
    assert isinstance(state, Completed)
    assert state.segments == 0
    if not vad:
        assert state.speed is None
        heard = [event for event in batch.events if isinstance(event, JobProgress)]
        assert all(not event.speed for event in heard)
    assert "no speech found" in state.warnings


async def test_a_report_is_written_on_request(tmp_path: Path) -> None:
    out = tmp_path / "out"
    async with BatchDriver(
        settings_for(out, output=OutputSettings(add_report=True)), [SHORT]
    ) as batch:
        finished = await batch.to_the_end()
    assert finished.report is not None
    assert SHORT.name in Path(finished.report).read_text(encoding="utf-8")


async def test_the_next_file_is_prepared_while_this_one_runs(tmp_path: Path) -> None:
    async with BatchDriver(settings_for(tmp_path / "out"), [MINUTE, SHORT]) as batch:
        await batch.to_the_end()

    def number(job: int, accept: type) -> int:
        return next(
            index
            for index, event in enumerate(batch.events)
            if isinstance(event, JobChanged)
            and event.job.id == job
            and isinstance(event.job.state, accept)
        )

    assert number(2, Processing) < number(1, Completed)


async def test_the_session_is_kept_until_all_is_done(tmp_path: Path) -> None:
    sessions = Locations.default().sessions
    async with BatchDriver(settings_for(tmp_path / "out"), [SHORT]) as batch:
        assert list(sessions.glob("*.json"))
        job = batch.jobs[1]
        assert isinstance(job, Job)
    assert list(sessions.glob("*.json"))  # nothing was done
    again = await BatchDriver.resumed()
    async with again:
        await again.to_the_end()
    assert not list(sessions.glob("*.json"))
