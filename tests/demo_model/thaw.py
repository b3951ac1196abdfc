"""A model in CTranslate2's format as weights to go on training with."""

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import nn

from tests.demo_model.network import (
    WIDTH,
    Attention,
    DecoderLayer,
    EncoderLayer,
    Network,
    sinusoids,
)

_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)
# Seconds of the timestamps that the model may have learnt.
_LEARNT = 10


class Frozen:
    """The variables of a `model.bin` (binary version 6), by name."""

    def __init__(self, path: Path) -> None:
        self._arrays: dict[str, np.ndarray] = {}
        with path.open("rb") as file:
            _number(file), _text(file), _number(file)
            for _ in range(_number(file)):
                name = _text(file)
                shape = [_number(file) for _ in range(file.read(1)[0])]
                kind = _TYPES[file.read(1)[0]]
                self._arrays[name] = np.frombuffer(file.read(_number(file)), kind).reshape(shape)

    def __contains__(self, name: str) -> bool:
        return f"{name}/weight" in self._arrays

    def plain(self, name: str) -> torch.Tensor:
        """A variable that is not quantized."""
        return torch.tensor(self._arrays[name])

    def weight(self, name: str) -> torch.Tensor:
        """The weight of a layer, of int8 with a scale for each row."""
        array, scale = self._arrays[f"{name}/weight"], self._arrays[f"{name}/weight_scale"]
        rows = array.reshape(len(scale), -1).astype(np.float32) / scale[:, None]
        return torch.tensor(rows.reshape(array.shape))


def _number(file: BinaryIO) -> int:
    return int(struct.unpack("<I", file.read(4))[0])


def _text(file: BinaryIO) -> str:
    (length,) = struct.unpack("<H", file.read(2))
    return file.read(length)[:-1].decode()


def thaw(folder: Path, model: Network) -> None:
    """Give `model` the weights of the model in `folder`.

    Encoder layers that it has not are added so that they change nothing at first. Timestamps
    become the linear function of their positions that is nearest to the learnt ones.
    """
    frozen = Frozen(folder / "model.bin")
    with torch.no_grad():
        for name in ("conv1", "conv2"):
            _linear(frozen, f"encoder/{name}", getattr(model.encoder, name))
        for side, half in (("encoder", model.encoder), ("decoder", model.decoder)):
            _norm(frozen, f"{side}/layer_norm", half.layer_norm)
            for number, layer in enumerate(half.layers):
                assert isinstance(layer, EncoderLayer)
                _layer(frozen, f"{side}/layer_{number}", layer)
        embeddings = frozen.weight("decoder/embeddings")
        model.decoder.embed_tokens.weight.copy_(embeddings)
        positions = frozen.plain("decoder/position_encodings/encodings")
        model.decoder.embed_positions.weight.copy_(positions)
        known = embeddings[model.first_timestamp :][: _LEARNT * 50]
        places = torch.cat([sinusoids(len(known)), torch.ones(len(known), 1)], dim=1)
        fitted = torch.linalg.lstsq(places, known, driver="gelsd").solution
        model.positions.weight.copy_(fitted[:WIDTH].T)
        model.positions.bias.copy_(fitted[WIDTH])


def _layer(frozen: Frozen, name: str, layer: EncoderLayer) -> None:
    if f"{name}/ffn/linear_0" not in frozen:
        for last in (layer.self_attn.out_proj, layer.fc2):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        return
    _norm(frozen, f"{name}/self_attention/layer_norm", layer.self_attn_layer_norm)
    _norm(frozen, f"{name}/ffn/layer_norm", layer.final_layer_norm)
    _linear(frozen, f"{name}/ffn/linear_0", layer.fc1)
    _linear(frozen, f"{name}/ffn/linear_1", layer.fc2)
    own = layer.self_attn
    _fused(frozen, f"{name}/self_attention/linear_0", own, (own.q_proj, own.k_proj, own.v_proj))
    _linear(frozen, f"{name}/self_attention/linear_1", own.out_proj)
    if isinstance(layer, DecoderLayer):
        other = layer.encoder_attn
        _norm(frozen, f"{name}/attention/layer_norm", layer.encoder_attn_layer_norm)
        _linear(frozen, f"{name}/attention/linear_0", other.q_proj)
        _fused(frozen, f"{name}/attention/linear_1", other, (other.k_proj, other.v_proj))
        _linear(frozen, f"{name}/attention/linear_2", other.out_proj)


def _norm(frozen: Frozen, name: str, norm: nn.LayerNorm) -> None:
    norm.weight.copy_(frozen.plain(f"{name}/gamma"))
    norm.bias.copy_(frozen.plain(f"{name}/beta"))


def _linear(frozen: Frozen, name: str, module: nn.Linear | nn.Conv1d) -> None:
    module.weight.copy_(frozen.weight(name))
    assert module.bias is not None
    module.bias.copy_(frozen.plain(f"{name}/bias"))


def _fused(frozen: Frozen, name: str, owner: Attention, parts: tuple[nn.Linear, ...]) -> None:
    """Linear layers that CTranslate2 keeps as one; that of the keys has no bias."""
    weights, biases = frozen.weight(name), frozen.plain(f"{name}/bias")
    for number, part in enumerate(parts):
        rows = slice(number * WIDTH, (number + 1) * WIDTH)
        part.weight.copy_(weights[rows])
        if part is not owner.k_proj:
            part.bias.copy_(biases[rows])
