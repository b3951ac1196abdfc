"""The reference pages of the keys and of the exit codes."""

from collections.abc import Iterator

from fwtui.errors import EXIT_CODE_HELP
from fwtui.tui.keys import KEYS, TITLES, shown
from tests.docs.markup import generated


def keys_page() -> Iterator[str]:
    """Lines of the page of keys."""
    yield generated("fwtui/tui/keys.py")
    yield ""
    yield "# Keys"
    yield ""
    yield (
        "Press `?` in fwtui for this list with your own keys. The `[keys]` section of the "
        "[settings file](../configuration.md#the-settings-file) changes a key, by the name in the "
        "last column."
    )
    yield ""
    yield "| Key | Action | Name in `[keys]` |"
    yield "|---|---|---|"
    for where, title in TITLES.items():
        yield f"| **{title}** | | |"
        for key in KEYS:
            if key.where == where:
                names = " ".join(f"`{shown(name)}`" for name in key.keys)
                yield f"| {names} | {key.tooltip} | `{key.id}` |"


def exit_codes_page() -> Iterator[str]:
    """Lines of the page of exit codes."""
    yield generated("fwtui/errors.py")
    yield ""
    yield "# Exit codes"
    yield ""
    yield (
        "They apply to every command. For a batch the code follows from the final states of its "
        "files; `fwtui run`, the screen, [hooks](../hooks.md) and `fwtui status` use the same rule."
    )
    yield ""
    yield "| Code | Meaning |"
    yield "|---|---|"
    for code, meaning in EXIT_CODE_HELP.items():
        yield f"| {code:d} | {meaning} |"
