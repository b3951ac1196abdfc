"""The voices of a file: groups of windows, heard one after the other, and the turns in the end."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from fwtui.audio.signal import FloatArray, SampleSource
from fwtui.audio.wav import SAMPLE_RATE
from fwtui.core.speakers import Turn, in_order_of_appearance, order_of_appearance
from fwtui.core.voices import WINDOWS_AT_ONCE, LocalSpeaker, SpeakerGroup
from fwtui.speakers.clustering import BoolArray
from fwtui.speakers.fbank import SHIFT as FEATURE_SHIFT
from fwtui.speakers.fbank import SIZE as FEATURE_SIZE
from fwtui.speakers.fbank import fbank
from fwtui.speakers.networks import LOCAL_SPEAKERS, WINDOW, Embedding, Segmentation
from fwtui.speakers.timeline import Layout, Numbers, mean_voices, name_speakers, turns_of

SHIFT = WINDOW // 2
"""Samples between two windows; the reference implementations have five times as many windows."""
LEAST_CLEAN = 0.25
"""Seconds of clean speech that are worth an embedding."""
_LEAST_FEATURES = 20  # frames of features, of 10 ms


class VoiceModels:
    """Both models, and the threshold of the second one.

    `identity` is that of both, `embedding_identity` that of the second one.
    """

    def __init__(
        self,
        segmentation: Segmentation,
        embedding: Embedding,
        threshold: float,
        identity: str,
        embedding_identity: str = "",
    ) -> None:
        self.segmentation = segmentation
        self.embedding = embedding
        self.threshold = threshold
        self.identity = identity
        self.embedding_identity = embedding_identity


class FileVoices:
    """The voices of one signal. `known` are groups of an earlier attempt, in order."""

    def __init__(
        self, models: VoiceModels, source: SampleSource, known: Sequence[SpeakerGroup] = ()
    ) -> None:
        self._models = models
        self._source = source
        self._groups: list[SpeakerGroup] = []
        segmentation = models.segmentation
        self._layout = Layout(
            segmentation.frames,
            segmentation.step,
            segmentation.field,
            SHIFT,
            1 + max(0, -(-(len(source) - WINDOW) // SHIFT)) if len(source) else 0,
            len(source),
        )
        for group in known:
            if group.index != len(self._groups) or group.models != models.identity:
                break
            self._groups.append(group)

    @property
    def count(self) -> int:
        """Groups of the whole file."""
        return -(-self._layout.windows // WINDOWS_AT_ONCE)

    def hear(self, at_once: Callable[[], int]) -> Iterator[SpeakerGroup]:
        """Hear the groups that are not known yet, with so many windows in the model at once."""
        while (index := len(self._groups)) < self.count:
            first = index * WINDOWS_AT_ONCE
            last = min(first + WINDOWS_AT_ONCE, self._layout.windows)
            most = at_once()
            found = [
                local
                for begin in range(first, last, most)
                for local in self._hear(begin, min(begin + most, last))
            ]
            group = SpeakerGroup(index, self._models.identity, tuple(found))
            self._groups.append(group)
            yield group

    def turns(self, least: int = 1, most: int = 0) -> tuple[Turn, ...]:
        """Who speaks when, after all groups were heard."""
        return self.speakers(least, most)[0]

    def speakers(
        self, least: int = 1, most: int = 0
    ) -> tuple[tuple[Turn, ...], dict[int, FloatArray]]:
        """Turns as by `turns`, and the mean voices of those speakers who are heard clearly."""
        locals_ = [local for group in self._groups for local in group.speakers]
        named = name_speakers(locals_, Numbers(self._models.threshold, least, most))
        found = turns_of(locals_, named, self._layout)
        places, voices = order_of_appearance(found), mean_voices(locals_, named)
        heard = {places[number]: voices[number] for number in places if number in voices}
        return in_order_of_appearance(found), heard

    def _hear(self, first: int, last: int) -> Iterator[LocalSpeaker]:
        """The local speakers of windows `first` to `last`."""
        sound = np.zeros((last - first, WINDOW), np.float32)
        for row in range(last - first):
            begin = (first + row) * SHIFT
            piece = self._source.read(begin, begin + WINDOW)
            sound[row, : piece.size] = piece
        active = self._models.segmentation.active(sound)
        for row in range(last - first):
            yield from self._locals(first + row, sound[row], active[row])

    def _locals(self, window: int, sound: FloatArray, active: BoolArray) -> Iterator[LocalSpeaker]:
        alone = active.sum(1) == 1
        features: FloatArray | None = None
        for speaker in range(LOCAL_SPEAKERS):
            mask = active[:, speaker]
            if not mask.any():
                continue
            clean = mask & alone
            seconds = float(clean.sum()) * self._layout.step / SAMPLE_RATE
            features = fbank(sound) if features is None else features
            # Of who is only heard while others speak, too, all is taken.
            embedding = self._embedding(features, clean if seconds >= LEAST_CLEAN else mask)
            edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.view(np.int8), [0]))))
            yield LocalSpeaker(window, tuple(edges.tolist()), round(seconds, 3), embedding)

    def _embedding(self, features: FloatArray, clean: BoolArray) -> bytes:
        """What the clean frames sound like, as float16; empty if they are too few."""
        middle = np.arange(len(features)) * FEATURE_SHIFT + FEATURE_SIZE / 2
        frame = np.rint((middle - self._layout.field / 2) / self._layout.step).astype(int)
        chosen = features[clean[np.clip(frame, 0, len(clean) - 1)]]
        if len(chosen) < _LEAST_FEATURES:
            return b""
        return self._models.embedding.of(chosen).astype("<f2").tobytes()
