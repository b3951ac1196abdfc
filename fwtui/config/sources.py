"""Where every setting's value comes from: layers, each over the one before it.

Defaults lie below the settings file, that below a profile, that below the environment, and the
command line is over all.
"""

import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec

from fwtui.config.environment import PROFILE, environment_values, variable
from fwtui.config.fields import Field, Value, all_fields, apply
from fwtui.config.load import load_values
from fwtui.config.profiles import Profile
from fwtui.core.settings import Settings
from fwtui.errors import ConfigError


class Origin(StrEnum):
    """The layers."""

    DEFAULT = "default"
    FILE = "file"
    PROFILE = "profile"
    ENVIRONMENT = "environment"
    COMMAND_LINE = "command line"


class Layer(msgspec.Struct, frozen=True):
    """Some values, by `section.name`; `name` is that of the file or the profile."""

    origin: Origin
    values: Mapping[str, Value]
    name: str = ""

    def source(self, field: Field) -> str:
        """Where exactly a value of it comes from, for people."""
        match self.origin:
            case Origin.ENVIRONMENT:
                return variable(field)
            case Origin.COMMAND_LINE:
                return f"--{field.word}"
            case Origin.PROFILE:
                return f"profile {self.name}"
            case _:
                return self.name or self.origin


class Sourced(msgspec.Struct, frozen=True):
    """A setting's value, and where it comes from."""

    field: Field
    value: Value
    origin: Origin
    source: str


def make_layers(
    file: Path,
    *,
    profile: str | None = None,
    given: Mapping[str, Value] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> tuple[Layer, ...]:
    """The layers over the defaults, the lowest first. `profile` is the one that was asked for.

    Raises ConfigError that says where a wrong value is.
    """
    wanted = profile or environ.get(PROFILE) or ""
    layers = [Layer(Origin.FILE, load_values(file), str(file))]
    if wanted:
        found = find_profile(file, wanted)
        layers.append(Layer(Origin.PROFILE, found.sets, found.name))
    layers.append(Layer(Origin.ENVIRONMENT, environment_values(environ)))
    layers.append(Layer(Origin.COMMAND_LINE, given or {}))
    return tuple(layers)


def find_profile(file: Path, name: str) -> Profile:
    """The profile of this name, the user's own first; raises ConfigError naming the nearest one."""
    from difflib import get_close_matches

    from fwtui.config.own import load_profiles
    from fwtui.config.profiles import PROFILES

    known = (*load_profiles(file), *PROFILES)
    for profile in known:
        if profile.name.casefold() == name.casefold():
            return profile
    names = [profile.name for profile in known]
    close = get_close_matches(name.title(), names, n=1) or get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names)}"
    raise ConfigError(f"there is no profile called {name!r}", hint)


def settle(layers: Sequence[Layer]) -> Settings:
    """The settings that all layers together mean."""
    values: dict[str, Value] = {}
    for layer in layers:
        values |= layer.values
    return apply(Settings(), values)


def sourced(layers: Sequence[Layer]) -> tuple[Sourced, ...]:
    """Every setting with its value and its origin, in the order of their declaration."""
    found = {
        field.key: Sourced(field, field.default, Origin.DEFAULT, Origin.DEFAULT)
        for field in all_fields()
    }
    for layer in layers:
        for key, value in layer.values.items():
            field = found[key].field
            found[key] = Sourced(field, value, layer.origin, layer.source(field))
    return tuple(found.values())
