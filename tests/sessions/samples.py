"""Jobs, plans and windows to put into sessions."""

from datetime import datetime

from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Completed, Failed, Job, MediaInfo, Processing
from fwtui.core.segment import Segment, Word
from fwtui.core.session import FilePlan, SpeechChunk, WindowResult, WindowState

NOW = datetime(2025, 12, 14, 12, 34, 56)
LATER = datetime(2025, 12, 14, 12, 40, 1)


def job(number: int, name: str = "") -> Job:
    return Job(number, f"/audio/{name or number}.mp3")


def plan(name: str = "a") -> FilePlan:
    return FilePlan(
        fingerprint=name,
        text_hash="h",
        samples=160_000,
        loudest=1.5,
        language="en",
        language_probability=0.9,
        speech=(SpeechChunk(0, 100),),
        warnings=("damaged",),
    )


def segment(number: int, text: str = "") -> Segment:
    return Segment(
        id=number,
        seek=number * 3000,
        start=number * 30.0,
        end=number * 30.0 + 12.5,
        text=text or f" window {number} ünï",
        tokens=(1, 2, number),
        avg_logprob=-0.25,
        compression_ratio=1.1,
        no_speech_prob=0.01,
        words=(Word(0.0, 0.5, " one", 0.9),) if number % 2 else None,
        temperature=0.0,
    )


def window(number: int, segments: int = 1) -> WindowResult:
    """The window with this number, from 1."""
    return WindowResult(
        segments=tuple(segment(number) for _ in range(segments)),
        state=WindowState(seek=number * 3000, segments=number, prompt=(number,)),
        seconds=number * 30.0,
    )


def running() -> Processing:
    return Processing(NOW, preparing=False)


def completed(output: str = "/out/a.txt") -> Completed:
    return Completed(NOW, LATER, (output,), 10.0, 2.0, "en", 3, ("odd",))


def failed(title: str = "Out of memory") -> Failed:
    return Failed(LATER, Failure(FailureKind.OUT_OF_MEMORY, title), NOW)


def media() -> MediaInfo:
    return MediaInfo(10.0, "mp3", "mp3", 44_100, 2, size=1234)
