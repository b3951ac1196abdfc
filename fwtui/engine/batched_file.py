"""A file in batched mode: its chunks, their features, and its progress."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import pairwise

from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import Segment as WhisperSegment
from msgspec.structs import replace

from fwtui.audio.signal import FloatArray
from fwtui.audio.wav import SAMPLE_RATE
from fwtui.core.finding import Finding
from fwtui.core.job import JobId
from fwtui.core.segment import Segment
from fwtui.core.session import FilePlan, Spoken, WindowResult, WindowState
from fwtui.core.settings import DecodingSettings
from fwtui.engine.context import Context
from fwtui.engine.convert import FileClock, convert, of_channel, spoken_in
from fwtui.engine.inside import LEAST, inside
from fwtui.engine.prepare import PreparedFile, chunk_features
from fwtui.engine.transcriber import Transcriber
from fwtui.engine.unspoken import speech_check


class BatchedFile:
    """A prepared file that is transcribed in batches: one of its channels, if each has its turn.

    `state`: its progress; `plan`, `tokenizer` and `context`: set once its language is known;
    `listens`: the language of every chunk is reported.
    """

    def __init__(
        self, transcriber: Transcriber, prepared: PreparedFile, whole: FilePlan | None = None
    ) -> None:
        """`whole`: the file's plan, if its channels have their turns.

        Raises UsageError: the model does not know the file's language.
        """
        self.prepared = prepared
        self.whole = whole
        known = prepared.resume.state if prepared.resume else None
        self._open(transcriber, known, known.channel if known else 0)

    def _open(
        self, transcriber: Transcriber, known: WindowState | None, channel: int, counted: int = 0
    ) -> None:
        """Begin or resume a channel; `counted`: the segments of those before it."""
        prepared = self._own = self.prepared.of_channel(channel)
        assert prepared.chunks is not None
        self.decoding: DecodingSettings = prepared.request.decoding
        self.plan: FilePlan | None = None
        self.tokenizer: Tokenizer
        self.context: Context
        self.listens = prepared.request.quality.check_languages
        self._check = speech_check(prepared)
        self._transcriber = transcriber
        self._chunks = prepared.chunks
        self._features: dict[int, Future[FloatArray]] = {}
        self.state = known or self._at(WindowState(segments=counted, channel=channel), 0)
        language = transcriber.known_language(self.decoding, prepared.tagged_language)
        if self.whole is not None:
            self._set_plan(self.whole.of_channel(channel))
        elif prepared.resume is not None:
            self._set_plan(prepared.resume.plan)
        elif language is not None or not self._chunks:
            self.set_language(language or "en")
        if prepared.first is not None:
            index, found = prepared.first
            self._features[index] = Future()
            self._features[index].set_result(found)

    @property
    def job(self) -> JobId:
        """The job's id."""
        return self.prepared.request.job

    @property
    def left(self) -> int:
        """Chunks still to do."""
        return len(self._chunks) - self.state.clip

    def set_language(self, language: str) -> None:
        """Set the file's language."""
        warnings = self._transcriber.context(self.decoding, language).warnings
        self._set_plan(self._own.plan(language, warnings))

    def _set_plan(self, plan: FilePlan) -> None:
        self.plan = plan
        self.context = self._transcriber.context(self.decoding, plan.language)
        self.tokenizer = self._transcriber.tokenizer(self.decoding, plan.language)

    def _at(self, state: WindowState, index: int) -> WindowState:
        """The state before chunk `index`."""
        seek = int(self.offset(index) * self._transcriber.model.frames_per_second)
        return replace(state, clip=index, seek=seek, done=index == len(self._chunks))

    def offset(self, index: int) -> float:
        """The start of a chunk, in seconds of the joined speech."""
        return self._chunks[index - 1] / SAMPLE_RATE if index else 0.0

    def duration(self, index: int) -> float:
        """Length of a chunk in seconds."""
        begin = self._chunks[index - 1] if index else 0
        return (self._chunks[index] - begin) / SAMPLE_RATE

    def compute_ahead(self, executor: Executor, indexes: Iterable[int]) -> None:
        """Compute features in the executor, before they are needed."""
        for index in indexes:
            if index not in self._features:
                self._features[index] = executor.submit(self._compute, index)

    def features(self, index: int) -> FloatArray:
        """A chunk's features, padded to the length of the encoder's input. Raises OSError."""
        ahead = self._features.pop(index, None)
        found = self._compute(index) if ahead is None else ahead.result()
        padded: FloatArray = pad_or_trim(found)
        return padded

    def _compute(self, index: int) -> FloatArray:
        extractor = self._transcriber.model.feature_extractor
        return chunk_features(self._own.source, self._chunks, index, extractor)

    def empty_result(self) -> WindowResult:
        """The result of a file without chunks, or of channels without any."""
        return self._advance((), 0)

    @property
    def file_plan(self) -> FilePlan:
        """The plan of the whole file."""
        assert self.plan is not None
        return self.whole or self.plan

    def skip(self) -> WindowResult:
        """Skip the next chunk."""
        return self._advance((), 1, skipped=True)

    def advance(
        self,
        found: Sequence[WhisperSegment],
        chunks: int,
        last_speech: float,
        languages: Sequence[tuple[str, float]] = (),
        findings: Sequence[Finding] = (),
    ) -> WindowResult:
        """Record the segments found in the next `chunks`; returns the result.

        `last_speech`: when speech was last heard (seconds); `languages`: those of the chunks
        (code and probability), if known; `findings` in seconds of the joined speech.
        """
        self.state = replace(
            self.state, segments=self.state.segments + len(found), last_speech=last_speech
        )
        languages = languages if self.listens or self.decoding.multilingual else ()
        return self._advance(found, chunks, languages=languages, findings=findings)

    def _inside(
        self, clock: FileClock, found: Sequence[WhisperSegment], chunks: Iterable[int]
    ) -> tuple[Segment, ...]:
        """The segments of these chunks in the file's time, each inside its chunk."""
        waiting = [convert(segment) for segment in clock.in_file_time(list(found))]
        begins = [segment.seek / self._transcriber.model.frames_per_second for segment in found]
        segments: list[Segment] = []
        for index in chunks:
            stop = self.offset(index) + self.duration(index)
            count = sum(begin < stop - LEAST for begin in begins)
            begins = begins[count:]
            bounds = clock.bounds(self.offset(index), stop)
            segments += inside(waiting[:count], *bounds, self.state.ended)
            waiting = waiting[count:]
            if segments:
                self.state = replace(self.state, ended=segments[-1].end)
        return tuple(segments)

    def _advance(
        self,
        found: Sequence[WhisperSegment],
        chunks: int,
        *,
        skipped: bool = False,
        languages: Sequence[tuple[str, float]] = (),
        findings: Sequence[Finding] = (),
    ) -> WindowResult:
        assert self.plan is not None
        clock = FileClock(self.plan)
        first = self.state.clip
        points = [clock.position(self.state)]
        for index in range(self.state.clip + 1, self.state.clip + chunks + 1):
            self.state = self._at(self.state, index)
            points.append(clock.position(self.state))
        segments = self._inside(clock, found, range(first, first + chunks))
        spoken: list[Spoken] = []
        for language, (begin, end) in zip(languages, pairwise(points), strict=False):
            inside = [one for one in segments if begin <= (one.start + one.end) / 2 < end]
            spoken += spoken_in(language, begin, end, inside)
        found_in = clock.findings(findings) + (
            self._check.findings(segments) if self._check else ()
        )
        return self._of_file(
            WindowResult(segments, self.state, points[-1], skipped, tuple(spoken), found_in)
        )

    def _of_file(self, result: WindowResult) -> WindowResult:
        """The result in the whole file, whose next channel follows when this one is done."""
        if self.whole is None:
            return result
        channel = self.state.channel
        result = of_channel(result, self.whole, channel)
        channels = self.prepared.channels
        if result.state.done:
            following = [n for n in range(channel + 1, len(channels)) if channels[n].chunks]
            if following:
                self._open(self._transcriber, None, following[0], self.state.segments)
        return replace(result, state=self.state)


@dataclass
class Part:
    """A file's part of a batch: its next `count` chunks, with their features."""

    file: BatchedFile
    count: int
    features: list[FloatArray]

    @classmethod
    def of(cls, file: BatchedFile, count: int) -> "Part":
        """The next `count` chunks. Raises OSError if the scratch WAV cannot be read."""
        first = file.state.clip
        return cls(file, count, [file.features(index) for index in range(first, first + count)])
