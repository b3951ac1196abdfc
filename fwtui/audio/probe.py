"""What a media file is, without decoding it."""

import hashlib
import os
from pathlib import Path

from av.stream import Disposition

from fwtui.audio.media import Media, access_error, open_media
from fwtui.core.job import MediaInfo

_EDGE = 64 * 1024  # bytes


def probe(path: Path) -> MediaInfo:
    """Duration (seconds), container, codec, sample rate, channels and size (bytes) of a file.

    Raises MediaAccessError, BadMediaError or NoAudioError.
    """
    with open_media(path) as media:
        stream = media.stream
        return MediaInfo(
            duration=media.duration,
            container=media.container.format.name,
            codec=stream.codec_context.name,
            sample_rate=stream.sample_rate or 0,
            channels=stream.channels or 0,
            has_video=_has_video(media),
            size=media.size,
        )


def fingerprint(path: Path) -> str:
    """Hex digest over the size and the first and last 64 KiB of a file.

    Cheap for files of any size, and enough to notice that a file was replaced or grew.
    Raises MediaAccessError.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            digest = hashlib.blake2b(str(size).encode(), digest_size=16)
            file.seek(0)
            digest.update(file.read(_EDGE))
            file.seek(max(0, size - _EDGE))
            digest.update(file.read(_EDGE))
    except OSError as error:
        raise access_error(path, error) from error
    return digest.hexdigest()


def _has_video(media: Media) -> bool:
    # The cover picture of a song counts as a video stream, but nobody would call it one.
    return any(
        not video.disposition & Disposition.attached_pic for video in media.container.streams.video
    )
