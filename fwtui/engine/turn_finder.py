"""What finds out who speaks when in a file; runs in the engine's speaker thread."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from fwtui.audio.channel_turns import channel_turns
from fwtui.audio.signal import FloatArray, Pcm
from fwtui.config.locations import Locations
from fwtui.core.failure import FailureKind
from fwtui.core.voices import SpeakerGroup, SpeakerTask, SpeakerTurns
from fwtui.engine.classify import classify_exception
from fwtui.engine.prepare import PreparedFile
from fwtui.errors import BadMediaError, FwtuiError
from fwtui.models.speaker_models import SpeakerFiles, locate_speakers
from fwtui.speakers.known_voices import load_known_voices
from fwtui.speakers.networks import Embedding, Segmentation
from fwtui.speakers.recognition import recognise
from fwtui.speakers.voices_of_file import FileVoices, VoiceModels

OTHER_MODEL = (
    "known speakers added with another model of voices are not compared ({}): "
    "see fwtui speakers list"
)


class TurnFinder(Protocol):
    """Finds the turns of one file."""

    def hear(self) -> Iterator[SpeakerGroup]:
        """Listen to the file, step by step; yields what is to be journaled after each.

        Between two steps the file may be cancelled or held.
        """

    def speakers(self) -> SpeakerTurns:
        """Who speaks when, after all steps; speakers are numbered by first appearance."""


class VoiceTurns:
    """Tells speakers apart by their voices."""

    def __init__(
        self, models: VoiceModels, pcm: Pcm, task: SpeakerTask, known: Sequence[SpeakerGroup]
    ) -> None:
        self._models = models
        self._voices = FileVoices(models, pcm, known)
        self._task = task
        self._at_once = task.at_once

    def hear(self) -> Iterator[SpeakerGroup]:
        """One group of windows per step; windows come one by one when memory runs out."""
        while True:
            try:
                yield from self._voices.hear(lambda: self._at_once)
            except Exception as error:
                kind = classify_exception(error).kind
                if kind is not FailureKind.OUT_OF_MEMORY or self._at_once == 1:
                    raise
                self._at_once = 1
            else:
                return

    def speakers(self) -> SpeakerTurns:
        """Cluster the voices of the whole file, and compare them with known ones if asked to."""
        turns, voices = self._voices.speakers(self._task.least, self._task.most)
        found = SpeakerTurns(self._task.options, turns)
        return self._with_names(found, voices) if self._task.known else found

    def _with_names(self, found: SpeakerTurns, voices: Mapping[int, FloatArray]) -> SpeakerTurns:
        try:
            known = load_known_voices(Locations.default().known_voices)
        except FwtuiError as error:
            return msgspec.structs.replace(
                found, warning=f"known speakers not recognised: {error.title}"
            )
        models = self._models
        names, others = recognise(voices, known, models.embedding_identity, models.threshold)
        return msgspec.structs.replace(
            found, names=dict(names) or None, warning=OTHER_MODEL.format(others) if others else ""
        )


class ChannelTurns:
    """Tells speakers apart by the channels that they are on."""

    def __init__(self, prepared: PreparedFile, options: str) -> None:
        """Raises BadMediaError: the channels do not tell them apart."""
        if prepared.levels is None:
            count = (
                "one channel only" if prepared.recorded == 1 else f"{prepared.recorded} channels"
            )
            raise BadMediaError(f"the recording has {count}")
        if prepared.levels.same:
            raise BadMediaError("all channels of the recording are the same")
        self._levels = prepared.levels
        self._options = options

    def hear(self) -> Iterator[SpeakerGroup]:
        """Nothing: the channels were measured when the file was decoded."""
        yield from ()

    def speakers(self) -> SpeakerTurns:
        """Compare the channels. The number of a speaker is that of the channel."""
        return SpeakerTurns(self._options, channel_turns(self._levels))


class TurnFinders:
    """Makes what finds the turns of a file. Loads the models of voices once."""

    def __init__(self, threads: Callable[[], int]) -> None:
        """`threads`: how many of them the models may use."""
        self._threads = threads
        self._loaded: tuple[SpeakerFiles, VoiceModels] | None = None

    def of(
        self, prepared: PreparedFile, pcm: Pcm, task: SpeakerTask, known: Sequence[SpeakerGroup]
    ) -> TurnFinder:
        """What finds the turns of a file as its task says.

        `pcm`: its samples; `known`: groups of an earlier attempt. Raises FwtuiError, MemoryError.
        """
        if task.kind == "channels":
            return ChannelTurns(prepared, task.options)
        return VoiceTurns(self._models(task), pcm, task, known)

    def _models(self, task: SpeakerTask) -> VoiceModels:
        files = locate_speakers(task.model, task.model_dir)
        if self._loaded is None or self._loaded[0] != files:
            self._loaded = None  # first: there need not be room for both
            models = load_voice_models(files, self._threads())
            self._loaded = files, models
        return self._loaded[1]


def load_voice_models(files: SpeakerFiles, threads: int) -> VoiceModels:
    """Load both models. Raises ModelError, MemoryError."""
    return VoiceModels(
        Segmentation(Path(files.segmentation), threads),
        Embedding(Path(files.embedding), threads),
        files.threshold,
        *files.identities(),
    )
