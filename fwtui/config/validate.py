"""Checks settings against each other and the machine before a batch uses them."""

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from fwtui.config.fields import Field, Value, apply, check, find_field
from fwtui.config.sources import KEYS, PROFILES, keys_in, parse_tables, profiles_in, values_in
from fwtui.core.languages import LANGUAGES, language_code
from fwtui.core.paths import expand_home
from fwtui.core.settings import DecodingSettings, Settings
from fwtui.core.templates import check_template
from fwtui.core.text import FORMS, parse_amount
from fwtui.disk.files import is_folder, is_present
from fwtui.errors import ConfigError, FwtuiError, ModelError, UsageError

_HOOKS = ("on_file_done", "on_batch_done")
_AMOUNTS = ("warn", "limit", "gpu_limit")
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


def validated(settings: Settings) -> Settings:
    """The same settings with absolute paths and a language code.

    A session must mean the same when it is resumed from another folder. Raises UsageError,
    ConfigError or ModelError that names the setting.
    """
    language = settings.decoding.language
    code = None if language is None else _language("decoding.language", language)
    for name in _AMOUNTS:
        _check_amount(f"memory.{name}", getattr(settings.memory, name))
    for name in _HOOKS:
        _check_hook(f"done.{name}", getattr(settings.done, name), shell=settings.done.hook_shell)
    _check_word_times(settings)
    output = settings.output
    _check_format(output.output_format)
    _check_output_name(output.output_name)
    _check_model_language(settings.model.model, code)
    rules = output.replacements
    return replace(
        settings,
        model=replace(
            settings.model, model=_model(settings.model.model), model_dir=_model_dir(settings)
        ),
        decoding=replace(settings.decoding, language=code),
        output=replace(
            output,
            output_dir=str(_absolute(output.output_dir)),
            replacements=None if rules is None else _replacements(rules),
        ),
    )


def validated_value(field: Field, value: Value) -> Value:
    """One value as `validated` makes it, checked by itself; raises the same errors."""
    if not isinstance(value, str):
        return value
    match field.key:
        case "decoding.language":
            return _language(field.key, value)
        case "model.model":
            return _model(value)
        case "output.output_dir":
            return str(_absolute(value))
        case "output.output_format":
            _check_format(value)
        case "output.output_name":
            _check_output_name(value)
        case "output.replacements":
            return _replacements(value)
        case key if key in {f"memory.{name}" for name in _AMOUNTS}:
            _check_amount(key, value)
        case key if key in {f"done.{name}" for name in _HOOKS}:
            _check_hook(key, value, shell=False)
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
    decoding, usual = settings.decoding, DecodingSettings()
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


def _check_output_name(template: str) -> None:
    try:
        check_template(template)
    except ValueError as error:
        raise UsageError(
            f"--output_name cannot be {template!a}", str(error), setting="output.output_name"
        ) from None


def _check_word_times(settings: Settings) -> None:
    if settings.decoding.word_timestamps:
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


def _check_model_language(model: str, code: str | None) -> None:
    if code not in {None, "en"} and model.endswith(".en") and not _looks_like_folder(model):
        raise UsageError(
            f"the model {model} supports English only, but the language is {code}",
            f"use --model {model.removesuffix('.en')}, or --language en",
            setting="model.model",
        )


def _check_amount(key: str, text: str) -> None:
    try:
        parse_amount(text)
    except ValueError:
        raise UsageError(f"{key} cannot be {text!a}", f"allowed: {FORMS}", setting=key) from None


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
            f"{key} cannot be {command!a}: {str(error).lower()}",
            "use a program and its arguments, quoted as in a shell",
            setting=key,
        ) from None


def _language(key: str, language: str) -> str:
    """The code of a language."""
    code = language_code(language)
    if code is None:
        names = [*LANGUAGES, *LANGUAGES.values()]
        close = get_close_matches(language.lower(), names, n=1)
        raise UsageError(
            f"Whisper does not support the language {language!r}",
            f"did you mean {close[0]}?" if close else "use a code such as en, or a name: English",
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
            f"no model in {folder}",
            "a folder with a CTranslate2 Whisper model has a model.bin and a tokenizer.json",
            setting="model.model",
        )
    return str(_absolute(model))


def _model_dir(settings: Settings) -> str | None:
    folder = settings.model.model_dir
    return None if not folder else str(_absolute(os.path.expandvars(folder)))


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


def _replacements(file: str) -> str:
    """The file with replacements as an absolute path, after checking its contents."""
    path = _absolute(file)
    load_replacements(path)
    return str(path)


def load_replacements(path: Path) -> Mapping[str, str]:
    """The corrections in a file, by the text that they replace.

    Raises ConfigError naming the file, and the line if the error is in one.
    """
    setting = "output.replacements"
    try:
        return parse_replacements(path.read_text("utf-8-sig"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"Cannot read the replacements in {path}: {reason}", setting=setting
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"The replacements in {path} are not UTF-8", setting=setting) from error
    except ValueError as error:
        raise ConfigError(
            f"The replacements in {path} are not valid: {error}",
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
            yield from _each(table, PROFILES, profiles_in)
        elif section == KEYS:
            yield from _each(table, KEYS, keys_in)
        else:
            yield from _settings(section, table, values)
    try:
        validated(apply(Settings(), values))
    except FwtuiError as error:
        yield error


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
