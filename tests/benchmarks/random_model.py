"""Whisper models of the real sizes with random weights: as large and as slow, but of no use."""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ctranslate2.specs import whisper_spec

from fwtui import demo


class Size(NamedTuple):
    """Width, heads, layers of the encoder and of the decoder."""

    width: int
    heads: int
    encoder: int
    decoder: int


# https://github.com/openai/whisper/blob/main/model-card.md and the configurations of the models.
SIZES = {
    "tiny": Size(384, 6, 4, 4),
    "base": Size(512, 8, 6, 6),
    "small": Size(768, 12, 12, 12),
    "medium": Size(1024, 16, 24, 24),
    "large-v3-turbo": Size(1280, 20, 32, 4),
}
_CONFIGURED = ("suppress_ids", "suppress_ids_begin", "lang_ids")


def write_model(size: Size, folder: Path, stored: str = "int8") -> None:
    """A CTranslate2 model with the demo model's vocabulary; `stored` is the type of its weights."""
    folder.mkdir(exist_ok=True)
    spec = whisper_spec.WhisperSpec(size.encoder, size.heads, size.decoder, size.heads)
    original = demo.model_dir()
    config = json.loads((original / "config.json").read_bytes())
    vocabulary = json.loads((original / "vocabulary.json").read_bytes())
    _Filler(size.width).fill(spec, len(vocabulary))
    spec.register_vocabulary(vocabulary)
    for key in _CONFIGURED:
        setattr(spec.config, key, config[key])
    spec.config.alignment_heads = [[size.decoder - 1, 0]]
    spec.validate()
    spec.optimize(quantization=stored)
    spec.save(str(folder))
    for name in ("tokenizer.json", "preprocessor_config.json"):
        shutil.copy(original / name, folder)


class _Filler:
    def __init__(self, width: int) -> None:
        self._width = width
        self._chance = np.random.default_rng(0)

    def fill(self, spec: whisper_spec.WhisperSpec, vocabulary: int) -> None:
        width = self._width
        encoder, decoder = spec.encoder, spec.decoder
        for conv, channels in ((encoder.conv1, 80), (encoder.conv2, width)):
            conv.weight, conv.bias = self._weights(width, channels, 3), _zeros(width)
        encoder.position_encodings.encodings = self._weights(1500, width)
        decoder.position_encodings.encodings = self._weights(448, width)
        decoder.embeddings.weight = self._weights(vocabulary, width)
        decoder.projection.weight = decoder.embeddings.weight
        decoder.scale_embeddings = False
        for side in (encoder, decoder):
            self._norm(side.layer_norm)
            for layer in side.layer:
                self._attention(layer.self_attention, 3, 1)
                self._feed_forward(layer.ffn)
        for layer in decoder.layer:
            self._attention(layer.attention, 1, 2, 1)

    def _attention(self, spec: Any, *widths: int) -> None:
        self._norm(spec.layer_norm)
        for linear, times in zip(spec.linear, widths, strict=True):
            self._linear(linear, times * self._width, self._width)

    def _feed_forward(self, spec: Any) -> None:
        self._norm(spec.layer_norm)
        self._linear(spec.linear_0, 4 * self._width, self._width)
        self._linear(spec.linear_1, self._width, 4 * self._width)

    def _linear(self, spec: Any, outputs: int, inputs: int) -> None:
        spec.weight, spec.bias = self._weights(outputs, inputs), _zeros(outputs)

    def _norm(self, spec: Any) -> None:
        spec.gamma, spec.beta = np.ones(self._width, np.float32), _zeros(self._width)

    def _weights(self, *shape: int) -> np.ndarray:
        return (self._chance.standard_normal(shape) * 0.02).astype(np.float32)


def _zeros(length: int) -> np.ndarray:
    return np.zeros(length, np.float32)
