"""Events as JSON lines."""

import os
import threading

import msgspec

from fwtui.cli.jsonlines import JsonLines
from fwtui.core.events import (
    AnyEvent,
    JobChanged,
    JobProgress,
    MemoryReading,
    MemorySampled,
    with_explicit_stems,
)
from fwtui.core.job import Pending
from tests.cli.batches import completed, failed, finished, job, snapshot

EVENTS: list[AnyEvent] = [
    snapshot(job(1, completed()), job(2, failed(), "\udcff.mp3")),
    MemorySampled(MemoryReading(1.0, 2.0, 3.0, 4.0, 5.0, 6.0)),
    JobProgress(1, 1.0, 2.0, 3.0, None),
    finished(),
]


def test_each_event_is_one_line_that_decodes_to_the_event() -> None:
    reading, writing = os.pipe()
    lines = JsonLines(writing)
    for event in EVENTS:
        lines(event)
    lines.close()
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        found = [msgspec.json.decode(line, type=AnyEvent) for line in stream]
    assert found == [with_explicit_stems(event) for event in EVENTS]


def test_names_of_outputs_are_told_in_full() -> None:
    event = with_explicit_stems(JobChanged(job(1, Pending(), "talk.mp3")))
    assert b'"stem":"talk"' in msgspec.json.encode(event)
    assert with_explicit_stems(event) == event


def test_a_reader_that_leaves_stops_the_writing_only() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    lines = JsonLines(writing)
    for _ in range(1000):
        lines(EVENTS[0])
    lines.close()
    os.close(writing)


def test_a_slow_reader_holds_up_nobody() -> None:
    reading, writing = os.pipe()
    lines = JsonLines(writing)
    for _ in range(10_000):  # far more than a pipe holds
        lines(EVENTS[2])
    closing = threading.Thread(target=lines.close)
    closing.start()
    assert closing.is_alive()
    with os.fdopen(reading, "rb") as stream:
        count = sum(1 for _ in zip(range(10_000), stream, strict=False))
    closing.join()
    os.close(writing)
    assert count == 10_000
