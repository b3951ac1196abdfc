"""Outputs of long files are streamed from the journal: the same bytes, in bounded memory."""

import tracemalloc
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui.batch.file_run import FileRun
from fwtui.batch.finish import complete
from fwtui.batch.quality import check_transcript
from fwtui.batch.retry import ladder
from fwtui.batch.state import BatchState
from fwtui.core.job import Completed
from fwtui.core.segment import Segment, Transcript, TranscriptStream, Word
from fwtui.core.session import Spoken, WindowResult, WindowState
from fwtui.core.settings import DecodingSettings, OutputSettings, QualitySettings, Settings
from fwtui.outputs.formats.edit import edited
from fwtui.outputs.formats.registry import FORMATS, render
from fwtui.sessions import store as stores
from fwtui.sessions.store import SessionStore
from tests.outputs.cases import CASES, OPTIONS
from tests.sessions.samples import plan

TEXT_FORMATS = tuple(name for name in FORMATS if name != "docx")


def window(number: int, segments: int = 8, words: int = 12) -> WindowResult:
    """Window `number` (from 0) of 30 s: spoken text with word times, that repeats now and then."""
    found = []
    for place in range(segments):
        at = number * 30.0 + place * 3
        said = tuple(
            Word(at + i * 0.2, at + i * 0.2 + 0.2, f" word{(number + i * place) % 5000}", 0.9)
            for i in range(words)
        )
        if number % 40 < 5:
            said = tuple(Word(word.start, word.end, " na", 0.4) for word in said)
        text = "".join(word.word for word in said) + ("." if place % 3 else " ?")
        found.append(
            Segment(
                number * segments + place + 1, number * 3000, at, at + 2.8, text,
                tuple(range(50364, 50364 + words)), -0.3 - (number % 50 == 0), 1.5, 0.01, said, 0.0,
            )
        )  # fmt: skip
    state = WindowState(seek=number * 3000, segments=(number + 1) * segments, prompt=(1,))
    spoken = (Spoken(number * 30.0, number * 30.0 + 30, "fr" if number % 2 else "en", 0.95),)
    return WindowResult(tuple(found), state, number * 30.0 + 30, spoken=spoken)


async def transcribed(root: Path, settings: Settings, windows: int) -> tuple[Completed, int]:
    """The end of a file with so many windows, and the peak of memory meanwhile, in bytes."""
    recording = root / "talk.wav"
    recording.write_bytes(b"sound")
    (root / "sessions").mkdir()
    store = SessionStore.create(root / "sessions", settings, datetime(2026, 1, 1))
    state = BatchState(store)
    await state.add([recording], [])
    (job,) = state.queue
    long = replace(plan(), samples=windows * 30 * 16_000, speech=None, warnings=())
    store.begin_file(job.id, long)
    for number in range(windows):
        store.add_window(job.id, window(number))
    run = FileRun(job.id, settings, ladder(settings, "cpu"), 0, datetime(2026, 1, 1), plan=long)
    tracemalloc.start()
    try:
        done = await complete(state, job, run)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        store.close()
    assert isinstance(done, Completed), done
    return done, peak


def settings_in(root: Path, multilingual: bool = False, **output: object) -> Settings:
    out = OutputSettings(output_dir=str(root / "out"), **output)  # type: ignore[arg-type]
    decoding = DecodingSettings(word_timestamps=True, multilingual=multilingual)
    return Settings(output=out, decoding=decoding, quality=QualitySettings(check_languages=True))


@pytest.mark.parametrize(
    "output",
    [
        {},
        {"tidy_text": True, "join_sentences": True, "max_line_width": 30, "max_line_count": 2},
        {"highlight_words": True, "pretty_json": True, "min_gap_ms": 80},
        {"more_formats": "lrc,ass,csv,md", "multilingual": True, "tidy_text": True},
    ],
)
async def test_the_bytes_are_the_same(
    output: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = []
    for name, most in (("memory", 1000), ("stream", 3)):
        root = tmp_path / name
        root.mkdir()
        monkeypatch.setattr(stores, "_WINDOWS_IN_MEMORY", most)
        monkeypatch.setattr(stores, "_WINDOWS_AT_ONCE", 4)
        done, _ = await transcribed(root, settings_in(root, **output), 25)  # type: ignore[arg-type]
        files = {path.name: path.read_bytes() for path in (root / "out").iterdir()}
        results.append((files, done.findings, done.segments, done.warnings))
    assert results[0] == results[1]
    assert results[0][1]
    assert results[0][2] == 25 * 8


async def test_memory_does_not_grow_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "_WINDOWS_IN_MEMORY", 10)
    monkeypatch.setattr(stores, "_WINDOWS_AT_ONCE", 8)
    peaks = []
    for windows in (30, 110):
        root = tmp_path / str(windows)
        root.mkdir()
        _, peak = await transcribed(root, settings_in(root), windows)
        peaks.append(peak)
    # In memory a window takes 30 kB: 8 segments with 12 words.
    assert (peaks[1] - peaks[0]) / 80 < 3000


@pytest.mark.parametrize("case", CASES)
def test_every_format_can_be_streamed(case: str) -> None:
    transcript = CASES[case]
    stream = TranscriptStream(transcript.language, transcript.segments, transcript.duration)
    for output in (*OPTIONS.values(), OutputSettings(tidy_text=True, join_sentences=True)):
        for name in TEXT_FORMATS:
            whole = b"".join(render(edited(transcript, output), name, output))
            assert b"".join(render(edited(stream, output), name, output)) == whole


def test_findings_of_a_stream_are_those_of_the_whole() -> None:
    whole = Transcript("en", tuple(s for number in range(60) for s in window(number).segments))
    stream = TranscriptStream("en", whole.segments)
    found = [
        check_transcript(one, plan(), (), DecodingSettings(), QualitySettings())
        for one in (whole, stream)
    ]
    assert found[0] == found[1]
    assert found[0]
