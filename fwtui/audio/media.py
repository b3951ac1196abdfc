"""Open a media file with PyAV and say for people why it cannot be used."""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from fwtui.core.paths import path_to_text
from fwtui.core.text import display_name
from fwtui.errors import (
    BadMediaError,
    MediaAccessError,
    MediaError,
    MediaLostError,
    NoAudioError,
)

# Playlists point to other files or to the network, and a live one is waited on for ever.
_PLAYLISTS = frozenset({"hls", "dash", "concat", "imf", "rtsp", "rtp", "sap", "sdp"})
# Decoders give some of these codes for damaged data, so they count for reading only.
_DISK_NAMES = "EIO ETIMEDOUT ESTALE ENOTCONN EHOSTDOWN EHOSTUNREACH ENETUNREACH ENETDOWN ECONNRESET"
_DISK_NAMES += " ECONNABORTED ENODEV ENXIO ENOMEDIUM EREMOTEIO"
_DISK_ERRNOS = frozenset(getattr(errno, name, errno.EIO) for name in _DISK_NAMES.split())
_MOST_READ = 256 << 20  # bytes that are read again to tell a bad disk from a bad file
_CLOCK = re.compile(r"(\d{1,4}):(\d{2}):(\d{2}(?:\.\d{1,12})?)", re.ASCII)
_ACCESS_ERRNOS = _DISK_ERRNOS | {errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR}
# PyAV 19 always reads tags this way, whatever their encoding; before, it had to be told to.
_TAGS: dict[str, Any] = (
    {"metadata_errors": "surrogateescape"} if hasattr(InputContainer, "metadata_errors") else {}
)


class Media(NamedTuple):
    """An open container and the audio stream that is transcribed: the first one, as whisper's."""

    path: Path
    size: int
    container: InputContainer
    stream: AudioStream

    @property
    def start(self) -> float | None:
        """The container's time of second 0, in seconds; None if it does not say.

        Players and ffmpeg count from here, so subtitles must too.
        """
        start: int | None = self.container.start_time
        return None if start is None else start / av.time_base

    @property
    def duration(self) -> float:
        """Seconds from second 0 to the end of the sound, as the container says; 0 if unknown."""
        stream = self.stream
        if stream.duration and stream.time_base:
            begin = stream.start_time * stream.time_base if stream.start_time else 0
            return max(0.0, float(begin + stream.duration * stream.time_base) - (self.start or 0.0))
        tagged = _clock_seconds(stream.metadata.get("DURATION", ""))
        if tagged > 0:  # Matroska keeps the length of each stream as a tag
            return tagged
        length: int | None = self.container.duration
        return max(0.0, length / av.time_base) if length else 0.0


@contextmanager
def open_media(path: Path) -> Iterator[Media]:
    """The file's container and its audio stream.

    Raises MediaAccessError, BadMediaError or NoAudioError, each titled with the file's name.
    """
    size = check_readable(path)
    try:
        # An absolute path cannot be mistaken for a protocol such as "concat:".
        container = av.open(
            str(path.absolute()),
            mode="r",
            container_options=_safe_options(),
            **_TAGS,
        )
    except av.error.FFmpegError as error:
        raise media_error(path, error) from error
    with container:
        yield Media(path, size, container, _audio_stream(path, container))


def check_readable(path: Path) -> int:
    """The size in bytes of a regular, readable, non-empty file; raises MediaError otherwise."""
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            path.open("rb").close()
    except OSError as error:
        raise access_error(path, error) from error
    name = display_name(path)
    if stat.S_ISDIR(status.st_mode):
        raise MediaAccessError(
            f"{name} is a folder", "Add the folder itself to take the files in it.", missing=False
        )
    if not stat.S_ISREG(status.st_mode):
        raise MediaAccessError(
            f"{name} is not a regular file", "Only files on a disk can be read.", missing=False
        )
    if status.st_size == 0:
        raise BadMediaError(f"{name} is empty", "It holds 0 bytes: copy or record it again.")
    return status.st_size


def access_error(path: Path, error: OSError) -> MediaAccessError:
    """The error for people when the operating system does not give us the file."""
    name = display_name(path)
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return MediaAccessError(
            f"{name} is not there",
            "It was moved, renamed or deleted, or its drive is not connected.",
            missing=True,
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return MediaAccessError(
            f"No permission to read {name}",
            "Give your user the right to read the file and its folder.",
            missing=False,
        )
    if error.errno in _DISK_ERRNOS:
        return MediaLostError(
            f"{name} cannot be read any more: {error.strerror or error}",
            "The disk or network share it is on fails or has gone: bring it back, then retry.",
            place=path_to_text(path),
        )
    return MediaAccessError(
        f"{name} cannot be read: {error.strerror or error}",
        "Check the disk or the network share it is on.",
        missing=False,
    )


def media_error(path: Path, error: av.error.FFmpegError) -> MediaError:
    """The error for people behind one of PyAV's; raises MemoryError if that is what it was."""
    raise_out_of_memory(path, error)
    if error.errno in _ACCESS_ERRNOS and not _reads_well(path):
        return access_error(path, OSError(error.errno, error.strerror or ""))
    return BadMediaError(
        f"{display_name(path)} is not a media file, or it is damaged",
        f"No audio or video format was recognised ({error.strerror}).",
    )


def raise_read_error(path: Path, error: av.error.FFmpegError) -> None:
    """Raise MediaAccessError if the disk failed; return if the data is bad."""
    raise_out_of_memory(path, error)
    if error.errno in _DISK_ERRNOS and not _reads_well(path):
        raise access_error(path, OSError(error.errno, error.strerror or "")) from error


def _reads_well(path: Path) -> bool:
    """Whether we get all of a file: FFmpeg calls some damage an I/O error, or no permission."""
    try:
        with path.open("rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size > _MOST_READ:
                return False
            while file.read(1 << 20):
                pass
    except OSError:
        return False
    return True


def raise_out_of_memory(path: Path, error: av.error.FFmpegError) -> None:
    """Raise MemoryError if that is what PyAV's error is: its own class need not be one."""
    if error.errno == errno.ENOMEM:
        raise MemoryError(f"no memory to read {display_name(path)}") from error


def _safe_options() -> dict[str, str]:
    formats = sorted(av.formats_available - _PLAYLISTS)
    return {"protocol_whitelist": "file", "format_whitelist": ",".join(formats)}


def _audio_stream(path: Path, container: InputContainer) -> AudioStream:
    streams = container.streams.audio
    name = display_name(path)
    if not streams:
        raise NoAudioError(f"{name} has no sound", "The file holds no audio stream.")
    for stream in streams:
        # PyAV leaves the context out when FFmpeg has no decoder, whatever its stubs say.
        if getattr(stream, "codec_context", None) is not None:
            return stream
    raise BadMediaError(
        f"The sound of {name} is in an unknown format",
        "Convert it to a common format, for example with ffmpeg to FLAC.",
    )


def _clock_seconds(text: str) -> float:
    """Seconds of "01:02:03.5"; 0 if the text is something else."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return 0.0
    hours, minutes, seconds = match.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
