"""Whose turn it is, by the loudness of the channels: leaks, noise, gains, several channels."""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from fwtui.audio.channel_turns import active_channels, channel_turns, leaks
from fwtui.audio.loudness import ChannelLevels, LevelMeter, loudness_codes
from fwtui.audio.signal import Muted
from tests.audio.making import Sound

Levels = npt.NDArray[np.float64]
SECOND = 50  # frames
SILENT = -127.5


def voice(frames: int, seed: int, level: float = -20.0) -> Levels:
    """The loudness of somebody who speaks all the time, in dB: syllables, and short pauses."""
    random = np.random.default_rng(seed)
    syllables = np.repeat(random.normal(level, 4, frames // 8 + 1), 8)[:frames]
    return np.asarray(syllables + random.normal(0, 1.5, frames))


def scene(
    spans: list[list[tuple[float, float]]],
    seconds: float,
    leak: float | None = None,
    noise: float = -75.0,
    gains: tuple[float, ...] = (0, 0, 0, 0),
) -> ChannelLevels:
    """Channels whose speakers talk in these spans; `leak`, `noise` and `gains` in dB."""
    frames = round(seconds * SECOND)
    own = []
    for number, spoken in enumerate(spans):
        level = np.full(frames, SILENT)
        for begin, end in spoken:
            part = slice(round(begin * SECOND), round(end * SECOND))
            level[part] = voice(frames, number)[part]
        own.append(10 ** (level / 10))
    random = np.random.default_rng(9)
    rows = []
    for number, power in enumerate(own):
        others = sum(one for index, one in enumerate(own) if index != number)
        total = power + (others * 10 ** (leak / 10) if leak is not None else 0)
        floor = 10 ** (random.normal(noise, 1, frames) / 10)
        rows.append((total + floor) * 10 ** (gains[number] / 10))
    return ChannelLevels(loudness_codes((np.stack(rows) * 32768**2).astype(np.float32)))


TWO = [[(1.0, 9.0), (20.0, 30.0), (41.0, 50.0)], [(11.0, 19.0), (27.0, 38.0), (51.0, 58.0)]]
CONDITIONS: dict[str, Any] = {
    "clean": {},
    "leak of 20 dB": {"leak": -20.0},
    "leak of 12 dB": {"leak": -12.0},
    "noise": {"noise": -45.0},
    "leak and noise": {"leak": -20.0, "noise": -50.0},
    "right 18 dB weaker": {"gains": (0, -18, 0, 0)},
    "left 25 dB weaker, leak": {"gains": (-25, 0, 0, 0), "leak": -20.0, "noise": -90.0},
    "digital silence": {"noise": -200.0},
}


def _share(levels: ChannelLevels, spans: list[list[tuple[float, float]]]) -> tuple[float, float]:
    """Which share of what is said is in a turn of its channel, and which is in none of its own."""
    hit = said = wrong = 0
    for active, spoken in zip(active_channels(levels.decibels), spans, strict=True):
        true = np.zeros_like(active)
        for begin, end in spoken:
            true[round(begin * SECOND) : round(end * SECOND)] = True
        hit += int((active & true).sum())
        said += int(true.sum())
        wrong += int((active & ~true).sum())
    return hit / said, wrong / said


@pytest.mark.parametrize("condition", CONDITIONS)
def test_turns_are_those_of_the_channel(condition: str) -> None:
    levels = scene(TWO, 60.0, **CONDITIONS[condition])
    found, wrong = _share(levels, TWO)
    assert found > 0.93
    assert wrong < 0.03
    turns = channel_turns(levels)
    assert list(turns) == sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker))
    assert all(turn.start < turn.end <= 60.0 for turn in turns)
    assert all(before.end <= after.start for before, after in pairwise(turns))
    assert {turn.speaker for turn in turns} == {0, 1}


@pytest.mark.parametrize("leak", [None, -20.0])
def test_more_than_two_channels(leak: float | None) -> None:
    four = [[(1.0, 9.0)], [(10.0, 19.0)], [(20.0, 29.0)], [(25.0, 39.0)]]
    found, wrong = _share(scene(four, 40.0, leak), four)
    assert found > 0.93
    assert wrong < 0.03


def test_who_speaks_rarely_is_not_taken_for_a_leak() -> None:
    spans = [[(1.0, 100.0), (104.0, 119.0)], [(101.0, 103.5)]]
    found = channel_turns(scene(spans, 120.0, -20.0, -60.0))
    (rare,) = [turn for turn in found if turn.speaker == 1]
    assert (rare.start, rare.end) == pytest.approx((101.0, 103.5), abs=0.3)


@pytest.mark.parametrize("leak", [-12.0, -30.0])
def test_a_channel_with_only_a_leak_has_no_speaker(leak: float) -> None:
    levels = scene([TWO[0], []], 60.0, leak)
    assert {turn.speaker for turn in channel_turns(levels)} == {0}
    only = leaks(levels.decibels)[1]
    assert only[2 * SECOND : 8 * SECOND].all()


@pytest.mark.parametrize("louder", [0, 1])
def test_where_both_talk_the_louder_one_is_heard_in_the_mix(louder: int) -> None:
    spans = [[(1.0, 20.0)], [(8.0, 14.0), (22.0, 30.0)]]
    gains = (0.0, -12.0) if louder == 0 else (-12.0, 0.0)
    turns = channel_turns(scene(spans, 31.0, gains=(*gains, 0, 0)))
    both = [(max(turn.start, 8.0), min(turn.end, 14.0), turn.speaker) for turn in turns]
    said = {0: 0.0, 1: 0.0}
    for begin, end, speaker in both:
        said[speaker] += max(0.0, end - begin)
    assert said[louder] > 5.5
    assert {turn.speaker for turn in turns} == {0, 1}


def test_nobody_speaks() -> None:
    for noise in (-200.0, -70.0):
        assert channel_turns(scene([[], []], 30.0, noise=noise)) == ()
    assert channel_turns(ChannelLevels(np.zeros((2, 0), np.uint8))) == ()


@pytest.mark.parametrize("condition", CONDITIONS)
def test_nothing_that_is_said_counts_as_a_leak(condition: str) -> None:
    levels = scene(TWO, 60.0, **CONDITIONS[condition])
    for only, spoken in zip(leaks(levels.decibels), TWO, strict=True):
        for begin, end in spoken:
            assert not only[round(begin * SECOND) : round(end * SECOND)].any()


def test_a_muted_signal_is_silent_there_and_nowhere_else() -> None:
    frame = 320
    random = np.random.default_rng(4)
    source = Sound(random.uniform(-1, 1, 40 * frame - 77).astype(np.float32))
    marked = np.zeros(40, np.bool_)
    marked[5:12], marked[30:] = True, True
    muted = Muted(source, marked, frame)
    whole = muted.read(0, len(muted))
    assert np.array_equal(whole[: 4 * frame], source.samples[: 4 * frame])
    assert not whole[6 * frame : 11 * frame].any()
    assert np.array_equal(whole[14 * frame : 29 * frame], source.samples[14 * frame : 29 * frame])
    assert not whole[31 * frame :].any()
    for begin, end in [(0, 1), (319, 321), (1500, 4000), (9000, 9001), (-5, 10**6), (50, 50)]:
        assert np.array_equal(muted.read(begin, end), whole[max(0, begin) : max(0, end)])


@pytest.mark.parametrize("size", [1, 319, 320, 5000, 16_000, 40_001])
def test_loudness_does_not_depend_on_the_blocks(size: int) -> None:
    """A byte for each channel and 20 ms; of silence as of sound."""
    random = np.random.default_rng(2)
    samples = random.integers(-20_000, 20_000, (3, 50_123)).astype(np.int16)
    meter, whole = LevelMeter(3), LevelMeter(3)
    step = max(size, 997)
    for begin in range(0, samples.shape[1], step):
        meter.add(samples[:, begin : begin + step])
    meter.add_silence(700)
    whole.add(np.pad(samples, ((0, 0), (0, 700))))
    found, expected = meter.finish(), whole.finish()
    assert np.array_equal(found.codes, expected.codes)
    assert found.codes.dtype == np.uint8
    assert found.codes.shape == (3, -(-50_823 // 320))
    loud = found.decibels[:, :100]
    assert loud == pytest.approx(20 * np.log10(20_000 / 32_768 / np.sqrt(3)), abs=1.0)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("weaker", [0.0, -6.0])
def test_who_speaks_only_while_another_one_does_is_no_leak(seed: int, weaker: float) -> None:
    """Also in a recording of a few seconds."""
    frames = 5 * SECOND
    one, other = voice(frames, seed), voice(frames, seed + 50, -20.0 + weaker)
    one[-25:], other[frames // 2 :] = -75.0, -125.0
    power = 10 ** (np.stack([one, other]) / 10)
    levels = ChannelLevels(loudness_codes((power * 32768**2).astype(np.float32)))
    active, only = active_channels(levels.decibels), leaks(levels.decibels)
    for channel in (0, 1):
        assert active[channel][5 : frames // 2 - 5].mean() > 0.9
        assert not only[channel][: frames // 2].any()
    assert not active[1][frames // 2 + 10 :].any()
