"""Which speakers of a file are known ones, by their mean voices. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from fwtui.audio.signal import FloatArray
from fwtui.speakers.known_voices import KnownVoice


class Recognised(NamedTuple):
    """The names of speakers, by number, and how many known voices could not be compared."""

    names: Mapping[int, str]
    others: int


def recognise(
    voices: Mapping[int, FloatArray], known: Sequence[KnownVoice], model: str, threshold: float
) -> Recognised:
    """Name the speakers that are nearer to a known voice than the threshold, by cosine distance.

    One to one: the nearest two belong together, then the nearest of the rest. Voices of another
    model than `model` are not compared.
    """
    size = next((voice.size for voice in voices.values()), 0)
    same = [one for one in known if one.model == model and len(one.vector) == 2 * size]
    others = sum(one.model != model for one in known)
    if not voices or not same:
        return Recognised({}, others)
    numbers = sorted(voices)
    speakers = np.stack([_unit(voices[number]) for number in numbers])
    prints = np.stack([_unit(np.frombuffer(one.vector, "<f2")) for one in same])
    distance = 1 - np.einsum("ik,jk->ij", speakers, prints)
    names: dict[int, str] = {}
    for _ in range(min(distance.shape)):
        row, column = np.unravel_index(distance.argmin(), distance.shape)
        if not distance[row, column] <= threshold:
            break
        names[numbers[row]] = same[column].name
        distance[row], distance[:, column] = np.inf, np.inf
    return Recognised(dict(sorted(names.items())), others)


def _unit(vector: FloatArray) -> FloatArray:
    wide = vector.astype(np.float32)
    found: FloatArray = wide / max(float(np.linalg.norm(wide)), 1e-9)
    return found
