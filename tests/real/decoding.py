"""Transcribe a recording with a real model, in this process, window by window."""

from functools import cache
from pathlib import Path

from fwtui.core.segment import Segment
from fwtui.core.session import FilePlan, WindowResult
from fwtui.core.settings import DecodingSettings, ModelSettings
from fwtui.engine.transcriber import Transcriber
from tests.engine.support import prepared_file
from tests.engine.test_batched import batches


@cache
def transcriber(folder: Path) -> Transcriber:
    """The model in this folder, loaded once."""
    return Transcriber(
        ModelSettings(model=str(folder), device="cpu", compute_type="int8", threads=2)
    )


def windows_of(
    folder: Path, media: Path, scratch: Path, decoding: DecodingSettings
) -> tuple[FilePlan, list[WindowResult]]:
    """The file's plan, and the results of all its windows or batches."""
    model = transcriber(folder)
    with prepared_file(model, media, scratch, decoding) as ready:
        plan = model.plan(ready)
        if decoding.batched:
            return plan, batches(model, ready, 4)
        return plan, list(model.windows(ready, plan))


def segments(results: list[WindowResult]) -> list[Segment]:
    """All segments."""
    return [segment for window in results for segment in window.segments]


def text(results: list[WindowResult]) -> str:
    """The whole text."""
    return "".join(segment.text for segment in segments(results))
