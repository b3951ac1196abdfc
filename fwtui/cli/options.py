"""Options of the commands: all settings, generated from their fields, and how they are parsed."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from fwtui.cli.command_table import COMMANDS
from fwtui.cli.console import exit_code_help
from fwtui.config.fields import Field, Value, all_fields, parse_argument
from fwtui.config.locations import Locations
from fwtui.config.sources import Layer, as_asked, find_profile, make_layers, merge_layers
from fwtui.core.settings import Settings
from fwtui.errors import ConfigError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}

Function = TypeVar("Function", bound=Callable[..., Any])
AnyCommand = TypeVar("AnyCommand", bound=click.Command)


class OptionalValue(click.Option):
    """An option whose value may be omitted: the next argument is its value only if it matches.

    `bare` is the value when there is none; `fits` matches the values that may follow after a
    space (any value may follow after `=`).
    """

    def __init__(
        self, declarations: Sequence[str], *, bare: str, fits: re.Pattern[str], **attributes: Any
    ) -> None:
        super().__init__(declarations, **attributes)
        self.bare = bare
        self.fits = fits


class Mode(click.Option):
    """An option with choices whose first one is off: `--name` alone, `--name True`, `--no-name`."""

    bare = "True"

    def __init__(self, declarations: Sequence[str], **attributes: Any) -> None:
        super().__init__(declarations, **attributes)
        choices = attributes["type"].field.choices
        self._words = {"true": choices[1], "false": choices[0]}
        self.fits = re.compile("|".join((*choices, *self._words)), re.IGNORECASE)

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """The value, with a choice in place of True and False."""
        if isinstance(value, str):
            value = self._words.get(value.lower(), value.lower())
        return super().type_cast_value(ctx, value)


class Switch(click.Option):
    """A yes-or-no option: `--name`, `--name True`, `--name=false`, `--no-name`."""

    bare = "True"
    fits = re.compile(r"true|false", re.IGNORECASE)

    def __init__(self, declarations: Sequence[str], **attributes: Any) -> None:
        attributes.setdefault("type", bool)
        attributes.setdefault("metavar", "")
        super().__init__(declarations, **attributes)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        incomplete: str,
    ) -> "list[CompletionItem]":
        """Complete a file name: a switch needs no value."""
        from fwtui.cli.completing import files

        return files(incomplete)


class SettingsCommand(click.Command):
    """A command whose options may be written as whisper's are, shown in the settings' groups.

    `unnamed`: it is what `fwtui` does without the name of a command.
    """

    def __init__(self, *arguments: Any, unnamed: bool = False, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self._unnamed = unnamed

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse after rewriting the arguments into one form."""
        options = {
            name: param
            for param in self.get_params(ctx)
            if isinstance(param, click.Option)
            for name in param.opts
        }
        return super().parse_args(ctx, list(rewritten(args, options)))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete options, whether typed with dashes or underscores."""
        if incomplete.startswith("--"):
            incomplete = "--" + incomplete[2:].replace("-", "_")
        return super().shell_complete(ctx, incomplete)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The usage as it is typed."""
        if self._unnamed:
            formatter.write_usage(ctx.find_root().command_path, "[OPTIONS] [PATHS]...")
        else:
            super().format_usage(ctx, formatter)

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


# Older versions of click leave the brackets out.
OPTIONAL_SUBCOMMAND = "[COMMAND] [ARGS]..."


def fwtui_command(
    name: str, cls: type[AnyCommand], **attributes: Any
) -> Callable[[Callable[..., Any]], AnyCommand]:
    """Make a function the command of this name, with `-h`, its summary and the exit codes."""
    return click.command(
        name,
        cls=cls,
        short_help=COMMANDS[name].summary,
        epilog=exit_code_help(),
        context_settings=HELP_OPTIONS,
        **attributes,
    )


def rewritten(args: Sequence[str], options: Mapping[str, click.Option]) -> Iterator[str]:
    """The arguments with canonical option names, and a value for each option that needs none.

    Unknown ones pass unchanged: click reports them as they were typed.
    """
    rest = iter(args)
    queue: list[str] = []
    combined = _Formats(options)
    while (token := queue.pop() if queue else next(rest, None)) is not None:
        if token == "--":  # noqa: S105
            yield from combined.others()
            yield token
            yield from rest
            return
        token, attached = combined.detached(token)
        queue += attached
        name, equals, value = token.partition("=")
        option, name, negated = _find(name, options)
        if option is None or (negated and equals):
            yield token
        elif negated:
            yield f"{name}=False"
        elif combined.has(option):
            if not equals:
                found = queue.pop() if queue else next(rest, None)
                if found is None:
                    yield name  # click says that its value is missing
                    continue
                value = found
            yield from combined.add(option, value)
        elif equals:
            yield f"{name}={value}"
        elif isinstance(option, OptionalValue | Mode | Switch):
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
                yield from islice(rest, 1)  # its value, whatever it looks like
    yield from combined.others()


class _Formats:
    """All values of `--output_format`: the first one, and the others as `--more_formats`."""

    def __init__(self, options: Mapping[str, click.Option]) -> None:
        self._first = options.get("--output_format") if _MORE in options else None
        self._more = options.get(_MORE)
        self._given = False
        self._values: list[str] = []

    def has(self, option: click.Option) -> bool:
        """Whether this is one of the two options."""
        return self._first is not None and option in {self._first, self._more}

    def detached(self, token: str) -> tuple[str, list[str]]:
        """`-fsrt` as `-f` and its value; anything else as it is."""
        short = [name for name in (self._first.opts if self._first else ()) if name[1] != "-"]
        if token[:2] in short and len(token) > 2:
            return token[:2], [token[2:].removeprefix("=")]
        return token, []

    def add(self, option: click.Option, value: str) -> Iterator[str]:
        """Take a value, or several with commas; the very first one stays what it is."""
        first, *others = value.split(",")
        if self._given or option is self._more:
            self._values += [first, *others]
        else:
            yield f"--output_format={first}"
            self._values += others
            self._given = True

    def others(self) -> Iterator[str]:
        """The other values."""
        if self._values:
            yield f"{_MORE}={','.join(self._values)}"


def _find(typed: str, options: Mapping[str, click.Option]) -> tuple[click.Option | None, str, bool]:
    """The option meant by `typed`, its canonical name, and whether it was negated."""
    if not typed.startswith("--"):
        return options.get(typed), typed, False
    name = "--" + typed[2:].replace("-", "_")
    if name in options:
        return options[name], name, False
    positive = name.replace("--no_", "--", 1)
    option = options.get(positive)
    if isinstance(option, Switch | Mode) and positive != name:
        return option, positive, True
    return None, typed, False


_MORE = "--more_formats"
_SHORT = {"output_dir": "-o", "output_format": "-f", "pretty_json": "-p"}
_MODES = frozenset({"speakers.diarize"})
_TOKEN = "hf_token"  # noqa: S105 - the option's name
_METAVARS = {"int": "INT", "float": "NUMBER", "str": "TEXT", "choice": "NAME", "bool": ""}
TITLES = {
    "model": "Model",
    "decoding": "Transcription",
    "speakers": "Speakers",
    "output": "Output",
    "quality": "Checks",
    "batch": "Batch",
    "interface": "Screen",
    "memory": "Memory",
    "done": "When done",
    "log": "Log files",
}
"""The heading of each section of the settings."""
_SCREEN = "interface"


class FieldType(click.ParamType):  # type: ignore[type-arg]  # generic in new clicks only
    """The values of one setting, `None` included where it is allowed."""

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
            return parse_argument(self.field, value)
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


def reporting_options(function: Function) -> Function:
    """Add options for what a command that runs a batch prints, and where."""
    for name, text in (
        ("--detach", "Run in the background; fwtui attach shows the batch"),
        ("--quiet", "Print only errors on stderr"),
        ("--verbose", "Print segments and log messages on stderr"),
        ("--json", "Print one JSON object per event on stdout"),
    ):
        click.option(name, cls=Switch, default=False, help=text)(function)
    return function


def settings_options(function: Function) -> Function:
    """Add an option for every setting of a batch to a command, and one for a profile of them."""
    for field in reversed([field for field in all_fields() if field.section != _SCREEN]):
        _option(field)(function)
    click.option(
        f"--{_TOKEN}",
        metavar="TEXT",
        help="Not needed; turns on --diarize, as in whisper-ctranslate2",
    )(function)
    return click.option(
        "--profile", metavar="NAME", help="Start from a profile: Fast, Precise, Deep, or your own"
    )(function)


def screen_options(function: Function) -> Function:
    """As `settings_options`, with those of the screen."""
    for field in reversed([field for field in all_fields() if field.section == _SCREEN]):
        _option(field)(function)
    return settings_options(function)


def settings_from(ctx: click.Context, locations: Locations) -> Settings:
    """The settings of a new batch, from all layers. Raises ConfigError."""
    return merge_layers(layers_from(ctx, locations))


def layers_from(ctx: click.Context, locations: Locations) -> tuple[Layer, ...]:
    """Settings file, profile, environment and command line. Raises ConfigError."""
    return make_layers(locations.config_file, profile=ctx.params.get("profile"), given=given(ctx))


def changes_from(ctx: click.Context, locations: Locations) -> Mapping[str, Value]:
    """The settings given on the command line, its profile included, for a session to override.

    Raises ConfigError.
    """
    name = ctx.params.get("profile")
    profile = find_profile(locations.config_file, name).sets if name else {}
    return as_asked({**profile, **given(ctx)})


def given(ctx: click.Context) -> Mapping[str, Value]:
    """The settings that were written on the command line, by `section.name`."""
    values = {
        field.key: ctx.params[field.name]
        for field in all_fields()
        if ctx.get_parameter_source(field.name) is ParameterSource.COMMANDLINE
    }
    return {"speakers.diarize": "voices", **values} if has_token(ctx) else values


def has_token(ctx: click.Context) -> bool:
    """Whether a token of Hugging Face was given, which is not needed and never kept."""
    return bool(ctx.params.get(_TOKEN))


def _option(field: Field) -> Callable[[Function], Function]:
    kind = Switch if field.kind == "bool" else Mode if field.key in _MODES else click.Option
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
    return f"--{field.option}"


def _names(field: Field) -> list[str]:
    names = [option_name(field)]
    if field.name in _SHORT:
        names.insert(0, _SHORT[field.name])
    if field.name == "model":
        names.append("--model_directory")
    if field.name == "num_speakers":
        names.append("--speaker_num")  # as in whisper-ctranslate2
    return names


def _help(field: Field) -> Iterator[str]:
    yield field.description
    if field.choices:
        yield f" ({', '.join(field.choices)})"
    if field.default is not None and field.kind != "bool":
        yield f"  [default: {field.default}]"
    elif field.default is True:
        yield f"  [default: on; turn off with --no_{field.name}]"
