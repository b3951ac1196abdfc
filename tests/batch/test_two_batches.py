"""Two batches at the same time that would write the same files."""

import shutil
from pathlib import Path

from msgspec.structs import replace

from fwtui.core.commands import ChangeSettings, Start
from fwtui.core.events import BatchFinished, JobChanged
from fwtui.core.job import Completed
from fwtui.outputs.reserved import names_of_other_sessions
from tests.batch.driver import MINUTE, SHORT, BatchDriver, outputs, settings_for


def talks(tmp_path: Path) -> tuple[Path, Path]:
    """Two recordings with the same name."""
    found = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        found.append(Path(shutil.copy(SHORT, tmp_path / folder / "Talk.flac")))
    return found[0], found[1]


async def test_the_later_one_takes_another_name_and_nothing_is_written_over(tmp_path: Path) -> None:
    one, two = talks(tmp_path)
    out = tmp_path / "out"
    same = str(tmp_path / "two" / ".." / "out")  # the same folder, written differently
    async with BatchDriver(settings_for(out), [one]) as first:
        assert first.log == []
        settings = settings_for(Path(same))
        async with BatchDriver(settings, [two]) as second:
            (told,) = [line for line in second.log if "Talk.flac" in line]
            assert first.actor.state.store.session_id in told
            assert "Talk.flac.*" in told
            assert [job.stem for job in first.jobs.values()] == ["Talk"]
            for batch in (first, second):
                batch.send(Start())
            for batch in (first, second):
                await batch.until(BatchFinished)
                (job,) = batch.jobs.values()
                assert isinstance(job.state, Completed)
    files = outputs(out)
    assert len(files) == 10
    for suffix in ("txt", "srt", "vtt", "tsv", "json"):
        assert files[f"Talk.{suffix}"] == files[f"Talk.flac.{suffix}"]


async def test_after_another_folder_and_on_resume_they_are_looked_at_again(tmp_path: Path) -> None:
    one, two = talks(tmp_path)
    out, aside = tmp_path / "out", tmp_path / "aside"
    async with BatchDriver(settings_for(aside), [two, MINUTE]):
        pass  # its session waits for a resume
    second = await BatchDriver.resumed()
    async with BatchDriver(settings_for(out), [one]) as first:
        async with second:
            assert [job.stem for job in second.actor.state.queue] == ["Talk", MINUTE.stem]
            output = replace(second.settings.output, output_dir=str(out))
            second.send(ChangeSettings(replace(second.settings, output=output)))
            await second.until(JobChanged)
            assert [job.stem for job in second.actor.state.queue] == ["Talk.flac", MINUTE.stem]
        sessions = first.workspace.locations.sessions
        # A batch that is not running keeps nobody away: its files are like those of any run before.
        session = first.actor.state.store.session_id
        assert names_of_other_sessions(sessions, "", str(out)) == {
            "talk": session,
            f"{out}/talk".casefold(): session,
        }
