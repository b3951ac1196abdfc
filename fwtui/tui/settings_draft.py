"""Settings while they are edited: always valid, and which of them were changed."""

import os
import re
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from fwtui.config.fields import Field, Value, all_fields, apply, check, parse, value_of
from fwtui.config.validate import validated_value
from fwtui.core.paths import expand_home
from fwtui.core.settings import Settings
from fwtui.errors import ConfigError
from fwtui.tui.formatting import clean, shown_path

_BASIC = ("decoding.task", "decoding.language", "output.output_dir", "output.output_format")
_TIMES = (
    "decoding.without_timestamps",
    "decoding.max_initial_timestamp",
    "decoding.clip_timestamps",
    "decoding.word_timestamps",
    "decoding.prepend_punctuations",
    "decoding.append_punctuations",
    "decoding.hallucination_silence_threshold",
)
GROUPS = (
    "Basic",
    "Model",
    "Decoding",
    "Speech detection",
    "Timestamps and words",
    "Speakers",
    "Output",
    "Quality",
    "Batch",
    "Memory",
    "When it is done",
    "Interface",
    "Log files",
)
_SECTIONS = {"done": "When it is done", "log": "Log files"}
_UNITS = {"ms": "milliseconds", "s": "seconds", "seconds": "seconds"}
_UNIT = re.compile(r"_(ms|s|seconds)$|\((ms|s|seconds)\)$")


class Draft:
    """`base` is what the batch uses, `settings` what it would use."""

    def __init__(self, base: Settings) -> None:
        self.base = base
        self.settings = base

    def value(self, field: Field) -> Value:
        """The value now."""
        return value_of(self.settings, field)

    def is_default(self, field: Field) -> bool:
        """Whether nothing was chosen for it."""
        return self.value(field) == field.default

    def is_changed(self, field: Field) -> bool:
        """Whether the batch uses another value."""
        return self.value(field) != value_of(self.base, field)

    @property
    def changes(self) -> int:
        """How many values the batch would get."""
        return sum(self.is_changed(field) for field in all_fields())

    def put(self, field: Field, value: Value) -> None:
        """Set a value; raises ConfigError."""
        self.settings = apply(self.settings, {field.key: value})

    def typed(self, field: Field, text: str) -> Value:
        """The value that a text stands for; raises FwtuiError."""
        if text == edited_text(self.value(field)):
            return self.value(field)
        return validated_value(field, parse(field, text))

    def step(self, field: Field, by: int) -> bool:
        """The next (-1: the last) choice, number or switch; False if there is none."""
        value = self.value(field)
        match field.kind, value:
            case "bool", bool():
                after: Value = by > 0
            case "choice", str():
                at = field.choices.index(value) + by
                after = field.choices[at % len(field.choices)]
            case "int", int():
                after = value + by
            case _:
                return False
        try:
            check(field, after)
        except ConfigError:
            return False
        self.put(field, after)
        return True


def grouped(needle: str = "") -> Iterator[tuple[str, list[Field]]]:
    """The groups and their settings; with a needle only those whose name or help has it."""
    words = needle.lower().replace(" ", "_"), needle.lower()
    for group in GROUPS:
        inside = [
            field
            for field in all_fields()
            if group_of(field) == group
            and (words[0] in field.key or words[1] in field.description.lower())
        ]
        if inside:
            yield group, inside


def group_of(field: Field) -> str:
    """Where a setting is shown."""
    if field.key in _BASIC:
        return "Basic"
    if field.key in _TIMES:
        return "Timestamps and words"
    if field.name.startswith("vad_"):
        return "Speech detection"
    return _SECTIONS.get(field.section, field.section.capitalize())


def unit_of(field: Field) -> str:
    """The unit of a number, or nothing."""
    if field.kind not in {"int", "float"}:
        return ""
    found = _UNIT.search(field.name) or _UNIT.search(field.description)
    return _UNITS[found[1] or found[2]] if found else ""


# Values that mean something else than they say.
_SHOWN: Mapping[tuple[str, Value], str] = {
    ("model.model_dir", None): "Hugging Face cache",
    ("model.threads", 0): "auto",
    ("decoding.language", None): "auto-detect",
    ("decoding.no_repeat_ngram_size", 0): "off",
    ("decoding.temperature_increment_on_fallback", None): "off",
    ("decoding.compression_ratio_threshold", None): "off",
    ("decoding.logprob_threshold", None): "off",
    ("decoding.no_speech_threshold", None): "off",
    ("decoding.suppress_tokens", "-1"): "default",
    ("decoding.max_new_tokens", None): "auto",
    ("decoding.clip_timestamps", "0"): "whole file",
    ("decoding.hallucination_silence_threshold", None): "off",
    ("decoding.vad_threshold", None): "auto",
    ("decoding.vad_min_speech_duration_ms", None): "auto",
    ("decoding.vad_max_speech_duration_s", None): "auto",
    ("decoding.vad_min_silence_duration_ms", None): "auto",
    ("output.max_line_width", None): "no limit",
    ("output.max_line_count", None): "no limit",
    ("output.max_words_per_line", None): "no limit",
    ("output.max_chars_per_second", None): "no limit",
    ("output.min_gap_ms", 0): "off",
}


def shown_value(field: Field, value: Value) -> str:
    """A value of a setting for people, in one line."""
    if type(value) is not bool and (field.key, value) in _SHOWN:
        return _SHOWN[field.key, value]
    if isinstance(value, str) and value.startswith(os.sep):
        return shown_path(value)
    return field.unset if value is None else plain_value(value)


def allowed_values(field: Field) -> str:
    """What can be typed for a setting."""
    match field.kind:
        case "bool":
            return "on or off"
        case "str" if field.pattern is None:
            return f"any text; empty: {shown_value(field, None)}" if field.optional else "any text"
        case _:
            return field.allowed


def plain_value(value: Value) -> str:
    """A value as it is typed, in one line."""
    match value:
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:.12g}"
        case "":
            return '""'
        case _:
            return clean(str(value))


def edited_text(value: Value) -> str:
    """A value as the text to begin typing with."""
    return plain_value(value) if value is not None and value != "" else ""


def portable(settings: Settings, stored: Settings) -> Settings:
    """`settings` with `stored`'s output folder, if it is the same one from here.

    A batch has the folder as an absolute path; as a default, `.` must stay the folder of the day.
    """
    folder = stored.output.output_dir
    if str(expand_home(folder).absolute()) != settings.output.output_dir:
        return settings
    return replace(settings, output=replace(settings.output, output_dir=folder))
