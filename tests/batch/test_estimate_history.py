"""What is remembered of earlier batches, and what is said of the time because of it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from fwtui.batch.estimate import (
    BatchEstimate,
    Performance,
    PerformanceHistory,
    settings_key,
    shortage,
)
from fwtui.core.events import GpuReading, MemoryReading, Phase
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
    history = PerformanceHistory(path)
    history.add(SETTINGS, Performance(audio=100, work=20, ram=700))
    history.add(SETTINGS, Performance(audio=60, work=12, ram=900, gpu=300))
    assert history.get(SETTINGS) == Performance(160, 32, 900, 300)
    assert not path.exists()
    history.save()
    assert PerformanceHistory(path).get(SETTINGS) == Performance(160, 32, 900, 300)
    assert PerformanceHistory(path).get(SETTINGS).speed == 5


def test_two_at_the_same_time_both_count(path: Path) -> None:
    one, other = PerformanceHistory(path), PerformanceHistory(path)
    one.add(SETTINGS, Performance(10, 1))
    other.add(SETTINGS, Performance(30, 3))
    one.save()
    other.save()
    assert PerformanceHistory(path).get(SETTINGS).audio == pytest.approx(40, rel=0.01)


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b'{"version": 2}', b"\xff\xfe", b"[" * 100_000, b'{"measured": 3}'],
)
def test_a_damaged_file_is_as_good_as_none(path: Path, damage: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(damage)
    history = PerformanceHistory(path)
    assert history.get(SETTINGS) == Performance()
    history.add(SETTINGS, Performance(10, 2))
    history.save()
    assert PerformanceHistory(path).get(SETTINGS) == Performance(10, 2)


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_memory(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    history = PerformanceHistory(tmp_path / "state" / "history.json")
    history.add(SETTINGS, Performance(10, 2))
    history.save()
    assert history.get(SETTINGS).speed == 5


def test_only_what_decides_speed_and_memory_tells_batches_apart() -> None:
    def with_(**values: Any) -> str:
        return settings_key(replace(SETTINGS, **values))

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


def test_old_speeds_fade_but_a_peak_is_a_peak() -> None:
    old = Performance(audio=36000, work=36000, ram=1000, gpu=300, short_ram=1200)
    new = old.combined(Performance(audio=18000, work=1800, ram=500, gpu=1))
    assert new.speed == pytest.approx(36000 / 19800)
    for _ in range(100):
        new = new.combined(Performance(audio=18000, work=1800, ram=1, gpu=1))
    assert (new.ram, new.gpu, new.short_ram) == (1000, 300, 1200)
    assert new.combined(Performance(ram=1100)).ram == 1100


def test_of_a_file_of_the_old_kind_only_the_speeds_are_used(path: Path) -> None:
    """Its peaks were those of engines that were still loading, and lowered batch by batch."""
    path.parent.mkdir()
    old = {"audio": 100.0, "work": 20.0, "ram": 15.0, "gpu": 3.0}
    path.write_bytes(msgspec.json.encode({"version": 1, "measured": {settings_key(SETTINGS): old}}))
    history = PerformanceHistory(path)
    assert history.get(SETTINGS) == Performance(100, 20)
    history.add(SETTINGS, Performance(ram=700))
    history.save()
    assert PerformanceHistory(path).get(SETTINGS) == Performance(100, 20, 700)


@pytest.mark.parametrize("value", [-1.0, -1e300])
def test_measurements_that_cannot_be_are_dropped(path: Path, value: float) -> None:
    path.parent.mkdir()
    for name in ("audio", "work", "ram", "gpu", "short_ram", "short_gpu"):
        wrong = {"version": 2, "measured": {settings_key(SETTINGS): {name: value}}}
        path.write_bytes(msgspec.json.encode(wrong))
        assert PerformanceHistory(path).get(SETTINGS) == Performance()


@pytest.mark.parametrize(
    ("used", "free", "least"),
    [(300, 100, 400), (300, 0, 300), (300, 64000, 450), (300, -5, 300)],
)
def test_what_was_not_enough(used: float, free: float, least: float) -> None:
    assert shortage(used, free) == least


def test_the_file_does_not_grow_for_ever(path: Path) -> None:
    for number in range(210):
        history = PerformanceHistory(path)
        history.add(Settings(model=ModelSettings(model=f"m{number}")), Performance(1, 1))
        history.save()
    assert PerformanceHistory(path).get(Settings(model=ModelSettings(model="m5"))) == Performance()
    assert PerformanceHistory(path).get(Settings(model=ModelSettings(model="m209"))).speed == 1


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def counts(*jobs: Job) -> JobCounts:
    found = JobCounts()
    found.add_all(jobs)
    return found


def job(number: int, seconds: float) -> Job:
    return Job(number, f"/f{number}", media=MediaInfo(seconds) if seconds else None)


def completed(number: int, audio: float, work: float, **more: Any) -> Job:
    state = Completed(NOW, NOW, (), audio, work, "en", 1)
    return Job(number, f"/f{number}", state=state, **more)


def started(clock: Clock, history: PerformanceHistory) -> BatchEstimate:
    estimate = BatchEstimate(lambda: SETTINGS, history, clock)
    estimate.start(())
    return estimate


def test_an_eta_comes_from_history_before_the_first_window() -> None:
    history = PerformanceHistory(None)
    history.add(SETTINGS, Performance(audio=100, work=10))
    estimate = started(Clock(), history)
    jobs = counts(job(1, 300), job(2, 100))
    assert estimate.eta(jobs, 0, estimate.speed(0)) == 40
    assert estimate.eta(jobs, 0, estimate.speed(20)) == 20  # what is measured now counts


@pytest.mark.parametrize(
    ("jobs", "speed", "eta", "kept"),
    [
        (counts(job(1, 0)), 10, None, False),  # no length is known: nothing can be said
        (counts(job(1, 100)), 0, None, False),  # nor without a speed
        (counts(job(1, 100), job(2, 0)), 10, 20, False),  # a guess, which nobody is held to
        (counts(job(1, 100), job(2, 50)), 10, 15, True),
    ],
)
def test_what_is_not_known_is_not_said(
    jobs: JobCounts, speed: float, eta: float | None, kept: bool
) -> None:
    estimate = started(Clock(), PerformanceHistory(None))
    assert estimate.eta(jobs, 0, speed) == eta
    assert (estimate.prediction is not None) is kept


def test_the_first_eta_is_held_against_what_it_took_without_the_rests() -> None:
    clock = Clock()
    estimate = started(clock, PerformanceHistory(None))
    clock.now += 5
    estimate.eta(counts(job(1, 100)), 0, 2)
    clock.now += 30
    estimate.phase_changed(Phase.PAUSED)
    clock.now += 1000
    estimate.phase_changed(Phase.RUNNING)
    clock.now += 10
    estimate.eta(counts(job(1, 100)), 80, 2)  # later ones do not count
    estimate.end(stopped=False)
    assert estimate.prediction == Prediction(after=5, seconds=50, took=40)
    assert estimate.prediction is not None
    assert estimate.prediction.error == pytest.approx(0.25)


def test_another_queue_is_another_prediction_and_a_stop_is_none() -> None:
    clock = Clock()
    estimate = started(clock, PerformanceHistory(None))
    estimate.eta(counts(job(1, 100)), 0, 2)
    clock.now += 10
    estimate.queue_changed()
    estimate.eta(counts(job(1, 100), job(2, 100)), 20, 2)
    assert estimate.prediction == Prediction(after=10, seconds=90)
    estimate.end(stopped=True)
    assert estimate.prediction is None


def test_only_whole_untroubled_files_say_how_fast_it_is() -> None:
    attempt = Attempt(NOW, Failure(FailureKind.OUT_OF_MEMORY, "x"), 1, "y")
    history = PerformanceHistory(None)
    estimate = started(Clock(), history)
    for changed in (
        completed(1, 100, 10),
        Job(2, "/f2", state=Pending(50)),
        completed(2, 100, 5),
        completed(3, 100, 5, attempts=(attempt,)),
        completed(4, 100, 0),  # from the journal
    ):
        estimate.job_changed(changed)
    assert history.get(SETTINGS) == Performance(100, 10)


def test_a_file_s_own_settings_are_those_that_were_measured() -> None:
    history = PerformanceHistory(None)
    estimate = started(Clock(), history)
    estimate.job_changed(completed(1, 100, 5, settings={"decoding.beam_size": 1}))
    assert history.get(SETTINGS) == Performance()
    own = replace(SETTINGS, decoding=replace(SETTINGS.decoding, beam_size=1))
    assert history.get(own) == Performance(100, 5)


def test_a_gpu_s_peak_is_what_engines_add_once_they_have_worked() -> None:
    def reading(engines: float, used: float) -> MemoryReading:
        gpus = (GpuReading(0, "Some GPU", used, 8000, 0),)
        return MemoryReading(0, 0, 0, 0, 0, 0, gpus, engines=engines)

    history = PerformanceHistory(None)
    estimate = started(Clock(), history)
    estimate.memory_measured(reading(0, 500), worked=False)
    estimate.memory_measured(reading(15, 600), worked=False)  # it is loading
    assert history.get(SETTINGS) == Performance()
    for used in (2500, 2000):
        estimate.memory_measured(reading(600, used), worked=True)
    assert history.get(SETTINGS) == Performance(gpu=2000)
