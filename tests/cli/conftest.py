"""What several tests compare with, made once."""

import os
from functools import cache
from pathlib import Path

import pytest

from fwtui.errors import ExitCode
from tests.cli.program import fwtui
from tests.cli.test_run import QUICK, Undisturbed, contents


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The transcripts of a clip, with the options `QUICK`, when nothing comes between."""

    @cache
    def work(clip: Path) -> dict[str, bytes]:
        folder = tmp_path_factory.mktemp("undisturbed")
        own = {f"FWTUI_{name}_DIR": str(folder / name) for name in ("STATE", "CACHE", "CONFIG")}
        result = fwtui("run", clip, *QUICK, "-o", folder / "out", environment=os.environ | own)
        assert result.returncode == ExitCode.DONE, result.stderr
        return contents(folder / "out")

    return work
