"""The pipes to a child that misbehaves: deaf, talkative, or speaking something else."""

import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
from faster_whisper.transcribe import Segment as WhisperSegment

from fwtui.core.session import WindowResult, WindowState
from fwtui.core.settings import DecodingSettings, ModelSettings
from fwtui.engine.client import BURST_LINES, TAIL_LINES, EngineClient
from fwtui.engine.convert import convert
from fwtui.engine.protocol import AnyReply, Transcribe, WindowDone
from fwtui.errors import EngineError


@contextmanager
def child(code: str, heard: list[str]) -> Iterator[EngineClient]:
    client = EngineClient(ModelSettings(), heard.append, (sys.executable, "-c", code))
    yield client
    client.kill()
    client.wait()


def test_sending_to_a_child_that_does_not_read_does_not_block() -> None:
    with child("import time; time.sleep(600)", []) as client:
        request = Transcribe(1, "x" * 1_000_000, DecodingSettings(), "", "")
        sending = threading.Thread(target=client.send, args=(request,), daemon=True)
        sending.start()
        sending.join(5)
        assert not sending.is_alive()


@pytest.mark.parametrize("line", [b"noise", b'"\xff"', b"[" * 100_000])
def test_what_is_not_our_protocol_is_an_engine_error(line: bytes) -> None:
    code = f"import os, time; os.write(1, {line[:1]!r} * {len(line)})"
    if len(set(line)) > 1:
        code = f"import os, time; os.write(1, {line!r})"
    code += "; os.write(1, b'\\n'); time.sleep(600)"
    with child(code, []) as client, pytest.raises(EngineError, match="unreadable reply"):
        next(client.replies())


def test_a_flood_on_stderr_is_passed_on_in_moderation() -> None:
    heard: list[str] = []
    code = "import sys\nfor i in range(50_000): print('line', i, file=sys.stderr)"
    with child(code, heard) as client:
        assert list(client.replies()) == []
        ended = client.wait()
    assert ended.stderr_tail[-1] == "line 49999"
    assert len(ended.stderr_tail) == TAIL_LINES
    assert heard[:BURST_LINES] == [f"line {number}" for number in range(BURST_LINES)]
    assert BURST_LINES < len(heard) < 25_000
    left_out = [int(line.split()[2]) for line in heard if line.startswith("...")]
    assert len(heard) - len(left_out) + sum(left_out) == 50_000


def test_a_line_on_stderr_without_an_end_takes_no_memory() -> None:
    heard: list[str] = []
    with child("import os; os.write(2, b'x' * 1_000_000)", heard) as client:
        list(client.replies())
        client.wait()
    assert max(map(len, heard)) <= 4096


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_numbers_that_json_cannot_hold_do_not_kill_the_engine(value: float) -> None:
    segment = convert(
        WhisperSegment(1, 0, 0.0, 1.0, " one", [1], value, value, value, None, temperature=0.0)
    )
    window = WindowDone(1, WindowResult((segment,), WindowState(), 1.0))
    assert msgspec.json.decode(msgspec.json.encode(window), type=AnyReply) == window


def test_a_child_ends_whatever_it_cannot_clean_up() -> None:
    code = (
        "import os, pathlib, sys\n"
        "from fwtui.engine.inbox import Channel\n"
        "from fwtui.engine.inbox import Inbox\n"
        "inbox = Inbox(Channel(1))\n"
        "inbox._scratch.add(pathlib.Path('/'))\n"  # cannot be deleted
        "reading, writing = os.pipe()\n"
        "os.close(reading)\n"
        "os.dup2(writing, 2)\n"
        "inbox.end(3)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 3
