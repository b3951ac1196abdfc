"""Saves settings as TOML: only values that differ from the defaults, with the user's comments."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fwtui.config.fields import Field, Value, all_fields, value_of
from fwtui.config.profiles import Profile
from fwtui.config.sources import LARGEST, NONE, PROFILES, parse_settings, parse_tables, read_file
from fwtui.core.settings import Settings
from fwtui.disk.files import read_regular, replace_file, storage_error
from fwtui.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Table


def save_settings(path: Path, settings: Settings) -> None:
    """Replace the file atomically, keeping lines whose values do not change.

    Creates the folder. Raises ConfigError, also if the file is not a valid settings file, which is
    never overwritten.
    """
    try:
        before = read_regular(path, LARGEST) if path.exists() else b""
    except OSError as error:
        raise _cannot_write(storage_error(error, path, "write")) from error
    write_settings(path, _rendered(path, before, settings))


def write_settings(path: Path, data: bytes) -> None:
    """Write a settings file atomically; creates its folder. Raises ConfigError."""
    try:
        replace_file(path, data)
    except StorageError as error:
        raise _cannot_write(error) from error


def _cannot_write(error: StorageError) -> ConfigError:
    hint = "Check the permissions and the free space of its folder."
    return ConfigError(error.title, error.hint or hint)


def _rendered(path: Path, before: bytes, settings: Settings) -> bytes:
    try:
        after = render_settings(settings, before)
        written = parse_settings(after)
    except ConfigError as error:
        raise error.located(str(path)) from error
    if written != settings:
        raise ConfigError(f"cannot change the layout of {path}", "write a table for each section")
    return after


def render_settings(settings: Settings, before: bytes = b"") -> bytes:
    """The TOML file `before`, changed to contain `settings`; raises ConfigError."""
    import tomlkit

    old = parse_settings(before)
    document = tomlkit.parse(before.decode("utf-8-sig"))
    for field in all_fields():
        value = value_of(settings, field)
        if value != value_of(old, field):
            _set(document, field, value)
    return document.as_string().encode()


def _set(document: "TOMLDocument", field: Field, value: Value) -> None:
    import tomlkit
    from tomlkit.items import Table

    if field.section not in document:
        document[field.section] = tomlkit.table()
    table = document[field.section]
    assert hasattr(table, "__setitem__")
    if value == field.default and (value is None or not _has_comment(table, field.name)):
        del table[field.name]
        if not table and not table.as_string().strip():
            del document[field.section]
    elif field.name in table or not isinstance(table, Table):
        table[field.name] = NONE if value is None else value
    else:
        _append(table, field.name, NONE if value is None else value)


def _has_comment(table: object, name: str) -> bool:
    from tomlkit.items import Item, Table

    item = table.value.item(name) if isinstance(table, Table) else None
    return isinstance(item, Item) and bool(item.trivia.comment)


def _append(table: "Table", name: str, value: bool | float | str) -> None:
    """Add a key after the last one, before comments that belong to the next table."""
    body = table.value.body
    end = max((at + 1 for at, (key, _) in enumerate(body) if key is not None), default=0)
    rest = body[end:]
    del body[end:]
    table.append(name, value)
    body.extend(rest)


def save_profile(path: Path, profile: Profile) -> None:
    """Add a profile to the file, or replace that of the same name; raises ConfigError."""
    import tomlkit

    table = tomlkit.table()
    for key, value in profile.values.items():
        section, _, name = key.partition(".")
        if section not in table:
            table[section] = tomlkit.table()
        table[section][name] = NONE if value is None else value
    _change(path, lambda profiles: profiles.__setitem__(profile.name, table))


def delete_profile(path: Path, name: str) -> None:
    """Remove a profile from the file; raises ConfigError."""
    _change(path, lambda profiles: profiles.pop(name, None))


def _change(path: Path, change: Callable[[Any], object]) -> None:
    import tomlkit

    before = read_file(path)
    try:
        parse_tables(before)
        document = tomlkit.parse(before.decode("utf-8-sig"))
        if PROFILES not in document:
            document[PROFILES] = tomlkit.table(is_super_table=True)
        change(document[PROFILES])
        if not document[PROFILES]:
            del document[PROFILES]
        write_settings(path, document.as_string().encode())
    except ConfigError as error:
        raise error.located(str(path)) from error
