"""What finds out who speaks when in a file; runs in the engine's speaker thread."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from fwtui.audio.channel_turns import channel_turns
from fwtui.audio.signal import Pcm
from fwtui.core.failure import FailureKind
from fwtui.core.speakers import Turn
from fwtui.core.voices import SpeakerGroup, SpeakerTask
from fwtui.engine.classify import classify_exception
from fwtui.engine.prepare import PreparedFile
from fwtui.errors import BadMediaError
from fwtui.models.speaker_models import SpeakerFiles, locate_speakers
from fwtui.speakers.networks import Embedding, Segmentation
from fwtui.speakers.voices_of_file import FileVoices, VoiceModels


class TurnFinder(Protocol):
    """Finds the turns of one file."""

    def hear(self) -> Iterator[SpeakerGroup]:
        """Listen to the file, step by step; yields what is to be journaled after each.

        Between two steps the file may be cancelled or held.
        """

    def turns(self) -> tuple[Turn, ...]:
        """Who speaks when, after all steps; speakers are numbered by first appearance."""


class VoiceTurns:
    """Tells speakers apart by their voices."""

    def __init__(
        self, models: VoiceModels, pcm: Pcm, task: SpeakerTask, known: Sequence[SpeakerGroup]
    ) -> None:
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

    def turns(self) -> tuple[Turn, ...]:
        """Cluster the voices of the whole file."""
        return self._voices.turns(self._task.least, self._task.most)


class ChannelTurns:
    """Tells speakers apart by the channels that they are on."""

    def __init__(self, prepared: PreparedFile) -> None:
        """Raises BadMediaError: the channels do not tell them apart."""
        if prepared.levels is None:
            count = (
                "one channel only" if prepared.recorded == 1 else f"{prepared.recorded} channels"
            )
            raise BadMediaError(f"the recording has {count}")
        if prepared.levels.same:
            raise BadMediaError("all channels of the recording are the same")
        self._levels = prepared.levels

    def hear(self) -> Iterator[SpeakerGroup]:
        """Nothing: the channels were measured when the file was decoded."""
        yield from ()

    def turns(self) -> tuple[Turn, ...]:
        """Compare the channels. The number of a speaker is that of the channel."""
        return channel_turns(self._levels)


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
            return ChannelTurns(prepared)
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
        files.identity(),
    )
