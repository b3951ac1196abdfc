"""Settings as the few values that are not at their defaults: what a file remembers of them."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fwtui.config.fields import Value, apply, differing
from fwtui.core.settings import Settings
from fwtui.errors import ConfigError


@lru_cache(maxsize=8)
def sparse(settings: Settings) -> dict[str, Value]:
    """The values that are not at their defaults, by `section.name`; not those of the interface.

    The same object for the same settings: a hundred thousand files share it. Do not change it.
    """
    return {
        field.key: value for field, value in differing(settings) if field.section != "interface"
    }


def full(values: Mapping[str, Any]) -> Settings:
    """The opposite of `sparse`. What another version wrote and this one cannot use is left out."""
    settings = Settings()
    for key, value in values.items():
        try:
            settings = apply(settings, {key: value})
        except ConfigError:
            continue
    return settings
