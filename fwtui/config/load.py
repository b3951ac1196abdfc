"""Settings from a TOML file: a table for each section, such as `[decoding]`.

TOML has no null, so "none" switches a setting off that is not a text: `vad_threshold = "none"`.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from fwtui.config.fields import Value, apply, check, find_field
from fwtui.core.settings import Settings
from fwtui.errors import ConfigError

NONE = "none"
# Tables of the file that are no settings; fwtui.config.own reads them.
OTHER_TABLES = frozenset({"keys", "profiles"})


def load_settings(path: Path) -> Settings:
    """The settings in this file, or the defaults if there is no such file.

    Raises ConfigError that names the file, the key, its value and what is allowed.
    """
    return apply(Settings(), load_values(path))


def load_values(path: Path) -> dict[str, Value]:
    """The settings that this file has, by `section.name`; raises as `load_settings`."""
    data = read_file(path)
    try:
        return parse_values(data)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.title}", error.hint) from error


def read_file(path: Path) -> bytes:
    """The bytes of a settings file, none if it is not there; raises ConfigError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror or error}",
            "correct its permissions, or move it away to use the defaults",
        ) from error


def parse_settings(data: bytes) -> Settings:
    """The settings in the bytes of a TOML file; raises ConfigError."""
    return apply(Settings(), parse_values(data))


def parse_values(data: bytes) -> dict[str, Value]:
    """The values in the bytes of a TOML file, each of them allowed; raises ConfigError."""
    tables = parse_tables(data)
    found = values_in({name: t for name, t in tables.items() if name not in OTHER_TABLES})
    return {key: check(find_field(key), value) for key, value in found}


def parse_tables(data: bytes) -> dict[str, Any]:
    """The tables in the bytes of a TOML file; raises ConfigError."""
    if not data:
        return {}
    import tomllib

    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError("is not a text in UTF-8", f"byte {error.start} is wrong") from error
    # tomllib parses recursively, so a deeply nested file ends it by RecursionError.
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"is not valid TOML: {error}", "see https://toml.io") from error


def values_in(tables: dict[str, Any]) -> Iterator[tuple[str, Value]]:
    """The settings in tables, by `section.name`, not checked yet; raises ConfigError."""
    for section, table in tables.items():
        if section not in Settings.__struct_fields__:
            raise _unknown_section(section, table)
        if not isinstance(table, dict):
            raise ConfigError(f"{section!r} is a section", f"write [{section}] on its own line")
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
            return ConfigError(f"the setting {section!r} is outside of a section", error.hint)
    nearest = get_close_matches(section, known, n=1, cutoff=0.0)[0]
    sections = ", ".join(f"[{name}]" for name in known)
    return ConfigError(
        f"there is no section [{section}]", f"did you mean [{nearest}]? Sections: {sections}"
    )
