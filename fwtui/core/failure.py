"""Why a file or a batch failed, as data to show, store and send."""

from enum import StrEnum

import msgspec

from fwtui.core.text import without_name


class FailureKind(StrEnum):
    """The kind of a failure; it decides whether a retry can help."""

    OUT_OF_MEMORY = "out_of_memory"
    CUDA_UNAVAILABLE = "cuda_unavailable"
    LIBRARY_MISSING = "library_missing"
    BAD_MEDIA = "bad_media"
    NO_AUDIO = "no_audio"
    NO_SPEECH = "no_speech"
    DISK_FULL = "disk_full"
    PERMISSION = "permission"
    FILE_MISSING = "file_missing"
    INPUT_CHANGED = "input_changed"
    INPUT_LOST = "input_lost"
    MODEL_MISSING = "model_missing"
    BAD_SETTINGS = "bad_settings"
    ENGINE_DIED = "engine_died"
    ENGINE_UNUSABLE = "engine_unusable"
    STALLED = "stalled"
    SCRATCH_CHANGED = "scratch_changed"
    OUTPUT = "output"
    DOWNLOAD = "download"
    INTERNAL = "internal"


class Failure(msgspec.Struct, frozen=True):
    """What happened (`title`), what to do (`hint`), and details for the log.

    `place` (as by `path_to_text`) is the folder or file whose disk caused it, `needed` the number
    of bytes that were to be written there. `stops`: every other file would meet it, too.
    `is_mount`: nothing is mounted on `place` any more.
    """

    kind: FailureKind
    title: str
    hint: str = ""
    detail: str = ""
    place: str = ""
    needed: int = 0
    stops: bool = False
    is_mount: bool = False

    def __str__(self) -> str:
        """Title and hint on one line."""
        return f"{self.title} ({self.hint})" if self.hint else self.title

    def about(self, name: str) -> str:
        """The name of the file, then title and hint, on one line."""
        return f"{name}: {self.beside(name)}"

    def beside(self, name: str) -> str:
        """Title and hint on one line, for places that show the name of the file already."""
        title = without_name(self.title, name)
        return f"{title} ({self.hint})" if self.hint else title
