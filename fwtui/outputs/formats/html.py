"""A web page for reading: paragraphs with their start times. One file, without scripts."""

import html
import re
from collections.abc import Iterator

from fwtui.core.segment import AnyTranscript
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.layout import encoded, heading, paragraphs, running_text

_HEAD = """\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ max-width: 42em; margin: 2em auto; padding: 0 1em; font: 1em/1.5 sans-serif; }}
</style>
</head>
<body>
"""
_END = "</body>\n</html>\n"
# Control characters, which no page may hold.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


def chunks(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[bytes]:  # noqa: ARG001
    """The file's bytes, one paragraph at a time."""
    title = _escaped(transcript.recording) or "Transcript"
    yield encoded(_HEAD.format(language=_escaped(transcript.language), title=title))
    for paragraph in paragraphs(transcript):
        begin, text = _escaped(heading(paragraph)), _escaped(running_text(paragraph))
        yield encoded(f'<p dir="auto"><b>{begin}</b> {text}</p>\n')
    yield encoded(_END)


def _escaped(text: str) -> str:
    return html.escape(_ILLEGAL.sub("\ufffd", text))
