"""Passages to check: what is found, what is left in peace, and that nothing is changed."""

import pytest
from msgspec.structs import replace

from fwtui.batch.quality import (
    MAX_FINDINGS,
    check_transcript,
    fast_subtitles,
    is_marked,
    limited,
    low_confidence,
    missing_speech,
    other_languages,
    repetitions,
)
from fwtui.core.channels import by_time
from fwtui.core.finding import Finding, FindingKind, finding_text, findings_text
from fwtui.core.segment import Segment, Transcript
from fwtui.core.session import ChannelPlan, FilePlan, SpeechChunk, Spoken, each_with_language
from fwtui.core.settings import DecodingSettings, OutputSettings, QualitySettings

Passage = tuple[float, float, str]


def segments(*texts: str, logprob: float = -0.2, compression: float = 1.2) -> list[Segment]:
    """One of two seconds each."""
    return [
        Segment(i + 1, 0, 2.0 * i, 2.0 * i + 2, f" {text}", (), logprob, compression, 0.1)
        for i, text in enumerate(texts)
    ]


def passages(found: object) -> list[Passage]:
    return [(one.start, one.end, one.detail) for one in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (("all is well", "and so is this"), []),
        (("no no no no",), []),  # people say that
        (("no " * 8,), [(0.0, 2.0, "8× “no”")]),
        (("Thank you.", "thank you", "Thank you!", "THANK YOU"), [(0.0, 8.0, "4× “Thank you.”")]),
        (("one", *["and then we go"] * 4, "two"), [(2.0, 10.0, "4× “and then we go”")]),
        (("a b c d e f g h", "a b c d e f g h"), []),  # said twice
        (("go on " * 5, "fine", "yes " * 9), [(0.0, 2.0, "5× “go on”"), (4.0, 6.0, "9× “yes”")]),
        ((), []),
        (("...", "!"), []),
        # The same segment again, whatever its letters, and signs only.
        ((" Yes.",) * 4, [(0.0, 8.0, "4× “Yes.”")]),
        ((" Yes.",) * 3, []),
        (("♪♪",) * 4, [(0.0, 8.0, "4× “♪♪”")]),
        (("...",) * 5, [(0.0, 10.0, "5× “...”")]),
        (("!!!", "one", *["!!!"] * 4), [(4.0, 12.0, "4× “!!!”")]),
        (("♪ " * 20,), [(0.0, 2.0, "20× “♪”")]),
        ((" Ja.", " Nein.") * 4, [(0.0, 16.0, "4× “Ja. Nein.”")]),
        (("  ",) * 6, []),
        (("谢谢大家。",) * 4, [(0.0, 8.0, "4× “谢谢大家。”")]),
        (("我们走吧" * 5,), [(0.0, 2.0, "5× “我们走吧”")]),
        (("ขอบคุณ" * 5,), [(0.0, 2.0, "5× “ขอบคุณ”")]),
        (("धन्यवाद " * 8,), [(0.0, 2.0, "8× “धन्यवाद”")]),
        (("नमस्ते जी",), []),  # a vowel sign does not end a word
        (("СПАСИБО, " * 8,), [(0.0, 2.0, "8× “СПАСИБО”")]),
        (("شكرا لكم " * 4,), [(0.0, 2.0, "4× “شكرا لكم”")]),
    ],
)
def test_loops(texts: tuple[str, ...], found: list[Passage]) -> None:
    assert passages(repetitions(segments(*texts), 2.4)) == found


def test_a_text_that_compresses_like_a_loop_is_one_in_any_script() -> None:
    loop = segments("哈哈哈哈哈哈", "哈哈哈哈哈哈", compression=2.5)
    assert passages(repetitions(loop, 2.4)) == [(0.0, 4.0, "compression ratio 2.5")]
    assert not passages(repetitions(loop, 2.6))


def test_loops_of_a_long_transcript_are_found_in_reasonable_time() -> None:
    words = " ".join(str(number) for number in range(2000))
    assert not list(repetitions(segments(*[words] * 2, "end"), 9.0))


def test_neighbours_below_the_threshold_are_one_passage_with_the_lowest_value() -> None:
    unsure = [
        *segments("a", "b", logprob=-1.2),
        Segment(3, 0, 4.0, 6.0, " c", (), -1.9, 1.0, 0.0),
        Segment(4, 0, 6.0, 8.0, " d", (), -0.3, 1.0, 0.0),
        Segment(5, 0, 8.0, 9.0, " e", (), -1.01, 1.0, 0.0),
    ]
    assert passages(low_confidence(unsure, -1.0)) == [
        (0.0, 6.0, "log prob. -1.9"),
        (8.0, 9.0, "log prob. -1.0"),
    ]
    assert not passages(low_confidence(unsure, -2.0))


def speech(*spans: tuple[float, float]) -> list[SpeechChunk]:
    return [SpeechChunk(int(start * 16000), int(end * 16000)) for start, end in spans]


@pytest.mark.parametrize(
    ("spoken", "found"),
    [
        ([(0, 10)], []),  # all of it has text
        ([(0, 14)], [(10.5, 14.0)]),
        ([(20, 30)], [(20.0, 30.0)]),
        ([(20, 21.9)], []),  # too short to tell
        ([(0, 4), (12, 15)], [(12.0, 15.0)]),
        ([], []),
    ],
)
def test_speech_without_text(
    spoken: list[tuple[float, float]], found: list[tuple[float, float]]
) -> None:
    said = segments("a", "b", "c", "d", "e")  # until 10 s
    assert [span[:2] for span in passages(missing_speech(speech(*spoken), said, 2.0))] == found


def test_a_gap_between_two_texts_is_found_and_a_pause_is_not() -> None:
    said = [segments("a")[0], Segment(2, 0, 7.0, 9.0, " b", (), 0, 1, 0)]
    assert passages(missing_speech(speech((0, 9)), said, 2.0)) == [(2.5, 7.0, "")]
    assert not passages(missing_speech(speech((0, 2), (7, 9)), said, 2.0))


def test_another_language_must_be_sure_and_stretches_are_joined() -> None:
    heard = [
        Spoken(0, 30, "en", 0.9),
        Spoken(30, 60, "de", 0.95),
        Spoken(60, 90, "fr", 0.89),
        Spoken(90, 120, "de", 0.9),
        Spoken(120, 150, "en", 0.95),
        Spoken(150, 180, "zz", 0.99),
    ]
    assert passages(other_languages(heard, "en")) == [(30, 120, "German"), (150, 180, "Zz")]
    assert not passages(other_languages(heard[:1], "en"))


def test_each_check_can_be_switched_off_and_clips_are_not_missed_elsewhere() -> None:
    transcript = Transcript("en", tuple(segments("no " * 9, logprob=-2.0)), 60.0)
    plan = FilePlan("", "", 960_000, 0.0, "en", heard=tuple(speech((20, 30))))
    heard = (Spoken(0, 30, "de", 0.9),)

    def kinds(quality: QualitySettings, clips: str = "0") -> list[FindingKind]:
        decoding = DecodingSettings(clip_timestamps=clips)
        return [one.kind for one in check_transcript(transcript, plan, heard, decoding, quality)]

    all_kinds = [
        FindingKind.REPETITION,
        FindingKind.LOW_CONFIDENCE,
        FindingKind.LANGUAGE,
        FindingKind.MISSING_SPEECH,
    ]
    assert kinds(QualitySettings()) == all_kinds
    assert kinds(QualitySettings(check_text=False)) == all_kinds[2:]
    assert kinds(QualitySettings(check_languages=False)) == [*all_kinds[:2], all_kinds[3]]
    assert kinds(QualitySettings(missing_speech_s=11)) == all_kinds[:3]
    assert kinds(QualitySettings(), clips="0,10") == all_kinds[:3]


def test_fast_subtitles_only_with_a_limit_and_subtitles() -> None:
    transcript = Transcript("en", tuple(segments("x" * 50, "short")))
    limits = OutputSettings(max_chars_per_second=20, output_format="srt")
    assert passages(fast_subtitles(transcript, limits)) == [(0.0, 2.0, "25 characters per second")]
    assert not fast_subtitles(
        transcript, OutputSettings(max_chars_per_second=20, output_format="txt")
    )
    assert not fast_subtitles(transcript, OutputSettings())


def test_no_more_than_so_many_and_the_last_one_says_so() -> None:
    many = [Finding(FindingKind.REPETITION, i, i + 1) for i in range(MAX_FINDINGS + 5)]
    found = limited(many)
    assert len(found) == MAX_FINDINGS
    assert found[-1].detail == "and 5 more in the file"
    assert limited(many[:MAX_FINDINGS]) == tuple(many[:MAX_FINDINGS])


def test_in_words() -> None:
    found = [
        Finding(FindingKind.REPETITION, 0, 1, "4× “no”"),
        Finding(FindingKind.MISSING_SPEECH, 2, 9),
        Finding(FindingKind.REPETITION, 10, 11),
    ]
    assert findings_text(found) == "2× repetition, missing text"
    assert [finding_text(one) for one in found[:2]] == [
        "repetition: 4× “no”",
        "missing text",
    ]


def test_channels_are_checked_one_by_one() -> None:
    """What one of them says is not checked with what the other has."""
    plan = FilePlan(
        "", "", 960_000, 0.0, "en", recorded=2,
        channels=(
            ChannelPlan(0, 0.0, "en", speech=tuple(speech((0, 14)))),
            ChannelPlan(1, 0.0, "de", speech=tuple(speech((0, 8), (20, 30)))),
        ),
    )  # fmt: skip
    left = [replace(one, channel=0) for one in segments(*["yes indeed"] * 4, "a", "b", "c")]
    right = [replace(one, channel=1) for one in segments("one", "two", "three", "four")]
    transcript = Transcript("en", tuple(by_time([*left, *right], [0, 1])), 60.0)
    heard = (Spoken(0, 14, "en", 0.99, 0), Spoken(0, 8, "de", 0.99, 1), Spoken(8, 9, "fr", 0.99, 1))
    marked = (Finding(FindingKind.UNSPOKEN, 0.0, 2.0, "text", 1),)
    found = check_transcript(transcript, plan, heard, DecodingSettings(), QualitySettings(), marked)
    assert [(one.kind, one.start, one.end, one.channel) for one in found] == [
        (FindingKind.UNSPOKEN, 0.0, 2.0, 1),
        (FindingKind.REPETITION, 0.0, 8.0, 0),
        (FindingKind.LANGUAGE, 8, 9, 1),
        (FindingKind.MISSING_SPEECH, 20.0, 30.0, 1),
    ]
    assert finding_text(found[1]) == "repetition (left channel): 4× “yes indeed”"
    assert [is_marked(one, marked) for one in (left[0], right[0], right[1])] == [False, True, False]
    languages = [one.language for one in each_with_language([*left, *right], heard)]
    assert languages == ["en"] * 7 + ["de"] * 4
