"""How whisper users write options, made into what click understands.

Dashes and underscores are the same; a switch may stand alone, have a value, or be negated.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

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
