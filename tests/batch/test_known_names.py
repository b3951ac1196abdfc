"""Names of recognised speakers: whose names win, and when they count at all."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fwtui.batch.diarization import with_known_names
from fwtui.batch.file_run import FileRun
from fwtui.batch.retry import ladder
from fwtui.core.job import Job
from fwtui.core.settings import ModelSettings, Settings, SpeakerSettings
from fwtui.core.voices import SpeakerTurns, speaker_task

FOUND = {0: "Anna", 1: "Ben"}


def names(
    found: dict[int, str] | None = FOUND,
    own: dict[int, str] | None = None,
    *,
    options: str | None = None,
    gone: str = "",
    **speakers: Any,
) -> dict[int, str] | None:
    chosen = SpeakerSettings(**{"diarize": "voices", "known_speakers": True, **speakers})
    settings = Settings(speakers=chosen)
    task = speaker_task(chosen, ModelSettings())
    run = FileRun(1, settings, ladder(settings, "cpu"), 0, datetime(2026, 1, 1), speakers=task)
    run.no_speakers = gone
    answer = SpeakerTurns(options or (task.options if task else ""), (), "", found)
    store = cast(Any, SimpleNamespace(speakers=lambda _: answer))
    return with_known_names(store, run, Job(1, "/a", speaker_names=own)).speaker_names


@pytest.mark.parametrize(
    ("own", "chosen", "expected"),
    [
        (None, None, FOUND),
        ({1: "Zoë"}, None, {0: "Anna", 1: "Zoë"}),
        (None, "00=Karl", {1: "Ben"}),
        (None, "00=Karl,01=Lea", None),
        ({0: "Zoë"}, "01=Lea", {0: "Zoë"}),
    ],
)
def test_names_of_the_user_win(
    own: dict[int, str] | None, chosen: str | None, expected: dict[int, str] | None
) -> None:
    assert names(own=own, speaker_names=chosen) == expected


def test_nothing_is_named_unless_asked_for_and_known() -> None:
    assert names(known_speakers=False) is None
    assert names(diarize="channels") is None
    assert names(diarize="off") is None
    assert names(gone="no memory") is None
    assert names(options="others") is None
    assert names(None) is None
    assert names({0: "[bad]", 1: "Ben"}) == {1: "Ben"}  # of a session that somebody has edited


def test_the_setting_changes_no_turns() -> None:
    tasks = [
        speaker_task(SpeakerSettings(diarize="voices", known_speakers=known), ModelSettings())
        for known in (False, True)
    ]
    assert tasks[0] is not None
    assert tasks[1] is not None
    assert tasks[0].options == tasks[1].options == "00218fb8f796a881"
    assert (tasks[0].known, tasks[1].known) == (False, True)
