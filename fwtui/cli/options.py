"""All settings as options, generated from their fields, and settings made from what was given."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from fwtui.config.fields import Field, Value, all_fields, parse_word
from fwtui.config.locations import Locations
from fwtui.config.sources import Layer, find_profile, make_layers, merge_layers
from fwtui.core.settings import Settings
from fwtui.errors import ConfigError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_BOOLEAN = re.compile(r"true|false", re.IGNORECASE)


class OptionalValue(click.Option):
    """An option whose value may be left out: the next argument is its value only if it fits.

    `bare` is the value when there is none; `fits` matches the values that may follow after a
    space (any value may follow after `=`).
    """

    def __init__(
        self, declarations: Sequence[str], *, bare: str, fits: re.Pattern[str], **attributes: Any
    ) -> None:
        super().__init__(declarations, **attributes)
        self.bare = bare
        self.fits = fits


class Switch(OptionalValue):
    """A yes-or-no option: `--name`, `--name True`, `--name=false`, `--no-name`."""

    def __init__(self, declarations: Sequence[str], **attributes: Any) -> None:
        attributes.setdefault("type", bool)
        attributes.setdefault("metavar", "")
        super().__init__(declarations, bare="True", fits=_BOOLEAN, **attributes)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        incomplete: str,
    ) -> "list[CompletionItem]":
        """A switch stands alone: what follows it is a file."""
        from fwtui.cli.completing import files

        return files(incomplete)


class WhisperCommand(click.Command):
    """A command whose options may be written as whisper's are."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse after rewriting the arguments into one form."""
        return super().parse_args(ctx, list(rewritten(args, self._options(ctx))))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """The options that begin so, whether dashes or underscores are typed."""
        if incomplete.startswith("--"):
            incomplete = "--" + incomplete[2:].replace("-", "_")
        return super().shell_complete(ctx, incomplete)

    def _options(self, ctx: click.Context) -> dict[str, click.Option]:
        return {
            name: param
            for param in self.get_params(ctx)
            if isinstance(param, click.Option)
            for name in param.opts
        }


def rewritten(args: Sequence[str], options: Mapping[str, click.Option]) -> Iterator[str]:
    """The arguments with canonical option names, and a value for each `OptionalValue`.

    What is not known passes unchanged: click reports it, in the words that were typed.
    """
    rest = iter(args)
    queue: list[str] = []
    while (token := queue.pop() if queue else next(rest, None)) is not None:
        if token == "--":  # noqa: S105
            yield token
            yield from rest
            return
        name, equals, value = token.partition("=")
        option, name, negated = _find(name, options)
        if option is None or (negated and equals):
            yield token
        elif negated:
            yield f"{name}=False"
        elif equals:
            yield f"{name}={value}"
        elif isinstance(option, OptionalValue):
            following = next(rest, None)
            if following is not None and option.fits.fullmatch(following):
                value = following
            else:
                value = option.bare
                queue += [] if following is None else [following]
            yield f"{max(option.opts, key=len)}={value}"
        else:
            yield name
            if not option.is_flag:
                yield from _take(rest)


def _take(rest: Iterator[str]) -> Iterator[str]:
    """The next argument, whatever it looks like: it is an option's value."""
    value = next(rest, None)
    if value is not None:
        yield value


def _find(typed: str, options: Mapping[str, click.Option]) -> tuple[click.Option | None, str, bool]:
    """The option meant by `typed`, its canonical name, and whether it was negated."""
    if not typed.startswith("--"):
        return options.get(typed), typed, False
    name = "--" + typed[2:].replace("-", "_")
    if name in options:
        return options[name], name, False
    positive = name.replace("--no_", "--", 1)
    option = options.get(positive)
    if isinstance(option, Switch) and positive != name:
        return option, positive, True
    return None, typed, False


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
    return merge_layers(layers_from(ctx, locations))


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
