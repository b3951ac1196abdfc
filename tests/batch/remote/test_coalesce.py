"""What is kept of events that nobody has taken yet, and what late ones are told."""

from datetime import UTC, datetime

from fwtui.batch.link import EventCoalescer
from fwtui.batch.remote.server import LOG_LINES, Outbox, RecapRecorder
from fwtui.core.events import (
    AnyEvent,
    BatchFinished,
    BatchProgress,
    EngineChanged,
    JobChanged,
    JobProgress,
    JobsRemoved,
    Level,
    LogLine,
    MemoryReading,
    MemorySampled,
    SegmentsFound,
)
from fwtui.core.job import Job, Processing, State
from tests.cli.batches import NOON, completed

FINISHED = BatchFinished(1, 0, 0, stopped=False, seconds=3.0)


def progress(job: int, done: float) -> JobProgress:
    return JobProgress(job, done, 60.0, 2.0, None)


def memory(rss: float) -> MemorySampled:
    return MemorySampled(MemoryReading(rss, 2.0, 3.0, 4.0, 5.0, 6.0))


def total(done: int) -> BatchProgress:
    return BatchProgress(done, 0, 0, 2, 0.0, 0.0, None)


def changed(job: int, state: State) -> JobChanged:
    return JobChanged(Job(job, "/a.mp3", state=state))


def words(number: int) -> LogLine:
    return LogLine(datetime.fromtimestamp(number, UTC), Level.INFO, f"line {number}")


def taken(*events: AnyEvent) -> list[AnyEvent]:
    gathering: EventCoalescer[AnyEvent] = EventCoalescer()
    for event in events:
        gathering.put(event, event)
    found = list(gathering.drain())
    assert not list(gathering.drain())
    return found


def test_of_progress_and_memory_only_the_latest_is_kept() -> None:
    kept: list[AnyEvent] = [SegmentsFound(1, (), "en"), words(1), SegmentsFound(1, (), "en")]
    mixed: list[AnyEvent] = [kept[0], progress(1, 1), memory(1), total(0), kept[1], progress(1, 2)]
    mixed += [progress(2, 5), kept[2], memory(2), total(1)]
    assert taken(*mixed) == [*kept, progress(1, 2), memory(2), total(1), progress(2, 5)]


def test_progress_from_before_a_change_is_outdated() -> None:
    done = completed()
    assert taken(progress(1, 1), changed(1, done)) == [changed(1, done)]
    assert taken(progress(1, 1), JobsRemoved((1,))) == [JobsRemoved((1,))]
    again: list[AnyEvent] = [changed(1, Processing(NOON)), progress(1, 2)]
    assert taken(progress(1, 1), *again) == again


def test_only_what_is_never_left_out_fills_an_outbox() -> None:
    overflows = 0

    def full() -> None:
        nonlocal overflows
        overflows += 1

    outbox = Outbox(full, most=1000)
    for second in range(1000):
        outbox.event(progress(1, second))
        outbox.event(memory(second))
    assert not outbox.full
    for second in range(1000):
        outbox.event(words(second))
    assert (outbox.full, overflows) == (True, 1)


def test_a_recorder_remembers_the_end_of_the_log_and_what_runs() -> None:
    recorder = RecapRecorder()
    for number in range(LOG_LINES + 7):
        recorder.record(words(number))
    for event in (progress(1, 1), progress(2, 2), progress(3, 3), memory(7), total(2)):
        recorder.record(event)
    recorder.record(changed(1, completed()))
    recorder.record(JobsRemoved((3,)))
    for slot in (2, 0, 1):
        recorder.record(EngineChanged(slot, loading=True))
    recorder.record(EngineChanged(1))
    recorder.record(FINISHED)
    recap = recorder.recap
    assert (recap.log[0], recap.log[-1]) == (words(7), words(LOG_LINES + 6))
    assert recap.progress == (progress(2, 2),)
    assert (recap.rss, recap.batch, recap.finished) == ((7.0,), total(2), FINISHED)
    assert recap.loading == (0, 2)
