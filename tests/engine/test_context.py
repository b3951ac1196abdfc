"""Half of the model's context stays free, whatever hotwords, prompts and texts there are."""

import random
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from faster_whisper.transcribe import WhisperModel
from msgspec.structs import replace

from fwtui.core.finding import FindingKind
from fwtui.core.session import ResumePoint, WindowResult
from fwtui.core.settings import DecodingSettings
from fwtui.engine.context import Context, cut_off, fit, share
from fwtui.engine.transcriber import Transcriber
from tests.engine.support import (
    MINUTE,
    MODEL,
    at_resume,
    prepared_file,
    transcriber_on,
    write_wav,
)
from tests.engine.test_batched import batches
from tests.whisper_audio import decode_audio

FULL = 448
SCRIPTS = {
    "latin": "alpha beta gamma delta epsilon",
    "names": "John Smith, São Paulo; Đorđević\nNguyễn",
    "chinese": "量子力学東京特許許可局薩斯奎哈納河",
    "chinese list": "量子力学、東京、薩斯奎哈納河",
    "thai": "กรุงเทพมหานครอมรรัตนโกสินทร์",
    "emoji": "👩‍👩‍👧‍👦🇱🇻",
}


def encode(text: str) -> list[int]:
    """One token for each byte, as of a script that the vocabulary does not know."""
    return list(text.encode())


def context(**options: Any) -> Context:
    from fwtui.engine.convert import transcription_options

    tokenizer = SimpleNamespace(
        encode=encode, sot_prev=1000, sot_sequence=[1001, 1002, 1003], no_timestamps=1004,
        timestamp_begin=1005, non_speech_tokens=(), transcribe=0, translate=0, sot=0, sot_lm=0,
        no_speech=0,
    )  # fmt: skip
    model = SimpleNamespace(max_length=FULL)
    model.get_prompt = lambda *args, **named: WhisperModel.get_prompt(model, *args, **named)
    decoding = DecodingSettings(suppress_tokens="", **options)
    made: Any = (model, tokenizer, transcription_options(decoding, tokenizer))
    return Context(*made)


TIMES = (0, 1, 20)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("without_timestamps", [False, True])
def test_half_of_the_context_is_free(script: str, without_timestamps: bool) -> None:
    text = SCRIPTS[script] + " "
    for hotwords, initial, prefix in product(TIMES, TIMES, TIMES):
        made = context(
            hotwords=text * hotwords or None,
            initial_prompt=text * initial or None,
            prefix=text * prefix or None,
            without_timestamps=without_timestamps,
        )
        cut = [
            ("hotwords", hotwords, made.hotwords),
            ("initial prompt", initial, made.initial_prompt),
        ]
        cut.append(("prefix", prefix, made.prefix))
        for previous, first in product((made.initial(), list(range(300))), (True, False)):
            prompt = made.prompt(previous, prefix=first)
            own = not made.hotwords and not (first and made.prefix)
            # previous text alone: what faster-whisper keeps of it, beside the start
            assert len(prompt) <= FULL // 2 + (3 + without_timestamps if own else 0)
            if own and previous:
                assert prompt[1 : len(previous[-223:]) + 1] == previous[-223:]
        for name, times, kept in cut:
            is_cut = kept.split() != (text * times).split()
            assert is_cut == any(
                warning.startswith((name, f"the {name}")) for warning in made.warnings
            )
            assert kept in text * times
            assert "�" not in kept


def test_a_warning_names_the_hotwords_that_are_not_used() -> None:
    words = [f"Word{number:02}" for number in range(60)]
    made = context(hotwords=", ".join(words))
    kept = made.hotwords.split(", ")
    assert kept == words[: len(kept)]
    assert len(kept) > 20
    left_out = words[len(kept) :]
    (warning,) = made.warnings
    assert warning.startswith("hotwords")
    assert warning.endswith(f"{', '.join(left_out[:12])} and {len(left_out) - 12} more")


def test_fitting_keeps_whole_parts() -> None:
    rng = random.Random(5)
    for text, room, keep_end in product(SCRIPTS.values(), (0, 1, 7, 30, 60), (False, True)):
        long = " ".join(text for _ in range(rng.randint(1, 9)))
        kept = fit(long, room, encode, keep_end=keep_end)
        assert len(encode(" " + kept.text)) <= room or not kept.text
        assert long.endswith(kept.text) if keep_end else long.startswith(kept.text)
        assert bool(kept.left_out) == (kept.text != long)


def test_shares_are_at_least_half_of_the_room() -> None:
    for first, second, room in product(range(0, 30, 3), range(0, 30, 3), (0, 1, 10, 21)):
        a, b = share(first, second, room)
        assert (a <= first, b <= second, a + b <= room) == (True, True, True)
        assert a >= min(first, room // 2)
        assert b >= min(second, room // 2)
        assert a + b == min(first + second, room)


# --- decodings without an end --------------------------------------------------------------------


class Script:
    """Stands in for the model's decoding: tokens by the number of the decoding."""

    def __init__(self, transcriber: Transcriber, monkeypatch: pytest.MonkeyPatch) -> None:
        self.real = transcriber.model.generate_with_fallback
        self.first: list[int] = []
        self.calls = 0
        monkeypatch.setattr(transcriber.model, "generate_with_fallback", self.decode)

    def decode(self, encoded: Any, prompt: list[int], tokenizer: Any, options: Any) -> Any:
        self.calls += 1
        result, *rest = self.real(encoded, prompt, tokenizer, options)
        tokens = self.first if self.calls == 1 else result.sequences_ids[0]
        made = SimpleNamespace(sequences_ids=[tokens], no_speech_prob=0.0)
        return made, *rest[:2], 1.0


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return transcriber_on(MODEL)


@pytest.fixture(scope="module")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "minute.wav"
    write_wav(path, decode_audio(MINUTE))
    return path


def endless(transcriber: Transcriber, *stamps: float) -> list[int]:
    """224 tokens: words, with timestamps in between; the last one at the very end."""
    tokenizer = transcriber.tokenizer(DecodingSettings(), "en")
    begin = tokenizer.timestamp_begin
    words = tokenizer.encode(" monday red two")
    tokens = [begin, *words]
    for stamp in stamps[:-1]:
        tokens += [begin + round(stamp / 0.02)] * 2 + words
    while len(tokens) < 223:
        tokens += words[: 223 - len(tokens)]
    return [*tokens, begin + round(stamps[-1] / 0.02) if stamps else words[0]]


@pytest.mark.parametrize(
    ("words", "stamps", "continued"),
    [
        (False, (3.0, 9.0), 9.0),
        (False, (9.0,), 9.0),
        (True, (9.0,), 9.0),
        (False, (0.4,), None),
        (False, (), "word"),
    ],
)
def test_a_window_without_an_end_is_continued(
    transcriber: Transcriber, minute: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    words: bool, stamps: tuple[float, ...], continued: float | str | None,
) -> None:  # fmt: skip
    script = Script(transcriber, monkeypatch)
    script.first = endless(transcriber, *stamps)
    decoding = DecodingSettings(
        beam_size=1, temperature_increment_on_fallback=None, language="en", word_timestamps=words
    )
    with prepared_file(transcriber, minute, tmp_path, decoding) as ready:
        plan = transcriber.plan(ready)
        whole = list(transcriber.windows(ready, plan))
        (finding,) = whole[0].findings
        assert finding.kind is FindingKind.CUT_OFF
        assert (finding.start, "224 tokens" in finding.detail) == (0.0, True)
        if continued is None:
            assert ("missing" in finding.detail, finding.end) == (True, 30.0)
        else:
            assert "continued" in finding.detail
            assert 1 <= whole[0].seconds < 30
            if continued != "word" and not words:
                assert whole[0].seconds == finding.end == continued
        assert not any(window.findings for window in whole[1:])
        kept = msgspec.json.decode(msgspec.json.encode(whole[:1]), type=tuple[WindowResult, ...])
        again = at_resume(ready, ResumePoint(plan, kept[0].state, kept[0].seconds))
        assert [*kept, *transcriber.windows(again, plan)] == whole


@pytest.mark.parametrize("words", [False, True])
def test_a_chunk_without_an_end_is_continued(
    transcriber: Transcriber, minute: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    words: bool,
) -> None:  # fmt: skip
    decoding = DecodingSettings(
        beam_size=1, temperature_increment_on_fallback=0.5, language="en", word_timestamps=words,
        batched=True,
    )  # fmt: skip
    real = transcriber.model.model.generate
    script = Script(transcriber, monkeypatch)
    script.calls = 1
    tokens = endless(transcriber, 3.0, 9.0)

    def generate(encoded: Any, prompts: Any, **named: Any) -> Any:
        results = real(encoded, prompts, **named)
        if len(prompts) == 1:
            return results  # a continuation
        cut = SimpleNamespace(sequences_ids=[tokens], scores=[-0.1], no_speech_prob=0.0)
        return [cut, *results[1:]]

    native = transcriber.model.model

    class Model:
        def __getattr__(self, name: str) -> Any:
            return generate if name == "generate" else getattr(native, name)

    monkeypatch.setattr(transcriber.model, "model", Model())
    with prepared_file(
        transcriber, minute, tmp_path, replace(decoding, compression_ratio_threshold=None)
    ) as ready:
        first, *_ = batches(transcriber, ready, 2)
    (finding,) = first.findings
    assert (finding.kind, "continued" in finding.detail) == (FindingKind.CUT_OFF, True)
    assert 8.9 < finding.end - finding.start < 12  # pauses that VAD took out included
    after = [segment for segment in first.segments if finding.end <= segment.start < 29]
    assert after
    assert [segment.id for segment in first.segments] == list(range(1, len(first.segments) + 1))


def test_what_max_new_tokens_cuts_is_told_but_not_continued(
    transcriber: Transcriber, minute: Path, tmp_path: Path
) -> None:
    decoding = DecodingSettings(
        beam_size=1, temperature_increment_on_fallback=None, language="en", max_new_tokens=8
    )
    for mode in (decoding, replace(decoding, batched=True)):
        with prepared_file(transcriber, minute, tmp_path, mode) as ready:
            if mode.batched:
                whole = batches(transcriber, ready, 1)
            else:
                whole = list(transcriber.windows(ready, transcriber.plan(ready)))
        details = [one.detail for window in whole for one in window.findings]
        assert details
        assert all("max_new_tokens" in detail for detail in details)


def test_only_a_full_context_counts_as_cut_off() -> None:
    assert cut_off(range(223), range(3), FULL, None) is None
    assert cut_off(range(224), range(3), FULL, None) == (224, False)
    assert cut_off(range(221), range(228), FULL, None) == (221, False)
    assert cut_off(range(220), range(228), FULL, None) is None
    assert cut_off(range(8), range(100), FULL, 8) is None
    assert cut_off(range(9), range(100), FULL, 8) == (9, True)
    assert cut_off(range(224), range(200), FULL, 300) == (224, False)
