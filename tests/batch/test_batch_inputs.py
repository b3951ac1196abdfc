"""A recording is never overwritten, whatever it is called and wherever it lies."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fwtui.batch.conflicts import resolve_outputs, stem_path
from fwtui.batch.state import BatchState
from fwtui.core.job import Completed, Job
from fwtui.core.settings import DecodingSettings, OutputSettings, Settings
from fwtui.outputs.formats.registry import output_paths
from fwtui.sessions.store import SessionStore
from tests.batch.driver import SHORT, BatchDriver, settings_for
from tests.sessions import samples

DATA = b"a recording"


def _itself(out: Path) -> Path:
    return _file(out / "talk.txt")


def _in_upper_case(out: Path) -> Path:
    return _file(out / "TALK.TXT")


def _hard_link(out: Path) -> Path:
    path = _file(out.parent / "talk.wav")
    os.link(path, out / "talk.txt")
    return path


def _link_to_it(out: Path) -> Path:
    path = _file(out.parent / "talk.wav")
    (out / "talk.srt").symlink_to(path)
    return path


def _link_as_input(out: Path) -> Path:
    """The batch has a link; the transcript would take the place of what it leads to."""
    _file(out / "talk.vtt")
    link = out.parent / "talk.wav"
    link.symlink_to(out / "talk.vtt")
    return link


def _folder_by_another_path(out: Path) -> Path:
    (out.parent / "other").symlink_to(out)
    _file(out / "talk.txt")
    return out.parent / "other" / "talk.txt"


def _without_end(out: Path) -> Path:
    """Its drive is not connected now."""
    return out / "talk.txt"


def _file(path: Path) -> Path:
    path.write_bytes(DATA)
    return path


PLACES: tuple[Callable[[Path], Path], ...] = (
    _itself,
    _in_upper_case,
    _hard_link,
    _link_to_it,
    _link_as_input,
    _folder_by_another_path,
    _without_end,
)
RULES = ("overwrite", "overwrite_any", "skip", "rename")


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("layout", ["flat", "source"])
async def test_outputs_take_no_place_of_a_recording(
    place: Callable[[Path], Path], layout: str, rule: str, tmp_path: Path
) -> None:
    """Of its own file, and of another one's of the same name elsewhere, in every format."""
    out = tmp_path / "out"
    out.mkdir()
    inputs = [place(out), _file(tmp_path / "talk.flac")]
    output = OutputSettings(output_dir=str(out), output_layout=layout, if_exists=rule)  # type: ignore[arg-type]
    settings = Settings(output=output)
    state = BatchState(SessionStore.create(tmp_path / "state", settings, samples.NOW))
    await state.add([str(path) for path in inputs], ())
    for job in tuple(state.queue):
        resolved = await resolve_outputs(state, job, settings)
        assert resolved is not None  # a recording is no transcript of an earlier time
        _write(resolved, output)
    for path in (*inputs, *out.glob("talk.*")):
        if path.is_symlink() or path in inputs:
            assert not path.exists() or path.read_bytes() == DATA
    names = [job.stem for job in state.queue]
    assert len(set(names)) == 2
    state.store.close()


def _write(job: Job, output: OutputSettings) -> None:
    """As `write_transcript` does: through links."""
    for path in output_paths(stem_path(job.stem, output), output):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            assert path.read_bytes() != DATA, path
        path.write_text("words")


async def test_a_recording_that_is_added_later_is_spared_too(tmp_path: Path) -> None:
    """The name was chosen before; it is looked at again before anything is written."""
    out = tmp_path / "out"
    out.mkdir()
    talk, late = tmp_path / "talk.flac", out / "talk.txt"
    shutil.copy(SHORT, talk)
    settings = settings_for(out, output=OutputSettings(output_format="txt"))
    async with BatchDriver(settings, [talk]) as batch:
        shutil.copy(SHORT, late)
        before = late.read_bytes()
        await batch.add(late)
        finished = await batch.to_the_end()
    assert finished.completed == 2
    assert late.read_bytes() == before
    done = [job.state for job in batch.jobs.values()]
    written = {Path(name).name for state in done if isinstance(state, Completed)
               for name in state.outputs}  # fmt: skip
    assert written == {"talk.flac.txt", "talk.txt.txt"}
    warnings = [text for state in done if isinstance(state, Completed) for text in state.warnings]
    assert len(warnings) == 1
    assert all("because talk.txt is a recording of this batch" in text for text in warnings)


async def test_a_name_with_the_language_is_looked_at_when_it_is_known(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    recording = out / "talk.en.txt"
    shutil.copy(SHORT, recording)
    before = recording.read_bytes()
    talk = tmp_path / "talk.flac"
    shutil.copy(SHORT, talk)
    settings = settings_for(
        out,
        decoding=DecodingSettings(beam_size=1, temperature_increment_on_fallback=None),
        output=OutputSettings(output_format="txt", output_name="{stem}.{language}"),
    )
    async with BatchDriver(settings, [talk, recording]) as batch:
        assert (await batch.to_the_end()).completed == 2
    assert recording.read_bytes() == before
    assert len(list(out.iterdir())) == 3
