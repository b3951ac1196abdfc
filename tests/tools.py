"""External programs that tests drive, and what happens when one is not there."""

import os
import shutil

import pytest


def require_tool(name: str) -> str:
    """The path of a program; without it the test is skipped, or fails where FWTUI_REQUIRE_TOOLS=1.

    CI sets that, so that a test never passes there by not running.
    """
    found = shutil.which(name)
    if found is not None:
        return found
    if os.environ.get("FWTUI_REQUIRE_TOOLS") == "1":
        pytest.fail(f"{name} is not installed, and FWTUI_REQUIRE_TOOLS=1 forbids to skip")
    pytest.skip(f"needs {name}")
