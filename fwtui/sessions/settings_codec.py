"""Settings from plain data that another version, or another program, may have written."""

from typing import Any, get_type_hints

import msgspec

from fwtui.core.settings import USER_SECTIONS, Settings
from fwtui.errors import StorageError


def settings_from(plain: object) -> tuple[Settings, dict[str, Any]]:
    """The settings in `plain`, and the keys in it that this version does not know.

    Sections that are a user's own are at their defaults, whatever `plain` says.

    Raises StorageError when a known key has a value that this version does not accept.
    """
    try:
        return _split(plain)
    except msgspec.ValidationError as error:
        raise StorageError(
            f"The session has settings that cannot be used: {error}",
            "Resume it with the fwtui that wrote it, or correct them in its file.",
        ) from error


def _split(plain: object) -> tuple[Settings, dict[str, Any]]:
    sections = msgspec.convert(plain, dict[str, dict[str, Any]])
    sections = {name: section for name, section in sections.items() if name not in USER_SECTIONS}
    known: dict[str, dict[str, Any]] = {}
    unknown: dict[str, Any] = {}
    fields = get_type_hints(Settings)
    for name, section in sections.items():
        names = fields[name].__struct_fields__ if name in fields else ()
        known[name] = {key: value for key, value in section.items() if key in names}
        rest = {key: value for key, value in section.items() if key not in names}
        if rest or name not in fields:
            unknown[name] = rest
    number = known.get("model", {}).get("device_index")
    if isinstance(number, int):  # before there could be several
        known["model"]["device_index"] = str(number)
    settings = msgspec.convert({n: s for n, s in known.items() if n in fields}, Settings)
    return settings, unknown


def settings_to(settings: Settings, unknown: dict[str, Any]) -> dict[str, Any]:
    """The opposite of `settings_from`."""
    plain: dict[str, Any] = msgspec.to_builtins(settings)
    for name in USER_SECTIONS:
        del plain[name]
    for name, rest in unknown.items():
        plain[name] = {**plain.get(name, {}), **rest}
    return plain
