"""The tiny networks, made once."""

from pathlib import Path

import pytest

from fwtui.speakers.voices_of_file import VoiceModels
from tests.speakers.networks import load_networks, write_networks


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both networks."""
    return write_networks(tmp_path_factory.mktemp("networks"))


@pytest.fixture(scope="package")
def voice_models(folder: Path) -> VoiceModels:
    """Both networks, loaded."""
    return load_networks(folder)
