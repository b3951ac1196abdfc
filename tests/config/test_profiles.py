"""Profiles: what they set, and which one settings have."""

import pytest
from msgspec.structs import replace

from fwtui.config.fields import apply, differing
from fwtui.config.profiles import PROFILES, Profile, profile_of, with_profile
from fwtui.core.settings import ModelSettings, Settings

FAST, PRECISE, DEEP = PROFILES


def test_the_built_in_profiles() -> None:
    values = [tuple(profile.values.values()) for profile in PROFILES]
    assert [profile.name for profile in PROFILES] == ["Fast", "Precise", "Deep"]
    assert values == [("int8", 1, 1, 1.0), ("default", 5, 5, 1.0), ("default", 10, 5, 2.0)]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: str(profile.name))
def test_a_profile_is_recognized_and_leaves_the_rest(profile: Profile) -> None:
    before = apply(with_profile(Settings(), DEEP), {"decoding.language": "de"})
    after = with_profile(before, profile)
    assert profile_of(after) is profile
    assert after.decoding.language == "de"
    changed = {field.key for field, _ in differing(with_profile(Settings(), profile))}
    assert changed <= profile.values.keys()


def test_other_settings_have_no_profile() -> None:
    assert profile_of(Settings()) is None
    assert profile_of(replace(Settings(), model=ModelSettings(compute_type="int8"))) is None
