"""All commands: how they are called, what they do, their own options."""

from collections.abc import Iterator

from tests.docs.markup import code, generated, prose, table
from tests.docs.program import Described, described_program


def commands_page() -> Iterator[str]:
    """The lines of the page."""
    yield generated("fwtui/cli/")
    yield ""
    yield "# Commands"
    yield ""
    yield (
        "`fwtui COMMAND --help` shows the same. All commands end with one of the "
        "[exit codes](exit-codes.md)."
    )
    for command in described_program():
        yield from _command(command, "##")


def _command(command: Described, heading: str) -> Iterator[str]:
    yield ""
    yield f"{heading} {command.name}"
    yield ""
    yield "```text"
    yield command.usage
    yield "```"
    for paragraph in command.paragraphs:
        yield ""
        if isinstance(paragraph, str):
            yield prose(paragraph)
        else:
            yield from ("```text", *paragraph, "```")
    if command.options:
        yield ""
        rows = ((code(option.names), prose(option.help)) for option in command.options)
        yield from table(("Option", "Description"), rows)
    if command.takes_settings:
        yield ""
        yield "Accepts all [settings](settings.md) as options."
    for below in command.commands:
        yield from _command(below, f"{heading}#")
