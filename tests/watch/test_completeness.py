"""When a file is complete: a table of what was seen and how long to wait."""

import pytest

from fwtui.watch.completeness import Clocks, Observation, complete_in

SETTLE = 3.0
SECOND = 1_000_000_000
NOON = 1_700_000_000 * SECOND
NOW = Clocks(monotonic=100.0, epoch=NOON)


def seen(age: float, *, size: int = 10, renamed_after: float = 0.0) -> Observation:
    """Last written `age` seconds ago; its other data changed so much later."""
    written = NOON - int(age * SECOND)
    return Observation(size, written, written + int(renamed_after * SECOND), (1, 2))


@pytest.mark.parametrize(
    ("sighting", "since", "local", "renamed", "wait"),
    [
        pytest.param(seen(0), 100.0, True, False, 3.0, id="being written"),
        pytest.param(seen(2), 98.0, True, False, 1.0, id="nearly there"),
        pytest.param(seen(3), 97.0, True, False, 0.0, id="unchanged for long enough"),
        pytest.param(seen(500), 100.0, True, False, 0.0, id="old when it was first seen"),
        pytest.param(seen(500), 100.0, False, False, 3.0, id="old by a server's clock"),
        pytest.param(seen(500), 97.0, False, False, 0.0, id="seen on a share for long enough"),
        pytest.param(seen(-900), 99.0, True, False, 2.0, id="written in the future"),
        pytest.param(seen(-900), 90.0, True, False, 0.0, id="in the future, but unchanged"),
        pytest.param(seen(0.5, renamed_after=0.4), 100.0, True, False, 0.0, id="moved to here"),
        pytest.param(seen(0.5, renamed_after=0.4), 100.0, False, False, 3.0, id="moved on a share"),
        pytest.param(seen(0.5, renamed_after=0.004), 100.0, True, False, 2.5, id="coarse clock"),
        pytest.param(seen(0), 100.0, False, True, 0.0, id="was called .part before"),
        pytest.param(seen(900, size=0), 0.0, True, False, None, id="empty"),
        pytest.param(seen(900, size=0), 0.0, True, True, None, id="empty and renamed"),
    ],
)
def test_seconds_until_it_is_complete(
    sighting: Observation, since: float, local: bool, renamed: bool, wait: float | None
) -> None:
    found = complete_in(sighting, since, NOW, SETTLE, local=local, renamed=renamed)
    assert found == (None if wait is None else pytest.approx(wait))


def test_without_a_time_to_settle_it_is_complete_at_once() -> None:
    assert complete_in(seen(0), 100.0, NOW, 0.0, local=False, renamed=False) == 0.0
