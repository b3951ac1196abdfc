"""Settings as a batch can use them: whole paths, language codes, no contradictions."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from msgspec.structs import replace

from fwtui.config.extras import check_format
from fwtui.config.fields import Field, Value
from fwtui.config.replacements import load_replacements
from fwtui.core.amount import FORMS, parse_amount
from fwtui.core.languages import LANGUAGES, language_code
from fwtui.core.naming import check_template
from fwtui.core.paths import expand_home
from fwtui.core.settings import DecodingSettings, Settings
from fwtui.errors import ModelError, UsageError

COMMANDS = ("on_file_done", "on_batch_done")
AMOUNTS = ("warn", "limit", "gpu_limit")
# What batched mode cannot obey: its windows know nothing of each other.
_NOT_BATCHED = (
    "prompt_reset_on_temperature",
    "prefix",
    "max_initial_timestamp",
    "hallucination_silence_threshold",
    "vad_max_speech_duration_s",
    "language_detection_segments",
    "language_detection_threshold",
)
_NEED_WORDS = ("highlight_words", "max_line_count", "max_line_width", "max_words_per_line")


def usable(settings: Settings) -> Settings:
    """The same settings with absolute paths and a language code.

    A session must mean the same when it is resumed from another folder. Raises UsageError for
    options that contradict each other, ModelError for a model folder without a model.
    """
    language = settings.decoding.language
    code = None if language is None else _code(language)
    for name in AMOUNTS:
        _amount(f"memory.{name}", getattr(settings.memory, name))
    for name in COMMANDS:
        _command(f"done.{name}", getattr(settings.done, name), shell=settings.done.hook_shell)
    _check_words(settings)
    output = settings.output
    check_format(output.output_format)
    _check_template(output.output_name)
    _check_language(settings.model.model, code)
    return replace(
        settings,
        model=replace(settings.model, model=_model(settings.model.model)),
        decoding=replace(settings.decoding, language=code),
        output=replace(
            output,
            output_dir=str(_whole(output.output_dir)),
            replacements=None if output.replacements is None else _rules(output.replacements),
        ),
    )


def usable_value(field: Field, value: Value) -> Value:
    """One value as `usable` makes it, looked at alone; raises UsageError or ModelError."""
    match field.key, value:
        case "decoding.language", str(language):
            return _code(language)
        case "model.model", str(model):
            return _model(model)
        case "output.output_dir", str(folder):
            return str(_whole(folder))
        case "output.output_format", str(name):
            check_format(name)
            return value
        case "output.output_name", str(template):
            _check_template(template)
            return value
        case "output.replacements", str(file):
            return _rules(file)
        case key, str(amount) if key in {f"memory.{name}" for name in AMOUNTS}:
            return _amount(key, amount)
        case key, str(command) if key in {f"done.{name}" for name in COMMANDS}:
            return _command(key, command, shell=False)
        case _:
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


def _check_template(template: str) -> None:
    try:
        check_template(template)
    except ValueError as error:
        raise UsageError(f"--output_name cannot be {template!a}", str(error)) from None


def _rules(file: str) -> str:
    """The file with replacements, as an absolute path, which can be read and has no mistake."""
    path = _whole(file)
    load_replacements(path)
    return str(path)


def _check_words(settings: Settings) -> None:
    if settings.decoding.word_timestamps:
        return
    wanting = [name for name in _NEED_WORDS if getattr(settings.output, name)]
    if settings.decoding.hallucination_silence_threshold:
        wanting.append("hallucination_silence_threshold")
    if wanting:
        raise UsageError(f"--{wanting[0]} requires --word_timestamps", "add --word_timestamps True")


def _check_language(model: str, code: str | None) -> None:
    if code not in {None, "en"} and model.endswith(".en") and not _looks_like_folder(model):
        raise UsageError(
            f"the model {model} knows English only, but the language is {code}",
            f"use --model {model.removesuffix('.en')}, or --language en",
        )


def _amount(key: str, text: str) -> str:
    try:
        parse_amount(text)
    except ValueError:
        raise UsageError(f"{key} cannot be {text!a}", f"allowed: {FORMS}") from None
    return text


def _command(key: str, command: str | None, *, shell: bool) -> str | None:
    """A command that can be taken apart without a shell; what a shell takes is the shell's."""
    if command is None or shell:
        return command
    import shlex

    try:
        if not shlex.split(command):
            raise ValueError("it is empty")
    except ValueError as error:
        raise UsageError(
            f"{key} cannot be {command!a}: {str(error).lower()}",
            "a program and its arguments, quoted as in a shell",
        ) from None
    return command


def _code(language: str) -> str:
    code = language_code(language)
    if code is None:
        names = [*LANGUAGES, *LANGUAGES.values()]
        close = get_close_matches(language.lower(), names, n=1)
        raise UsageError(
            f"Whisper does not know the language {language!r}",
            f"did you mean {close[0]}?" if close else "use a code such as en, or a name: English",
        )
    return code


def _model(model: str) -> str:
    """The model's name, or its folder as an absolute path."""
    folder = expand_home(model)
    if not _looks_like_folder(model):
        return model
    if not (folder / "model.bin").is_file():
        raise ModelError(
            f"no model in {folder}",
            "a folder with a CTranslate2 Whisper model has a model.bin and a tokenizer.json",
        )
    return str(_whole(model))


def _looks_like_folder(model: str) -> bool:
    return model.startswith((".", "~", "/")) or expand_home(model).is_dir()


def _whole(path: str) -> Path:
    return expand_home(path).absolute()
