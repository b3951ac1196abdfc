"""Sessions of other machines: their paths become paths of this one."""

import json
import os
import shutil
from pathlib import Path

import pytest

from fwtui import demo
from fwtui.config.locations import Locations, load_maps, save_maps
from fwtui.core.job import Completed
from fwtui.core.session import Session
from fwtui.core.settings import ModelSettings, OutputSettings, Settings
from fwtui.errors import ConfigError, UsageError
from fwtui.sessions.catalog import adopt, list_sessions
from fwtui.sessions.remap import common_folder, missing, parse_map, remap_settings, remapped
from fwtui.sessions.store import SessionStore
from tests.cli.program import fwtui
from tests.sessions import samples

DATA = Path(__file__).parents[1] / "data" / "sessions"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows paths are at home there")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r"D:\Audio\a.mp3", "/mnt/audio/a.mp3"),
        (r"d:\AUDIO\Talks\a b.mp3", "/mnt/audio/Talks/a b.mp3"),
        (r"D:\Audio\Deep\a.mp3", "/deep/a.mp3"),
        (r"D:\Audiobooks\a.mp3", r"D:\Audiobooks\a.mp3"),
        (r"\\server\share\a.mp3", "/net/a.mp3"),
        (r"E:\a.mp3", r"E:\a.mp3"),
        ("/old/talks/a.mp3", "/new/a.mp3"),
        ("/OLD/talks/a.mp3", "/OLD/talks/a.mp3"),
        ("D:/Audio/a.mp3", "/mnt/audio/a.mp3"),
        ("", ""),
        ("\0%FFa", "\0%FFa"),
    ],
)
def test_the_longest_beginning_counts(path: str, expected: str) -> None:
    maps = {
        r"D:\Audio": "/mnt/audio",
        r"D:\Audio\Deep": "/deep",
        r"\\server\share": "/net",
        "/old/talks": "/new",
    }
    assert remapped(path, maps) == expected


def test_an_option_is_two_folders() -> None:
    assert parse_map(r"D:\a=b=/mnt/x") == (r"D:\a=b", "/mnt/x")
    assert parse_map("D:\\=here") == ("D:\\", str(Path("here").absolute()))
    for wrong in ("", "=", "a=", "=b", "abc"):
        with pytest.raises(UsageError):
            parse_map(wrong)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([r"D:\a\b\1.mp3", r"D:\a\c\2.mp3"], r"D:\a"),
        ([r"D:\a\1.mp3"], r"D:\a"),
        ([r"D:\a\1.mp3", r"E:\a\1.mp3"], ""),
        (["/x/a", "/x/b/c"], "/x"),
        ([], ""),
    ],
)
def test_the_folder_that_is_asked_for(paths: list[str], expected: str) -> None:
    assert common_folder(paths) == expected


def test_what_has_to_be_said_before_a_resume(tmp_path: Path) -> None:
    here = tmp_path / "a.mp3"
    here.touch()

    def session(*paths: str, output: str = "/out") -> Session:
        jobs = tuple(samples.job(n + 1).__class__(n + 1, path) for n, path in enumerate(paths))
        settings = Settings(output=OutputSettings(output_dir=output))
        return Session("x", samples.NOW, settings, jobs)

    assert missing(session(str(here))) == ()
    assert missing(session(str(here), "/gone/b.mp3")) == ()  # one row that fails for itself
    assert missing(session("/gone/a.mp3", "/gone/b.mp3")) == ("/gone",)
    assert missing(session(r"D:\A\1.mp3", output=r"E:\Out")) == (r"D:\A", r"E:\Out")
    assert missing(session(r"D:\A\1.mp3", output=r"D:\A\Out")) == (r"D:\A",)
    assert missing(session(str(here), output=r"D:\Out")) == (r"D:\Out",)
    assert missing(session()) == ()


def test_the_model_of_the_earlier_program_gets_its_name() -> None:
    settings = Settings(model=ModelSettings(model=r"D:\model\faster-whisper-medium"))
    assert remap_settings(settings, {}).model.model == "medium"
    assert remap_settings(settings, {r"D:\model": "/m"}).model.model == "/m/faster-whisper-medium"


def test_a_session_is_adopted_with_its_new_paths(tmp_path: Path) -> None:
    foreign = tmp_path / "faster_whisper_sessions"
    foreign.mkdir()
    shutil.copy(DATA / "20251214_123456.json", foreign)
    (stored,) = list_sessions(tmp_path / "ours", temp=tmp_path).sessions
    maps = {r"D:\Audio": "/mnt/audio", r"d:\output": "/out"}
    store = adopt(stored, tmp_path / "ours", maps=maps)
    store.close()
    store = SessionStore.open(tmp_path / "ours", store.session_id)
    session = store.session
    assert [job.path for job in session.jobs] == [f"/mnt/audio/file{n}.mp3" for n in (1, 2, 3)]
    assert session.settings.output.output_dir == "/out"
    done = session.jobs[0].state
    assert isinstance(done, Completed)
    assert done.outputs == ("/out/file1.txt",)
    assert json.loads((foreign / "20251214_123456.json").read_text())["output_dir"] == "D:\\Output"


def test_maps_are_remembered_and_a_broken_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config" / "path-maps.toml"
    assert load_maps(path) == {}
    maps = {r"D:\Audio": "/mnt/audio", 'with "quotes"': "/x"}
    save_maps(path, maps)
    assert load_maps(path) == maps
    path.write_text("= broken")
    with pytest.raises(ConfigError, match=r"path-maps\.toml"):
        load_maps(path)


def test_the_whole_way_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session of the earlier program, from Windows, done here; what was mapped is remembered."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    foreign = tmp_path / "faster_whisper_sessions"
    foreign.mkdir()
    document = json.loads((DATA / "20251214_123456.json").read_text())
    document["model_path"] = r"D:\model"
    (foreign / "20251214_123456.json").write_text(json.dumps(document))
    audio = tmp_path / "audio"
    audio.mkdir()
    for number in (2, 3):
        shutil.copy(demo.clips()[0], audio / f"file{number}.mp3")
    shutil.copytree(demo.model_dir(), tmp_path / "model")
    refused = fwtui("run", "--resume")
    assert refused.returncode == 2
    assert r"D:\Audio and D:\Output, which cannot be found" in refused.stderr
    maps = (
        rf"D:\Audio={audio}",
        rf"D:\Output={tmp_path / 'out'}",
        rf"D:\model={tmp_path / 'model'}",
    )
    options = [word for text in maps for word in ("--map", text)]
    done = fwtui("run", "--resume", *options, "--device", "cpu", "--threads", "1")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "out").glob("file*")} == {"file2.txt", "file3.txt"}
    assert len(load_maps(Locations.default().path_maps)) == 3
    assert list(foreign.iterdir()) == []
