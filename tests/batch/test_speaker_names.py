"""Names of speakers: kept with the file, written into its outputs at once, without its text."""

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui.batch.file_run import FileRun
from fwtui.batch.finish import complete
from fwtui.batch.queue_commands import QueueCommands
from fwtui.batch.retry import ladder
from fwtui.batch.speaker_names import NOT_RENAMED, name_speaker
from fwtui.batch.state import BatchState
from fwtui.core.commands import NameSpeaker, RetryJobs
from fwtui.core.events import AnyEvent, JobChanged, Level, LogLine
from fwtui.core.job import Completed, Job
from fwtui.core.segment import Segment
from fwtui.core.session import WindowResult, WindowState
from fwtui.core.settings import OutputSettings, Settings, SpeakerSettings
from fwtui.core.speakers import Turn
from fwtui.core.voices import SpeakerTurns, speaker_task
from fwtui.outputs.formats.registry import FORMATS
from fwtui.report.report import file_record, speaker_texts
from fwtui.sessions.store import SessionStore
from tests.outputs.cases import spoken
from tests.sessions.samples import plan

TURNS = (Turn(0.0, 3.0, 0), Turn(3.0, 6.0, 1), Turn(6.0, 9.0, 2))
EVERYTHING = ",".join(FORMATS)


def segments(at: float) -> tuple[Segment, ...]:
    said = " Good morning to you Anna and thank you all the same , dear Ben".split(" ")[1:]
    found = spoken(at, *(f" {word}" for word in said), length=0.6)
    return (replace(found, id=int(at) + 1),)


class Talk:
    """A batch with one file that is done, whose turns were made up."""

    def __init__(self, root: Path, **settings: object) -> None:
        self.root = root
        output = OutputSettings(
            output_dir=str(root / "out"),
            more_formats=EVERYTHING,
            **settings,  # type: ignore[arg-type]
        )
        self.settings = Settings(output=output, speakers=SpeakerSettings(diarize="voices"))
        self.events: list[AnyEvent] = []

    async def done(self, windows: int = 1) -> "Talk":
        recording = self.root / "my talk.wav"
        recording.write_bytes(b"sound")
        (self.root / "sessions").mkdir()
        self.store = SessionStore.create(
            self.root / "sessions", self.settings, datetime(2026, 1, 1)
        )
        self.state = BatchState(self.store)
        self.state.listen(self.events.append)
        await self.state.add([recording], [])
        long = replace(plan(), samples=windows * 10 * 16_000, speech=None, warnings=())
        self.store.begin_file(self.job.id, long)
        for number in range(windows):
            state = WindowState(segments=number + 1, done=number == windows - 1)
            result = WindowResult(segments(number * 10.0), state, number * 10.0 + 10)
            self.store.add_window(self.job.id, result)
        task = speaker_task(self.settings.speakers, self.settings.model)
        assert task is not None
        turns = tuple(
            replace(turn, start=turn.start + at * 10, end=turn.end + at * 10)
            for at in range(windows)
            for turn in TURNS
        )
        self.store.set_speakers(self.job.id, SpeakerTurns(task.options, turns))
        run = FileRun(
            self.job.id,
            self.settings,
            ladder(self.settings, "cpu"),
            0,
            datetime(2026, 1, 1),
            plan=long,
            speakers=task,
        )
        done = await complete(self.state, self.job, run)
        assert isinstance(done, Completed), done
        await self.state.put(replace(self.job, state=done))
        return self

    @property
    def job(self) -> Job:
        (job,) = self.state.queue
        return job

    @property
    def warnings(self) -> tuple[str, ...]:
        assert isinstance(self.job.state, Completed)
        return self.job.state.warnings

    async def name(self, speaker: int, name: str) -> None:
        await name_speaker(self.state, NameSpeaker(self.job.id, speaker, name))

    def text(self, form: str) -> str:
        return (self.root / "out" / f"my talk.{form}").read_text(encoding="utf-8")

    def outputs(self) -> dict[str, bytes]:
        paths = (self.root / "out").glob("my talk.*")
        return {path.suffix[1:]: path.read_bytes() for path in paths if path.suffix != ".docx"}

    def reopened(self) -> "Talk":
        """The same batch after a restart: its journal has no text of finished files any more."""
        identity = self.store.session_id
        self.store.close()
        self.store = SessionStore.open(self.root / "sessions", identity)
        self.state = BatchState(self.store)
        return self


async def test_outputs_have_the_new_name_and_everything_else_stays(tmp_path: Path) -> None:
    talk = await Talk(tmp_path).done()
    before = talk.outputs()
    assert set(before) == set(FORMATS) - {"docx"}
    began = time.monotonic()
    await talk.name(1, "Zoë Müller")
    assert time.monotonic() - began < 1
    after = talk.outputs()
    for form, data in before.items():
        wanted = data.decode()
        for label in ("SPEAKER_01", "SPEAKER\\_01"):
            name = "Zoë_Müller" if form == "rttm" else "Zoë Müller"
            if form == "json":
                name = json.dumps(name)[1:-1]
            wanted = wanted.replace(label, name)
        assert after[form].decode() == wanted, form
        assert (after[form] == data) == (form == "tsv")
    assert talk.warnings == ()
    await talk.name(1, "")
    assert talk.outputs() == before
    assert talk.job.speaker_names is None


@pytest.mark.parametrize("again", [lambda talk: talk, Talk.reopened])
async def test_names_last_and_can_be_changed_after_a_restart(
    tmp_path: Path, again: Callable[[Talk], Talk]
) -> None:
    talk = await Talk(tmp_path).done(windows=3)
    await talk.name(0, "Anna")
    talk = again(talk)
    assert talk.job.speaker_names == {0: "Anna"}
    await talk.name(2, "Ben")
    assert talk.warnings == ()
    for form in ("txt", "srt", "vtt", "md", "csv", "ass", "lrc", "rttm", "json"):
        text = talk.text(form)
        assert "Anna" in text, form
        assert "Ben" in text, form
        assert "SPEAKER_00" not in text, form
        assert "SPEAKER_01" in text.replace("\\", ""), form
    found = await talk.state.transcript(talk.job.id)
    assert {one.speaker for segment in found.segments for one in segment.words or ()} == {
        "Anna",
        "SPEAKER_01",
        "Ben",
    }
    assert len(found.turns) == 9
    assert found.labels == {0: "Anna", 1: "SPEAKER_01", 2: "Ben"}
    talk.store.close()


async def test_the_name_is_an_event_after_it_is_on_the_disk(tmp_path: Path) -> None:
    talk = await Talk(tmp_path).done()
    seen: list[bool] = []

    def listen(event: AnyEvent) -> None:
        if isinstance(event, JobChanged) and event.job.speaker_names:
            journal = next((tmp_path / "sessions").glob("*.journal*")).read_text()
            seen.append("Anna" in journal)

    talk.state.listen(listen)
    await talk.name(0, "Anna")
    assert seen[0]


async def test_two_labels_with_one_name_are_one_person(tmp_path: Path) -> None:
    talk = await Talk(tmp_path).done()
    await talk.name(0, "Anna")
    await talk.name(1, "Anna")
    assert len(talk.text("txt").splitlines()) == 2
    assert [name for name, _ in speaker_texts(talk.job)] == ["Anna", "SPEAKER_02"]
    assert speaker_texts(talk.job)[0] == ("Anna", "0:06 (67%)")
    assert [one.name for one in file_record(talk.job).speakers] == ["Anna", "SPEAKER_02"]
    # and can be told apart again
    await talk.name(1, "")
    assert len(talk.text("txt").splitlines()) == 3
    # after a restart, too
    await talk.name(1, "Anna")
    talk = talk.reopened()
    await talk.name(1, "Ben")
    assert len(talk.text("txt").splitlines()) == 3
    assert talk.warnings == ()
    talk.store.close()


async def test_what_was_edited_or_deleted_is_not_written_over(tmp_path: Path) -> None:
    talk = await Talk(tmp_path).done()
    srt = tmp_path / "out" / "my talk.srt"
    srt.write_text("corrected by hand")
    (tmp_path / "out" / "my talk.vtt").unlink()
    await talk.name(0, "Anna")
    assert srt.read_text() == "corrected by hand"
    assert "vtt" not in talk.outputs()
    assert "Anna" in talk.text("txt")
    assert len(talk.warnings) == 2
    assert all(text.startswith(NOT_RENAMED) for text in talk.warnings)
    assert "my talk.srt" in talk.warnings[1]
    # the next time there is no second warning about the same
    await talk.name(0, "Ben")
    assert len(talk.warnings) == 2


async def test_without_text_anywhere_the_name_is_kept_and_the_row_says_so(tmp_path: Path) -> None:
    talk = (await Talk(tmp_path).done()).reopened()
    (tmp_path / "out" / "my talk.json").unlink()
    await talk.name(0, "Anna")
    assert talk.job.speaker_names == {0: "Anna"}
    assert "[Anna]" not in talk.text("srt")
    assert len(talk.warnings) == 1
    talk.store.close()


@pytest.mark.parametrize("name", ["[x]", "a=b", "a,b", "x" * 61, "a\x1b[31mb", "a\nb"])
async def test_a_wrong_name_of_a_client_is_refused(tmp_path: Path, name: str) -> None:
    talk = await Talk(tmp_path).done()
    before = talk.outputs()
    await talk.name(0, name)
    assert talk.job.speaker_names is None
    assert talk.outputs() == before
    errors = [e for e in talk.events if isinstance(e, LogLine) and e.level is Level.ERROR]
    assert len(errors) == 1
    assert "\x1b" not in errors[0].text
    await name_speaker(talk.state, NameSpeaker(99, 0, "Anna"))  # a file that is gone


async def test_a_text_edited_by_the_settings_is_edited_again_the_same_way(tmp_path: Path) -> None:
    rules = tmp_path / "rules.txt"
    rules.write_text("good morning => Hello\n")
    talk = await Talk(tmp_path, join_sentences=True, tidy_text=True, replacements=str(rules)).done()
    assert "Hello to you" in talk.text("srt")
    await talk.name(0, "Anna")
    assert "[Anna]: Hello to you" in talk.text("srt")
    talk = talk.reopened()
    await talk.name(0, "Ben")
    assert "[Ben]: Hello to you" in talk.text("srt")
    assert talk.warnings == ()
    talk.store.close()


async def test_transcribed_again_the_numbers_may_be_others(tmp_path: Path) -> None:
    talk = await Talk(tmp_path).done()
    await talk.name(0, "Anna")
    commands = QueueCommands(talk.state, pool=None, remind=print)  # type: ignore[arg-type]
    await commands.retry(RetryJobs((talk.job.id,)))
    assert talk.job.speaker_names is None
