"""The speaker thread: whatever happens in whatever state, each file is answered once, and rightly.

What it listens with is stood in for, so that a test decides when a step is done.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fwtui.core.speakers import Turn
from fwtui.core.voices import SpeakerGroup, SpeakerTask, SpeakerTurns
from fwtui.engine.inbox import Channel, Inbox
from fwtui.engine.listener import Listener
from fwtui.engine.prepare import PreparedFile
from fwtui.engine.protocol import (
    AnyReply,
    AnyRequest,
    Cancel,
    FileFinished,
    FileStopped,
    FileTranscribed,
    Held,
    Hold,
    KnownSpeakers,
    Shutdown,
    SpeakersFound,
    SpeakersHeard,
    Transcribe,
)
from fwtui.engine.turn_finder import TurnFinder
from fwtui.errors import ModelError
from tests.engine.support import GREEDY

PATIENCE = 20.0
STEPS = 3
TURNS = (Turn(0.0, 1.0, 0),)


class Replies(Channel):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__(-1)
        self.sent: list[AnyReply] = []
        self._changed = threading.Condition()

    def send(self, reply: AnyReply) -> None:
        with self._changed:
            self.sent.append(reply)
            self._changed.notify_all()

    def of(self, kind: type[AnyReply]) -> list[AnyReply]:
        return [reply for reply in self.sent if isinstance(reply, kind)]

    def until(self, kind: type[AnyReply], count: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.of(kind)) >= count, PATIENCE), self.sent


class Steps(TurnFinder):
    """Listens in steps that a test lets through."""

    def __init__(self, known: Sequence[SpeakerGroup] = (), error: Exception | None = None) -> None:
        self.known = known
        self.error = error
        self.gate = threading.Semaphore(0)

    def hear(self) -> Iterator[SpeakerGroup]:
        for index in range(len(self.known), STEPS):
            assert self.gate.acquire(timeout=PATIENCE)
            if self.error is not None:
                raise self.error
            yield SpeakerGroup(index, "models", ())

    def speakers(self) -> SpeakerTurns:
        assert self.gate.acquire(timeout=PATIENCE)
        return SpeakerTurns("options", TURNS)

    def let(self, steps: int = STEPS + 1) -> None:
        for _ in range(steps):
            self.gate.release()


class Bench:
    """A listener with its inbox, and files for it."""

    def __init__(self) -> None:
        self.replies = Replies()
        self.inbox = Inbox(self.replies)
        self.steps: dict[int, Steps] = {}
        self.errors: dict[int, Exception] = {}
        self.listener = Listener(self.inbox, cast(Any, self), self._ended)
        self.closed: list[int] = []

    def of(self, prepared: Any, pcm: Any, task: SpeakerTask, known: Any) -> TurnFinder:
        """As `TurnFinders`."""
        del pcm, task
        job = prepared.request.job
        if isinstance(self.errors.get(job), ModelError):
            raise self.errors[job]
        self.steps[job].known = known
        return self.steps[job]

    def _ended(self, prepared: PreparedFile) -> None:
        self.inbox.drop_scratch(prepared.request)
        self.replies.send(FileFinished(prepared.request.job))

    def file(self, job: int, *, resumed: bool = False, error: Exception | None = None) -> Any:
        task = SpeakerTask("voices", "options")
        request = Transcribe(job, "/a", GREEDY, "hash", f"/nowhere/{job}.wav", speakers=task)
        pcm = SimpleNamespace(reopened=lambda: self.handle(job))
        if error is not None:
            self.errors[job] = error
        self.steps[job] = Steps(error=error)
        return SimpleNamespace(request=request, pcm=pcm, resume=resumed or None)

    def handle(self, job: int) -> Any:
        """The thread's own handle on the samples."""
        return SimpleNamespace(close=lambda: self.closed.append(job))

    def request(self, request: AnyRequest) -> None:
        self.inbox._accept(request)

    def model_done(self, prepared: Any) -> None:
        """As `Reporter.finish` without an error."""
        if not self.listener.takes_over(prepared):
            self._ended(prepared)

    def until_closed(self, job: int) -> None:
        end = time.monotonic() + PATIENCE
        while job not in self.closed:
            assert time.monotonic() < end
            time.sleep(0.002)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def finished(bench: Bench, job: int = 1) -> None:
    """It is at its end, answered once, and nothing follows."""
    bench.replies.until(FileFinished)
    bench.listener.join()
    (found,) = [one for one in bench.replies.of(SpeakersFound) if cast(Any, one).job == job]
    (ended,) = [one for one in bench.replies.of(FileFinished) if cast(Any, one).job == job]
    assert bench.replies.sent.index(found) < bench.replies.sent.index(ended)
    assert cast(SpeakersFound, found).result == SpeakerTurns("options", TURNS)
    assert job in bench.closed


@pytest.mark.parametrize("steps", range(STEPS + 2))
def test_the_model_may_be_done_before_any_step(steps: int, bench: Bench) -> None:
    file = bench.file(1)
    bench.listener.begin(file)
    bench.steps[1].let(steps)
    bench.replies.until(SpeakersHeard, min(steps, STEPS))
    if steps > STEPS:
        bench.replies.until(SpeakersFound)
        bench.until_closed(1)
    assert not bench.replies.of(FileFinished)
    bench.model_done(file)
    assert bool(bench.replies.of(FileTranscribed)) == (steps <= STEPS)
    bench.steps[1].let(STEPS + 1 - steps)
    finished(bench)
    assert [cast(Any, one).group.index for one in bench.replies.of(SpeakersHeard)] == [0, 1, 2]


def test_files_are_listened_to_one_after_the_other(bench: Bench) -> None:
    files = [bench.file(job) for job in (1, 2, 3)]
    for file in files:
        bench.listener.begin(file)
    bench.model_done(files[1])
    for job in (1, 2, 3):
        bench.steps[job].let()
    bench.replies.until(SpeakersFound, 3)
    bench.model_done(files[0])
    bench.model_done(files[2])
    bench.listener.join()
    assert sorted(cast(Any, one).job for one in bench.replies.of(FileFinished)) == [1, 2, 3]


def test_a_file_without_a_task_is_the_models_alone(bench: Bench) -> None:
    request = Transcribe(1, "/a", GREEDY, "hash", "/nowhere/1.wav")
    file = cast(Any, SimpleNamespace(request=request, pcm=None))
    bench.listener.begin(file)
    bench.model_done(file)
    assert [type(one) for one in bench.replies.sent] == [FileFinished]
    bench.listener.drop(file)
    bench.listener.join()


@pytest.mark.parametrize("steps", range(STEPS + 1))
@pytest.mark.parametrize("behind", [False, True])
def test_of_a_file_that_the_model_gave_up_nothing_more_is_said(
    steps: int, behind: bool, bench: Bench
) -> None:
    first = bench.file(7)
    file = bench.file(1)
    if behind:
        bench.listener.begin(first)
    bench.listener.begin(file)
    bench.steps[1].let(0 if behind else steps)
    bench.replies.until(SpeakersHeard, 0 if behind else steps)
    bench.listener.drop(file)
    bench.replies.send(FileStopped(1))  # as the main thread does
    bench.steps[1].let()
    if behind:
        bench.model_done(first)
        bench.steps[7].let()
        finished(bench, 7)
    else:
        bench.until_closed(1)
    bench.listener.join()
    said = [one for one in bench.replies.sent if cast(Any, one).job == 1]
    assert isinstance(said[-1], FileStopped)


@pytest.mark.parametrize("steps", range(STEPS + 1))
def test_a_cancelled_file_stops_at_the_next_step_once_it_is_transcribed(
    steps: int, bench: Bench
) -> None:
    file = bench.file(1)
    bench.listener.begin(file)
    bench.steps[1].let(steps)
    bench.replies.until(SpeakersHeard, steps)
    bench.model_done(file)
    bench.request(Cancel(1))
    bench.steps[1].let()
    bench.listener.join()
    ends = [one for one in bench.replies.sent if isinstance(one, FileStopped | FileFinished)]
    assert len(ends) == 1  # the last step may have been under way: then it is done
    assert isinstance(ends[0], FileStopped) or steps == STEPS
    bench.until_closed(1)


@pytest.mark.parametrize(
    ("error", "warning"),
    [
        (MemoryError(), "not enough memory"),
        (RuntimeError("bad allocation"), "not enough memory"),
        (ModelError("voices.onnx is damaged", "download it again"), "voices.onnx is damaged"),
        (ValueError("shapes"), "shapes"),
        (OSError(5, "Input/output error"), "error"),
    ],
)
def test_an_error_is_a_warning_and_the_next_file_is_listened_to(
    error: Exception, warning: str, bench: Bench
) -> None:
    bad, good = bench.file(2, error=error), bench.file(1)
    bench.listener.begin(bad)
    bench.listener.begin(good)
    bench.steps[2].let()
    bench.replies.until(SpeakersFound)
    bench.model_done(bad)
    (found,) = bench.replies.of(SpeakersFound)
    assert cast(SpeakersFound, found).result.turns == ()
    told = cast(SpeakersFound, found).result.warning
    assert told.startswith("without speakers: ")
    assert warning in told
    assert "\n" not in told
    bench.model_done(good)
    bench.steps[1].let()
    bench.listener.join()
    assert len(bench.replies.of(FileFinished)) == 2


@pytest.mark.parametrize("resumed", [False, True])
def test_known_groups_are_used_if_the_file_is_resumed(resumed: bool, bench: Bench) -> None:
    groups = tuple(SpeakerGroup(index, "models", ()) for index in range(2))
    bench.request(KnownSpeakers(1, groups[:1]))
    bench.request(KnownSpeakers(1, groups[1:]))
    file = bench.file(1, resumed=resumed)
    bench.listener.begin(file)
    bench.steps[1].let()
    bench.model_done(file)
    bench.replies.until(FileFinished)
    assert bench.steps[1].known == (groups if resumed else ())
    heard = [cast(Any, one).group.index for one in bench.replies.of(SpeakersHeard)]
    assert heard == ([2] if resumed else [0, 1, 2])


def test_groups_of_an_earlier_attempt_are_not_added_to(bench: Bench) -> None:
    group = SpeakerGroup(0, "models", ())
    bench.request(KnownSpeakers(1, (group,)))
    bench.request(KnownSpeakers(1, (group,)))
    assert bench.inbox.known_speakers(1) == (group,)
    assert bench.inbox.known_speakers(1) == ()


def test_a_held_engine_listens_no_further_and_says_so(bench: Bench) -> None:
    file = bench.file(1)
    bench.listener.begin(file)
    main = threading.Thread(target=bench.inbox.next_prepared, daemon=True)
    main.start()  # the model has nothing to do
    bench.request(Hold(True))
    bench.steps[1].let()
    bench.replies.until(Held)
    assert bench.replies.of(Held) == [Held(True)]
    heard = len(bench.replies.of(SpeakersHeard))
    assert heard <= 1
    bench.model_done(file)
    assert not bench.replies.of(FileFinished)
    bench.request(Hold(False))
    finished(bench)
    assert bench.replies.of(Held) == [Held(True), Held(False)]
    bench.request(Shutdown())


@pytest.mark.parametrize("ending", ["cancel", "drop", "shutdown"])
def test_a_held_listener_can_be_stopped(ending: str, bench: Bench) -> None:
    file = bench.file(1)
    bench.request(Hold(True))
    bench.listener.begin(file)
    bench.steps[1].let()
    if ending != "drop":
        bench.model_done(file)
    match ending:
        case "cancel":
            bench.request(Cancel(1))
            bench.replies.until(FileStopped)
        case "drop":
            bench.listener.drop(file)
            with bench.listener._changed:
                pass
            bench.request(Hold(False))
        case _:
            bench.request(Shutdown())
            bench.replies.until(FileFinished)
    bench.listener.join()
    bench.until_closed(1)


def test_a_waiting_model_is_held_without_the_listener(bench: Bench) -> None:
    """The model's own hold is told as before, whatever the listener does."""
    model = threading.Thread(target=bench.inbox.hold, args=((1,),), daemon=True)
    bench.request(Hold(True))
    model.start()
    bench.replies.until(Held)
    file = bench.file(1)
    bench.listener.begin(file)
    bench.request(Hold(False))
    model.join(PATIENCE)
    bench.steps[1].let()
    bench.model_done(file)
    finished(bench)
    assert bench.replies.of(Held) == [Held(True), Held(False)]


def test_no_scratch_file_is_left_behind(bench: Bench, tmp_path: Path) -> None:
    del tmp_path
    file = bench.file(1)
    bench.inbox.add_scratch(file.request)
    bench.listener.begin(file)
    bench.steps[1].let()
    bench.model_done(file)
    finished(bench)
    assert not bench.inbox._scratch
