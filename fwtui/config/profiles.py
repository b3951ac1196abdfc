"""Profiles: named sets of values, built-in or saved by the user."""

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

import msgspec

from fwtui.config.fields import Value, all_fields, apply, find_field, value_at
from fwtui.core.settings import Settings

_NOT_IN_PROFILES = frozenset({"model.model_dir", "output.output_dir"})


class Profile(msgspec.Struct, frozen=True):
    """A named set of values by `section.name`.

    The built-in profiles all set the same few settings. A `complete` one, as saved by the user,
    sets all `profile_keys`: to its values, or otherwise to their defaults.
    """

    name: str
    description: str
    values: Mapping[str, Value]
    complete: bool = False

    @property
    def sets(self) -> Mapping[str, Value]:
        """Every setting that the profile sets, with its value."""
        if not self.complete:
            return self.values
        return {key: find_field(key).default for key in profile_keys()} | dict(self.values)


@cache
def profile_keys() -> tuple[str, ...]:
    """The settings in a custom profile: all that affect the text and form of transcripts."""
    return tuple(
        field.key
        for field in all_fields()
        if field.section in {"model", "decoding", "output"} and field.key not in _NOT_IN_PROFILES
    )


def _profile(
    name: str, description: str, compute_type: str, beams: int, samples: int, patience: float
) -> Profile:
    values: dict[str, Value] = {
        "model.compute_type": compute_type,
        "decoding.beam_size": beams,
        "decoding.best_of": samples,
        "decoding.patience": patience,
    }
    return Profile(name, description, MappingProxyType(values))


PROFILES = (
    _profile("Fast", "int8 weights, one beam: fastest, least memory", "int8", 1, 1, 1.0),
    _profile("Precise", "the model's own weights, five beams", "default", 5, 5, 1.0),
    _profile("Deep", "the model's own weights, ten beams: slow", "default", 10, 5, 2.0),
)


def with_profile(settings: Settings, profile: Profile) -> Settings:
    """`settings` with the profile's values."""
    return apply(settings, profile.sets)


def profile_of(settings: Settings, own: Iterable[Profile] = ()) -> Profile | None:
    """The profile whose values `settings` have, if any; custom ones (`own`) come first."""
    for profile in (*own, *PROFILES):
        if all(value_at(settings, key) == value for key, value in profile.sets.items()):
            return profile
    return None


def custom_profile(name: str, settings: Settings) -> Profile:
    """A profile with the values of `settings`."""
    found = {key: value_at(settings, key) for key in profile_keys()}
    values = {key: value for key, value in found.items() if value != find_field(key).default}
    return Profile(name, "Your own", MappingProxyType(values), complete=True)
