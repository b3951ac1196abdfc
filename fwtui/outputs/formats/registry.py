"""The output formats by name, and writing transcripts in them."""

from collections.abc import Callable, Container, Iterator
from pathlib import Path

from fwtui.core.segment import AnyTranscript
from fwtui.core.settings import OutputSettings
from fwtui.disk.files import is_present, is_read_only, storage_error, write_output
from fwtui.outputs.formats import ass, csv, docx, html, json, lrc, md, rttm, srt, tsv, txt, vtt

Writer = Callable[[AnyTranscript, OutputSettings], Iterator[bytes]]

# Names are also extensions. Whisper's come first, in its order; the setting "all" means those.
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
    "docx": docx.chunks,
    "html": html.chunks,
    "rttm": rttm.chunks,
}
FORMATS = tuple(_WRITERS)
WHISPER_FORMATS = FORMATS[:5]


def formats(settings: OutputSettings) -> tuple[str, ...]:
    """The formats that the settings ask for, each once."""
    first = WHISPER_FORMATS if settings.output_format == "all" else (settings.output_format,)
    return tuple(dict.fromkeys((*first, *further_formats(settings.more_formats))))


def further_formats(text: str | None) -> tuple[str, ...]:
    """The formats that the setting `more_formats` names; unknown ones are left out."""
    names = [name.strip().lower() for name in (text or "").split(",")]
    found: list[str] = []
    for name in names:
        found += WHISPER_FORMATS if name == "all" else [name] if name in FORMATS else []
    return tuple(found)


def render(transcript: AnyTranscript, name: str, settings: OutputSettings) -> Iterator[bytes]:
    """The bytes of a transcript in one format, in pieces."""
    return _WRITERS[name](transcript, settings)


def output_paths(stem: Path, settings: OutputSettings) -> tuple[Path, ...]:
    """The files that `write_transcript` writes: `stem` with the extension of each format."""
    return tuple(stem.with_name(f"{stem.name}.{name}") for name in formats(settings))


def existing(stem: Path, settings: OutputSettings) -> tuple[str, ...]:
    """The formats whose files exist, of those that would be written.

    Raises OSError if that cannot be found out: what cannot be looked at must not be written over.
    """
    paths = output_paths(stem, settings)
    names = zip(formats(settings), paths, strict=True)
    return tuple(name for name, path in names if is_present(path))


def read_only(stem: Path, settings: OutputSettings) -> tuple[str, ...]:
    """The formats whose files exist and may not be written to. Raises OSError."""
    paths = output_paths(stem, settings)
    names = zip(formats(settings), paths, strict=True)
    return tuple(name for name, path in names if is_read_only(path))


def write_transcript(
    transcript: AnyTranscript,
    stem: Path,
    settings: OutputSettings,
    owner: str = "",
    keep: Container[str] = (),
) -> tuple[Path, ...]:
    """Write every format that the settings ask for; the files are durable on return.

    Each file is written as by `write_output`. Files of formats in `keep` are not changed. Returns
    the files written. Raises DiskFullError, StorageError, or UsageError for
    a format that needs an optional dependency.
    """
    _make_folder(stem.parent)
    names = zip(formats(settings), output_paths(stem, settings), strict=True)
    wanted = [(name, path) for name, path in names if name not in keep]
    for name, path in wanted:
        write_output(path, render(transcript, name, settings), owner=owner)
    return tuple(path for _, path in wanted)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        failed = Path(error.filename) if isinstance(error.filename, str) else folder
        raise storage_error(error, failed, "create the output folder") from error
