"""One life of a batch: a child `fwtui run`, or the screen, from its start to its end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import IO

import msgspec
import psutil

from fwtui.core.events import AnyEvent, EngineChanged, SegmentsFound
from tests.crash.launcher import CALL, EVENTS
from tests.crash.screen import Screen

LAUNCHER = Path(__file__).with_name("launcher.py")
PATIENCE = 300.0  # seconds until a life is given up; nothing is decided by how long things take
MISTAKES = ("this is a mistake in fwtui", "Traceback (most recent call last)")


class How(StrEnum):
    """What is done to the batch."""

    CALL = "the group, in a storage call"
    GROUP = "the group"
    ENGINE = "the engine"
    PARENT = "the parent"
    TERM = "SIGTERM"
    INT = "SIGINT"
    HUP = "SIGHUP"


SIGNALS = {
    How.PARENT: signal.SIGKILL,
    How.TERM: signal.SIGTERM,
    How.INT: signal.SIGINT,
    How.HUP: signal.SIGHUP,
}


class Kill(msgspec.Struct, frozen=True):
    """Strike `delay` seconds after event number `after` of this life (0: the start).

    `windows`: count only windows with segments. With `How.CALL`, `after` is the call's number.
    """

    how: How
    after: int
    delay: float = 0.0
    windows: bool = False


class Lived(msgspec.Struct, frozen=True):
    """What was seen of a life. `code` as of `Popen`; `struck`: the kill met it alive."""

    code: int
    events: tuple[AnyEvent, ...]
    struck: bool
    problems: tuple[str, ...]


class Life:
    """Runs the launcher with `arguments`; what it says to people is written to `errors`.

    `screen`: on a terminal, driven by keys.
    """

    def __init__(
        self,
        arguments: tuple[str | Path, ...],
        environment: Mapping[str, str],
        errors: Path,
        kill: Kill | None,
        screen: Screen | None = None,
    ) -> None:
        self.kill = kill
        self.screen = screen
        self.events: list[AnyEvent] = []
        self.struck = False
        self.problems: list[str] = []
        self._errors = errors
        self._killed: psutil.Process | None = None
        environment = {**os.environ, **environment}
        if kill is not None and kill.how is How.CALL:
            environment[CALL] = str(kill.after)
        command = [str(part) for part in (sys.executable, "-P", LAUNCHER, *arguments)]
        self._told: IO[bytes]
        if screen is None:
            self._run_plain(command, environment)
        else:
            self._run_on(screen, command, environment)

    def _run_plain(self, command: list[str], environment: Mapping[str, str]) -> None:
        with self._errors.open("wb") as file:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=file,
                env=environment,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        self._told = self.process.stdout

    def _run_on(self, screen: Screen, command: list[str], environment: Mapping[str, str]) -> None:
        told, telling = os.pipe()
        self.process = subprocess.Popen(
            command,
            stdin=screen.slave,
            stdout=screen.slave,
            stderr=screen.slave,
            env={**environment, EVENTS: str(telling), "TERM": "xterm-256color"},
            pass_fds=(telling,),
            start_new_session=True,
        )
        os.close(telling)
        screen.open()
        self._told = os.fdopen(told, "rb")

    def run(self) -> Lived:
        """Until no process of the group is left."""
        watchdog = threading.Timer(PATIENCE, self._give_up)
        watchdog.start()
        try:
            self._strike_if_due()
            for event in self._lines():
                self.events.append(event)
                self._look_for_zombie(event)
                if self.screen is not None:
                    self.screen.hear(event)
                self._strike_if_due()
            code = self.process.wait()
        finally:
            watchdog.cancel()
            if self.screen is not None:
                self.screen.close()
        if self.kill is not None and self.kill.how is How.CALL:
            self.struck = code == -signal.SIGKILL
        self._bury()
        said = self._errors.read_text(errors="replace")
        if self._is_to_be_clean():
            self.problems += [
                f"stderr: {said[-2000:]!r}" for mistake in MISTAKES if mistake in said
            ]
        return Lived(code, tuple(self.events), self.struck, tuple(self.problems))

    def _is_to_be_clean(self) -> bool:
        """A Ctrl-C while Python is still starting ends in Python's own words."""
        return bool(self.events) or not self.struck

    def _lines(self) -> Iterator[AnyEvent]:
        with self._told as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    yield msgspec.json.decode(line, type=AnyEvent)

    def _strike_if_due(self) -> None:
        kill = self.kill
        if kill is None or self.struck or kill.how is How.CALL:
            return
        heard = sum(isinstance(e, SegmentsFound) for e in self.events)
        if (heard if kill.windows else len(self.events)) >= kill.after:
            time.sleep(kill.delay)
            self.struck = self.process.poll() is None and self._strike(kill.how)

    def _strike(self, how: How) -> bool:
        """Whether there was something to strike."""
        if how is How.GROUP:
            os.killpg(self.process.pid, signal.SIGKILL)
        elif how is How.ENGINE:
            engines = psutil.Process(self.process.pid).children()
            for engine in engines:
                engine.kill()
                self._killed = engine
            return bool(engines)
        else:
            self.process.send_signal(SIGNALS[how])
        return True

    def _look_for_zombie(self, event: AnyEvent) -> None:
        """When the next engine is there, the killed one must have been reaped."""
        if self._killed and isinstance(event, EngineChanged) and event.info is not None:
            if self._killed.is_running():
                self.problems.append(f"the killed engine is still there: {self._killed}")
            self._killed = None

    def _give_up(self) -> None:
        self.problems.append(f"no end within {PATIENCE:.0f} s")
        os.killpg(self.process.pid, signal.SIGKILL)

    def _bury(self) -> None:
        """Wait until the rest of the group has ended by itself."""
        limit = time.monotonic() + PATIENCE
        while left := members(self.process.pid):
            if time.monotonic() > limit:
                self.problems.append(f"left running: {left}")
                os.killpg(self.process.pid, signal.SIGKILL)
                return
            time.sleep(0.01)


def members(group: int) -> list[psutil.Process]:
    """Living processes of a process group."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found
