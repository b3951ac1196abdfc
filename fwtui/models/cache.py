"""Models on this machine: local folders, and the cache of Hugging Face. Reads only.

The layout of the cache is documented and shared by all programs that use Hugging Face
(huggingface.co/docs/huggingface_hub/guides/manage-cache): `models--OWNER--NAME/` with `refs/`,
`blobs/` and `snapshots/COMMIT/`.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from fwtui.config.locations import Locations
from fwtui.core.disk_errors import disk_hint, reason_of
from fwtui.core.paths import expand_home
from fwtui.core.settings import ModelSettings
from fwtui.disk.files import is_folder, is_present, is_regular
from fwtui.errors import ModelAbsentError, ModelError
from fwtui.models.catalogue import CONVERTER, repo_of, short_name, with_size

FILES_NEEDED = ("model.bin", "config.json", "tokenizer.json")
# Suffix of a partial download, here and in older versions of huggingface_hub.
PARTIAL = ".incomplete"
_TRUE = frozenset({"1", "on", "yes", "true"})


class Cached(msgspec.Struct, frozen=True):
    """A model in the cache: its folder if complete, its bytes, and those of partial downloads."""

    repo: str
    folder: Path | None
    size: int
    partial: int


def hub_cache(model_dir: str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The cache folder: `model_dir`, or that of huggingface_hub according to the environment.

    For a user without a home directory it is in fwtui's own cache.
    """
    home = environ.get("HF_HOME") or os.path.join(  # noqa: PTH118  expanded below, as huggingface_hub does
        environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface"
    )
    folder = (
        model_dir
        or environ.get("HF_HUB_CACHE")
        or environ.get("HUGGINGFACE_HUB_CACHE")
        or os.path.join(home, "hub")  # noqa: PTH118
    )
    expanded = expand_home(os.path.expandvars(folder))
    has_home = expanded.parts[:1] != ("~",)
    return expanded if has_home else Locations.default(environ).cache / "hub"


def is_offline(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment forbids requests to Hugging Face."""
    value = environ.get("HF_HUB_OFFLINE") or environ.get("TRANSFORMERS_OFFLINE") or ""
    return value.lower() in _TRUE


def repo_folder(repo: str, cache: Path) -> Path:
    """The folder of a model in the cache."""
    return cache / f"models--{repo.replace('/', '--')}"


def missing_files(folder: Path) -> tuple[str, ...]:
    """The files that a folder lacks to be a model for faster-whisper."""
    lacks = [name for name in FILES_NEEDED if not is_present(folder / name, follow=True)]
    if not any(one.name.startswith("vocabulary.") for one in _inside(folder)):
        lacks.append("vocabulary.json")
    return tuple(lacks)


def cached(repo: str, cache: Path) -> Cached | None:
    """A model in the cache, complete or not; None if there is nothing of it."""
    home = repo_folder(repo, cache)
    if not is_folder(home):
        return None
    size = partial = 0
    for file in _files(home):
        if file.name.endswith(PARTIAL):
            partial += _size(file)
        else:
            size += _size(file)
    return Cached(repo, _snapshot(home), size, partial)


def all_cached(cache: Path) -> tuple[Cached, ...]:
    """All Whisper models in the cache, complete or not, by name."""
    found = []
    for home in sorted(cache.glob("models--*--*")):
        repo = "/".join(home.name.split("--", 2)[1:])
        one = cached(repo, cache)
        if one is not None and (one.folder is not None or _is_whisper(one)):
            found.append(one)
    return tuple(found)


def locate(settings: ModelSettings, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of the model; never downloads it.

    Raises:
        ModelAbsentError: it is not downloaded, but can be.
        ModelError: the folder is missing or not a model, or no model has this name.

    """
    try:
        return _locate(settings, environ)
    except OSError as error:
        raise ModelError(
            f"The model {settings.model} cannot be read: {reason_of(error)}", disk_hint(error)
        ) from error


def _locate(settings: ModelSettings, environ: Mapping[str, str]) -> Path:
    name = settings.model
    path = expand_home(name)
    if is_folder(path):
        if lacks := missing_files(path):
            raise ModelError(
                f"{path} is not a CTranslate2 Whisper model: {', '.join(lacks)} missing",
                f"convert the model: {CONVERTER.format(model='MODEL')}",
            )
        return path
    if is_folder_name(name):
        raise ModelError(f"Model folder {path} not found", "check --model", setting="model.model")
    repo = repo_of(name)
    cache = hub_cache(settings.model_dir, environ)
    one = cached(repo, cache)
    if one is not None and one.folder is not None:
        return one.folder
    if settings.local_files_only or is_offline(environ):
        why = "--local_files_only" if settings.local_files_only else "HF_HUB_OFFLINE"
        raise ModelError(
            f"Model {name} is not downloaded, and {why} forbids downloading it",
            f"download it once: fwtui models download {name}",
        )
    raise ModelAbsentError(
        f"Model {with_size(name)} is not downloaded",
        f"download it: fwtui models download {name}",
    )


def is_folder_name(name: str) -> bool:
    """Whether a model name can only be a folder."""
    return name.startswith((".", "~")) or Path(name).is_absolute()


def model_folders(folder: Path) -> Iterator[Path]:
    """The model folders in a folder, as a converter writes them."""
    for one in sorted(_inside(folder)):
        if is_regular(one / "model.bin") and not missing_files(one):
            yield one


def _snapshot(home: Path) -> Path | None:
    """The complete snapshot to use: that of `main`, otherwise the newest."""
    try:
        commit = (home / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        commit = ""
    snapshots = [one for one in _inside(home / "snapshots") if is_folder(one)]
    snapshots.sort(key=lambda one: (one.name == commit, one.stat().st_mtime), reverse=True)
    return next((one for one in snapshots if not missing_files(one)), None)


def _inside(folder: Path) -> Iterable[Path]:
    """What is in a folder, if there is one. Raises OSError, which `Path.glob` may hide."""
    return folder.iterdir() if is_folder(folder) else ()


def _files(home: Path) -> Iterator[Path]:
    """The files that use space: blobs, or copies of them where there are no links."""
    yield from (home / "blobs").glob("*")
    for file in (home / "snapshots").glob("*/*"):
        if not file.is_symlink():
            yield file


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # a broken link, or deleted in the meantime
        return 0


def _is_whisper(one: Cached) -> bool:
    """Whether a partial download is that of a Whisper model."""
    return "whisper" in short_name(one.repo).lower() or short_name(one.repo) != one.repo
