"""Checks settings against each other and the machine before a batch uses them."""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from fwtui.config.fields import (
    Field,
    Value,
    all_fields,
    apply,
    check,
    find_field,
    shortened,
    value_of,
)
from fwtui.config.sources import KEYS, PROFILES, keys_in, parse_tables, profiles_in, values_in
from fwtui.core.channels import CHANNELS, channel_index
from fwtui.core.decoding import CLIPS, TOKENS, clip_points, suppressed_tokens
from fwtui.core.disk_errors import DiskErrorKind, kind_of
from fwtui.core.languages import AUTO, language_code, nearest_language
from fwtui.core.paths import expand_home
from fwtui.core.settings import (
    ALL_TRACKS,
    LEAST_INCREMENT,
    DecodingSettings,
    OutputFormat,
    Settings,
    SpeakerSettings,
    decides_speakers,
)
from fwtui.core.speakers import NAMES, SPEAKER_NAME, is_speaker_name, speaker_names
from fwtui.core.templates import check_template
from fwtui.core.text import FORMS, parse_amount
from fwtui.disk.files import is_folder, is_present
from fwtui.errors import ConfigError, FwtuiError, ModelError, UsageError

MOST_DEVICE = 1023
_MOST_REPLACEMENTS = 16 << 20  # bytes
# Ignored in batched mode, whose windows know nothing of each other.
_NOT_BATCHED = (
    "prompt_reset_on_temperature",
    "prefix",
    "max_initial_timestamp",
    "hallucination_silence_threshold",
    "vad_max_speech_duration_s",
    "language_detection_segments",
    "language_detection_threshold",
)
_NEED_WORD_TIMES = ("highlight_words", "max_line_count", "max_line_width", "max_words_per_line")
_ARROW = "=>"
_AUDIO_TRACKS = "the number of a track (from 1), a language, or all"


def validated(settings: Settings) -> Settings:
    """The same settings with absolute paths and a language code.

    A session must mean the same when it is resumed from another folder. Raises UsageError,
    ConfigError or ModelError that names the setting.
    """
    values = {
        field.key: validated_value(field, check(field, value_of(settings, field)), settings)
        for field in all_fields()
    }
    made = apply(settings, values)
    _check_word_times(made)
    _check_temperatures(made.decoding)
    _check_beams(made.decoding)
    _check_speakers(made.speakers)
    _check_model_language(made.model.model, made.decoding.language)
    return made


def validated_value(  # noqa: C901, PLR0912 - one case per setting
    field: Field, value: Value, settings: Settings | None = None
) -> Value:
    """One value as `validated` makes it, checked by itself; raises the same errors.

    `settings` are those that it belongs to, if known.
    """
    if not isinstance(value, str):
        return value
    match field.key:
        case "decoding.language":
            return _language(field.key, value)
        case "decoding.audio_track":
            _check_text(field.key, value, _audio_track, _AUDIO_TRACKS)
        case "decoding.channel":
            value = value.strip().lower()
            _check_text(field.key, value, channel_index, CHANNELS)
        case "decoding.clip_timestamps":
            _check_text(field.key, value, clip_points, CLIPS)
        case "decoding.suppress_tokens":
            _check_text(field.key, value, suppressed_tokens, TOKENS)
        case "model.model":
            return _model(value)
        case "model.model_dir":
            return _model_dir(field.key, value)
        case "model.device_index":
            _check_device_index(field.key, value)
        case "output.output_dir":
            return _output_dir(field.key, value)
        case "output.output_format":
            _check_format(value)
        case "output.more_formats":
            _check_more_formats(value)
        case "output.output_name":
            _check_output_name(value)
        case "output.replacements":
            return _replacements(value)
        case "speakers.diarize_model":
            return _diarize_model(value)
        case "speakers.speaker_name":
            _check_text(field.key, value, _speaker_name, SPEAKER_NAME)
        case "speakers.diarize_model" if _looks_like_folder(value):
            return str(_absolute(value))
        case "speakers.speaker_names":
            _check_text(field.key, value, speaker_names, NAMES)
        case "memory.warn" | "memory.limit" | "memory.gpu_limit":
            _check_text(field.key, value, parse_amount, FORMS)
        case "done.on_file_done" | "done.on_batch_done":
            shell = settings is not None and settings.done.hook_shell
            _check_hook(field.key, value, shell=shell)
        case _:
            pass
    return value


def warnings(settings: Settings) -> Iterator[str]:
    """What the user asked for that will have no effect."""
    output = settings.output
    if output.max_line_count and not output.max_line_width:
        yield "--max_line_count has no effect without --max_line_width"
    if output.max_words_per_line and output.max_line_width:
        yield "--max_words_per_line has no effect with --max_line_width"
    if output.min_gap_ms and output.highlight_words:
        yield "--min_gap_ms has no effect with --highlight_words"
    yield from _speaker_warnings(settings.speakers)
    if settings.speakers.diarize != "off" and decides_speakers(settings):
        yield f"--diarize has no effect with --channel {settings.decoding.channel}"
    if settings.model.device == "cpu" and settings.model.device_indexes != (0,):
        yield "--device_index has no effect with --device cpu"
    decoding, usual = settings.decoding, DecodingSettings()
    if clip_points(decoding.clip_timestamps) and decoding.vad_filter and not decoding.batched:
        yield "--vad_filter has no effect with --clip_timestamps"
    if decoding.batched:
        for name in _NOT_BATCHED:
            if getattr(decoding, name) != getattr(usual, name):
                yield f"--{name} has no effect with --batched"
    elif decoding.batch_size:
        yield "--batch_size has no effect without --batched"


def docx_missing() -> UsageError:
    """The error where python-docx is not installed."""
    return UsageError(
        "the format docx needs python-docx, which is not installed",
        "pip install 'fwtui[docx]'",
        setting="output.output_format",
    )


def _check_format(output_format: str) -> None:
    if output_format == "docx":
        from importlib.util import find_spec

        if find_spec("docx") is None:
            raise docx_missing()


def _check_more_formats(text: str | None) -> None:
    for name in (text or "").split(","):
        if name.strip().lower() not in {*get_args(OutputFormat), ""}:
            raise UsageError(
                f"there is no format {shortened(name.strip())}",
                f"formats: {', '.join(get_args(OutputFormat))}",
                setting="output.more_formats",
            )
        _check_format(name.strip().lower())


def _check_output_name(template: str) -> None:
    try:
        check_template(template)
    except ValueError as error:
        raise UsageError(
            f"--output_name cannot be {shortened(ascii(template))}",
            str(error),
            setting="output.output_name",
        ) from None


def _check_word_times(settings: Settings) -> None:
    if settings.engine_decoding.word_timestamps:
        return
    wanting = [f"output.{name}" for name in _NEED_WORD_TIMES if getattr(settings.output, name)]
    if settings.decoding.hallucination_silence_threshold:
        wanting.append("decoding.hallucination_silence_threshold")
    if wanting:
        option = wanting[0].partition(".")[2]
        raise UsageError(
            f"--{option} requires --word_timestamps",
            "add --word_timestamps True",
            setting=wanting[0],
        )


def _check_speakers(speakers: SpeakerSettings) -> None:
    least, most = speakers.min_speakers, speakers.max_speakers
    if speakers.num_speakers is not None and (least is not None or most is not None):
        other = "min_speakers" if least is not None else "max_speakers"
        raise UsageError(
            f"--num_speakers cannot be used with --{other}",
            f"--num_speakers is the exact number; use --num_speakers None or --{other} None",
            setting="speakers.num_speakers",
        )
    if least is not None and most is not None and least > most:
        raise UsageError(
            f"--min_speakers {least} is more than --max_speakers {most}",
            "the minimum must not be above the maximum",
            setting="speakers.min_speakers",
        )


def _speaker_warnings(speakers: SpeakerSettings) -> Iterator[str]:
    usual = SpeakerSettings()
    for name in (
        "num_speakers",
        "min_speakers",
        "max_speakers",
        "diarize_model",
        "known_speakers",
    ):
        if getattr(speakers, name) != getattr(usual, name):
            if speakers.diarize == "off":
                yield f"--{name} has no effect without --diarize"
            elif speakers.diarize == "channels":
                yield f"--{name} has no effect with --diarize channels"


def _check_model_language(model: str, code: str | None) -> None:
    if code not in {None, "en"} and model.endswith(".en") and not _looks_like_folder(model):
        raise UsageError(
            f"the model {model} supports English only, but the language is {code}",
            f"use --model {model.removesuffix('.en')}, or --language en",
            setting="model.model",
        )


def _speaker_name(text: str) -> None:
    if not is_speaker_name(text):
        raise ValueError


def _audio_track(text: str) -> None:
    if not (text == ALL_TRACKS or language_code(text) or (text.isdecimal() and int(text) > 0)):
        raise ValueError


def _check_text(key: str, text: str, parse: Callable[[str], object], forms: str) -> None:
    """Check a text that stands for something else, such as numbers."""
    try:
        parse(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{_option(key)} cannot be {shortened(ascii(text))}", f"allowed: {forms}", setting=key
        ) from None


def _check_device_index(key: str, text: str) -> None:
    if any(int(part) > MOST_DEVICE for part in text.split(",")):
        raise UsageError(
            f"{_option(key)} cannot be {shortened(ascii(text))}",
            f"allowed: comma-separated numbers of GPUs, 0 to {MOST_DEVICE}",
            setting=key,
        )


def _check_temperatures(decoding: DecodingSettings) -> None:
    step = decoding.temperature_increment_on_fallback
    if step and step < LEAST_INCREMENT:
        raise UsageError(
            f"--temperature_increment_on_fallback cannot be {step:g}",
            f"allowed: 0, or at least {LEAST_INCREMENT:g}",
            setting="decoding.temperature_increment_on_fallback",
        )


def _check_beams(decoding: DecodingSettings) -> None:
    """The engine keeps beam_size times patience candidates, rounded: there must be one."""
    if decoding.beam_size * decoding.patience < 0.5:
        raise UsageError(
            f"--patience cannot be {decoding.patience:g} with --beam_size {decoding.beam_size}",
            f"allowed: at least {0.5 / decoding.beam_size:g}",
            setting="decoding.patience",
        )


def _check_hook(key: str, command: str | None, *, shell: bool) -> None:
    """Check that a command can be split without a shell; any text may be for a shell."""
    if command is None or shell:
        return
    import shlex

    try:
        if not shlex.split(command):
            raise ValueError("it is empty")
    except ValueError as error:
        raise UsageError(
            f"{_option(key)} cannot be {shortened(ascii(command))}: {str(error).lower()}",
            "use a program and its arguments, quoted as in a shell",
            setting=key,
        ) from None


def _language(key: str, language: str) -> str | None:
    """The code of a language; None if it is to be detected."""
    if language.strip().casefold() in AUTO:
        return None
    code = language_code(language)
    if code is None:
        close = nearest_language(language)
        raise UsageError(
            f"Whisper does not support the language {shortened(repr(language))}",
            f"did you mean {close}?"
            if close
            else "use a code such as en, a name such as English, or auto",
            setting=key,
        )
    return code


def _model(model: str) -> str:
    """The model's name, or its folder as an absolute path."""
    folder = expand_home(model)
    if not _looks_like_folder(model):
        return model
    if not _may_exist(folder / "model.bin"):
        raise ModelError(
            f"no model in {shortened(str(folder), 200)}",
            "a folder with a CTranslate2 Whisper model has a model.bin and a tokenizer.json",
            setting="model.model",
        )
    return str(_absolute(model))


def _diarize_model(model: str) -> str | None:
    """The name of a model for speakers, or the folder with both as an absolute path."""
    if not model:
        return None
    if not _looks_like_folder(model):
        return model
    _check_folder("speakers.diarize_model", _absolute(model))
    return str(_absolute(model))


def _model_dir(key: str, folder: str) -> str | None:
    if not folder:
        return None
    path = _absolute(os.path.expandvars(folder))
    _check_folder(key, path)
    return str(path)


def _looks_like_folder(model: str) -> bool:
    if model.startswith((".", "~", "/")):
        return True
    try:
        return is_folder(expand_home(model))
    except OSError:
        return False


def _may_exist(path: Path) -> bool:
    """Whether there may be such a file; what is wrong with its disk is told when it is read."""
    try:
        return is_present(path, follow=True)
    except OSError:
        return True


def _absolute(path: str) -> Path:
    return expand_home(path).absolute()


def _output_dir(key: str, folder: str) -> str:
    """The folder as an absolute path, after checking that it is or can become one."""
    path = _absolute(folder)
    _check_folder(key, path)
    return str(path)


def _check_folder(key: str, path: Path) -> None:
    """Check that a path does not lead to or through a file; it need not exist."""
    for one in (path, *path.parents):
        try:
            mode = one.stat().st_mode
        except (OSError, ValueError) as error:
            kind = kind_of(error) if isinstance(error, OSError) else DiskErrorKind.NAME
            if kind is DiskErrorKind.MISSING:
                continue
            if kind is not DiskErrorKind.NAME and getattr(error, "errno", 0) != errno.ELOOP:
                return  # a disk that fails is waited for
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(
                f"{_option(key)} cannot be {shortened(str(path), 200)}: {reason}",
                "choose another folder",
                setting=key,
            ) from error
        if not stat.S_ISDIR(mode):
            raise UsageError(
                f"{_option(key)} cannot be {shortened(str(path), 200)}: "
                f"{shortened(str(one), 200)} is a file",
                "choose a folder",
                setting=key,
            )
        return


def _option(key: str) -> str:
    return f"--{find_field(key).option}"


def _replacements(file: str) -> str:
    """The file with replacements as an absolute path, after checking its contents."""
    path = _absolute(file)
    load_replacements(path)
    return str(path)


def load_replacements(path: Path) -> Mapping[str, str]:
    """The corrections in a file, by the text that they replace.

    Raises ConfigError naming the file, and the line if the error is in one.
    """
    setting, name = "output.replacements", shortened(str(path), 200)
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_REPLACEMENTS:
            raise ConfigError(
                f"Cannot read the replacements in {name}: not a text file",
                f"give a file of at most {_MOST_REPLACEMENTS >> 20} MB",
                setting=setting,
            )
        return parse_replacements(path.read_text("utf-8-sig"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"Cannot read the replacements in {name}: {reason}",
            "give a text file with a correction per line: wrong => right",
            setting=setting,
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"The replacements in {name} are not UTF-8",
            "save the file as UTF-8 text",
            setting=setting,
        ) from error
    except ValueError as error:
        raise ConfigError(
            f"The replacements in {name} are not valid: {error}",
            "each line is: wrong => right",
            setting=setting,
        ) from error


def parse_replacements(text: str) -> dict[str, str]:
    """One correction per line, without empty lines and those that begin with #.

    Keys are in lower case, with single spaces. Raises ValueError naming the first line that is not
    a correction.
    """
    rules: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        wrong, arrow, right = line.partition(_ARROW)
        if not arrow or not wrong.strip():
            raise ValueError(f"line {number} has no {_ARROW} after some text")
        rules[" ".join(wrong.split()).casefold()] = right.strip()
    return rules


def problems_in(data: bytes) -> Iterator[FwtuiError]:
    """The errors in the order of the file, then contradictions between settings."""
    try:
        tables = parse_tables(data)
    except ConfigError as error:
        yield error
        return
    values: dict[str, Value] = {}
    for section, table in tables.items():
        if section == PROFILES:
            yield from _each(table, PROFILES, _valid_profiles)
        elif section == KEYS:
            yield from _each(table, KEYS, keys_in)
        else:
            yield from _settings(section, table, values)
    try:
        validated(apply(Settings(), values))
    except FwtuiError as error:
        yield error


def _valid_profiles(tables: dict[str, Any]) -> None:
    for profile in profiles_in(tables):
        try:
            validated(apply(Settings(), profile.sets))
        except FwtuiError as error:
            title = f"profile {profile.name!r}: {error.title}"
            raise ConfigError(title, error.hint, setting=error.setting) from error


def _settings(section: str, table: Any, values: dict[str, Value]) -> Iterator[ConfigError]:
    """The errors in a section; its valid values are added to `values`."""
    parts = [{name: value} for name, value in table.items()] if isinstance(table, dict) else [table]
    # Even an empty section may be unknown.
    for part in parts or [{}]:
        try:
            for key, value in values_in({section: part}):
                values[key] = check(find_field(key), value)
        except ConfigError as error:
            yield error
            if section not in Settings.__struct_fields__:
                return


def _each(table: Any, name: str, read: Any) -> Iterator[ConfigError]:
    """The errors in the parts of a table without settings."""
    parts = [{key: value} for key, value in table.items()] if isinstance(table, dict) else [table]
    for part in parts:
        try:
            read({name: part})
        except ConfigError as error:
            yield error
