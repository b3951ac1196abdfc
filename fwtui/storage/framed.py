"""A line of JSON with its checksum: `["<crc32 of the record, 8 hex digits>",{record}]`."""

import zlib

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
