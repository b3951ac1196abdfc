"""Settings as a batch can use them: whole paths, language codes, no contradictions."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from msgspec.structs import replace

from fwtui.config.fields import Field, Value
from fwtui.core.amount import FORMS, parse_amount
from fwtui.core.languages import LANGUAGES, language_code
from fwtui.core.settings import Settings
from fwtui.errors import ModelError, UsageError

AMOUNTS = ("warn", "limit", "gpu_limit")
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
    _check_words(settings)
    _check_language(settings.model.model, code)
    return replace(
        settings,
        model=replace(settings.model, model=_model(settings.model.model)),
        decoding=replace(settings.decoding, language=code),
        output=replace(settings.output, output_dir=str(_whole(settings.output.output_dir))),
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
        case key, str(amount) if key in {f"memory.{name}" for name in AMOUNTS}:
            return _amount(key, amount)
        case _:
            return value


def warnings(settings: Settings) -> Iterator[str]:
    """What the user asked for that will have no effect."""
    output = settings.output
    if output.max_line_count and not output.max_line_width:
        yield "--max_line_count has no effect without --max_line_width"
    if output.max_words_per_line and output.max_line_width:
        yield "--max_words_per_line has no effect with --max_line_width"


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
    folder = Path(model).expanduser()
    if not _looks_like_folder(model):
        return model
    if not (folder / "model.bin").is_file():
        raise ModelError(
            f"no model in {folder}",
            "a folder with a CTranslate2 Whisper model has a model.bin and a tokenizer.json",
        )
    return str(_whole(model))


def _looks_like_folder(model: str) -> bool:
    return model.startswith((".", "~", "/")) or Path(model).expanduser().is_dir()


def _whole(path: str) -> Path:
    return Path(path).expanduser().absolute()
