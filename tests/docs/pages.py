"""Which files are made from the code."""

from collections.abc import Callable, Iterator
from pathlib import Path

from tests.docs.commands_page import commands_page
from tests.docs.events_page import events_page, schema_lines
from tests.docs.keys_page import exit_codes_page, keys_page
from tests.docs.manual import manual
from tests.docs.messages_page import messages_page
from tests.docs.settings_page import settings_page
from tests.project.requirements import tested_versions

ROOT = Path(__file__).resolve().parents[2]
PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "docs/reference/commands.md": commands_page,
    "docs/reference/settings.md": settings_page,
    "docs/reference/keys.md": keys_page,
    "docs/reference/exit-codes.md": exit_codes_page,
    "docs/reference/events.md": events_page,
    "docs/reference/events.schema.json": schema_lines,
    "docs/reference/messages.md": messages_page,
    "man/fwtui.1": manual,
    "fwtui/doctor/tested.toml": tested_versions,
}


def text_of(name: str) -> str:
    """What the file has to hold."""
    return "\n".join(PAGES[name]()) + "\n"
