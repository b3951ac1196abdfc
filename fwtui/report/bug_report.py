"""What a bug report needs: versions, machine, settings, sessions and logs, all anonymous.

It blocks on the disk. Nothing is sent anywhere.
"""

import getpass
import io
import os
import platform
import socket
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from importlib import metadata
from pathlib import Path

import msgspec

from fwtui import __version__
from fwtui.batch.anonymous import Anonymous, Identity, names_in_log
from fwtui.config.environment import PREFIX
from fwtui.config.locations import Locations
from fwtui.config.sources import Origin, make_layers, sourced
from fwtui.core.job import Failed, status_word
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.redact import secrets_in
from fwtui.core.session import Session
from fwtui.errors import FwtuiError
from fwtui.memory.measure import MemoryMeter
from fwtui.sessions.catalog import list_sessions
from fwtui.storage.atomic import write_atomic

TAIL_LINES = 1000  # of each log file
MOST_LOGS = 3  # of each kind: of the day, of a session, of a crash
_PACKAGES = (
    "faster-whisper ctranslate2 av onnxruntime tokenizers huggingface-hub textual msgspec click "
    "psutil nvidia-cublas-cu12 nvidia-cudnn-cu12 yt-dlp"
).split()
_TERMINAL = "TERM COLORTERM TERM_PROGRAM LANG LC_ALL LC_CTYPE NO_COLOR".split()
# The user's own words and commands: only that they are set, and how long they are.
_PRIVATE = frozenset(
    {
        "decoding.initial_prompt",
        "decoding.prefix",
        "decoding.hotwords",
        "done.on_file_done",
        "done.on_batch_done",
    }
)


class Part(msgspec.Struct, frozen=True):
    """One file of the bundle."""

    name: str
    text: str


def default_name(now: datetime) -> str:
    """What the bundle is called if nobody says otherwise."""
    return f"fwtui-bug-{now:%Y%m%d-%H%M%S}.zip"


def gather(locations: Locations, environ: Mapping[str, str] = os.environ) -> tuple[Part, ...]:
    """All parts, as they would be written. What cannot be read says so in its place."""
    logs = dict(_logs(locations.logs))
    sessions = list_sessions(locations.sessions)
    stored = [one.session for one in sessions.sessions]
    known = {name for text in logs.values() for name in names_in_log(text)}
    known |= {path for session in stored for path in _paths(session)}
    anonymous = Anonymous(identity(locations, environ), known)
    raw = {
        "about.txt": "\n".join(_about(environ)),
        "settings.txt": "\n".join(_settings(locations, environ)),
        "sessions.txt": "\n".join([*_sessions(stored), *sessions.problems]) or "none",
        "last-batch.json": _read(locations.last_batch),
        **logs,
    }
    return tuple(Part(name, anonymous(text)) for name, text in raw.items() if text)


def shown(parts: Iterable[Part]) -> Iterator[str]:
    """The lines of all parts, each under its name."""
    for part in parts:
        lines = part.text.splitlines()
        yield f"== {part.name} ({len(lines)} lines)"
        yield from lines
        yield ""


def write_bundle(path: Path, parts: Iterable[Part]) -> None:
    """Write a zip with the parts, in one step. Raises StorageError."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as bundle:
        for part in parts:
            bundle.writestr(part.name, part.text + "\n")
    write_atomic(path, data.getvalue(), 0o600, owner=path_to_text(path))


def identity(locations: Locations, environ: Mapping[str, str]) -> Identity:
    """Who we are, as far as this machine knows."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name, as in containers
        user = ""
    host = socket.gethostname()
    return Identity(
        home=os.path.expanduser("~"),  # noqa: PTH111 - never raises
        user=user,
        hosts=tuple(dict.fromkeys((host, host.partition(".")[0]))),
        secrets=secrets_in(environ),
        places={
            os.fspath(locations.state): "<state>",
            os.fspath(locations.cache): "<cache>",
            os.fspath(locations.config): "<config>",
        },
    )


def _about(environ: Mapping[str, str]) -> Iterator[str]:
    reading = MemoryMeter().read()
    yield f"fwtui {__version__}"
    yield f"Python {sys.version}"
    yield f"System {platform.platform()} ({platform.machine()})"
    yield f"Processors {os.cpu_count()}"
    yield f"Memory {reading.system_total:.0f} MB, {reading.available:.0f} MB free"
    for gpu in reading.gpus:
        yield f"GPU {gpu.index}: {gpu.name}, {gpu.total:.0f} MB, {gpu.used:.0f} MB used"
    for name in _PACKAGES:
        yield f"{name} {_version(name)}"
    for name in _TERMINAL:
        yield f"{name} {environ.get(name, 'not set')}"
    for name in ("TMUX", "SSH_CONNECTION", "CUDA_VISIBLE_DEVICES", "HF_HOME", "HF_ENDPOINT"):
        yield f"{name} {'set' if name in environ else 'not set'}"
    names = sorted(name for name in environ if name.startswith(PREFIX))
    yield f"Variables of fwtui that are set: {', '.join(names) or 'none'}"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _settings(locations: Locations, environ: Mapping[str, str]) -> Iterator[str]:
    yield "Settings that are not at their defaults, and where they come from:"
    try:
        found = sourced(make_layers(locations.config_file, environ=environ))
    except FwtuiError as error:
        yield f"they cannot be read: {error.title}"
        return
    for one in found:
        if one.origin is not Origin.DEFAULT and one.value != one.field.default:
            hide = one.field.key in _PRIVATE
            value = f"({len(str(one.value))} characters)" if hide else ascii(one.value)
            yield f"{one.field.key} = {value}  # {one.origin}"


def _sessions(stored: Iterable[Session]) -> Iterator[str]:
    for session in stored:
        states = Counter(status_word(job.state) for job in session.jobs)
        kinds = Counter(
            job.state.failure.kind for job in session.jobs if isinstance(job.state, Failed)
        )
        counts = ", ".join(f"{count} {word}" for word, count in (states + kinds).items())
        yield f"{session.session_id}: {len(session.jobs)} files; {counts}"


def _paths(session: Session) -> Iterator[str]:
    yield os.fspath(text_to_path(session.settings.output.output_dir))
    for job in session.jobs:
        yield os.fspath(job.file)


def _logs(folder: Path) -> Iterator[tuple[str, str]]:
    """The ends of the newest log files of each kind."""
    for pattern in ("fwtui-*.log", "[0-9]*.log", "crash-*.log", "background.log"):
        for file in sorted(folder.glob(pattern), key=_changed, reverse=True)[:MOST_LOGS]:
            yield f"logs/{file.name}", "\n".join(_read(file).splitlines()[-TAIL_LINES:])


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8", "backslashreplace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
