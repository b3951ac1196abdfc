"""faster-whisper's own decoding, which ours is compared with, for every version of PyAV."""

import os
from contextlib import nullcontext
from typing import Any
from unittest.mock import patch

import av
import faster_whisper.audio
from av.container import InputContainer

from fwtui.audio.signal import FloatArray


class _Tolerant:
    """The module `av` as it was before PyAV 19, whose `open` refuses `metadata_errors`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(av, name)

    def open(self, file: str, mode: str, metadata_errors: str) -> InputContainer:
        del metadata_errors
        assert mode == "r"
        return av.open(file, mode="r")


def decode_audio(path: str | os.PathLike[str]) -> FloatArray:
    """The samples that `faster_whisper.decode_audio` makes of a file."""
    works = hasattr(InputContainer, "metadata_errors")
    with nullcontext() if works else patch.object(faster_whisper.audio, "av", _Tolerant()):
        samples: FloatArray = faster_whisper.audio.decode_audio(os.fspath(path))
    return samples
