"""Overrides: settings as the values that differ from the defaults, as stored for each file."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fwtui.config.fields import Value, apply, differing
from fwtui.core.settings import USER_SECTIONS, Settings
from fwtui.errors import ConfigError


@lru_cache(maxsize=8)
def to_overrides(settings: Settings) -> dict[str, Value]:
    """The values that differ from the defaults by `section.name`, without `USER_SECTIONS`.

    The same object for the same settings, shared by all files with them: do not change it.
    """
    return {
        field.key: value
        for field, value in differing(settings)
        if field.section not in USER_SECTIONS
    }


def from_overrides(values: Mapping[str, Any]) -> Settings:
    """The settings that `to_overrides` was given; values unknown to this version are ignored.

    Those outside of their range are kept: they are refused where they are used.
    """
    settings = Settings()
    for key, value in values.items():
        try:
            settings = apply(settings, {key: value}, stored=True)
        except ConfigError:
            continue
    return settings
