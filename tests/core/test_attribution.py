"""Words to speakers: every word once, no islands, text and order unchanged."""

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwtui.core.attribution import LEAST_SECONDS, LEAST_WORDS, by_speaker, with_speakers
from fwtui.core.segment import Segment, Transcript, TranscriptStream, Word
from fwtui.core.speakers import Turn, in_order_of_appearance, speaker_labels
from tests.outputs.cases import segment, spoken

LENGTHS = st.floats(0, 3).map(lambda seconds: round(seconds, 2))


@st.composite
def turns_in(draw: st.DrawFn) -> tuple[Turn, ...]:
    """Turns that may overlap and leave pauses."""
    found, at = [], 0.0
    for _ in range(draw(st.integers(0, 12))):
        start = max(0.0, at + draw(st.floats(-1, 2)))
        at = start + draw(st.floats(0.05, 4))
        found.append(Turn(start, at, draw(st.integers(0, 3))))
    return in_order_of_appearance(found)


@st.composite
def segments_in(draw: st.DrawFn) -> tuple[Segment, ...]:
    """Segments with and without words, in order."""
    found, at = [], 0.0
    for number in range(draw(st.integers(0, 5))):
        count = draw(st.integers(0, 8))
        words = []
        start = at = round(at + draw(LENGTHS), 2)
        for place in range(count):
            end = round(at + draw(LENGTHS), 2)
            words.append(Word(at, end, f" w{number}.{place}", 0.5))
            at = end
        text = "".join(word.word for word in words) or f" s{number}"
        at = round(at + draw(LENGTHS), 2)
        found.append(segment(start, at, text, tuple(words) or None))
    return tuple(found)


def attributed(segments: tuple[Segment, ...], turns: tuple[Turn, ...]) -> Transcript:
    labels = speaker_labels(turns, "SPEAKER", {})
    found = with_speakers(Transcript("en", segments, turns=turns, labels=labels))
    assert isinstance(found, Transcript)
    return found


@given(segments=segments_in(), turns=turns_in())
def test_every_word_is_there_once_in_order_with_its_times(
    segments: tuple[Segment, ...], turns: tuple[Turn, ...]
) -> None:
    found = attributed(segments, turns)
    pieces = tuple(by_speaker(found.segments))
    assert found.text == "".join(piece.text for piece in pieces)
    assert found.text == "".join(one.text for one in segments)

    def words(some: tuple[Segment, ...]) -> list[tuple[float, float, str]]:
        return [(w.start, w.end, w.word) for one in some for w in one.words or ()]

    assert words(found.segments) == words(segments) == words(pieces)
    edges = [(one.start, one.end) for one in segments]
    assert [(one.start, one.end) for one in found.segments] == edges
    starts = [piece.start for piece in pieces]
    assert starts == sorted(starts)
    assert all(piece.start <= piece.end for piece in pieces)
    # a second cut finds nothing to cut
    assert tuple(by_speaker(pieces)) == pieces


@given(segments=segments_in(), turns=turns_in())
def test_a_piece_has_one_speaker_and_none_is_an_island(
    segments: tuple[Segment, ...], turns: tuple[Turn, ...]
) -> None:
    for one in attributed(segments, turns).segments:
        pieces = list(by_speaker([one]))
        for piece in pieces:
            assert {word.speaker for word in piece.words or ()} <= {piece.speaker}
            if len(pieces) > 1:
                assert piece.words
                assert len(piece.words) >= LEAST_WORDS
                assert piece.words[-1].end - piece.words[0].start >= LEAST_SECONDS
        assert len(pieces) == len(list(groupby(p.speaker for p in pieces)))
        if one.words:
            assert one.speaker in {word.speaker for word in one.words}


@given(segments=segments_in(), turns=turns_in())
def test_a_stream_says_the_same(segments: tuple[Segment, ...], turns: tuple[Turn, ...]) -> None:
    whole = attributed(segments, turns)
    stream = with_speakers(TranscriptStream("en", segments, 0.0, turns, whole.labels))
    assert tuple(stream.segments) == whole.segments == tuple(stream.segments)
    assert stream.turns == turns


AT_A, AT_B = Turn(0.0, 2.0, 0), Turn(2.0, 4.0, 1)


def speakers(*words: tuple[float, float], turns: tuple[Turn, ...] = (AT_A, AT_B)) -> str:
    """The speakers of words at these times, a letter each, `-` for none."""
    timed = tuple(Word(start, end, " w", 0.5) for start, end in words)
    made = segment(timed[0].start, timed[-1].end, " w" * len(timed), timed)
    found = attributed((made,), turns).segments[0].words or ()
    return "".join("-" if w.speaker is None else "AB"[int(w.speaker[-2:])] for w in found)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 4.0)], "AABB"),
        ([(0.0, 1.0), (1.0, 2.2), (2.2, 3.0), (3.0, 4.0)], "AABB"),  # most of the word
        ([(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)], "AAA"),  # one word is an island
        ([(1.5, 2.0), (2.0, 2.5), (2.5, 3.0), (3.0, 4.0)], "BBBB"),  # also the first one
        ([(0.0, 1.0), (1.0, 2.0), (2.0, 2.2), (2.2, 2.5)], "AAAA"),  # two short words, too
        ([(4.3, 4.4), (4.4, 5.0)], "BB"),  # within reach
        ([(9.0, 9.5), (9.5, 10.0)], "--"),
        ([(2.1, 2.1), (2.2, 2.2), (2.4, 2.9)], "BBB"),  # words without a length
    ],
)
def test_words_at_a_change(words: list[tuple[float, float]], expected: str) -> None:
    assert speakers(*words) == expected


def test_an_island_between_islands_leaves_none() -> None:
    words = [(float(at), at + 1.0) for at in range(5)]
    turns = (*(Turn(float(at), at + 1.0, at % 2) for at in range(3)), Turn(3.0, 5.0, 0))
    assert speakers(*words, turns=turns) == "AAAAA"


def test_a_segment_without_words_is_whose_turn_it_is() -> None:
    found = attributed((segment(1.5, 3.5, " all of it"), segment(8.0, 9.0, " x")), (AT_A, AT_B))
    assert [one.speaker for one in found.segments] == ["SPEAKER_01", None]


def test_without_turns_a_transcript_stays_the_same_object() -> None:
    plain = Transcript("en", (spoken(0.0, " a", " b"),))
    assert with_speakers(plain) is plain
    assert list(by_speaker(plain.segments)) == list(plain.segments)
