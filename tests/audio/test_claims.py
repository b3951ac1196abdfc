"""What a container claims is compared with what is there."""

import re
import struct
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fwtui.audio.media import probe
from fwtui.errors import BadMediaError
from tests.audio.encoding import AAC, FLAC, MP2, MP3, OPUS, VORBIS, WAV, Clip, Sound, write_media
from tests.audio.length_fields import CHANGES, changed, length_fields
from tests.audio.making import decode
from tests.fuzz.seeds import READY_MADE

PCM_BIG, AC3 = Sound("pcm_s16be"), Sound("ac3", rate=48_000, bit_rate=96_000)
WMA = Sound("wmav2", bit_rate=64_000)
HEALTHY = {
    "a.wav": WAV,
    "a24.wav": Sound("pcm_s24le"),
    "ima.wav": Sound("adpcm_ima_wav"),
    "alaw.wav": Sound("pcm_alaw", rate=8000),
    "mp3.wav": MP3,
    "a.w64": WAV,
    "a.aiff": PCM_BIG,
    "sowt.aiff": Sound("pcm_s16le"),
    "a.au": PCM_BIG,
    "ulaw.au": Sound("pcm_mulaw", rate=8000),
    "a.caf": PCM_BIG,
    "alac.caf": Sound("alac"),
    "a.flac": FLAC,
    "a.mp3": MP3,
    "plain.mp3": MP3,
    "a.mp2": MP2,
    "a.ogg": VORBIS,
    "a.oga": FLAC,
    "a.opus": OPUS,
    "a.aac": AAC,
    "a.latm": AAC,
    "a.m4a": AAC,
    "alac.m4a": Sound("alac"),
    "a.m4b": AAC,
    "a.mp4": AAC,
    "parts.mp4": AAC,
    "a.3gp": AAC,
    "a.3g2": AAC,
    "a.mov": WAV,
    "a.mka": FLAC,
    "opus.mka": OPUS,
    "a.mkv": VORBIS,
    "a.webm": OPUS,
    "a.avi": MP2,
    "pcm.avi": WAV,
    "a.asf": WMA,
    "a.wma": WMA,
    "a.wmv": WMA,
    "a.ts": MP2,
    "aac.ts": AAC,
    "a.mts": AC3,
    "a.m2ts": AC3,
    "a.mpg": MP2,
    "a.vob": AC3,
    "a.flv": replace(AAC, rate=44_100),
    "a.ac3": AC3,
    "a.eac3": replace(AC3, codec="eac3"),
    "a.tta": Sound("tta"),
    "a.wv": Sound("wavpack"),
    "a.voc": Sound("pcm_u8"),
    "a.nut": MP2,
    "a.rm": replace(AC3, rate=44_100),
    "a.adx": Sound("adpcm_adx"),
    "a.g722": Sound("g722", rate=16_000),
}
WITH_PICTURE = ("a.mp4", "parts.mp4", "a.mov", "a.mkv", "a.avi", "pcm.avi", "a.wmv", "a.ts",
                "a.m2ts", "a.mpg", "a.vob", "a.3gp")  # fmt: skip
OPTIONS = {
    "plain.mp3": {"write_xing": "0"},
    "parts.mp4": {"movflags": "frag_keyframe+empty_moov", "frag_duration": "2000000"},
}
_MADE: dict[tuple[str, str, float], bytes] = {}
TAG_ID3V1 = b"TAG" + b"x" * 125
_COVER = struct.pack("<II", 60_000, 2) + b"Cover Art (Front)\0" + b"x" * 60_000
TAG_APE = b"".join(
    b"APETAGEX" + struct.pack("<IIII8x", 2000, len(_COVER) + 32, 1, flags) + content
    for flags, content in ((0xA000_0000, _COVER), (0x8000_0000, b""))
)


@pytest.fixture(scope="module")
def clip(speech: Clip) -> Clip:
    """8 s: speech, silence and speech, so that no bit rate is constant."""
    rest = np.zeros(2 * speech.rate, np.int16)
    return Clip(np.concatenate([speech.samples, rest, speech.samples]), speech.rate)


def _write(folder: Path, name: str, clip: Clip, sound: Sound, picture: float = 0.0) -> Path:
    """The file, which is made once only: encoding takes longer than all the rest."""
    path = folder / name
    made = _MADE.get((name, repr(sound), picture))
    if made is not None:
        path.write_bytes(made)
        return path
    write_media(path, clip, sound, picture, OPTIONS.get(name))
    _MADE[name, repr(sound), picture] = path.read_bytes()
    return path


def _seconds(path: Path) -> tuple[float, tuple[str, ...]]:
    found = decode(path, path.parent / "out.wav")
    return found.samples / 16_000, found.warnings


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_file_has_no_warnings(name: str, clip: Clip, tmp_path: Path) -> None:
    path = _write(tmp_path, name, clip, HEALTHY[name])
    seconds, warnings = _seconds(path)
    assert seconds == pytest.approx(8.0, abs=0.5)
    assert warnings == ()


def test_a_healthy_amr_has_no_warnings(tmp_path: Path) -> None:
    """Made in advance: PyAV 19 cannot encode it."""
    path = tmp_path / "a.amr"
    frames = READY_MADE[0].read_bytes().removeprefix(b"#!AMR\n")
    path.write_bytes(b"#!AMR\n" + frames * 16)
    seconds, warnings = _seconds(path)
    assert seconds > 5
    assert warnings == ()


@pytest.mark.parametrize(
    ("name", "picture"), [(name, 11.0) for name in WITH_PICTURE] + [("a.ts", 5.0), ("a.mkv", 5.0)]
)
def test_the_length_of_a_picture_is_no_claim_about_the_sound(
    name: str, picture: float, clip: Clip, tmp_path: Path
) -> None:
    path = _write(tmp_path, name, clip, HEALTHY[name], picture)
    assert _seconds(path)[1] == ()


@pytest.mark.parametrize("begin", [3.0, 3600.0])
@pytest.mark.parametrize("name", ["a.mkv", "a.mka", "a.mp4", "a.ts", "a.asf", "a.flv", "a.mov",
                                  "a.webm", "a.nut", "a.mpg"])  # fmt: skip
def test_a_clock_that_begins_late_is_no_claim(
    name: str, begin: float, clip: Clip, tmp_path: Path
) -> None:
    """Matroska's tags then say where the sound ends, not how long it is."""
    path = _write(tmp_path, name, clip, replace(HEALTHY[name], begin=begin))
    seconds, warnings = _seconds(path)
    assert seconds == pytest.approx(8.0, abs=0.1)
    assert warnings == ()


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts", "a.asf", "a.mpg"])
def test_silence_before_the_sound_is_no_loss(name: str, clip: Clip, tmp_path: Path) -> None:
    path = _write(tmp_path, name, clip, replace(HEALTHY[name], begin=3.0), 12.0)
    seconds, warnings = _seconds(path)
    assert seconds == pytest.approx(11.0, abs=0.1)
    assert warnings == ()


@pytest.mark.parametrize(
    "tag", [TAG_ID3V1, TAG_APE, TAG_APE + TAG_ID3V1], ids=["id3v1", "ape", "both"]
)
@pytest.mark.parametrize("name", ["a.mp3", "plain.mp3", "a.aac", "a.wv", "a.tta", "a.flac"])
def test_tags_behind_the_sound_are_no_sound(
    name: str, tag: bytes, clip: Clip, tmp_path: Path
) -> None:
    path = _write(tmp_path, name, clip, HEALTHY[name])
    path.write_bytes(path.read_bytes() + tag)
    seconds, warnings = _seconds(path)
    assert seconds == pytest.approx(8.0, abs=0.5)
    assert warnings == ()


def test_chunks_behind_the_sound_are_no_sound(clip: Clip, tmp_path: Path) -> None:
    for name, chunk in (
        ("a.wav", b"bext" + struct.pack("<I", 200_001) + b"y" * 200_002),
        ("a.w64", b"bext" + bytes(12) + struct.pack("<Q", 200_024) + b"y" * 200_000),
        ("a.aiff", b"ANNO" + struct.pack(">I", 200_001) + b"y" * 200_002),
        ("a.caf", b"info" + struct.pack(">Q", 200_000) + b"y" * 200_000),
        ("a.mp4", struct.pack(">I", 200_008) + b"free" + b"y" * 200_000),
        ("a.mka", b"\xec" + struct.pack(">I", 0x1003_0D40) + b"y" * 200_000),
        ("a.wav", bytes(300_000)),
    ):
        path = _write(tmp_path, name, clip, HEALTHY[name])
        path.write_bytes(path.read_bytes() + chunk)
        assert _seconds(path)[1] == (), name


def _rf64(data: bytes) -> bytes:
    fmt, sound = data.index(b"fmt "), data[data.index(b"data") + 8 :]
    sizes = struct.pack("<IQQQI", 28, len(sound) + 72, len(sound), len(sound) // 2, 0)
    head = b"RF64\xff\xff\xff\xffWAVEds64" + sizes + data[fmt : fmt + 24]
    return head + b"data\xff\xff\xff\xff" + sound


LIARS = ("a.wav", "rf64.wav", "a.w64", "a.aiff", "a.au", "a.caf", "a.flac", "a.mp4", "parts.mp4",
         "a.mka", "a.avi", "a.asf", "a.flv", "a.wv", "a.mp3")  # fmt: skip


@pytest.mark.parametrize("name", LIARS)
def test_no_wrong_length_takes_sound_away_without_a_word(
    name: str, clip: Clip, tmp_path: Path
) -> None:
    """Half, zero, double, wrapped and endless, in every length field of the format."""
    path = _write(tmp_path, name, clip, HEALTHY.get(name, WAV))
    data = path.read_bytes()
    if name == "rf64.wav":
        data = _rf64(data)
    tried = 0
    for field in length_fields(data):
        for change in CHANGES:
            path.write_bytes(changed(data, field, change))
            tried += 1
            try:
                seconds, warnings = _seconds(path)
            except BadMediaError as error:
                assert error.hint, (field, change)
                continue
            if abs(seconds - 8.0) > 1.0:
                assert any(re.search(r"\d s ", text) for text in warnings), (field, change)
    assert tried >= 5


@pytest.mark.parametrize("name", [*LIARS, "a.mkv"])
def test_a_file_that_was_cut_off_says_how_much_is_missing(
    name: str, clip: Clip, tmp_path: Path
) -> None:
    options = {"movflags": "+faststart"} if name == "a.mp4" else OPTIONS.get(name)
    path = tmp_path / name
    write_media(path, clip, HEALTHY.get(name, WAV), options=options)
    data = _rf64(path.read_bytes()) if name == "rf64.wav" else path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    seconds, warnings = _seconds(path)
    if name == "parts.mp4":  # each part says only its own length
        assert warnings
        return
    found = [re.search(r"the file claims 0:08: ([\d.]+) s missing", text) for text in warnings]
    assert [float(match[1]) for match in found if match] == [pytest.approx(8 - seconds, abs=0.3)]


RAW = ("a.aac", "a.ac3", "a.eac3", "a.mp3", "plain.mp3", "a.mp2", "a.flac", "a.latm")
DAMAGE: dict[str, Callable[[bytes, bytes], bytes]] = {
    "noise": lambda data, noise: data[: len(data) * 2 // 5] + noise + data[len(data) * 3 // 5 :],
    "zeros": lambda data, noise: (
        data[: len(data) * 2 // 5] + bytes(len(noise)) + data[len(data) * 3 // 5 :]
    ),
    "inserted": lambda data, noise: data[: len(data) // 2] + noise + data[len(data) // 2 :],
    "at the end": lambda data, noise: data[: len(data) * 4 // 5] + noise,
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", RAW)
def test_damage_that_moves_later_times_is_said_in_seconds(
    name: str, damage: str, clip: Clip, tmp_path: Path
) -> None:
    path = _write(tmp_path, name, clip, HEALTHY[name])
    data = path.read_bytes()
    noise = np.random.default_rng(7).bytes(len(data) // 5)
    path.write_bytes(DAMAGE[damage](data, noise))
    seconds, warnings = _seconds(path)
    if abs(seconds - 8) > 1.0:
        assert any(re.search(r"\d s ", text) for text in warnings)


def test_sound_in_another_part_of_the_file_is_missed(clip: Clip, tmp_path: Path) -> None:
    """Two recordings in one file: of the second one, FFmpeg reads nothing."""
    pairs = (("a.wav", "a.wav"), ("a.flv", "a.flv"), ("a.opus", "a.ogg"), ("a.ogg", "a.oga"),
             ("a.aiff", "a.aiff"), ("a.w64", "a.w64"), ("a.voc", "a.voc"), ("a.caf", "a.caf"),
             ("a.m4a", "a.m4a"), ("a.tta", "a.tta"))  # fmt: skip
    for first, second in pairs:
        one = _write(tmp_path, first, clip, HEALTHY[first]).read_bytes()
        other = _write(tmp_path, second, clip, HEALTHY[second]).read_bytes()
        path = tmp_path / first
        path.write_bytes(one + other)
        seconds, warnings = _seconds(path)
        assert seconds < 15
        assert any(re.search(r"\d s .*not read", text) for text in warnings), (first, second)


@pytest.mark.parametrize("name", ["a.wav", "a.w64", "a.aiff", "a.caf"])
def test_the_first_of_two_parts_with_sound_is_missed(name: str, clip: Clip, tmp_path: Path) -> None:
    """A file with two parts of sound: FFmpeg reads the last one, or the first one."""
    path = _write(tmp_path, name, clip, HEALTHY[name])
    data = path.read_bytes()
    sound = data.index(b"SSND" if name == "a.aiff" else b"data")
    path.write_bytes(data + data[sound:])
    seconds, warnings = _seconds(path)
    assert seconds < 9
    assert any(re.search(r"\d s .*not read", text) for text in warnings)


def test_a_broadcast_whose_sound_moves_to_another_stream(clip: Clip, tmp_path: Path) -> None:
    parts = []
    for pid in (256, 300):
        path = tmp_path / f"{pid}.ts"
        write_media(path, clip, MP2, options={"mpegts_start_pid": str(pid)})
        parts.append(path.read_bytes())
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(parts))
    warnings = _seconds(both)[1]
    assert any("8.0 s of audio in another part of the file were not read" in text
               for text in warnings)  # fmt: skip


def test_a_trimmed_recording_is_whole(clip: Clip, tmp_path: Path) -> None:
    """An edit list leaves out half of it, as the editor of a phone does."""
    path = _write(tmp_path, "a.m4a", clip, AAC)
    data = bytearray(path.read_bytes())
    for name, at in ((b"elst", 12), (b"tkhd", 24), (b"mvhd", 20)):
        place = data.index(name) + at
        (length,) = struct.unpack_from(">I", data, place)
        struct.pack_into(">I", data, place, length // 2)
    path.write_bytes(data)
    seconds, warnings = _seconds(path)
    assert seconds == pytest.approx(4.0, abs=0.1)
    assert warnings == ()


def _scrambled_ts(data: bytes) -> bytes:
    made = bytearray(data)
    for at in range(0, len(data), 188):
        if 256 <= (made[at + 1] & 0x1F) << 8 | made[at + 2] < 0x1FFF:
            made[at + 3] |= 0x80
            made[at + 20 : at + 188] = bytes(byte ^ 0x5A for byte in made[at + 20 : at + 188])
    return bytes(made)


def _scrambled_ps(data: bytes) -> bytes:
    made, at = bytearray(data), 0
    while (at := made.find(b"\0\0\1\xbd", at)) >= 0:
        made[at + 6] |= 0x10
        at += 4
    return bytes(made)


def _protected_asf(data: bytes) -> bytes:
    rights = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e") + struct.pack("<Q", 40) + bytes(16)
    size, count = struct.unpack_from("<QI", data, 16)
    head = data[:16] + struct.pack("<QI", size + len(rights), count + 1) + data[28:30]
    return head + rights + data[30:]


def _element(name: str, content: bytes) -> bytes:
    return bytes.fromhex(name) + struct.pack(">I", 0x1000_0000 | len(content)) + content


def _encrypted_matroska(data: bytes) -> bytes:
    """The track's entry gets an encoding; what follows moves, so that the index is wrong."""
    tracks = b"\x16\x54\xae\x6b"
    at = data.index(tracks, data.index(tracks) + 4)  # the first one is in the index
    width = 9 - data[at + 4].bit_length()
    size = int.from_bytes(data[at + 4 : at + 4 + width], "big") & ((1 << 7 * width) - 1)
    entry = data.index(b"\xae", at + 4 + width)
    entry_width = 9 - data[entry + 1].bit_length()
    body = data[entry + 1 + entry_width : at + 4 + width + size]
    encoding = _element("6d80", _element("6240", _element("5033", b"\1") + _element("5035", b"")))
    return (
        data[:at]
        + _element("1654ae6b", _element("ae", body + encoding))
        + data[at + 4 + width + size :]
    )


ENCRYPTED: dict[str, Callable[[bytes], bytes] | None] = {
    "a.m4a": None,
    "a.mp4": None,
    "a.mov": None,
    "a.ts": _scrambled_ts,
    "aac.ts": _scrambled_ts,
    "a.vob": _scrambled_ps,
    "a.wma": _protected_asf,
    "a.mka": _encrypted_matroska,
}


@pytest.mark.parametrize("name", ENCRYPTED)
def test_an_encrypted_file_is_refused_as_such(name: str, clip: Clip, tmp_path: Path) -> None:
    path = tmp_path / name
    encrypt = ENCRYPTED[name]
    key = dict.fromkeys(("encryption_key", "encryption_kid"), "00112233445566778899aabbccddeeff")
    options = None if encrypt else {"encryption_scheme": "cenc-aes-ctr", **key}
    write_media(path, clip, AAC if name == "a.mov" else HEALTHY[name], options=options)
    if encrypt is not None:
        path.write_bytes(encrypt(path.read_bytes()))
    with pytest.raises(BadMediaError, match=f"Encrypted: {name}"):
        probe(path)


@pytest.mark.parametrize("name", ["a.mp4", "a.m4a", "a.mov", "a.3gp"])
def test_a_file_without_its_index_says_so(name: str, clip: Clip, tmp_path: Path) -> None:
    path = _write(tmp_path, name, clip, HEALTHY[name])
    data = path.read_bytes()
    index = data.index(b"moov") - 4
    media = data.index(b"mdat") - 4
    for left in (data[:index], data[: index // 2], data[media:index]):
        path.write_bytes(left)
        with pytest.raises(BadMediaError, match="was not completed") as caught:
            probe(path)
        assert "index" in caught.value.hint


def test_a_part_of_a_stream_says_so(clip: Clip, tmp_path: Path) -> None:
    path = _write(tmp_path, "parts.mp4", clip, AAC)
    data = path.read_bytes()
    path.write_bytes(data[data.index(b"moof") - 4 :])
    with pytest.raises(BadMediaError, match="Only a part of a stream"):
        probe(path)


def test_a_recorder_that_did_not_write_the_length(clip: Clip, tmp_path: Path) -> None:
    for name in ("a.aiff", "a.au", "a.w64"):
        path = _write(tmp_path, name, clip, HEALTHY[name])
        data = path.read_bytes()
        for field in length_fields(data):
            path.write_bytes(changed(data, field, "zero"))
            try:
                assert _seconds(path)[0] == pytest.approx(8, abs=0.1)
            except BadMediaError as error:
                assert "was not completed" in error.title


def test_ends_of_parts_do_not_overlap(clip: Clip, tmp_path: Path) -> None:
    """Cutting a file anywhere never makes a warning about more than was cut."""
    path = _write(tmp_path, "a.wav", clip, WAV)
    data = path.read_bytes()
    missing = []
    for share in range(4, 10):
        path.write_bytes(data[: len(data) * share // 10])
        _, warnings = _seconds(path)
        missing += [float(text) for text in re.findall(r"([\d.]+) s missing", " ".join(warnings))]
    assert all(before > after for before, after in pairwise(missing))
    assert len(missing) >= 5
