"""The catalogue, the cache on disk, and the list of all models."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fwtui import demo
from fwtui.core.settings import ModelSettings
from fwtui.errors import ModelAbsentError, ModelError
from fwtui.models.cache import (
    cached,
    hub_cache,
    is_offline,
    locate,
    missing_files,
    repo_folder,
)
from fwtui.models.capabilities import supported_languages
from fwtui.models.catalogue import MODELS, NAMES, repo_of
from fwtui.models.inventory import Presence, find_model, list_models

TINY = "Systran/faster-whisper-tiny"


def put(cache: Path, repo: str = TINY, commit: str = "abc", lacks: str = "") -> Path:
    """A model in the cache, as the hub's library lays it out."""
    home = repo_folder(repo, cache)
    snapshot = home / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (home / "blobs").mkdir(exist_ok=True)
    for path in demo.model_dir().iterdir():
        if path.is_file() and path.name != lacks:
            blob = home / "blobs" / f"{commit}-{path.name}"
            blob.write_bytes(path.read_bytes())
            (snapshot / path.name).symlink_to(os.path.relpath(blob, snapshot))
    (home / "refs").mkdir(exist_ok=True)
    (home / "refs" / "main").write_text(commit)
    return snapshot


def test_names_and_sources_are_faster_whispers() -> None:
    """In a process of its own: it takes a second that no other test has to take."""
    script = "import json; from faster_whisper.utils import _MODELS; print(json.dumps(_MODELS))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    import json

    theirs = json.loads(found.stdout)
    assert {name: repo_of(name) for name in NAMES} == theirs
    assert all(10 < model.megabytes < 5000 for model in MODELS)


@pytest.mark.parametrize(
    ("environ", "model_dir", "place"),
    [
        ({"HF_HOME": "/h"}, None, "/h/hub"),
        ({"HF_HOME": "/h", "HF_HUB_CACHE": "/c"}, None, "/c"),
        ({"HF_HOME": "/h", "HUGGINGFACE_HUB_CACHE": "/l"}, None, "/l"),
        ({"XDG_CACHE_HOME": "/x"}, None, "/x/huggingface/hub"),
        ({"HF_HUB_CACHE": "/c"}, "/mine", "/mine"),
    ],
)
def test_the_cache_is_where_the_hubs_library_has_it(
    environ: dict[str, str], model_dir: str | None, place: str
) -> None:
    assert hub_cache(model_dir, environ) == Path(place)


def test_offline() -> None:
    assert is_offline({"HF_HUB_OFFLINE": "1"})
    assert is_offline({"TRANSFORMERS_OFFLINE": "True"})
    assert not is_offline({"HF_HUB_OFFLINE": "0"})
    assert not is_offline({})


@pytest.mark.parametrize("name", ["tyny", "no/such/thing", "a b/c", "../x/y", "x/[*]"])
def test_what_is_no_model_is_told(name: str) -> None:
    with pytest.raises(ModelError) as caught:
        repo_of(name)
    assert caught.value.hint
    if name == "tyny":
        assert caught.value.hint == "did you mean tiny?"


def test_a_model_is_found_when_it_is_whole(tmp_path: Path) -> None:
    environ = {"HF_HUB_CACHE": str(tmp_path)}
    tiny = ModelSettings(model="tiny")
    with pytest.raises(ModelAbsentError) as caught:
        locate(tiny, environ)
    assert "Model tiny (75 MB) is not downloaded" in caught.value.title
    assert caught.value.hint == "download it: fwtui models download tiny"
    put(tmp_path, commit="old", lacks="model.bin")
    with pytest.raises(ModelAbsentError):
        locate(tiny, environ)
    whole = put(tmp_path, commit="new")
    assert locate(tiny, environ) == whole
    assert locate(ModelSettings(model=TINY), environ) == whole
    newer = put(tmp_path, commit="newer", lacks="vocabulary.json")
    assert missing_files(newer) == ("vocabulary.json",)
    assert locate(tiny, environ) == whole  # that of `main` is not whole


@pytest.mark.parametrize(
    ("settings", "environ", "why"),
    [
        (ModelSettings(model="tiny", local_files_only=True), {}, "--local_files_only"),
        (ModelSettings(model="tiny"), {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE"),
    ],
)
def test_what_forbids_a_download_is_named(
    settings: ModelSettings, environ: dict[str, str], why: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError) as caught:
        locate(settings, {**environ, "HF_HOME": str(tmp_path)})
    assert not isinstance(caught.value, ModelAbsentError)
    assert why in caught.value.title


def test_a_folder_that_is_no_model_says_how_one_is_made(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="tokenizer"):
        locate(ModelSettings(model=str(tmp_path)))
    with pytest.raises(ModelError) as caught:
        find_model(str(tmp_path), ModelSettings())
    assert "ct2-transformers-converter" in caught.value.hint
    with pytest.raises(ModelError, match="not found"):
        locate(ModelSettings(model=str(tmp_path / "no")))


def test_languages_of_a_vocabulary(tmp_path: Path) -> None:
    assert supported_languages(demo.model_dir()) == ("en", "de")
    (tmp_path / "vocabulary.txt").write_text("hello\n<|en|>\n<|de|>")
    assert supported_languages(tmp_path) == ("en",)
    assert supported_languages(tmp_path / "nothing") == ()


def test_the_list_has_names_ids_and_folders(tmp_path: Path) -> None:
    environ = {"HF_HUB_CACHE": str(tmp_path)}
    put(tmp_path)
    put(tmp_path, "me/my-whisper")
    put(tmp_path, "me/bert", lacks="model.bin")
    half = repo_folder("Systran/faster-whisper-base", tmp_path) / "blobs"
    half.mkdir(parents=True)
    (half / "0123.incomplete").write_bytes(b"\0" * 1000)
    settings = ModelSettings(model=str(demo.model_dir()), model_dir=str(tmp_path))
    entries = {one.name: one for one in list_models(settings, environ)}
    assert [one.name for one in entries.values()][: len(MODELS)] == [one.name for one in MODELS]
    tiny = entries["tiny"]
    assert (tiny.presence, tiny.languages) == (Presence.HERE, 99)
    assert tiny.size == sum(
        path.stat().st_size for path in demo.model_dir().iterdir() if path.is_file()
    )
    base = entries["base"]
    assert (base.presence, base.partial) == (Presence.PARTLY, 1000)
    assert entries["small"].presence is Presence.ABSENT
    assert entries["me/my-whisper"].languages == 2
    assert "me/bert" not in entries
    own = entries[str(demo.model_dir())]
    assert (own.presence, own.in_use, own.languages) == (Presence.FOLDER, True, 2)
    assert cached("me/nothing", tmp_path) is None
