"""Every setting: its name, default, range and help, in one place.

Names and defaults are those of whisper-ctranslate2. The command line, the settings file and the
settings screen are generated from these fields; the help texts are their descriptions.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fwtui.core.templates import DEFAULT_TEMPLATE


class QualitySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which passages are marked for checking. The text itself is never changed."""

    check_text: Annotated[
        bool,
        Meta(description="Mark repeated and low-confidence passages"),
    ] = True
    low_confidence: Annotated[
        float,
        Meta(
            le=0,
            description="With check_text: mark passages with a mean log probability below this",
        ),
    ] = -1.0
    check_languages: Annotated[
        bool,
        Meta(description="Mark passages in another language (one more model step per chunk)"),
    ] = True
    check_coverage: Annotated[
        bool,
        Meta(
            description="Mark speech without text even when VAD is not used otherwise (runs "
            "VAD: about 7 CPU seconds per hour of audio)"
        ),
    ] = False
    check_unspoken: Annotated[
        bool,
        Meta(description="Mark text without speech (runs VAD on chunks with suspicious text only)"),
    ] = True
    missing_speech_s: Annotated[
        Annotated[float, Meta(gt=0)],
        Meta(description="Mark speech without text from this length on (s)"),
    ] = 2.0


# Two of fwtui, then those of Textual.
ThemeName = Literal[
    "fwtui-dark",
    "fwtui-light",
    "textual-dark",
    "textual-light",
    "nord",
    "gruvbox",
    "catppuccin-mocha",
    "catppuccin-latte",
    "dracula",
    "tokyo-night",
    "monokai",
    "flexoki",
    "solarized-dark",
    "solarized-light",
    "rose-pine",
    "rose-pine-dawn",
    "atom-one-dark",
    "atom-one-light",
]


class InterfaceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The look of the screen. Always taken from the settings file, never from a session."""

    theme: Annotated[ThemeName, Meta(description="Colour theme of the screen")] = "fwtui-dark"
    reduced_motion: Annotated[
        bool, Meta(description="No animations and no blinking on the screen")
    ] = False


class DoneSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hooks and notifications when a file or the batch is done."""

    on_file_done: Annotated[
        str | None,
        Meta(description="Command to run after each file; gets details as JSON on stdin"),
    ] = None
    on_batch_done: Annotated[
        str | None,
        Meta(description="Command to run after the batch; gets details as JSON on stdin"),
    ] = None
    hook_shell: Annotated[
        bool, Meta(description="Run these commands in a shell (pipes, variables, ...)")
    ] = False
    hook_seconds: Annotated[
        float,
        Meta(
            gt=0,
            description="Time limit for these commands (s); they are then ended with all "
            "their child processes",
        ),
    ] = 60.0
    bell: Annotated[bool, Meta(description="Ring the terminal bell after the batch")] = False
    terminal_notification: Annotated[
        Literal["off", "auto", "osc9", "osc777"],
        Meta(description="Terminal notification after the batch, also over SSH"),
    ] = "off"
    desktop_notification: Annotated[
        bool,
        Meta(description="Desktop notification after the batch, on the machine where fwtui runs"),
    ] = False


class LogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The log files in the state folder."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="Lowest level of the messages written to the log files"),
    ] = "debug"
    keep_days: Annotated[int, Meta(ge=1, le=3650, description="Days to keep log files")] = 30


ComputeType = Literal[
    "default",
    "auto",
    "int8",
    "int8_float16",
    "int8_bfloat16",
    "int8_float32",
    "int16",
    "float16",
    "float32",
    "bfloat16",
]
OutputFormat = Literal[
    "txt", "vtt", "srt", "tsv", "json", "all", "lrc", "ass", "csv", "md", "docx", "html", "rttm"
]

AtLeastOne = Annotated[int, Meta(ge=1)]
Probability = Annotated[float, Meta(ge=0, le=1)]
NotNegative = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=0)]


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The model, its device and its weights."""

    model: Annotated[
        str, Meta(description="Model name, Hugging Face ID, or folder of a CTranslate2 model")
    ] = "small"
    model_dir: Annotated[
        str | None, Meta(description="Folder for downloaded models (default: Hugging Face cache)")
    ] = None
    local_files_only: Annotated[
        bool, Meta(description="Never download models; use only those already downloaded")
    ] = False
    device: Annotated[
        Literal["auto", "cpu", "cuda"], Meta(description="Device to run the model on")
    ] = "auto"
    device_index: Annotated[
        str,
        Meta(
            pattern=r"^\s*\d+\s*(,\s*\d+\s*)*$",
            description="GPU to use; several, comma-separated, run one engine each",
        ),
    ] = "0"
    compute_type: Annotated[
        ComputeType, Meta(description="Type of the model weights in memory; int8 needs the least")
    ] = "auto"
    threads: Annotated[int, Meta(ge=0, description="CPU threads for the model (0 = automatic)")] = 0

    @property
    def device_indexes(self) -> tuple[int, ...]:
        """The numbers of the GPUs, each once."""
        return tuple(dict.fromkeys(int(index) for index in self.device_index.split(",")))


# The audio track that stands for all of them.
ALL_TRACKS = "all"


class DecodingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that determines the text of a transcript."""

    task: Annotated[
        Literal["transcribe", "translate"],
        Meta(description="Transcribe in the spoken language, or translate into English"),
    ] = "transcribe"
    language: Annotated[
        str | None,
        Meta(description="Language code or name, such as en, pt-BR or German (default: auto)"),
    ] = None
    audio_track: Annotated[
        str | None,
        Meta(
            description="Audio track to transcribe: its number, its language, or all for one "
            "transcript each (default: the default track, else the first in the language)"
        ),
    ] = None
    channel: Annotated[
        str,
        Meta(
            description="Channels to transcribe: mix; left, right or a number for one of them; "
            "split for each by itself, as one transcript with the channels as speakers, which "
            "determines the time of every word"
        ),
    ] = "mix"
    track_language: Annotated[
        bool, Meta(description="Take the language from the tag of the audio track, if it has one")
    ] = False
    normalize_loudness: Annotated[
        bool, Meta(description="Even out the volume of the audio first, for quiet voices")
    ] = False
    beam_size: Annotated[AtLeastOne, Meta(description="Beam size (at temperature 0)")] = 5
    best_of: Annotated[
        AtLeastOne, Meta(description="Candidates when sampling (at temperatures above 0)")
    ] = 5
    patience: Annotated[float, Meta(gt=0, description="Patience of the beam search")] = 1.0
    length_penalty: Annotated[float, Meta(description="Exponent of the length penalty")] = 1.0
    repetition_penalty: Annotated[
        float, Meta(gt=0, description="Penalty for tokens that already occurred (1 = none)")
    ] = 1.0
    no_repeat_ngram_size: Annotated[
        int, Meta(ge=0, description="Forbid repeated n-grams of this size (0 = allow)")
    ] = 0
    temperature: Annotated[
        NotNegative, Meta(description="Sampling temperature of the first attempt")
    ] = 0.0
    temperature_increment_on_fallback: Annotated[
        float | None, Meta(description="Increase of the temperature after each failed attempt")
    ] = 0.2
    compression_ratio_threshold: Annotated[
        float | None, Meta(description="Higher values count as a repetition loop")
    ] = 2.4
    logprob_threshold: Annotated[
        float | None, Meta(description="Lower mean log probabilities count as failed decoding")
    ] = -1.0
    no_speech_threshold: Annotated[
        float | None, Meta(description="Treat as silence if above this and decoding failed")
    ] = 0.6
    condition_on_previous_text: Annotated[
        bool, Meta(description="Prompt the model with the previous text")
    ] = True
    prompt_reset_on_temperature: Annotated[
        NotNegative, Meta(description="Drop the previous text above this temperature")
    ] = 0.5
    initial_prompt: Annotated[str | None, Meta(description="Prompt for the first chunk")] = None
    prefix: Annotated[str | None, Meta(description="Text that the first chunk starts with")] = None
    hotwords: Annotated[str | None, Meta(description="Words that the model should prefer")] = None
    suppress_blank: Annotated[
        bool, Meta(description="Suppress blank output at the start of a chunk")
    ] = True
    suppress_tokens: Annotated[
        str,
        Meta(description="Token IDs to suppress, comma-separated (-1 = most special characters)"),
    ] = "-1"
    max_initial_timestamp: Annotated[
        NotNegative, Meta(description="Latest possible first timestamp (s)")
    ] = 1.0
    without_timestamps: Annotated[bool, Meta(description="Text only, as one segment per chunk")] = (
        False
    )
    max_new_tokens: Annotated[
        int | None, Meta(description="Maximum new tokens per chunk (default: the model's)")
    ] = None
    multilingual: Annotated[bool, Meta(description="Detect the language of every chunk")] = False
    clip_timestamps: Annotated[
        str, Meta(description="Transcribe only these parts: start,end,start,end,... in seconds")
    ] = "0"
    word_timestamps: Annotated[bool, Meta(description="Determine the time of every word")] = False
    prepend_punctuations: Annotated[
        str, Meta(description="With word_timestamps: punctuation joined to the next word")
    ] = "\"'“¿([{-"
    append_punctuations: Annotated[
        str, Meta(description="With word_timestamps: punctuation joined to the previous word")
    ] = "\"'.。,，!！?？:：”)]}、"  # noqa: RUF001
    hallucination_silence_threshold: Annotated[
        float | None,
        Meta(
            description="With word_timestamps: skip longer silences around probable "
            "hallucinations (s)"
        ),
    ] = None
    vad_filter: Annotated[
        bool, Meta(description="Skip passages without speech, as detected by Silero VAD")
    ] = False
    vad_threshold: Annotated[
        Probability | None, Meta(description="Probability from which a passage counts as speech")
    ] = None
    vad_min_speech_duration_ms: Annotated[
        Count | None, Meta(description="Ignore shorter speech (ms)")
    ] = None
    vad_max_speech_duration_s: Annotated[
        Positive | None, Meta(description="Split longer speech (s)")
    ] = None
    vad_min_silence_duration_ms: Annotated[
        Count | None, Meta(description="Silence that ends a passage of speech (ms)")
    ] = None
    language_detection_segments: Annotated[
        AtLeastOne, Meta(description="Maximum number of chunks used to detect the language")
    ] = 1
    language_detection_threshold: Annotated[
        Probability,
        Meta(description="Accept the language of a chunk at once if its probability is above this"),
    ] = 0.5
    batched: Annotated[
        bool,
        Meta(
            description="Transcribe several chunks at once, also of several short files: "
            "faster on a GPU, but needs more memory. Chunks are cut at pauses "
            "found by VAD and do not know the previous text. Ignores "
            "condition_on_previous_text, prompt_reset_on_temperature, prefix, "
            "max_initial_timestamp, hallucination_silence_threshold, "
            "vad_max_speech_duration_s and language_detection_*. Chunks above "
            "compression_ratio_threshold are repeated one by one; only then do "
            "the other thresholds, best_of and higher temperatures apply"
        ),
    ] = False
    batch_size: Annotated[
        AtLeastOne | None,
        Meta(
            description="With batched: maximum number of chunks at once (auto: 16 on a GPU, "
            "4 on a CPU); halved when memory runs out",
            extra={"unset": "auto"},
        ),
    ] = None

    @property
    def temperatures(self) -> tuple[float, ...]:
        """The temperatures to try in turn, as in whisper-ctranslate2."""
        step = self.temperature_increment_on_fallback
        if not step or step <= 0:
            return (self.temperature,)
        step = max(step, LEAST_INCREMENT)  # a stored session may have less
        count = int((1.0 + 1e-6 - self.temperature) / step) + 1
        return tuple(self.temperature + step * i for i in range(max(1, count)))

    @property
    def attempts(self) -> int:
        """How many candidates a window may be sampled with at once."""
        return self.best_of if self.temperatures[-1] > 0 else 1


MOST_SPEAKERS = 100


class SpeakerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who speaks when. None of these changes the text."""

    diarize: Annotated[
        Literal["off", "voices", "channels"],
        Meta(
            description="Tell speakers apart by their voices, or by the channels of a stereo "
            "recording; determines the time of every word"
        ),
    ] = "off"
    num_speakers: Annotated[
        AtLeastOne | None,
        Meta(
            description="Exact number of speakers, if it is known (default: auto)",
            extra={"unset": "auto"},
        ),
    ] = None
    min_speakers: Annotated[
        AtLeastOne | None, Meta(description="Minimum number of speakers", extra={"unset": "auto"})
    ] = None
    max_speakers: Annotated[
        AtLeastOne | None, Meta(description="Maximum number of speakers", extra={"unset": "auto"})
    ] = None
    speaker_name: Annotated[
        str, Meta(description="What speakers without a name are called, before their number")
    ] = "SPEAKER"
    speaker_names: Annotated[
        str | None,
        Meta(description="Names of speakers by number, such as 00=Anna,01=Ben"),
    ] = None
    diarize_model: Annotated[
        str | None,
        Meta(description="Model that tells voices apart (default: auto)", extra={"unset": "auto"}),
    ] = None
    known_speakers: Annotated[
        bool,
        Meta(description="Name the speakers whose voices were added with fwtui speakers add"),
    ] = False


class OutputSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which transcripts are written, where, and in what form."""

    output_dir: Annotated[str, Meta(description="Folder for the transcripts")] = "."
    output_layout: Annotated[
        Literal["flat", "tree", "source"],
        Meta(
            description="flat: all in output_dir; tree: in output_dir, with subfolders as "
            "they were found; source: next to each recording"
        ),
    ] = "flat"
    output_name: Annotated[
        str,
        Meta(
            description="Name of the transcripts, with {stem} {ext} {relpath} {language} "
            "{model} {date}; / creates folders"
        ),
    ] = DEFAULT_TEMPLATE
    if_exists: Annotated[
        Literal["overwrite", "overwrite_any", "skip", "rename"],
        Meta(
            description="If the transcript exists: overwrite the recording's own, overwrite_any "
            "(also of another recording; what --if_exists overwrite asks for), skip, or rename"
        ),
    ] = "overwrite"
    skip_transcribed: Annotated[
        bool,
        Meta(
            description="Skip files that were already transcribed: same content, same "
            "settings, transcripts still in place"
        ),
    ] = False
    output_format: Annotated[
        OutputFormat, Meta(description="Format of the transcripts (all = txt, vtt, srt, tsv, json)")
    ] = "all"
    more_formats: Annotated[
        str | None,
        Meta(description="Further formats, comma-separated; -f can be given several times"),
    ] = None
    pretty_json: Annotated[bool, Meta(description="Indent the JSON")] = False
    highlight_words: Annotated[
        bool,
        Meta(description="Underline each word as it is spoken (srt, vtt; needs word_timestamps)"),
    ] = False
    max_line_width: Annotated[
        AtLeastOne | None,
        Meta(description="Maximum characters per line (srt, vtt; needs word_timestamps)"),
    ] = None
    max_line_count: Annotated[
        AtLeastOne | None,
        Meta(description="Maximum lines per subtitle (srt, vtt; needs max_line_width)"),
    ] = None
    max_words_per_line: Annotated[
        AtLeastOne | None,
        Meta(description="Maximum words per line (srt, vtt; needs word_timestamps)"),
    ] = None
    min_gap_ms: Annotated[
        Count, Meta(description="Minimum gap between subtitles (srt, vtt, ass; ms)")
    ] = 0
    max_chars_per_second: Annotated[
        Positive | None, Meta(description="Warn about subtitles with more characters per second")
    ] = None
    join_sentences: Annotated[
        bool, Meta(description="Join segments until a sentence or a pause ends them")
    ] = False
    tidy_text: Annotated[
        bool,
        Meta(
            description="Tidy the text: single spaces, none before punctuation, capitals at "
            "the start of sentences"
        ),
    ] = False
    replacements: Annotated[
        str | None,
        Meta(description="File with corrections for the transcripts, one per line: wrong => right"),
    ] = None
    drop_unspoken: Annotated[
        bool,
        Meta(
            description="Leave text without speech out of the transcripts (runs VAD: about 7 CPU "
            "seconds per hour of audio)"
        ),
    ] = False
    add_timestamps: Annotated[bool, Meta(description="Start each line of a txt with its times")] = (
        False
    )
    add_report: Annotated[
        bool, Meta(description="Write a report of the batch next to the transcripts")
    ] = False


class BatchSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the queue is processed."""

    cpu_fallback: Annotated[
        bool,
        Meta(
            description="Continue on the CPU if the GPU cannot be used or its memory is too small"
        ),
    ] = False
    workers: Annotated[
        Annotated[int, Meta(ge=1, le=64)],
        Meta(
            description="Engines in parallel on the CPU, or on each GPU; each loads its own model"
        ),
    ] = 1
    cancel_seconds: Annotated[
        NotNegative,
        Meta(
            description="Time for a cancelled file to finish its chunk before the engine is "
            "killed (s)"
        ),
    ] = 5.0
    stall_seconds: Annotated[
        NotNegative,
        Meta(description="Restart an engine that makes no progress for this long (s; 0 = never)"),
    ] = 120.0
    on_disk_full: Annotated[
        Literal["wait", "stop"],
        Meta(
            description="If the disk is full or a drive is disconnected: wait until it is "
            "back, or stop"
        ),
    ] = "wait"
    sweep_system_temp: Annotated[
        bool,
        Meta(description="Delete tmp*.wav older than an hour in the system's temporary folder"),
    ] = False
    scratch_limit_mb: Annotated[
        AtLeastOne, Meta(description="Maximum scratch space per file (MB; an hour needs 115 MB)")
    ] = 10240
    on_hangup: Annotated[
        Literal["continue", "stop"],
        Meta(description="When the terminal closes: continue in the background, or stop"),
    ] = "continue"
    keep_awake: Annotated[
        bool, Meta(description="Keep the machine from falling asleep while a batch runs")
    ] = True


class MemorySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Memory limits, and what happens when they are reached."""

    warn: Annotated[
        str,
        Meta(
            description="Warn and free memory above this limit (12GB, 80% of the machine, or off)"
        ),
    ] = "80%"
    limit: Annotated[
        str,
        Meta(
            description="Restart the engine at the next chunk above this limit (12GB, 80%, or off)"
        ),
    ] = "off"
    gpu_limit: Annotated[
        str, Meta(description="The same limit for the memory of each GPU (10GB, 90%, or off)")
    ] = "off"
    on_oom: Annotated[
        Literal["degrade", "retry", "fail"],
        Meta(
            description="When out of memory: retry in smaller steps (degrade), retry once, or fail"
        ),
    ] = "degrade"
    keep_model_minutes: Annotated[
        NotNegative, Meta(description="Keep the model loaded after a batch (minutes)")
    ] = 0.0


MOST_NEW_TOKENS = 224
"""Half of Whisper's context of 448: the other half belongs to the prompt, as in OpenAI's code."""
_MOST_SECONDS = 7 * 86400.0

# Further limits (least, most) of settings, beyond those of their types. They hold where a setting
# is set and where a batch starts, but not where a stored session is read: one from before a limit
# must still open, so that it can be corrected. They are where the engine, C's numbers or the
# system's timers end, or are far beyond any use.
LIMITS: dict[str, tuple[float | None, float | None]] = {
    "model.threads": (None, 1024),  # from about 30,000 on the system refuses
    "decoding.beam_size": (None, 1000),
    "decoding.best_of": (None, 1000),
    "decoding.patience": (None, 100),
    "decoding.length_penalty": (-10, 10),  # 448 ** 117 is no number any more
    "decoding.repetition_penalty": (0.01, 100),
    "decoding.no_repeat_ngram_size": (None, 448),
    "decoding.temperature": (None, 2),
    "decoding.temperature_increment_on_fallback": (0, 2),
    "decoding.max_initial_timestamp": (None, 30),  # a window
    "decoding.max_new_tokens": (1, MOST_NEW_TOKENS),
    "decoding.hallucination_silence_threshold": (0, None),
    "decoding.language_detection_segments": (None, 1000),
    "decoding.batch_size": (None, 1024),
    "speakers.num_speakers": (1, MOST_SPEAKERS),
    "speakers.min_speakers": (1, MOST_SPEAKERS),
    "speakers.max_speakers": (1, MOST_SPEAKERS),
    "batch.cancel_seconds": (None, _MOST_SECONDS),
    "batch.stall_seconds": (None, _MOST_SECONDS),
    "memory.keep_model_minutes": (None, _MOST_SECONDS / 60),
    "done.hook_seconds": (None, _MOST_SECONDS),
}
LEAST_INCREMENT = 0.01
"""Of the temperature, if any: with a smaller one a window would be decoded hundreds of times."""

# Specific to the user and the machine; never stored in a session.
USER_SECTIONS = ("interface", "done", "log")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of a batch."""

    model: ModelSettings = ModelSettings()
    decoding: DecodingSettings = DecodingSettings()
    speakers: SpeakerSettings = SpeakerSettings()
    output: OutputSettings = OutputSettings()
    quality: QualitySettings = QualitySettings()
    batch: BatchSettings = BatchSettings()
    interface: InterfaceSettings = InterfaceSettings()
    memory: MemorySettings = MemorySettings()
    done: DoneSettings = DoneSettings()
    log: LogSettings = LogSettings()

    def with_user_settings_of(self, other: "Settings") -> "Settings":
        """These settings with the `USER_SECTIONS` of `other`.

        A session may come from another machine, and its commands must never be run.
        """
        own = {section: getattr(other, section) for section in USER_SECTIONS}
        return msgspec.structs.replace(self, **own)

    def text_hash(self) -> str:
        """Hex digest of the options that determine the text; a resume needs the same one."""
        return text_hash(self.model, self.engine_decoding)

    @property
    def engine_decoding(self) -> DecodingSettings:
        """How the engine decodes: speakers are told apart, and put in order, word by word."""
        apart = self.speakers.diarize != "off" or self.decoding.channel == "split"
        if not apart or self.decoding.word_timestamps:
            return self.decoding
        return msgspec.structs.replace(self.decoding, word_timestamps=True)


def decides_speakers(settings: Settings) -> bool:
    """Whether `--channel` leaves nothing for `--diarize` to tell apart."""
    channel = settings.decoding.channel
    by_channel = settings.speakers.diarize == "channels"
    return channel == "split" or (by_channel and channel != "mix")


def text_hash(model: ModelSettings, decoding: DecodingSettings) -> str:
    """Hex digest of everything that determines the text of a file."""
    import hashlib  # imports a cryptographic library

    options = msgspec.structs.asdict(decoding)
    del options["batch_size"]  # affects the speed only
    for name, default in _ADDED_LATER.items():
        if options[name] == default:
            del options[name]
    encoded = msgspec.json.encode((model.model, model.compute_type, options))
    return hashlib.blake2b(encoded, digest_size=16).hexdigest()


# Options added after the first release, omitted at their defaults so that older sessions can be
# resumed inside their files.
_ADDED_LATER: dict[str, object] = {
    "audio_track": None,
    "channel": "mix",
    "track_language": False,
    "normalize_loudness": False,
    "language_detection_segments": 1,
    "language_detection_threshold": 0.5,
    "batched": False,
}
