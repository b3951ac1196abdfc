"""Media files of many kinds, encoded with PyAV: tests need no program of the system."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.stream import Disposition

Samples = npt.NDArray[np.int16]

PICTURE = 64  # pixels a side
FRAMES_A_SECOND = 10


@dataclass(frozen=True)
class Clip:
    """Mono sound in memory."""

    samples: Samples
    rate: int

    @property
    def seconds(self) -> float:
        return self.samples.size / self.rate

    def first(self, seconds: float) -> "Clip":
        return Clip(self.samples[: round(seconds * self.rate)], self.rate)

    def repeated(self, times: int) -> "Clip":
        return Clip(np.tile(self.samples, times), self.rate)


@dataclass(frozen=True)
class Sound:
    """How sound is encoded. `rate` None: the clip's; `begin`: seconds before it starts."""

    codec: str
    rate: int | None = None
    layout: str = "mono"
    bit_rate: int | None = None
    begin: float = 0.0
    options: Mapping[str, str] = field(default_factory=dict)


# FFmpeg's own encoder of Vorbis counts as an experiment, and knows stereo only; PyAV's wheels have
# no other one since version 18.
VORBIS = Sound("vorbis", layout="stereo", options={"strict": "experimental"})
WAV, FLAC, MP3, AAC = Sound("pcm_s16le"), Sound("flac"), Sound("libmp3lame"), Sound("aac")
MP2, OPUS = Sound("mp2"), Sound("libopus", rate=48_000)


def tone(seconds: float, rate: int = 16_000) -> Clip:
    """A steady tone."""
    times = np.arange(round(seconds * rate)) / rate
    return Clip((np.sin(2 * np.pi * 300 * times) * 4000).astype(np.int16), rate)


def silence(seconds: float, rate: int = 16_000) -> Clip:
    """As many zeros."""
    return Clip(np.zeros(round(seconds * rate), np.int16), rate)


def read_clip(path: Path, rate: int) -> Clip:
    """The sound of a file at another rate."""
    resampler = av.AudioResampler("s16", "mono", rate)
    with av.open(str(path)) as container:
        frames = [*container.decode(audio=0), None]
        parts = [part.to_ndarray()[0] for frame in frames for part in resampler.resample(frame)]
    return Clip(np.concatenate(parts), rate)


def write_media(
    path: Path,
    clip: Clip | None = None,
    sound: Sound = WAV,
    picture_seconds: float = 0.0,
    options: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write sound, a moving picture or both; the name says which container it is."""
    with av.open(str(path), "w", options=dict(options or {})) as container:
        container.metadata.update(tags or {})
        video = _picture_stream(container) if picture_seconds else None
        audio = _sound_stream(container, sound, clip.rate) if clip is not None else None
        pictures = _encoded(video, _pictures(picture_seconds)) if video is not None else ()
        pieces = _encoded(audio, _pieces(clip, sound.begin)) if clip is not None else ()
        for packet in chain(pictures, pieces):
            container.mux(packet)


def write_song(path: Path, clip: Clip) -> None:
    """An mp3 with a cover picture."""
    with av.open(str(path), "w") as container:
        audio = _sound_stream(container, MP3, clip.rate)
        cover: Any = container.add_stream("png", rate=1)
        cover.width = cover.height = PICTURE
        cover.pix_fmt = "rgb24"
        cover.disposition = Disposition.attached_pic.value
        for packet in chain(
            _encoded(cover, _pictures(1 / FRAMES_A_SECOND)),
            _encoded(audio, _pieces(clip, 0.0)),
        ):
            container.mux(packet)


def _sound_stream(container: Any, sound: Sound, rate: int) -> Any:
    stream = container.add_stream(
        sound.codec, rate=sound.rate or rate, layout=sound.layout, options=dict(sound.options)
    )
    if sound.bit_rate is not None:
        stream.bit_rate = sound.bit_rate
    return stream


def _picture_stream(container: Any) -> Any:
    stream = container.add_stream("mpeg4", rate=FRAMES_A_SECOND)
    stream.width = stream.height = PICTURE
    stream.pix_fmt = "yuv420p"
    return stream


def _pieces(clip: Clip, begin: float) -> Iterator[av.AudioFrame]:
    """The clip in frames of a second."""
    for start in range(0, clip.samples.size, clip.rate):
        piece = clip.samples[start : start + clip.rate]
        frame = av.AudioFrame.from_ndarray(piece.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = clip.rate
        frame.time_base = Fraction(1, clip.rate)
        frame.pts = round(begin * clip.rate) + start
        yield frame


def _pictures(seconds: float) -> Iterator[av.VideoFrame]:
    """Pictures that become lighter."""
    for number in range(max(1, round(seconds * FRAMES_A_SECOND))):
        shade = np.full((PICTURE, PICTURE, 3), number * 5 % 256, np.uint8)
        frame = av.VideoFrame.from_ndarray(shade, format="rgb24")
        frame.pts = number
        frame.time_base = Fraction(1, FRAMES_A_SECOND)
        yield frame


def _encoded(stream: Any, frames: Iterable[Any]) -> Iterator[Any]:
    for frame in (*frames, None):
        yield from stream.encode(frame)


@dataclass(frozen=True)
class TrackTags:
    """What a file says about a track."""

    language: str = ""
    title: str = ""
    default: bool = False


def write_tracks(path: Path, tracks: Iterable[tuple[Clip, TrackTags]], sound: Sound = WAV) -> None:
    """A file with several audio tracks."""
    with av.open(str(path), "w") as container:
        made = []
        for clip, tags in tracks:
            stream = _sound_stream(container, sound, clip.rate)
            named = {"language": tags.language, "title": tags.title}
            stream.metadata.update({name: value for name, value in named.items() if value})
            stream.disposition = Disposition.default.value if tags.default else 0
            made.append((stream, clip))
        for stream, clip in made:
            for packet in _encoded(stream, _pieces(clip, 0.0)):
                container.mux(packet)


def write_channels(path: Path, channels: Samples, rate: int, sound: Sound = WAV) -> None:
    """Write a sample for each channel: the first axis is that of the channels."""
    layouts = {1: "mono", 2: "stereo", 4: "4.0", 6: "5.1"}
    layout = layouts[len(channels)]
    with av.open(str(path), "w") as container:
        stream = _sound_stream(container, replace(sound, layout=layout), rate)
        for packet in _encoded(stream, _layered(channels, rate, layout)):
            container.mux(packet)


def _layered(channels: Samples, rate: int, layout: str) -> Iterator[av.AudioFrame]:
    for start in range(0, channels.shape[1], rate):
        piece = np.ascontiguousarray(channels[:, start : start + rate].T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(piece, format="s16", layout=layout)
        frame.sample_rate = rate
        frame.time_base = Fraction(1, rate)
        frame.pts = start
        yield frame
