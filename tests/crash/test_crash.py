"""Batches that are killed and resumed; the short version of `python -m tests.crash`."""

import sys
from pathlib import Path
from random import Random

import msgspec
import pytest

from tests.batch.driver import MINUTE
from tests.crash import plans
from tests.crash.life import How, Kill
from tests.crash.scenario import Bench, Outcome

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills process groups")

SEED = 4
SOME = 4  # batches that die in storage calls, three times each


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench.make(tmp_path_factory.mktemp("pair"), plans.PAIR)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench.make(tmp_path_factory.mktemp("mixed"), (MINUTE, plans.SHORT))


def check(outcome: Outcome, kills: int) -> None:
    print(outcome)
    assert outcome.problems == ()
    assert len(outcome.kills) >= kills


@pytest.mark.parametrize("number", range(SOME))
def test_death_in_a_storage_call(number: int, pair: Bench, tmp_path: Path) -> None:
    kills = plans.some_calls(pair, SOME)[number]
    check(pair.play(tmp_path / "killed", kills), kills=1)


@pytest.mark.parametrize("how", [How.PARENT, How.ENGINE, How.TERM, How.INT, How.HUP])
def test_death_at_a_random_instant(how: How, pair: Bench, tmp_path: Path) -> None:
    random = Random(f"{SEED} {how}")
    kills = plans.at_random(pair, random, [how])
    check(pair.play(tmp_path / "killed", kills), kills=0)


def test_several_kills_within_one_file(mixed: Bench, tmp_path: Path) -> None:
    outcome = mixed.play(tmp_path / "killed", plans.in_a_row(3))
    check(outcome, kills=1)
    assert any(repeat.job == 1 for repeat in outcome.repeats)


def test_death_on_the_screen(pair: Bench, tmp_path: Path) -> None:
    """Driven by keys on a terminal: killed in the middle, resumed in the dialog."""
    screen = msgspec.structs.replace(pair, on_screen=True)
    check(screen.play(tmp_path / "killed", [Kill(How.GROUP, 1, windows=True)]), kills=1)


def test_death_while_the_finished_session_is_deleted(pair: Bench, tmp_path: Path) -> None:
    last = len(pair.calls) - 1 - pair.calls[::-1].index("sync_folder")
    outcome = pair.play(tmp_path / "killed", [Kill(How.CALL, last)])
    check(outcome, kills=1)
    assert outcome.lives == 2
