"""The only things that tests may be skipped without, and how to get each of them.

Skipped for anything else, tests would pass by not running: then the session fails.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from enum import Enum

import pytest


class Optional(Enum):
    """What may be missing. Its value: which tests need it, and how to get it."""

    TMUX = ("tests on a real terminal", "install tmux, for example with apt-get install tmux")
    WHISPER = (
        "tests with real Whisper models and recordings",
        "set FWTUI_REAL_MODELS to a folder with base and tiny.en in CTranslate2 form,"
        " and FWTUI_REAL_MEDIA to a folder of recordings with jfk.flac",
    )
    SPEAKERS = (
        "tests with real models for speakers",
        "set FWTUI_REAL_SPEAKERS to a folder with segmentation-3.0.onnx and another .onnx file,"
        " and FWTUI_REAL_MEDIA to a folder of recordings with meetings.rttm",
    )
    MOUNT = ("tests on a small disk", "run them as root, on a system that allows to mount")
    SYSTEM = ("tests of large pages and extended attributes", "run them on a system that has these")

    @property
    def reason(self) -> str:
        """Why a test is skipped, as pytest tells it."""
        return f"needs {self.name.lower()}"


def summary(reasons: Iterable[str]) -> tuple[list[str], list[str]]:
    """A line for each thing that tests were skipped without, and the reasons that are none."""
    counts = Counter(reasons)
    known = {each.reason: each for each in Optional}
    lines = [
        f"{count} skipped, {known[reason].value[0]}: {known[reason].value[1]}"
        for reason, count in counts.items()
        if reason in known
    ]
    return lines, [reason for reason in counts if reason not in known]


class SkipReport:
    """A pytest plugin that tells at the end what was skipped; it counts in all processes."""

    def __init__(self, platform: str = sys.platform) -> None:
        self._on_linux = platform.startswith("linux")  # elsewhere some tests make no sense
        self._reasons: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._add(report.longrepr)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._add(report.longrepr)

    def _add(self, place_and_reason: object) -> None:
        assert isinstance(place_and_reason, tuple)
        self._reasons.append(str(place_and_reason[-1]).removeprefix("Skipped: "))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        wrong = self._on_linux and summary(self._reasons)[1]
        if wrong and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        lines, others = summary(self._reasons)
        for line in lines:
            terminalreporter.write_line(line)
        if others and self._on_linux:
            terminalreporter.write_line(
                f"FAILED: no test may be skipped for: {'; '.join(others)} (see tests/optional.py)"
            )
