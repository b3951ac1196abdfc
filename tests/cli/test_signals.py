"""Stop signals, sent to a real process."""

import signal
import subprocess
import sys

import pytest

from fwtui.errors import ExitCode
from tests.cli.program import PATIENCE

SCRIPT = """
import asyncio, sys
from fwtui.cli.process import stop_signals

async def main():
    asked = asyncio.Event()
    def stop():
        print("asked", flush=True)
        asked.set()
    def hang_up():
        print("hung up", flush=True)
        return "continue" in sys.argv
    with stop_signals(stop, hang_up):
        print("ready", flush=True)
        await asked.wait()
        if "stubborn" in sys.argv:
            await asyncio.Event().wait()
    print("left", flush=True)

asyncio.run(main())
"""


def start(*arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert next_line(process) == "ready"
    return process


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_asks(number: signal.Signals) -> None:
    with start() as process:
        process.send_signal(number)
        if number == signal.SIGHUP:
            assert next_line(process) == "hung up"
        assert next_line(process) == "asked"
        assert next_line(process) == "left"
    assert process.returncode == 0


def test_a_hang_up_need_not_ask() -> None:
    with start("continue") as process:
        for _ in range(2):
            process.send_signal(signal.SIGHUP)
            assert next_line(process) == "hung up"
        process.send_signal(signal.SIGTERM)
        assert next_line(process) == "asked"
        assert next_line(process) == "left"
    assert process.returncode == 0


def test_the_second_signal_leaves() -> None:
    with start("stubborn") as process:
        process.send_signal(signal.SIGTERM)
        assert next_line(process) == "asked"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == ExitCode.STOPPED


def test_an_ignored_signal_stays_ignored() -> None:
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        process = start()
    finally:
        signal.signal(signal.SIGHUP, previous)
    with process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        assert next_line(process) == "asked"
        assert next_line(process) == "left"
