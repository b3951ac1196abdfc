"""Import of sessions written by the earlier desktop program (keys of the reference document).

Nothing here raises for invalid values: they get their defaults.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, TypeVar

import msgspec

from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Completed, Failed, Pending, State
from fwtui.core.settings import DecodingSettings, ModelSettings, OutputSettings, Settings
from fwtui.sessions.session_files import local_time

_T = TypeVar("_T", bound=msgspec.Struct)
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_FORMATS = ("txt", "vtt", "srt", "tsv", "json")
_DECODING = ("beam_size", "vad_filter", "language", "initial_prompt", "task", "patience")
_OUTPUT = ("output_dir", "add_timestamps", "add_report")


def settings_from_keys(document: dict[str, Any]) -> Settings:
    """Settings from `model_path`, `output_dir`, `beam_size`, ..."""
    model = {"model": document.get("model_path")}
    output = {key: document.get(key) for key in _OUTPUT}
    # That program wrote one format, over whatever was there.
    output |= {"output_format": _format(document), "if_exists": "overwrite"}
    return Settings(
        model=_lenient(ModelSettings, model),
        decoding=_lenient(DecodingSettings, {key: document.get(key) for key in _DECODING}),
        output=_lenient(OutputSettings, output),
    )


def keys_from_settings(settings: Settings) -> dict[str, Any]:
    """`model_path`, `output_dir`, ... for other programs that read our session files."""
    keys: dict[str, Any] = {
        "model_path": settings.model.model,
        "output_dir": settings.output.output_dir,
    }
    keys.update((key, getattr(settings.decoding, key)) for key in _DECODING)
    keys.update((key, getattr(settings.output, key)) for key in _OUTPUT[1:])
    return keys


def _lenient(kind: type[_T], values: dict[str, Any]) -> _T:
    good: dict[str, Any] = {}
    for key, value in values.items():
        try:
            msgspec.convert({key: value}, kind)
        except msgspec.ValidationError:
            continue
        good[key] = value
    return msgspec.convert(good, kind)


def _format(document: dict[str, Any]) -> str:
    """The format of the first output, else txt, as the earlier program wrote."""
    for entry in document.get("files") or ():
        output = entry.get("output_path")
        if isinstance(output, str) and (suffix := pure(output).suffix[1:]) in _FORMATS:
            return suffix
    return "txt"


def state_from_keys(entry: dict[str, Any]) -> State:
    """The state by `status` and the keys that go with it; pending if they are invalid."""
    started = moment(entry.get("started_at"))
    ended = moment(entry.get("completed_at")) or started
    if ended is None:
        return Pending()
    match entry.get("status"):
        case "completed":
            output = entry.get("output_path")
            return Completed(
                started_at=started or ended,
                completed_at=ended,
                outputs=(output,) if isinstance(output, str) else (),
                audio_seconds=0.0,
                work_seconds=max(0.0, (ended - (started or ended)).total_seconds()),
                language="",
                segments=0,
            )
        case "failed":
            return Failed(ended, _failure(entry.get("error")), started)
        case _:
            return Pending()


def _failure(error: object) -> Failure:
    title = error if isinstance(error, str) and error else "Failed for an unknown reason"
    memory = "memory" in title.lower()
    return Failure(FailureKind.OUT_OF_MEMORY if memory else FailureKind.INTERNAL, title)


def moment(text: object) -> datetime | None:
    """A local time from ISO text, or None."""
    try:
        return local_time(datetime.fromisoformat(text)) if isinstance(text, str) else None
    except (ValueError, OverflowError, OSError):
        return None


def pure(path: str) -> PurePosixPath | PureWindowsPath:
    """The path as a POSIX or a Windows path, depending on how it is written."""
    return PureWindowsPath(path) if _WINDOWS.match(path) else PurePosixPath(path)


def stems(paths: Iterable[str]) -> list[str]:
    """Names for the outputs of the paths, all different, also on case-insensitive systems."""
    taken: set[str] = set()
    names = []
    for path in paths:
        stem = name = pure(path).stem or "file"
        number = 2
        while name.casefold() in taken:
            name = f"{stem}_{number}"
            number += 1
        taken.add(name.casefold())
        names.append(name)
    return names
