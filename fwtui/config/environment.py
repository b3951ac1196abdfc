"""Settings in the environment: `FWTUI_` and the option's name in capitals, as in FWTUI_BEAM_SIZE.

An empty variable counts as not set, and `None` is none, where a setting may be that.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from fwtui.config.fields import Field, Value, all_fields, parse_word
from fwtui.errors import ConfigError

PREFIX = "FWTUI_"
PROFILE = "FWTUI_PROFILE"
# What is told to the commands of `[done]` begins with this, and is no setting.
FACTS = "FWTUI_DONE_"
_OTHERS = frozenset({PROFILE, "FWTUI_STATE_DIR", "FWTUI_CACHE_DIR", "FWTUI_CONFIG_DIR"})


def variable(field: Field) -> str:
    """The variable of a setting."""
    return PREFIX + field.word.upper()


def environment_values(environ: Mapping[str, str]) -> dict[str, Value]:
    """The settings in the environment, by `section.name`; raises ConfigError with the variable."""
    values: dict[str, Value] = {}
    if not any(name.startswith(PREFIX) and name not in _OTHERS for name in environ):
        return values
    for field in all_fields():
        name = variable(field)
        if text := environ.get(name, ""):
            try:
                values[field.key] = parse_word(field, text)
            except ConfigError as error:
                raise ConfigError(f"{name}: {error.title}", error.hint) from error
    return values


def misspelt(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Variables that look like ours, mean nothing, and are close to one that does: both names."""
    known = {variable(field) for field in all_fields()} | _OTHERS
    ours = [name for name in sorted(environ) if name.startswith(PREFIX)]
    for name in ours:
        close = get_close_matches(name, sorted(known), n=1, cutoff=0.8)
        if close and name not in known and not name.startswith(FACTS):
            yield name, close[0]
