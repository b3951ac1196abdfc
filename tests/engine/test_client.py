"""The real child process: requests, replies, and every way it can end."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fwtui import demo
from fwtui.core.failure import FailureKind
from fwtui.core.settings import ModelSettings
from fwtui.engine.client import EngineClient
from fwtui.engine.protocol import (
    AnyReply,
    Cancel,
    Fatal,
    FileFailed,
    FileFinished,
    FileProbed,
    FileStarted,
    FileStopped,
    Held,
    Hold,
    Ready,
    Shutdown,
    Transcribe,
    WindowDone,
)
from tests.engine.support import GREEDY, LONG_CLIP, MINUTE, MODEL
from tests.optional import Optional

SHORT = demo.clips()[0]


class Engine:
    """A child, its replies so far, and a way to wait for one."""

    def __init__(self, model: ModelSettings, folder: Path) -> None:
        self.folder = folder
        self.stderr: list[str] = []
        self.client = EngineClient(model, self.stderr.append)
        self.replies: list[AnyReply] = []
        self._stream = self.client.replies()

    def transcribe(self, job: int, path: Path) -> Path:
        scratch = self.folder / f"tmp{job}.wav"
        self.client.send(Transcribe(job, str(path), GREEDY, "hash", str(scratch)))
        return scratch

    def until(self, kind: type[AnyReply], job: int | None = None) -> AnyReply:
        for reply in self._stream:
            self.replies.append(reply)
            if isinstance(reply, kind) and (job is None or getattr(reply, "job", None) == job):
                return reply
        raise AssertionError(f"no {kind.__name__}: {self.replies[-3:]}, {self.stderr}")

    def drain(self) -> None:
        self.replies += list(self._stream)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    started = Engine(MODEL, tmp_path)
    yield started
    started.client.kill()
    started.drain()
    started.client.wait()


def test_two_files_the_second_prepared_while_the_first_runs(engine: Engine) -> None:
    scratch = [engine.transcribe(1, MINUTE), engine.transcribe(2, SHORT)]
    assert isinstance(engine.until(Ready), Ready)
    engine.until(FileFinished, 2)
    order = [(type(r), getattr(r, "job", 0)) for r in engine.replies]
    assert (
        order.index((FileProbed, 2))
        < order.index((FileFinished, 1))
        < order.index((FileStarted, 2))
    )
    windows = [r for r in engine.replies if isinstance(r, WindowDone)]
    assert {window.job for window in windows} == {1, 2}
    assert not any(path.exists() for path in scratch)
    engine.client.send(Shutdown())
    engine.drain()
    assert engine.client.wait().returncode == 0


def test_cancel_is_answered_at_the_next_window(engine: Engine) -> None:
    scratch = engine.transcribe(1, LONG_CLIP)
    engine.until(WindowDone)
    engine.client.send(Cancel(1))
    engine.until(FileStopped, 1)
    windows = [reply for reply in engine.replies if isinstance(reply, WindowDone)]
    assert not windows[-1].result.state.done
    assert not scratch.exists()
    engine.transcribe(2, SHORT)
    engine.until(FileFinished, 2)


def test_a_waiting_job_can_be_cancelled(engine: Engine) -> None:
    engine.transcribe(1, MINUTE)
    scratch = engine.transcribe(2, MINUTE)
    engine.client.send(Cancel(2))
    engine.until(FileStopped, 2)
    if not any(isinstance(reply, FileFinished) for reply in engine.replies):
        engine.until(FileFinished, 1)
    assert not scratch.exists()


def test_hold_rests_after_the_window_and_goes_on(engine: Engine) -> None:
    engine.transcribe(1, LONG_CLIP)
    engine.until(WindowDone)
    engine.client.send(Hold(True))
    assert engine.until(Held) == Held(True)
    before = len([reply for reply in engine.replies if isinstance(reply, WindowDone)])
    engine.client.send(Hold(False))
    assert engine.until(Held) == Held(False)
    engine.until(FileFinished, 1)
    assert len([reply for reply in engine.replies if isinstance(reply, WindowDone)]) > before


def test_a_bad_file_fails_and_the_engine_goes_on(engine: Engine, tmp_path: Path) -> None:
    bad = tmp_path / "notes.mp3"
    bad.write_text("not sound")
    scratch = engine.transcribe(1, bad)
    engine.transcribe(2, SHORT)
    failed = engine.until(FileFailed, 1)
    assert isinstance(failed, FileFailed)
    assert failed.failure.kind is FailureKind.BAD_MEDIA
    assert "notes.mp3" in failed.failure.title
    assert not scratch.exists()
    engine.until(FileFinished, 2)


def test_a_missing_model_is_fatal_and_says_what_to_do(tmp_path: Path) -> None:
    engine = Engine(ModelSettings(model=str(tmp_path / "nowhere")), tmp_path)
    fatal = engine.until(Fatal)
    assert isinstance(fatal, Fatal)
    assert fatal.failure.kind is FailureKind.MODEL_MISSING
    assert "nowhere" in fatal.failure.title
    assert fatal.failure.hint
    engine.drain()
    assert engine.client.wait().returncode == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (signal.SIGKILL, FailureKind.OUT_OF_MEMORY),
        (signal.SIGSEGV, FailureKind.ENGINE_DIED),
        (signal.SIGABRT, FailureKind.ENGINE_DIED),
    ],
)
def test_a_killed_child_is_drained_reaped_and_judged(
    engine: Engine, number: signal.Signals, kind: FailureKind
) -> None:
    engine.transcribe(1, MINUTE)
    engine.until(WindowDone)
    os.kill(engine.client.pid, number)
    engine.drain()
    ended = engine.client.wait()
    assert ended.returncode == -number
    assert ended.failure.kind is kind
    assert not psutil.pid_exists(engine.client.pid)
    engine.client.send(Shutdown())  # to a dead child: no error


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_signals_of_the_terminal_are_left_to_the_parent(engine: Engine) -> None:
    engine.transcribe(1, SHORT)
    engine.until(Ready)
    os.kill(engine.client.pid, signal.SIGINT)
    os.kill(engine.client.pid, signal.SIGHUP)
    engine.until(FileFinished, 1)


@pytest.mark.skipif(
    not Path("/sys/kernel/mm/transparent_hugepage").is_dir(), reason=Optional.SYSTEM.reason
)
def test_the_model_is_in_small_pages(engine: Engine) -> None:
    engine.until(Ready)
    _, *mappings = re.split(
        r"(?m)^(?=[0-9a-f]+-)", Path(f"/proc/{engine.client.pid}/smaps").read_text()
    )
    heap = next(mapping for mapping in mappings if "[heap]" in mapping)
    flags = re.search(r"^VmFlags: (.*)", heap, re.MULTILINE)
    assert flags is not None
    assert "nh" in flags[1].split()


def test_native_prints_do_not_corrupt_the_protocol(tmp_path: Path) -> None:
    """Descriptor 1 of the child is its stderr."""
    script = (
        "import os, runpy; import fwtui.engine.inbox as c; take = c.Channel.take_stdout\n"
        "def talk():\n    channel = take(); os.write(1, b'native noise\\n'); return channel\n"
        "c.Channel.take_stdout = talk\n"
        "from fwtui.engine.child import main; main()"
    )
    noise: list[str] = []
    client = EngineClient(MODEL, noise.append, (sys.executable, "-c", script))
    replies = client.replies()
    assert isinstance(next(replies), Ready | object)
    client.send(Shutdown())
    list(replies)
    assert client.wait().returncode == 0
    assert "native noise" in noise


PARENT = """
import sys, time
from pathlib import Path
from tests.engine.test_client import Engine, WindowDone
from tests.engine.support import MODEL, MINUTE
engine = Engine(MODEL, Path(sys.argv[1]))
engine.transcribe(1, MINUTE)
engine.until(WindowDone)
print(engine.client.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_child_ends_itself_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    gone = threading.Event()
    psutil.wait_procs([child], timeout=20, callback=lambda _: gone.set())
    assert gone.is_set()
    assert list(tmp_path.glob("*.wav")) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signal masks")
def test_a_child_that_has_just_begun_outlives_a_hang_up_of_its_group() -> None:
    """It must not depend on how far it has got: the signals come to it blocked."""
    code = (
        "import os, signal, sys; os.kill(os.getpid(), signal.SIGHUP);"
        "os.kill(os.getpid(), signal.SIGINT); print('alive', file=sys.stderr)"
    )
    said: list[str] = []
    client = EngineClient(MODEL, said.append, (sys.executable, "-c", code))
    assert list(client.replies()) == []
    assert client.wait().returncode == 0
    assert said == ["alive"]
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert not blocked & {signal.SIGHUP, signal.SIGINT}
