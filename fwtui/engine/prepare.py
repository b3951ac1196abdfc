"""Prepares a file for the model: probe, decode into the scratch WAV, detect speech.

Runs in the engine's prepare thread, while the model works on the previous file.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from pathlib import Path

from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.vad import VadOptions
from msgspec.structs import replace

from fwtui.audio.channel_turns import active_channels, leaks, spans
from fwtui.audio.decode import Decoded, DecodeOptions, decode_to_wav
from fwtui.audio.features import LazyFeatures
from fwtui.audio.identity import Identity, difference
from fwtui.audio.loudness import FRAME_SAMPLES, ChannelLevels
from fwtui.audio.media import fingerprint, probe
from fwtui.audio.signal import FloatArray, Muted, Pcm, SampleSource, SpeechView, is_silent
from fwtui.audio.speech import find_speech, first_sound
from fwtui.audio.tracks import TrackChoice
from fwtui.audio.wav import SAMPLE_RATE
from fwtui.core.decoding import clip_points, clips_past_end
from fwtui.core.job import MediaInfo
from fwtui.core.paths import text_to_path
from fwtui.core.session import ChannelPlan, FilePlan, ResumePoint, SpeechChunk
from fwtui.core.settings import DecodingSettings
from fwtui.core.text import display_name
from fwtui.engine.chunks import LANGUAGE_PAUSE, chunk_ends, clip_ranges, cut
from fwtui.engine.protocol import Transcribe
from fwtui.errors import InputChangedError, MediaError

# A file that changes while it is read is read a second time; one that is still growing fails.
READINGS = 2
# Around the sound of a channel, and the pauses that stay in it, as with VAD (samples).
_AROUND, _PAUSE = int(0.4 * SAMPLE_RATE), 2 * SAMPLE_RATE


@dataclass(frozen=True)
class PreparedFile:
    """A file whose audio is in the scratch WAV, and what is known about it.

    `source`: the part of the audio to transcribe. `chunks` and `first` (index and features of the
    first chunk) are for batched mode; `sound` is the sample from which on to detect the language in
    sequential mode. `resume` is the request's, if still valid; otherwise
    `restarted` says why not. `signal`: the audio with the pauses. `channels`: as `source` and what
    belongs to it, the channels to be transcribed one after the other, if they are; the file's own
    are then those of the first. `active`: where a channel is loud enough for somebody to speak.
    `levels`: how loud the channels are, if that was asked for.
    """

    request: Transcribe
    media: MediaInfo
    pcm: Pcm
    signal: SampleSource
    source: SampleSource
    features: LazyFeatures
    fingerprint: str
    samples: int
    loudest: float
    speech: tuple[SpeechChunk, ...] | None
    warnings: tuple[str, ...]
    resume: ResumePoint | None
    restarted: str
    digest: str = ""
    chunks: tuple[int, ...] | None = None
    first: tuple[int, FloatArray] | None = None
    heard: tuple[SpeechChunk, ...] | None = None
    model: str = ""
    sound: int = 0
    channels: tuple["PreparedFile", ...] = ()
    number: int = 0
    recorded: int = 1
    levels: ChannelLevels | None = None
    active: tuple[SpeechChunk, ...] | None = None

    def of_channel(self, index: int) -> "PreparedFile":
        """One of the channels, as a file of its own."""
        return self.channels[index] if self.channels else self

    @property
    def tagged_language(self) -> str:
        """The language of the audio track by its tag, if that is asked for; empty if unknown."""
        tracks = self.media.tracks if self.request.decoding.track_language else ()
        return next((track.language for track in tracks if track.number == self.media.track), "")

    @property
    def seconds(self) -> float:
        """Length of the decoded audio."""
        return self.samples / SAMPLE_RATE

    def plan(self, language: str, warnings: tuple[str, ...] = ()) -> FilePlan:
        """The file's plan, for the journal; `warnings` are those beside the file's own."""
        return FilePlan(
            fingerprint=self.fingerprint,
            text_hash=self.request.text_hash,
            samples=self.samples,
            loudest=self.loudest,
            language=language,
            speech=self.speech,
            warnings=(*self.warnings, *warnings),
            sound=self.digest,
            chunks=self.chunks,
            heard=self.heard,
            model=self.model,
            recorded=self.recorded,
        )

    def plan_of_channels(self, plans: Sequence[FilePlan]) -> FilePlan:
        """The file's plan, made of those of its channels."""
        channels = tuple(
            ChannelPlan(
                channel.number, plan.loudest, plan.language, plan.speech, plan.chunks, plan.heard
            )
            for channel, plan in zip(self.channels, plans, strict=True)
        )
        warnings = dict.fromkeys(warning for plan in plans for warning in plan.warnings)
        return replace(plans[0], channels=channels, warnings=tuple(warnings))


def prepare(
    request: Transcribe,
    extractor: FeatureExtractor,
    on_probed: Callable[[MediaInfo], None],
    on_progress: Callable[[float, float], None],
    cancelled: Callable[[], bool],
    model: str = "",
) -> PreparedFile:
    """Probe, decode and analyse the request's file.

    `model` is the identity of the model (empty: not compared). `on_progress` gets the seconds
    decoded and in total (0: unknown).

    Raises:
        MediaError, DiskFullError, OSError: the file or the scratch folder cannot be used.
        DecodeCancelled: `cancelled` became true.

    """
    media, identity, decoded = _decode(request, on_probed, on_progress, cancelled)
    resume, restarted = usable_resume(
        request.resume, identity, decoded.digest, request.text_hash, model
    )
    with ExitStack() as on_error:
        pcm = on_error.enter_context(
            Pcm(text_to_path(request.scratch), decoded.checks, decoded.rows)
        )
        file = PreparedFile(
            request=request,
            media=_decoded_media(media, decoded),
            pcm=pcm,
            signal=pcm,
            source=pcm,
            features=LazyFeatures(pcm, extractor),
            fingerprint=str(identity),
            samples=decoded.samples,
            loudest=0.0,
            speech=None,
            warnings=_warnings(decoded, request.decoding),
            resume=resume,
            restarted=restarted,
            digest=decoded.digest,
            model=model,
            recorded=decoded.recorded,
            levels=decoded.levels,
        )
        channels = tuple(
            _analysed(channel, extractor, cancelled) for channel in _channels(file, decoded)
        )
        on_error.pop_all()
    if not decoded.channels:
        return channels[0]
    return replace_fields(channels[0], resume=resume, channels=channels)


def _channels(file: PreparedFile, decoded: Decoded) -> Iterator[PreparedFile]:
    """The file with each channel that is to be transcribed, or its only signal.

    Where a channel has only what leaks into it from another one, it is silent.
    """
    if not decoded.channels or decoded.levels is None:
        yield replace_fields(file, signal=file.pcm.channel(decoded.row), number=decoded.row)
        return
    decibels = decoded.levels.decibels
    leaking, active = leaks(decibels), active_channels(decibels)
    for index, number in enumerate(decoded.channels):
        resume = file.resume
        if resume is not None and resume.plan.channels:
            state = resume.state if resume.state and resume.state.channel == index else None
            resume = replace(resume, plan=resume.plan.of_channel(index), state=state)
        yield replace_fields(
            file,
            signal=Muted(file.pcm.channel(number), leaking[number], FRAME_SAMPLES),
            number=number,
            resume=resume,
            active=tuple(
                SpeechChunk(begin * FRAME_SAMPLES, end * FRAME_SAMPLES)
                for begin, end in spans(active[number])
            ),
        )


def _analysed(
    file: PreparedFile, extractor: FeatureExtractor, cancelled: Callable[[], bool]
) -> PreparedFile:
    """The file with what is to be known of its signal. Raises OSError, DecodeCancelled."""
    request, resume, signal = file.request, file.resume, file.signal
    batched = request.decoding.batched
    speech, chunks = _spoken(signal, request.decoding, resume, extractor.n_samples, cancelled)
    heard = None
    if speech is None and resume is None and file.active is not None and not batched:
        heard = _heard(signal, request.decoding, cancelled)
        if heard is not None:
            speech = speech_or_sound(heard, file.active, len(signal))
    elif request.quality.check_coverage and resume is None and speech is None:
        heard = _heard(signal, request.decoding, cancelled)
    source: SampleSource = signal if speech is None else SpeechView(signal, speech)
    # In batched mode each chunk is clamped by its own loudest value.
    loudest = resume.plan.loudest if resume else 0.0 if batched else None
    features = LazyFeatures(source, extractor, loudest)
    loudest = features.scan_loudest(cancelled)
    done = resume.state.clip if resume and resume.state else 0
    first = None
    if chunks and done < len(chunks):
        first = done, chunk_features(source, chunks, done, extractor)
    sound = 0
    if request.decoding.language is None and not batched and resume is None:
        begin = (clip_points(request.decoding.clip_timestamps) or (0.0,))[0]
        sound = first_sound(source, int(begin * SAMPLE_RATE), cancelled)
    return replace_fields(
        file,
        source=source,
        features=features,
        loudest=loudest,
        speech=speech,
        chunks=chunks,
        first=first,
        heard=heard,
        sound=sound,
    )


def _decode(
    request: Transcribe,
    on_probed: Callable[[MediaInfo], None],
    on_progress: Callable[[float, float], None],
    cancelled: Callable[[], bool],
) -> tuple[MediaInfo, Identity, Decoded]:
    """Probe the request's file, and decode it into the scratch WAV. Raises as `prepare`."""
    path = text_to_path(request.path)
    choice = TrackChoice(request.decoding.audio_track, request.decoding.language)
    media = probe(path, choice)
    on_probed(media)
    identity, decoded = read_unchanged(
        path,
        lambda: decode_to_wav(
            path,
            text_to_path(request.scratch),
            lambda done: on_progress(done, media.duration),
            cancelled,
            DecodeOptions(
                request.scratch_limit,
                choice,
                request.decoding.normalize_loudness,
                request.decoding.channel,
                request.speakers is not None and request.speakers.kind == "channels",
            ),
        ),
    )
    return media, identity, decoded


def _decoded_media(media: MediaInfo, decoded: Decoded) -> MediaInfo:
    track = decoded.track if media.track else 0
    return replace(media, decoded=decoded.samples / SAMPLE_RATE, track=track)


def _warnings(decoded: Decoded, decoding: DecodingSettings) -> tuple[str, ...]:
    points = clip_points(decoding.clip_timestamps)
    return decoded.warnings + clips_past_end(points, decoded.samples / SAMPLE_RATE)


def _spoken(
    pcm: SampleSource,
    decoding: DecodingSettings,
    resume: ResumePoint | None,
    limit: int,
    cancelled: Callable[[], bool],
) -> tuple[tuple[SpeechChunk, ...] | None, tuple[int, ...] | None]:
    """The speech to transcribe (None: all), and the chunks of batched mode, of `limit` samples.

    Those of an earlier attempt, if there was one. Raises DecodeCancelled.
    """
    if resume is not None:
        return resume.plan.speech, resume.plan.chunks
    if not decoding.batched:
        speech = None
        if uses_vad(decoding):
            speech = find_speech(pcm, vad_options(decoding), cancelled)
        return speech, None
    ranges = clip_ranges(decoding.clip_timestamps, len(pcm))
    clips = clip_points(decoding.clip_timestamps)
    if clips:
        ranges = tuple(clip for clip in ranges if not is_silent(pcm, clip.start, clip.end))
    if clips and all(clip.end - clip.start <= limit for clip in ranges):
        return cut(ranges, limit)
    speech = find_speech(pcm, batched_vad_options(decoding, limit), cancelled)
    pause = LANGUAGE_PAUSE if decoding.multilingual else None
    if clips:
        return cut(ranges, limit, speech, pause)
    return speech, chunk_ends(speech, limit, pause)


def _heard(
    pcm: SampleSource, decoding: DecodingSettings, cancelled: Callable[[], bool]
) -> tuple[SpeechChunk, ...] | None:
    """Speech that must get text; None if only parts of the file are transcribed."""
    if clip_points(decoding.clip_timestamps):
        return None
    return find_speech(pcm, vad_options(decoding), cancelled)


def speech_or_sound(
    speech: Sequence[SpeechChunk], active: Sequence[SpeechChunk], length: int
) -> tuple[SpeechChunk, ...]:
    """What is speech, or only loud enough for it, with some sound around it and without pauses.

    The model would write the words of a channel into its long pauses.
    """
    wide = [
        SpeechChunk(max(0, one.start - _AROUND), min(length, one.end + _AROUND)) for one in active
    ]
    found: list[SpeechChunk] = []
    for span in sorted((*speech, *wide), key=lambda one: one.start):
        if found and span.start - found[-1].end < _PAUSE:
            found[-1] = SpeechChunk(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return tuple(found)


def chunk_features(
    source: SampleSource, chunks: tuple[int, ...], index: int, extractor: FeatureExtractor
) -> FloatArray:
    """The log-mel features of a chunk, as faster-whisper's batched pipeline computes them."""
    start = chunks[index - 1] if index else 0
    values: FloatArray = extractor(source.read(start, chunks[index]))[..., :-1]
    return values


def read_unchanged(path: Path, decode: Callable[[], Decoded]) -> tuple[Identity, Decoded]:
    """Decode a file, making sure that it does not change meanwhile.

    Raises:
        InputChangedError: it changed each time.
        MediaError: it cannot be decoded or read.

    """
    before = fingerprint(path)
    for _ in range(READINGS):
        failed: MediaError | None = None
        decoded: Decoded | None = None
        try:
            decoded = decode()
        except MediaError as error:
            failed = error
        after = fingerprint(path)
        changed, before = difference(before, after), after
        if not changed and decoded is not None:
            return after, decoded
        if not changed and failed is not None:
            raise failed
    raise InputChangedError(
        f"{display_name(path)} changed while it was read: {changed}",
        "It is still being recorded or copied: retry when it is complete.",
    )


def usable_resume(
    resume: ResumePoint | None,
    identity: Identity,
    digest: str,
    text_hash: str,
    model: str = "",
) -> tuple[ResumePoint | None, str]:
    """The resume point if audio, options and model are unchanged; otherwise None, and the reason.

    The samples decide: a file that was moved, touched or retagged resumes all the same.
    """
    if resume is None:
        return None, ""
    if resume.plan.text_hash != text_hash:
        return None, "the settings have changed"
    if resume.plan.model and model and resume.plan.model != model:
        return None, "the model in its folder is another one"
    changed = difference(Identity.parse(resume.plan.fingerprint), identity)
    if resume.plan.sound and resume.plan.sound != digest:
        return None, f"the file has changed: {changed or 'its audio is different'}"
    if not resume.plan.sound and changed:
        return None, f"the file has changed: {changed}"
    return resume, ""


def uses_vad(decoding: DecodingSettings) -> bool:
    """Whether VAD is used; clip ranges switch it off, as in faster-whisper."""
    return decoding.vad_filter and not clip_points(decoding.clip_timestamps)


def vad_options(decoding: DecodingSettings) -> VadOptions:
    """faster-whisper's VAD options, with its defaults where unset."""
    chosen = {
        "threshold": decoding.vad_threshold,
        "min_speech_duration_ms": decoding.vad_min_speech_duration_ms,
        "max_speech_duration_s": decoding.vad_max_speech_duration_s,
        "min_silence_duration_ms": decoding.vad_min_silence_duration_ms,
    }
    return VadOptions(**{name: value for name, value in chosen.items() if value is not None})


def batched_vad_options(decoding: DecodingSettings, limit: int) -> VadOptions:
    """VAD options of the batched pipeline, which splits speech into chunks of `limit` samples."""
    options = vad_options(decoding)
    options.max_speech_duration_s = limit / SAMPLE_RATE
    if decoding.vad_min_silence_duration_ms is None:
        options.min_silence_duration_ms = 160
    return options
