"""The manual page: `man fwtui`."""

from collections.abc import Iterator

from fwtui.cli.options import TITLES, option_name
from fwtui.cli.program import program
from fwtui.config.fields import all_fields
from fwtui.errors import EXIT_CODE_HELP
from tests.docs.program import Described, described_program
from tests.docs.settings_page import default, values

FILES = {
    "~/.config/fwtui/settings.toml": "Settings.",
    "~/.local/state/fwtui": "Sessions and logs.",
    "~/.cache/fwtui": "Decoded audio of the running files.",
}
ENVIRONMENT = {
    "FWTUI_BEAM_SIZE, ...": "Every setting: FWTUI_ and the name of its option in capitals.",
    "FWTUI_PROFILE": "Profile to start from.",
    "FWTUI_CONFIG_DIR": "Folder of the settings file.",
    "FWTUI_STATE_DIR": "Folder of sessions and logs.",
    "FWTUI_CACHE_DIR": "Folder of the decoded audio of the running files.",
    "HF_HOME": "Folder of the Hugging Face cache, which has the downloaded models.",
    "HF_TOKEN": "Access token for models that require one.",
    "NO_COLOR": "If set, the screen uses no colours.",
}


def manual() -> Iterator[str]:
    """The lines of the page, as roff."""
    screen, *commands = described_program()
    yield r".\" From the commands, by: python -m tests.docs"
    yield '.TH FWTUI 1 "" fwtui "User Commands"'
    yield ".SH NAME"
    yield r"fwtui \- transcribe audio and video with faster\-whisper, and lose nothing"
    yield ".SH SYNOPSIS"
    yield _escaped(screen.usage)
    yield ".br"
    yield r"fwtui COMMAND [OPTIONS] [ARGS]..."
    yield ".SH DESCRIPTION"
    for paragraph in (program.help or "").split("\n\n"):
        yield from _paragraph(paragraph)
    yield ".SH COMMANDS"
    for command in commands:
        yield from _command(command)
    yield ".SH SETTINGS"
    yield from _paragraph(
        "Options of the screen and of all commands that transcribe. In settings.toml, they are in "
        "the section shown in brackets."
    )
    for section in dict.fromkeys(field.section for field in all_fields()):
        yield f'.SS "{TITLES[section]} [{section}]"'
        for field in all_fields():
            if field.section == section:
                text = f"{field.description}. Values: {values(field)}. Default: {default(field)}"
                yield from _item(option_name(field), text)
    yield ".SH EXIT STATUS"
    for code, meaning in EXIT_CODE_HELP.items():
        yield from _item(f"{code:d}", meaning)
    yield ".SH ENVIRONMENT"
    for name, text in ENVIRONMENT.items():
        yield from _item(name, text)
    yield ".SH FILES"
    for name, text in FILES.items():
        yield from _item(name, text)


def _command(command: Described) -> Iterator[str]:
    yield f'.SS "{_escaped(command.usage)}"'
    for paragraph in command.paragraphs:
        if isinstance(paragraph, str):
            yield from _paragraph(paragraph)
        else:
            yield from (".PP", ".nf", *map(_escaped, paragraph), ".fi")
    if command.takes_settings:
        yield from _paragraph("Accepts all settings as options.")
    for option in command.options:
        yield from _item(option.names, option.help)
    for below in command.commands:
        yield from _command(below)


def _paragraph(text: str) -> Iterator[str]:
    yield ".PP"
    yield _escaped(text)


def _item(term: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield rf"\fB{_escaped(term)}\fR"
    yield _escaped(text)


def _escaped(text: str) -> str:
    """A line that is no request, in ASCII, with hyphens that can be copied."""
    line = " ".join(text.split()).replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq")
    line = "".join(one if one.isascii() else f"\\[u{ord(one):04X}]" for one in line)
    return rf"\&{line}" if line[:1] in {".", "'"} else line
