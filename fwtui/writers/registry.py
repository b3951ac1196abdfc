"""All transcript formats by name, and how they get onto the disk."""

from collections.abc import Callable, Iterator
from pathlib import Path

from fwtui.core.segment import Transcript
from fwtui.core.settings import OutputSettings
from fwtui.storage.atomic import write_atomic
from fwtui.storage.faults import storage_error
from fwtui.writers import ass, csv, json, lrc, md, srt, tsv, txt, vtt

Writer = Callable[[Transcript, OutputSettings], Iterator[bytes]]

# The name is also the extension. First whisper's, in its order, which are what "all" means.
_WRITERS: dict[str, Writer] = {
    "txt": txt.chunks,
    "vtt": vtt.chunks,
    "srt": srt.chunks,
    "tsv": tsv.chunks,
    "json": json.chunks,
    "lrc": lrc.chunks,
    "ass": ass.chunks,
    "csv": csv.chunks,
    "md": md.chunks,
}
FORMATS = tuple(_WRITERS)
WHISPER_FORMATS = FORMATS[:5]


def formats(output_format: str) -> tuple[str, ...]:
    """The formats that the setting `output_format` asks for."""
    return WHISPER_FORMATS if output_format == "all" else (output_format,)


def render(transcript: Transcript, name: str, settings: OutputSettings) -> Iterator[bytes]:
    """The bytes of one format, piece by piece."""
    return _WRITERS[name](transcript, settings)


def output_paths(stem: Path, settings: OutputSettings) -> tuple[Path, ...]:
    """The files that `write_transcript` writes: `stem` with each format's extension behind it."""
    return tuple(stem.with_name(f"{stem.name}.{name}") for name in formats(settings.output_format))


def write_transcript(
    transcript: Transcript, stem: Path, settings: OutputSettings, owner: str = ""
) -> tuple[Path, ...]:
    """Write every format that the settings ask for; the files are durable on return.

    Each file is whole or, if something goes wrong, what it was before; `owner` as in
    `write_atomic`. Raises DiskFullError or StorageError.
    """
    _make_folder(stem.parent)
    paths = output_paths(stem, settings)
    for name, path in zip(formats(settings.output_format), paths, strict=True):
        write_atomic(path, render(transcript, name, settings), owner=owner)
    return paths


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, folder, "make the output folder") from error
