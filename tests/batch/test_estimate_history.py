"""What is remembered of earlier batches, and what is said of the time because of it."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from fwtui.batch.estimate import History, Measured, Pace, key_of
from fwtui.core.events import (
    AnyEvent,
    GpuReading,
    JobChanged,
    JobsAdded,
    MemoryReading,
    MemorySampled,
    Phase,
    PhaseChanged,
)
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Attempt, Completed, Job, MediaInfo, Pending
from fwtui.core.settings import DecodingSettings, ModelSettings, OutputSettings, Settings
from fwtui.core.view import JobCounts
from fwtui.report.report import Prediction
from tests.sessions.samples import NOW

SETTINGS = Settings()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.json"


def test_what_is_saved_is_known_the_next_time(path: Path) -> None:
    history = History(path)
    history.add(SETTINGS, Measured(audio=100, work=20, ram=700))
    history.add(SETTINGS, Measured(audio=60, work=12, ram=900, gpu=300))
    assert history.get(SETTINGS) == Measured(160, 32, 900, 300)
    assert not path.exists()
    history.save()
    assert History(path).get(SETTINGS) == Measured(160, 32, 900, 300)
    assert History(path).get(SETTINGS).speed == 5


def test_two_at_the_same_time_both_count(path: Path) -> None:
    one, other = History(path), History(path)
    one.add(SETTINGS, Measured(10, 1))
    other.add(SETTINGS, Measured(30, 3))
    one.save()
    other.save()
    assert History(path).get(SETTINGS).audio == pytest.approx(40, rel=0.01)


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b'{"version": 2}', b"\xff\xfe", b"[" * 100_000, b'{"measured": 3}'],
)
def test_a_damaged_file_is_as_good_as_none(path: Path, damage: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(damage)
    history = History(path)
    assert history.get(SETTINGS) == Measured()
    history.add(SETTINGS, Measured(10, 2))
    history.save()
    assert History(path).get(SETTINGS) == Measured(10, 2)


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_memory(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    history = History(tmp_path / "state" / "history.json")
    history.add(SETTINGS, Measured(10, 2))
    history.save()
    assert history.get(SETTINGS).speed == 5


def test_only_what_decides_speed_and_memory_tells_batches_apart() -> None:
    def with_(**values: Any) -> str:
        return key_of(replace(SETTINGS, **values))

    same = {
        with_(),
        with_(output=OutputSettings(output_dir="/elsewhere")),
        with_(decoding=DecodingSettings(language="de")),
    }
    others = [
        with_(model=ModelSettings(compute_type="int8")),
        with_(model=ModelSettings(device="cpu")),
        with_(decoding=DecodingSettings(beam_size=1)),
        with_(decoding=DecodingSettings(batched=True, batch_size=4)),
        with_(decoding=DecodingSettings(batched=True, batch_size=8)),
    ]
    assert len(same) == 1
    assert len({*same, *others}) == 6


def test_old_speeds_fade_and_old_peaks_too() -> None:
    old = Measured(audio=36000, work=36000, ram=1000)
    new = old.and_then(Measured(audio=18000, work=1800, ram=500))
    assert new.speed == pytest.approx(36000 / 19800)
    assert new.ram == 900
    assert new.and_then(Measured()).ram == 900  # nothing was measured


def test_the_file_does_not_grow_for_ever(path: Path) -> None:
    for number in range(210):
        history = History(path)
        history.add(Settings(model=ModelSettings(model=f"m{number}")), Measured(1, 1))
        history.save()
    assert History(path).get(Settings(model=ModelSettings(model="m5"))) == Measured()
    assert History(path).get(Settings(model=ModelSettings(model="m209"))).speed == 1


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def tally(*jobs: Job) -> JobCounts:
    found = JobCounts()
    for job in jobs:
        found.add(job)
    return found


def job(number: int, seconds: float) -> Job:
    return Job(number, f"/f{number}", media=MediaInfo(seconds) if seconds else None)


def completed(number: int, audio: float, work: float, **more: Any) -> JobChanged:
    state = Completed(NOW, NOW, (), audio, work, "en", 1)
    return JobChanged(Job(number, f"/f{number}", state=state, **more))


def pace_of(clock: Clock, history: History, *events: AnyEvent) -> Pace:
    pace = Pace(lambda: SETTINGS, history, clock)
    pace.begin(())
    for event in events:
        pace.hear(event)
    return pace


def test_an_eta_comes_from_history_before_the_first_window() -> None:
    history = History(None)
    history.add(SETTINGS, Measured(audio=100, work=10))
    pace = pace_of(Clock(), history)
    jobs = tally(job(1, 300), job(2, 100))
    assert pace.eta(jobs, 0, pace.speed(0)) == 40
    assert pace.eta(jobs, 0, pace.speed(20)) == 20  # what is measured now counts


@pytest.mark.parametrize(
    ("jobs", "speed", "eta", "kept"),
    [
        (tally(job(1, 0)), 10, None, False),  # no length is known: nothing can be said
        (tally(job(1, 100)), 0, None, False),  # nor without a speed
        (tally(job(1, 100), job(2, 0)), 10, 20, False),  # a guess, which nobody is held to
        (tally(job(1, 100), job(2, 50)), 10, 15, True),
    ],
)
def test_what_is_not_known_is_not_said(
    jobs: JobCounts, speed: float, eta: float | None, kept: bool
) -> None:
    pace = pace_of(Clock(), History(None))
    assert pace.eta(jobs, 0, speed) == eta
    assert (pace.prediction is not None) is kept


def test_the_first_eta_is_held_against_what_it_took_without_the_rests() -> None:
    clock = Clock()
    pace = pace_of(clock, History(None))
    clock.now += 5
    pace.eta(tally(job(1, 100)), 0, 2)
    clock.now += 30
    pace.hear(PhaseChanged(Phase.PAUSED))
    clock.now += 1000
    pace.hear(PhaseChanged(Phase.RUNNING))
    clock.now += 10
    pace.eta(tally(job(1, 100)), 80, 2)  # later ones do not count
    pace.end(stopped=False)
    assert pace.prediction == Prediction(after=5, seconds=50, took=40)
    assert pace.prediction is not None
    assert pace.prediction.error == pytest.approx(0.25)


def test_another_queue_is_another_prediction_and_a_stop_is_none() -> None:
    clock = Clock()
    pace = pace_of(clock, History(None))
    pace.eta(tally(job(1, 100)), 0, 2)
    clock.now += 10
    pace.hear(JobsAdded((job(2, 100),)))
    pace.eta(tally(job(1, 100), job(2, 100)), 20, 2)
    assert pace.prediction == Prediction(after=10, seconds=90)
    pace.end(stopped=True)
    assert pace.prediction is None


def test_only_whole_untroubled_files_say_how_fast_it_is() -> None:
    attempt = Attempt(NOW, Failure(FailureKind.OUT_OF_MEMORY, "x"), 1, "y")
    history = History(None)
    pace_of(
        Clock(),
        history,
        completed(1, 100, 10),
        JobChanged(Job(2, "/f2", state=Pending(50))),
        completed(2, 100, 5),
        completed(3, 100, 5, attempts=(attempt,)),
        completed(4, 100, 0),  # from the journal
    )
    assert history.get(SETTINGS) == Measured(100, 10)


def test_peaks_are_those_of_engines_and_of_what_they_add_to_a_gpu() -> None:
    def sampled(engines: float, used: float) -> MemorySampled:
        gpus = (GpuReading(0, "Some GPU", used, 8000, 0),)
        return MemorySampled(MemoryReading(0, 0, 0, 0, 0, 0, gpus, engines=engines))

    history = History(None)
    pace_of(Clock(), history, sampled(0, 500), sampled(700, 2500), sampled(600, 2000))
    assert history.get(SETTINGS) == Measured(ram=700, gpu=2000)
