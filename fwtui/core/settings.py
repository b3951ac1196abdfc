"""Every setting: its name, default, range and help, in one place.

Names and defaults are whisper-ctranslate2's. The command line, the configuration file and the
settings screen are generated from these fields; the help texts are their descriptions.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fwtui.core.templates import DEFAULT


class QualitySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which doubtful passages are looked for and marked. The text itself is never changed."""

    check_text: Annotated[
        bool,
        Meta(description="Mark passages that repeat themselves or that the model was unsure of"),
    ] = True
    low_confidence: Annotated[
        float,
        Meta(le=0, description="With check_text: below this mean log probability it is unsure"),
    ] = -1.0
    check_languages: Annotated[
        bool,
        Meta(description="Mark passages in another language (one more step of the model a window)"),
    ] = True
    check_coverage: Annotated[
        bool,
        Meta(
            description="Mark speech without text also where VAD is not needed otherwise: runs it, "
            "about 7 CPU seconds an hour"
        ),
    ] = False
    missing_speech_s: Annotated[
        Annotated[float, Meta(gt=0)],
        Meta(description="Speech without text is marked from this length on (s)"),
    ] = 2.0


# fwtui's own two, and Textual's.
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
    """How the screen looks. The settings file's count, never those of a stored session."""

    theme: Annotated[ThemeName, Meta(description="Colours of the screen")] = "fwtui-dark"
    reduced_motion: Annotated[
        bool, Meta(description="Nothing on the screen moves by itself: no animation, no blinking")
    ] = False


class DoneSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens when a file or the batch is done: commands of the user, and notifications."""

    on_file_done: Annotated[
        str | None, Meta(description="Command to run after each file; facts as JSON on its stdin")
    ] = None
    on_batch_done: Annotated[
        str | None, Meta(description="Command to run after the batch; facts as JSON on its stdin")
    ] = None
    hook_shell: Annotated[
        bool, Meta(description="Give these commands to a shell: pipes, variables and the like")
    ] = False
    hook_seconds: Annotated[
        float, Meta(gt=0, description="A command that takes longer is ended, with all it started")
    ] = 60.0
    bell: Annotated[bool, Meta(description="Ring the terminal's bell after the batch")] = False
    terminal_notification: Annotated[
        Literal["off", "auto", "osc9", "osc777"],
        Meta(description="Have the terminal show a notification after the batch, also over SSH"),
    ] = "off"
    desktop_notification: Annotated[
        bool, Meta(description="Notification of the desktop that fwtui runs on, after the batch")
    ] = False


class LogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the log files in the state folder hold."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="The least important lines that are written to the log files"),
    ] = "debug"
    keep_days: Annotated[
        int, Meta(ge=1, le=3650, description="Log files are deleted so many days after their end")
    ] = 30


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
OutputFormat = Literal["txt", "vtt", "srt", "tsv", "json", "all", "lrc", "ass", "csv", "md", "docx"]

AtLeastOne = Annotated[int, Meta(ge=1)]
Probability = Annotated[float, Meta(ge=0, le=1)]
NotNegative = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=0)]


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which model runs, where, and how its weights are stored."""

    model: Annotated[
        str, Meta(description="Model name, Hugging Face id, or folder of a CTranslate2 model")
    ] = "small"
    model_dir: Annotated[
        str | None, Meta(description="Folder for downloaded models (default: Hugging Face's)")
    ] = None
    local_files_only: Annotated[
        bool, Meta(description="Never download: use only models that are already here")
    ] = False
    device: Annotated[
        Literal["auto", "cpu", "cuda"], Meta(description="Device that runs the model")
    ] = "auto"
    device_index: Annotated[
        str,
        Meta(
            pattern=r"^\s*\d+\s*(,\s*\d+\s*)*$",
            description="Number of the GPU; several by commas: one engine on each",
        ),
    ] = "0"
    compute_type: Annotated[
        ComputeType, Meta(description="Type of the weights in memory; int8 needs least memory")
    ] = "auto"
    threads: Annotated[
        int, Meta(ge=0, description="CPU threads for the model (0: as many as it likes)")
    ] = 0

    @property
    def device_indexes(self) -> tuple[int, ...]:
        """The GPUs, each once."""
        return tuple(dict.fromkeys(int(index) for index in self.device_index.split(",")))


class DecodingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What decides the text: everything that goes into the transcription itself."""

    task: Annotated[
        Literal["transcribe", "translate"],
        Meta(description="Transcribe in the language spoken, or translate into English"),
    ] = "transcribe"
    language: Annotated[
        str | None, Meta(description="Language code such as en or de (default: detect it)")
    ] = None
    beam_size: Annotated[AtLeastOne, Meta(description="Beams in beam search (temperature 0)")] = 5
    best_of: Annotated[
        AtLeastOne, Meta(description="Candidates when sampling (temperature above 0)")
    ] = 5
    patience: Annotated[float, Meta(gt=0, description="Patience of the beam search")] = 1.0
    length_penalty: Annotated[float, Meta(description="Exponent of the length penalty")] = 1.0
    repetition_penalty: Annotated[
        float, Meta(gt=0, description="Above 1: punish tokens that were said before")
    ] = 1.0
    no_repeat_ngram_size: Annotated[
        int, Meta(ge=0, description="Forbid repeated n-grams of this size (0: allow)")
    ] = 0
    temperature: Annotated[
        NotNegative, Meta(description="Sampling temperature of the first attempt")
    ] = 0.0
    temperature_increment_on_fallback: Annotated[
        float | None, Meta(description="Added to the temperature when a decoding fails")
    ] = 0.2
    compression_ratio_threshold: Annotated[
        float | None, Meta(description="Above it a decoding counts as a repetition loop")
    ] = 2.4
    logprob_threshold: Annotated[
        float | None, Meta(description="Below it a decoding counts as failed")
    ] = -1.0
    no_speech_threshold: Annotated[
        float | None, Meta(description="Above it, and decoding failed: the window is silence")
    ] = 0.6
    condition_on_previous_text: Annotated[
        bool, Meta(description="Give the previous text to the model as a prompt")
    ] = True
    prompt_reset_on_temperature: Annotated[
        NotNegative, Meta(description="Forget the previous text above this temperature")
    ] = 0.5
    initial_prompt: Annotated[
        str | None, Meta(description="Text given as a prompt for the first window")
    ] = None
    prefix: Annotated[str | None, Meta(description="Text the first window starts with")] = None
    hotwords: Annotated[str | None, Meta(description="Words the model should prefer")] = None
    suppress_blank: Annotated[
        bool, Meta(description="Suppress blank outputs at the start of a decoding")
    ] = True
    suppress_tokens: Annotated[
        str, Meta(description="Token ids never to say, by commas; -1: most special characters")
    ] = "-1"
    max_initial_timestamp: Annotated[
        NotNegative, Meta(description="The first timestamp cannot be later (seconds)")
    ] = 1.0
    without_timestamps: Annotated[bool, Meta(description="Text only, one segment a window")] = False
    max_new_tokens: Annotated[
        int | None, Meta(description="Most new tokens in a window (default: the model's)")
    ] = None
    multilingual: Annotated[bool, Meta(description="Detect the language of every window")] = False
    clip_timestamps: Annotated[
        str, Meta(description="start,end,start,end,... in seconds: only these parts")
    ] = "0"
    word_timestamps: Annotated[bool, Meta(description="Find the time of every word")] = False
    prepend_punctuations: Annotated[
        str, Meta(description="With word timestamps: joined to the next word")
    ] = "\"'“¿([{-"
    append_punctuations: Annotated[
        str, Meta(description="With word timestamps: joined to the previous word")
    ] = "\"'.。,，!！?？:：”)]}、"  # noqa: RUF001
    hallucination_silence_threshold: Annotated[
        float | None,
        Meta(description="With word timestamps: skip longer silences around doubtful text (s)"),
    ] = None
    vad_filter: Annotated[
        bool, Meta(description="Skip what is not speech, found by Silero VAD")
    ] = False
    vad_threshold: Annotated[
        Probability | None, Meta(description="Probability above which it is speech")
    ] = None
    vad_min_speech_duration_ms: Annotated[
        Count | None, Meta(description="Shorter speech is thrown away (ms)")
    ] = None
    vad_max_speech_duration_s: Annotated[
        Positive | None, Meta(description="Longer speech is split (s)")
    ] = None
    vad_min_silence_duration_ms: Annotated[
        Count | None, Meta(description="Silence that ends a piece of speech (ms)")
    ] = None
    language_detection_segments: Annotated[
        AtLeastOne, Meta(description="Windows that the language may be looked for in")
    ] = 1
    language_detection_threshold: Annotated[
        Probability, Meta(description="Above it the language of a window is believed at once")
    ] = 0.5
    batched: Annotated[
        bool,
        Meta(
            description="Several windows at once, also of several short files: quicker on a GPU, "
            "needs more memory. Cut at pauses found by VAD, and without what was said before: "
            "ignores condition_on_previous_text, prompt_reset_on_temperature, prefix, "
            "max_initial_timestamp, hallucination_silence_threshold, vad_max_speech_duration_s, "
            "language_detection_*. Windows above compression_ratio_threshold are done again alone; "
            "other thresholds, best_of and higher temperatures count only there"
        ),
    ] = False
    batch_size: Annotated[
        AtLeastOne | None,
        Meta(
            description="With batched: most windows at once (auto: 16 on a GPU, 4 on a CPU); "
            "halved as often as needed when memory runs out",
            extra={"unset": "auto"},
        ),
    ] = None

    @property
    def temperatures(self) -> tuple[float, ...]:
        """The temperatures to try in turn, as whisper-ctranslate2 makes them."""
        step = self.temperature_increment_on_fallback
        if not step or step <= 0:
            return (self.temperature,)
        count = int((1.0 + 1e-6 - self.temperature) / step) + 1
        return tuple(self.temperature + step * i for i in range(max(1, count)))

    @property
    def attempts(self) -> int:
        """How often a window may be sampled at the same time, at a temperature above 0."""
        return self.best_of if self.temperatures[-1] > 0 else 1


class OutputSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which files are written, where, and how they look."""

    output_dir: Annotated[str, Meta(description="Folder for the transcripts")] = "."
    output_layout: Annotated[
        Literal["flat", "tree", "source"],
        Meta(
            description="flat: all in output_dir; tree: there, in the folders they were found in; "
            "source: each beside its recording"
        ),
    ] = "flat"
    output_name: Annotated[
        str,
        Meta(
            description="Name of the transcripts, from {stem} {ext} {relpath} {language} {model} "
            "{date}; / makes folders"
        ),
    ] = DEFAULT
    if_exists: Annotated[
        Literal["overwrite", "skip", "rename"],
        Meta(
            description="A transcript of that name is there: write it anew, leave it (and skip the "
            "file if all are there), or take another name"
        ),
    ] = "overwrite"
    skip_transcribed: Annotated[
        bool,
        Meta(
            description="Skip files that were transcribed before: same content, same settings, and "
            "transcripts that are still there"
        ),
    ] = False
    output_format: Annotated[
        OutputFormat, Meta(description="Format of the transcripts; all: txt, vtt, srt, tsv, json")
    ] = "all"
    pretty_json: Annotated[bool, Meta(description="Indent the JSON")] = False
    highlight_words: Annotated[
        bool, Meta(description="Underline each word as it is spoken (srt, vtt; word timestamps)")
    ] = False
    max_line_width: Annotated[
        AtLeastOne | None,
        Meta(description="Most characters in a line (srt, vtt; word timestamps)"),
    ] = None
    max_line_count: Annotated[
        AtLeastOne | None,
        Meta(description="Most lines in a subtitle (srt, vtt; needs max_line_width)"),
    ] = None
    max_words_per_line: Annotated[
        AtLeastOne | None, Meta(description="Most words in a line (srt, vtt; word timestamps)")
    ] = None
    min_gap_ms: Annotated[
        Count, Meta(description="Least time between two subtitles (srt, vtt, ass; ms)")
    ] = 0
    max_chars_per_second: Annotated[
        Positive | None, Meta(description="Warn of subtitles that are faster to read than this")
    ] = None
    join_sentences: Annotated[
        bool, Meta(description="Join segments until a sentence ends (or a pause comes)")
    ] = False
    tidy_text: Annotated[
        bool,
        Meta(
            description="Tidy the transcripts: one space between words, none before punctuation, "
            "a capital at the beginning of a sentence"
        ),
    ] = False
    replacements: Annotated[
        str | None,
        Meta(description="File with corrections for the transcripts: a line each, wrong => right"),
    ] = None
    add_timestamps: Annotated[bool, Meta(description="Start each line of a txt with its times")] = (
        False
    )
    add_report: Annotated[
        bool, Meta(description="Write a report of the batch beside the transcripts")
    ] = False


class BatchSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the queue is worked through, and what happens when memory runs out."""

    cpu_fallback: Annotated[
        bool,
        Meta(description="No GPU memory at the last step, or a GPU not usable: go on on the CPU"),
    ] = False
    workers: Annotated[
        Annotated[int, Meta(ge=1, le=64)],
        Meta(description="Engines at once on the CPU, or on each GPU; each has a model"),
    ] = 1
    cancel_seconds: Annotated[
        NotNegative, Meta(description="A skipped file's window may take so long, then it is killed")
    ] = 5.0
    stall_seconds: Annotated[
        NotNegative,
        Meta(description="An engine silent for so long, or stuck, is started again (s; 0: never)"),
    ] = 120.0
    on_disk_full: Annotated[
        Literal["wait", "stop"],
        Meta(description="Disk full, drive or share gone: wait until that is over, or stop"),
    ] = "wait"
    sweep_system_temp: Annotated[
        bool,
        Meta(description="Delete tmp*.wav older than an hour in the system's temporary folder"),
    ] = False
    scratch_limit_mb: Annotated[
        AtLeastOne, Meta(description="Most scratch space for one file (MB; 115 MB hold an hour)")
    ] = 10240
    on_hangup: Annotated[
        Literal["continue", "stop"],
        Meta(description="When the terminal goes away: continue in the background, or stop"),
    ] = "continue"


class MemorySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much memory fwtui may use, and what happens at the limits."""

    warn: Annotated[
        str,
        Meta(description="Above it: alert and cleanup (12GB, or 80% of the machine, or off)"),
    ] = "80%"
    limit: Annotated[
        str,
        Meta(description="Above it: a fresh engine at the next window (12GB, 80%, or off)"),
    ] = "off"
    gpu_limit: Annotated[
        str, Meta(description="The same for the memory of each GPU (10GB, 90%, or off)")
    ] = "off"
    on_oom: Annotated[
        Literal["degrade", "retry", "fail"],
        Meta(description="Out of memory: go on in smaller steps, try once more, or fail the file"),
    ] = "degrade"
    keep_model_minutes: Annotated[
        NotNegative, Meta(description="The model stays loaded so long after a batch")
    ] = 0.0


# What no session keeps: it belongs to the user and the machine that he sits at.
USER_SECTIONS = ("interface", "done", "log")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of a batch."""

    model: ModelSettings = ModelSettings()
    decoding: DecodingSettings = DecodingSettings()
    output: OutputSettings = OutputSettings()
    quality: QualitySettings = QualitySettings()
    batch: BatchSettings = BatchSettings()
    interface: InterfaceSettings = InterfaceSettings()
    memory: MemorySettings = MemorySettings()
    done: DoneSettings = DoneSettings()
    log: LogSettings = LogSettings()

    def with_user_settings_of(self, other: "Settings") -> "Settings":
        """The same, with `other`'s for all that is a user's and a machine's own.

        Sessions come from outside, too: no command of theirs may ever be run.
        """
        own = {section: getattr(other, section) for section in USER_SECTIONS}
        return msgspec.structs.replace(self, **own)

    def text_hash(self) -> str:
        """Hex digest of the options that decide the text; a resume needs the same one."""
        return text_hash(self.model, self.decoding)


def text_hash(model: ModelSettings, decoding: DecodingSettings) -> str:
    """Hex digest of everything that decides the text of a file."""
    import hashlib  # brings a cryptographic library with it

    options = msgspec.structs.asdict(decoding)
    del options["batch_size"]  # decides the speed only
    for name, default in _LATER.items():
        if options[name] == default:
            del options[name]
    encoded = msgspec.json.encode((model.model, model.compute_type, options))
    return hashlib.blake2b(encoded, digest_size=16).hexdigest()


# Options that came after the first sessions: left out at their defaults, so that a session from
# before them goes on inside its files.
_LATER: dict[str, object] = {
    "language_detection_segments": 1,
    "language_detection_threshold": 0.5,
    "batched": False,
}
