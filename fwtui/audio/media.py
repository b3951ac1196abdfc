"""Media files: opens and probes them with PyAV, and explains why a file cannot be used."""

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from fwtui.audio.containers import Unreadable, is_encrypted, why_unreadable
from fwtui.audio.identity import Identity, identify
from fwtui.audio.tracks import AUTOMATIC, TrackChoice, audio_tracks, choose
from fwtui.core.disk_errors import (
    DiskArea,
    DiskErrorKind,
    DiskVerdict,
    disk_hint,
    errnos_of,
    kind_of,
    reason_of,
    verdict,
)
from fwtui.core.job import AudioTrack, MediaInfo
from fwtui.core.paths import path_to_text
from fwtui.core.text import display_name
from fwtui.errors import (
    BadMediaError,
    MediaAccessError,
    MediaError,
    MediaLostError,
    NoAudioError,
)

# Playlists point to other files or to the network, and a live one never ends.
_PLAYLISTS = frozenset({"hls", "dash", "concat", "imf", "rtsp", "rtp", "sap", "sdp"})
# Decoders return some of these codes for damaged data, so they count only while reading.
_DISK_ERRNOS = errnos_of(DiskErrorKind.LOST) - {getattr(errno, "EBADMSG", None)}
_MOST_READ = 256 << 20  # bytes read again to tell a bad disk from a bad file
_CLOCK = re.compile(r"(\d{1,4}):(\d{2}):(\d{2}(?:\.\d{1,12})?)", re.ASCII)
_ACCESS_ERRNOS = _DISK_ERRNOS | errnos_of(DiskErrorKind.REFUSED) | errnos_of(DiskErrorKind.MISSING)
# PyAV 19 always reads tags this way, whatever their encoding; older versions need the option.
_TAGS: dict[str, Any] = (
    {"metadata_errors": "surrogateescape"} if hasattr(InputContainer, "metadata_errors") else {}
)


class Media(NamedTuple):
    """An open container and the audio stream to transcribe; `tracks` are all of them.

    `others` are the numbers of those to try if it is silent, `note` is a warning about the choice.
    """

    path: Path
    size: int
    container: InputContainer
    stream: AudioStream
    tracks: tuple[AudioTrack, ...] = ()
    others: tuple[int, ...] = ()
    note: str = ""

    @property
    def number(self) -> int:
        """Which of the audio streams it is, from 0."""
        return self.container.streams.audio.index(self.stream)

    @property
    def start(self) -> float | None:
        """The container's time of second 0, in seconds; None if it does not say.

        Players and ffmpeg count from here, so subtitles must too.
        """
        start: int | None = self.container.start_time
        return None if start is None else start / av.time_base

    @property
    def duration(self) -> float:
        """Seconds from second 0 to the end of the audio, as the container says; 0 if unknown."""
        stream = self.stream
        if stream.duration and stream.time_base:
            begin = stream.start_time * stream.time_base if stream.start_time else 0
            return max(0.0, float(begin + stream.duration * stream.time_base) - (self.start or 0.0))
        if self.tagged:
            return self.tagged[-1]
        return self.file_duration

    @property
    def tagged(self) -> tuple[float, ...]:
        """What a tag of the stream may mean, in seconds: some programs write where it ends."""
        tagged = _clock_seconds(self.stream.metadata.get("DURATION", ""))
        start = self.start or 0.0
        return () if tagged <= 0 else (tagged,) if tagged <= start else (tagged, tagged - start)

    @property
    def file_duration(self) -> float:
        """Seconds of the longest stream, as the container says or FFmpeg guesses; 0 if unknown."""
        length: int | None = self.container.duration
        return max(0.0, length / av.time_base) if length else 0.0


@contextmanager
def open_media(path: Path, choice: TrackChoice = AUTOMATIC) -> Iterator[Media]:
    """Open the file's container and the audio stream of the user's choice.

    Raises MediaAccessError, BadMediaError or NoAudioError; titles include the file's name.
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
        yield _chosen(path, size, container, choice)


def list_tracks(path: Path) -> tuple[AudioTrack, ...]:
    """The audio tracks of a file that can be transcribed. Raises MediaError."""
    with open_media(path) as media:
        return _usable(media.path, media.size, media.container, media.tracks)


def probe(path: Path, choice: TrackChoice = AUTOMATIC) -> MediaInfo:
    """Duration (seconds), container, codec, sample rate, channels and size (bytes) of a file.

    Nothing is decoded. Raises MediaAccessError, BadMediaError or NoAudioError.
    """
    with open_media(path, choice) as media:
        stream = media.stream
        is_told = len(media.tracks) > 1 or any(track.language for track in media.tracks)
        return MediaInfo(
            duration=media.duration,
            container=media.container.format.name,
            codec=stream.codec_context.name,
            sample_rate=stream.sample_rate or 0,
            channels=stream.channels or 0,
            has_video=_has_video(media),
            size=media.size,
            tracks=media.tracks if is_told else (),
            track=media.number + 1 if is_told else 0,
        )


def _has_video(media: Media) -> bool:
    # The cover picture of a song counts as a video stream, but nobody would call it one.
    return any(
        not video.disposition & Disposition.attached_pic for video in media.container.streams.video
    )


def fingerprint(path: Path) -> Identity:
    """The identity of the file, as `identify` returns it. Raises MediaAccessError."""
    try:
        return identify(path)
    except OSError as error:
        raise access_error(path, error) from error


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
            f"This is a folder: {name}",
            "Add the folder itself to transcribe its files.",
            missing=False,
        )
    if not stat.S_ISREG(status.st_mode):
        raise MediaAccessError(
            f"Not a regular file: {name}", "Only files on a disk can be read.", missing=False
        )
    if status.st_size == 0:
        raise BadMediaError(f"Empty file: {name}", "It has 0 bytes: copy or record it again.")
    return status.st_size


def access_error(path: Path, error: OSError) -> MediaAccessError:
    """The error to show when the operating system does not let us read the file."""
    name = display_name(path)
    kind = kind_of(error)
    if kind is DiskErrorKind.MISSING:
        return MediaAccessError(
            f"File not found: {name}",
            "It was moved, renamed or deleted, or its drive is not connected.",
            missing=True,
        )
    if kind is DiskErrorKind.REFUSED:
        return MediaAccessError(
            f"No permission to read: {name}",
            "Give your user permission to read the file and its folder.",
            missing=False,
        )
    if verdict(DiskArea.INPUT, error) is DiskVerdict.WAIT:
        return MediaLostError(
            f"{name} can no longer be read: {reason_of(error)}",
            disk_hint(error),
            place=path_to_text(path),
        )
    return MediaAccessError(
        f"{name} cannot be read: {reason_of(error)}", disk_hint(error), missing=False
    )


def media_error(path: Path, error: av.error.FFmpegError) -> MediaError:
    """The error to show for one of PyAV's. Raises MemoryError if that was the cause."""
    raise_out_of_memory(path, error)
    if error.errno in _ACCESS_ERRNOS and not _reads_well(path):
        return access_error(path, OSError(error.errno, error.strerror or ""))
    with suppress(OSError), path.open("rb") as file:
        if (reason := why_unreadable(file, path.stat().st_size)) is not None:
            return _unreadable_error(path, reason)
    return BadMediaError(
        f"Not a media file, or damaged: {display_name(path)}",
        f"No audio or video format was recognised ({error.strerror}).",
    )


def _unreadable_error(path: Path, reason: Unreadable) -> BadMediaError:
    name = display_name(path)
    match reason:
        case Unreadable.PART:
            return BadMediaError(
                f"Only a part of a stream: {name}",
                "Its beginning is in another file: join them first.",
            )
        case Unreadable.NO_INDEX:
            return BadMediaError(
                f"The recording was not completed: {name}",
                "Its index is missing. Copy it again if the copy was cut off; otherwise repair it "
                "with a tool for its recorder or camera, such as untrunc.",
            )
        case Unreadable.NO_LENGTH:
            return BadMediaError(
                f"The recording was not completed: {name}",
                "Its header claims no audio. Repair it, or import it as raw audio, for example "
                "with Audacity.",
            )


def raise_read_error(path: Path, error: av.error.FFmpegError) -> None:
    """Raise MediaAccessError if the disk failed; return if the data is bad."""
    raise_out_of_memory(path, error)
    if error.errno in _DISK_ERRNOS and not _reads_well(path):
        raise access_error(path, OSError(error.errno, error.strerror or "")) from error


def _reads_well(path: Path) -> bool:
    """Whether the whole file can be read: FFmpeg reports some damage as an I/O error."""
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
    """Raise MemoryError if PyAV ran out of memory; its own class may not be a MemoryError."""
    if error.errno == errno.ENOMEM:
        raise MemoryError(f"no memory to read {display_name(path)}") from error


def _safe_options() -> dict[str, str]:
    formats = sorted(av.formats_available - _PLAYLISTS)
    return {"protocol_whitelist": "file", "format_whitelist": ",".join(formats)}


def _chosen(path: Path, size: int, container: InputContainer, choice: TrackChoice) -> Media:
    """The open file with the track to transcribe. Raises NoAudioError or BadMediaError."""
    name = display_name(path)
    tracks = audio_tracks(container)
    if not tracks:
        raise NoAudioError(f"No audio track: {name}", "The file has no audio stream.")
    decodable = [track for track in tracks if track.codec]
    if not decodable:
        raise BadMediaError(
            f"Unknown audio format: {name}",
            "Convert it to a common format, for example with ffmpeg to FLAC.",
        )
    usable = _usable(path, size, container, decodable)
    if not usable:
        raise BadMediaError(
            f"Encrypted: {name}",
            "It is protected against copying or by a password: export it without protection first.",
        )
    chosen = choose(usable, choice)
    if chosen is None:
        numbers = ", ".join(str(track.number) for track in usable)
        raise NoAudioError(
            f"No audio track {choice.track}: {name}",
            f"The numbers of its audio tracks are: {numbers}.",
        )
    stream = container.streams.audio[chosen.number - 1]
    return Media(path, size, container, stream, tracks, chosen.others, chosen.note)


def _usable(
    path: Path, size: int, container: InputContainer, tracks: Sequence[AudioTrack]
) -> tuple[AudioTrack, ...]:
    """Those tracks that can be decoded, and not only to noise."""
    demuxer, streams = container.format.name, container.streams.audio

    def is_usable(file: BinaryIO, track: AudioTrack) -> bool:
        at = track.number - 1
        return bool(track.codec) and not is_encrypted(file, size, demuxer, at, streams[at].id)

    with suppress(OSError), path.open("rb") as file:
        return tuple(track for track in tracks if is_usable(file, track))
    return tuple(tracks)


def _clock_seconds(text: str) -> float:
    """Seconds of "01:02:03.5"; 0 if the text is something else."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return 0.0
    hours, minutes, seconds = match.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
