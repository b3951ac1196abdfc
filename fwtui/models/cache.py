"""Which models are on this machine: folders, and the cache of Hugging Face's hub. Reads only.

The cache's layout is documented and the same for all programs that use the hub
(huggingface.co/docs/huggingface_hub/guides/manage-cache): `models--OWNER--NAME/` with `refs/`,
`blobs/` and `snapshots/COMMIT/`.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from fwtui.config.locations import Locations
from fwtui.core.paths import expand_home
from fwtui.core.settings import ModelSettings
from fwtui.errors import ModelAbsentError, ModelError
from fwtui.models.catalogue import CONVERTER, described, repo_of, short_name

FILES_NEEDED = ("model.bin", "config.json", "tokenizer.json")
PARTIAL = ".incomplete"  # of a file that is being downloaded, by us and by older hub libraries
_TRUE = frozenset({"1", "on", "yes", "true"})


class Cached(msgspec.Struct, frozen=True):
    """What the cache has of a model: its folder if it is whole, bytes, and those half-loaded."""

    repo: str
    folder: Path | None
    size: int
    partial: int


def hub_cache(model_dir: str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The cache: `model_dir`, or where the hub's own library has it by the environment.

    A user without a home directory has it in fwtui's own cache.
    """
    home = environ.get("HF_HOME") or os.path.join(  # noqa: PTH118  expanded below, as the hub does
        environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface"
    )
    place = (
        model_dir
        or environ.get("HF_HUB_CACHE")
        or environ.get("HUGGINGFACE_HUB_CACHE")
        or os.path.join(home, "hub")  # noqa: PTH118
    )
    folder = expand_home(os.path.expandvars(place))
    has_home = folder.parts[:1] != ("~",)
    return folder if has_home else Locations.default(environ).cache / "hub"


def is_offline(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment forbids to ask the hub for anything."""
    value = environ.get("HF_HUB_OFFLINE") or environ.get("TRANSFORMERS_OFFLINE") or ""
    return value.lower() in _TRUE


def repo_folder(repo: str, cache: Path) -> Path:
    """Where the cache keeps a model."""
    return cache / f"models--{repo.replace('/', '--')}"


def missing_files(folder: Path) -> tuple[str, ...]:
    """What a folder lacks to be a model that faster-whisper can use."""
    lacks = [name for name in FILES_NEEDED if not (folder / name).is_file()]
    if not any(folder.glob("vocabulary.*")):
        lacks.append("vocabulary.json")
    return tuple(lacks)


def cached(repo: str, cache: Path) -> Cached | None:
    """What the cache has of a model; None: nothing."""
    home = repo_folder(repo, cache)
    if not home.is_dir():
        return None
    size = partial = 0
    for file in _files(home):
        if file.name.endswith(PARTIAL):
            partial += _size(file)
        else:
            size += _size(file)
    return Cached(repo, _snapshot(home), size, partial)


def all_cached(cache: Path) -> tuple[Cached, ...]:
    """Every Whisper model in the cache, also those that are not whole; by name."""
    found = []
    for home in sorted(cache.glob("models--*--*")):
        repo = "/".join(home.name.split("--", 2)[1:])
        one = cached(repo, cache)
        if one is not None and (one.folder is not None or _is_ours(one)):
            found.append(one)
    return tuple(found)


def locate(settings: ModelSettings, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of the model, which is never downloaded here.

    Raises:
        ModelAbsentError: it is named, not on this machine, and may be downloaded.
        ModelError: the folder is not a model or not there, or there is no such model.

    """
    name = settings.model
    path = expand_home(name)
    if path.is_dir():
        if lacks := missing_files(path):
            raise ModelError(
                f"{path} is not a CTranslate2 Whisper model: {', '.join(lacks)} missing",
                f"convert the model: {CONVERTER.format(model='MODEL')}",
            )
        return path
    if is_folder_name(name):
        raise ModelError(f"The model folder {path} is not there", "check --model")
    repo = repo_of(name)
    cache = hub_cache(settings.model_dir, environ)
    one = cached(repo, cache)
    if one is not None and one.folder is not None:
        return one.folder
    if settings.local_files_only or is_offline(environ):
        why = "--local_files_only" if settings.local_files_only else "HF_HUB_OFFLINE"
        raise ModelError(
            f"The model {name} is not on this machine, and {why} forbids to download it",
            f"download it once: fwtui models download {name}",
        )
    raise ModelAbsentError(
        f"The model {described(name)} is not on this machine",
        f"download it: fwtui models download {name}",
    )


def is_folder_name(name: str) -> bool:
    """Whether a model setting can only mean a folder."""
    return name.startswith((".", "~")) or Path(name).is_absolute()


def converted(folder: Path) -> Iterator[Path]:
    """The models that are plain folders in a folder, as a converter writes them."""
    if folder.is_dir():
        for one in sorted(folder.iterdir()):
            if (one / "model.bin").is_file() and not missing_files(one):
                yield one


def _snapshot(home: Path) -> Path | None:
    """The whole snapshot to use: that of `main`, else the newest."""
    try:
        commit = (home / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        commit = ""
    snapshots = [one for one in (home / "snapshots").glob("*") if one.is_dir()]
    snapshots.sort(key=lambda one: (one.name == commit, one.stat().st_mtime), reverse=True)
    return next((one for one in snapshots if not missing_files(one)), None)


def _files(home: Path) -> Iterator[Path]:
    """The files that take room: blobs, and what stands for them where there are no links."""
    yield from (home / "blobs").glob("*")
    for file in (home / "snapshots").glob("*/*"):
        if not file.is_symlink():
            yield file


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # a link to nothing, or gone meanwhile
        return 0


def _is_ours(one: Cached) -> bool:
    """Whether what is not whole is the beginning of one of faster-whisper's models."""
    return "whisper" in short_name(one.repo).lower() or short_name(one.repo) != one.repo
