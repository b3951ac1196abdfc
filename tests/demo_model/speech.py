"""Synthesise phrases with espeak-ng: int16 at 16 kHz, words and their times known."""

import ctypes
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.signal import resample_poly

from tests.demo_model.vocabulary import WORDS

RATE = 16000
# Voices by file: by name, the library (unlike its command) finds no "en-gb" with a variant.
BASES = {
    "en": ("gmw/en-US", "gmw/en", "gmw/en-GB-x-rp", "gmw/en-GB-scotland"),
    "de": ("gmw/de",),
}
# espeak-ng voice variants heard in training, and those kept for the clips and the evaluation.
TRAINING_VARIANTS = (
    "", "m1", "m2", "m3", "m5", "m6", "m7", "m8", "f1", "f2", "f4", "f5", "Alex", "Alicia",
    "Andrea", "Andy", "Denis", "Diogo", "Gene", "Jacky", "Lee", "Marco", "Mario", "Mike", "adam",
    "anika", "antonio", "belinda", "benjamin", "boris", "ed", "edward", "gustave", "iven", "john",
    "linda", "max", "michel", "norbert", "pablo", "paul", "quincy", "rob", "robert", "shelby",
    "steph", "travis", "victor",
)  # fmt: skip
HELD_OUT_VARIANTS = ("m4", "f3", "Annie", "Michael", "Hugo", "sandro")


@dataclass(frozen=True)
class Phrase:
    """A spoken phrase.

    `words` are indexes into `WORDS[language]`; `bounds` the samples at which the words begin, and
    behind them the end of the last word; `samples` int16 at 16 kHz.
    """

    language: str
    words: tuple[int, ...]
    bounds: tuple[int, ...]
    samples: np.ndarray


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)
_SYNCHRONOUS, _UTF8, _WORD = 2, 1, 1  # of speak_lib.h
_SPEED, _PITCH, _GAP = 1, 3, 7


class Speaker:
    """libespeak-ng in this process: unlike the command it tells when each word begins."""

    def __init__(self) -> None:
        self._library: Any = ctypes.CDLL("libespeak-ng.so.1")
        self._rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, 0)
        self._pieces: list[np.ndarray] = []
        self._starts: list[int] = []
        self._callback = _CALLBACK(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    def _take(self, samples: Any, count: int, events: Any) -> int:
        if count > 0:
            self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type:
            event = events[index]
            if event.type == _WORD and event.length:  # there is a word of no length at some ends
                self._starts.append(event.sample)
            index += 1
        return 0

    def speak(
        self, voice: str, text: str, speed: int, pitch: int, gap: int = 0
    ) -> tuple[np.ndarray, list[int]]:
        """int16 samples at 16 kHz, trimmed to 10 ms around the sound; where each word begins.

        ValueError if there is no such voice or it says nothing.
        """
        self._pieces, self._starts = [], []
        if self._library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"espeak-ng has no voice {voice}")
        for parameter, value in ((_SPEED, speed), (_PITCH, pitch), (_GAP, gap)):
            self._library.espeak_SetParameter(parameter, value, 0)
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 0, 0, _UTF8, None, None)
        sound = np.concatenate(self._pieces).astype(np.float32) / 32768
        sound = resample_poly(sound, 320, 441).astype(np.float32)
        loud = np.nonzero(np.abs(sound) > 0.005)[0]
        if not len(loud):
            raise ValueError(f"espeak-ng said nothing for {text!r} with voice {voice}")
        first, last = max(0, int(loud[0]) - 160), int(loud[-1]) + 160
        starts = [max(0, start * RATE // self._rate - first) for start in self._starts]
        return (np.clip(sound[first:last], -1, 1) * 32767).astype(np.int16), starts


@cache
def speaker() -> Speaker:
    """The one of this process: the library has one state."""
    return Speaker()


def random_phrase(seed: int, language: str, variants: tuple[str, ...], longest: int = 6) -> Phrase:
    """One phrase of 1 to `longest` words; the same seed gives the same phrase."""
    rng = random.Random(seed)
    words = tuple(rng.randrange(len(WORDS[language])) for _ in range(rng.randint(1, longest)))
    variant = rng.choice(variants)
    voice = rng.choice(BASES[language]) + (f"+{variant}" if variant else "")
    text = " ".join(WORDS[language][word] for word in words)
    samples, starts = speaker().speak(
        voice, text, rng.randint(120, 190), rng.randint(25, 75), rng.choice((0, 0, 2, 5))
    )
    if len(starts) != len(words):
        raise ValueError(f"espeak-ng told of {len(starts)} words in {text!r}")
    return Phrase(language, words, (*starts, len(samples)), samples)


def _job(arguments: tuple[int, str, tuple[str, ...]]) -> Phrase | None:
    try:
        return random_phrase(*arguments)
    except ValueError:
        return None


def phrases(count: int, seed: int, workers: int) -> Iterator[Phrase]:
    """About `count` phrases of the training voices, half of them in each language."""
    jobs = [(seed * 1_000_000 + i, ("en", "de")[i % 2], TRAINING_VARIANTS) for i in range(count)]
    with ProcessPoolExecutor(workers) as pool:
        for phrase in pool.map(_job, jobs, chunksize=50):
            if phrase is not None:
                yield phrase
