"""Where outputs go, what is not written over, what is not done twice, and what is marked."""

import io
import os
import shutil
from pathlib import Path

import pytest
from docx import Document
from msgspec.structs import replace

from fwtui.core.commands import RetryJobs
from fwtui.core.events import BatchFinished, EngineChanged, LogLine
from fwtui.core.finding import FindingKind
from fwtui.core.job import Completed, Skipped
from fwtui.core.settings import DecodingSettings, OutputSettings, QualitySettings, Settings
from tests.batch.driver import SHORT, BatchDriver, settings_for

GREEDY = DecodingSettings(beam_size=1, temperature_increment_on_fallback=None, language="en")


def recordings(tmp_path: Path) -> Path:
    """Two of the same name, in folders below the one that is returned."""
    folder = tmp_path / "in"
    for part in ("a", "b"):
        (folder / part).mkdir(parents=True)
        shutil.copyfile(SHORT, folder / part / "talk.flac")
        os.utime(folder / part / "talk.flac", ns=(1, 1 if part == "a" else 2))
    return folder


def written(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def finished(settings: Settings, *paths: Path) -> BatchDriver:
    async with BatchDriver(settings, paths) as batch:
        await batch.to_the_end()
    return batch


def reasons(batch: BatchDriver) -> list[str]:
    states = [job.state for job in batch.jobs.values()]
    return [state.reason for state in states if isinstance(state, Skipped)]


def engines(batch: BatchDriver) -> int:
    return sum(isinstance(event, EngineChanged) and event.loading for event in batch.events)


async def test_a_tree_named_by_language_is_written_once(tmp_path: Path) -> None:
    out, folder = tmp_path / "out", recordings(tmp_path)
    output = OutputSettings(
        output_layout="tree",
        output_name="{stem}.{language}",
        output_format="docx",
        skip_transcribed=True,
    )
    settings = settings_for(out, replace(GREEDY, language=None), output)
    await finished(settings, folder)
    assert written(out) == ["a/talk.en.docx", "b/talk.en.docx"]
    document = Document(io.BytesIO((out / "a/talk.en.docx").read_bytes()))
    assert document.paragraphs[0].text.startswith("0:00:00 ")

    # The same sound under another name, and a copy that only its bytes give away.
    (folder / "a/talk.flac").rename(folder / "a/moved.flac")
    shutil.copyfile(folder / "b/talk.flac", folder / "copy.flac")
    again = await finished(settings, folder)
    assert all("transcribed on" in reason for reason in reasons(again))
    assert len(reasons(again)) == 3
    assert engines(again) == 0
    assert written(out) == ["a/talk.en.docx", "b/talk.en.docx"]

    # One byte in the middle makes it another recording.
    content = bytearray((folder / "copy.flac").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "copy.flac").write_bytes(content)
    shutil.rmtree(folder / "a")
    third = await finished(settings, folder)
    assert len(reasons(third)) == 1
    assert written(out) == ["a/talk.en.docx", "b/talk.en.docx", "copy.en.docx"]


async def test_what_is_there_is_left_or_another_name_taken(tmp_path: Path) -> None:
    out, folder = tmp_path / "out", recordings(tmp_path)
    out.mkdir()
    for name in ("txt", "vtt", "srt", "tsv", "json"):
        (out / f"talk.{name}").write_text("mine")
    (out / "talk.flac.srt").write_text("mine too")
    settings = settings_for(out, GREEDY, OutputSettings(if_exists="skip"))
    async with BatchDriver(settings, [folder]) as batch:
        await batch.to_the_end()
        first, second = batch.jobs.values()
        assert isinstance(first.state, Skipped)
        assert first.state.reason == ("talk.txt and 4 more already exist; retry to overwrite them")
        assert isinstance(second.state, Completed)
        assert second.state.warnings == ("existed and was kept: srt",)
        assert len(second.state.outputs) == 4
        assert (out / "talk.flac.srt").read_text() == "mine too"
        assert (out / "talk.txt").read_text() == "mine"

        since = len(batch.events)
        batch.send(RetryJobs((first.id,)))
        await batch.to_the_end(since)
        assert isinstance(batch.jobs[first.id].state, Completed)
        assert (out / "talk.txt").read_text() != "mine"

    output = OutputSettings(if_exists="rename", output_format="txt")
    before = (out / "talk.txt").read_text()
    (out / "talk.txt").write_text("mine again")
    await finished(settings_for(out, GREEDY, output), folder / "a/talk.flac")
    assert (out / "talk.txt").read_text() == "mine again"
    assert (out / "talk.flac.txt").exists()
    await finished(settings_for(out, GREEDY, output), folder / "a/talk.flac")
    assert (out / "talk (2).txt").read_text() == before


async def test_beside_the_recordings_with_the_users_corrections(tmp_path: Path) -> None:
    folder = recordings(tmp_path)
    rules = tmp_path / "rules.txt"
    rules.write_text("one => 1\ntwo => 2\nthree => 3\n")
    output = OutputSettings(output_layout="source", output_format="txt", replacements=str(rules))
    out = tmp_path / "out"
    await finished(settings_for(out, GREEDY, output), folder)
    assert not out.exists()
    assert written(folder) == ["a/talk.flac", "a/talk.txt", "b/talk.flac", "b/talk.txt"]


@pytest.mark.parametrize("batched", [False, True])
async def test_doubtful_passages_are_found_in_either_mode(tmp_path: Path, batched: bool) -> None:
    """English taken for German; and everything taken for silence, so that no speech has text."""
    decoding = replace(GREEDY, language="de", batched=batched)
    settings = replace(
        settings_for(tmp_path / "out", decoding, OutputSettings(add_report=True)),
        quality=QualitySettings(check_coverage=True, missing_speech_s=0.1),
    )
    async with BatchDriver(settings, [SHORT]) as batch:
        ended = await batch.to_the_end()
        (job,) = batch.jobs.values()
        assert isinstance(job.state, Completed)
        found = [one for one in job.state.findings if one.kind is FindingKind.LANGUAGE]
        assert [one.detail for one in found] == ["English"]
        assert 0 <= found[0].start < found[0].end
        warned = [
            e.text for e in batch.events if isinstance(e, LogLine) and "please check" in e.text
        ]
        assert any("other language" in text for text in warned)
        assert ended.report is not None
        report = Path(ended.report).read_text()
        assert "Please check" in report
        assert "other language: English" in report
        if batched:
            return
        silent = replace(decoding, no_speech_threshold=0.0, logprob_threshold=99.0)
        since = len(batch.events)
        batch.send(RetryJobs((job.id,), settings=replace(settings, decoding=silent)))
        await batch.to_the_end(since)
        await batch.until(BatchFinished, since=since)
        state = batch.jobs[job.id].state
        assert isinstance(state, Completed)
        assert state.segments == 0
        assert [one.kind for one in state.findings] == [FindingKind.MISSING_SPEECH] * len(
            state.findings
        )
        assert state.findings
