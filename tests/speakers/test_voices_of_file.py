"""Voices of a file: exact turns, whatever was interrupted, and with any number of threads."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from fwtui.core.speakers import Turn
from fwtui.core.voices import WINDOWS_AT_ONCE, SpeakerGroup
from fwtui.speakers.voices_of_file import FileVoices, VoiceModels
from tests.speakers.networks import Sound, Spoken, conversation, load_networks, recording

SECONDS = 100.0
TOLERANCE = 0.03  # seconds: two frames


class Samples:
    """A sound in memory."""

    def __init__(self, sound: Sound) -> None:
        self.sound = sound

    def __len__(self) -> int:
        return self.sound.size

    def read(self, start: int, stop: int) -> Sound:
        return self.sound[max(0, start) : stop]


def heard(voices: FileVoices, at_once: int = WINDOWS_AT_ONCE) -> Iterator[SpeakerGroup]:
    """All groups, as they come back from a journal."""
    for group in voices.hear(lambda: at_once):
        yield msgspec.json.decode(msgspec.json.encode(group), type=SpeakerGroup)


@pytest.fixture(scope="module")
def sound() -> Samples:
    """A conversation of two."""
    return Samples(recording(conversation(SECONDS), SECONDS))


@pytest.fixture(scope="module")
def whole(voice_models: VoiceModels, sound: Samples) -> tuple[list[SpeakerGroup], tuple[Turn, ...]]:
    """Groups and turns of the conversation, heard in one go."""
    voices = FileVoices(voice_models, sound)
    groups = list(heard(voices))
    assert len(groups) == voices.count > 3
    return groups, voices.turns()


def numbered(spoken: list[Spoken]) -> list[Turn]:
    """The truth, with the first speaker as number 0."""
    first = spoken[0][2]
    turns = [Turn(begin, end, int(voice != first)) for begin, end, voice in spoken]
    return sorted(turns, key=lambda turn: turn.start)


def assert_same(found: tuple[Turn, ...], truth: list[Turn]) -> None:
    assert [turn.speaker for turn in found] == [turn.speaker for turn in truth]
    for turn, right in zip(found, truth, strict=True):
        assert turn.start == pytest.approx(right.start, abs=TOLERANCE)
        assert turn.end == pytest.approx(right.end, abs=TOLERANCE)


def test_turns_are_exact(whole: tuple[list[SpeakerGroup], tuple[Turn, ...]]) -> None:
    assert_same(whole[1], numbered(conversation(SECONDS)))


@pytest.mark.parametrize("done", range(4))
def test_a_resumed_file_has_the_same_groups_and_turns(
    done: int,
    voice_models: VoiceModels,
    sound: Samples,
    whole: tuple[list[SpeakerGroup], tuple[Turn, ...]],
) -> None:
    groups, turns = whole
    voices = FileVoices(voice_models, sound, groups[:done])
    assert list(heard(voices)) == groups[done:]
    assert voices.turns() == turns


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_nothing(
    threads: int,
    folder: Path,
    sound: Samples,
    whole: tuple[list[SpeakerGroup], tuple[Turn, ...]],
) -> None:
    voices = FileVoices(load_networks(folder, threads), sound)
    assert (list(heard(voices)), voices.turns()) == whole


@pytest.mark.parametrize("at_once", [1, 2, 4, 5])
def test_fewer_windows_at_once_make_the_same_turns(
    at_once: int,
    voice_models: VoiceModels,
    sound: Samples,
    whole: tuple[list[SpeakerGroup], tuple[Turn, ...]],
) -> None:
    voices = FileVoices(voice_models, sound)
    assert len(list(heard(voices, at_once))) == len(whole[0])
    assert voices.turns() == whole[1]


def test_groups_of_other_models_and_behind_a_gap_do_not_count(
    voice_models: VoiceModels,
    sound: Samples,
    whole: tuple[list[SpeakerGroup], tuple[Turn, ...]],
) -> None:
    groups, turns = whole
    others = [msgspec.structs.replace(group, models="others") for group in groups]
    for known in (others, [groups[0], *groups[2:]], [groups[0], *others[1:]], groups[1:]):
        voices = FileVoices(voice_models, sound, known)
        again = list(heard(voices))
        assert again
        assert again == groups[-len(again) :]
        assert voices.turns() == turns


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.5, 3.0, 9.99, 10.0, 10.01, 15.0, 40.0, 40.01])
def test_every_length_is_heard_to_its_end(seconds: float, voice_models: VoiceModels) -> None:
    source = Samples(recording([(0.0, seconds, 0)], seconds))
    voices = FileVoices(voice_models, source)
    groups = list(heard(voices))
    assert len(groups) == voices.count
    turns = voices.turns()
    if seconds < 0.5:
        assert len(turns) <= 1
        return
    (turn,) = turns
    assert turn.start == pytest.approx(0, abs=TOLERANCE)
    assert turn.end == pytest.approx(seconds, abs=TOLERANCE)
    assert turn.end <= seconds


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_silence_has_no_speakers(level: float, voice_models: VoiceModels) -> None:
    noise = np.random.default_rng(2).normal(0, 1, 32 * 16000) * level
    voices = FileVoices(voice_models, Samples(noise.astype(np.float32)))
    assert all(not group.speakers for group in heard(voices))
    assert voices.turns() == ()


@pytest.mark.parametrize(
    ("least", "most", "speakers"), [(1, 1, 1), (2, 2, 2), (1, 0, 2), (1, 9, 2)]
)
def test_the_number_of_speakers_can_be_given(
    least: int,
    most: int,
    speakers: int,
    voice_models: VoiceModels,
    sound: Samples,
    whole: tuple[list[SpeakerGroup], tuple[Turn, ...]],
) -> None:
    turns = FileVoices(voice_models, sound, whole[0]).turns(least, most)
    assert len({turn.speaker for turn in turns}) == speakers
    firsts = list(dict.fromkeys(turn.speaker for turn in turns))
    assert firsts == list(range(speakers))  # in order of appearance


def test_turns_are_in_order_and_inside_the_file(
    whole: tuple[list[SpeakerGroup], tuple[Turn, ...]],
) -> None:
    turns = whole[1]
    assert list(turns) == sorted(turns, key=lambda turn: turn.start)
    assert all(0 <= turn.start < turn.end <= SECONDS for turn in turns)
