"""No text where there is no sound, and a finding where there is text without speech."""

from pathlib import Path

import numpy as np
import pytest
from faster_whisper.vad import VadOptions
from numpy.typing import NDArray

from fwtui import demo
from fwtui.audio.signal import FloatArray
from fwtui.batch.quality import credits_in, is_marked, left_out
from fwtui.core.finding import FindingKind
from fwtui.core.known_phrases import is_credit, is_known_phrase, unspoken
from fwtui.core.segment import Segment
from fwtui.core.settings import DecodingSettings
from fwtui.engine.transcriber import Transcriber
from fwtui.engine.unspoken import SpeechCheck, is_suspicious
from tests.engine.support import MODEL, prepared_file, transcriber_on, write_wav
from tests.engine.test_batched import batches
from tests.whisper_audio import decode_audio

RATE = 16000


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return transcriber_on(MODEL)


def silence(seconds: float, level: int = 0) -> NDArray[np.float32]:
    """Digital silence, with a codec's rounding errors of up to `level`."""
    noise = np.random.default_rng(1).integers(-level, level + 1, int(seconds * RATE))
    return (noise / 32768).astype(np.float32)


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("words", [False, True])
def test_digital_silence_is_not_decoded(
    transcriber: Transcriber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    level: int, words: bool,
) -> None:  # fmt: skip
    """Whole windows of it, at the beginning, between, and at the end of speech."""
    speech = decode_audio(demo.clips()[1])[: 6 * RATE]
    sound = np.concatenate((silence(60, level), speech, silence(114, level)))
    path = tmp_path / "sound.wav"
    write_wav(path, sound)
    decoded: list[int] = []
    real = transcriber.model.generate_with_fallback

    def count(*arguments: object) -> object:
        decoded.append(1)
        return real(*arguments)

    monkeypatch.setattr(transcriber.model, "generate_with_fallback", count)
    decoding = DecodingSettings(
        beam_size=1, temperature_increment_on_fallback=None, word_timestamps=words, language="en"
    )
    with prepared_file(transcriber, path, tmp_path, decoding) as ready:
        found = list(transcriber.windows(ready, transcriber.plan(ready)))
    assert len(decoded) <= 2  # the one with speech, and a rest of it
    assert found[0].segments == ()
    assert found[0].state.seek == 6000
    assert found[-1].state.done
    assert found[-1].seconds == pytest.approx(180)


def test_a_silent_file_is_not_decoded_in_any_mode(
    transcriber: Transcriber, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "silence.wav"
    write_wav(path, silence(95, 1))
    monkeypatch.setattr(transcriber.model, "encode", None)
    for options in ({}, {"clip_timestamps": "10,40,60"}, {"word_timestamps": True}):
        for batched in (False, True):
            decoding = DecodingSettings(language="en", batched=batched, **options)
            with prepared_file(transcriber, path, tmp_path, decoding) as ready:
                if batched:
                    assert ready.chunks == ()
                    assert batches(transcriber, ready, 2) == []
                else:
                    (only,) = transcriber.windows(ready, transcriber.plan(ready))
                    assert (only.segments, only.state.done) == ((), True)


class Sound:
    """A signal: speech from 20 s on, noise before and after."""

    def __init__(self) -> None:
        speech = decode_audio(demo.clips()[1])[: 10 * RATE]
        self.samples = np.random.default_rng(2).normal(0, 0.004, 60 * RATE).astype(np.float32)
        self.samples[20 * RATE : 20 * RATE + speech.size] += speech

    def __len__(self) -> int:
        return len(self.samples)

    def read(self, start: int, stop: int) -> FloatArray:
        return self.samples[max(0, start) : max(0, stop)]


def said(start: float, end: float, text: str, logprob: float = -0.2, none: float = 0.01) -> Segment:
    return Segment(1, 0, start, end, text, (), logprob, 1.0, none)


def test_text_without_speech_is_marked_with_its_text() -> None:
    check = SpeechCheck(Sound(), VadOptions())
    spoken = said(21, 24, " red seven monday five")
    assert check.findings([spoken]) == ()
    for text in (
        " You",
        " Thanks for watching!",
        " Untertitel der Amara.org-Community",
        " one two",
    ):
        (finding,) = check.findings([said(2, 10, text), spoken])
        assert (finding.kind, finding.start, finding.end) == (FindingKind.UNSPOKEN, 2, 10)
        assert text.strip() in finding.detail
        assert ("training data" in finding.detail) == (text != " one two")
    assert [
        one.start for one in check.findings([said(0, 8, " You"), spoken, said(50, 59, " You")])
    ] == [0, 50]


def test_only_suspicious_text_costs_a_detection(monkeypatch: pytest.MonkeyPatch) -> None:
    dense = " this is what somebody said very clearly and at some length here"
    sure = said(2, 6, dense)
    assert not is_suspicious(sure)
    for doubtful in (
        said(2, 6, dense, logprob=-0.8),
        said(2, 6, dense, none=0.6),
        said(2, 26, dense),
        said(2, 3, " Thank you."),
    ):
        assert is_suspicious(doubtful)
    assert len(SpeechCheck(Sound(), VadOptions(), everything=True).findings([sure])) == 1
    monkeypatch.setattr("fwtui.engine.unspoken.find_speech", None)
    assert SpeechCheck(Sound(), VadOptions()).findings([sure]) == ()


KNOWN = """
You|Thank you.|THANKS FOR WATCHING!|Thank you. Thank you.|Subtitles by the Amara.org community
Untertitel im Auftrag des ZDF für funk, 2017|Sous-titres réalisés par la communauté d'Amara.org
ご視聴ありがとうございました。|字幕由Amara.org社区提供|시청해주셔서 감사합니다.
Продолжение следует...
Субтитры сделал DimaTorzok|اشتركوا في القناة|Sottotitoli e revisione a cura di QTSS
Don't forget to like and subscribe. Subtitles by the Amara.org community
"""
SPOKEN = """
You know what I mean.|Thank you all for coming to this meeting.|Das ist ein Untertitel.
He watched the film.|Merci de votre question.|字幕を読む。|...
"""


def test_phrases_of_the_training_data_are_known() -> None:
    for text in KNOWN.strip().replace("\n", "|").split("|"):
        assert (text, is_known_phrase(text)) == (text, True)
    for text in SPOKEN.strip().replace("\n", "|").split("|"):
        assert (text, is_known_phrase(text)) == (text, False)


def test_credits_are_marked_wherever_they_are_and_only_once() -> None:
    segments = [said(0, 3, " Hello there."), said(3, 6, " Untertitel der Amara.org-Community")]
    assert is_credit(segments[1].text)
    (found,) = credits_in(segments, ())
    assert (found.start, found.end) == (3, 6)
    assert list(credits_in(segments, [found])) == []


def test_what_is_left_out_is_told() -> None:
    finding = unspoken(3, 6, " You")
    assert is_marked(said(3, 6, " You"), [finding])
    assert not is_marked(said(6, 9, " You"), [finding])
    assert left_out(finding).detail.endswith("left out")
