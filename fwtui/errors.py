"""Errors with texts for the user, and the exit codes of the program."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of all commands."""

    DONE = 0
    SOME_FAILED = 1
    USAGE = 2
    STOPPED = 3
    CANNOT_START = 4


EXIT_CODE_HELP = {
    ExitCode.DONE: "all files done",
    ExitCode.SOME_FAILED: "some files failed",
    ExitCode.USAGE: "invalid usage or settings",
    ExitCode.STOPPED: "stopped before the end; to resume: fwtui run --resume",
    ExitCode.CANNOT_START: "cannot start (model not downloaded, session in use, ...)",
}


class FwtuiError(Exception):
    """The base of all errors that fwtui raises on purpose.

    `title` says what happened and to which file; `hint` says what to do about it. `setting` is the
    `section.name` of the setting that the error is about, if any.
    """

    exit_code = ExitCode.CANNOT_START

    def __init__(self, title: str, hint: str = "", *, setting: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.hint = hint
        self.setting = setting


class UsageError(FwtuiError):
    """The command line or a command is not valid."""

    exit_code = ExitCode.USAGE


class ConfigError(FwtuiError):
    """A settings file or value is not valid."""

    exit_code = ExitCode.USAGE

    def located(self, where: str) -> "ConfigError":
        """The same error, its title preceded by the file, variable or profile it is in."""
        return ConfigError(f"{where}: {self.title}", self.hint, setting=self.setting)


class StorageError(FwtuiError):
    """A session or a transcript cannot be read or written.

    `place` is the folder (as `path_to_text`) whose disk caused it and may be available again later;
    `needed` is the minimum number of bytes to write there.
    """

    def __init__(self, title: str, hint: str = "", *, place: str = "", needed: int = 0) -> None:
        super().__init__(title, hint)
        self.place = place
        self.needed = needed


class ScratchChangedError(StorageError):
    """The decoded audio of a file is not what was written."""


class DiskFullError(StorageError):
    """A disk is full."""


class SessionInUseError(StorageError):
    """Another fwtui is using the session."""


class SessionTooNewError(StorageError):
    """The session was written by a newer version of fwtui, and is left untouched."""


class MediaError(FwtuiError):
    """A media file cannot be used; the subclasses say why."""

    exit_code = ExitCode.SOME_FAILED


class BadMediaError(MediaError):
    """Not a media file, or too damaged to decode."""


class NoAudioError(MediaError):
    """A media file without an audio track."""


class InputChangedError(MediaError):
    """The file changed while it was read."""


class MediaAccessError(MediaError):
    """The file cannot be opened: no permission, or not found."""

    def __init__(self, title: str, hint: str, *, missing: bool) -> None:
        super().__init__(title, hint)
        self.missing = missing


class MediaLostError(MediaAccessError):
    """The disk or network share of the file failed or was disconnected.

    `place` is the file, as `path_to_text`.
    """

    def __init__(self, title: str, hint: str, *, place: str) -> None:
        super().__init__(title, hint, missing=False)
        self.place = place


class EngineError(FwtuiError):
    """The engine process cannot be started, or broke the protocol."""


class ModelError(EngineError):
    """The model is missing or cannot be loaded."""


class ModelAbsentError(ModelError):
    """The model is not downloaded yet, but can be."""


class BackgroundError(FwtuiError):
    """A batch could not be started in the background."""


class LinkError(FwtuiError):
    """A batch in another process cannot be reached or used."""


class BatchEndedError(LinkError):
    """The batch in another process has ended."""
