"""Makes tests/data/writers with whisper-ctranslate2's own writers.

Needs the package whisper-ctranslate2 0.5.8 importable, then, in the repository's root:
    python -m tests.outputs.make_goldens
"""

import io
from pathlib import Path
from typing import Any

import msgspec
from whisper_ctranslate2.writers import get_writer  # type: ignore[import-not-found]

from fwtui.core.segment import Transcript
from tests.outputs.cases import CASES, OPTIONS, golden_names

FOLDER = Path(__file__).parent.parent / "data" / "writers"


def as_whisper_result(transcript: Transcript) -> dict[str, Any]:
    """What whisper-ctranslate2's `Transcribe.inference` returns for the same segments."""
    segments = []
    for segment in transcript.segments:
        plain = msgspec.structs.asdict(segment)
        if segment.words is not None:
            plain["words"] = [msgspec.structs.asdict(word) for word in segment.words]
        segments.append(plain)
    return {"text": transcript.text, "segments": segments, "language": transcript.language}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for case, options, name in golden_names():
        stream = io.StringIO()
        result = as_whisper_result(CASES[case])
        get_writer(name, "").write_result(result, stream, msgspec.structs.asdict(OPTIONS[options]))
        (FOLDER / f"{case}.{options}.{name}").write_bytes(stream.getvalue().encode())


if __name__ == "__main__":
    main()
