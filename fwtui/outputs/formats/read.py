"""Reads outputs back: the transcript of a file whose session no longer has its segments."""

import html
import json
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from fwtui.core.paths import path_to_text
from fwtui.core.scripts import is_east_asian
from fwtui.core.segment import Segment, Transcript
from fwtui.disk.files import read_regular

# The best first: json has everything, txt may not even have times.
_FORMATS = ("json", "srt", "vtt", "tsv", "txt")
_LARGEST = 64 << 20

_CUE = re.compile(r"([\d:]+[.,]\d{3}) --> ([\d:]+[.,]\d{3})")
_TIMED = re.compile(r"\[([\d:]+\.\d{3}) --> ([\d:]+\.\d{3})\] (.*)")
_SPEAKER = re.compile(r"\[([^\[\]]{1,80})\]: (.*)", re.DOTALL)
_UNDERLINE = re.compile("</?u>")


def read_transcript(outputs: Iterable[Path]) -> Transcript | None:
    """The transcript in the best of these files that can be read; None if none can.

    Times that a format does not have are NaN; other missing data is empty or 0.
    """
    known = [path for path in outputs if path.suffix[1:] in _FORMATS]
    for path in sorted(known, key=lambda path: _FORMATS.index(path.suffix[1:])):
        try:
            text = read_regular(path, _LARGEST).decode().replace("\r\n", "\n")
            found = _parsed(text, path.suffix[1:])
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            continue  # written by another program in the meantime; the next one may be ours
        return msgspec.structs.replace(found, source=path_to_text(path))
    return None


def _parsed(text: str, form: str) -> Transcript:
    match form:
        case "json":
            return _from_json(json.loads(text))
        case "tsv":
            rows = _from_tsv(text)
        case "txt":
            rows = _from_txt(text)
        case "vtt":
            rows = ((start, end, html.unescape(words)) for start, end, words in _from_cues(text))
        case _:
            rows = _from_cues(text)
    segments = [_segment(number, *row) for number, row in enumerate(rows)]
    return Transcript("", tuple(segments), segments[-1].end if segments else 0.0)


def _from_json(document: dict[str, Any]) -> Transcript:
    segments = msgspec.convert(document["segments"], tuple[Segment, ...])
    language = msgspec.convert(document["language"], str)
    return Transcript(language, segments, segments[-1].end if segments else 0.0)


Row = tuple[float, float, str]


def _from_cues(text: str) -> Iterator[Row]:
    """Subtitles; those that differ only in the underlined word are merged."""
    last: Row | None = None
    for block in re.split(r"\n\s*\n", text):
        lines = block.strip().split("\n")
        found = [(at, match) for at, line in enumerate(lines) if (match := _CUE.match(line))]
        if not found:
            continue
        at, times = found[0]
        words = _UNDERLINE.sub("", " ".join(lines[at + 1 :]))
        row = (_seconds(times[1]), _seconds(times[2]), words)
        if last is not None and last[2] == words and row[0] <= last[1]:
            last = (last[0], row[1], words)
            continue
        if last is not None:
            yield last
        last = row
    if last is not None:
        yield last


def _from_tsv(text: str) -> Iterator[Row]:
    for line in text.split("\n")[1:]:
        if line:
            start, end, words = line.split("\t", 2)
            yield int(start) / 1000, int(end) / 1000, words


def _from_txt(text: str) -> Iterator[Row]:
    for line in text.split("\n"):
        if timed := _TIMED.fullmatch(line):
            yield _seconds(timed[1]), _seconds(timed[2]), timed[3]
        elif line:
            yield math.nan, math.nan, line


def _seconds(stamp: str) -> float:
    seconds = 0.0
    for part in stamp.replace(",", ".").split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def _segment(number: int, start: float, end: float, text: str) -> Segment:
    speaker, text = found.groups() if (found := _SPEAKER.fullmatch(text)) else (None, text)
    spaced = text if is_east_asian(text[:1]) else f" {text}"
    return Segment(number, 0, start, end, spaced, (), 0.0, 0.0, 0.0, speaker=speaker)
