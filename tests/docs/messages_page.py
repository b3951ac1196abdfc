"""All error messages and what to do about them."""

from collections.abc import Iterator

from tests.docs.markup import generated, plain, table
from tests.docs.messages import messages

TITLES = {
    "audio": "Media files",
    "engine": "Engine, model and GPU",
    "batch": "Batches",
    "sessions": "Sessions",
    "disk": "Disks",
    "watch": "Watched folders",
    "memory": "Memory",
    "models": "Models",
    "config": "Settings",
    "outputs": "Transcripts",
    "report": "Reports",
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
        "All error messages, with what to do about each; … stands for names and numbers. "
        "[Troubleshooting](../troubleshooting.md) explains the most common ones."
    )
    found = messages()
    packages = [*TITLES, *sorted({message.package for message in found} - TITLES.keys())]
    for package in packages:
        rows = [(plain(each.title), plain(each.hint)) for each in found if each.package == package]
        if rows:
            yield ""
            yield f"## {TITLES.get(package, package.capitalize())}"
            yield ""
            yield from table(("Message", "What to do"), rows)
