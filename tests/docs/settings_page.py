"""All settings: keys of the settings file, their options, defaults, values and help."""

from collections.abc import Iterator

from fwtui.cli.options import TITLES, option_name
from fwtui.config.fields import Field, all_fields
from tests.docs.markup import code, generated, prose, table


def settings_page() -> Iterator[str]:
    """The lines of the page."""
    yield generated("fwtui/core/settings.py")
    yield ""
    yield "# Settings and options"
    yield ""
    yield (
        "Each setting is a key in `settings.toml`, in the section shown here, and an option of "
        "`fwtui`, `fwtui run` and the other commands that transcribe. Options can be written with "
        "dashes or underscores. Switches need no value: `--vad_filter` and `--vad_filter True` are "
        "the same, `--no-vad_filter` is the opposite. `None` unsets an optional setting."
    )
    for section in dict.fromkeys(field.section for field in all_fields()):
        yield ""
        yield f"## {TITLES[section]}"
        yield ""
        yield f"In `settings.toml` under `[{section}]`."
        yield ""
        rows = (_row(field) for field in all_fields() if field.section == section)
        yield from table(("Setting", "Option", "Default", "Values", "Description"), rows)


def _row(field: Field) -> Iterator[str]:
    yield code(field.name)
    yield code(option_name(field))
    yield code(default(field))
    yield prose(values(field))
    yield prose(field.description)


def default(field: Field) -> str:
    """The default as it is written in the settings file."""
    if field.default is None:
        return field.unset
    return str(field.default).lower() if field.kind == "bool" else str(field.default)


def values(field: Field) -> str:
    """The allowed values."""
    if field.kind == "choice":
        names = ", ".join(field.choices)
        return f"{names}, or {field.unset}" if field.optional else names
    return field.allowed
