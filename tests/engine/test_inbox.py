"""When the prepare thread may go on: with the model still loading, and with enough prepared."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from fwtui.engine.client import EngineClient
from fwtui.engine.inbox import AHEAD_SECONDS, Channel, Inbox
from fwtui.engine.prepare import PreparedFile
from fwtui.engine.protocol import AnyReply, Fatal, FileFinished, Ready, Transcribe
from fwtui.engine.transcriber import Transcriber, feature_extractor
from tests.engine.support import GREEDY, MODEL
from tests.engine.test_client import SHORT

# The model is not loaded before the scratch file is there.
LOADS_LATE = """
import os, time
import fwtui.engine.loop as worker
load = worker.Transcriber
def late(*arguments):
    waits = 6000
    while not os.path.exists({scratch!r}):
        time.sleep(0.01)
        waits -= 1
        assert waits, "the file was not prepared while the model loaded"
    return load(*arguments)
worker.Transcriber = late
from fwtui.engine.child import main
main()
"""


def test_the_first_file_is_prepared_while_the_model_loads(tmp_path: Path) -> None:
    import sys

    scratch = str(tmp_path / "tmp.wav")
    command = (sys.executable, "-c", LOADS_LATE.format(scratch=scratch))
    client = EngineClient(MODEL, lambda _: None, command)
    client.send(Transcribe(1, str(SHORT), GREEDY, "hash", scratch))
    heard: list[AnyReply] = []
    for reply in client.replies():
        heard.append(reply)
        if isinstance(reply, FileFinished | Fatal):
            client.kill()
    client.wait()
    assert any(isinstance(reply, Ready) for reply in heard)
    assert any(isinstance(reply, FileFinished) for reply in heard)


def test_the_extractor_is_known_before_the_model_is_loaded() -> None:
    before = feature_extractor(Path(MODEL.model))
    after = Transcriber(MODEL).model.feature_extractor
    assert before.nb_max_frames == after.nb_max_frames
    assert before.mel_filters.tobytes() == after.mel_filters.tobytes()


class LongFile:
    """A prepared file, as far as the inbox looks at one."""

    seconds = AHEAD_SECONDS

    def __init__(self, request: Transcribe) -> None:
        self.request = request


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    reading, writing = os.pipe()
    yield Inbox(Channel(writing))
    os.close(reading)
    os.close(writing)


def test_a_dangerous_file_waits_for_the_model_and_all_for_room(inbox: Inbox) -> None:
    extractor: Any = object()
    file = Transcribe(1, "/a", GREEDY, "hash", "/tmp1.wav")
    inbox._accept(replace(file, careful=True))
    assert not inbox._may_prepare()
    inbox.set_extractor(extractor, "")
    assert not inbox._may_prepare()
    inbox.set_loaded()
    assert inbox.next_request() == replace(file, careful=True)
    inbox.offer(cast("PreparedFile", LongFile(file)))
    inbox._accept(replace(file, job=2))
    assert not inbox._may_prepare()  # ten minutes are prepared: the disk is not ours alone
    assert inbox.next_prepared() is not None
    assert inbox._may_prepare()
