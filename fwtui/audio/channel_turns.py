"""Who speaks when in a recording with a channel for each speaker, by loudness. Pure.

Each channel is compared with its own level and with the other channels: what leaks from one
microphone, or telephone line, into another is weaker there than the voice that belongs there.
"""

from itertools import combinations

import numpy as np
import numpy.typing as npt

from fwtui.audio.loudness import FRAME_SECONDS, ChannelLevels
from fwtui.core.speakers import Turn

Decibels = npt.NDArray[np.float32]
Active = npt.NDArray[np.bool_]

# Loudness is averaged over 100 ms; voices are that steady. Who is louder is decided over 0.5 s.
_SMOOTH, _STEADY = 5, 25
# Below this (dB of full scale) nothing is heard.
_FAINT = -60.0
# A voice is so many dB above the channel's noise, which is what is exceeded 90% of the time, and
# at most so many below the channel's own level, which its loudest second and a half reaches, or
# its loudest 2%. To begin a turn takes more than to continue it.
_ABOVE_NOISE, _BELOW_LEVEL = 6.0, 30.0
_HYSTERESIS = 3.0
_NOISE_SHARE = 0.1
_LOUD_SHARE, _LOUD_FRAMES = 0.02, 75
# How much louder one channel is than another has two values, depending on whose speaker is heard;
# both speak where it is in between: further from one than this share of their distance, within
# these limits (dB). If there is not even that distance, the louder channel has the only speaker.
_BETWEEN = 0.3
_LEAST_BETWEEN, _MOST_BETWEEN = 3.0, 9.0
_ROUNDS = 20
# A leak is there if so large a share of the frames in which both are heard, if there are so many,
# is within 4 dB; a larger one if the channel is not weaker than usual meanwhile.
_MEASURABLE, _CONSTANT, _STEP = 50, 4.0, 0.5
_LEAK_SHARE, _SURE_SHARE = 0.4, 0.6
# Of few syllables, so many frames each, more may be alike by chance.
_CHANCE, _SYLLABLE = 0.7, 8
# Pauses up to this are part of a turn, and no turn is shorter (frames).
_PAUSE, _SHORTEST = 25, 8
# Around what is more than a leak for so long, so much is kept; nothing shorter is one (frames).
_LEAST_OWN, _AROUND, _LEAST_LEAK = 3, 12, 25


def channel_turns(levels: ChannelLevels) -> tuple[Turn, ...]:
    """The turns of all channels by time; the speaker is the channel.

    They do not overlap: where several speak at once, the mix has most of the one who is loudest.
    """
    decibels = levels.decibels
    found = [
        Turn(begin * FRAME_SECONDS, end * FRAME_SECONDS, channel)
        for channel, active in enumerate(_loudest_of(active_channels(decibels), decibels))
        for begin, end in spans(active)
    ]
    return tuple(sorted(found, key=lambda turn: (turn.start, turn.end, turn.speaker)))


def _loudest_of(active: list[Active], decibels: Decibels) -> list[Active]:
    """Of the channels that are active at once, the one that is loudest for some time."""
    if not decibels.size:
        return active
    loudness = np.stack([_smoothed(channel, _STEADY) for channel in decibels])
    loudest = np.where(np.stack(active), loudness, -np.inf).argmax(axis=0)
    alone = np.sum(active, axis=0) == 1
    return [
        without_short(one & (loudest == number), _SHORTEST) | (one & alone)
        for number, one in enumerate(active)
    ]


def active_channels(decibels: Decibels) -> list[Active]:
    """For each channel, in which of the frames its speaker is heard."""
    if not decibels.size:
        return [np.zeros(0, np.bool_) for _ in decibels]
    found = _Comparison(decibels)
    return [
        _tidied(_with_hysteresis(begins, loud))
        for begins, loud in zip(found.begins, found.loud, strict=True)
    ]


def leaks(decibels: Decibels) -> list[Active]:
    """For each channel, in which of the frames it has only what is said in another channel.

    Around anything of its own, nothing counts as a leak.
    """
    if not decibels.size:
        return [np.zeros(0, np.bool_) for _ in decibels]
    active = active_channels(decibels)
    found = []
    for number, loud in enumerate(_Comparison(decibels).loud):
        others = np.any([one for other, one in enumerate(active) if other != number], axis=0)
        own = _widened(without_short(loud, _LEAST_OWN) | active[number], _AROUND)
        found.append(without_short(others & ~own, _LEAST_LEAK))
    return found


class _Comparison:
    """Channels compared with each other and with their own level, frame by frame.

    `loud`: a turn can be continued there; `begins`: one can begin there.
    """

    def __init__(self, decibels: Decibels) -> None:
        smooth = np.stack([_smoothed(channel) for channel in decibels])
        own = [own_level(channel) for channel in smooth]
        relative = np.stack([channel - level for channel, level in zip(smooth, own, strict=True)])
        floors = [_floor(channel, level) for channel, level in zip(smooth, own, strict=True)]
        heard = [
            (channel > floor) & (above > -_BELOW_LEVEL)
            for channel, floor, above in zip(smooth, floors, relative, strict=True)
        ]
        self.loud = [one.copy() for one in heard]
        self.begins = [
            one & (channel > floor + _HYSTERESIS)
            for one, channel, floor in zip(heard, smooth, floors, strict=True)
        ]
        loudest = relative.argmax(axis=0)
        for one, other in combinations(range(len(smooth)), 2):
            either = (heard[one] | heard[other]) & ((loudest == one) | (loudest == other))
            ahead = smooth[one] - smooth[other]
            low, high = _borders(ahead, either, heard[one] & heard[other], own[one] - own[other])
            half = _HYSTERESIS / 2
            self.loud[one] &= ahead > low - half
            self.begins[one] &= ahead > low + half
            self.loud[other] &= ahead < high + half
            self.begins[other] &= ahead < high - half


def _floor(channel: Decibels, level: float) -> float:
    """How loud a channel must be for its speaker to be heard, in dB."""
    noise = min(float(np.quantile(channel, _NOISE_SHARE)), level - 3 * _ABOVE_NOISE)
    return max(_FAINT, noise + _ABOVE_NOISE)


def _borders(ahead: Decibels, either: Active, both: Active, usual: float) -> tuple[float, float]:
    """By how many dB a channel must be ahead of another to have a voice, and at most for the other
    one to have one.

    `either`: the frames in which any of them is heard, `both`: in which both are; `usual`: by how
    much the level of the one is above that of the other.
    """
    values = ahead[either]
    if not values.size:
        return -np.inf, np.inf
    low, high = (float(value) for value in np.quantile(values, (0.01, 0.99)))
    for _ in range(_ROUNDS):
        above = values > (low + high) / 2
        if above.all() or not above.any():
            break
        low, high = float(np.median(values[~above])), float(np.median(values[above]))
    middle = (low + high) / 2
    if high - low < 2 * _LEAST_BETWEEN:  # only one of them has a speaker
        if not _is_leak(values, 0.0):
            return -np.inf, np.inf
        return (-np.inf, -np.inf) if low + high > 0 else (np.inf, np.inf)
    between = max(_LEAST_BETWEEN, min(_MOST_BETWEEN, _BETWEEN * (high - low)))
    below, beyond = ahead[both & (ahead < middle)], ahead[both & (ahead > middle)]
    return (
        low + between if _is_leak(below, usual - low) else -np.inf,
        high - between if _is_leak(beyond, high - usual) else np.inf,
    )


def _is_leak(values: Decibels, weaker: float) -> bool:
    """Whether what is heard in two channels is a sound of one that leaks into the other.

    Then they differ by the same all the time; two voices vary. `weaker`: by how many dB the one
    with the leak is further below its own level than the other.
    """
    if values.size < _MEASURABLE:
        return False
    edges = np.arange(float(values.min()), float(values.max()) + _STEP, _STEP)
    counts = np.histogram(values, np.append(edges, edges[-1] + _STEP))[0]
    wide = np.convolve(counts, np.ones(round(_CONSTANT / _STEP)))
    share = float(wide.max()) / values.size
    least = _LEAK_SHARE if weaker > _LEAST_BETWEEN else _SURE_SHARE
    return bool(share > least + _CHANCE / np.sqrt(values.size / _SYLLABLE))


def own_level(channel: Decibels) -> float:
    """How loud the speaker of a channel is, in dB."""
    loud = np.sort(channel[channel > _FAINT])
    if not loud.size:
        return 0.0
    most = max(1, loud.size // 5)  # of short recordings
    return float(loud[-min(most, max(_LOUD_FRAMES, round(_LOUD_SHARE * loud.size)))])


def _smoothed(channel: Decibels, frames: int = _SMOOTH) -> Decibels:
    """Loudness averaged over some frames (an odd number), by power."""
    power = np.power(10.0, channel / 10, dtype=np.float64)
    sums = np.cumsum(np.pad(power, (frames // 2 + 1, frames // 2), mode="edge"))
    mean = np.maximum((sums[frames:] - sums[:-frames]) / frames, 1e-13)
    return np.asarray(10 * np.log10(mean), np.float32)


def _with_hysteresis(begins: Active, continues: Active) -> Active:
    """The runs of `continues` in which there is any of `begins`."""
    found = np.zeros_like(continues)
    for begin, end in spans(continues):
        if begins[begin:end].any():
            found[begin:end] = True
    return found


def _tidied(active: Active) -> Active:
    """Without short pauses, then without what is too short."""
    found = np.zeros_like(active)
    previous: tuple[int, int] | None = None
    runs: list[tuple[int, int]] = []
    for begin, end in spans(active):
        if previous is not None and begin - previous[1] <= _PAUSE:
            runs.pop()
            begin = previous[0]  # noqa: PLW2901
        previous = begin, end
        runs.append(previous)
    for begin, end in runs:
        if end - begin >= _SHORTEST:
            found[begin:end] = True
    return found


def without_short(active: Active, least: int) -> Active:
    """The runs of at least so many frames."""
    found = np.zeros_like(active)
    for begin, end in spans(active):
        found[begin:end] = end - begin >= least
    return found


def _widened(active: Active, frames: int) -> Active:
    """The runs with so many frames more at both ends."""
    found = np.zeros_like(active)
    for begin, end in spans(active):
        found[max(0, begin - frames) : end + frames] = True
    return found


def spans(active: Active) -> list[tuple[int, int]]:
    """The runs of true values, as (first, last + 1)."""
    edges = np.flatnonzero(np.diff(np.pad(active.astype(np.int8), 1)))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]
