"""Texts without what says who somebody is: names of files and folders, user, machine, secrets.

Rather too much goes than too little; each name becomes the same sign wherever it stands.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from fwtui.core.media import MEDIA_SUFFIXES
from fwtui.core.redact import redacted
from fwtui.core.text import printable

_TEXTS = frozenset(".txt .srt .vtt .tsv .lrc .ass .csv .md .docx".split())
_SUFFIXES = "|".join(sorted(suffix[1:] for suffix in MEDIA_SUFFIXES | _TEXTS))
# A log line's time, process and level: names come behind them.
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
_NOBODY = frozenset({"root", "user", "users", "home", "admin", "ubuntu", "localhost"})
_SHORTEST = 3


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody is. `places` are folders of ours by the signs that stand for them."""

    home: str = ""
    user: str = ""
    hosts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    places: Mapping[str, str] = {}


def names_in_log(text: str) -> set[str]:
    """The names of the files that a log says it began or finished."""
    return set(_LOG_NAME.findall(text))


class Anonymous:
    """Makes texts anonymous; `paths` are files and folders that are known to be somebody's."""

    def __init__(self, identity: Identity, paths: Iterable[str] = ()) -> None:
        self._identity = identity
        self._paths = sorted({path for path in paths if len(path) >= _SHORTEST}, key=len)[::-1]
        self._signs: dict[str, str] = {}
        self._counts = {"file": 0, "path": 0}

    def __call__(self, text: str) -> str:
        """The text, each of its lines in the clear, without what says who somebody is."""
        text = "\n".join(printable(line) for line in text.splitlines())
        text = redacted(text, self._identity.secrets)
        for place, sign in sorted(self._identity.places.items(), key=lambda one: -len(one[0])):
            text = text.replace(place, sign)
        text = self._known(text)
        text = _LINK.sub(lambda found: _link(found[0]), text)
        text = _QUOTED.sub(lambda found: found[1] + self._path(found[2]) + found[1], text)
        text = _WITH_SUFFIX.sub(lambda found: self._path(found[0]), text)
        text = _PATH.sub(lambda found: self._path(found[0]), text)
        text = _NAME.sub(lambda found: found[1] + self._file(found[2]), text)
        text = _ADDRESS.sub("<address>", _MAIL.sub("<mail>", text))
        return self._person(text)

    def _known(self, text: str) -> str:
        """Without the paths and names that are known, whatever they look like."""
        names: dict[str, str] = {}
        for path in self._paths:
            names[printable(path)] = path
            name = re.split(r"[/\\]", path)[-1]
            stem = Path(name).stem
            if len(stem) >= _SHORTEST:
                names.setdefault(printable(name), name)
                if name != stem:  # its outputs
                    names.setdefault(printable(stem) + ".", name)
        there = sorted((name for name in names if name in text), key=len, reverse=True)
        if not there:
            return text
        pattern = re.compile(rf"(?<![\w<])(?:{'|'.join(map(re.escape, there))})(\w+\b)?")

        def sign(found: re.Match[str]) -> str:
            ending = found[1] or ""
            name = found[0].removesuffix(ending)
            if not name.endswith("."):
                return self._sign("file", names[name]) + ending
            return Path(self._sign("file", names[name])).stem + "." + ending

        return pattern.sub(sign, text)

    def _path(self, path: str) -> str:
        if found := _LIBRARY.match(path):
            return f"<python>/{found[1]}"
        if path.endswith(".py") and (at := path.rfind("fwtui/")) >= 0:
            return f"<fwtui>/{path[at + 6 :]}"
        if path.startswith(_SYSTEM):
            return path
        is_file = Path(path).suffix.lower() in MEDIA_SUFFIXES | _TEXTS
        return self._sign("file" if is_file else "path", path)

    def _file(self, name: str) -> str:
        return self._sign("file", name)

    def _sign(self, kind: str, text: str) -> str:
        # A file is the same one with and without its folder.
        key = re.split(r"[/\\]", text)[-1] if kind == "file" else text
        if key not in self._signs:
            self._counts[kind] += 1
            suffix = Path(key).suffix.lower()
            plain = suffix if re.fullmatch(r"\.\w{1,5}", suffix) else ""
            self._signs[key] = f"<{kind}{self._counts[kind]}>{plain}"
        return self._signs[key]

    def _person(self, text: str) -> str:
        me = self._identity
        if len(me.home) >= _SHORTEST:
            text = text.replace(me.home, "~")
        for word, sign in ((me.user, "<user>"), *((host, "<host>") for host in me.hosts)):
            if len(word) >= _SHORTEST and word.lower() not in _NOBODY:
                text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", sign, text, flags=re.IGNORECASE)
        return text


def _link(link: str) -> str:
    return link if _PUBLIC_LINK.match(link) else "<link>"
