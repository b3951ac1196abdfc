"""The out-of-memory ladder and the retry decisions, as tables."""

import pytest

from fwtui.batch.retry import FailedAttempt, GiveUp, Retry, decide, first_rung, ladder
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.settings import BatchSettings, DecodingSettings, ModelSettings, Settings

BIG = Settings(decoding=DecodingSettings(beam_size=5))
SMALL = Settings(model=ModelSettings(compute_type="int8"), decoding=DecodingSettings(beam_size=1))
WITHOUT_SAMPLING = Settings(
    model=SMALL.model, decoding=DecodingSettings(temperature_increment_on_fallback=None)
)
SMALLEST = Settings(model=SMALL.model, decoding=DecodingSettings(beam_size=1, best_of=1))
BATCHED = Settings(
    model=ModelSettings(compute_type="int8"), decoding=DecodingSettings(batched=True)
)
NARROW = "beam size and best of 1"
WITH_CPU = Settings(batch=BatchSettings(cpu_fallback=True))


@pytest.mark.parametrize(
    ("settings", "device", "remedies"),
    [
        (BIG, "cpu", ["", "a fresh engine", NARROW, "compute type int8"]),
        (
            BIG,
            "cuda",
            ["", "a fresh engine", NARROW, "compute type int8_float16"],
        ),
        (
            WITH_CPU,
            "cuda",
            [
                "",
                "a fresh engine",
                NARROW,
                "compute type int8_float16",
                "the CPU",
            ],
        ),
        (
            WITH_CPU,
            "auto",
            ["", "a fresh engine", NARROW, "compute type int8", "the CPU"],
        ),
        (WITH_CPU, "cpu", ["", "a fresh engine", NARROW, "compute type int8"]),
        (SMALL, "cpu", ["", "a fresh engine", "best of 1"]),
        (WITHOUT_SAMPLING, "cpu", ["", "a fresh engine", "beam size 1"]),
        (SMALLEST, "cpu", ["", "a fresh engine"]),
        (
            BATCHED,
            "cpu",
            ["", "a fresh engine", "batch size 2", "batch size 1", NARROW],
        ),
        (
            BATCHED,
            "cuda",
            [
                "",
                "a fresh engine",
                *(f"batch size {n}" for n in (8, 4, 2, 1)),
                NARROW,
            ],
        ),
    ],
)
def test_ladder(settings: Settings, device: str, remedies: list[str]) -> None:
    rungs = ladder(settings, device)
    assert [rung.remedy for rung in rungs] == remedies
    assert (rungs[0].model, rungs[0].decoding) == (settings.model, settings.decoding)


def test_each_rung_keeps_what_the_ones_before_took_away() -> None:
    last = ladder(WITH_CPU, "cuda")[-1]
    assert last.decoding.beam_size == 1
    assert (last.model.device, last.model.compute_type) == ("cpu", "int8")
    last = ladder(BATCHED, "cpu")[-1]
    assert (last.decoding.batch_size, last.decoding.beam_size) == (1, 1)
    assert last.decoding.best_of == 1


@pytest.mark.parametrize(
    ("recent", "rung"),
    [((), 0), ((2, 2), 0), ((2, 3, 2), 2), ((3, 3, 3), 3), ((2, 0, 2), 0), ((1, 1, 1), 0)],
)
def test_the_next_file_starts_lower_only_after_three_that_needed_it(
    recent: tuple[int, ...], rung: int
) -> None:
    assert first_rung(recent) == rung
    assert first_rung((0, *recent)) == rung


MEMORY = Failure(FailureKind.OUT_OF_MEMORY, "Out of memory")
DIED = Failure(FailureKind.ENGINE_DIED, "The engine died")
BAD = Failure(FailureKind.BAD_MEDIA, "Not a media file")
SCRATCH = Failure(FailureKind.SCRATCH_CHANGED, "The decoded audio was changed")


@pytest.mark.parametrize(
    ("attempt", "decision"),
    [
        (FailedAttempt(MEMORY, rung=0, rungs=4), Retry(1)),
        (FailedAttempt(MEMORY, rung=2, rungs=4), Retry(3)),
        (FailedAttempt(DIED, rung=2, rungs=4, deaths_here=1, deaths=1), Retry(2)),
        (
            FailedAttempt(DIED, rung=0, rungs=4, deaths_here=2, deaths=2, started=True),
            Retry(0, skip_window=True),
        ),
        (FailedAttempt(DIED, rung=0, rungs=4, deaths_here=2, deaths=2), GiveUp(DIED)),
        (
            FailedAttempt(DIED, rung=0, rungs=4, deaths_here=1, deaths=20, started=True),
            GiveUp(DIED),
        ),
        (FailedAttempt(BAD, rung=0, rungs=4), GiveUp(BAD)),
        # decoded again in the same engine, but not for ever
        (FailedAttempt(SCRATCH, rung=1, rungs=4, changes=1), Retry(1, alone=False)),
        (FailedAttempt(SCRATCH, rung=1, rungs=4, changes=9, shared=True), Retry(1)),
        # with others in the same batch: none is failed, or blamed for a death, before it was alone
        (FailedAttempt(MEMORY, rung=1, rungs=4, shared=True), Retry(2, alone=False)),
        (FailedAttempt(MEMORY, rung=3, rungs=4, shared=True), Retry(3)),
        (FailedAttempt(DIED, rung=1, rungs=4, deaths=20, started=True, shared=True), Retry(1)),
    ],
)
def test_decisions(attempt: FailedAttempt, decision: Retry | GiveUp) -> None:
    assert decide(attempt) == decision


def test_the_end_of_the_ladder_is_the_documents_memory_error() -> None:
    end = decide(FailedAttempt(MEMORY, rung=3, rungs=4))
    assert isinstance(end, GiveUp)
    assert end.failure.title == "Failed (Memory Error): Out of memory"


# --- progress ------------------------------------------------------------------------------------

KILLED = Failure(FailureKind.OUT_OF_MEMORY, "The engine was killed")


@pytest.mark.parametrize("rung", range(5))
@pytest.mark.parametrize("progress", range(6))
def test_rungs_are_forgotten_after_progress(rung: int, progress: int) -> None:
    decision = decide(FailedAttempt(KILLED, rung, 5, started=True, progress=progress))
    if progress >= 3:
        assert decision == Retry(1)
    elif rung == 4:
        assert isinstance(decision, GiveUp)
    else:
        assert decision == Retry(rung + 1)
    only = decide(FailedAttempt(KILLED, 0, 1, started=True, progress=progress))
    assert isinstance(only, Retry) == (progress >= 3)


@pytest.mark.parametrize("skipped", range(4))
@pytest.mark.parametrize("transcribed", [False, True])
def test_a_file_that_only_kills_is_given_up_soon(skipped: int, transcribed: bool) -> None:
    attempt = FailedAttempt(
        DIED, 0, 4, deaths_here=2, deaths=2 * skipped + 2, started=True,
        transcribed=transcribed, skipped=skipped,
    )  # fmt: skip
    decision = decide(attempt)
    if transcribed or skipped < 2:
        assert decision == Retry(0, skip_window=True)
    else:
        assert isinstance(decision, GiveUp)
        assert decision.failure.kind is FailureKind.ENGINE_UNUSABLE
