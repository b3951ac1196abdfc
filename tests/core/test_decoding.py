"""Batch sizes and shares; settings that a session has to outlive."""

import msgspec
import pytest

from fwtui.core.decoding import batch_size, shares
from fwtui.core.settings import DecodingSettings, ModelSettings, Settings, text_hash


@pytest.mark.parametrize(
    ("decoding", "device", "size"),
    [
        (DecodingSettings(), "cuda", 1),
        (DecodingSettings(batch_size=8), "cuda", 1),
        (DecodingSettings(batched=True), "cuda", 16),
        (DecodingSettings(batched=True), "cpu", 4),
        (DecodingSettings(batched=True, batch_size=5), "cpu", 5),
    ],
)
def test_batch_size(decoding: DecodingSettings, device: str, size: int) -> None:
    assert batch_size(decoding, device) == size


@pytest.mark.parametrize(
    ("left", "size", "given"),
    [
        ((), 4, ()),
        ((1, 1, 1), 4, (1, 1, 1)),
        ((9, 1), 4, (4, 0)),
        ((3, 9, 2), 4, (3, 1, 0)),
        ((0, 2), 1, (0, 1)),
    ],
)
def test_shares(left: tuple[int, ...], size: int, given: tuple[int, ...]) -> None:
    assert shares(left, size) == given


def test_the_batch_size_does_not_decide_the_text_but_the_mode_does() -> None:
    plain = Settings()
    batched = Settings(decoding=DecodingSettings(batched=True))
    larger = Settings(decoding=DecodingSettings(batched=True, batch_size=3))
    assert batched.text_hash() == larger.text_hash() != plain.text_hash()


def test_a_session_from_before_batched_mode_goes_on_inside_its_files() -> None:
    """Its hash was made of the options that there were then."""
    model, decoding = ModelSettings(), DecodingSettings()
    then = msgspec.json.decode(msgspec.json.encode(decoding))
    later = "batched batch_size language_detection_segments language_detection_threshold"
    later += " audio_track channel track_language normalize_loudness"
    for name in later.split():
        del then[name]
    assert text_hash(model, decoding) == _hash((model.model, model.compute_type, then))
    assert text_hash(model, decoding) == "d623e689fb636324a07c9ff2a4bee74c"


def _hash(value: object) -> str:
    import hashlib

    return hashlib.blake2b(msgspec.json.encode(value), digest_size=16).hexdigest()
