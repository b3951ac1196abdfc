"""The two models as sessions of onnxruntime: their inputs, outputs, frames and threads.

Names and layouts come from the models: exports of the same weights differ in them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from fwtui.audio.signal import FloatArray
from fwtui.audio.wav import SAMPLE_RATE
from fwtui.errors import ModelError
from fwtui.speakers.clustering import BoolArray
from fwtui.speakers.fbank import BINS

WINDOW = 10 * SAMPLE_RATE
"""Samples of a window, as the segmentation model was trained on."""
LOCAL_SPEAKERS = 3
"""Speakers that the segmentation model can tell apart in a window."""
# What the classes of the model mean: nobody, one of three, two of three at once.
_CLASSES = np.array(
    [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], bool
)
# Samples between two frames and seen by one, of pyannote's segmentation models.
_STEP, _FIELD = 270, 991
_TRY_FRAMES = 100  # of features, to see whether a model takes them: a second


def open_network(path: Path, threads: int) -> Any:
    """A session of onnxruntime. Raises ModelError."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Lengths differ at each call, so an arena would only grow.
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    # Waiting threads would take the processors that the other model needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    with _damage_told(path):
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """Turns what goes wrong with the model of this file into a ModelError."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # onnxruntime's own errors have no common class
        raise damaged(path) from error


def damaged(path: Path) -> ModelError:
    """The error that a file is not a model that can be used."""
    return ModelError(
        f"{path.name} is damaged, or not a model for speakers",
        "download it again: fwtui models delete speakers, then fwtui models download speakers",
        setting="speakers.diarize_model",
    )


class Segmentation:
    """Who of three local speakers is active in each frame of a window of 10 s.

    `frames` a window has; `step` samples are between two, and `field` samples seen by one.
    """

    def __init__(self, path: Path, threads: int) -> None:
        """Raises ModelError."""
        self._session = open_network(path, threads)
        self._input, self._output = _ends(self._session, path)
        self._rank = len(self._input.shape)
        self._one_by_one = self._input.shape[0] == 1
        notes = self._session.get_modelmeta().custom_metadata_map
        self.step = int(notes.get("receptive_field_shift", _STEP))
        self.field = int(notes.get("receptive_field_size", _FIELD))
        with _damage_told(path):
            self.frames = self.active(np.zeros((1, WINDOW), np.float32)).shape[1]

    def active(self, windows: FloatArray) -> BoolArray:
        """(windows, frames, local speakers) of (windows, samples)."""
        parts = np.split(windows, len(windows)) if self._one_by_one else [windows]
        return np.concatenate([self._active(part) for part in parts])

    def _active(self, windows: FloatArray) -> BoolArray:
        shaped = windows[:, None] if self._rank == 3 else windows
        scores = self._session.run([self._output.name], {self._input.name: shaped})[0]
        if scores.ndim != 3 or scores.shape[-1] != len(_CLASSES):
            raise ValueError(scores.shape)
        active: BoolArray = _CLASSES[scores.argmax(-1)]
        return active


class Embedding:
    """What a voice sounds like: a vector of unit length, of a voice's features."""

    def __init__(self, path: Path, threads: int) -> None:
        """Raises ModelError."""
        self._session = open_network(path, threads)
        self._input, self._output = _ends(self._session, path)
        with _damage_told(path):
            self.size = self.of(np.ones((_TRY_FRAMES, BINS), np.float32)).size

    def of(self, features: FloatArray) -> FloatArray:
        """The vector of (frames, bands)."""
        centred = (features - features.mean(0))[None]
        value = self._session.run([self._output.name], {self._input.name: centred})[0]
        if value.ndim != 2 or len(value) != 1:
            raise ValueError(value.shape)
        length = float(np.linalg.norm(value[0]))
        vector: FloatArray = (value[0] / max(length, 1e-9)).astype(np.float32)
        return vector


def _ends(session: Any, path: Path) -> tuple[Any, Any]:
    """The only input and the first output of a model. Raises ModelError."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or not outputs:
        raise damaged(path)
    return inputs[0], outputs[0]
