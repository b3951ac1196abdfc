from pathlib import Path

from fwtui.config.locations import Locations


def test_the_environment_names_the_folders(tmp_path: Path) -> None:
    environ = {f"FWTUI_{name}_DIR": str(tmp_path / name) for name in ("STATE", "CACHE", "CONFIG")}
    found = Locations.default(environ)
    assert found.sessions == tmp_path / "STATE" / "sessions"
    assert found.logs == tmp_path / "STATE" / "logs"
    assert found.scratch == tmp_path / "CACHE" / "scratch"
    assert found.config_file == tmp_path / "CONFIG" / "settings.toml"
    assert list(tmp_path.iterdir()) == []


def test_without_environment_they_are_the_platforms() -> None:
    found = Locations.default({"FWTUI_STATE_DIR": ""})
    for folder in (found.state, found.cache, found.config):
        assert folder.is_absolute()
        assert "fwtui" in folder.parts[-1]


def test_a_relative_folder_is_made_absolute() -> None:
    assert Locations.default({"FWTUI_STATE_DIR": "here"}).state == Path.cwd() / "here"
