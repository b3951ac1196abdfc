"""Choosing in a tree of folders: what is seen, what is chosen, what is found."""

from pathlib import Path

import pytest

from fwtui.tui.folder_tree import FolderEntry, FolderTree, best, find_below, is_kind, read_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "part 10.mp3",
        "part 2.mp3",
        "notes.txt",
        ".hidden.mp3",
        "talks/one.wav",
        "talks/two.mkv",
        "talks/deep/three.flac",
        ".git/x.mp3",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    return tmp_path


def names(entries: list[FolderEntry]) -> list[str]:
    return [entry.name for entry in entries]


def test_folders_first_numbers_as_numbers_nothing_hidden(folder: Path) -> None:
    found = read_folder(str(folder), "media")
    assert names(found) == ["talks", "part 2.mp3", "part 10.mp3"]
    assert [entry.size for entry in found] == [0, 5, 5]
    assert names(read_folder(str(folder / "talks"), "video")) == ["deep", "two.mkv"]
    assert names(read_folder(str(folder / "talks"), "audio")) == ["deep", "one.wav"]
    assert read_folder(str(folder / "gone"), "media") == []


def test_kinds() -> None:
    assert [is_kind(name, "audio") for name in ("a.MP3", "a.mkv", "a.txt")] == [True, False, False]


def loaded(folder: Path) -> FolderTree:
    tree = FolderTree(str(folder))
    for path in (folder, folder / "talks", folder / "talks/deep"):
        tree.entries_of[str(path)] = read_folder(str(path), "media")
    return tree


def test_a_folder_means_all_below_it_and_one_can_be_taken_out(folder: Path) -> None:
    tree = loaded(folder)
    talks, deep = str(folder / "talks"), str(folder / "talks/deep")
    tree.expanded |= {talks, deep}
    assert [(row.entry.name, row.depth) for row in tree.rows()] == [
        ("talks", 0),
        ("deep", 1),
        ("three.flac", 2),
        ("one.wav", 1),
        ("two.mkv", 1),
        ("part 2.mp3", 0),
        ("part 10.mp3", 0),
    ]
    one = FolderEntry(f"{talks}/one.wav", is_folder=False)
    tree.toggle(one)
    assert tree.has_selected(talks)
    assert not tree.is_selected(talks)
    tree.toggle(FolderEntry(talks, is_folder=True))
    assert list(tree.selected) == [talks], "its parts need not be named any more"
    assert tree.is_selected(f"{deep}/three.flac")
    tree.toggle(FolderEntry(f"{deep}/three.flac", is_folder=False))
    assert set(tree.selected) == {f"{talks}/one.wav", f"{talks}/two.mkv"}
    tree.toggle(one)
    assert set(tree.selected) == {f"{talks}/two.mkv"}


def test_letters_in_their_order_the_closest_first(folder: Path) -> None:
    found = find_below(str(folder), "media", "p2", lambda: False)
    assert names(found) == ["part 2.mp3"]
    assert names(find_below(str(folder), "media", "tl", lambda: False)) == [
        "one.wav",
        "two.mkv",
        "three.flac",
    ]
    assert find_below(str(folder), "media", "mp3", lambda: True) == []
    odd = [FolderEntry("/a/[x]*.mp3", is_folder=False), FolderEntry("/a/xx.mp3", is_folder=False)]
    assert best("[x]*", odd, lambda entry: entry.name) == odd[:1]
