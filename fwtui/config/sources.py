"""The layers of settings: defaults, settings file, profile, environment, command line.

Each layer overrides those before it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

import msgspec

from fwtui.config.fields import Field, Value, all_fields, apply, check, find_field, parse_argument
from fwtui.config.profiles import Profile, profile_keys
from fwtui.core.settings import Settings
from fwtui.disk.files import read_regular
from fwtui.errors import ConfigError

PREFIX = "FWTUI_"
PROFILE = "FWTUI_PROFILE"
# Variables set for hooks begin with this and are not settings.
FACTS = "FWTUI_DONE_"
_OTHERS = frozenset({PROFILE, "FWTUI_STATE_DIR", "FWTUI_CACHE_DIR", "FWTUI_CONFIG_DIR"})


def variable(field: Field) -> str:
    """The environment variable of a setting."""
    return PREFIX + field.option.upper()


def environment_values(environ: Mapping[str, str]) -> dict[str, Value]:
    """The settings in the environment, by `section.name`; raises ConfigError with the variable."""
    values: dict[str, Value] = {}
    if not any(name.startswith(PREFIX) and name not in _OTHERS for name in environ):
        return values
    for field in all_fields():
        name = variable(field)
        if text := environ.get(name, ""):
            try:
                values[field.key] = parse_argument(field, text)
            except ConfigError as error:
                raise error.located(name) from error
    return values


def misspelt_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Unknown variables that begin with FWTUI_, with the known ones that were probably meant."""
    known = {variable(field) for field in all_fields()} | _OTHERS
    ours = [name for name in sorted(environ) if name.startswith(PREFIX)]
    for name in ours:
        close = get_close_matches(name, sorted(known), n=1, cutoff=0.8)
        if close and name not in known and not name.startswith(FACTS):
            yield name, close[0]


NONE = "none"
KEYS = "keys"
PROFILES = "profiles"
# Tables of the file that are not settings.
_OTHER_TABLES = frozenset({KEYS, PROFILES})


def load_settings(path: Path) -> Settings:
    """The settings in this file, or the defaults if it does not exist.

    Raises ConfigError with the file, the key, its value and what is allowed.
    """
    return apply(Settings(), load_values(path))


def load_values(path: Path) -> dict[str, Value]:
    """The settings in this file by `section.name`; raises as `load_settings`."""
    data = read_file(path)
    try:
        return parse_values(data)
    except ConfigError as error:
        raise error.located(str(path)) from error


LARGEST = 1 << 24  # bytes of a settings file


def read_file(path: Path) -> bytes:
    """The bytes of a settings file, empty if it does not exist; raises ConfigError."""
    try:
        return read_regular(path, LARGEST)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror or error}",
            "correct its permissions, or move it away to use the defaults",
        ) from error


def parse_settings(data: bytes) -> Settings:
    """The settings in the bytes of a TOML file; raises ConfigError."""
    return apply(Settings(), parse_values(data))


def parse_values(data: bytes) -> dict[str, Value]:
    """The values in the bytes of a TOML file, each of them allowed; raises ConfigError."""
    tables = parse_tables(data)
    found = values_in({name: t for name, t in tables.items() if name not in _OTHER_TABLES})
    return {key: check(find_field(key), value) for key, value in found}


def parse_tables(data: bytes) -> dict[str, Any]:
    """The tables in the bytes of a TOML file; raises ConfigError."""
    if not data:
        return {}
    import tomllib

    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError("not a UTF-8 text file", f"byte {error.start} is invalid") from error
    # tomllib parses recursively, so a deeply nested file ends it by RecursionError.
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"not valid TOML: {error}", "see https://toml.io") from error


def values_in(tables: dict[str, Any]) -> Iterator[tuple[str, Value]]:
    """The settings in tables by `section.name`, not checked yet; raises ConfigError."""
    for section, table in tables.items():
        if section not in Settings.__struct_fields__:
            raise _unknown_section(section, table)
        if not isinstance(table, dict):
            raise ConfigError(f"{section!r} is a section", f"write [{section}] on a separate line")
        for name, value in table.items():
            field = find_field(f"{section}.{name}")
            is_off = value in (NONE, field.unset) and field.optional and field.kind != "str"
            yield field.key, None if is_off else cast("Value", value)


def _unknown_section(section: str, table: Any) -> ConfigError:
    known = Settings.__struct_fields__
    if not isinstance(table, dict):
        try:
            find_field(section)
        except ConfigError as error:
            return ConfigError(f"setting {section!r} is not in a section", error.hint)
    nearest = get_close_matches(section, known, n=1, cutoff=0.0)[0]
    sections = ", ".join(f"[{name}]" for name in known)
    return ConfigError(
        f"no section is called [{section}]", f"did you mean [{nearest}]? Sections: {sections}"
    )


class Origin(StrEnum):
    """The layer that a value comes from."""

    DEFAULT = "default"
    FILE = "file"
    PROFILE = "profile"
    ENVIRONMENT = "environment"
    COMMAND_LINE = "command line"


class Layer(msgspec.Struct, frozen=True):
    """The values of a layer by `section.name`; `name` is that of the file or the profile."""

    origin: Origin
    values: Mapping[str, Value]
    name: str = ""

    def source(self, field: Field) -> str:
        """Where exactly a value comes from, as text."""
        match self.origin:
            case Origin.ENVIRONMENT:
                return variable(field)
            case Origin.COMMAND_LINE:
                return f"--{field.option}"
            case Origin.PROFILE:
                return f"profile {self.name}"
            case _:
                return self.name or self.origin


class SourcedValue(msgspec.Struct, frozen=True):
    """The value of a setting, and where it comes from."""

    field: Field
    value: Value
    origin: Origin
    source: str


def make_layers(
    file: Path,
    *,
    profile: str | None = None,
    given: Mapping[str, Value] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> tuple[Layer, ...]:
    """The layers above the defaults, the lowest first, with the named profile.

    Raises ConfigError that names the layer of an invalid value.
    """
    name = profile or environ.get(PROFILE) or ""
    layers = [Layer(Origin.FILE, load_values(file), str(file))]
    if name:
        found = find_profile(file, name)
        layers.append(Layer(Origin.PROFILE, found.sets, found.name))
    layers.append(Layer(Origin.ENVIRONMENT, environment_values(environ)))
    layers.append(Layer(Origin.COMMAND_LINE, given or {}))
    return tuple(layers)


def find_profile(file: Path, name: str) -> Profile:
    """The profile of this name, custom ones first; raises ConfigError naming the nearest one."""
    from difflib import get_close_matches

    from fwtui.config.profiles import PROFILES

    known = (*load_profiles(file), *PROFILES)
    for profile in known:
        if profile.name.casefold() == name.casefold():
            return profile
    names = [profile.name for profile in known]
    close = get_close_matches(name.title(), names, n=1) or get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"available: {', '.join(names)}"
    raise ConfigError(f"no profile is called {name!r}", hint)


def merge_layers(layers: Sequence[Layer]) -> Settings:
    """The settings that result from all layers."""
    values: dict[str, Value] = {}
    for layer in layers:
        values |= layer.values
    return apply(Settings(), as_asked(values))


def as_asked(values: Mapping[str, Value]) -> Mapping[str, Value]:
    """Named values as they are meant: to ask for overwriting is more than to leave the default.

    By default a recording's own transcript is overwritten, and no other.
    """
    key = "output.if_exists"
    if values.get(key) != "overwrite":
        return values
    return {**values, key: "overwrite_any"}


def sourced_values(layers: Sequence[Layer]) -> tuple[SourcedValue, ...]:
    """All settings with their values and origins, in the order of their declaration."""
    found = {
        field.key: SourcedValue(field, field.default, Origin.DEFAULT, Origin.DEFAULT)
        for field in all_fields()
    }
    for layer in layers:
        for key, value in layer.values.items():
            field = found[key].field
            found[key] = SourcedValue(field, value, layer.origin, layer.source(field))
    return tuple(found.values())


def load_keys(path: Path) -> Mapping[str, tuple[str, ...]]:
    """The keys of each action in `[keys]`, which the screen checks.

    Raises ConfigError that names the file.
    """
    try:
        return keys_in(parse_tables(read_file(path)))
    except ConfigError as error:
        raise error.located(str(path)) from error


def load_profiles(path: Path) -> tuple[Profile, ...]:
    """The custom profiles in the order of the file; raises ConfigError that names the file."""
    try:
        return profiles_in(parse_tables(read_file(path)))
    except ConfigError as error:
        raise error.located(str(path)) from error


def keys_in(tables: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """The keys in the tables of a settings file; raises ConfigError."""
    return {name: _names(name, value) for name, value in _table(tables, KEYS).items()}


def profiles_in(tables: Mapping[str, Any]) -> tuple[Profile, ...]:
    """The profiles in the tables of a settings file; raises ConfigError."""
    return tuple(_profile(name, table) for name, table in _table(tables, PROFILES).items())


def _table(tables: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = tables.get(name, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{name!r} is a section", f"write [{name}] on a separate line")
    return table


def _names(action: str, value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError(
            f"the keys of {action!r} in [keys] must be a string or a list of strings",
            f'for example: {action} = ["x", "f5"]',
        )
    return tuple(names)


def _profile(name: str, table: Any) -> Profile:
    if not isinstance(table, dict):
        raise ConfigError(f"profile {name!r} is not a section", f"write [profiles.{name}]")
    values: dict[str, Value] = dict(values_in(table))
    for key in values:
        if key not in profile_keys():
            raise ConfigError(
                f"profile {name!r} cannot contain {key}",
                "profiles set only the model, transcription and output",
                setting=key,
            )
    try:
        apply(Settings(), values)
    except ConfigError as error:
        raise error.located(f"profile {name!r}") from error
    return Profile(name, "Your own", values, complete=True)
