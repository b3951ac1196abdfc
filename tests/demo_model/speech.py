"""Synthesise phrases with espeak-ng: int16 at 16 kHz, silence trimmed, words known."""

import io
import random
import subprocess
import wave
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.signal import resample_poly

from tests.demo_model.vocabulary import WORDS

BASES = {"en": ("en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland"), "de": ("de",)}
# espeak-ng voice variants heard in training, and those kept for the clips and the evaluation.
TRAINING_VARIANTS = (
    "", "m1", "m2", "m3", "m5", "m6", "m7", "m8", "f1", "f2", "f4", "Alex", "Alicia", "Andrea",
    "Denis", "Diogo", "Gene", "Jacky", "Lee", "Marco", "Mario", "Mike", "adam", "anika", "antonio",
    "belinda", "benjamin", "boris", "ed", "edward", "gustave", "iven", "john", "linda", "max",
    "michel", "norbert", "pablo", "paul", "quincy", "rob", "robert", "shelby", "steph", "victor",
)  # fmt: skip
MORE_VARIANTS = (*TRAINING_VARIANTS, "Andy", "travis")
HELD_OUT_VARIANTS = ("m4", "f3", "Annie", "Michael", "Hugo", "sandro")


@dataclass(frozen=True)
class Phrase:
    """A spoken phrase. `words` are indexes into `WORDS[language]`; `samples` int16 at 16 kHz."""

    language: str
    words: tuple[int, ...]
    samples: np.ndarray


def speak(voice: str, text: str, speed: int, pitch: int, gap: int = 0) -> np.ndarray:
    """int16 samples at 16 kHz, trimmed to 10 ms around the sound."""
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "-g", str(gap)]
    wav = subprocess.run([*command, "--stdout", text], capture_output=True, check=True).stdout
    with wave.open(io.BytesIO(wav)) as reader:
        assert reader.getframerate() == 22050
    sound = np.frombuffer(wav[44:], np.int16).astype(np.float32) / 32768
    sound = resample_poly(sound, 320, 441).astype(np.float32)
    loud = np.nonzero(np.abs(sound) > 0.005)[0]
    if not len(loud):
        raise ValueError(f"espeak-ng said nothing for {text!r} with voice {voice}")
    sound = sound[max(0, loud[0] - 160) : loud[-1] + 160]
    return (np.clip(sound, -1, 1) * 32767).astype(np.int16)


def random_phrase(seed: int, language: str, variants: tuple[str, ...], longest: int = 6) -> Phrase:
    """One phrase of 1 to `longest` words; the same seed gives the same phrase."""
    rng = random.Random(seed)
    words = tuple(rng.randrange(len(WORDS[language])) for _ in range(rng.randint(1, longest)))
    variant = rng.choice(variants)
    voice = rng.choice(BASES[language]) + (f"+{variant}" if variant else "")
    text = " ".join(WORDS[language][word] for word in words)
    samples = speak(
        voice, text, rng.randint(120, 190), rng.randint(25, 75), rng.choice((0, 0, 2, 5))
    )
    return Phrase(language, words, samples)


def _job(arguments: tuple[int, str, tuple[str, ...], int]) -> Phrase | None:
    try:
        return random_phrase(*arguments)
    except ValueError:
        return None


def phrases(
    count: int, seed: int, variants: tuple[str, ...], longest: int = 6
) -> dict[str, list[Phrase]]:
    """`count` phrases, half of them in each language."""
    jobs = [(seed * 1_000_000 + i, ("en", "de")[i % 2], variants, longest) for i in range(count)]
    with ProcessPoolExecutor() as pool:
        made = [phrase for phrase in pool.map(_job, jobs, chunksize=50) if phrase is not None]
    return {language: [p for p in made if p.language == language] for language in WORDS}
