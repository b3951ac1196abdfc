"""What a media file is, without decoding it."""

from pathlib import Path

from av.stream import Disposition

from fwtui.audio.identity import Identity, identify
from fwtui.audio.media import Media, access_error, open_media
from fwtui.core.job import MediaInfo


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


def fingerprint(path: Path) -> Identity:
    """What tells a file from another; see `identify`. Raises MediaAccessError."""
    try:
        return identify(path)
    except OSError as error:
        raise access_error(path, error) from error


def _has_video(media: Media) -> bool:
    # The cover picture of a song counts as a video stream, but nobody would call it one.
    return any(
        not video.disposition & Disposition.attached_pic for video in media.container.streams.video
    )
