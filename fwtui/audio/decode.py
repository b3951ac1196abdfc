"""Decode any media file to a 16 kHz WAV, in bounded memory.

Damage costs only the damaged packets.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple, cast

import av
import msgspec
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet

from fwtui.audio.level import (
    DEAD_PEAK,
    LevelWriter,
    Samples,
    decibels,
    heard,
    mono,
    planes,
    readable,
)
from fwtui.audio.loudness import ChannelLevels, LevelMeter
from fwtui.audio.media import (
    Media,
    open_media,
    raise_out_of_memory,
    raise_read_error,
)
from fwtui.audio.reading import TOLERANCE, Reading, amount
from fwtui.audio.tracks import AUTOMATIC, TrackChoice
from fwtui.audio.wav import (
    HEADER_BYTES,
    SAMPLE_BYTES,
    SAMPLE_RATE,
    SampleChecks,
    TooLong,
    WavWriter,
    check_room,
)
from fwtui.core.channels import MIX, MOST_CHANNELS, SPLIT, channel_index, channel_name
from fwtui.core.text import display_name, plural
from fwtui.errors import BadMediaError, NoAudioError

# Encoder delay, pre-skip and timestamps rounded by the container stay below this (AAC and Opus
# priming: up to 0.05 s; ASF's coarse clock: 0.05 s); a lag above it can be seen in subtitles.
GAP_SECONDS = 0.1
# Audio this far behind the clock means that the clock was set back, not that it is imprecise.
SETBACK_SECONDS = 1.0
# With no duration in the container, all silence together may not be longer than this.
MAX_UNKNOWN_SILENCE = 3600.0
# Nor longer than this (1.4 GB) when both the duration and the timestamps are nonsense.
MAX_SILENCE = 12 * 3600.0


class Timeline:
    """Decides how much silence to insert before each frame.

    `start` is the clock's time of second 0 (None: that of the first frame), `duration` the length
    that the container claims (0: unknown). `silence` is all that was inserted, `lead` what of it
    comes before the first frame. All times are seconds.
    """

    def __init__(self, start: float | None, duration: float) -> None:
        self.gaps = 0
        self.gap_seconds = 0.0
        self.jumps = 0
        self.jump_seconds = 0.0
        self._origin = start
        # Claimed lengths are estimates in some formats; a gap far beyond them is a broken clock.
        self._limit = duration + max(60.0, duration / 10) if duration > 0 else None
        self.silence = 0.0
        self.lead = 0.0

    def silence_before(self, at: float | None, position: float, following: float | None) -> float:
        """Seconds of silence to insert before a frame.

        `at` is the frame's timestamp, `position` the seconds of audio before it, `following`
        the next frame's timestamp (None: unknown), which tells a gap from one wrong timestamp.
        """
        if at is None:
            return 0.0
        if self._origin is None:
            self._origin = at
        lag = at - self._origin - position
        if -SETBACK_SECONDS <= lag <= GAP_SECONDS:
            return 0.0
        if following is not None and abs(following - self._origin - position) < abs(lag) / 2:
            return 0.0  # the next frame is where this one should be: one wrong timestamp
        if lag > 0 and self._is_plausible(position, lag):
            self.silence += lag
            if position > 0:
                self.gaps += 1
                self.gap_seconds += lag
            else:
                self.lead = lag
            return lag
        self._origin += lag
        if position > 0:
            self.jumps += 1
            self.jump_seconds += abs(lag)
        return 0.0

    def _is_plausible(self, position: float, lag: float) -> bool:
        if self._limit is None:
            return self.silence + lag <= MAX_UNKNOWN_SILENCE
        return position + lag <= self._limit and self.silence + lag <= MAX_SILENCE


# faster-whisper resamples in blocks of this many samples; the same blocks give the same samples.
_BLOCK = 500_000
_YOUNG = 1  # the generations of the garbage collector up to this one are quick to collect
# Less is not speech, and resampling makes so many times more of it that memory does not hold it.
_LOWEST_RATE = 1000
# A demuxer that fails this often in a row will not recover.
_MAX_READ_FAILURES = 64
_PROGRESS_SECONDS = 0.25
# No speech codec needs less, averaged over a file.
_LEAST_BYTES_PER_SECOND = 100


class DecodeCancelled(Exception):
    """The caller's `cancelled()` returned true."""


class Decoded(msgspec.Struct, frozen=True):
    """Length of the WAV in samples at 16 kHz, and what was wrong with the file, for people.

    `digest`: of the samples; `checks`: of their blocks; `track`: the number of the audio track,
    from 1; `peak`: the loudest sample, before any normalisation. `rows`: how many channels the WAV
    has, `recorded` the recording; `channels`: those to be transcribed one by one, from 0, or else
    the WAV's channel `row`; `levels`: how loud each channel of the recording is, if that was asked
    for.
    """

    samples: int
    warnings: tuple[str, ...] = ()
    digest: str = ""
    track: int = 1
    peak: int = 0
    checks: SampleChecks | None = None
    channels: tuple[int, ...] = ()
    levels: ChannelLevels | None = None
    rows: int = 1
    row: int = 0
    recorded: int = 1


class DecodeOptions(NamedTuple):
    """How a file is decoded: at most `limit` bytes (0: no limit), which audio track and channel,
    and whether its volume is evened out. `measure`: the loudness of each channel is wanted.
    """

    limit: int = 0
    choice: TrackChoice = AUTOMATIC
    normalise: bool = False
    channel: str = MIX
    measure: bool = False


_DEFAULTS = DecodeOptions()


def decode_to_wav(
    path: Path,
    wav: Path,
    on_progress: Callable[[float], None],
    cancelled: Callable[[], bool],
    options: DecodeOptions = _DEFAULTS,
) -> Decoded:
    """Decode an audio track of `path` into the 16 kHz 16-bit file `wav`: mono, unless split.

    The samples are those of `faster_whisper.decode_audio`, but gaps in the timestamps become
    silence, and channels that cancel each other out are mixed by power. Of several
    tracks, the next one is taken if one is silent and was not asked for. `on_progress` gets seconds
    of audio, at most 4 times a second; `cancelled` is called before every packet. Free space is
    checked first. Raises MediaError, DiskFullError, StorageError or DecodeCancelled, after deleting
    the WAV.
    """
    progress = _Progress(on_progress)
    with open_media(path, options.choice) as media:
        found, others = _decode(media, wav, progress, cancelled, options), media.others
    silent: list[int] = []
    for number in others:
        if found.peak >= DEAD_PEAK:
            break
        silent.append(found.track)
        options = options._replace(choice=TrackChoice(str(number)))
        with open_media(path, options.choice) as media:
            found = _decode(media, wav, progress, cancelled, options)
    # FFmpeg 8 gives each resampler threads, and PyAV frees one only when it is collected.
    gc.collect(_YOUNG)
    return msgspec.structs.replace(
        found, warnings=(*_level_warnings(found, silent), *found.warnings)
    )


def _decode(
    media: Media,
    wav: Path,
    progress: "_Progress",
    cancelled: Callable[[], bool],
    options: DecodeOptions,
) -> Decoded:
    """Decode the track that is open; raises as `decode_to_wav`."""
    path, limit = media.path, options.limit
    reading = Reading(media)
    frames = _frames(media, reading, cancelled)
    first = next((frame for frame in frames if frame.samples), None)
    count = max(1, media.stream.channels or 0, first.layout.nb_channels if first else 0)
    wanted = _wanted(media, options, count)
    needed = HEADER_BYTES + round(_credible(media) * SAMPLE_RATE) * wanted.rows * SAMPLE_BYTES
    check_room(wav.parent, min(needed, limit) if limit else needed)
    timeline = Timeline(media.start, media.duration)
    with WavWriter(wav, needed, limit, wanted.rows) as wav_writer:
        level = LevelWriter(wav_writer, normalise=options.normalise, channels=wanted.rows)
        writer = _Output(level, LevelMeter(count) if wanted.measured else None)
        try:
            cancelling = _transfer(
                media, chain((first,) if first else (), frames), timeline, writer, wanted, progress
            )
            level.finish()
        except av.error.FFmpegError as error:
            raise _cannot_convert(path, error) from error
        except TooLong as error:
            raise _too_long(path, limit, wanted.rows) from error
        if level.samples == 0:
            raise BadMediaError(
                f"No audio could be decoded: {display_name(path)}",
                "The file is damaged, or its audio is empty.",
            )
    seconds, silence = level.samples / SAMPLE_RATE, timeline.silence
    levels = writer.meter.finish() if writer.meter is not None else None
    channels, notes = _to_transcribe(wanted, options, level.peaks, levels)
    once = wanted.split and not channels  # all channels are the same
    warnings = (
        *_track_note(media),
        *reading.warnings(seconds - silence, silence - timeline.lead, timeline.lead),
        *notes,
        *_phase_warnings(cancelling),
        *_warnings(timeline),
    )
    return Decoded(
        level.samples,
        warnings,
        wav_writer.digest,
        media.number + 1,
        level.peak,
        wav_writer.checks,
        channels,
        levels,
        wanted.rows,
        int(np.argmax(level.peaks)) if once else 0,
        wanted.total,
    )


class _Wanted(NamedTuple):
    """What of the channels is written: the mix, one of them (`index`), or all (`split`).

    `total`: how many there are; `measured`: all of them are needed besides.
    """

    total: int
    number: int | None = None
    split: bool = False
    measured: bool = False

    @property
    def rows(self) -> int:
        """How many channels are written."""
        return self.total if self.split else 1


def _wanted(media: Media, options: DecodeOptions, count: int) -> _Wanted:
    """What the user wants of a file with `count` channels. Raises NoAudioError."""
    index = channel_index(options.channel)
    many = count > MOST_CHANNELS
    measured = options.channel == SPLIT or (options.measure and not many)
    if index is not None and index >= max(2, count):
        raise NoAudioError(
            f"No channel {index + 1}: {display_name(media.path)}",
            f"It has {count} channels." if count > 1 else "It has one channel.",
        )
    split = options.channel == SPLIT and count > 1
    if split and many:
        raise NoAudioError(
            f"{display_name(media.path)} has {count} channels, and at most {MOST_CHANNELS} can be "
            "told apart",
            "Choose one of them with --channel, or transcribe the mix.",
        )
    return _Wanted(count, index if count > 1 else None, split, measured and count > 1)


def _to_transcribe(
    wanted: _Wanted, options: DecodeOptions, peaks: Sequence[int], levels: ChannelLevels | None
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Which of the channels are to be transcribed one by one, and warnings about channels."""
    if wanted.total == 1:
        asked = options.channel not in {MIX, "1"}
        return (), ("it has one channel only, and that was used",) if asked else ()
    if wanted.number is not None and max(peaks) < DEAD_PEAK:
        name = channel_name(wanted.number, wanted.total)
        return (), (f"only the {name} was used, which is silent",)
    if not wanted.split:
        return (), ()
    same = levels is not None and levels.same
    loud = [index for index, peak in enumerate(peaks) if peak >= DEAD_PEAK]
    if same or not loud:
        note = f"all its {wanted.total} channels are the same: they were transcribed once"
        return (), (note,) if loud else ()
    return tuple(loud), tuple(
        f"the {channel_name(index, wanted.total)} is {_how_silent(peak)}"
        for index, peak in enumerate(peaks)
        if index not in loud
    )


def _level_warnings(found: Decoded, silent: Sequence[int]) -> tuple[str, ...]:
    """What is wrong with the level; `silent`: the numbers of the tracks before that are silent."""
    if found.peak < DEAD_PEAK:
        if silent:
            return ("all audio tracks are silent",)
        return (f"the audio is {_how_silent(found.peak)}",)
    if silent:
        verb = "is" if len(silent) == 1 else "are"
        named = f"audio {'track' if len(silent) == 1 else 'tracks'} {', '.join(map(str, silent))}"
        return (f"{named} {verb} silent: track {found.track} was used",)
    return ()


def _how_silent(peak: int) -> str:
    if not peak:
        return "silent throughout"
    return f"nearly silent (peak {decibels(peak)}): the microphone was off or muted"


def _phase_warnings(cancelling: float) -> tuple[str, ...]:
    if cancelling <= TOLERANCE:
        return ()
    return (
        f"the channels cancel each other out in {amount(cancelling)} of the audio (one has "
        "reversed polarity): they were mixed by power there, which keeps both",
    )


def _credible(media: Media) -> float:
    """The seconds that the container claims, limited by what its size can hold: headers lie."""
    return min(media.duration, media.size / _LEAST_BYTES_PER_SECOND)


class _Progress:
    """Passes progress on, at most 4 times a second."""

    def __init__(self, on_progress: Callable[[float], None]) -> None:
        self._report = on_progress
        self._next = 0.0

    def __call__(self, seconds: float) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _PROGRESS_SECONDS
            self._report(seconds)


class _Output:
    """Where the samples go: to the WAV, and to the meter of the channels, if there is one."""

    def __init__(self, level: LevelWriter, meter: LevelMeter | None) -> None:
        self.level = level
        self.meter = meter

    def write(self, block: "_Block") -> None:
        """Append samples."""
        self.level.write(block.samples)
        if self.meter is not None and block.channels is not None:
            self.meter.add(block.channels)

    def write_silence(self, count: int) -> None:
        """Append `count` samples of silence."""
        self.level.write_silence(count)
        if self.meter is not None:
            self.meter.add_silence(count)


class _Block(NamedTuple):
    """Samples at 16 kHz: those to write, and those of all channels, if they are measured."""

    samples: Samples
    channels: Samples | None = None


class _Channels:
    """Resamples some channels of frames, each by itself."""

    def __init__(self, indexes: Sequence[int]) -> None:
        self._indexes = indexes
        self._resamplers = [
            AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE) for _ in indexes
        ]

    def resample(self, frame: AudioFrame | None) -> Samples:
        """The samples of each channel; None: what the resamplers still hold."""
        found = None if frame is None else planes(frame)
        rows = []
        for index, resampler in zip(self._indexes, self._resamplers, strict=True):
            part = None
            if frame is not None and found is not None:
                # In a part of the file there may be fewer channels.
                plane = found[index] if index < len(found) else np.zeros_like(found[0])
                part = mono(plane, frame)
            rows.append(_joined(resampler.resample(part)))
        return np.stack(rows)


def _joined(frames: Sequence[AudioFrame]) -> Samples:
    parts = [np.asarray(frame.to_ndarray(), np.int16).reshape(-1) for frame in frames]
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


class _Section:
    """A stretch of audio without gaps and with the same parameters: frames in, samples out."""

    def __init__(self, frame: AudioFrame, wanted: _Wanted) -> None:
        self.parameters = _parameters(frame)
        self.seconds = 0.0
        self._samples = 0
        self._wanted = wanted
        self._fifo = AudioFifo()
        self._mixer = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        present = frame.layout.nb_channels
        indexes: tuple[int, ...] = ()
        if wanted.split or wanted.measured:
            indexes = tuple(range(wanted.total))
        elif wanted.number is not None and present > 1:
            indexes = (min(wanted.number, present - 1),)
        self._channels = _Channels(indexes) if indexes else None
        self.cancelling = 0  # samples at 16 kHz whose channels cancel each other out

    def feed(self, frame: AudioFrame) -> Iterator[_Block]:
        self._samples += frame.samples
        self.seconds = self._samples / frame.sample_rate
        frame.pts = None  # the timeline has used it; the queue would insist on it
        self._fifo.write(frame)
        if self._fifo.samples >= _BLOCK:
            yield self._resample(self._fifo.read())

    def finish(self) -> Iterator[_Block]:
        if self._fifo.samples > 0:
            yield self._resample(self._fifo.read())
        yield self._resample(None)

    def _resample(self, frame: AudioFrame | None) -> _Block:
        if frame is not None and frame.layout.nb_channels > 1:
            frame = readable(frame)
        channels = self._channels.resample(frame) if self._channels is not None else None
        wanted = self._wanted
        if channels is not None and (wanted.split or wanted.number is not None):
            chosen = wanted.number if wanted.measured and not wanted.split else None
            samples = channels if chosen is None else channels[chosen]
            return _Block(samples, channels)
        samples = _joined(self._mixer.resample(frame))
        if frame is not None and frame.layout.nb_channels > 1 and samples.size:
            samples, cancelling = heard(frame, samples)
            self.cancelling += cancelling
        return _Block(samples, channels)


def _transfer(
    media: Media,
    frames: Iterator[AudioFrame],
    timeline: Timeline,
    writer: _Output,
    wanted: _Wanted,
    progress: "_Progress",
) -> float:
    """Write all frames, with silence where the timeline requires it.

    Returns the seconds in which the channels cancel each other out.
    """
    cancelling = 0
    section: _Section | None = None
    begin = 0.0  # of the section, in seconds
    for frame, following in pairwise(chain(frames, (None,))):
        if frame is None or frame.samples == 0:
            continue
        position = begin + (section.seconds if section else 0.0)
        silence = timeline.silence_before(
            frame.time, position, None if following is None else following.time
        )
        if section is None or silence or section.parameters != _parameters(frame):
            cancelling += _finish(section, writer)
            # A resampler may round up: then there is already one sample too many.
            missing = round((position + silence) * SAMPLE_RATE) - writer.level.samples
            writer.write_silence(max(0, missing))
            if frame.sample_rate < _LOWEST_RATE:
                raise _no_rate(media.path, frame.sample_rate)
            section, begin = _Section(frame, wanted), position + silence
        for block in section.feed(frame):
            writer.write(block)
        progress(begin + section.seconds)
    return (cancelling + _finish(section, writer)) / SAMPLE_RATE


def _finish(section: _Section | None, writer: _Output) -> int:
    """Write the rest of the section; returns how many of its samples cancel each other out."""
    if section is None:
        return 0
    for block in section.finish():
        writer.write(block)
    return section.cancelling


def _parameters(frame: AudioFrame) -> tuple[object, ...]:
    """The parameters that must not change within a resampler."""
    return frame.format.name, frame.layout.name, frame.sample_rate, frame.time_base


def _frames(media: Media, reading: Reading, cancelled: Callable[[], bool]) -> Iterator[AudioFrame]:
    """The stream's frames; packets that cannot be decoded are counted and skipped."""
    try:
        # `decode` would do it, but PyAV 19 has a ValueError for the packets behind a failure.
        media.stream.codec_context.open(strict=False)
    except av.error.FFmpegError as error:
        raise_out_of_memory(media.path, error)
        return
    for packet in _packets(media, reading):
        if cancelled():
            raise DecodeCancelled
        try:
            frames = media.stream.decode(packet)
        except av.error.FFmpegError as error:
            raise_out_of_memory(media.path, error)
            reading.damage(packet)
            continue
        yield from frames


def _packets(media: Media, reading: Reading) -> "Iterator[Packet[AudioStream] | None]":
    """The stream's packets, beyond read errors; the last one is empty or None and flushes."""
    failures = 0
    while failures < _MAX_READ_FAILURES:
        try:
            for packet in media.container.demux():
                failures = 0
                if reading.packet(packet):
                    yield cast("Packet[AudioStream]", packet)
        except av.error.FFmpegError as error:
            raise_read_error(media.path, error)
            reading.damage()
            failures += 1
        else:
            return
    yield None


def _no_rate(path: Path, rate: int) -> BadMediaError:
    return BadMediaError(
        f"{display_name(path)} claims {rate} samples per second, which is not audio",
        "The file is damaged, or it contains measurements.",
    )


def _too_long(path: Path, limit: int, channels: int) -> BadMediaError:
    hours = limit / channels / SAMPLE_BYTES / SAMPLE_RATE / 3600
    return BadMediaError(
        f"{display_name(path)} has more than {hours:.1f} hours of audio",
        f"It may be made to fill the disk ({limit / 2**20:.0f} MB decoded). If it is a real "
        "recording, raise scratch_limit_mb.",
    )


def _cannot_convert(path: Path, error: av.error.FFmpegError) -> BadMediaError:
    raise_out_of_memory(path, error)
    return BadMediaError(
        f"Audio cannot be converted: {display_name(path)}",
        f"Its sample format or channels are unusual ({error.strerror}): convert it to FLAC first.",
    )


def _track_note(media: Media) -> tuple[str, ...]:
    return (f"{media.note}: track {media.number + 1} was used",) if media.note else ()


def _warnings(timeline: Timeline) -> tuple[str, ...]:
    found: list[str] = []
    if timeline.gaps:
        gaps = plural(timeline.gaps, "gap")
        found.append(f"{gaps} in the audio filled with {timeline.gap_seconds:.1f} s of silence")
    if timeline.jumps:
        times = plural(timeline.jumps, "time")
        found.append(
            f"timestamps jump ({times}, {timeline.jump_seconds:,.1f} s in all): subtitles may be "
            "shifted"
        )
    return tuple(found)
