"""The commands of the program as data, for the pages that list them."""

from collections.abc import Iterator
from dataclasses import dataclass

import click

from fwtui.cli.command_table import COMMANDS
from fwtui.cli.program import program
from fwtui.config.fields import all_fields

# Text; or lines that are to stay as they are.
Paragraph = str | tuple[str, ...]

SETTINGS = {field.name for field in all_fields()}
SETTINGS_OF_ALL = {field.name for field in all_fields() if field.section != "interface"}


@dataclass(frozen=True)
class Option:
    """An option as its help shows it: `-o, --output TEXT`, and what it does."""

    names: str
    help: str


@dataclass(frozen=True)
class Described:
    """A command: how it is called, what it does, and the options that are no settings."""

    name: str
    usage: str
    short_help: str
    paragraphs: tuple[Paragraph, ...]
    options: tuple[Option, ...]
    takes_settings: bool
    commands: tuple["Described", ...] = ()


def described_program() -> tuple[Described, ...]:
    """The screen (called `fwtui`), and all commands."""
    top = click.Context(program, info_name="fwtui")
    names = ("tui", *COMMANDS)
    found = [(name, program.get_command(top, name)) for name in names]
    return tuple(
        _described(command, "fwtui" if name == "tui" else f"fwtui {name}")
        for name, command in found
        if command is not None
    )


def _described(command: click.Command, name: str) -> Described:
    ctx = click.Context(command, info_name=name)
    below = command.commands if isinstance(command, click.Group) else {}
    return Described(
        name=name,
        usage=" ".join([name, *command.collect_usage_pieces(ctx)]),
        short_help=command.get_short_help_str(200),
        paragraphs=tuple(_paragraphs(command.help or "")),
        options=tuple(_options(command, ctx)),
        takes_settings=_takes_settings(command),
        commands=tuple(_described(each, f"{name} {word}") for word, each in below.items()),
    )


def _takes_settings(command: click.Command) -> bool:
    return {param.name for param in command.params} >= SETTINGS_OF_ALL


def _options(command: click.Command, ctx: click.Context) -> Iterator[Option]:
    elsewhere = SETTINGS if _takes_settings(command) else set()
    for param in command.params:
        record = param.get_help_record(ctx)
        if isinstance(param, click.Option) and record is not None and param.name not in elsewhere:
            names, text = record
            yield Option(" ".join(names.split()), text)


def _paragraphs(text: str) -> Iterator[Paragraph]:
    for paragraph in text.split("\n\n"):
        if paragraph.strip(" \n").startswith("\b"):
            yield tuple(line.strip() for line in paragraph.splitlines() if line.strip("\b "))
        else:
            yield " ".join(paragraph.split())
