"""What can go wrong, said for people, and the exit codes of the program."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every fwtui command."""

    DONE = 0
    SOME_FAILED = 1
    USAGE = 2
    STOPPED = 3
    CANNOT_START = 4


EXIT_CODE_HELP = {
    ExitCode.DONE: "all files done",
    ExitCode.SOME_FAILED: "some files failed",
    ExitCode.USAGE: "wrong usage",
    ExitCode.STOPPED: "stopped by you; resume with: fwtui run --resume",
    ExitCode.CANNOT_START: "cannot start (model missing, session in use, ...)",
}


class FwtuiError(Exception):
    """The root of all errors that fwtui raises on purpose.

    `title` says what happened and to which file; `hint` says what to do about it. `setting` is the
    `section.name` of the setting that the error is about, empty if it is about none.
    """

    exit_code = ExitCode.CANNOT_START

    def __init__(self, title: str, hint: str = "", *, setting: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.hint = hint
        self.setting = setting


class UsageError(FwtuiError):
    """The command line or a command asks for something impossible."""

    exit_code = ExitCode.USAGE


class ConfigError(FwtuiError):
    """A settings file or value cannot be used."""

    exit_code = ExitCode.USAGE

    def located(self, where: str) -> "ConfigError":
        """The same error with the file, variable or profile that it is in."""
        return ConfigError(f"{where}: {self.title}", self.hint, setting=self.setting)


class StorageError(FwtuiError):
    """A session or a transcript cannot be read or written.

    `place` is the folder (as `path_to_text`) if its disk is the reason and may be well again
    later; `needed` bytes are at least to be written there.
    """

    def __init__(self, title: str, hint: str = "", *, place: str = "", needed: int = 0) -> None:
        super().__init__(title, hint)
        self.place = place
        self.needed = needed


class DiskFullError(StorageError):
    """There is no room left where something must be written."""


class SessionInUseError(StorageError):
    """Another fwtui holds the session."""


class SessionTooNewError(StorageError):
    """The session was written by a newer fwtui and is left untouched."""


class MediaError(FwtuiError):
    """A media file cannot be used. Its subclasses name the failure kind."""

    exit_code = ExitCode.SOME_FAILED


class BadMediaError(MediaError):
    """Not a media file, or too damaged to decode."""


class NoAudioError(MediaError):
    """A media file without an audio stream."""


class InputChangedError(MediaError):
    """The file was written to while it was read."""


class MediaAccessError(MediaError):
    """The file cannot be opened: permission, or it is not there (any more)."""

    def __init__(self, title: str, hint: str, *, missing: bool) -> None:
        super().__init__(title, hint)
        self.missing = missing


class MediaLostError(MediaAccessError):
    """The disk or the share that the file is on fails or has gone.

    `place` is the file, as `path_to_text`.
    """

    def __init__(self, title: str, hint: str, *, place: str) -> None:
        super().__init__(title, hint, missing=False)
        self.place = place


class EngineError(FwtuiError):
    """The engine child cannot be started or does not speak our protocol."""


class ModelError(EngineError):
    """The model is not there or cannot be loaded."""


class ModelAbsentError(ModelError):
    """A model that has a name and can be downloaded, but is not on this machine yet."""


class BackgroundError(FwtuiError):
    """A batch could not be brought into the background."""


class LinkError(FwtuiError):
    """A batch in another process cannot be reached, or not used."""


class BatchEndedError(LinkError):
    """The batch in another process has ended."""
