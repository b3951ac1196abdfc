"""A Word document for reading: paragraphs with their start times.

python-docx is an optional dependency; it is imported when a document is written.
"""

import io
import re
from collections.abc import Iterator

from fwtui.config.validate import docx_missing
from fwtui.core.segment import AnyTranscript
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.layout import heading, paragraphs, running_text

# Characters that XML 1.0 cannot hold; compiled when used, because that takes 10 ms.
_ILLEGAL = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


def chunks(transcript: AnyTranscript, settings: OutputSettings) -> Iterator[bytes]:  # noqa: ARG001
    """The file's bytes. Raises UsageError when python-docx is not installed."""
    try:
        from docx import Document
    except ImportError as error:
        raise docx_missing() from error
    document = Document()
    for paragraph in paragraphs(transcript):
        written = document.add_paragraph()
        written.add_run(_legal(heading(paragraph))).bold = True
        written.add_run(f" {_legal(running_text(paragraph))}")
    file = io.BytesIO()
    document.save(file)
    yield file.getvalue()


def _legal(text: str) -> str:
    return re.sub(_ILLEGAL, chr(0xFFFD), text)
