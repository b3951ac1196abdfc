"""Starts the program as a user does: a fresh process."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PATIENCE = 300.0  # seconds until a test is given up; a busy machine is no failure


def fwtui(
    *arguments: str | Path,
    cwd: Path | None = None,
    timeout: float = PATIENCE,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run fwtui to its end, without a terminal; stdout and stderr as text."""
    return subprocess.run(
        [sys.executable, "-m", "fwtui", *map(str, arguments)],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
