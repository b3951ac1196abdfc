"""What version 0.1 said in JSON is still understood, and still said like that.

The lines are in tests/data/protocol-0.1; see tests/data/make_protocol.py.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fwtui.core.commands import AnyCommand
from fwtui.core.events import AnyEvent
from tests.old import places, recordings

DATA = Path(__file__).parents[1] / "data" / "protocol-0.1"
FWTUI = (sys.executable, "-P", "-m", "fwtui")
PATIENCE = 60.0
Json = dict[str, Any]
# What a reader of `fwtui run --json` can rely on to come in this order.
ORDERED = {"BatchSnapshot", "JobsAdded", "JobChanged", "SegmentsFound", "SegmentsReset"}
ORDERED |= {"PhaseChanged", "BatchFinished"}
# Figures of the machine, of the moment, and of its processor's arithmetic.
FIGURES = {"created_at", "started_at", "completed_at", "work_seconds", "seconds", "session_id"}
# Now every file's existing outputs are looked up, before: only where they would be kept.
FIGURES |= {"kept"}
FIGURES |= {"avg_logprob", "no_speech_prob", "compression_ratio", "memory", "engines"}


def lines(name: str) -> list[bytes]:
    return (DATA / name).read_bytes().splitlines()


@pytest.mark.parametrize("name", ["messages.jsonl", "run.jsonl"])
def test_every_message_is_understood_and_said_the_same_way(name: str) -> None:
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnyEvent | AnyCommand)
    for line in lines(name):
        again = msgspec.json.encode(decoder.decode(line))
        assert places.is_part(json.loads(line), json.loads(again))


def test_no_kind_of_message_is_missing_in_the_data() -> None:
    """A new one is a reason to make data of its own, not to change these."""
    said = {json.loads(line)["type"] for line in lines("messages.jsonl")}
    known = {kind.__name__ for union in (AnyEvent, AnyCommand) for kind in union.__args__}
    assert said <= known


def test_a_run_tells_the_same_as_it_did(tmp_path: Path) -> None:
    root = tmp_path / "root"
    prepare(root)
    result = subprocess.run(
        [*FWTUI, "run", "--json", *arguments(root)],
        env=places.environment(root), cwd=root, capture_output=True, check=True, timeout=PATIENCE,
    )  # fmt: skip
    then = [json.loads(line) for line in lines("run.jsonl")]
    now = [json.loads(line) for line in result.stdout.splitlines()]
    assert {event["type"] for event in then} <= {event["type"] for event in now}
    old, new = ordered(then, places.NEUTRAL), ordered(now, str(root))
    assert [event["type"] for event in old] == [event["type"] for event in new]
    for one, other in zip(old, new, strict=True):
        assert places.is_part(one, other)


def ordered(events: list[Json], root: str) -> list[Json]:
    """The events that come in a fixed order, without what differs."""
    chosen = [without_figures(event) for event in events if event["type"] in ORDERED]
    plain: list[Json] = json.loads(json.dumps(chosen).replace(root, "<root>"))
    return plain


def without_figures(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: "_" if key in FIGURES else without_figures(item) for key, item in value.items()
        }
    return [without_figures(item) for item in value] if isinstance(value, list) else value


def prepare(root: Path) -> None:
    recordings.make("short", root / "media" / "short.flac")
    recordings.put_model(root / "hub")
    (root / "tmp").mkdir()


def arguments(root: Path) -> tuple[str, ...]:
    """As in make_protocol.py."""
    return (
        str(root / "media" / "short.flac"),
        *("--model", "tiny", "--device", "cpu", "--threads", "1"),
        *("--temperature_increment_on_fallback", "None", "--beam_size", "1", "--language", "en"),
        *("-f", "txt", "-o", str(root / "out")),
    )


@pytest.fixture
def batch(tmp_path: Path) -> Iterator[Path]:
    """The folders of a batch that watches a folder, so that it does not end."""
    root = tmp_path / "r"
    prepare(root)
    command = [*FWTUI, "watch", str(root / "media"), "--settle", "0", *arguments(root)[1:]]
    process = subprocess.Popen(
        command, env=places.environment(root), cwd=root, stderr=subprocess.DEVNULL
    )
    try:
        yield root
        process.wait(timeout=PATIENCE)  # the client has ended it
    finally:
        process.kill()


def test_a_client_and_a_batch_begin_as_they_did(batch: Path) -> None:
    """Hello, welcome, snapshot, recap; a question and its answer; the end."""
    old = [json.loads(line) for line in lines("attach.jsonl")]
    talk = Talk(batch)
    for who, said in old:
        if who == "client":
            if said["type"] == "AskTranscript":
                talk.wait_until_done()
            talk.send(said | ({"version": version()} if said["type"] == "Hello" else {}))
        else:
            new = talk.until(is_like(said))
            assert said.keys() <= new.keys()
            if said["type"] == "HaveTranscript":
                texts = [[s["text"] for s in t["transcript"]["segments"]] for t in (said, new)]
                assert texts[0] == texts[1]
    talk.until(lambda event: event["type"] == "Ended")


def is_like(said: Json) -> Callable[[Json], bool]:
    return lambda event: bool(event["type"] == said["type"])


def version() -> str:
    said = subprocess.run([*FWTUI, "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[-1]


class Talk:
    """A client of the batch in these folders, in plain JSON."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(self._address())
        self._lines = self._socket.makefile("rb")

    def _address(self) -> str:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for file in (self._root / "state" / "live").glob("*.json"):
                return str(json.loads(file.read_bytes())["socket"])
            time.sleep(0.02)
        raise TimeoutError("no batch runs")

    def send(self, message: Json) -> None:
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def until(self, accept: Callable[[Json], bool]) -> Json:
        while True:
            event: Json = json.loads(self._lines.readline())
            if accept(event):
                return event

    def wait_until_done(self) -> None:
        """Until the recording has its transcript."""
        deadline = time.monotonic() + PATIENCE
        while not (self._root / "out" / "short.txt").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
