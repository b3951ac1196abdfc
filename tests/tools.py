"""External programs that tests drive, what happens when one is not there, and rights."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.optional import Optional


def require_tool(name: str) -> str:
    """The path of a program; without it the test is skipped, or fails where FWTUI_REQUIRE_TOOLS=1.

    CI sets that, so that a test never passes there by not running.
    """
    found = shutil.which(name)
    if found is not None:
        return found
    if os.environ.get("FWTUI_REQUIRE_TOOLS") == "1":
        pytest.fail(f"{name} is not installed, and FWTUI_REQUIRE_TOOLS=1 forbids to skip")
    pytest.skip(Optional[name.upper()].reason)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root, who may do everything, is nobody meanwhile; others stay who they are."""
    if sys.platform == "win32" or os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
