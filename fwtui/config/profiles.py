"""Named sets of values for what decides speed against accuracy."""

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

import msgspec

from fwtui.config.fields import Value, all_fields, apply, find_field, value_at
from fwtui.core.settings import Settings

_NOT_HELD = frozenset({"model.model_dir", "output.output_dir"})


class Profile(msgspec.Struct, frozen=True):
    """`values` are by `section.name`.

    The built-in ones all set the same settings and leave the others alone. A `complete` one, which
    the user made, sets all that is `profile_keys`: to its values, or else to their defaults.
    """

    name: str
    description: str
    values: Mapping[str, Value]
    complete: bool = False

    @property
    def sets(self) -> Mapping[str, Value]:
        """Every setting that it sets, with its value."""
        if not self.complete:
            return self.values
        return {key: find_field(key).default for key in profile_keys()} | dict(self.values)


@cache
def profile_keys() -> tuple[str, ...]:
    """What a profile of the user's own holds: all that decides text and look of the outputs."""
    return tuple(
        field.key
        for field in all_fields()
        if field.section in {"model", "decoding", "output"} and field.key not in _NOT_HELD
    )


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
    return apply(settings, profile.sets)


def profile_of(settings: Settings, own: Iterable[Profile] = ()) -> Profile | None:
    """The profile whose values `settings` has, if there is one; the user's `own` come first."""
    for profile in (*own, *PROFILES):
        if all(value_at(settings, key) == value for key, value in profile.sets.items()):
            return profile
    return None


def custom_profile(name: str, settings: Settings) -> Profile:
    """A profile with what `settings` has."""
    found = {key: value_at(settings, key) for key in profile_keys()}
    values = {key: value for key, value in found.items() if value != find_field(key).default}
    return Profile(name, "Your own", MappingProxyType(values), complete=True)
