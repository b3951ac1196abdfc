"""Two tiny networks and recordings of two voices that they can tell apart.

A voice is a tone that gets louder and softer. The segmentation network measures the power of both
tones; the embedding network, in which bands the sound varies.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from fwtui.engine.turn_finder import load_voice_models
from fwtui.models.speaker_models import SpeakerFiles, locate_speakers
from fwtui.speakers.voices_of_file import VoiceModels
from tests.engine.support import write_wav

Sound = npt.NDArray[np.float32]

RATE = 16000
TONES = (520.0, 2000.0)  # Hz: what the voices are
FIELD, STEP = 400, 270
_POWER = 2.0  # of a tone, above which it is heard
# Each turn: begin and end in seconds, and the voice. With pauses, and both at once.
Spoken = tuple[float, float, int]


def _network(
    path: Path,
    nodes: Sequence[object],
    weights: Mapping[str, npt.NDArray[Any]],
    ends: tuple[str, Sequence[object]],
    shape: Sequence[object],
) -> Path:
    inputs = [helper.make_tensor_value_info(ends[0], TensorProto.FLOAT, ends[1])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)]
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(list(nodes), "test", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    helper.set_model_props(
        model, {"receptive_field_shift": str(STEP), "receptive_field_size": str(FIELD)}
    )
    onnx.save(model, str(path))
    return path


def write_segmentation(
    path: Path, name: str = "x", *, rank: int = 3, batch: str | int = "N"
) -> Path:
    """Log probabilities of the seven classes, from the power of both tones."""
    time = np.arange(FIELD) / RATE
    hann = np.hanning(FIELD)
    waves = [hann * wave(2 * np.pi * tone * time) for tone in TONES for wave in (np.sin, np.cos)]
    # nobody, first, second, third, both, ...: linear in both powers, so that the most likely wins
    scores = np.full((7, 4, 1), 0.0, np.float32)
    scores[1, :2] = scores[2, 2:] = scores[4] = 1.0
    least = np.array([0, -_POWER, -_POWER, -1e6, -2 * _POWER, -1e6, -1e6], np.float32)
    weights: dict[str, npt.NDArray[Any]] = {
        "waves": np.stack(waves)[:, None].astype(np.float32),
        "scores": scores,
        "least": least,
        "axis": np.array([1], np.int64),
    }
    sound = name if rank == 3 else "sound"
    nodes = [] if rank == 3 else [helper.make_node("Unsqueeze", [name, "axis"], ["sound"])]
    nodes += [
        helper.make_node("Conv", [sound, "waves"], ["parts"], strides=[STEP]),
        helper.make_node("Mul", ["parts", "parts"], ["powers"]),
        helper.make_node("Conv", ["powers", "scores", "least"], ["classes"]),
        helper.make_node("Transpose", ["classes"], ["y"], perm=[0, 2, 1]),
    ]
    shape = [batch, 1, "T"] if rank == 3 else [batch, "T"]
    return _network(path, nodes, weights, (name, shape), ["N", "F", 7])


def write_embedding(path: Path, name: str = "x") -> Path:
    """How much each band varies."""
    nodes = [
        helper.make_node("Mul", [name, name], ["squares"]),
        helper.make_node("ReduceMean", ["squares"], ["means"], axes=[1], keepdims=0),
        helper.make_node("Mul", ["means", "means"], ["y"]),  # of noise, little is left
    ]
    return _network(path, nodes, {}, (name, ["N", "T", 80]), ["N", 80])


def write_networks(folder: Path) -> Path:
    """Both networks in a folder, as `diarize_model` takes it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_segmentation(folder / "segmentation.onnx")
    write_embedding(folder / "voices.onnx")
    return folder


def load_networks(folder: Path, threads: int = 1) -> VoiceModels:
    """The models in a folder."""
    return load_voice_models(locate_speakers(str(folder)), threads)


def files_in(folder: Path) -> SpeakerFiles:
    """Where both models are."""
    return locate_speakers(str(folder))


def recording(spoken: Sequence[Spoken], seconds: float) -> Sound:
    """The sound of these turns, with a little noise."""
    time = np.arange(round(seconds * RATE)) / RATE
    sound = np.random.default_rng(1).normal(0.0, 0.002, time.size)
    for begin, end, voice in spoken:
        inside = (time >= begin) & (time < end)
        loudness = np.exp(-2 + 1.5 * np.sin(2 * np.pi * 3 * time)) / 2
        sound += np.where(inside, loudness * np.sin(2 * np.pi * TONES[voice] * time), 0.0)
    return np.clip(sound, -1, 1).astype(np.float32)


def conversation(seconds: float) -> list[Spoken]:
    """Turns of both, in an irregular rhythm, with pauses and a moment of both at once."""
    turns: list[Spoken] = []
    at, voice = 0.5, 1
    for length in (2.0, 3.5, 1.2, 4.1, 2.7) * (int(seconds / 10) + 1):
        if at + length > seconds - 0.5:
            break
        turns.append((at, at + length, voice))
        at += length + (0.8 if len(turns) % 3 else -0.6)
        voice = 1 - voice
    return turns


def write_recording(path: Path, seconds: float) -> list[Spoken]:
    """A conversation of that length as a WAV; returns its turns."""
    turns = conversation(seconds)
    write_wav(path, recording(turns, seconds))
    return turns
