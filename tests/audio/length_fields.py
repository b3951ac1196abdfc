"""Where containers keep the length of their sound, to make them claim another one."""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

U32, U64 = 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF
# What recorders that crashed, counters that wrapped and copies that were cut leave behind.
CHANGES: dict[str, Callable[[int, int], int]] = {
    "half": lambda value, _: value // 2,
    "zero": lambda _, __: 0,
    "double": lambda value, _: value * 2,
    "wrapped": lambda value, _: value // 3,
    "endless": lambda _, largest: largest,
}


class Field(NamedTuple):
    """A number in a file: what it is, where it is, and how it is packed."""

    name: str
    at: int
    code: str

    @property
    def largest(self) -> int:
        return int(256 ** struct.calcsize(self.code)) - 1


def changed(data: bytes, field: Field, change: str) -> bytes:
    """The file with another number there."""
    made = bytearray(data)
    (value,) = struct.unpack_from(field.code, data, field.at)
    if isinstance(value, float):
        value = {"half": value / 2, "zero": 0.0, "double": value * 2, "wrapped": value / 3}.get(
            change, 1e12
        )
    else:
        value = min(CHANGES[change](value, field.largest), field.largest)
    struct.pack_into(field.code, made, field.at, value)
    return bytes(made)


def length_fields(data: bytes) -> Iterator[Field]:
    """The length fields of a file that `tests.audio.encoding` made."""
    for magic, fields in _KINDS.items():
        if magic in data[:16]:
            yield from fields(data)
            return


def _after(data: bytes, name: bytes, offset: int, code: str, label: str = "") -> Field:
    return Field(label or name.decode("latin-1"), data.index(name) + offset, code)


def _wav(data: bytes) -> Iterator[Field]:
    yield Field("RIFF", 4, "<I")
    yield _after(data, b"data", 4, "<I")


def _rf64(data: bytes) -> Iterator[Field]:
    yield _after(data, b"ds64", 8, "<Q", "ds64 riff")
    yield _after(data, b"ds64", 16, "<Q", "ds64 data")
    yield _after(data, b"ds64", 24, "<Q", "ds64 samples")


def _w64(data: bytes) -> Iterator[Field]:
    yield Field("riff", 16, "<Q")
    yield _after(data, b"data\xf3\xac\xd3\x11", 16, "<Q", "data")


def _aiff(data: bytes) -> Iterator[Field]:
    yield Field("FORM", 4, ">I")
    yield _after(data, b"COMM", 10, ">I")
    yield _after(data, b"SSND", 4, ">I")


def _au(_: bytes) -> Iterator[Field]:
    yield Field("size", 8, ">I")


def _caf(data: bytes) -> Iterator[Field]:
    yield _after(data, b"data", 4, ">Q")


def _flac(_: bytes) -> Iterator[Field]:
    yield Field("samples", 22, ">I")


def _mp4(data: bytes) -> Iterator[Field]:
    yield _after(data, b"mvhd", 20, ">I")
    yield _after(data, b"tkhd", 24, ">I")
    yield _after(data, b"mdhd", 20, ">I")
    yield _after(data, b"stts", 12, ">I", "stts count")
    yield _after(data, b"stts", 16, ">I", "stts duration")
    yield _after(data, b"stsz", 12, ">I", "stsz count")
    yield _after(data, b"mdat", -4, ">I")


def _matroska(data: bytes) -> Iterator[Field]:
    yield _after(data, b"\x44\x89\x88", 3, ">d", "duration")
    yield _after(data, b"\x18\x53\x80\x67", 5, ">I", "segment")  # the lower half of its 7 bytes


def _avi(data: bytes) -> Iterator[Field]:
    yield Field("RIFF", 4, "<I")
    yield _after(data, b"movi", -4, "<I")
    yield _after(data, b"avih", 24, "<I", "avih frames")
    yield _after(data, b"strh", 40, "<I", "strh length")


def _asf(data: bytes) -> Iterator[Field]:
    properties = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
    yield _after(data, properties, 40, "<Q", "file size")
    yield _after(data, properties, 56, "<Q", "packets")
    yield _after(data, properties, 64, "<Q", "play duration")
    yield _after(data, bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c"), 16, "<Q", "data object")


def _flv(data: bytes) -> Iterator[Field]:
    yield _after(data, b"duration\0", 9, ">d", "duration")


def _wavpack(_: bytes) -> Iterator[Field]:
    yield Field("samples", 12, "<I")


def _xing(data: bytes) -> Iterator[Field]:
    name = b"Xing" if b"Xing" in data[:4096] else b"Info"
    yield _after(data, name, 8, ">I", "frames")
    yield _after(data, name, 12, ">I", "bytes")


_KINDS: dict[bytes, Callable[[bytes], Iterator[Field]]] = {
    b"RIFF\0": _wav,
    b"AVI ": _avi,
    b"RF64": _rf64,
    b"WAVE": _wav,
    b"riff": _w64,
    b"FORM": _aiff,
    b".snd": _au,
    b"caff": _caf,
    b"fLaC": _flac,
    b"ftyp": _mp4,
    b"\x1a\x45\xdf\xa3": _matroska,
    bytes.fromhex("3026b2758e66cf11"): _asf,
    b"FLV": _flv,
    b"wvpk": _wavpack,
    b"ID3": _xing,
}
