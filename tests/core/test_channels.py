"""Names of channels, and the text of several channels by time: every word once."""

import random
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest
from msgspec.structs import replace

from fwtui.core.attribution import by_channel, with_speakers
from fwtui.core.channels import by_time, channel_index, channel_name, turns_by_channel
from fwtui.core.segment import Segment, Transcript, Word
from fwtui.core.session import ChannelPlan, FilePlan
from fwtui.core.settings import SpeakerSettings


@pytest.mark.parametrize(
    ("text", "index"),
    [("mix", None), ("split", None), ("left", 0), ("right", 1), ("1", 0), ("7", 6), ("07", 6)],
)
def test_which_channel(text: str, index: int | None) -> None:
    assert channel_index(text) == index


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "both", "Left ", "²", "٣", "all", "l"])
def test_what_is_no_channel(text: str) -> None:
    with pytest.raises(ValueError):
        channel_index(text)


def test_names() -> None:
    assert [channel_name(index, 2) for index in (0, 1)] == ["left channel", "right channel"]
    assert channel_name(2, 6) == "channel 3"


def _segments(seed: int, channels: int) -> list[Segment]:
    """Channels one after the other, as they are transcribed; words without a length, too."""
    source = random.Random(seed)
    found: list[Segment] = []
    for channel in range(channels):
        at = source.uniform(0, 3)
        for number in range(source.randrange(12)):
            words = []
            for word in range(source.randrange(5)):
                end = at + source.choice((0.0, 0.2, 0.7))
                words.append(Word(at, end, f" {channel}.{number}.{word}", 0.9))
                at = end + source.choice((0.0, 0.1, 0.9, 1.5, 6.0))
            begin = words[0].start if words else at
            end = max(words[-1].end if words else at, begin) + 0.01
            text = "".join(one.word for one in words) or f" {channel}.{number}"
            found.append(
                Segment(len(found) + 1, 0, begin, end, text, (1, 2), -0.1, 1.0, 0.0,
                        tuple(words) or None, channel=channel)
            )  # fmt: skip
            at = max(at, end)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_every_word_is_there_once_and_in_order(seed: int) -> None:
    channels = 1 + seed % 4
    before = _segments(seed, channels)
    found = list(by_time(before, range(channels)))
    assert [one.id for one in found] == list(range(1, len(found) + 1))
    assert [one.start for one in found] == sorted(one.start for one in found)
    assert Counter(word for one in found for word in one.text.split()) == Counter(
        word for one in before for word in one.text.split()
    )
    for channel in range(channels):
        own = [one for one in found if one.channel == channel]
        alone = [one for one in before if one.channel == channel]
        assert "".join(one.text for one in own) == "".join(one.text for one in alone)
        assert [w for one in own for w in one.words or ()] == [
            w for one in alone for w in one.words or ()
        ]
        assert sum(len(one.tokens) for one in own) == sum(len(one.tokens) for one in alone)
    for one in found:
        words = one.words or ()
        assert all(b.start - a.end <= 1.0 for a, b in pairwise(words))
        assert one.start <= one.end


def test_a_stream_is_read_for_each_channel_and_never_kept() -> None:
    """As the segments of a long file, which are read from the journal."""
    before, alive, most = _segments(5, 3), 0, 0

    class Stream:
        def __iter__(self) -> Iterator[Segment]:
            nonlocal alive, most
            alive += 1
            most = max(most, alive)
            yield from before
            alive -= 1

    assert list(by_time(Stream(), range(3))) == list(by_time(before, range(3)))
    assert (alive, most) == (0, 3)


@pytest.mark.parametrize("seed", range(20))
def test_turns_hold_every_word_of_their_channel(seed: int) -> None:
    segments = tuple(by_time(_segments(seed, 3), range(3)))
    turns = turns_by_channel(segments)
    assert list(turns) == sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker))
    for one in segments:
        for word in one.words or (one,):
            assert any(
                turn.speaker == one.channel and turn.start <= word.start and word.end <= turn.end
                for turn in turns
            )
    for channel in range(3):
        own = [turn for turn in turns if turn.speaker == channel]
        assert all(b.start - a.end > 0.5 for a, b in pairwise(own))


def test_the_speaker_is_the_channel_whoever_else_talks() -> None:
    """Also at talk-over, where both channels have a turn, and a long one covers a short one."""
    segments = tuple(by_time(_segments(3, 2), range(2)))
    turns = turns_by_channel(segments)
    labels = {0: "Anna", 1: "Ben"}
    found = with_speakers(Transcript("en", segments, turns=turns, labels=labels))
    for one in found.segments:
        assert one.channel is not None
        assert one.speaker == labels[one.channel]
        assert {word.speaker for word in one.words or ()} <= {one.speaker}
    assert by_channel(segments, SpeakerSettings(speaker_names="00=Anna,01=Ben")) == found.segments


def test_segments_without_a_channel_stay_as_they_are() -> None:
    plain = tuple(replace(one, channel=None) for one in _segments(1, 1))
    assert by_channel(plain, SpeakerSettings()) is plain


@pytest.mark.parametrize("channels", [0, 1, 2, 5])
def test_progress_rises_through_the_channels_and_says_where_it_is(channels: int) -> None:
    plan = FilePlan(
        "", "", 16_000 * 60, 0.0, "en", recorded=max(1, channels),
        channels=tuple(ChannelPlan(number + 1, 0.0, "en") for number in range(channels)),
    )  # fmt: skip
    passed = 0.0
    for index in range(max(1, channels)):
        for seconds in (0.0, 12.5, 59.5):
            progress = plan.progress(index, seconds)
            assert passed <= progress <= plan.duration
            passed = progress
            channel, at = plan.place(progress)
            assert at == pytest.approx(seconds)
            assert channel == (index + 1 if channels else None)
    assert plan.progress(max(1, channels) - 1, 60.0) == pytest.approx(60.0)
