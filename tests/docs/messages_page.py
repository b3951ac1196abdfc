"""All error messages and what to do about them."""

from collections.abc import Iterator

from tests.docs.markup import generated, plain, table
from tests.docs.messages import messages

TITLES = {
    "audio": "Media files",
    "engine": "Engine, model and GPU",
    "batch": "Batches",
    "storage": "Sessions and disks",
    "watch": "Watched folders",
    "memory": "Memory",
    "config": "Settings",
    "writers": "Transcripts",
    "cli": "Command line",
    "tui": "Screen",
}


def messages_page() -> Iterator[str]:
    """The lines of the page."""
    yield generated("the errors in fwtui/")
    yield ""
    yield "# All messages"
    yield ""
    yield (
        "Each message says what happened and what to do; this is the list of them, with … for "
        "names and numbers. The reasons behind the frequent ones are in "
        "[troubleshooting](../troubleshooting.md)."
    )
    found = messages()
    packages = [*TITLES, *sorted({message.package for message in found} - TITLES.keys())]
    for package in packages:
        rows = [(plain(each.title), plain(each.hint)) for each in found if each.package == package]
        if rows:
            yield ""
            yield f"## {TITLES.get(package, package.capitalize())}"
            yield ""
            yield from table(("message", "what to do"), rows)
