"""Both models as they are found: other names and layouts, damaged and wrong files."""

from pathlib import Path

import numpy as np
import pytest

from fwtui.errors import ModelError
from fwtui.speakers.networks import WINDOW, Embedding, Segmentation
from tests.speakers.networks import (
    load_networks,
    recording,
    write_embedding,
    write_networks,
    write_segmentation,
)


@pytest.mark.parametrize("name", ["x", "input_values", "waveform"])
@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("batch", ["N", 1])
def test_other_exports_of_the_same_weights_hear_the_same(
    name: str, rank: int, batch: str | int, tmp_path: Path
) -> None:
    usual = Segmentation(write_segmentation(tmp_path / "usual.onnx"), 1)
    path = write_segmentation(tmp_path / "other.onnx", name, rank=rank, batch=batch)
    other = Segmentation(path, 1)
    sound = recording([(1.0, 4.0, 0), (3.0, 12.0, 1)], 20.0).reshape(2, WINDOW)
    assert (other.active(sound) == usual.active(sound)).all()
    assert (other.frames, other.step, other.field) == (usual.frames, usual.step, usual.field)
    assert usual.active(sound).any(axis=(0, 1)).tolist() == [True, True, False]


@pytest.mark.parametrize("name", ["x", "feats", "speech"])
def test_the_input_of_the_other_model_may_have_any_name(name: str, tmp_path: Path) -> None:
    embedding = Embedding(write_embedding(tmp_path / "voices.onnx", name), 1)
    assert embedding.size == 80
    vector = embedding.of(np.random.default_rng(1).normal(size=(50, 80)).astype(np.float32))
    assert np.linalg.norm(vector) == pytest.approx(1)


@pytest.mark.parametrize("name", ["segmentation.onnx", "voices.onnx"])
@pytest.mark.parametrize(
    "content", [b"", b"\x08\x07" * 500, None], ids=["empty", "other", "swapped"]
)
def test_a_damaged_or_wrong_file_is_named(name: str, content: bytes | None, tmp_path: Path) -> None:
    folder = write_networks(tmp_path)
    other = "voices.onnx" if name == "segmentation.onnx" else "segmentation.onnx"
    wrong = (folder / other).read_bytes() if content is None else content
    (folder / name).write_bytes(wrong)
    with pytest.raises(ModelError, match=f"{name} is damaged, or not a model for speakers"):
        load_networks(folder)


@pytest.mark.parametrize("name", ["segmentation.onnx", "voices.onnx"])
def test_every_cut_of_a_file_is_told(name: str, tmp_path: Path) -> None:
    folder = write_networks(tmp_path)
    whole = (folder / name).read_bytes()
    for size in range(0, len(whole), max(1, len(whole) // 20)):
        (folder / name).write_bytes(whole[:size])
        with pytest.raises(ModelError, match=name):
            load_networks(folder)
