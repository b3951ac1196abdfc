"""The bench: what it tries, what it recommends, and one real run."""

import json
from pathlib import Path

import pytest

from fwtui.batch.estimate import PerformanceHistory
from fwtui.cli.bench import Bench, Case, Outcome, best, cases, table, usual_cases
from fwtui.config.locations import Locations
from fwtui.config.sources import load_profiles
from fwtui.core.settings import ModelSettings
from fwtui.errors import ExitCode
from tests.batch.driver import SHORT, settings_for
from tests.cli.program import fwtui

INT8, FLOAT, BATCH = Case("int8"), Case("float32"), Case("int8", batch_size=4)


def test_what_is_tried() -> None:
    assert cases(("int8", "float32"), (1, 4), (1,)) == (
        INT8,
        BATCH,
        FLOAT,
        Case("float32", batch_size=4),
    )
    assert INT8 in usual_cases("cpu")
    assert all(case.compute_type != "float16" for case in usual_cases("cpu"))


@pytest.mark.parametrize(
    ("outcomes", "free", "chosen"),
    [
        ([], 1000, None),
        ([Outcome(INT8, failure="no")], 1000, None),
        ([Outcome(INT8, 10, ram=200), Outcome(FLOAT, 12, ram=400)], 1000, FLOAT),
        ([Outcome(INT8, 10, ram=200), Outcome(FLOAT, 10.3, ram=400)], 1000, INT8),
        ([Outcome(INT8, 10, ram=200), Outcome(FLOAT, 12, ram=400)], 300, INT8),
        ([Outcome(INT8, 10, ram=200), Outcome(BATCH, 20, failure="Out of memory")], 1000, INT8),
    ],
)
def test_fast_and_of_the_fast_ones_small(
    outcomes: list[Outcome], free: float, chosen: Case | None
) -> None:
    found = best(outcomes, free)
    assert (found.case if found else None) == chosen


def test_a_case_becomes_settings_and_a_profile(tmp_path: Path) -> None:
    settings = BATCH.settings(settings_for(tmp_path))
    assert (settings.decoding.batched, settings.decoding.batch_size) == (True, 4)
    assert settings.model.compute_type == "int8"
    assert BATCH.profile()["decoding.batch_size"] == 4
    assert INT8.profile()["decoding.batched"] is False


def test_the_table_says_which_and_why_not() -> None:
    good, bad = Outcome(INT8, 12.34, 0.5, 321.4), Outcome(FLOAT, failure="Out of memory (x)")
    lines = table([good, bad], good)
    assert lines[1].split()[:6] == ["int8", "1", "1", "12.3×", "0.5", "321"]
    assert lines[1].endswith("<- recommended")
    assert "failed" in lines[2]
    assert lines[3] == "float32, sequential, 1 engine: Out of memory (x)"


def test_a_model_that_does_not_load_is_an_outcome(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    broken = ModelSettings(model=str(tmp_path), device="cpu")
    bench = Bench(type(settings)(model=broken), SHORT, tmp_path, PerformanceHistory(None))
    (outcome,) = bench.run((INT8,))
    assert "is not a CTranslate2 Whisper model" in outcome.failure
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".wav"] == []


def test_a_real_bench_measures_remembers_and_saves(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    model = ("--model", settings.model.model, "--device", "cpu", "--threads", "1")
    tried = ("--try_compute_types", "int8", "--try_batch_sizes", "1,2", "--try_workers", "2,1")
    result = fwtui("bench", SHORT, *model, *tried, "--save", "quick", "--json")
    assert result.returncode == ExitCode.DONE, result.stderr
    found = json.loads(result.stdout)
    assert [each["case"]["workers"] for each in found["results"]] == [2, 1, 2, 1]
    assert all(each["speed"] > 0 and each["ram"] > 50 for each in found["results"])
    assert found["recommended"]["model.compute_type"] == "int8"
    locations = Locations.default()
    assert [profile.name for profile in load_profiles(locations.config_file)] == ["quick"]
    known = json.loads(locations.history.read_text())["measured"]
    assert len(known) == 2  # of one engine each; two at once say nothing of one
    assert not any(locations.scratch.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [("--try_workers", "0"), ("--try_batch_sizes", "many"), ("--try_compute_types", "int3")],
)
def test_what_cannot_be_tried(arguments: tuple[str, str]) -> None:
    assert fwtui("bench", SHORT, *arguments).returncode == ExitCode.USAGE
