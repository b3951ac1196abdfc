"""The models that tell speakers apart: which there are, and where they are on this machine.

Two each time: one that hears how many speak, and one that hears what a voice sounds like
(embedding), which has a threshold of its own. Nothing is loaded here.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

import msgspec

from fwtui.core.disk_errors import disk_hint, reason_of
from fwtui.core.paths import expand_home, path_to_text
from fwtui.core.settings import Settings, decides_speakers
from fwtui.disk.files import is_folder
from fwtui.errors import ModelAbsentError, ModelError
from fwtui.models.cache import PARTIAL, hub_cache, is_folder_name, is_offline, repo_folder
from fwtui.models.catalogue import repo_of
from fwtui.models.integrity import blob_of, is_intact
from fwtui.models.inventory import ModelEntry, Presence
from fwtui.models.protocol import Download

SPEAKERS = "speakers"
"""The name of the models that are used without `diarize_model`."""


class OnnxModel(msgspec.Struct, frozen=True):
    """A published model: its repository on Hugging Face, the file in it, and its size in MB.

    `threshold`: cosine distance up to which two voices are one speaker's; 0: it has none.
    """

    name: str
    repo: str
    file: str
    megabytes: int
    license: str
    threshold: float = 0.0


# The threshold is chosen by tests/benchmarks/speakers.py, on what docs/speakers.md says.
DEFAULT_THRESHOLD = 0.42
SEGMENTATION = OnnxModel(
    "segmentation-3.0",
    "onnx-community/pyannote-segmentation-3.0",
    "onnx/model.onnx",
    6,
    "MIT",
)
_VOICES = "csukuangfj/speaker-embedding-models"
EMBEDDINGS = (
    OnnxModel(
        "campplus",
        _VOICES,
        "3dspeaker_speech_campplus_sv_zh_en_16k-common_advanced.onnx",
        28,
        "Apache-2.0",
        DEFAULT_THRESHOLD,
    ),
    OnnxModel(
        "resnet34",
        _VOICES,
        "wespeaker_en_voxceleb_resnet34_LM.onnx",
        26,
        "CC-BY-4.0",
        0.55,
    ),
)
EMBEDDING_NAMES = tuple(one.name for one in EMBEDDINGS)


class SpeakerFiles(msgspec.Struct, frozen=True):
    """Both models on this machine (paths), and the threshold for voices."""

    segmentation: str
    embedding: str
    threshold: float

    def identity(self) -> str:
        """Hex digest of both files. Raises OSError."""
        return self.identities()[0]

    def identities(self) -> tuple[str, str]:
        """Hex digests: of both files, and of the model of voices alone. Raises OSError."""
        both, digest = hashlib.blake2b(digest_size=8), b""
        for path in (self.segmentation, self.embedding):
            with Path(path).open("rb") as file:
                digest = hashlib.file_digest(file, "blake2b").digest()
            both.update(digest)
        return both.hexdigest(), digest[:8].hex()


def embedding_of(name: str) -> OnnxModel:
    """The model of voices of that name (empty: the default). Raises ModelError."""
    for one in EMBEDDINGS:
        if name in {one.name, *((SPEAKERS, "") if one is EMBEDDINGS[0] else ())}:
            return one
    close = get_close_matches(name, EMBEDDING_NAMES, n=1)
    raise ModelError(
        f"No model for speakers is called {name}",
        f"did you mean {close[0]}?"
        if close
        else f"use a folder with both models, or one of: {', '.join(EMBEDDING_NAMES)}",
        setting="speakers.diarize_model",
    )


def locate_speakers(
    model: str, model_dir: str | None = None, environ: Mapping[str, str] = os.environ
) -> SpeakerFiles:
    """Both models for `diarize_model` (empty: the default); never downloads them.

    Raises:
        ModelAbsentError: they are not downloaded, but can be.
        ModelError: the folder is missing or has other files, or no model has this name.

    """
    if model and (is_folder_name(model) or is_folder(expand_home(model))):
        return _in_folder(expand_home(model))
    embedding = embedding_of(model)
    cache = hub_cache(model_dir, environ)
    found = [downloaded(one, cache) for one in (SEGMENTATION, embedding)]
    segmentation, voices = found
    if segmentation is not None and voices is not None:
        return SpeakerFiles(str(segmentation), str(voices), embedding.threshold)
    name = model or SPEAKERS
    lacks = sum(
        one.megabytes
        for one, path in zip((SEGMENTATION, embedding), found, strict=True)
        if path is None
    )
    hint = f"download them: fwtui models download {name}"
    if is_offline(environ):
        raise ModelError(
            "The models for speakers are not downloaded, and HF_HUB_OFFLINE forbids downloading "
            "them",
            f"download them once: fwtui models download {name}",
        )
    raise ModelAbsentError(f"The models for speakers ({lacks} MB) are not downloaded", hint)


def downloaded(model: OnnxModel, cache: Path) -> Path | None:
    """The file of a model in the cache, if it is there: of `main`, otherwise the newest."""
    home = repo_folder(model.repo, cache)
    try:
        commit = (home / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        commit = ""
    found = [folder / model.file for folder in (home / "snapshots").glob("*")]
    found = [path for path in found if path.is_file()]
    found.sort(key=lambda path: (commit in path.parts, path.stat().st_mtime), reverse=True)
    return found[0] if found else None


def parts_of(name: str) -> tuple[OnnxModel, ...]:
    """What is downloaded under that name; nothing if it is not one of these models."""
    if name not in {SPEAKERS, *EMBEDDING_NAMES}:
        return ()
    return SEGMENTATION, embedding_of(name)


def download_requests(name: str, cache: str) -> tuple[Download, ...]:
    """The downloads for the name of a model, of either kind. Raises ModelError."""
    parts = parts_of(name)
    if not parts:
        return (Download(repo_of(name), cache),)
    return tuple(Download(one.repo, cache, files=(one.file,)) for one in parts)


def list_speaker_models(
    model_dir: str | None = None, environ: Mapping[str, str] = os.environ
) -> tuple[ModelEntry, ...]:
    """The models for speakers, each together with the segmentation; blocks on the disk."""
    cache = hub_cache(model_dir, environ)
    return tuple(_entry(one, cache) for one in EMBEDDINGS)


def find_speaker_model(
    name: str, model_dir: str | None = None, environ: Mapping[str, str] = os.environ
) -> ModelEntry | None:
    """The models for speakers of that name; None if it is not one of these models."""
    if not parts_of(name):
        return None
    return _entry(embedding_of(name), hub_cache(model_dir, environ))


def _entry(embedding: OnnxModel, cache: Path) -> ModelEntry:
    is_default = embedding is EMBEDDINGS[0]
    parts = (SEGMENTATION, embedding)
    files = [downloaded(one, cache) for one in parts]
    here = [path for path in files if path is not None]
    sizes = sum(path.stat().st_size for path in here)
    whole = len(here) == len(parts)
    partial = 0 if whole else sizes + sum(_unfinished(one.repo, cache) for one in parts)
    return ModelEntry(
        name=SPEAKERS if is_default else embedding.name,
        presence=Presence.HERE if whole else Presence.PARTLY if partial else Presence.ABSENT,
        repo=embedding.repo,
        size=sizes if whole else sum(one.megabytes for one in parts) << 20,
        partial=partial,
        folder=path_to_text(here[-1].parent) if whole else "",
        aliases=(embedding.name,) if is_default else (),
        kind="speakers",
    )


def damaged_file(files: SpeakerFiles) -> Path | None:
    """The file that is not what the hub announced; None if there is none. Raises OSError."""
    for path in (Path(files.segmentation), Path(files.embedding)):
        blob = blob_of(path)
        if blob is not None and not is_intact(blob):
            return path
    return None


def check_speakers(settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
    """Check that the models for speakers are there, if the settings need them.

    Raises ModelAbsentError if they can be downloaded, ModelError if that does not help.
    """
    speakers = settings.speakers
    if speakers.diarize != "voices" or decides_speakers(settings):
        return
    name = speakers.diarize_model or SPEAKERS
    try:
        files = locate_speakers(name, settings.model.model_dir, environ)
    except ModelAbsentError as absent:
        if not settings.model.local_files_only:
            raise
        why = "and --local_files_only forbids downloading them"
        hint = f"download them once: fwtui models download {name}"
        raise ModelError(f"{absent.title}, {why}", hint) from absent
    try:
        damaged = damaged_file(files)
    except OSError as error:
        raise ModelError(
            f"The models for speakers cannot be read: {reason_of(error)}", disk_hint(error)
        ) from error
    if damaged is not None:
        raise ModelError(
            f"{damaged.name} of the models for speakers is damaged",
            f"download it again: fwtui models download {name}",
            setting="speakers.diarize_model",
        )


def _unfinished(repo: str, cache: Path) -> int:
    """Bytes of partial downloads."""
    blobs = (repo_folder(repo, cache) / "blobs").glob(f"*{PARTIAL}")
    return sum(path.stat().st_size for path in blobs)


def _in_folder(folder: Path) -> SpeakerFiles:
    """Both models in a folder of the user. Raises ModelError."""
    if not is_folder(folder):
        raise ModelError(
            f"Folder {folder} not found", "check diarize_model", setting="speakers.diarize_model"
        )
    files = sorted(_onnx_files(folder))
    segmentation = [path for path in files if "segmentation" in path.name.lower()]
    voices = [path for path in files if path not in segmentation]
    if len(segmentation) != 1 or len(voices) != 1:
        raise ModelError(
            f"{folder} must have two models in it: one .onnx file with segmentation in its name, "
            "and one other",
            "put both there, or leave out diarize_model",
            setting="speakers.diarize_model",
        )
    (voice,) = voices
    return SpeakerFiles(str(segmentation[0]), str(voice), threshold_for(voice.name))


def _onnx_files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.suffix.lower() == ".onnx")


def threshold_for(name: str) -> float:
    """The threshold for a file of the user, by its name; that of the default if unknown."""
    return next(
        (one.threshold for one in EMBEDDINGS if one.name in name.lower()), DEFAULT_THRESHOLD
    )
