import pytest

from fwtui.audio.decode import MAX_UNKNOWN_SILENCE, Timeline

STEP = 0.1


def _play(timeline: Timeline, times: list[float | None]) -> tuple[float, list[float]]:
    """Feed frames of 0.1 s with these timestamps; the length of the sound and each silence."""
    position, silences = 0.0, []
    for time, following in zip(times, [*times[1:], None], strict=True):
        silences.append(timeline.silence_before(time, position, following))
        position += silences[-1] + STEP
    return position, silences


def _steps(begin: float, count: int) -> list[float | None]:
    return [begin + index * STEP for index in range(count)]


def test_a_steady_clock_needs_no_silence() -> None:
    timeline = Timeline(0.0, 2.0)
    length, silences = _play(timeline, _steps(0.0, 20))
    assert length == pytest.approx(2.0)
    assert not any(silences)


def test_the_clock_counts_from_the_containers_start() -> None:
    assert _play(Timeline(1000.0, 1.0), _steps(1000.03, 5))[1] == [0.0] * 5
    assert _play(Timeline(None, 1.0), _steps(7.0, 5))[1] == [0.0] * 5
    assert _play(Timeline(1000.0, 5.0), _steps(1001.5, 5))[1][0] == pytest.approx(1.5)


def test_frames_without_timestamps_follow_each_other() -> None:
    assert _play(Timeline(None, 0.0), [None] * 5)[1] == [0.0] * 5


def test_small_lags_add_up_until_they_count() -> None:
    timeline = Timeline(0.0, 10.0)
    length, silences = _play(timeline, [index * 0.103 for index in range(90)])
    assert length == pytest.approx(90 * 0.103, abs=0.11)
    assert sum(silence > 0 for silence in silences) == timeline.gaps == 2


@pytest.mark.parametrize("wrong", [30.0, -30.0, 0.0, 1e12])
def test_one_wrong_timestamp_moves_nothing(wrong: float) -> None:
    times = _steps(0.0, 60)
    times[40] = wrong
    timeline = Timeline(0.0, 100.0)
    assert _play(timeline, times)[0] == pytest.approx(6.0)
    assert (timeline.gaps, timeline.jumps) == (0, 0)


def test_a_jump_far_beyond_the_end_is_no_gap() -> None:
    timeline = Timeline(0.0, 10.0)
    assert _play(timeline, _steps(0.0, 10) + _steps(1e9, 10))[0] == pytest.approx(2.0)
    assert (timeline.gaps, timeline.jumps) == (0, 1)


def test_without_a_duration_all_silence_together_is_limited() -> None:
    timeline = Timeline(0.0, 0.0)
    times = [step for begin in range(20) for step in _steps(begin * 1000.0, 5)]
    length, _ = _play(timeline, times)
    assert length < MAX_UNKNOWN_SILENCE + 20
    assert timeline.gaps == 3
    assert timeline.jumps == 16


def test_a_nonsense_duration_does_not_allow_endless_silence() -> None:
    timeline = Timeline(0.0, 1e12)
    assert _play(timeline, _steps(0.0, 10) + _steps(1e11, 10))[0] == pytest.approx(2.0)
    assert timeline.jumps == 1


def test_a_clock_set_back_goes_on_from_there() -> None:
    timeline = Timeline(0.0, 20.0)
    times = _steps(0.0, 50) + _steps(0.0, 20) + _steps(4.0, 10)
    length, _ = _play(timeline, times)
    assert length == pytest.approx(8.0 + 2.0)
    assert (timeline.jumps, timeline.gaps) == (1, 1)
