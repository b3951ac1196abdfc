"""Which files of a watched folder are recordings, by name."""

from pathlib import PurePath

import pytest

from fwtui.watch.filters import PARTIAL_SUFFIXES, FileKind, NameFilter, sidecar
from fwtui.watch.source import is_network_kind

_KINDS = {"+": FileKind.RECORDING, "~": FileKind.UNFINISHED, "-": FileKind.OTHER}


@pytest.mark.parametrize(
    ("include", "exclude", "names"),
    [
        pytest.param(
            (),
            (),
            "+talk.mp3 +week/Talk.MKV -notes.pdf ~talk.mp3.part ~talk.mp3.crdownload ~x.TMP "
            "~.talk.mp3.Xy12 -talk.txt -talk.srt -talk.json ~talk.mp3.aria2",
            id="usual",
        ),
        pytest.param(
            ("*.wav", "*.dat"), (), "+a.WAV +deep/er/a.dat -a.mp3 ~a.wav.part", id="include"
        ),
        pytest.param(("*",), (), "+a.bin -a.txt -a.vtt -a.md ~a.part ~.a.mp3", id="all but ours"),
        pytest.param(
            (),
            ("drafts", "*-raw.wav"),
            "-drafts/a.mp3 -x/Drafts/y/a.mp3 +a.wav -a-RAW.wav",
            id="no",
        ),
        pytest.param(
            ("week 1/*.mp3",),
            ("week 1/old/*",),
            "+week 1/a.mp3 -a.mp3 -week 1/old/a.mp3",
            id="path",
        ),
    ],
)
def test_kinds(include: tuple[str, ...], exclude: tuple[str, ...], names: str) -> None:
    rule = NameFilter(include, exclude)
    for sign, name in _split(names):
        assert rule.kind(str(PurePath(name))) is _KINDS[sign], name


def _split(names: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for word in names.split():
        if word[0] in _KINDS:
            found.append((word[0], word[1:]))
        else:  # the rest of a name with a space in it
            found[-1] = (found[-1][0], f"{found[-1][1]} {word}")
    return found


@pytest.mark.parametrize(
    ("kind", "share"),
    [
        ("nfs4 rw,relatime", True),
        ("cifs rw", True),
        ("fuse.sshfs rw", True),
        ("ntfs rw,remote", True),
        ("ext4 rw,relatime", False),
        ("tmpfs rw", False),
        ("", False),
    ],
)
def test_shares_are_known_by_their_file_system(kind: str, share: bool) -> None:
    assert is_network_kind(kind) is share


@pytest.mark.parametrize(
    "other",
    [
        *(f"Talk.mp4{suffix}" for suffix in sorted(PARTIAL_SUFFIXES)),
        *("Talk.mp4.!qB", "talk.MP4.PART", "Talk.mp4.part-Frag12", "Talk.mp4.f137.part"),
        *("Talk.part", "Talk.crdownload", "Talk.aria2", "Talk.ytdl", "Talk.!qB"),
    ],
)
def test_what_holds_a_file_back(other: str) -> None:
    others = ["notes.txt", "Talk.mp4", "talks.mp4.part", other]
    assert sidecar("Talk.mp4", others) == other
    assert NameFilter((), ()).kind(other) is FileKind.UNFINISHED


@pytest.mark.parametrize(
    "other",
    ["Talk.mp4", "Talk.txt", "Talk.tmp", "Talk.mp4.txt", "Talk 2.mp4.part", "part", "Talk.mp3"],
)
def test_what_holds_no_file_back(other: str) -> None:
    assert sidecar("Talk.mp4", [other, ".Talk.mp4.part"]) == ""


def test_a_file_that_is_merged_or_converted_is_not_complete() -> None:
    kind = NameFilter((), ()).kind
    assert kind("talk.temp.mp4") is FileKind.UNFINISHED
    assert kind("talk.part-Frag3") is FileKind.UNFINISHED
    assert kind("temp.mp4") is FileKind.RECORDING
    assert kind("my.temperature.mp4") is FileKind.RECORDING
