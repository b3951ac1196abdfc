"""A real transcriber on the demo model, and files ready for it."""

import hashlib
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from fwtui import demo
from fwtui.core.paths import path_to_text
from fwtui.core.segment import Segment
from fwtui.core.session import ResumePoint
from fwtui.core.settings import DecodingSettings, ModelSettings, Settings
from fwtui.engine.prepare import PreparedFile, prepare
from fwtui.engine.protocol import Transcribe
from fwtui.engine.transcriber import Transcriber

MODEL = ModelSettings(model=str(demo.model_dir()), device="cpu", threads=1)
LONG_CLIP = demo.clips()[-1]
MINUTE = Path(__file__).parents[1] / "data" / "english-minute.flac"  # its first 75 s: three windows
# Sampling is random, so what must come out the same twice must not fall back to it.
GREEDY = DecodingSettings(beam_size=1, temperature_increment_on_fallback=None)


def write_wav(path: Path, sound: NDArray[np.float32]) -> None:
    """16 kHz mono int16."""
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16000)
        writer.writeframes((sound * 32767).astype("<i2").tobytes())


def transcriber_on(settings: ModelSettings) -> Transcriber:
    """A transcriber whose model encodes the same features once: it always makes the same of them.

    The tests compare what comes of a recording in many ways; encoding was most of their time.
    """
    transcriber = Transcriber(settings)
    encode = transcriber.model.encode
    known: dict[tuple[tuple[int, ...], bytes], Any] = {}

    def encode_once(features: NDArray[np.float32]) -> Any:
        key = features.shape, hashlib.sha256(features.tobytes()).digest()
        if key not in known:
            known[key] = encode(features)
        return known[key]

    transcriber.model.encode = encode_once
    return transcriber


def never() -> bool:
    return False


def request(
    path: Path, scratch: Path, decoding: DecodingSettings, resume: ResumePoint | None = None
) -> Transcribe:
    settings = Settings(model=MODEL, decoding=decoding)
    return Transcribe(
        job=1,
        path=path_to_text(path),
        decoding=decoding,
        text_hash=settings.text_hash(),
        scratch=path_to_text(scratch),
        resume=resume,
    )


@contextmanager
def prepared_file(
    transcriber: Transcriber,
    path: Path,
    folder: Path,
    decoding: DecodingSettings,
    resume: ResumePoint | None = None,
) -> Iterator[PreparedFile]:
    def ignore(*_: Any) -> None:
        pass

    scratch = folder / f"tmp-{path.name}.wav"
    extractor = transcriber.model.feature_extractor
    ready = prepare(request(path, scratch, decoding, resume), extractor, ignore, ignore, never)
    try:
        yield ready
    finally:
        ready.pcm.close()
        scratch.unlink()


def at_resume(ready: PreparedFile, resume: ResumePoint) -> PreparedFile:
    """The same file, as if an earlier attempt had got to `resume`."""
    from dataclasses import replace as changed

    return changed(ready, resume=resume)


def segments_of(
    transcriber: Transcriber, path: Path, folder: Path, decoding: DecodingSettings
) -> list[Segment]:
    """All segments of a file by our own way."""
    with prepared_file(transcriber, path, folder, decoding) as ready:
        plan = transcriber.plan(ready)
        return [s for window in transcriber.windows(ready, plan) for s in window.segments]


def whisper_segments(
    transcriber: Transcriber, path: Path, options: dict[str, Any]
) -> list[Segment]:
    """All segments by faster-whisper's `transcribe` on the same model."""
    from fwtui.engine.convert import convert
    from tests.whisper_audio import decode_audio

    found, _ = transcriber.model.transcribe(decode_audio(path), **options)
    return [convert(segment) for segment in found]


# How far scores may be apart: features differ in the last bits of a float, and what CTranslate2's
# int8 kernels make of that depends on the processor.
SCORES = 0.005


def assert_alike(ours: list[Segment], theirs: list[Segment]) -> None:
    """The same texts, tokens and times; scores within `SCORES`, of words within ten times that."""
    assert [_without_scores(segment) for segment in ours] == [
        _without_scores(segment) for segment in theirs
    ]
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.avg_logprob == pytest.approx(other.avg_logprob, abs=SCORES)
        assert mine.no_speech_prob == pytest.approx(other.no_speech_prob, abs=SCORES)
        for word, same in zip(mine.words or (), other.words or (), strict=True):
            assert word.probability == pytest.approx(same.probability, abs=10 * SCORES)


def ending_by(segments: list[Segment], end: float, start: float = 0.0) -> list[Segment]:
    """The segments from `start` on, none after `end`: faster-whisper lets some end later."""
    return [
        replace(one, end=end) if start <= one.start < end < one.end else one for one in segments
    ]


def _without_scores(segment: Segment) -> Segment:
    words = segment.words
    return replace(
        segment,
        avg_logprob=0.0,
        no_speech_prob=0.0,
        words=None if words is None else tuple(replace(word, probability=0.0) for word in words),
    )


Make = Callable[..., PreparedFile]
