"""Training windows: phrases at random offsets with gain and noise, and what is known of them."""

import random
from dataclasses import dataclass, field

import numpy as np
import torch
from faster_whisper.feature_extractor import FeatureExtractor
from torch.nn import functional

from tests.demo_model.speech import RATE, Phrase
from tests.demo_model.vocabulary import WORDS, Vocabulary

IGNORED = -100  # the label that cross_entropy leaves out
HOP = 320  # samples in a frame of the encoder
NEAR = 3  # frames: how far around the end of a phrase its timestamp may look
MIDDLE = (0.35, 0.75)  # of a word: where it can be told which one it is
ROOM = 223  # tokens: the longest previous text
AFTER = 12  # frames: where to look for what tells that nothing follows


@dataclass(frozen=True)
class Placed:
    """A phrase in a window: samples at which its words begin, and at which the last one ends."""

    phrase: Phrase
    bounds: tuple[int, ...]


@dataclass(frozen=True)
class Scene:
    """Sound (float32), the whole phrases in it, and one that the end cuts off."""

    sound: np.ndarray
    placed: list[Placed] = field(default_factory=list)
    cut: Placed | None = None


@dataclass(frozen=True)
class Batch:
    """What the network gets, and what it should make of it.

    `features` (batch, 80, 2 x frames); `begin` (batch,) frames before the window; `tokens` and
    `labels` (batch, tokens); `spans` (batch, tokens, 2) frames at which to look for the label, or
    -1; `words` (batch, frames) what is said when: 0 for nothing, `IGNORED` where a word is not
    heard enough of yet, or hardly any more.
    """

    features: torch.Tensor
    begin: torch.Tensor
    tokens: torch.Tensor
    labels: torch.Tensor
    spans: torch.Tensor
    words: torch.Tensor


class Windows:
    """A seeded source of batches.

    `mild`: with less noise; `prompted`: share of windows with a previous text. Speech is a little
    slower or faster than it was synthesised.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        speech: dict[str, list[Phrase]],
        seed: int,
        *,
        mild: bool,
        prompted: float,
    ) -> None:
        # powers of ten: the quietest voice, the loudest noise
        self.quietest, self.noisiest = (-0.4, -2.6) if mild else (-0.7, -2.1)
        self.prompted = prompted
        self.v = vocabulary
        self.speech = speech
        self.rng = random.Random(seed)
        self.noise = np.random.default_rng(seed)
        self.filters = torch.tensor(FeatureExtractor().mel_filters.astype(np.float32))
        self.hann = torch.tensor(np.hanning(401)[:-1].astype(np.float32))

    def mel(self, sound: np.ndarray) -> torch.Tensor:
        """(samples,) -> (80, samples / 160), clamped as if the file were up to 0.7 louder."""
        padded = functional.pad(torch.from_numpy(sound), (0, 160))
        power = (
            torch.stft(padded, 400, 160, window=self.hann, center=True, return_complex=True)[
                :, :-1
            ].abs()
            ** 2
        )
        mel = torch.log10(torch.clamp(self.filters @ power, min=1e-10))
        if self.rng.random() < 0.7:  # as if by another microphone
            low, high = self.rng.uniform(-0.4, 0.4), self.rng.uniform(-0.4, 0.4)
            mel = mel + torch.linspace(low, high, 80)[:, None]
        loudest = mel.max() + self.rng.choice((0.0, 0.0, self.rng.uniform(0, 0.7)))
        return (torch.maximum(mel, loudest - 8.0) + 4) / 4

    def _gap(self) -> float:
        rng = self.rng
        return rng.choice((rng.uniform(0.3, 1.0), rng.uniform(0.3, 1.0), rng.uniform(0.8, 3.5)))

    def _voice(self, language: str) -> tuple[np.ndarray, Phrase, tuple[int, ...]]:
        """A phrase at another speed (and so pitch) and loudness, with its word bounds."""
        rng = self.rng
        phrase = rng.choice(self.speech[language])
        voice = phrase.samples.astype(np.float32) / 32768 * 10 ** rng.uniform(self.quietest, 0.1)
        pace = rng.choice((1.0, rng.uniform(0.92, 1.08)))
        if pace != 1.0:
            length = int(len(voice) / pace)
            voice = np.interp(np.arange(length) * pace, np.arange(len(voice)), voice)
        return voice.astype(np.float32), phrase, tuple(int(b / pace) for b in phrase.bounds)

    def _speech(self, seconds: float, language: str) -> Scene:
        rng = self.rng
        full = rng.random() < 0.6
        length = int((seconds if full else rng.uniform(min(2.0, seconds), seconds)) * RATE)
        sound = np.zeros(length, np.float32)
        placed: list[Placed] = []
        position = int(rng.choice((0.0, rng.uniform(0, 0.5), rng.uniform(0, 2))) * RATE)
        while position < length - RATE // 4:
            voice, phrase, bounds = self._voice(language)
            here = Placed(phrase, tuple(position + bound for bound in bounds))
            end = position + len(voice)
            if end > length:
                if not (full and rng.random() < 0.7):
                    break
                sound[position:] += voice[: length - position]
                return Scene(sound, placed, here)
            sound[position:end] += voice
            placed.append(here)
            position = end + int(self._gap() * RATE)
        return Scene(sound, placed)

    def _hiss(self, length: int, loudest: float) -> np.ndarray:
        level = 10 ** self.rng.uniform(-5, loudest)
        return self.noise.standard_normal(length).astype(np.float32) * np.float32(level)

    def scene(self, seconds: float, language: str) -> Scene:
        """Speech with or without noise; sometimes nobody speaks."""
        if self.rng.random() < 0.06:
            length = int(self.rng.uniform(0.5, seconds) * RATE)
            silent = self.rng.random() < 0.2
            return Scene(np.zeros(length, np.float32) if silent else self._hiss(length, -2))
        scene = self._speech(seconds, language)
        if self.rng.random() < 0.7:
            scene.sound[:] += self._hiss(len(scene.sound), self.noisiest)
        return scene

    def _context(self, language: str) -> list[int]:
        """Tokens of a made-up previous text, as faster-whisper would put before the window.

        From the fourth window of a recording on it is as long as there is room for.
        """
        rng, v = self.rng, self.v
        if rng.random() > self.prompted:
            return []
        words = v.words[language]
        if rng.random() < 0.05:
            return [v.prev, *(rng.randrange(256) for _ in range(rng.randint(1, 30)))]
        wanted = ROOM if rng.random() < 0.45 else rng.randint(1, ROOM)
        text: list[int] = []
        clock = 0.0
        timed = rng.random() < 0.8
        while len(text) < wanted:
            said = [rng.choice(words) for _ in range(rng.randint(1, 6))]
            end = clock + 0.4 * len(said)
            text += [v.timestamp(clock), *said, v.timestamp(end)] if timed else said
            clock = end + self._gap()
            if clock > 26:  # the next window
                clock = rng.uniform(0, 2)
        return [v.prev, *text[-wanted:]]

    def _body(
        self, scene: Scene, spoken: str, begin: int, *, timed: bool
    ) -> list[tuple[int, int, int]]:
        """Tokens of the text, each with the frames of the window (from, to) where it is heard."""
        v = self.v
        body: list[tuple[int, int, int]] = []

        def mark(sample: int, *, first: bool) -> None:
            frame = round(sample / HOP)
            # decoding allows the first timestamp up to 1.0 s (max_initial_timestamp)
            told = min(frame, 50) if first and begin == 0 else frame
            token = v.timestamp((told + begin) * 0.02)
            body.append((token, frame - NEAR, frame + NEAR))

        for index, here in enumerate(scene.placed):
            if timed:
                mark(here.bounds[0], first=index == 0)
            for word, start, end in zip(
                here.phrase.words, here.bounds[:-1], here.bounds[1:], strict=True
            ):
                body.append((v.words[spoken][word], start // HOP, end // HOP))
            if timed:
                mark(here.bounds[-1], first=False)
        if timed and scene.cut is not None:
            mark(scene.cut.bounds[0], first=not scene.placed)
        elif timed and not scene.placed:
            body.append((v.timestamp(begin * 0.02), -1, -1))
        return body

    def _words(self, scene: Scene, frames: int, language: str) -> np.ndarray:
        """(frames,) what is said at each: 0 for nothing, 1 + the word's number in its middle."""
        words = np.zeros(frames, np.int64)
        offset = 1 if language == "en" else 1 + len(WORDS["en"])
        for here in [*scene.placed, *([scene.cut] if scene.cut else [])]:
            for word, start, end in zip(
                here.phrase.words, here.bounds[:-1], here.bounds[1:], strict=True
            ):
                first, length = start / HOP, (end - start) / HOP
                words[round(first) : round(first + length)] = IGNORED
                middle = slice(*(round(first + length * share) for share in MIDDLE))
                words[middle] = offset + word
        return words

    def sample(
        self, seconds: float, begin: int
    ) -> tuple[np.ndarray, list[int], list[int], list[tuple[int, int]], np.ndarray]:
        """Sound, decoder input, labels and spans beside it, and the words by frame."""
        rng, v = self.rng, self.v
        language = rng.choice(("en", "de"))
        task = v.translate if language == "de" and rng.random() < 0.3 else v.transcribe
        spoken = "en" if task == v.translate else language
        scene = self.scene(seconds, language)
        timed = rng.random() > 0.2
        body = self._body(scene, spoken, begin, timed=timed)
        context = self._context(spoken)
        prompt = [v.sot, v.en if language == "en" else v.de, task]
        prompt += [] if timed else [v.no_timestamps]
        silent = not scene.placed and scene.cut is None
        inputs = context + prompt + [token for token, _, _ in body]
        labels = [IGNORED] * len(context) + [v.no_speech if silent else prompt[1]]
        labels += [IGNORED] * (len(prompt) - 2) + [token for token, _, _ in body] + [v.eot]
        spans = [(-1, -1)] * (len(context) + len(prompt) - 1)
        spans += [(start, end) for _, start, end in body]
        last = scene.placed[-1].bounds[-1] // HOP if scene.placed else -1
        spans.append((last, last + AFTER) if not timed and last >= 0 else (-1, -1))
        words = self._words(scene, int(seconds * 50), language)
        return scene.sound, inputs, labels, spans, words

    def batch(self, size: int, seconds: float) -> Batch:
        """`size` windows of `seconds` at random places within 30 s."""
        frames = int(seconds * 50)
        features = torch.zeros(size, 80, 2 * frames)
        begins = [self.rng.randint(0, 1500 - frames) for _ in range(size)]
        words = torch.zeros(size, frames, dtype=torch.int64)
        rows = []
        for index, begin in enumerate(begins):
            sound, inputs, labels, spans, said = self.sample(seconds, begin)
            mel = self.mel(sound)[:, : 2 * frames]
            features[index, :, : mel.shape[1]] = mel
            words[index] = torch.from_numpy(said)
            rows.append((inputs[:448], labels[:448], spans[:448]))
        longest = max(len(inputs) for inputs, _, _ in rows)
        tokens = torch.full((size, longest), self.v.eot)
        targets = torch.full((size, longest), IGNORED)
        looks = torch.full((size, longest, 2), -1)
        for index, (inputs, labels, spans) in enumerate(rows):
            tokens[index, : len(inputs)] = torch.tensor(inputs)
            targets[index, : len(labels)] = torch.tensor(labels)
            looks[index, : len(spans)] = torch.tensor(spans)
        return Batch(features, torch.tensor(begins), tokens, targets, looks, words)
