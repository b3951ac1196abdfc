"""Jobs and the names of their outputs."""

import msgspec

from fwtui.core.job import Job


def test_the_plain_name_is_not_kept() -> None:
    job = Job(1, "/in/talk.mp3").called("talk")
    assert (job.own_stem, job.stem) == ("", "talk")
    assert (job.called("other").own_stem, job.called("other").stem) == ("other", "other")
    assert job.called("other").called("talk") == job


def test_a_file_that_moves_keeps_the_name_of_its_outputs() -> None:
    job = Job(1, "/in/talk.mp3")
    moved = job.moved("/out/renamed.mp3")
    assert (moved.path, moved.stem) == ("/out/renamed.mp3", "talk")
    assert moved.moved("/else/talk.wav").own_stem == ""
    assert job.called("other").moved("/in/other.mp3").stem == "other"


def test_read_as_json_its_name_is_there() -> None:
    job = Job(1, "/in/talk.mp3")
    assert msgspec.json.decode(msgspec.json.encode(job.in_full))["stem"] == "talk"
    assert msgspec.convert({"id": 1, "path": "/in/talk.mp3", "stem": "x"}, Job).stem == "x"
