"""From names to media files."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from fwtui.batch.discovery import Found, find_in_portions, find_media
from fwtui.cli.run import find_files, nothing_found
from fwtui.core.failure import FailureKind
from fwtui.core.paths import MEDIA_SUFFIXES, OUTPUT_SUFFIXES
from fwtui.core.text import left_out_text
from fwtui.errors import UsageError
from fwtui.outputs.formats.registry import FORMATS
from fwtui.tui.add_preview import AddPreview, KnownFiles, describe_found
from fwtui.tui.folder_tree import find_below, read_folder
from fwtui.tui.glyphs import UNICODE
from fwtui.watch.filters import FileKind, NameFilter
from fwtui.watch.folder import walk


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_folders_are_searched_in_natural_order(tmp_path: Path) -> None:
    make(tmp_path, "part 10.mp3", "part 2.MP3", "sub/a.mkv", "notes.txt", ".hidden.mp3")
    found = find_media([str(tmp_path)])
    names = [os.path.relpath(path, tmp_path) for path in found.files]
    assert names == ["part 2.MP3", "part 10.mp3", str(Path("sub/a.mkv"))]
    assert found.problems == ()


def test_a_file_that_is_named_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    make(tmp_path, "notes.txt")
    assert find_media([str(tmp_path / "notes.txt")]).files == (str(tmp_path / "notes.txt"),)


def test_patterns_take_media_files_and_folders(tmp_path: Path) -> None:
    make(tmp_path, "a1.mp3", "a2.txt", "b.mp3", "all/c.wav")
    assert find_media([f"{tmp_path}/a*"]).files == (
        str(tmp_path / "a1.mp3"),
        str(tmp_path / "all" / "c.wav"),
    )
    assert len(find_media([f"{tmp_path}/**/*.*"]).files) == 3


def test_a_name_with_brackets_is_a_name_first(tmp_path: Path) -> None:
    make(tmp_path, "take [1].mp3")
    assert find_media([str(tmp_path / "take [1].mp3")]).files == (str(tmp_path / "take [1].mp3"),)


def test_each_file_once(tmp_path: Path) -> None:
    make(tmp_path, "a.mp3")
    assert len(find_media([str(tmp_path), str(tmp_path / "a.mp3"), f"{tmp_path}/*"]).files) == 1


def test_relative_names_and_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.mp3")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert find_media(["a.mp3", "~/a.mp3"]).files == (str(tmp_path / "a.mp3"),)


def test_what_is_not_there_is_a_problem(tmp_path: Path) -> None:
    (problem,) = find_media([str(tmp_path / "no.mp3")]).problems
    assert problem.path == tmp_path / "no.mp3"
    assert problem.failure.kind is FailureKind.FILE_MISSING
    assert "no.mp3" in problem.failure.title


UNPRIVILEGED = """
import os, sys
from fwtui.batch.discovery import find_media
import fwtui.core.failure
if os.geteuid() == 0:
    os.seteuid(65534)
found = find_media([sys.argv[1]])
print([os.path.basename(path) for path in found.files])
print([(p.path.name, p.failure.kind.value, bool(p.failure.hint)) for p in found.problems])
print([note.rpartition("/")[2] for note in found.notes])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_folder_without_permission_is_left_out_and_the_others_are_found() -> None:
    # not below tmp_path, whose parents are for this user only
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, "media/a.mp3", "media/closed/b.mp3")
        folder.chmod(0o755)
        (folder / "media" / "closed").chmod(0)
        try:
            done = subprocess.run(
                [sys.executable, "-c", UNPRIVILEGED, str(folder / "media")],
                capture_output=True,
                text=True,
                check=True,
            )
        finally:
            (folder / "media" / "closed").chmod(0o755)
    assert done.stdout.splitlines() == [
        "['a.mp3']",
        "[]",
        "['closed was left out: Permission denied']",
    ]


def test_bit_by_bit_is_the_same_in_portions(tmp_path: Path) -> None:
    make(tmp_path, "in/b/1.mp3", "in/b/2.mp3", "in/3.mp3")
    names = [str(tmp_path / "in"), str(tmp_path / "no.mp3"), f"{tmp_path}/in/b/*", "https://a/b"]
    whole = find_media(names)
    portions = list(find_in_portions(names, 0))
    assert len(whole.files) == 3
    assert len(whole.problems) == len(whole.links) == 1
    assert len(portions) > 4
    assert tuple(path for one in portions for path in one.files) == whole.files
    assert tuple(path for one in portions for path in one.problems) == whole.problems
    assert tuple(link for one in portions for link in one.links) == whole.links
    assert tuple(root for one in portions for root in one.roots) == whole.roots
    assert list(find_in_portions([])) == [Found((), ())]


def test_a_home_of_nobody_is_a_name_like_any_other() -> None:
    (problem,) = find_media(["~no-such-user/x.mp3"]).problems
    assert problem.failure.kind is FailureKind.FILE_MISSING
    assert problem.path.name == "x.mp3"


def test_a_file_knows_the_folder_that_was_named(tmp_path: Path) -> None:
    for name in ("in/a/1.mp3", "in/2.mp3", "own/3.mp3"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    folder, own = tmp_path / "in", tmp_path / "own/3.mp3"
    found = find_media([str(folder), str(own)])
    roots = dict(zip(found.files, found.roots, strict=True))
    below = (str(folder / "a/1.mp3"), str(folder / "2.mp3"))
    assert roots == dict.fromkeys(below, str(folder)) | {str(own): ""}
    pattern = find_media([f"{tmp_path}/i*/**/*.mp3"])
    assert set(pattern.roots) == {str(tmp_path)}
    assert find_files((str(folder), str(own))).roots == (str(folder),)


# --- what is taken and what is left out ---------------------------------------------------------

TAKEN = (
    "a.qta a.w64 a.eac3 a.3ga a.EC3 a.aifc a.au a.awb a.caf a.dsf a.dss a.f4v a.gsm a.isma a.latm "
    "a.m2a a.m4r a.mk3d a.mpa a.mpc a.nist a.oma a.qcp a.rf64 a.rmvb a.sbc a.shn a.snd a.sph a.tak "
    "a.thd a.wave a.wtv a.3g2 a.dvr-ms a.m2t a.divx a.qt a.mpe a.ogx a.tta"
).split()


def test_a_folder_takes_whatever_looks_like_a_recording(tmp_path: Path) -> None:
    make(tmp_path, *TAKEN, "photo.jpg", "photo2.JPG", "README", "notes.pdf")
    found = find_media([str(tmp_path)])
    assert {Path(path).name for path in found.files} == set(TAKEN)
    assert left_out_text(found.left_out) == "2 .jpg, 1 .pdf, 1 without extension"
    rule = NameFilter((), ())
    assert {rule.kind(name) for name in TAKEN} == {FileKind.RECORDING}


# Formats of games, images, subtitles, raw video, and names that are rarely recordings.
NOT_TAKEN = set(
    "264 265 266 26l 302 aa aax ac4 acm adf adp ads adx afc aix al ans apc apm apng apv aqt "
    "art asc ass ast avc avif avs avs2 avs3 bcstm bfstm binka bit bitpacked bmv bonk brstm c2 "
    "cavs cdata cdg cdxl cgi cif dat daud dfpwm diz drc dtk evc fcap flm fsb fwse g728 gdv "
    "genh gif h261 h263 h264 h265 h266 h26l hca heic heif hevc iamf ice idf idx ifv imx ipu "
    "ism j2k js jss jxl kvag lbc lc3 lrc lvf mca mcc mjpg mks mods moflex mpl2 mpo msf mtaf "
    "musx mvi mxg nc nfo nsp obu pdv pjs psp qcif rcv rgb rms rsd rso rt sami sb sbg scc sdns "
    "sdr2 sds sdx ser sga smi son srt ss2 stl str sub sup svag svs sw tr txd txt ty+ ub ufo "
    "ul usm uw v v210 vag vb vc1 viv vpk vt vtt vvc wa way webvtt xl xmd xmv xvag y4m yop yuv "
    "yuv10".split()
)


def test_every_extension_of_ffmpegs_formats_is_taken_or_known_as_none() -> None:
    import av

    unknown = set()
    for name in av.formats_available:
        with contextlib.suppress(ValueError):
            extensions = av.format.ContainerFormat(name, "r").extensions
            unknown |= {one for one in extensions if f".{one}" not in MEDIA_SUFFIXES}
    assert unknown - NOT_TAKEN == set()


def test_what_phones_cameras_and_broadcasters_call_their_files_is_taken() -> None:
    """Names that no demuxer claims: FFmpeg knows them by their content."""
    names = ".mpga .qta .3ga .insv .lrv .360 .m4r .tod .rf64 .rifx .bwf .aiffc .axa .wve .cmfa"
    assert set(names.split()) <= MEDIA_SUFFIXES


def test_the_suffixes_of_transcripts_are_those_of_the_formats() -> None:
    assert {f".{name}" for name in FORMATS} == OUTPUT_SUFFIXES
    assert not OUTPUT_SUFFIXES & MEDIA_SUFFIXES


KEPT_OUT = [
    ".Trash-1000", ".stversions", "@eaDir", "lost+found", "$RECYCLE.BIN", "#recycle", "@Recycle",
    "System Volume Information", ".Spotlight-V100", "__MACOSX", "FOUND.000", ".git", "~snapshot",
]  # fmt: skip


@pytest.mark.parametrize("name", KEPT_OUT)
def test_hidden_and_system_folders_are_left_out_unless_named(name: str, tmp_path: Path) -> None:
    make(tmp_path, f"in/{name}/sub/a.mp3", "in/b.mp3", f"in/week/{name}/c.mp3", "in/week/d.mp3")
    root, rest = tmp_path / "in", {"b.mp3", "d.mp3"}
    for given in (str(root), f"{root}/**/*.mp3", f"{root}/*"):
        found = find_media([given])
        assert {Path(path).name for path in found.files} == rest, given
        if given == str(root):
            assert sum(count for _, count in found.left_out) == 2
    named = root / name
    for given in (str(named), f"{named}/**/*.mp3", f"{named}/*", f"{named}/sub/a.mp3"):
        assert [Path(path).name for path in find_media([given]).files] == ["a.mp3"], given
    # the same on the screen and in watched folders
    assert {Path(path).name for path in walk(str(root), (), lambda *_: None)} == rest
    assert [Path(path).name for path in walk(str(named), (), lambda *_: None)] == ["a.mp3"]
    assert {entry.name for entry in read_folder(str(root), "media")} == {"week", "b.mp3"}
    assert {entry.name for entry in find_below(str(root), "media", "", lambda: False)} == rest


def test_a_pattern_takes_what_it_names(tmp_path: Path) -> None:
    make(tmp_path, "a.dat", "b.DAT", "c.mp3", "d.rec", "sub/e.dat", ".f.dat", "no")

    def names(pattern: str) -> list[str]:
        return sorted(Path(path).name for path in find_media([f"{tmp_path}/{pattern}"]).files)

    assert names("*.dat") == ["a.dat"]
    assert names("*.[dD][aA][tT]") == ["a.dat", "b.DAT"]
    assert names("**/*.dat") == ["a.dat", "e.dat"]
    assert names(".*.dat") == [".f.dat"]
    assert names("?.rec") == ["d.rec"]
    assert names("*") == ["c.mp3"]
    assert left_out_text(find_media([f"{tmp_path}/*"]).left_out) == (
        "3 .dat, 1 .rec, 1 without extension"
    )


def test_own_transcripts_are_never_inputs(tmp_path: Path) -> None:
    words = [f"talk{suffix}" for suffix in sorted(OUTPUT_SUFFIXES)]
    own = [*words, "talk (2).srt", "talk.mp3.txt", "fwtui-report-20260101_000000.txt"]
    make(tmp_path, "talk.mp3")
    for name in own:
        (tmp_path / name).write_text("1\n00:00:00,000 --> 00:00:01,000\nGrüße\n", "utf-8")
    (tmp_path / "other.txt").write_text("text without a recording")
    sound = tmp_path / "talk.json"
    for given in ([str(tmp_path / name) for name in (*own, "talk.mp3")], [f"{tmp_path}/talk*.*"]):
        found = find_media(given)
        assert found.files == (str(tmp_path / "talk.mp3"),)
        assert dict(found.left_out)["transcript"] >= len(own) - 1
    assert find_media([f"{tmp_path}/talk*.txt"]).files == ()
    assert find_media([str(tmp_path / "other.txt")]).files == (str(tmp_path / "other.txt"),)
    sound.write_bytes(b"RIFF\0\0\0\0WAVEfmt ")  # sound under a wrong name
    assert find_media([str(sound)]).files == (str(sound),)
    assert dict(find_media([str(tmp_path)]).left_out) == {"transcript": len(own), ".txt": 1}
    with pytest.raises(UsageError, match="left out: 1 transcript"):
        raise nothing_found(find_files((str(tmp_path / "talk.txt"),)))


def test_brackets_in_folders_do_not_break_patterns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("[2024] talks", "a*b", "what?", "x[y", "[!a]"):
        here = tmp_path / folder
        make(here, "week [1]/a.mp3", "b.mp3")
        monkeypatch.chdir(here)
        monkeypatch.setenv("HOME", str(here))
        for given in ("*.mp3", "./*.mp3", "~/*.mp3", "week [1]/../*.mp3", f"{here}/*.mp3"):
            assert find_media([given]).files == (str(here / "b.mp3"),), given
            assert find_media([given]).roots == (str(here),)
        for given in ("week [1]/*.mp3", "*/a.mp3", "w*/*.mp3", "**/a.*", "week [1]"):
            assert find_media([given]).files == (str(here / "week [1]" / "a.mp3"),), given
    (problem,) = find_media(["week [1]/no.mp3"]).problems
    assert problem.failure.kind is FailureKind.FILE_MISSING


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links")
def test_linked_folders_are_counted(tmp_path: Path) -> None:
    make(tmp_path, "in/a.mp3", "out/b.mp3")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "out")
    assert find_media([str(tmp_path / "in")]).left_out == (("linked folder", 1),)


def test_what_is_left_out_of_a_big_folder_is_counted_once(tmp_path: Path) -> None:
    make(tmp_path, *(f"{number}.jpg" for number in range(50)), "a.mp3", "a.txt", ".b.mp3", "sub/c")
    names = [str(tmp_path), f"{tmp_path}/sub", str(tmp_path)]
    counts = [one.left_out for one in find_in_portions(names, 0)]
    total = Counter[str]()
    for portion in counts:
        total.update(dict(portion))
    assert total == {".jpg": 50, "transcript": 1, "hidden": 1, "without extension": 1}
    assert left_out_text(total.items()) == ("50 .jpg, 1 hidden, 1 transcript, 1 without extension")


def test_the_dialog_for_adding_says_what_is_left_out(tmp_path: Path) -> None:
    make(tmp_path, "a.mp3", "b.jpg", "c.jpg")
    preview = AddPreview.of(find_media([str(tmp_path)]), (str(tmp_path),), KnownFiles({}))
    assert "left out: 2 .jpg" in describe_found(preview, {}, UNICODE)
