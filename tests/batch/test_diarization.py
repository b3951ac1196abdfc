"""Speakers in a real batch: engines that die while listening, resumes, other numbers, failures.

With two networks of a few KB, and code put into the child that makes things happen at one place.
"""

import asyncio
import base64
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from fwtui.audio.decode import decode_to_wav
from fwtui.audio.signal import Pcm
from fwtui.config.locations import Locations
from fwtui.core.commands import ChangeSettings, Pause, Quit, SkipJobs, Start
from fwtui.core.events import (
    BatchFinished,
    JobProgress,
    Phase,
    PhaseChanged,
    SegmentsFound,
)
from fwtui.core.job import Cancelled, Completed
from fwtui.core.settings import OutputSettings, Settings, SpeakerSettings
from fwtui.core.speakers import Turn
from fwtui.core.voices import VoicePrintTask
from fwtui.engine.turn_finder import OTHER_MODEL
from fwtui.engine.voice_print import voice_print
from fwtui.speakers.known_voices import KnownVoice, add_known_voice
from tests.batch.driver import MINUTE, SHORT, BatchDriver, outputs, settings_for
from tests.engine.support import write_wav
from tests.speakers.networks import conversation, recording, write_networks, write_recording

# At group {at}, unless that has happened {times} times.
ONCE = """
import os, signal, time
from pathlib import Path
from fwtui.engine.turn_finder import VoiceTurns
hear, marks = VoiceTurns.hear, Path({marks!r})
def counted():
    done = len(list(marks.iterdir()))
    if done < {times}:
        (marks / str(done)).touch()
    return done < {times}
def interrupted(self):
    for group in hear(self):
        if group.index == {at} and counted():
            {what}
        yield group
VoiceTurns.hear = interrupted
"""
DIE = "os.kill(os.getpid(), signal.SIGSEGV); time.sleep(60)"
# In the group itself, as many times as it says.
NO_MEMORY = """
from fwtui.speakers.voices_of_file import FileVoices
hear = FileVoices._hear
def failing(self, first, last):
    if last - first > {most} and first >= 6:
        raise MemoryError
    return hear(self, first, last)
FileVoices._hear = failing
"""
# The listener waits for a file `go` before group 1.
RESTING = """
import time
from pathlib import Path
from fwtui.engine.turn_finder import VoiceTurns
hear = VoiceTurns.hear
def resting(self):
    for group in hear(self):
        while group.index == 1 and not Path({go!r}).exists():
            time.sleep(0.01)
        yield group
VoiceTurns.hear = resting
"""
# The listener waits before group 1 until the engine is to be held.
UNTIL_HELD = """
import time
from fwtui.engine.inbox import Inbox
from fwtui.engine.turn_finder import VoiceTurns
begin, hear, boxes = Inbox.__init__, VoiceTurns.hear, []
def noted(self, channel):
    begin(self, channel)
    boxes.append(self)
def resting(self):
    for group in hear(self):
        while group.index == 1 and not boxes[0]._hold_on:
            time.sleep(0.01)
        yield group
Inbox.__init__, VoiceTurns.hear = noted, resting
"""


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both networks."""
    return write_networks(tmp_path_factory.mktemp("networks"))


@pytest.fixture(scope="module")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Speech of `MINUTE`, then two voices of tones: two windows and two groups."""
    folder = tmp_path_factory.mktemp("minute")
    decode_to_wav(MINUTE, folder / "speech.wav", lambda _: None, lambda: False)
    with Pcm(folder / "speech.wav") as pcm:
        speech = pcm.read(0, 20 * 16000)
    sound = np.concatenate([speech, recording(conversation(24), 24)])
    write_wav(folder / "minute.wav", sound)
    return folder / "minute.wav"


def with_speakers(out: Path, networks: Path, **speakers: object) -> Settings:
    """The demo model, and speakers told apart by voices."""
    settings = settings_for(out, output=OutputSettings(output_format="all"))
    chosen = SpeakerSettings(diarize="voices", diarize_model=str(networks))
    return replace(settings, speakers=replace(chosen, **speakers))


def turns_of(batch: BatchDriver, job: int = 1) -> tuple[Turn, ...]:
    found = batch.actor.state.store.speakers(job)
    assert found is not None
    return found.turns


def completed(batch: BatchDriver, job: int = 1) -> Completed:
    state = batch.jobs[job].state
    assert isinstance(state, Completed)
    return state


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, networks: Path, minute: Path
) -> dict[str, bytes]:
    """The outputs of `minute` when nothing comes between."""
    folder = tmp_path_factory.mktemp("whole")

    async def work() -> None:
        async with BatchDriver(with_speakers(folder / "out", networks), [minute]) as batch:
            await batch.to_the_end()
            assert len({turn.speaker for turn in turns_of(batch)}) > 1
            assert not any("speakers" in warning for warning in completed(batch).warnings)

    with pytest.MonkeyPatch.context() as patched:
        for name in ("STATE", "CACHE", "CONFIG"):
            patched.setenv(f"FWTUI_{name}_DIR", str(folder / name.lower()))
        asyncio.run(work())
    return outputs(folder / "out")


def interrupting(tmp_path: Path, what: str, at: int, times: int) -> str:
    marks = tmp_path / "marks"
    marks.mkdir()
    return ONCE.format(marks=str(marks), what=what, at=at, times=times)


@pytest.mark.parametrize("at", [0, 1])
async def test_an_engine_that_dies_while_listening_changes_nothing(
    at: int, tmp_path: Path, networks: Path, minute: Path, whole: dict[str, bytes]
) -> None:
    settings = with_speakers(tmp_path / "out", networks)
    async with BatchDriver(settings, [minute], interrupting(tmp_path, DIE, at, 1)) as batch:
        await batch.to_the_end()
        assert not completed(batch).warnings
    assert outputs(tmp_path / "out") == whole


async def test_listening_that_always_kills_costs_the_speakers_and_nothing_else(
    tmp_path: Path, networks: Path, minute: Path
) -> None:
    settings = with_speakers(tmp_path / "out", networks)
    engine = interrupting(tmp_path, DIE, 1, 99)
    async with BatchDriver(settings, [minute, SHORT], engine) as batch:
        finished = await batch.to_the_end()
        done = completed(batch)
    assert finished.completed == 2
    (warning,) = done.warnings
    assert warning.startswith("without speakers: The engine")
    assert done.skipped_chunks == 0
    assert b"SPEAKER" not in (tmp_path / "out" / f"{minute.stem}.txt").read_bytes()


@pytest.mark.parametrize(("most", "known"), [(1, True), (0, False)])
async def test_out_of_memory_is_met_with_one_window_then_without(
    most: int, known: bool, tmp_path: Path, networks: Path, minute: Path, whole: dict[str, bytes]
) -> None:
    settings = with_speakers(tmp_path / "out", networks)
    async with BatchDriver(settings, [minute], NO_MEMORY.format(most=most)) as batch:
        await batch.to_the_end()
        done = completed(batch)
        assert not batch.jobs[1].attempts  # in the same engine
    if known:
        assert outputs(tmp_path / "out") == whole
    else:
        assert done.warnings == (
            "without speakers: there was not enough memory to listen to the voices",
        )


async def test_a_damaged_model_is_one_sentence(tmp_path: Path) -> None:
    folder = write_networks(tmp_path / "networks")
    settings = with_speakers(tmp_path / "out", folder)
    async with BatchDriver(settings, [SHORT]) as batch:
        (folder / "voices.onnx").write_bytes(b"\x08\x07" * 500)
        await batch.to_the_end()
        done = completed(batch)
    told = [warning for warning in done.warnings if "speakers" in warning]
    assert told == ["without speakers: voices.onnx is damaged, or not a model for speakers"]


async def test_other_numbers_are_found_without_transcribing_again(
    tmp_path: Path, networks: Path, minute: Path
) -> None:
    """The session is left when only the speakers are missing, and resumed with another number."""
    go, settings = tmp_path / "go", with_speakers(tmp_path / "out", networks)
    async with BatchDriver(settings, [minute], RESTING.format(go=str(go))) as batch:
        batch.send(Start())
        await batch.until(JobProgress, lambda event: event.listening)
        batch.send(Quit())
    async with await BatchDriver.resumed() as batch:
        one = replace(settings, speakers=replace(settings.speakers, num_speakers=1))
        batch.send(ChangeSettings(one))
        await batch.to_the_end()
        assert not [event for event in batch.events if isinstance(event, SegmentsFound)]
        assert {turn.speaker for turn in turns_of(batch)} == {0}
        assert len(batch.actor.state.store.groups(1, 0, 99)) == 2
        assert not completed(batch).warnings


async def test_a_batch_that_is_left_while_listening_ends_as_if_it_had_not_been(
    tmp_path: Path, networks: Path, minute: Path, whole: dict[str, bytes]
) -> None:
    go, settings = tmp_path / "go", with_speakers(tmp_path / "out", networks)
    async with BatchDriver(settings, [minute], RESTING.format(go=str(go))) as batch:
        batch.send(Start())
        await batch.until(SegmentsFound)
        batch.send(Quit())
    async with await BatchDriver.resumed() as batch:
        await batch.to_the_end()
    assert outputs(tmp_path / "out") == whole


async def test_pause_skip_and_the_next_file_while_only_listening(
    tmp_path: Path, networks: Path, minute: Path
) -> None:
    """The model goes on to the next file; a listened one can be paused and cancelled."""
    settings = with_speakers(tmp_path / "out", networks)
    async with BatchDriver(settings, [minute, SHORT], UNTIL_HELD) as batch:
        batch.send(Start())
        await batch.until(JobProgress, lambda event: event.listening and event.id == 1)
        await batch.until(JobProgress, lambda event: event.listening and event.id == 2)
        batch.send(Pause())
        await batch.until(PhaseChanged, lambda event: event.phase is Phase.PAUSED)
        batch.send(SkipJobs((1,)))
        await batch.state(1, Cancelled)
        since = len(batch.events)
        batch.send(Start())
        await batch.until(BatchFinished, since=since)
        completed(batch, 2)


async def test_files_that_share_batches_each_have_their_speakers(
    tmp_path: Path, networks: Path, minute: Path
) -> None:
    settings = with_speakers(tmp_path / "out", networks)
    decoding = replace(settings.decoding, batched=True, batch_size=4)
    settings = replace(settings, decoding=decoding)
    async with BatchDriver(settings, [minute, SHORT]) as batch:
        assert (await batch.to_the_end()).completed == 2
        both = turns_of(batch, 1), turns_of(batch, 2)
    alone = replace(settings, output=replace(settings.output, output_dir=str(tmp_path / "alone")))
    async with BatchDriver(alone, [SHORT]) as batch:
        await batch.to_the_end()
        assert turns_of(batch) == both[1]


async def test_known_speakers_are_named_and_the_users_names_win(
    tmp_path: Path, networks: Path
) -> None:
    talk, path = tmp_path / "talk.wav", Locations.default().known_voices
    write_recording(talk, 24)  # the first speaker has the second voice
    for name, tone in (("Anna", 1), ("Ben", 0)):
        alone = tmp_path / f"{name}.wav"
        write_wav(alone, recording([(0, 4, tone)], 4))
        task = VoicePrintTask(str(alone), str(tmp_path / "scratch.wav"), str(networks))
        made = voice_print(task)
        print_ = KnownVoice(name, made.model, "m", made.vector, made.seconds, datetime.min)
        add_known_voice(path, print_)
    add_known_voice(path, replace(print_, name="Cleo", model="f" * 16))
    settings = with_speakers(
        tmp_path / "out", networks, known_speakers=True, speaker_names="01=Own,07=Ben"
    )
    settings = replace(settings, output=replace(settings.output, more_formats="rttm"))
    async with BatchDriver(settings, [talk]) as batch:
        await batch.to_the_end()
        assert batch.jobs[1].speaker_names == {0: "Anna"}
        assert OTHER_MODEL.format(1) in completed(batch).warnings
        session = batch.actor.state.store.directory
    rttm = (tmp_path / "out" / "talk.rttm").read_text().splitlines()
    names = {line.split()[7] for line in rttm}
    assert names == {"Anna", "Own"}
    vector = base64.b64encode(print_.vector)
    for file in (*session.rglob("*"), *(tmp_path / "out").iterdir()):
        assert not file.is_file() or vector not in file.read_bytes()

    path.write_bytes(b"{")
    settings = with_speakers(tmp_path / "again", networks, known_speakers=True)
    async with BatchDriver(settings, [talk]) as batch:
        await batch.to_the_end()
        assert batch.jobs[1].speaker_names is None
        assert {turn.speaker for turn in turns_of(batch)} == {0, 1}
        (warning,) = (one for one in completed(batch).warnings if "speakers" in one)
        assert warning.startswith("known speakers not recognised: ")
