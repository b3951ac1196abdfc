"""Settings in session files: to plain data and back, also from other versions."""

from typing import Any, get_type_hints

import msgspec

from fwtui.core.settings import USER_SECTIONS, Settings
from fwtui.errors import StorageError


def settings_from(plain: object) -> tuple[Settings, dict[str, Any]]:
    """The settings in `plain`, and the keys in it that this version does not know.

    Sections that a session does not keep are at their defaults, whatever is in `plain`. Raises
    StorageError if this version does not accept the value of a known key.
    """
    try:
        return _split(plain)
    except msgspec.ValidationError as error:
        raise StorageError(
            f"The session has invalid settings: {error}",
            "Resume it with the fwtui that wrote it, or correct its file.",
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
    if isinstance(number, int):  # as earlier versions wrote it
        known["model"]["device_index"] = str(number)
    settings = msgspec.convert({n: s for n, s in known.items() if n in fields}, Settings)
    return settings, unknown


def settings_to(settings: Settings, unknown: dict[str, Any]) -> dict[str, Any]:
    """Settings as plain data, with the `unknown` keys that `settings_from` found."""
    plain: dict[str, Any] = msgspec.to_builtins(settings)
    for name in USER_SECTIONS:
        del plain[name]
    for name, rest in unknown.items():
        plain[name] = {**plain.get(name, {}), **rest}
    return plain
