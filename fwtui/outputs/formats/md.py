"""Markdown for reading: paragraphs with their start times."""

import re
from collections.abc import Iterator

from fwtui.core.segment import AnyTranscript
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.layout import encoded, heading, paragraphs, running_text

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~]|&(?=#?\w+;))")


def chunks(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[bytes]:  # noqa: ARG001
    """The file's bytes, one paragraph at a time."""
    for number, paragraph in enumerate(paragraphs(transcript)):
        text = _MARKUP.sub(r"\\\1", running_text(paragraph))
        break_before = "\n" if number else ""
        begin = _MARKUP.sub(r"\\\1", heading(paragraph))
        yield encoded(f"{break_before}**{begin}** {text}\n")
