from itertools import product
from pathlib import Path

import pytest

from fwtui.audio.media import list_tracks, probe
from fwtui.audio.tracks import TrackChoice, choose
from fwtui.core.job import AudioTrack
from fwtui.errors import NoAudioError
from tests.audio.encoding import AAC, FLAC, MP2, Clip, TrackTags, silence, tone, write_tracks
from tests.audio.making import decode, decode_track

LANGUAGES = ("", "en", "de", "fr")


def _track(number: int, language: str = "", default: bool = False) -> AudioTrack:
    return AudioTrack(number, language, codec="aac", default=default)


@pytest.mark.parametrize("wanted", [None, "en", "de", "ja"])
def test_the_default_track_else_the_first_in_the_language_else_the_first(
    wanted: str | None,
) -> None:
    """Every combination of three languages and three flags."""
    for languages, flags in product(product(LANGUAGES, repeat=3), product((False, True), repeat=3)):
        tracks = [
            _track(number, language, flag)
            for number, (language, flag) in enumerate(zip(languages, flags, strict=True), 1)
        ]
        chosen = choose(tracks, TrackChoice(None, wanted))
        assert chosen is not None
        marked = [track for track in tracks if track.default] or tracks
        spoken = [track for track in marked if wanted and track.language == wanted] or marked
        assert chosen.number == spoken[0].number
        assert sorted((chosen.number, *chosen.others)) == [1, 2, 3]
        assert chosen.note == ""


def test_a_number_is_that_track_or_none() -> None:
    tracks = [_track(1, "en", default=True), _track(3, "de")]  # the second cannot be decoded
    for number in ("0", "1", "2", "3", "4", "99"):
        chosen = choose(tracks, TrackChoice(number))
        assert (chosen and chosen.number) == (int(number) if number in {"1", "3"} else None)
        assert chosen is None or chosen.others == ()


@pytest.mark.parametrize("name", ["de", "German", "ger", "deu", "Deutsch", "de-AT"])
def test_a_language_is_the_first_track_in_it(name: str) -> None:
    tracks = [_track(1, "en", default=True), _track(2, "de"), _track(3, "de")]
    chosen = choose(tracks, TrackChoice(name))
    assert chosen is not None
    assert (chosen.number, chosen.note) == (2, "")


def test_a_language_that_no_track_has_is_said() -> None:
    chosen = choose([_track(1, "en"), _track(2, "fr")], TrackChoice("de", "fr"))
    assert chosen is not None
    assert chosen.number == 2
    assert chosen.note == "no audio track in the language de"


@pytest.fixture
def clips() -> tuple[Clip, Clip]:
    return tone(1.0), tone(2.0)


@pytest.mark.parametrize(("name", "sound"), [("a.mkv", FLAC), ("a.mp4", AAC), ("a.ts", MP2)])
def test_the_tracks_of_a_file(
    name: str, sound: object, clips: tuple[Clip, Clip], tmp_path: Path
) -> None:
    path = tmp_path / name
    first, second = TrackTags("eng"), TrackTags("ger", "Kommentar", default=True)
    write_tracks(path, zip(clips, (first, second), strict=True), sound)  # type: ignore[arg-type]
    tracks = list_tracks(path)
    assert [track.number for track in tracks] == [1, 2]
    assert [track.language for track in tracks] == ["en", "de"]
    assert all(track.codec and track.channels == 1 for track in tracks)
    for choice, seconds in (("1", 1.0), ("2", 2.0), ("en", 1.0), ("deu", 2.0), ("all", 1.0)):
        info = probe(path, TrackChoice(choice))
        assert info.track == round(seconds)
        found = decode_track(path, tmp_path / "out.wav", TrackChoice(choice))
        assert found.samples == pytest.approx(seconds * 16_000, abs=1600)
        assert found.warnings == ()
    if name == "a.mkv":  # MPEG-TS has no such flag
        assert [track.default for track in tracks] == [False, True]
        assert tracks[1].title == "Kommentar"
        assert decode(path, tmp_path / "out.wav").samples == pytest.approx(32_000, abs=1600)


def test_a_number_that_a_file_does_not_have(clips: tuple[Clip, Clip], tmp_path: Path) -> None:
    path = tmp_path / "a.mka"
    write_tracks(path, ((clip, TrackTags()) for clip in clips))
    with pytest.raises(NoAudioError, match=r"No audio track 3: a\.mka") as caught:
        probe(path, TrackChoice("3"))
    assert caught.value.hint == "The numbers of its audio tracks are: 1, 2."


def test_one_track_without_a_language_is_no_news(tmp_path: Path) -> None:
    path = tmp_path / "a.mka"
    write_tracks(path, [(silence(1.0), TrackTags())])
    assert (probe(path).tracks, probe(path).track) == ((), 0)
    write_tracks(path, [(silence(1.0), TrackTags("fre"))])
    assert [track.language for track in probe(path).tracks] == ["fr"]
