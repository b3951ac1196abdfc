"""Training windows: phrases at random offsets with gain and noise, and their target tokens."""

import random

import numpy as np
import torch
from faster_whisper.feature_extractor import FeatureExtractor
from torch.nn import functional

from tests.demo_model.speech import Phrase
from tests.demo_model.vocabulary import Vocabulary

RATE = 16000
IGNORED = -100  # the label that cross_entropy leaves out


class Windows:
    """A seeded source of batches (log-mel, decoder input, labels)."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        speech: dict[str, list[Phrase]],
        seed: int,
        *,
        coloured: bool = False,
        mild: bool = False,
    ) -> None:
        self.coloured = coloured
        # powers of ten: the quietest voice, the loudest noise
        self.quietest, self.noisiest = (-0.4, -2.6) if mild else (-0.7, -2.0)
        self.v = vocabulary
        self.speech = speech
        self.rng = random.Random(seed)
        self.noise = np.random.default_rng(seed)
        self.filters = torch.tensor(FeatureExtractor().mel_filters.astype(np.float32))
        self.hann = torch.tensor(np.hanning(401)[:-1].astype(np.float32))

    def mel(self, sound: np.ndarray) -> torch.Tensor:
        """(samples,) -> (80, samples / 160), clamped as if the file were up to 0.5 louder."""
        padded = functional.pad(torch.from_numpy(sound), (0, 160))
        power = (
            torch.stft(padded, 400, 160, window=self.hann, center=True, return_complex=True)[
                :, :-1
            ].abs()
            ** 2
        )
        mel = torch.log10(torch.clamp(self.filters @ power, min=1e-10))
        if self.coloured:  # as if by another microphone
            low, high = self.rng.uniform(-0.4, 0.4), self.rng.uniform(-0.4, 0.4)
            mel = mel + torch.linspace(low, high, 80)[:, None]
        loudest = mel.max() + self.rng.choice((0.0, 0.0, self.rng.uniform(0, 0.7)))
        return (torch.maximum(mel, loudest - 8.0) + 4) / 4

    def _gap(self) -> float:
        rng = self.rng
        return rng.choice((rng.uniform(0.3, 1.0), rng.uniform(0.3, 1.0), rng.uniform(0.8, 3.5)))

    def _sound(
        self, seconds: float, language: str
    ) -> tuple[np.ndarray, list[tuple[float, float, Phrase]], float | None]:
        """Sound, whole phrases with their times, and the start of a phrase cut by the end."""
        rng = self.rng
        full = rng.random() < 0.5
        length = int((seconds if full else rng.uniform(min(2.0, seconds), seconds)) * RATE)
        sound = np.zeros(length, np.float32)
        placed: list[tuple[float, float, Phrase]] = []
        cut: float | None = None
        position = int(rng.choice((0.0, rng.uniform(0, 0.5), rng.uniform(0, 2))) * RATE)
        while position < length - RATE // 4:
            phrase = rng.choice(self.speech[language])
            voice = (
                phrase.samples.astype(np.float32) / 32768 * 10 ** rng.uniform(self.quietest, 0.1)
            )
            end = position + len(voice)
            if end > length:
                if not (full and rng.random() < 0.6):
                    break
                sound[position:] += voice[: length - position]
                cut = position / RATE
                break
            sound[position:end] += voice
            placed.append((position / RATE, end / RATE, phrase))
            position = end + int(self._gap() * RATE)
        return sound, placed, cut

    def _noise(self, length: int) -> np.ndarray:
        level = 10 ** self.rng.uniform(-5, self.noisiest)
        return self.noise.standard_normal(length).astype(np.float32) * np.float32(level)

    def _context(self, language: str) -> list[int]:
        """Tokens of a made-up previous text, as faster-whisper would put before the window."""
        rng, v = self.rng, self.v
        if rng.random() < 0.45:
            return []
        words = v.words[language]
        if rng.random() < 0.1:
            return [v.prev, *(rng.randrange(256) for _ in range(rng.randint(1, 30)))]
        text: list[int] = []
        clock = 0.0
        timed = rng.random() < 0.7
        for _ in range(rng.randint(1, 25)):
            said = [rng.choice(words) for _ in range(rng.randint(1, 6))]
            end = clock + 0.4 * len(said)
            text += [v.timestamp(clock), *said, v.timestamp(end)] if timed else said
            clock = (end + self._gap()) % 28
        return [v.prev, *text[-223:]]

    def sample(self, seconds: float) -> tuple[np.ndarray, list[int], list[int]]:
        """One window: sound, decoder input tokens and the labels beside them."""
        rng, v = self.rng, self.v
        language = rng.choice(("en", "de"))
        task = v.translate if language == "de" and rng.random() < 0.3 else v.transcribe
        if rng.random() < 0.06:
            length = int(rng.uniform(0.5, seconds) * RATE)
            loud = 10 ** rng.uniform(-6, -2) if rng.random() < 0.8 else 0.0
            sound = self.noise.standard_normal(length).astype(np.float32) * np.float32(loud)
            placed, cut = [], None
        else:
            sound, placed, cut = self._sound(seconds, language)
            if rng.random() < 0.7:
                sound += self._noise(len(sound))
        spoken = "en" if task == v.translate else language
        untimed = rng.random() < 0.15
        body: list[int] = []
        for index, (start, end, phrase) in enumerate(placed):
            # decoding allows the first timestamp up to 1.0 s (max_initial_timestamp)
            first = min(start, 1.0) if index == 0 else start
            said = [v.words[spoken][word] for word in phrase.words]
            body += said if untimed else [v.timestamp(first), *said, v.timestamp(end)]
        if not untimed and (cut is not None or not placed):
            body.append(v.timestamp(min(cut or 0.0, 1.0) if not placed else cut or 0.0))
        context = self._context(spoken)
        prompt = [v.sot, v.en if language == "en" else v.de, task]
        prompt += [v.no_timestamps] if untimed else []
        silent = not placed and cut is None
        first_label = v.no_speech if silent else prompt[1]
        inputs = context + prompt + body
        labels = [IGNORED] * len(context) + [first_label] + [IGNORED] * (len(prompt) - 2)
        return sound, inputs[:448], (labels + body + [v.eot])[:448]

    def batch(self, size: int, seconds: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(size, 80, frames) float32, (size, tokens) and (size, tokens) int64."""
        frames = int(seconds * 100)
        features = torch.zeros(size, 80, frames)
        rows = []
        for index in range(size):
            sound, inputs, labels = self.sample(seconds)
            mel = self.mel(sound)[:, :frames]
            features[index, :, : mel.shape[1]] = mel
            rows.append((inputs, labels))
        longest = max(len(inputs) for inputs, _ in rows)
        tokens = torch.full((size, longest), self.v.eot)
        targets = torch.full((size, longest), IGNORED)
        for index, (inputs, labels) in enumerate(rows):
            tokens[index, : len(inputs)] = torch.tensor(inputs)
            targets[index, : len(labels)] = torch.tensor(labels)
        return features, tokens, targets
