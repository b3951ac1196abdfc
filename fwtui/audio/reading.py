"""Compares what was read of a file with what its container claims."""

from typing import Any, BinaryIO, NamedTuple

from av.packet import Packet

from fwtui.audio.containers import (
    RAW,
    asf_duration,
    before_tags,
    id3_bytes,
    is_unknown,
    missing_bytes,
    mp3_frames,
    skipped_bytes,
    track_duration,
    unread_bytes,
)
from fwtui.audio.media import Media
from fwtui.core.text import clock, plural

# Less is rounding, encoder delay and padding.
TOLERANCE = 1.0
# A recording of six weeks: damage, or a number that stands for "unknown".
_NONSENSE = 1000 * 3600.0
# No frame of a raw format is as long (bytes): the rest of such a packet is junk.
_LARGEST_FRAME = 1 << 14
# Demuxers that take the length of the stream from a header, not from a guess by the bit rate.
_EXACT = frozenset({"aiff", "ape", "au", "flac", "tta", "wav", "wv"})
_MOV, _MATROSKA = "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"
# Formats that may get another stream in the middle; in others, one may lie behind the other.
_IN_SEQUENCE = frozenset({"flv", "mpeg", "mpegts", "ogg"})
# The length of the whole file: of the longest stream, whichever that is.
_OF_FILE = frozenset({"asf", "flv", "rm", "nut", _MATROSKA})


class Claim(NamedTuple):
    """Lengths in seconds that the container may mean; `exact`: of this stream, from a header."""

    lengths: tuple[float, ...]
    exact: bool


class Reading:
    """What was read of the file: positions of packets, damage, and the ends of all streams."""

    def __init__(self, media: Media) -> None:
        self._media = media
        self._demuxer = media.container.format.name
        self._is_raw = self._demuxer in RAW
        self._has_edits = self._demuxer == _MOV
        self._own = media.stream.index
        with media.path.open("rb") as file:
            self._begin = id3_bytes(file) if self._is_raw else -1
            self._size = before_tags(file, media.size)
        self._damaged = 0
        self._damaged_bytes = 0
        self._last = 0
        self._end = 0
        self._frame_bytes = 0
        self._left_out = 0
        self._streams = [_StreamSpan() for _ in media.container.streams]
        self._count = 0

    def packet(self, packet: "Packet[Any]") -> bool:
        """Note a packet of any stream; returns whether it is of the stream that is decoded."""
        index = packet.stream_index
        size = packet.size
        if size:
            self._count = count = self._count + 1
            position = packet.pos
            if position is not None and position >= self._last:
                if self._begin < 0:
                    self._begin = position
                self._last, self._end = position, position + size
            self._streams[index].note(count)
            if index != self._own:
                self._streams[index].add(packet)
            else:
                self._frame_bytes += size if size <= _LARGEST_FRAME else 0
                self._left_out += self._has_edits and packet.is_discard
        # The number of an empty packet, which flushes, is that of any stream.
        return index == self._own if size else packet.stream is self._media.stream

    def damage(self, packet: "Packet[Any] | None" = None) -> None:
        """Note a packet that cannot be decoded; None: one that cannot be read."""
        end = self._end + 1 if packet is None or packet.pos is None else packet.pos + packet.size
        self._damaged += end <= self._size  # otherwise it is a tag
        if packet is not None:
            self._frame_bytes -= _frame_bytes(packet)
            self._damaged_bytes += packet.size - max(0, end - self._size)

    def warnings(self, sound: float, gaps: float, lead: float) -> tuple[str, ...]:
        """What is missing.

        `sound`: seconds decoded; `gaps`, `lead`: seconds of silence inserted, and before the sound.
        """
        damaged = (f"{plural(self._damaged, 'damaged packet')} skipped",) if self._damaged else ()
        if self._begin < 0 or sound <= 0:
            return damaged
        frame_rate = max(1, self._frame_bytes) / sound
        rate = max(1, self._end - self._begin) / sound
        with self._media.path.open("rb") as file:
            unread = unread_bytes(file, self._last, self._end, self._size, self._demuxer)
            cut = missing_bytes(file, self._size, self._demuxer)
            skipped = skipped_bytes(file, self._begin, self._size, self._demuxer)
            claim = self._claim(file)
        lost = self._damaged_bytes
        if self._is_raw:  # no header says what is between the frames
            unread, lost = 0, self._size - self._begin - self._frame_bytes
        found = list(self._length_warning(sound + gaps + lead, unread / rate, cut / rate, claim))
        if (shift := lost / frame_rate - gaps) > TOLERANCE:
            found.append(
                f"about {amount(shift)} of damaged audio left out: later times are too early"
            )
        if (elsewhere := self._in_other_streams() + skipped / rate) > TOLERANCE:
            found.append(f"{amount(elsewhere)} of audio in another part of the file were not read")
        return (*found, *damaged)

    def _in_other_streams(self) -> float:
        """Seconds of the audio streams that begin where this one ends, or end where it begins."""
        own = self._streams[self._own]
        if self._demuxer not in _IN_SEQUENCE:
            return 0.0
        return sum(
            self._streams[stream.index].seconds
            for stream in self._media.container.streams.audio
            if self._streams[stream.index].is_apart_from(own)
        )

    def _length_warning(
        self, seconds: float, unread: float, cut: float, claim: Claim
    ) -> tuple[str, ...]:
        claimed = min(claim.lengths, key=lambda length: abs(length - seconds), default=seconds)
        if cut > TOLERANCE and claimed < seconds + cut:
            claimed = seconds + cut
        missing = claimed - seconds
        if missing > max(TOLERANCE, 1.05 * unread):
            return (f"{_compared(seconds, claimed)}: {amount(missing)} missing",)
        # In a file of several streams, what is unread may be of another one.
        several = sum(span.last > 0 for span in self._streams) > 1
        complete = claim.exact and claim.lengths and abs(missing) <= TOLERANCE and several
        if unread > TOLERANCE and not complete:
            return (f"about {amount(unread)} at the end were not read: a length is wrong there",)
        if -missing > TOLERANCE and claim.exact:
            return (f"{_compared(seconds, claimed)}: {amount(-missing)} more",)
        return ()

    def _claim(self, file: BinaryIO) -> Claim:
        """The length that the container claims; none if it only gives an estimate."""
        media, demuxer = self._media, self._demuxer
        length, count = media.duration, media.stream.duration or 0
        if demuxer == _MOV and self._left_out:
            length = max(length, track_duration(file, media.size, media.number))
        elif demuxer == "mp3":
            rate = media.stream.sample_rate or 1
            count = mp3_frames(file)
            length = count * (1152 if rate >= 32_000 else 576) / rate
        elif demuxer not in _EXACT | {_MOV}:
            return self._loose_claim(file)
        known = 0 < length < _NONSENSE and not is_unknown(count)
        return Claim((length,) if known else (), exact=True)

    def _loose_claim(self, file: BinaryIO) -> Claim:
        """The claim of a container that keeps the length of the file, or tags of its streams."""
        media, demuxer = self._media, self._demuxer
        if media.tagged:
            return Claim(media.tagged, exact=False)
        length = asf_duration(file, media.size) if demuxer == "asf" else media.file_duration
        if (
            demuxer not in _OF_FILE
            or not 0 < length < _NONSENSE
            or self._last_end() > length - TOLERANCE
        ):
            return Claim((), exact=False)
        return Claim((length, max(0.0, length - (media.start or 0.0))), exact=False)

    def _last_end(self) -> float:
        """Where the last of the other streams ends, in seconds."""
        others = (span for index, span in enumerate(self._streams)
                  if index != self._own)  # fmt: skip
        return max((span.end for span in others), default=0.0) - (self._media.start or 0.0)


class _StreamSpan:
    """Where the packets of a stream are: the first and last by number, and the latest end."""

    def __init__(self) -> None:
        self.first = 0
        self.last = 0
        self._begin: int | None = None
        self._end = 0
        self._base = 0.0

    def note(self, number: int) -> None:
        self.last = number
        if not self.first:
            self.first = number

    def add(self, packet: "Packet[Any]") -> None:
        if packet.pts is not None:
            self._begin = packet.pts if self._begin is None else self._begin
            self._end = max(self._end, packet.pts + (packet.duration or 0))
            self._base = float(packet.time_base)

    @property
    def end(self) -> float:
        return self._end * self._base

    @property
    def seconds(self) -> float:
        return (self._end - (self._begin or 0)) * self._base

    def is_apart_from(self, other: "_StreamSpan") -> bool:
        return self.last > 0 and (self.first > other.last or self.last < other.first)


def _frame_bytes(packet: "Packet[Any]") -> int:
    return packet.size if packet.size <= _LARGEST_FRAME else 0


def _compared(seconds: float, claimed: float) -> str:
    return f"{clock(seconds)} of audio decoded, but the file claims {clock(claimed)}"


def amount(seconds: float) -> str:
    """Seconds for people: `3.5 s`, `17 s`."""
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:,.0f} s"
