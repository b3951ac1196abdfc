"""JSON with all data, byte for byte as whisper writes it with Python's `json`.

msgspec's encoder is faster but writes other bytes (no spaces, other floats, no NaN).
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from fwtui.core.segment import AnyTranscript, Segment
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.layout import encoded


def chunks(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[bytes]:
    """The file's bytes, one segment at a time."""
    parts = _pretty(transcript) if settings.pretty_json else _compact(transcript)
    return map(encoded, parts)


def _compact(transcript: AnyTranscript) -> Iterator[str]:
    yield '{"text": "'
    for segment in transcript.segments:
        yield json.dumps(segment.text)[1:-1]
    yield '", "segments": ['
    for i, segment in enumerate(transcript.segments):
        yield (", " if i else "") + json.dumps(_plain(segment))
    yield f'], "language": {json.dumps(transcript.language)}}}'


def _pretty(transcript: AnyTranscript) -> Iterator[str]:
    """Indented by 4, without escapes in the text."""
    yield '{\n    "text": "'
    for segment in transcript.segments:
        yield json.dumps(segment.text, ensure_ascii=False)[1:-1]
    yield '",\n    "segments": ['
    is_first = True
    for segment in transcript.segments:
        lines = json.dumps(_plain(segment), indent=4, ensure_ascii=False)
        # Not textwrap.indent: a text may contain separators that Python treats as line ends.
        yield ("\n        " if is_first else ",\n        ") + lines.replace("\n", "\n        ")
        is_first = False
    language = json.dumps(transcript.language, ensure_ascii=False)
    end = "]" if is_first else "\n    ]"
    yield f'{end},\n    "language": {language}\n}}'


def _plain(segment: Segment) -> dict[str, Any]:
    """The segment as whisper-ctranslate2 passes it to `json`: its fields in their order.

    Then its language, if it has one of its own, its channel (from 0), if it was transcribed by
    itself, and its speaker, if that is known.
    """
    plain = msgspec.structs.asdict(segment)
    if segment.words is not None:
        plain["words"] = [
            _without(msgspec.structs.asdict(word), "speaker") for word in segment.words
        ]
    plain["speaker"] = plain.pop("speaker")  # the last key
    return _without(plain, "language", "channel", "speaker")


def _without(plain: dict[str, Any], *names: str) -> dict[str, Any]:
    """The fields without those of these names that are not known."""
    for name in names:
        if plain[name] is None:
            del plain[name]
    return plain
