"""Bug report: an anonymised bundle of versions, machine, settings, sessions and logs.

Blocks on the disk. Nothing is sent anywhere.
"""

import getpass
import io
import os
import platform
import re
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
from fwtui.config.locations import Locations
from fwtui.config.sources import PREFIX, Origin, make_layers, sourced_values
from fwtui.core.job import Failed, state_name
from fwtui.core.paths import MEDIA_SUFFIXES, path_to_text, text_to_path
from fwtui.core.redact import redacted, secrets_in
from fwtui.core.session import Session
from fwtui.core.text import printable
from fwtui.disk.files import read_regular, write_atomic
from fwtui.errors import FwtuiError
from fwtui.memory.measure import MemoryMeter
from fwtui.sessions.catalog import list_sessions

_TEXTS = frozenset(".txt .srt .vtt .tsv .lrc .ass .csv .md .docx".split())
_SUFFIXES = "|".join(sorted(suffix[1:] for suffix in MEDIA_SUFFIXES | _TEXTS))
# Time, process and level of a log line; names follow them.
_HEAD = r"^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:,\d{3})? (?:\d+ )?[A-Z]+ )?"
_LOG_NAME = re.compile(r"\[File: (.+?)\] (?:Starting|Finished) - Memory", re.MULTILINE)
_LINK = re.compile(r"\b(?:https?|ftps?|file|s3)://[^\s'\"<>]+", re.IGNORECASE)
_PUBLIC_LINK = re.compile(r"https?://(?:[\w-]+\.)*(?:huggingface\.co|toml\.io|python\.org)(?:/|$)")
_QUOTED = re.compile(r"(['\"])((?:~?/|[A-Za-z]:\\|\\\\)[^'\"\n]*)\1")
_WITH_SUFFIX = re.compile(
    rf"(?<![\w.<>/\\])(?:~?/|[A-Za-z]:\\|\\\\)[^\n:'\"]{{0,300}}?\.(?:{_SUFFIXES})\b", re.IGNORECASE
)
_PATH = re.compile(r"(?<![\w.<>/\\])(?:~?/(?=[^\s/])|[A-Za-z]:\\|\\\\(?=\w))[^\s:'\",;)\]]+")
_NAME = re.compile(
    rf"({_HEAD}|: |['\"]|\[File: )(?!<)([^\n:'\"<>\[\]]+?\.(?:{_SUFFIXES}))\b",
    re.IGNORECASE | re.MULTILINE,
)
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]+)+")
_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
_LIBRARY = re.compile(r".*?((?:site-packages|dist-packages|lib[/\\]python3[^/\\]*)[/\\].*)")
_SYSTEM = ("/usr/", "/lib", "/dev/", "/proc/", "/sys/")
_COMMON_NAMES = frozenset({"root", "user", "users", "home", "admin", "ubuntu", "localhost"})
_MIN_LENGTH = 3


class PersonalData(msgspec.Struct, frozen=True, kw_only=True):
    """What identifies the user. `folders`: fwtui's own folders, and their placeholders."""

    home: str = ""
    user: str = ""
    hosts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    folders: Mapping[str, str] = {}


def names_in_log(text: str) -> set[str]:
    """The names of the files that a log says were started or finished."""
    return set(_LOG_NAME.findall(text))


class Anonymizer:
    """Replaces personal data in texts; `paths`: files and folders known to be the user's."""

    def __init__(self, person: PersonalData, paths: Iterable[str] = ()) -> None:
        self._person = person
        self._paths = sorted({path for path in paths if len(path) >= _MIN_LENGTH}, key=len)[::-1]
        self._placeholders: dict[str, str] = {}
        self._counts = {"file": 0, "path": 0}

    def __call__(self, text: str) -> str:
        """The text as printable lines, without personal data."""
        text = "\n".join(printable(line) for line in text.splitlines())
        text = redacted(text, self._person.secrets)
        for folder, placeholder in sorted(
            self._person.folders.items(), key=lambda one: -len(one[0])
        ):
            text = text.replace(folder, placeholder)
        text = self._known(text)
        text = _LINK.sub(lambda found: _link(found[0]), text)
        text = _QUOTED.sub(lambda found: found[1] + self._path(found[2]) + found[1], text)
        text = _WITH_SUFFIX.sub(lambda found: self._path(found[0]), text)
        text = _PATH.sub(lambda found: self._path(found[0]), text)
        text = _NAME.sub(lambda found: found[1] + self._file(found[2]), text)
        text = _ADDRESS.sub("<address>", _MAIL.sub("<mail>", text))
        return self._without_person(text)

    def _known(self, text: str) -> str:
        """The text without the known paths and names, whatever they look like."""
        names: dict[str, str] = {}
        for path in self._paths:
            names[printable(path)] = path
            name = re.split(r"[/\\]", path)[-1]
            stem = Path(name).stem
            if len(stem) >= _MIN_LENGTH:
                names.setdefault(printable(name), name)
                if name != stem:  # its outputs
                    names.setdefault(printable(stem) + ".", name)
        present = sorted((name for name in names if name in text), key=len, reverse=True)
        if not present:
            return text
        pattern = re.compile(rf"(?<![\w<])(?:{'|'.join(map(re.escape, present))})(\w+\b)?")

        def replacement(found: re.Match[str]) -> str:
            ending = found[1] or ""
            name = found[0].removesuffix(ending)
            if not name.endswith("."):
                return self._placeholder("file", names[name]) + ending
            return Path(self._placeholder("file", names[name])).stem + "." + ending

        return pattern.sub(replacement, text)

    def _path(self, path: str) -> str:
        if found := _LIBRARY.match(path):
            return f"<python>/{found[1]}"
        if path.endswith(".py") and (at := path.rfind("fwtui/")) >= 0:
            return f"<fwtui>/{path[at + 6 :]}"
        if path.startswith(_SYSTEM):
            return path
        is_file = Path(path).suffix.lower() in MEDIA_SUFFIXES | _TEXTS
        return self._placeholder("file" if is_file else "path", path)

    def _file(self, name: str) -> str:
        return self._placeholder("file", name)

    def _placeholder(self, kind: str, text: str) -> str:
        # A file has the same placeholder with and without its folder.
        key = re.split(r"[/\\]", text)[-1] if kind == "file" else text
        if key not in self._placeholders:
            self._counts[kind] += 1
            suffix = Path(key).suffix.lower()
            plain = suffix if re.fullmatch(r"\.\w{1,5}", suffix) else ""
            self._placeholders[key] = f"<{kind}{self._counts[kind]}>{plain}"
        return self._placeholders[key]

    def _without_person(self, text: str) -> str:
        person = self._person
        if len(person.home) >= _MIN_LENGTH:
            text = text.replace(person.home, "~")
        for word, placeholder in (
            (person.user, "<user>"),
            *((host, "<host>") for host in person.hosts),
        ):
            if len(word) >= _MIN_LENGTH and word.lower() not in _COMMON_NAMES:
                text = re.sub(
                    rf"(?<!\w){re.escape(word)}(?!\w)", placeholder, text, flags=re.IGNORECASE
                )
        return text


def _link(link: str) -> str:
    return link if _PUBLIC_LINK.match(link) else "<link>"


TAIL_LINES = 1000  # of each log file
MAX_LOGS = 3  # of each kind: daily, session, crash
_PACKAGES = (
    "faster-whisper ctranslate2 av onnxruntime tokenizers huggingface-hub textual msgspec click "
    "psutil nvidia-cublas-cu12 nvidia-cudnn-cu12 yt-dlp"
).split()
_TERMINAL = "TERM COLORTERM TERM_PROGRAM LANG LC_ALL LC_CTYPE NO_COLOR".split()
# The user's own texts and commands: only their lengths are reported.
_PRIVATE = frozenset(
    {
        "decoding.initial_prompt",
        "decoding.prefix",
        "decoding.hotwords",
        "speakers.speaker_name",
        "speakers.speaker_names",
        "done.on_file_done",
        "done.on_batch_done",
    }
)


class BugReportFile(msgspec.Struct, frozen=True):
    """One file of the bundle."""

    name: str
    text: str


def default_name(now: datetime) -> str:
    """The default file name of the bundle."""
    return f"fwtui-bug-{now:%Y%m%d-%H%M%S}.zip"


def collect_files(
    locations: Locations, environ: Mapping[str, str] = os.environ
) -> tuple[BugReportFile, ...]:
    """All files of the bundle, as they will be written; a file that cannot be read says so."""
    logs = dict(_logs(locations.logs))
    sessions = list_sessions(locations.sessions)
    stored = [one.session for one in sessions.sessions]
    known = {name for text in logs.values() for name in names_in_log(text)}
    known |= {path for session in stored for path in _paths(session)}
    anonymous = Anonymizer(personal_data(locations, environ), known)
    raw = {
        "about.txt": "\n".join(_about(environ)),
        "settings.txt": "\n".join(_settings(locations, environ)),
        "sessions.txt": "\n".join([*_sessions(stored), *sessions.problems]) or "none",
        "last-batch.json": _read(locations.last_batch),
        **logs,
    }
    return tuple(BugReportFile(name, anonymous(text)) for name, text in raw.items() if text)


def bundle_lines(files: Iterable[BugReportFile]) -> Iterator[str]:
    """The lines of all files, each under its name."""
    for file in files:
        lines = file.text.splitlines()
        yield f"== {file.name} ({len(lines)} lines)"
        yield from lines
        yield ""


def write_bundle(path: Path, files: Iterable[BugReportFile]) -> None:
    """Write the files as a zip, atomically. Raises StorageError."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as bundle:
        for file in files:
            bundle.writestr(file.name, file.text + "\n")
    write_atomic(path, data.getvalue(), 0o600, owner=path_to_text(path))


def personal_data(locations: Locations, environ: Mapping[str, str]) -> PersonalData:
    """The personal data of the current user, as far as it is known."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name, as in containers
        user = ""
    host = socket.gethostname()
    return PersonalData(
        home=os.path.expanduser("~"),  # noqa: PTH111 - never raises
        user=user,
        hosts=tuple(dict.fromkeys((host, host.partition(".")[0]))),
        secrets=secrets_in(environ),
        folders={
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
    yield f"fwtui variables set: {', '.join(names) or 'none'}"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _settings(locations: Locations, environ: Mapping[str, str]) -> Iterator[str]:
    yield "Settings that differ from the defaults, and their sources:"
    try:
        found = sourced_values(make_layers(locations.config_file, environ=environ))
    except FwtuiError as error:
        yield f"cannot be read: {error.title}"
        return
    for one in found:
        if one.origin is not Origin.DEFAULT and one.value != one.field.default:
            hide = one.field.key in _PRIVATE
            value = f"({len(str(one.value))} characters)" if hide else ascii(one.value)
            yield f"{one.field.key} = {value}  # {one.origin}"


def _sessions(stored: Iterable[Session]) -> Iterator[str]:
    for session in stored:
        states = Counter(state_name(job.state) for job in session.jobs)
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
    """The last lines of the newest log files of each kind."""
    for pattern in ("fwtui-*.log", "[0-9]*.log", "crash-*.log", "background.log"):
        for file in sorted(folder.glob(pattern), key=_changed, reverse=True)[:MAX_LOGS]:
            yield f"logs/{file.name}", "\n".join(_read(file).splitlines()[-TAIL_LINES:])


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


_LARGEST = 1 << 26  # bytes; log files are a tenth of that


def _read(file: Path) -> str:
    try:
        return read_regular(file, _LARGEST).decode(errors="backslashreplace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
