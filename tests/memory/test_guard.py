"""The guard's decisions, as tables, and through a batch's whole life."""

import pytest
from msgspec.structs import replace

from fwtui.core.events import GpuReading, MemoryReading
from fwtui.core.settings import MemorySettings
from fwtui.core.text import Amount
from fwtui.memory.guard import (
    Alert,
    AlertOver,
    GuardState,
    Limits,
    ReplaceEngine,
    StepDown,
    decide,
    limits_of,
    with_limits,
)

LIMITS = Limits(warn=Amount(800), limit=Amount(1000))
GPU, GPU_SHARE = Limits(gpu=Amount(900)), Limits(gpu=Amount(90, is_share=True))
QUIET, ALERTED = GuardState(), GuardState(alerted=True)
LEAVING = GuardState(alerted=True, replacing=True)
STRUCK = GuardState(strikes=1)


def reading(
    rss: float, available: float = 5000, gpus: tuple[GpuReading, ...] = ()
) -> MemoryReading:
    return MemoryReading(rss, 2 * rss, 0, rss, 3000, 8000, gpus, available)


def on_gpu(used: float, ours: float | None = None) -> MemoryReading:
    return reading(5, gpus=(GpuReading(0, "Some GPU", used, 1000, 0, ours=ours),))


@pytest.mark.parametrize(
    ("now", "limits", "before", "windows", "kind", "after"),
    [
        (reading(700), LIMITS, QUIET, 9, None, QUIET),
        (reading(801), LIMITS, QUIET, 9, Alert, ALERTED),
        (reading(801), LIMITS, QUIET, 0, Alert, ALERTED),
        (reading(900), LIMITS, ALERTED, 9, None, ALERTED),  # said once
        (reading(790), LIMITS, ALERTED, 9, None, ALERTED),  # not yet calm
        (reading(700), LIMITS, ALERTED, 9, AlertOver, QUIET),
        (reading(100, available=390), LIMITS, QUIET, 9, Alert, ALERTED),  # others use it
        (reading(100, available=390), Limits(), QUIET, 9, None, QUIET),
        (reading(9000), Limits(), QUIET, 9, None, QUIET),
        (reading(1001), LIMITS, QUIET, 9, ReplaceEngine, LEAVING),
        (reading(1001), LIMITS, QUIET, 0, Alert, ALERTED),  # a model is judged when it is loaded
        (reading(1001), LIMITS, LEAVING, 9, None, LEAVING),
        (reading(1001), LIMITS, QUIET, 2, ReplaceEngine, replace(LEAVING, strikes=1)),
        (reading(1001), LIMITS, STRUCK, 2, StepDown, replace(LEAVING, strikes=2)),
        (reading(1001), LIMITS, STRUCK, 3, ReplaceEngine, LEAVING),
        (on_gpu(901), GPU, QUIET, 9, ReplaceEngine, LEAVING),
        (on_gpu(901, ours=800), GPU, QUIET, 9, None, QUIET),
        (on_gpu(950, ours=901), GPU_SHARE, QUIET, 9, ReplaceEngine, LEAVING),
    ],
)
def test_decisions(
    now: MemoryReading,
    limits: Limits,
    before: GuardState,
    windows: int,
    kind: type | None,
    after: GuardState,
) -> None:
    action, state = decide(now, limits, before, windows)
    assert type(action) is (kind or type(None))
    assert state == after


def test_a_limit_that_nothing_can_hold_ends() -> None:
    """Each engine is over the limit after its first window: two, then smaller steps only."""
    state, kinds = GuardState(), []
    for _ in range(4):
        action, state = decide(reading(1200), LIMITS, state, 1)
        kinds.append(type(action))
        state = replace(state, replacing=False)  # the next engine is loaded
    assert kinds == [ReplaceEngine, StepDown, StepDown, StepDown]


def test_growth_that_a_fresh_engine_cures_goes_on_for_ever() -> None:
    state, recycled = GuardState(), 0
    for _ in range(20):
        for windows in range(10):
            action, state = decide(reading(700 + 40 * windows), LIMITS, state, windows)
            assert not isinstance(action, StepDown)
            recycled += isinstance(action, ReplaceEngine)
        state = replace(state, replacing=False)
    assert recycled == 20


def test_shares_are_of_the_container_where_that_has_less() -> None:
    limits = limits_of(MemorySettings(warn="50%", limit="75%"))
    assert with_limits(reading(1), limits).warn == 4000
    small = with_limits(replace(reading(1), cgroup_limit=2000), limits)
    assert (small.warn, small.limit) == (1000, 1500)
    assert limits_of(MemorySettings(warn="off", limit="nonsense")) == Limits()


def test_the_texts_name_the_numbers_and_the_setting() -> None:
    action, _ = decide(reading(1234), LIMITS, QUIET, 9)
    assert action == ReplaceEngine("fwtui uses 1234 MB, and memory.limit is 1000 MB")
    action, _ = decide(reading(900), LIMITS, QUIET, 9)
    assert action == Alert("fwtui uses 900 MB, and memory.warn is 800 MB")
