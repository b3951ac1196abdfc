"""`fwtui config`: show, change and check settings, and the origin of each value."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from fwtui.cli.console import Console
from fwtui.cli.options import SettingsCommand, fwtui_command, layers_from, screen_options
from fwtui.config.fields import Field, Value, apply, field_named, parse_argument
from fwtui.config.locations import Locations
from fwtui.config.sources import (
    NONE,
    SourcedValue,
    environment_values,
    load_settings,
    misspelt_variables,
    read_file,
    sourced_values,
)
from fwtui.core.text import cells, plural, printable
from fwtui.errors import ConfigError, ExitCode, FwtuiError, UsageError

HEADER = """\
# Settings of fwtui. To list all of them: fwtui config show
# To check this file: fwtui config validate
"""
_COMMENT_COLUMN = 48


@fwtui_command("config", click.Group)
def command() -> None:
    """Show, change and check the settings.

    Later sources override earlier ones: the defaults, the settings file, a profile (--profile or
    FWTUI_PROFILE), the environment (FWTUI_BEAM_SIZE and so on), the command line.
    """


@command.command("path", short_help="Print the path of the settings file.")
def path() -> ExitCode:
    """Print the path of the settings file, even if it does not exist."""
    click.echo(os.fspath(Locations.default().config_file))
    return ExitCode.DONE


@command.command(
    "show", cls=SettingsCommand, short_help="Show all values and where they come from."
)
@click.argument("keys", nargs=-1)
@click.option("--json", is_flag=True, help="Print one JSON array of objects")
@click.option("--changed", is_flag=True, help="Show only values that are not the default")
@screen_options
@click.pass_context
def show(
    ctx: click.Context, /, keys: tuple[str, ...], json: bool, changed: bool, **_: Value
) -> ExitCode:
    """Print all settings, or only KEYS, as TOML with the origin of each value as a comment.

    The options of `fwtui run` are accepted, to show what they would change.
    """
    wanted = {field_named(key).key for key in keys}
    found = [
        one
        for one in sourced_values(layers_from(ctx, Locations.default()))
        if (not wanted or one.field.key in wanted)
        and (not changed or one.value != one.field.default)
    ]
    _warn_misspelt(Console())
    if json:
        click.echo(_as_json(found))
    else:
        click.echo("\n".join(as_toml(found)))
    return ExitCode.DONE


@command.command("set", short_help="Set a value in the settings file.")
@click.argument("key")
@click.argument("value")
def set_value(key: str, value: str) -> ExitCode:
    """Set KEY to VALUE in the settings file; comments are kept.

    KEY is `section.name` or the name of the option: `fwtui config set beam_size 3`. The value None
    unsets an optional setting.
    """
    from fwtui.config.validate import validated_value

    field = field_named(key)
    parsed = parse_argument(field, value)
    validated_value(field, parsed)
    return _save(field, parsed)


@command.command("unset", short_help="Reset a value to its default.")
@click.argument("key")
def unset(key: str) -> ExitCode:
    """Reset KEY to its default."""
    field = field_named(key)
    return _save(field, field.default)


@command.command("edit", short_help="Edit the settings file, and check it.")
def edit() -> ExitCode:
    """Open the settings file in $VISUAL or $EDITOR, and check it afterwards."""
    from fwtui.config.save import write_settings

    file = Locations.default().config_file
    if not file.exists():
        write_settings(file, HEADER.encode())
    click.edit(filename=os.fspath(file))
    return _validated(file)


@command.command("validate", short_help="Report all errors in a settings file.")
@click.argument("file", required=False, type=click.Path(readable=False, path_type=Path))
def validate(file: Path | None) -> ExitCode:
    """Check FILE, or the settings file and the environment, and report all errors."""
    if file is not None and not file.exists():
        raise UsageError(f"file {file} not found", "see: fwtui config path")
    wrong = _validated(file or Locations.default().config_file)
    if file is None and not _environment_is_right(Console()):
        return ExitCode.USAGE
    return wrong


@command.command("profiles", short_help="List the profiles for --profile.")
def profiles() -> ExitCode:
    """List the profiles and what they set, your own first."""
    from fwtui.config.profiles import PROFILES
    from fwtui.config.sources import load_profiles

    for profile in (*load_profiles(Locations.default().config_file), *PROFILES):
        sets = ", ".join(f"{key.partition('.')[2]} {v}" for key, v in profile.values.items())
        click.echo(printable(f"{profile.name:<16}  {profile.description}: {sets or 'defaults'}"))
    return ExitCode.DONE


@command.command("schema", short_help="Print a JSON schema of the settings file.")
def schema() -> ExitCode:
    """Print a JSON schema with which editors complete and check the settings file."""
    import json

    from fwtui.config.schema import json_schema
    from fwtui.tui.keys import KEYS

    text = json.dumps(json_schema(key.id for key in KEYS), indent=2, ensure_ascii=False)
    click.echo(text)
    return ExitCode.DONE


def as_toml(found: Sequence[SourcedValue]) -> Iterator[str]:
    """The lines of a settings file with these values and their origins as comments."""
    section = ""
    for one in found:
        if one.field.section != section:
            if section:
                yield ""
            section = one.field.section
            yield f"[{section}]"
        line = _line(one.field, one.value)
        yield f"{line}{' ' * max(2, _COMMENT_COLUMN - cells(line))}# {printable(one.source)}"


def _line(field: Field, value: Value) -> str:
    import tomlkit

    if value is None and field.kind == "str":
        return f"# {field.name}: not set"
    return f"{field.name} = {tomlkit.item(NONE if value is None else value).as_string()}"


def _as_json(found: Sequence[SourcedValue]) -> str:
    import json

    return json.dumps(
        [
            {
                "key": one.field.key,
                "value": one.value,
                "default": one.field.default,
                "origin": one.origin,
                "source": one.source,
            }
            for one in found
        ],
        indent=2,
        ensure_ascii=False,
    )


def _save(field: Field, value: Value) -> ExitCode:
    from fwtui.config.save import save_settings

    file = Locations.default().config_file
    save_settings(file, apply(load_settings(file), {field.key: value}))
    Console().line(f"{_line(field, value)}  in {printable(os.fspath(file))}")
    return ExitCode.DONE


def _validated(file: Path) -> ExitCode:
    console = Console()
    problems = list(_problems(file))
    for problem in problems:
        console.error(problem)
    if problems:
        return ExitCode.USAGE
    console.line(f"{printable(os.fspath(file))} is valid: {_contents(file)}")
    return ExitCode.DONE


def _problems(file: Path) -> Iterator[FwtuiError]:
    from fwtui.config.sources import keys_in, parse_tables
    from fwtui.config.validate import problems_in

    data = read_file(file)
    wrong = [FwtuiError(f"{file}: {each.title}", each.hint) for each in problems_in(data)]
    yield from wrong
    if not wrong and (keys := keys_in(parse_tables(data))):
        from fwtui.tui.keymap import make_keymap  # imports the screen

        try:
            make_keymap(keys)
        except ConfigError as error:
            yield FwtuiError(f"{file}: {error.title}", error.hint)


def _contents(file: Path) -> str:
    from fwtui.config.sources import load_keys, load_profiles, load_values

    counts = {
        "setting": len(load_values(file)),
        "profile": len(load_profiles(file)),
        "key": len(load_keys(file)),
    }
    return ", ".join(plural(number, noun) for noun, number in counts.items())


def _environment_is_right(console: Console) -> bool:
    wrong = list(misspelt_variables(os.environ))
    _warn_misspelt(console)
    try:
        environment_values(os.environ)
    except ConfigError as error:
        console.error(error)
        return False
    return not wrong


def _warn_misspelt(console: Console) -> None:
    for name, close in misspelt_variables(os.environ):
        console.always(f"fwtui: {printable(name)} is not a setting; did you mean {close}?")
