"""What every test gets: folders of its own for state, cache and settings."""

import os
import signal
import sys
from pathlib import Path

# Tests share the processors: threads of native code would only wait for each other, spinning.
# Set before numpy is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

from tests.optional import SkipReport

# Tests start hundreds of programs, each of which would compile all modules again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A busy machine is no failure: how long an example takes is not what these tests are about.
settings.register_profile("fwtui", deadline=None)
settings.load_profile("fwtui")

# Tests send these to what they start, which would ignore them if whoever started the tests does, as
# `nohup` and a script's background jobs do.
for _name, _handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    _number = getattr(signal, _name, None)
    if _number is not None and signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(SkipReport())


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point fwtui, and the processes that a test starts, to folders that only this test uses."""
    for name in tuple(os.environ):
        if name.startswith("FWTUI_") and name != "FWTUI_REQUIRE_TOOLS":
            monkeypatch.delenv(name)  # settings of whoever runs the tests
    root = tmp_path / "fwtui-home"
    for name in ("STATE", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"FWTUI_{name}_DIR", str(root / name.lower()))
    return root
