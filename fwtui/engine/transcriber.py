"""Transcriber: loads a model from its folder, and transcribes prepared files with it.

For any thread or process. Nothing is downloaded here: see `fwtui.models`.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import ctranslate2
from faster_whisper import WhisperModel
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import Tokenizer
from msgspec.structs import replace

from fwtui.audio.wav import SAMPLE_RATE
from fwtui.core.decoding import clip_points
from fwtui.core.session import FilePlan, WindowResult, WindowState
from fwtui.core.settings import DecodingSettings, ModelSettings
from fwtui.engine.classify import classify_text
from fwtui.engine.context import Context
from fwtui.engine.convert import FileClock, convert, of_channel, spoken_in, transcription_options
from fwtui.engine.encode import WindowEncoder
from fwtui.engine.inside import inside
from fwtui.engine.prepare import PreparedFile
from fwtui.engine.unspoken import speech_check
from fwtui.engine.windows import WindowLoop
from fwtui.errors import FwtuiError, ModelError, UsageError
from fwtui.memory.pages import small_pages
from fwtui.models.cache import locate
from fwtui.models.capabilities import input_mels, mend_hint, unsupported_compute_type

SURE_LANGUAGE = 0.8


class Transcriber:
    """Loads the model once, and transcribes prepared files window by window."""

    def __init__(self, settings: ModelSettings, folder: Path | None = None) -> None:
        """`folder`: the model's, if already known. Raises as `load_model`."""
        self.model: WhisperModel
        self.model, self.load_seconds = load_model(settings, folder)
        self.encoder = WindowEncoder(self.model)

    @property
    def device(self) -> str:
        """The device the model runs on: cpu or cuda."""
        return str(self.model.model.device)

    @property
    def compute_type(self) -> str:
        """The compute type in effect, after `auto` and `default` were resolved."""
        return str(self.model.model.compute_type)

    def plan(self, prepared: PreparedFile) -> FilePlan:
        """The complete plan of the file; detects the language if it is neither set nor known.

        Raises:
            UsageError: the model does not know the language.

        """
        if prepared.resume is not None:
            return prepared.resume.plan
        if prepared.channels:
            return prepared.plan_of_channels(list(map(self.plan, prepared.channels)))
        decoding = prepared.request.decoding
        language = self.known_language(decoding, prepared.tagged_language)
        language = language or self._detected(prepared)
        return prepared.plan(language, self.context(decoding, language).warnings)

    def context(self, decoding: DecodingSettings, language: str) -> Context:
        """What the prompts of a file may hold."""
        tokenizer = self.tokenizer(decoding, language)
        return Context(self.model, tokenizer, transcription_options(decoding, tokenizer))

    def known_language(self, decoding: DecodingSettings, tagged: str = "") -> str | None:
        """The language, if it need not be detected: the user's, or the `tagged` one.

        Raises:
            UsageError: the model does not know the language.

        """
        wanted = decoding.language
        if not self.model.model.is_multilingual:
            return "en"
        if wanted is None:
            return tagged if tagged and self._knows(tagged) else None
        if not self._knows(wanted):
            raise UsageError(
                f"The model does not know the language {wanted}",
                "choose another with --language, or omit it to detect the language",
            )
        return wanted

    def _knows(self, language: str) -> bool:
        return self.model.hf_tokenizer.token_to_id(f"<|{language}|>") is not None

    def tokenizer(self, decoding: DecodingSettings, language: str) -> Tokenizer:
        """The tokenizer for a task in a language."""
        return Tokenizer(
            self.model.hf_tokenizer,
            self.model.model.is_multilingual,
            task=decoding.task,
            language=language,
        )

    def _detected(self, prepared: PreparedFile) -> str:
        features = prepared.features
        if features.shape[-1] == 0:
            return "en"
        decoding = prepared.request.decoding
        clips = clip_points(decoding.clip_timestamps)
        window: int = self.model.feature_extractor.nb_max_frames
        frame = int((clips or (0.0,))[0] * self.model.frames_per_second)
        sound = int(prepared.sound / SAMPLE_RATE * self.model.frames_per_second)
        if sound > frame + window // 2:
            frame = sound
        seek = frame if frame < features.shape[-1] - 1 else 0
        if decoding.language_detection_segments == 1 and not clips:
            stop = min(seek + window, features.shape[-1] - 1)  # the window's own frames
            encoded = self.encoder.encode_and_keep(features, seek, stop)
            token, probability = self.model.model.detect_language(encoded)[0][0]
            # faster-whisper looks at one frame more of a short file; only a doubt could change.
            if stop == seek + window or probability >= SURE_LANGUAGE:
                return str(token[2:-2])
        frames = decoding.language_detection_segments * window
        language, _, _ = self.model.detect_language(
            features=features[..., seek : seek + frames],
            language_detection_segments=decoding.language_detection_segments,
            language_detection_threshold=decoding.language_detection_threshold,
        )
        return str(language)

    def windows(
        self, prepared: PreparedFile, plan: FilePlan, *, skip_first: bool = False
    ) -> Iterator[WindowResult]:
        """Transcribe from the beginning or the resume point; yields one result per window.

        `skip_first`: skip the first window, which its result says.
        """
        known = prepared.resume.state if prepared.resume else None
        windows = _Windows(self, prepared, plan, known.channel if known else 0)
        state = known or windows.begin(WindowState())
        if state.done and known is None:
            yield WindowResult((), state, plan.duration)
        if skip_first and not state.done:
            result = windows.skip(state)
            state = result.state
            yield result
        while not state.done:
            if state.channel != windows.channel:
                windows = _Windows(self, prepared, plan, state.channel)
            result = windows.step(state)
            state = result.state
            yield result


class _Windows:
    """The windows of one channel of a file, or of the only one."""

    def __init__(
        self, transcriber: Transcriber, prepared: PreparedFile, plan: FilePlan, channel: int
    ) -> None:
        self.channel = channel
        self._transcriber = transcriber
        self._prepared = prepared
        self._plan = plan
        own, file = plan.of_channel(channel), prepared.of_channel(channel)
        decoding = file.request.decoding
        model = transcriber.model
        tokenizer = transcriber.tokenizer(decoding, own.language)
        options = transcription_options(decoding, tokenizer)
        options.multilingual = decoding.multilingual and model.model.is_multilingual
        listens = file.request.quality.check_languages and model.model.is_multilingual
        self._loop = WindowLoop(
            model, file.features, tokenizer, options, listens=listens, encoder=transcriber.encoder
        )
        self._clock, self._check = FileClock(own), speech_check(file)

    def begin(self, before: WindowState) -> WindowState:
        """The state before the first window of this channel, or of the next that has any."""
        state = replace(self._loop.begin(), segments=before.segments, channel=self.channel)
        return self._following(state) if state.done else state

    def skip(self, state: WindowState) -> WindowResult:
        """The result of skipping the window at `state`."""
        after = self._loop.skip(state)
        return self._result(WindowResult((), after, self._clock.position(after), skipped=True))

    def step(self, state: WindowState) -> WindowResult:
        """Transcribe the window at `state`."""
        loop, clock = self._loop, self._clock
        begin, ended = clock.position(state), state.ended
        bounds = clock.bounds(*loop.bounds(state))
        found, after = loop.step(state)
        segments = tuple(convert(segment) for segment in clock.in_file_time(found))
        segments = inside(segments, *bounds, ended)
        if segments:
            after = replace(after, ended=segments[-1].end)
        unspoken = self._check.findings(segments) if self._check else ()
        return self._result(
            WindowResult(
                segments,
                after,
                clock.position(after),
                spoken=spoken_in(loop.spoken, begin, clock.position(after), segments),
                findings=(*clock.findings(loop.findings), *unspoken),
                silent=loop.silent,
            )
        )

    def _result(self, result: WindowResult) -> WindowResult:
        """The result in the whole file, whose next channel follows when this one is done."""
        found = of_channel(result, self._plan, self.channel)
        return replace(found, state=self._following(found.state)) if found.state.done else found

    def _following(self, state: WindowState) -> WindowState:
        """The state after the channel: at the first window of the next one, if there is one."""
        following = self.channel + 1
        if following >= len(self._plan.channels):
            return state
        return _Windows(self._transcriber, self._prepared, self._plan, following).begin(state)


def feature_extractor(folder: Path) -> FeatureExtractor:
    """The feature extractor of the model in this folder, without loading the model.

    With as many mel bands as the weights need: `preprocessor_config.json` may be missing.
    """
    return FeatureExtractor(feature_size=input_mels(folder))


def load_model(settings: ModelSettings, folder: Path | None = None) -> tuple[WhisperModel, float]:
    """Load the model; returns it and the seconds that took. `folder`: if it is already known.

    Raises:
        UsageError: the device does not support the compute type.
        ModelError: see `locate`; or its files cannot be read.
        RuntimeError, MemoryError: out of memory, no GPU.

    """
    began = time.monotonic()
    where = folder or locate(settings)
    try:
        # MKL packs each weight into a buffer that is mostly empty if the model is small.
        with small_pages():
            model = WhisperModel(
                str(where),
                device=settings.device,
                device_index=_device_index(settings),
                compute_type=settings.compute_type,
                cpu_threads=settings.threads,
            )
    except MemoryError:
        raise
    except Exception as error:
        raise _not_loaded(error, settings, where) from error
    mels = int(getattr(model.model, "n_mels", 0)) or input_mels(where)
    model.feature_extractor = FeatureExtractor(feature_size=mels)
    return model, time.monotonic() - began


def _device_index(settings: ModelSettings) -> int:
    """The number of the GPU; CTranslate2 knows one CPU only."""
    on_cpu = settings.device == "cpu"
    if on_cpu or (settings.device == "auto" and not ctranslate2.get_cuda_device_count()):
        return 0
    return settings.device_indexes[0]


def _not_loaded(error: Exception, settings: ModelSettings, folder: Path) -> Exception:
    """The error that says why a model cannot be loaded: its files, unless the text is known."""
    if isinstance(error, OSError | FwtuiError) or classify_text(str(error)) is not None:
        return error
    on_gpu = ctranslate2.get_cuda_device_count() and settings.device != "cpu"
    types = ctranslate2.get_supported_compute_types("cuda" if on_gpu else "cpu")
    if settings.compute_type not in {"default", "auto", *types}:
        return unsupported_compute_type(settings.compute_type, types, on_gpu=bool(on_gpu))
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return ModelError(
        f"The model {settings.model} cannot be loaded: {lines[0][:200]}",
        mend_hint(folder, settings),
        setting="model.model",
    )
