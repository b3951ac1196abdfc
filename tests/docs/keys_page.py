"""The keys of the screen, and the exit codes: the tables of the README as pages."""

from collections.abc import Iterator

from tests.cli.readme_tables import exit_code_lines, key_lines
from tests.docs.markup import generated


def keys_page() -> Iterator[str]:
    """The lines of the page of keys."""
    yield generated("fwtui/tui/keys.py")
    yield ""
    yield "# Keys"
    yield ""
    yield "`?` shows them on the screen, as you have set them."
    yield ""
    yield from key_lines()


def exit_codes_page() -> Iterator[str]:
    """The lines of the page of exit codes."""
    yield generated("fwtui/errors.py")
    yield ""
    yield "# Exit codes"
    yield ""
    yield "Of every command. They are computed from what became of the files."
    yield ""
    yield from exit_code_lines()
