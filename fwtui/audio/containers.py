"""The structure of media files, as far as it tells what a demuxer does not.

Where the sound ends and where only tables follow, whether a file is encrypted, and why one cannot
be opened. Reads headers only: a few kilobytes of a file of any size.
"""

import itertools
import struct
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import BinaryIO, NamedTuple

# Demuxers that work from raw frames: no header says where a frame is, so damage moves what follows.
RAW = frozenset(
    {"aac", "ac3", "amr", "amrnb", "amrwb", "dts", "dtshd", "eac3", "loas", "mlp", "mp3", "truehd"}
)
_MOST_CHUNKS = 100_000  # no file has more; damaged ones could keep us busy
_MOST_TAGS = 4  # programs add one of another kind, or a second one
_HEADER = 27 + 255  # bytes of the longest header of a chunk, an Ogg page
_ZEROS = 1 << 16  # bytes read at once
_SCANNED = 1 << 20  # bytes of a broadcast stream that tell whether it is encrypted


class Chunk(NamedTuple):
    """A named part of a file: where it begins, its payload begins, and it ends."""

    name: bytes
    begin: int
    body: int
    end: int


def chunks(file: BinaryIO, begin: int, end: int, kind: str) -> Iterator[Chunk]:
    """The chunks between two positions; ends at the first one that cannot be one.

    The last one may claim to end behind `end`. `kind` is the name of the layout: riff, iff, caf,
    w64, mov, asf, ebml, voc or ogg.
    """
    read = _LAYOUTS[kind]
    for _ in range(_MOST_CHUNKS):
        if begin >= end:
            return
        file.seek(begin)
        found = read(file.read(_HEADER))
        if found is None:
            return
        name, header, size = found
        stop = end if size is None else begin + size
        if stop <= begin:
            return
        yield Chunk(name, begin, begin + header, stop)
        begin = stop


# Name, length of the header, and length in all (None: up to the end of what it is in).
_Header = tuple[bytes, int, int | None]


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= byte < 127 or byte == 0xA9 for byte in name)


def _riff(head: bytes, code: str = "<I") -> _Header | None:
    if len(head) < 8 or not _is_name(head[:4]):
        return None
    (size,) = struct.unpack_from(code, head, 4)
    return head[:4], 8, 8 + size + size % 2


def _iff(head: bytes) -> _Header | None:
    return _riff(head, ">I")


def _caf(head: bytes) -> _Header | None:
    if len(head) < 12 or not _is_name(head[:4]):
        return None
    (size,) = struct.unpack_from(">q", head, 4)
    return head[:4], 12, None if size < 0 else 12 + size


def _w64(head: bytes) -> _Header | None:
    if len(head) < 24 or not _is_name(head[:4]):
        return None
    (size,) = struct.unpack_from("<Q", head, 16)
    return head[:4], 24, (size + 7) // 8 * 8


def _asf(head: bytes) -> _Header | None:
    if len(head) < 24 or head[:16] not in _ASF_OBJECTS:
        return None
    (size,) = struct.unpack_from("<Q", head, 16)
    return head[:16], 24, size


def _mov(head: bytes) -> _Header | None:
    if len(head) < 8 or not _is_name(head[4:8]):
        return None
    (size,) = struct.unpack_from(">I", head)
    if size == 1 and len(head) >= 16:
        return head[4:8], 16, struct.unpack_from(">Q", head, 8)[0]
    return head[4:8], 8, size or None


_VOC_END = b"\0"


def _voc(head: bytes) -> _Header | None:
    if head[:1] == _VOC_END:
        return _VOC_END, 1, 1
    if len(head) < 4 or head[0] > 9:
        return None
    return head[:1], 4, 4 + int.from_bytes(head[1:4], "little")


def _ebml(head: bytes) -> _Header | None:
    if not head or head[0] < 0x10:
        return None
    width = 9 - head[0].bit_length()
    if len(head) <= width or head[width] == 0:
        return None
    length = 9 - head[width].bit_length()
    largest = (1 << 7 * length) - 1
    size = int.from_bytes(head[width : width + length], "big") & largest
    header = width + length
    return head[:width], header, None if size == largest else header + size


def _ogg(head: bytes) -> _Header | None:
    if len(head) < 28 or head[:4] != b"OggS":
        return None
    header = 27 + head[26]
    return head[:4], header, header + sum(head[27:header])


_LAYOUTS: dict[str, Callable[[bytes], _Header | None]] = {
    "riff": _riff,
    "iff": _iff,
    "caf": _caf,
    "w64": _w64,
    "asf": _asf,
    "mov": _mov,
    "ebml": _ebml,
    "voc": _voc,
    "ogg": _ogg,
}


# --- what is behind the sound --------------------------------------------------------------------

_LAYOUT_OF = {
    "wav": "riff",
    "avi": "riff",
    "aiff": "iff",
    "caf": "caf",
    "w64": "w64",
    "asf": "asf",
    "mov,mp4,m4a,3gp,3g2,mj2": "mov",
    "matroska,webm": "ebml",
    "voc": "voc",
}
# Formats without parts behind the sound, other than tags.
_PLAIN = RAW | {"ape", "au", "flac", "flv", "mpeg", "mpegts", "ogg", "tta", "wv"}
_CLUSTER = b"\x1f\x43\xb6\x75"
_EBML_PARTS = {
    bytes.fromhex(text)
    for text in "1c53bb6b 1254c367 1941a469 1043a770 114d9b74 1549a966 1654ae6b ec bf".split()
}
# What holds sound (or may): behind the last packet that was read, it was not read.
_SOUND = {b"RIFF", b"riff", b"RF64", b"FORM", b"data", b"SSND", b"mdat", b"moof", b"movi", _CLUSTER}
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_OBJECTS = frozenset(
    {
        _ASF_HEADER,
        _ASF_DATA,
        bytes.fromhex("90080033b1e5cf1189f400a0c90349cb"),  # simple index
        bytes.fromhex("d329e2d6da35d111903400a0c90349be"),  # index
        bytes.fromhex("f803b1fead12644c840f2a1d2f7ad48c"),  # media object index
        bytes.fromhex("d03fb73c4a0c0348953dedf7b6228f0c"),  # timecode index
    }
)


def unread_bytes(file: BinaryIO, last: int, end: int, size: int, demuxer: str) -> int:
    """Bytes behind the last packet, from `last` to `end`, that are neither tables nor zeros.

    `size`: without tags at the end. 0 for formats whose structure is not known here.
    """
    kind = _LAYOUT_OF.get(demuxer)
    if kind is None and demuxer not in _PLAIN:
        return 0
    if kind == "asf":
        end = max(end, _asf_data_end(file, size))
    if demuxer == "ogg":  # packets have the position of their page
        return max(0, size - next((page.end for page in chunks(file, last, size, "ogg")), size))
    if kind == "ebml":
        end = _next_part(file, end)
    behind = _behind_tables(file, end, size, kind) if kind is not None else end
    if kind == "mov" and behind < size:
        return _rest_of_media_data(file, end, size)
    return 0 if _is_padding(file, behind, size) else max(0, size - behind)


def skipped_bytes(file: BinaryIO, begin: int, size: int, demuxer: str) -> int:
    """Bytes of sound in parts of their own before `begin`, the first packet that was read.

    FFmpeg reads the last of several.
    """
    if demuxer not in _SOUND_CHUNK or demuxer == "avi":
        return 0
    parts = chunks(file, _TOP[demuxer], size, _LAYOUT_OF[demuxer])
    before = itertools.takewhile(lambda part: part.end <= begin, parts)
    return sum(part.end - part.body for part in before if part.name == _SOUND_CHUNK[demuxer])


def _behind_tables(file: BinaryIO, end: int, size: int, kind: str) -> int:
    """Where the tables behind `end` end, and sound or something unknown begins."""
    begin = end + end % 2 if kind in {"riff", "iff"} else end
    for chunk in chunks(file, begin, size, kind):
        if chunk.name in _SOUND or chunk.end > size + 1:
            break
        end = chunk.end
    return end


_UNKNOWN = ((0x7FFF_F000, 0x8000_0001), (0xFFFF_F000, 0x1_0000_0000))  # padding included
_SOUND_CHUNK = {"wav": b"data", "w64": b"data", "caf": b"data", "aiff": b"SSND", "avi": b"LIST"}
_TOP = {"wav": 12, "aiff": 12, "avi": 12, "w64": 40, "caf": 8, "voc": 26}


def missing_bytes(file: BinaryIO, size: int, demuxer: str) -> int:
    """Bytes of sound that the header claims behind the end of the file, where it was cut off."""
    if demuxer not in _TOP:
        return 0
    for chunk in chunks(file, _TOP[demuxer], size, _LAYOUT_OF[demuxer]):
        if chunk.name == _VOC_END:
            return 0
        length = chunk.end - chunk.body
        if chunk.end <= size + 1 or is_unknown(length):
            continue
        if chunk.name == _SOUND_CHUNK.get(demuxer, chunk.name):
            return chunk.end - size
    return 0


def is_unknown(length: int) -> bool:
    """Whether a length stands for "not known yet": a stream, or a recorder that did not finish."""
    return any(low <= length <= high for low, high in _UNKNOWN) or length >> 60 > 0


def asf_duration(file: BinaryIO, size: int) -> float:
    """Seconds that the header of an ASF file claims; 0 if it does not say."""
    data = _at(file, 0, min(size, _SCANNED))
    at = data.find(_ASF_PROPERTIES)
    if at < 0 or at + 88 > len(data):
        return 0.0
    ticks, _, preroll = struct.unpack_from("<QQQ", data, at + 64)
    return max(0.0, float(ticks / 1e7 - preroll / 1e3))


def track_duration(file: BinaryIO, size: int, number: int) -> float:
    """Seconds that the header of an MP4's audio track number `number` claims; 0 if unknown."""
    moov = _movie(file, size)
    if moov is None:
        return 0.0
    scale = _header_number(file, _first(file, moov, b"mvhd"), 12, 20)
    tracks = [trak for trak in _inside(file, moov, b"trak") if _is_sound(file, trak)]
    if number >= len(tracks) or not scale:
        return 0.0
    return _header_number(file, _first(file, tracks[number], b"tkhd"), 20, 28, ">Q") / scale


def _movie(file: BinaryIO, size: int) -> Chunk | None:
    """The index of an MP4 file."""
    return next((box for box in chunks(file, 0, size, "mov") if box.name == b"moov"), None)


def _header_number(
    file: BinaryIO, box: Chunk, short_at: int, long_at: int, long_code: str = ">I"
) -> int:
    """A number of a versioned header: 32 bits in version 0, at another place in version 1."""
    is_long = _at(file, box.body, 1) == b"\x01"
    code, at = (long_code, long_at) if is_long else (">I", short_at)
    data = _at(file, box.body + at, struct.calcsize(code))
    return int(struct.unpack(code, data)[0]) if len(data) == struct.calcsize(code) else 0


def _is_sound(file: BinaryIO, trak: Chunk) -> bool:
    return any(
        _at(file, hdlr.body + 8, 4) == b"soun" for hdlr in _path(file, trak, b"mdia", b"hdlr")
    )


def before_tags(file: BinaryIO, size: int) -> int:
    """Where the tags at the end of the file begin; `size` if there are none."""
    for _ in range(_MOST_TAGS):
        length = _tag_bytes(file, size)
        if not 0 < length < size:
            break
        size -= length
    return size


def _tag_bytes(file: BinaryIO, size: int) -> int:
    """The length of the tag that ends here: ID3v1, APE, Lyrics3 or ID3v2; 0 if there is none."""
    if size > 128 and _at(file, size - 128, 3) == b"TAG":
        return 128
    footer = _at(file, size - 32, 32) if size > 32 else b""
    if footer[:8] == b"APETAGEX":
        length, _, flags = struct.unpack_from("<III", footer, 12)
        return int(length + (32 if flags >> 31 else 0))
    if footer[-9:] == b"LYRICS200" and footer[-15:-9].isdigit():
        return int(footer[-15:-9]) + 15
    if footer[-10:-7] == b"3DI":
        return 20 + _syncsafe(footer[-4:])
    return 0


def _syncsafe(data: bytes) -> int:
    value = 0
    for byte in data:
        value = value << 7 | byte & 0x7F
    return value


def id3_bytes(file: BinaryIO) -> int:
    """The length of the ID3v2 tag at the beginning of the file."""
    head = _at(file, 0, 10)
    return 10 + _syncsafe(head[6:10]) if head[:3] == b"ID3" and len(head) == 10 else 0


def _at(file: BinaryIO, position: int, count: int) -> bytes:
    file.seek(position)
    return file.read(count)


def _asf_data_end(file: BinaryIO, size: int) -> int:
    """Where the data object ends, if something follows that is an index; else 0."""
    for chunk in chunks(file, 0, size, "asf"):
        if chunk.name == _ASF_DATA:
            follows = next(chunks(file, chunk.end, size, "asf"), None)
            return chunk.end if follows is not None or chunk.end == size else 0
    return 0


def _rest_of_media_data(file: BinaryIO, end: int, size: int) -> int:
    """Bytes that were not read behind `end`: in the media data around it, or up to the end.

    None of them is missed if an edit list leaves out something.
    """
    boxes = [box for box in chunks(file, 0, size, "mov") if box.end <= size]
    if any(_edits(file, moov) for moov in boxes if moov.name == b"moov"):
        return 0
    stop = next((box.end for box in boxes if box.name == b"mdat" and box.body <= end <= box.end), 0)
    if stop and _behind_tables(file, stop, size, "mov") == size:
        size = stop
    return 0 if _is_padding(file, end, size) else size - end


def _edits(file: BinaryIO, moov: Chunk) -> bool:
    """Whether an edit list leaves out more than the priming at the beginning."""
    scale = _header_number(file, _first(file, moov, b"mvhd"), 12, 20)
    for trak in _inside(file, moov, b"trak"):
        for elst in _path(file, trak, b"edts", b"elst"):
            count, length = struct.unpack(">II", _at(file, elst.body + 4, 8).ljust(8, b"\0"))
            for mdhd in _path(file, trak, b"mdia", b"mdhd"):
                rate = _header_number(file, mdhd, 12, 20)
                media = _header_number(file, mdhd, 16, 24, ">Q")
                if count > 1 or (rate and scale and media / rate - length / scale > 1):
                    return True
    return False


def _inside(file: BinaryIO, parent: Chunk, name: bytes, kind: str = "mov") -> list[Chunk]:
    return [child for child in chunks(file, parent.body, parent.end, kind) if child.name == name]


def _first(file: BinaryIO, parent: Chunk, name: bytes) -> Chunk:
    return next(iter(_inside(file, parent, name)), parent)


def _path(file: BinaryIO, parent: Chunk, *names: bytes, kind: str = "mov") -> Iterator[Chunk]:
    """All parts below the parent along these names."""
    if not names:
        yield parent
        return
    for child in _inside(file, parent, names[0], kind):
        yield from _path(file, child, *names[1:], kind=kind)


def _next_part(file: BinaryIO, end: int) -> int:
    """Where the first part of Matroska's segment begins behind the last block; `end` if none."""
    data = _at(file, end, 4096)
    found = [at for part in (*_EBML_PARTS, _CLUSTER) if len(part) == 4
             for at in [data.find(part)] if at >= 0]  # fmt: skip
    return end + min(found) if found else end


def _is_padding(file: BinaryIO, begin: int, end: int) -> bool:
    """Whether there are only zeros; a file that was given its length in advance ends so."""
    file.seek(begin)
    while begin < end:
        data = file.read(min(_ZEROS, end - begin))
        if not data or data.strip(b"\0"):
            return not data
        begin += len(data)
    return True


def mp3_frames(file: BinaryIO) -> int:
    """The number of frames that an MP3 says it has; 0 if it does not say."""
    head = _at(file, id3_bytes(file), 4096)
    for name, flag, at in ((b"Xing", 1, 8), (b"Info", 1, 8), (b"VBRI", 0, 14)):
        place = head.find(name)
        if 0 <= place <= len(head) - at - 4 and (not flag or head[place + 7] & flag):
            return int.from_bytes(head[place + at : place + at + 4], "big")
    return 0


# --- files that cannot be used -------------------------------------------------------------------

_ENCRYPTED_ENTRIES = {b"enca", b"drms", b"aavd"}  # Common Encryption, FairPlay, Audible
_ASF_ENCRYPTION = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),
    bytes.fromhex("338505438169e6499b74ad12cb86d58c"),
)
_SEGMENT, _TRACKS = b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b"
_TRACK_AUDIO = 2
_TS_PACKET, _TS_SYNC = 188, 0x47


def is_encrypted(file: BinaryIO, size: int, demuxer: str, number: int, stream_id: int) -> bool:
    """Whether an audio stream is encrypted: number `number` of the audio streams, from 0."""
    match demuxer:
        case "mov,mp4,m4a,3gp,3g2,mj2":
            entries = _sample_entries(file, size)
            return number < len(entries) and entries[number] in _ENCRYPTED_ENTRIES
        case "asf":
            header = next(chunks(file, 0, size, "asf"), None)
            length = min(header.end, 1 << 20) if header else 0
            return any(guid in _at(file, 0, length) for guid in _ASF_ENCRYPTION)
        case "matroska,webm":
            tracks = _audio_tracks(file, size)
            return number < len(tracks) and _is_encrypted_track(file, tracks[number])
        case "mpegts":
            return _is_scrambled_ts(_at(file, 0, _SCANNED), stream_id)
        case "mpeg":
            return _is_scrambled_ps(_at(file, 0, _SCANNED))
        case _:
            return False


def _sample_entries(file: BinaryIO, size: int) -> list[bytes]:
    """The kinds of the audio tracks' samples."""
    found = []
    moov = _movie(file, size)
    if moov is not None:
        for trak in (trak for trak in _inside(file, moov, b"trak") if _is_sound(file, trak)):
            stsd = next(_path(file, trak, b"mdia", b"minf", b"stbl", b"stsd"), None)
            found.append(_at(file, stsd.body + 12, 4) if stsd else b"")
    return found


def _audio_tracks(file: BinaryIO, size: int) -> list[Chunk]:
    """The entries of the audio tracks of a Matroska file."""
    segment = next((part for part in chunks(file, 0, size, "ebml") if part.name == _SEGMENT), None)
    for part in chunks(file, segment.body, segment.end, "ebml") if segment else ():
        if part.name == _TRACKS:
            entries = _inside(file, part, b"\xae", "ebml")
            return [track for track in entries if _is_audio_track(file, track)]
        if part.name == _CLUSTER:
            break
    return []


def _is_audio_track(file: BinaryIO, track: Chunk) -> bool:
    kinds = _inside(file, track, b"\x83", "ebml")
    return any(_at(file, kind.body, 1) == bytes([_TRACK_AUDIO]) for kind in kinds)


def _is_encrypted_track(file: BinaryIO, track: Chunk) -> bool:
    names = b"\x6d\x80", b"\x62\x40", b"\x50\x35"
    return any(True for _ in _path(file, track, *names, kind="ebml"))


def _is_scrambled_ts(data: bytes, pid: int) -> bool:
    """Whether most packets of this stream are scrambled."""
    step = 192 if len(data) > 388 and data[4] == data[196] == data[388] == _TS_SYNC else _TS_PACKET
    total = scrambled = 0
    for at in range(step - _TS_PACKET, len(data) - 3, step):
        if data[at] == _TS_SYNC and (data[at + 1] & 0x1F) << 8 | data[at + 2] == pid:
            total += 1
            scrambled += data[at + 3] >> 6 != 0
    return total > 0 and scrambled * 2 > total


def _is_scrambled_ps(data: bytes) -> bool:
    """Whether most audio packets of a program stream are scrambled, as on a DVD."""
    total = scrambled = at = 0
    while (at := data.find(b"\0\0\1", at)) >= 0 and at + 6 < len(data):
        code = data[at + 3]
        if (code == 0xBD or 0xC0 <= code <= 0xDF) and data[at + 6] >> 6 == 0b10:
            total += 1
            scrambled += data[at + 6] >> 4 & 3 != 0
        at += 4
    return total > 0 and scrambled * 2 > total


class Unreadable(Enum):
    """Why no demuxer opens a file."""

    NO_INDEX = auto()
    NO_LENGTH = auto()
    PART = auto()


def why_unreadable(file: BinaryIO, size: int) -> Unreadable | None:
    """What is wrong with a file that no demuxer opens; None if not known."""
    head = _at(file, 0, 16)
    names = {box.name for box in chunks(file, 0, size, "mov")} if head[4:8] in _MOV_STARTS else ()
    if names and b"moov" not in names:
        return Unreadable.PART if b"moof" in names else Unreadable.NO_INDEX
    if head[:4] in {b"FORM", b".snd", b"riff"} and _claims_nothing(file, head, size):
        return Unreadable.NO_LENGTH
    return None


_MOV_STARTS = frozenset({b"ftyp", b"mdat", b"wide", b"free", b"skip", b"moof", b"styp", b"sidx"})


def _claims_nothing(file: BinaryIO, head: bytes, size: int) -> bool:
    if head[:4] == b".snd":
        return _at(file, 8, 4) == bytes(4)
    if head[:4] == b"FORM":
        parts = chunks(file, 12, size, "iff")
        return head[4:8] == bytes(4) or any(p.name == b"SSND" and p.end <= p.body for p in parts)
    file.seek(16)
    data = file.read(4096)
    at = data.find(b"data\xf3\xac\xd3\x11")
    return data[:8] == bytes(8) or (at >= 0 and data[at + 16 : at + 24] == bytes(8))
