"""Calls in stereo: the speaker is the channel, whatever happens to the engine meanwhile."""

import csv
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from fwtui.core.commands import NameSpeaker, Start
from fwtui.core.events import BatchFinished, LogLine, SegmentsFound
from fwtui.core.job import Completed
from fwtui.core.settings import DecodingSettings, OutputSettings, Settings, SpeakerSettings
from tests.audio.encoding import read_clip, write_channels
from tests.batch.driver import MINUTE, RESTING, BatchDriver, outputs, settings_for

FORMATS = "json,srt,txt,csv,rttm"


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a minute: left, right, then both at once, each on a channel of its own."""
    path = tmp_path_factory.mktemp("call") / "call.wav"
    samples = read_clip(MINUTE, 16_000).samples
    left, right = np.zeros((2, 30 * 16_000), np.int16)
    left[: 9 * 16_000] = samples[: 9 * 16_000]
    left[20 * 16_000 :] = samples[14 * 16_000 : 24 * 16_000]
    right[10 * 16_000 : 27 * 16_000] = samples[30 * 16_000 : 47 * 16_000]
    write_channels(path, np.stack([left, right]), 16_000)
    return path


@pytest.fixture(scope="module")
def mono(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mono") / "mono.wav"
    write_channels(path, read_clip(MINUTE, 16_000).first(8.0).samples.reshape(1, -1), 16_000)
    return path


def settings(out: Path, *, diarize: bool = False) -> Settings:
    decoding = DecodingSettings(
        beam_size=1,
        temperature_increment_on_fallback=None,
        channel="mix" if diarize else "split",
    )
    made = settings_for(out, decoding, OutputSettings(more_formats=FORMATS, output_format="txt"))
    return replace(made, speakers=SpeakerSettings(diarize="channels" if diarize else "off"))


def _times(out: Path) -> dict[str, list[tuple[float, float]]]:
    """When each speaker has words, by the json."""
    found: dict[str, list[tuple[float, float]]] = {}
    for segment in json.loads((out / "call.json").read_text())["segments"]:
        for word in segment["words"]:
            found.setdefault(word["speaker"], []).append((word["start"], word["end"]))
    return found


@pytest.mark.parametrize("diarize", [False, True])
async def test_every_output_says_who_speaks_and_survives_a_killed_engine(
    diarize: bool, call: Path, tmp_path: Path
) -> None:
    plain, killed, go = tmp_path / "plain", tmp_path / "killed", tmp_path / "go"
    async with BatchDriver(settings(plain, diarize=diarize), [call]) as batch:
        finished = await batch.to_the_end()
        assert finished.completed == 1
    times = _times(plain)
    assert sorted(times) == ["SPEAKER_00", "SPEAKER_01"]
    assert all(not 10.5 < start < 19.5 for start, _ in times["SPEAKER_00"])
    assert all(9.5 < start < 27.5 for start, _ in times["SPEAKER_01"])
    segments = json.loads((plain / "call.json").read_text())["segments"]
    starts = [segment["start"] for segment in segments]
    assert starts == sorted(starts)
    assert all(list(segment)[-1] == "speaker" for segment in segments)
    with (plain / "call.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert {row["speaker"] for row in rows} == {"SPEAKER_00", "SPEAKER_01"}
    text = (plain / "call.txt").read_text().splitlines()
    assert all(line.startswith(("[SPEAKER_00]: ", "[SPEAKER_01]: ")) for line in text)
    assert len((plain / "call.rttm").read_text().splitlines()) >= 2
    done = batch.jobs[1].state
    assert isinstance(done, Completed)
    assert done.audio_seconds == 30.0
    assert [one.speaker for one in done.speakers or ()] == [0, 1]

    engine = RESTING.format(go=str(go))
    async with BatchDriver(settings(killed, diarize=diarize), [call], engine) as batch:
        batch.send(Start())
        await batch.windows(1, 1)
        os.kill(await batch.engine_pid(), signal.SIGKILL)
        go.touch()
        await batch.until(BatchFinished)
    assert outputs(killed) == outputs(plain)


async def test_speakers_of_channels_get_names_and_are_shown_while_they_are_found(
    call: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    async with BatchDriver(settings(out), [call]) as batch:
        await batch.to_the_end()
        shown = [one for event in batch.events if isinstance(event, SegmentsFound)
                 for one in event.segments]  # fmt: skip
        assert {one.speaker for one in shown} == {"SPEAKER_00", "SPEAKER_01"}
        stored = await batch.actor.state.transcript(1)
        assert [one.start for one in stored.segments] == sorted(one.start for one in shown)
        before = len(batch.events)
        batch.send(NameSpeaker(1, 1, "Ben"))
        await batch.until(LogLine, lambda e: "speaker names changed in" in e.text, before)
    assert set(_times(out)) == {"SPEAKER_00", "Ben"}
    assert "[Ben]: " in (out / "call.srt").read_text()


async def test_one_channel_has_no_speakers_and_is_transcribed(mono: Path, tmp_path: Path) -> None:
    told = {}
    for diarize in (True, False):
        out = tmp_path / str(diarize)
        async with BatchDriver(settings(out, diarize=diarize), [mono]) as batch:
            await batch.to_the_end()
        done = batch.jobs[1].state
        assert isinstance(done, Completed)
        assert (out / "mono.txt").read_text().strip()
        told[diarize] = done.warnings
    assert told == {
        True: ("without speakers: the recording has one channel only",),
        False: ("it has one channel only, and that was used",),
    }
