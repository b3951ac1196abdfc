"""The user's corrections for transcripts: a file with `wrong => right` a line."""

from collections.abc import Mapping
from pathlib import Path

from fwtui.errors import ConfigError

_ARROW = "=>"


def load_replacements(path: Path) -> Mapping[str, str]:
    """The corrections in a file: what is right by what is wrong.

    Raises ConfigError naming the file, and the line if it is one.
    """
    try:
        return parse_replacements(path.read_text("utf-8-sig"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"The replacements in {path} cannot be read: {reason}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"The replacements in {path} are not UTF-8") from error
    except ValueError as error:
        raise ConfigError(
            f"The replacements in {path} cannot be used: {error}", "a line is: wrong => right"
        ) from error


def parse_replacements(text: str) -> dict[str, str]:
    """One correction a line; empty lines and those that begin with # are left out.

    What is wrong is in lower case, with single spaces. Raises ValueError naming a line that is no
    correction.
    """
    rules: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        wrong, arrow, right = line.partition(_ARROW)
        if not arrow or not wrong.strip():
            raise ValueError(f"line {number} has no {_ARROW} with something before it")
        rules[" ".join(wrong.split()).casefold()] = right.strip()
    return rules
