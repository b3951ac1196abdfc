"""Speed and ETA."""

import pytest

from fwtui.batch.estimate import Speed, job_eta


@pytest.mark.parametrize(
    ("done", "total", "speed", "eta"),
    [
        (0, 100, 10, 10),
        (50, 100, 10, 5),
        (100, 100, 10, 0),
        (120, 100, 10, 0),
        (0, 0, 10, None),
        (0, 100, 0, None),
    ],
)
def test_job_eta(done: float, total: float, speed: float, eta: float | None) -> None:
    assert job_eta(done, total, speed) == eta


def test_speed_is_of_the_last_windows_and_rests_do_not_count() -> None:
    speed = Speed()
    speed.begin(0.0)
    speed.advance(30.0, 1.0)
    assert speed.value == 30.0
    speed.begin(1000.0)
    speed.advance(30.0, 1001.0)
    assert speed.value == 30.0
    speed.advance(10.0, 1002.0)
    assert 10 < speed.value < 30
    before = speed.value
    speed.advance(0.0, 1003.0)
    speed.advance(5.0, 1003.0)
    assert speed.value == before
