from pathlib import Path

from fwtui.core.paths import MEDIA_SUFFIXES
from fwtui.tui.path_parsing import common_start, completions, last_word, split_paths
from fwtui.tui.widgets.path_input import one_line


def nothing(_: str) -> bool:
    return False


def test_quoted_escaped_and_several() -> None:
    assert split_paths("'/a/my talk.mp3' /b/c\\ d.wav \"/e/f g.m4a\"", nothing) == (
        "/a/my talk.mp3",
        "/b/c d.wav",
        "/e/f g.m4a",
    )


def test_a_name_with_spaces_that_exists_is_one_path() -> None:
    assert split_paths("/a/my talk.mp3", "/a/my talk.mp3".__eq__) == ("/a/my talk.mp3",)


def test_uris_lines_and_doubles() -> None:
    text = "file:///a/b%20c.mp3\n/d/e.wav\n\n/d/e.wav\n"
    assert split_paths(text, nothing) == ("/a/b c.mp3", "/d/e.wav")


def test_a_lone_quote_belongs_to_the_name() -> None:
    assert split_paths("/a/don't.mp3", nothing) == ("/a/don't.mp3",)


def test_an_open_quote_is_closed_when_that_names_something() -> None:
    assert split_paths("/x '/a/my talks/", "/a/my talks/".__eq__) == ("/x", "/a/my talks/")


def test_impossible_names_do_not_raise() -> None:
    assert split_paths("/a/\0b.mp3") == ("/a/\0b.mp3",)


def test_pasted_lines_become_one_line() -> None:
    assert one_line("/a/b c.mp3\r\n/d/e.wav\n") == "'/a/b c.mp3' /d/e.wav"
    assert one_line("'/a/b c.mp3'\n/d\\ e.wav") == "'/a/b c.mp3' /d\\ e.wav"
    assert one_line("/a/\x1b[31mb.mp3") == "/a/[31mb.mp3"
    assert one_line("  \n ") == ""


def test_the_word_being_typed() -> None:
    assert last_word("/a/b 'c d") == (5, "c d")
    assert last_word("/a/b\\ c") == (0, "/a/b c")
    assert last_word("x ") == (2, "")


def test_completions_are_folders_and_media(tmp_path: Path) -> None:
    (tmp_path / "talks").mkdir()
    for name in ("talk.mp3", "talk.txt", ".talk.mp3", "other.wav"):
        (tmp_path / name).touch()
    found = completions(f"{tmp_path}/ta", MEDIA_SUFFIXES)
    assert found == [f"{tmp_path}/talk.mp3", f"{tmp_path}/talks/"]
    assert common_start(found) == f"{tmp_path}/talk"
    assert completions("/no/such/folder/x", MEDIA_SUFFIXES) == []
    assert common_start([]) == ""
