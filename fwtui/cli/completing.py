"""Shell completion of arguments and values; its imports are made only while completing."""

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from fwtui.config.fields import Field
from fwtui.config.locations import Locations
from fwtui.errors import StorageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_FOLDERS = {"model.model", "model.model_dir", "output.output_dir"}


def session_ids(
    ctx: click.Context,  # noqa: ARG001
    param: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[str]:
    """Stored sessions, the newest first."""
    with suppress(StorageError):  # no home directory: nothing is stored
        files = Locations.default().sessions.glob("*.json")
        names = sorted((file.stem for file in files), reverse=True)
        return [name for name in names if name.startswith(incomplete)]
    return []


def running_ids(
    ctx: click.Context,  # noqa: ARG001
    param: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[str]:
    """Sessions of running batches."""
    from fwtui.batch.remote.endpoints import running

    with suppress(StorageError):
        names = (endpoint.session_id for endpoint in running(Locations.default()))
        return [name for name in names if name.startswith(incomplete)]
    return []


def first_word(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Files, and commands if nothing else was typed."""
    from click.shell_completion import CompletionItem

    from fwtui.cli.command_table import COMMANDS

    found = files(incomplete)
    if not any(
        ctx.get_parameter_source(each.name or "") is click.core.ParameterSource.COMMANDLINE
        for each in ctx.command.params
        if each is not param
    ) and not ctx.params.get(param.name or ""):
        names = (name for name in COMMANDS if name.startswith(incomplete))
        found += [CompletionItem(name, help=COMMANDS[name].summary) for name in names]
    return found


def values(field: Field, incomplete: str) -> "list[CompletionItem]":
    """The values of a setting."""
    from click.shell_completion import CompletionItem

    found = [CompletionItem(incomplete, type="dir")] if field.key in _FOLDERS else []
    words = _choices(field).items()
    return found + [CompletionItem(w, help=text) for w, text in words if w.startswith(incomplete)]


def files(incomplete: str) -> "list[CompletionItem]":
    """Let the shell complete the name of a file."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def _choices(field: Field) -> dict[str, str | None]:
    match field.key:
        case "model.model":
            from fwtui.memory.forecast import KNOWN

            return dict.fromkeys(KNOWN)
        case "decoding.language":
            from fwtui.core.languages import LANGUAGES

            return dict(LANGUAGES)
        case _:
            return dict.fromkeys(field.choices)
