"""A recording with known words and times: phrases of held-out voices, pauses, a little noise."""

import random
from dataclasses import dataclass

import numpy as np

from tests.demo_model.speech import HELD_OUT_VARIANTS, RATE, random_phrase
from tests.demo_model.vocabulary import WORDS


@dataclass(frozen=True)
class Said:
    """What is said; `words` are indexes into WORDS.

    `bounds` are the seconds at which the words begin, and at which the last one ends.
    """

    words: tuple[int, ...]
    bounds: tuple[float, ...]

    @property
    def start(self) -> float:
        return self.bounds[0]

    @property
    def end(self) -> float:
        return self.bounds[-1]

    def text(self, language: str) -> str:
        return " ".join(WORDS[language][word] for word in self.words)


def scene(
    seed: int,
    language: str,
    seconds: float,
    longest: int = 6,
    noise: float = 0.001,
    voices: tuple[str, ...] = HELD_OUT_VARIANTS,
) -> tuple[np.ndarray, list[Said]]:
    """float32 samples at 16 kHz and the phrases in them; about `seconds` long."""
    rng = random.Random(seed)
    pieces: list[np.ndarray] = []
    said: list[Said] = []
    position = rng.randint(int(0.1 * RATE), int(0.5 * RATE))
    pieces.append(np.zeros(position, np.float32))
    while True:
        phrase = random_phrase(rng.randrange(1 << 40), language, voices, longest)
        if said and position + len(phrase.samples) > (seconds - 0.3) * RATE:
            break
        voice = phrase.samples.astype(np.float32) / 32768 * 10 ** rng.uniform(-0.4, 0.0)
        end = position + len(voice)
        bounds = tuple((position + bound) / RATE for bound in phrase.bounds)
        said.append(Said(phrase.words, bounds))
        gap = int(rng.uniform(0.4, 1.3) * RATE)
        pieces += [voice, np.zeros(gap, np.float32)]
        position = end + gap
    sound = np.concatenate(pieces)
    hiss = np.random.default_rng(seed).standard_normal(len(sound)).astype(np.float32)
    return sound + hiss * np.float32(noise), said
