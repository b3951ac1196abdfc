"""Named sets of values for what decides speed against accuracy."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from fwtui.config.fields import Value, apply, find_field, value_of
from fwtui.core.settings import Settings


class Profile(msgspec.Struct, frozen=True):
    """`values` are by `section.name`; every profile sets the same settings."""

    name: str
    description: str
    values: Mapping[str, Value]


def _profile(
    name: str, description: str, compute_type: str, beams: int, patience: float
) -> Profile:
    values: dict[str, Value] = {
        "model.compute_type": compute_type,
        "decoding.beam_size": beams,
        "decoding.patience": patience,
    }
    return Profile(name, description, MappingProxyType(values))


PROFILES = (
    _profile("Fast", "int8 weights, one beam: quickest, least memory", "int8", 1, 1.0),
    _profile("Precise", "the model's own weights, five beams", "default", 5, 1.0),
    _profile("Deep", "the best type for the device, ten patient beams: slow", "auto", 10, 2.0),
)


def with_profile(settings: Settings, profile: Profile) -> Settings:
    """`settings` with the profile's values."""
    return apply(settings, profile.values)


def profile_of(settings: Settings) -> Profile | None:
    """The profile whose values `settings` has, if there is one."""
    for profile in PROFILES:
        if all(value_of(settings, find_field(key)) == v for key, v in profile.values.items()):
            return profile
    return None
