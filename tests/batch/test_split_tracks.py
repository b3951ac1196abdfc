"""A file with several audio tracks, and one transcript for each."""

from pathlib import Path

from fwtui import demo
from fwtui.core.events import JobsAdded
from fwtui.core.job import Completed
from fwtui.core.settings import DecodingSettings, OutputSettings
from tests.audio.encoding import TrackTags, read_clip, write_tracks
from tests.batch.driver import BatchDriver, outputs, settings_for


def _two_tracks(path: Path) -> Path:
    short = [clip for clip in demo.clips() if "short" in clip.stem]
    clips = [read_clip(clip, 16_000) for clip in short[:2]]
    write_tracks(path, zip(clips, (TrackTags("eng"), TrackTags("ger")), strict=True))
    return path


async def test_each_track_gets_a_transcript_with_a_clear_name(tmp_path: Path) -> None:
    path, out = _two_tracks(tmp_path / "talk.mka"), tmp_path / "out"
    settings = settings_for(
        out,
        decoding=DecodingSettings(audio_track="all", track_language=True),
        output=OutputSettings(output_dir=str(out), output_format="txt"),
    )
    async with BatchDriver(settings, [path]) as batch:
        finished = await batch.to_the_end()
    assert finished.completed == 2
    assert sorted(outputs(out)) == ["talk.track1.en.txt", "talk.track2.de.txt"]
    jobs = list(batch.jobs.values())
    assert [job.name for job in jobs] == ["talk.mka (track 1)", "talk.mka (track 2)"]
    states = [job.state for job in jobs]
    assert [state.language for state in states if isinstance(state, Completed)] == ["en", "de"]
    texts = [text for _, text in sorted(outputs(out).items())]
    assert texts[0] != texts[1]
    assert sum(isinstance(event, JobsAdded) for event in batch.events) == 2


async def test_a_file_with_one_track_keeps_its_name(tmp_path: Path) -> None:
    out = tmp_path / "out"
    settings = settings_for(
        out,
        decoding=DecodingSettings(audio_track="all"),
        output=OutputSettings(output_dir=str(out), output_format="txt"),
    )
    clip = next(clip for clip in demo.clips() if "short" in clip.stem)
    async with BatchDriver(settings, [clip]) as batch:
        await batch.to_the_end()
    assert list(outputs(out)) == [f"{clip.stem}.txt"]
