"""All settings as options, generated from their fields, and settings made from what was given."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from fwtui.cli.arguments import Switch, WhisperCommand
from fwtui.config.fields import Field, Value, all_fields, parse_word
from fwtui.config.locations import Locations
from fwtui.config.sources import Layer, find_profile, make_layers, settle
from fwtui.core.settings import Settings
from fwtui.errors import ConfigError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_SHORT = {"output_dir": "-o", "output_format": "-f", "pretty_json": "-p"}
_METAVARS = {"int": "INT", "float": "NUMBER", "str": "TEXT", "choice": "NAME", "bool": ""}
TITLES = {
    "model": "Model",
    "decoding": "Transcription",
    "output": "Output",
    "quality": "Checks",
    "batch": "Batch",
    "interface": "Screen",
    "memory": "Memory",
    "done": "When it is done",
    "log": "Log files",
}
"""What each section of the settings is called."""
_SCREEN = "interface"

Command = TypeVar("Command", bound=Callable[..., Any])


class FieldType(click.ParamType):  # type: ignore[type-arg]  # generic in new clicks only
    """Values of one setting, checked as everywhere else; `None` where it is allowed."""

    name = "value"

    def __init__(self, field: Field) -> None:
        self.field = field

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Value:
        """The value as the field's own type."""
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        try:
            return parse_word(self.field, value)
        except ConfigError:
            self.fail(f"{value!r} is not {self.field.allowed}", param, ctx)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> "list[CompletionItem]":
        """The values that can be typed here."""
        from fwtui.cli.completing import values

        return values(self.field, incomplete)


class SettingsCommand(WhisperCommand):
    """A command that takes all settings as options, shown in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options, then the settings by section."""
        sections = {field.name: field.section for field in all_fields()}
        groups: dict[str, list[tuple[str, str]]] = {"Options": []}
        groups |= {title: [] for title in TITLES.values()}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if isinstance(param, click.Option) and record is not None:
                section = sections.get(param.name or "", "")
                groups[TITLES.get(section, "Options")].append(record)
        for title, records in groups.items():
            if not records:
                continue
            with formatter.section(title):
                formatter.write_dl(records, col_max=36)


def telling_options(command: Command) -> Command:
    """Add what a command that works on a batch tells, and where."""
    for name, text in (
        ("--detach", "Run in the background; see it with attach"),
        ("--quiet", "Nothing on stderr but errors"),
        ("--verbose", "Show segments and the log on stderr"),
        ("--json", "One JSON object per event on stdout"),
    ):
        click.option(name, cls=Switch, default=False, help=text)(command)
    return command


def settings_options(command: Command) -> Command:
    """Add an option for every setting of a batch to a command, and one for a profile of them."""
    for field in reversed([field for field in all_fields() if field.section != _SCREEN]):
        _option(field)(command)
    return click.option(
        "--profile", metavar="NAME", help="Begin with a profile: Fast, Precise, Deep, or your own"
    )(command)


def screen_options(command: Command) -> Command:
    """As `settings_options`, and those of the screen."""
    for field in reversed([field for field in all_fields() if field.section == _SCREEN]):
        _option(field)(command)
    return settings_options(command)


def settings_from(ctx: click.Context, locations: Locations) -> Settings:
    """The settings of a new batch, from all layers. Raises ConfigError."""
    return settle(layers_from(ctx, locations))


def layers_from(ctx: click.Context, locations: Locations) -> tuple[Layer, ...]:
    """Settings file, profile, environment and command line. Raises ConfigError."""
    return make_layers(locations.config_file, profile=ctx.params.get("profile"), given=given(ctx))


def changes_from(ctx: click.Context, locations: Locations) -> Mapping[str, Value]:
    """What the command line alone says, its profile included: it goes over a session's settings.

    Raises ConfigError.
    """
    name = ctx.params.get("profile")
    profile = find_profile(locations.config_file, name).sets if name else {}
    return {**profile, **given(ctx)}


def given(ctx: click.Context) -> Mapping[str, Value]:
    """The settings that were written on the command line, by `section.name`."""
    return {
        field.key: ctx.params[field.name]
        for field in all_fields()
        if ctx.get_parameter_source(field.name) is ParameterSource.COMMANDLINE
    }


def _option(field: Field) -> Callable[[Command], Command]:
    kind = Switch if field.kind == "bool" else click.Option
    return click.option(
        *_names(field),
        field.name,
        cls=kind,
        type=FieldType(field),
        metavar=_METAVARS[field.kind],
        help="".join(_help(field)),
    )


def option_name(field: Field) -> str:
    """The option of a setting."""
    return f"--{field.word}"


def _names(field: Field) -> list[str]:
    names = [option_name(field)]
    if field.name in _SHORT:
        names.insert(0, _SHORT[field.name])
    if field.name == "model":
        names.append("--model_directory")
    return names


def _help(field: Field) -> Iterator[str]:
    yield field.description
    if field.choices:
        yield f" ({', '.join(field.choices)})"
    if field.default is not None and field.kind != "bool":
        yield f"  [default: {field.default}]"
    elif field.default is True:
        yield f"  [default: on; off: --no_{field.name}]"
