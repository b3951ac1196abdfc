"""All errors in a settings file, not only the first."""

from collections.abc import Iterator
from typing import Any

from fwtui.config.fields import Value, apply, check, find_field
from fwtui.config.sources import KEYS, PROFILES, keys_in, parse_tables, profiles_in, values_in
from fwtui.config.validate import validated
from fwtui.core.settings import Settings
from fwtui.errors import ConfigError, FwtuiError


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
