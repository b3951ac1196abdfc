"""The encoder of the model, window by window."""

from typing import Any, NamedTuple

from faster_whisper.audio import pad_or_trim
from faster_whisper.transcribe import WhisperModel

from fwtui.audio.features import LazyFeatures


class EncodedWindow(NamedTuple):
    """What the encoder made of frames [start, stop) of a file's features."""

    features: LazyFeatures
    start: int
    stop: int
    output: Any


class WindowEncoder:
    """Encodes windows. The one in which the language was detected is not encoded again."""

    def __init__(self, model: WhisperModel) -> None:
        self._model = model
        self._kept: EncodedWindow | None = None

    def encode(self, features: LazyFeatures, start: int, stop: int) -> Any:
        """The encoder's output for frames [start, stop), padded to a whole window."""
        kept, self._kept = self._kept, None
        if kept is not None and kept.features is features and kept[1:3] == (start, stop):
            return kept.output
        return self._model.encode(pad_or_trim(features[:, start:stop]))

    def encode_and_keep(self, features: LazyFeatures, start: int, stop: int) -> Any:
        """As `encode`; the output is kept for the next call."""
        output = self.encode(features, start, stop)
        self._kept = EncodedWindow(features, start, stop, output)
        return output
