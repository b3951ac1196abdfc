"""The user's own keys and profiles, which are in the settings file beside the settings."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fwtui.config.fields import Value, apply
from fwtui.config.load import NONE, parse_tables, read_file, values_in
from fwtui.config.profiles import Profile, held
from fwtui.core.settings import Settings
from fwtui.errors import ConfigError

KEYS = "keys"
PROFILES = "profiles"


def load_keys(path: Path) -> Mapping[str, tuple[str, ...]]:
    """The keys of each action in `[keys]`; whether there are such is the screen's to say.

    Raises ConfigError that names the file.
    """
    try:
        return keys_in(parse_tables(read_file(path)))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.title}", error.hint) from error


def load_profiles(path: Path) -> tuple[Profile, ...]:
    """The user's profiles, in the order of the file; raises ConfigError that names the file."""
    try:
        return profiles_in(parse_tables(read_file(path)))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.title}", error.hint) from error


def save_profile(path: Path, profile: Profile) -> None:
    """Add a profile to the file, or replace the one with its name; raises ConfigError."""
    import tomlkit

    table = tomlkit.table()
    for key, value in profile.values.items():
        section, _, name = key.partition(".")
        if section not in table:
            table[section] = tomlkit.table()
        table[section][name] = NONE if value is None else value
    _change(path, lambda profiles: profiles.__setitem__(profile.name, table))


def delete_profile(path: Path, name: str) -> None:
    """Take a profile out of the file; raises ConfigError."""
    _change(path, lambda profiles: profiles.pop(name, None))


def _change(path: Path, change: Callable[[Any], object]) -> None:
    import tomlkit

    from fwtui.config.save import replace_file

    before = read_file(path)
    try:
        parse_tables(before)
        document = tomlkit.parse(before.decode("utf-8-sig"))
        if PROFILES not in document:
            document[PROFILES] = tomlkit.table(is_super_table=True)
        change(document[PROFILES])
        if not document[PROFILES]:
            del document[PROFILES]
        replace_file(path, document.as_string().encode())
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.title}", error.hint) from error


def keys_in(tables: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """`load_keys` of a file that is read; raises ConfigError."""
    return {name: _names(name, value) for name, value in _table(tables, KEYS).items()}


def profiles_in(tables: Mapping[str, Any]) -> tuple[Profile, ...]:
    """`load_profiles` of a file that is read; raises ConfigError."""
    return tuple(_profile(name, table) for name, table in _table(tables, PROFILES).items())


def _table(tables: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = tables.get(name, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{name!r} is a section", f"write [{name}] on its own line")
    return table


def _names(action: str, value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError(
            f"the keys of {action!r} in [keys] are not a text or a list of texts",
            f'for example: {action} = ["x", "f5"]',
        )
    return tuple(names)


def _profile(name: str, table: Any) -> Profile:
    if not isinstance(table, dict):
        raise ConfigError(f"the profile {name!r} is not a section", f"write [profiles.{name}]")
    values: dict[str, Value] = dict(values_in(table))
    for key in values:
        if key not in held():
            raise ConfigError(
                f"the profile {name!r} cannot hold {key}", "profiles decide text and outputs only"
            )
    try:
        apply(Settings(), values)
    except ConfigError as error:
        raise ConfigError(f"profile {name!r}: {error.title}", error.hint) from error
    return Profile(name, "Your own", values, whole=True)
