"""Structs to JSON that can always be read back, and checksummed lines."""

import math
import zlib
from typing import Any

import msgspec

_LARGEST = 1.7976931348623157e308

# What msgspec raises for untrusted bytes; deep nesting raises a RecursionError.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def encode_checked(value: object, decoder: msgspec.json.Decoder[Any]) -> bytes:
    """The JSON of `value`, checked to be readable by `decoder`.

    JSON has neither lone surrogates (from undecodable file names in error texts) nor NaN and
    infinities: the first are escaped as text, the others become 0 and the largest float.
    """
    try:
        data = msgspec.json.encode(value)
        decoder.decode(data)
    except (UnicodeEncodeError, msgspec.ValidationError):
        data = msgspec.json.encode(clean(msgspec.to_builtins(value)))
    return data


def clean(value: Any) -> Any:
    """A copy of JSON-like data that JSON can hold."""
    match value:
        case str():
            return value.encode(errors="backslashreplace").decode()
        case float() if not math.isfinite(value):
            return 0.0 if math.isnan(value) else math.copysign(_LARGEST, value)
        case dict():
            return {clean(key): clean(item) for key, item in value.items()}
        case list() | tuple():
            return [clean(item) for item in value]
        case _:
            return value


_OPEN, _MIDDLE, _CLOSE = b'["', b'",', b"]\n"
_BODY = len(_OPEN) + 8 + len(_MIDDLE)


def framed(body: bytes) -> bytes:
    """The line of a record."""
    return b"%b%08x%b%b%b" % (_OPEN, zlib.crc32(body), _MIDDLE, body, _CLOSE)


def unframed(line: bytes) -> bytes | None:
    """The record of a line, or None if the line is not intact."""
    body = line[_BODY : -len(_CLOSE)]
    frame = b"%b%08x%b" % (_OPEN, zlib.crc32(body), _MIDDLE)
    return body if line.endswith(_CLOSE) and line[:_BODY] == frame else None
