"""Every setting as data, for the command line, the settings file and the settings screen."""

import math
import re
import types
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from fwtui.core.settings import LIMITS, Settings
from fwtui.errors import ConfigError

Kind = Literal["bool", "int", "float", "str", "choice"]
Value = bool | int | float | str | None

# The engine stores integers in C ints; larger ones would be truncated silently.
MAX_INT = 2**31 - 1

# Options of settings whose names are unclear without their section.
_OPTIONS = {
    "memory.warn": "memory_warn",
    "memory.limit": "memory_limit",
    "memory.gpu_limit": "gpu_memory_limit",
    "log.level": "log_level",
    "log.keep_days": "log_keep_days",
}

_KINDS: dict[type, Kind] = {bool: "bool", int: "int", float: "float", str: "str"}
_NOUNS: dict[Kind, str] = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "choice": "one of",
}
_BOOLEANS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One setting. `minimum` and `maximum` are allowed values unless their exclusive flag is set.

    `optional`: None is allowed, and means not set or off; `unset` is the word for it. `choices` are
    in the order of the declaration, and empty unless `kind` is "choice".
    """

    section: str
    name: str
    kind: Kind
    optional: bool
    default: Value
    description: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    pattern: str | None = None
    unset: str = "none"

    def matches(self, text: str) -> bool:
        """Whether a text has the required form."""
        return self.pattern is None or re.search(self.pattern, text) is not None

    @property
    def key(self) -> str:
        """The setting's full name: `section.name`."""
        return f"{self.section}.{self.name}"

    @property
    def option(self) -> str:
        """Its name on the command line, after `--`, and in the environment, after `FWTUI_`."""
        return _OPTIONS.get(self.key, self.name)

    @property
    def allowed(self) -> str:
        """The allowed values as text: "a whole number, at least 1, or none"."""
        if self.kind == "choice":
            text = "one of " + ", ".join(self.choices)
        else:
            noun = "comma-separated numbers" if self.pattern else _NOUNS[self.kind]
            text = ", ".join([noun, *self._bounds()])
        return f"{text}, or {self.unset}" if self.optional else text

    def _bounds(self) -> Iterator[str]:
        if self.minimum is not None:
            yield f"{'above' if self.exclusive_minimum else 'at least'} {self.minimum:g}"
        if self.maximum is not None:
            yield f"{'below' if self.exclusive_maximum else 'at most'} {self.maximum:g}"


@cache
def all_fields() -> tuple[Field, ...]:
    """All settings in the order of their declaration."""
    defaults = Settings()
    return tuple(
        _describe(section, name, hint, getattr(getattr(defaults, section), name))
        for section in Settings.__struct_fields__
        for name, hint in get_type_hints(
            type(getattr(defaults, section)), include_extras=True
        ).items()
    )


@cache
def fields_by_key() -> Mapping[str, Field]:
    """All settings by `section.name`."""
    return types.MappingProxyType({field.key: field for field in all_fields()})


def find_field(key: str) -> Field:
    """The setting called `section.name`; raises ConfigError naming the nearest one."""
    known = fields_by_key()
    if key in known:
        return known[key]
    nearest = _nearest(key, known)
    hint = f"did you mean {nearest}?" if nearest else "see: fwtui config show"
    raise ConfigError(f"no setting is called {key!r}", hint)


def field_named(name: str) -> Field:
    """The setting with this key or option; raises ConfigError naming the nearest one."""
    option = name.removeprefix("--").replace("-", "_")
    same = [field for field in all_fields() if option == field.option]
    return same[0] if same else find_field(name)


def apply(settings: Settings, values: Mapping[str, Value], *, stored: bool = False) -> Settings:
    """`settings` with these values, given by `section.name`.

    `stored`: they were stored by any version of fwtui; only their types are checked. Raises
    ConfigError with the key, the value and what is allowed.
    """
    changes: dict[str, dict[str, Value]] = {}
    for key, value in values.items():
        field = find_field(key)
        changes.setdefault(field.section, {})[field.name] = check(field, value, stored=stored)
    sections = {
        section: msgspec.structs.replace(getattr(settings, section), **changed)
        for section, changed in changes.items()
    }
    return msgspec.structs.replace(settings, **sections)


def value_of(settings: Settings, field: Field) -> Value:
    """The value of a setting."""
    return value_at(settings, field.key)


def value_at(settings: Settings, key: str) -> Value:
    """The value of an existing setting, by its `section.name`."""
    section, _, name = key.partition(".")
    value: Value = getattr(getattr(settings, section), name)
    return value


def differing(settings: Settings) -> Iterator[tuple[Field, Value]]:
    """The settings whose values are not their defaults, with these values."""
    for field in all_fields():
        value = value_of(settings, field)
        if value != field.default:
            yield field, value


def check(field: Field, value: object, *, stored: bool = False) -> Value:
    """The value in the field's type; raises ConfigError if it is not allowed.

    `stored`: only the type is checked, not the range.
    """
    if value is None:
        if field.optional:
            return None
        raise _not_allowed(field, value)
    match field.kind:
        case "bool":
            valid = isinstance(value, bool)
        case "int":
            valid = isinstance(value, int) and not isinstance(value, bool)
            valid = valid and abs(value) <= MAX_INT  # type: ignore[arg-type]
        case "float":
            valid = isinstance(value, int | float) and not isinstance(value, bool)
            value = _as_float(value) if valid else value
            valid = valid and math.isfinite(value)  # type: ignore[arg-type]
        case "str":
            if field.pattern and type(value) is int:  # a TOML file may have 1
                value = str(value)
            valid = isinstance(value, str) and _is_unicode(value) and field.matches(value)
        case "choice":
            valid = value in field.choices
    if not (valid and (stored or _is_within(field, value))):
        raise _not_allowed(field, value)
    return value  # type: ignore[return-value]


def parse(field: Field, text: str) -> Value:
    """The value of text typed by the user; raises ConfigError if it is not allowed.

    For optional settings an empty text is None; so is, unless the kind is "str", none or the
    field's `unset`.
    """
    word = text.strip().lower()
    if field.optional and (not text or (field.kind != "str" and word in {"", "none", field.unset})):
        return None
    try:
        match field.kind:
            case "bool":
                return _BOOLEANS[word]
            case "int":
                return check(field, int(word))
            case "float":
                return check(field, float(word))
            case "str" | "choice":
                return check(field, text)
    except (ValueError, KeyError):
        raise _not_allowed(field, text) from None


def parse_argument(field: Field, text: str) -> Value:
    """As `parse` for arguments, which cannot be omitted: `None` is None for every kind."""
    return None if field.optional and text == "None" else parse(field, text)


def _describe(section: str, name: str, hint: Any, default: Value) -> Field:
    members = tuple(_members(hint))
    plain = [member for member in members if not isinstance(member, Meta)]
    metas = [member for member in members if isinstance(member, Meta)]
    choices = tuple(member for member in plain if isinstance(member, str))
    kind: Kind = "choice" if choices else next(_KINDS[m] for m in plain if m in _KINDS)
    above, least = _bound(metas, "gt"), _bound(metas, "ge")
    below, most = _bound(metas, "lt"), _bound(metas, "le")
    lowest, highest = LIMITS.get(f"{section}.{name}", (None, None))
    if lowest is not None:
        above, least = None, lowest
    if highest is not None:
        below, most = None, highest
    return Field(
        section=section,
        name=name,
        kind=kind,
        optional=type(None) in plain,
        default=default,
        description=next((meta.description for meta in metas if meta.description), ""),
        choices=choices,
        minimum=least if above is None else above,
        maximum=most if below is None else below,
        exclusive_minimum=above is not None,
        exclusive_maximum=below is not None,
        pattern=next((meta.pattern for meta in metas if meta.pattern), None),
        unset=next((meta.extra["unset"] for meta in metas if meta.extra), "none"),
    )


def _members(hint: Any) -> Iterator[Any]:
    """The parts of a type hint: plain types, `Meta`s, and the strings of a `Literal`."""
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *metas = get_args(hint)
        yield from _members(inner)
        yield from metas
    elif origin in {Union, types.UnionType}:
        for member in get_args(hint):
            yield from _members(member)
    elif origin is Literal:
        yield from get_args(hint)
    else:
        yield hint


def _bound(metas: list[Meta], name: Literal["gt", "ge", "lt", "le"]) -> float | None:
    bounds = (getattr(meta, name) for meta in metas)
    return next((bound for bound in bounds if bound is not None), None)


def _is_within(field: Field, value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return True
    if field.minimum is not None and (
        value < field.minimum or (field.exclusive_minimum and value == field.minimum)
    ):
        return False
    return field.maximum is None or not (
        value > field.maximum or (field.exclusive_maximum and value == field.maximum)
    )


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _is_unicode(text: str) -> bool:
    """False for lone surrogates, which stand for undecodable bytes and cannot be stored."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _not_allowed(field: Field, value: object) -> ConfigError:
    return ConfigError(
        f"{field.key} cannot be {_as_text(value)}", f"allowed: {field.allowed}", setting=field.key
    )


def _as_text(value: object) -> str:
    return shortened(
        "none" if value is None else ascii(value) if isinstance(value, str) else str(value)
    )


def shortened(text: str, most: int = 60) -> str:
    """A text that a user gave, not too long for a message."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _nearest(key: str, known: Mapping[str, Field]) -> str | None:
    """The setting that was probably meant, even if the section is wrong or missing."""
    name = key.rpartition(".")[2]
    if same := [field.key for field in known.values() if field.name == name]:
        return same[0]
    if close := get_close_matches(key, known, n=1, cutoff=0.6):
        return close[0]
    names = {field.name: field.key for field in known.values()}
    return names[close[0]] if (close := get_close_matches(name, names, n=1)) else None
