"""The text of unfinished files: where it is said, and how to get it."""

import asyncio
import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from docx import Document
from msgspec.structs import replace

from fwtui.batch.state import BatchState
from fwtui.cli.main import main
from fwtui.cli.progress import RunRecord, failures
from fwtui.cli.sessions import OUTPUT_FORMATS
from fwtui.config.locations import Locations
from fwtui.core.events import JobChanged, LogLine
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Cancelled, Failed, Job, Pending, State
from fwtui.core.segment import Transcript
from fwtui.core.settings import OutputSettings, Settings
from fwtui.errors import ExitCode
from fwtui.outputs.formats.registry import FORMATS, render
from fwtui.sessions.store import SessionStore
from tests.sessions.samples import plan, segment, window

AT = datetime(2025, 12, 14, 10, 15, 30)
ID = "20251214_101530"
ENDS: dict[str, Callable[[], State]] = {
    "failed": lambda: Failed(AT, Failure(FailureKind.BAD_MEDIA, "it broke", "mend it")),
    "cancelled": lambda: Cancelled(AT),
    "waiting": lambda: Pending(60.0),
}


async def unfinished(*ends: str, windows: int = 2) -> tuple[BatchState, list[LogLine]]:
    """A session with a file for each end, each with text, and one without."""
    store = SessionStore.create(Locations.default().sessions, Settings(), AT)
    state = BatchState(store)
    lines: list[LogLine] = []
    state.listen(lambda event: lines.append(event) if isinstance(event, LogLine) else None)
    await state.add([f"/media/{end} 'it.mp3" for end in ends], [])
    await state.add(["/media/other.mp3"], [])
    for number, end in enumerate(ends, start=1):
        store.begin_file(number, plan())
        for at in range(1, windows + 1):
            store.add_window(number, window(at))
        await state.put(replace(state.queue[number], state=ENDS[end]()))
    return state, lines


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_an_unfinished_file_says_where_its_words_are(
    end: str, capsys: pytest.CaptureFixture[str]
) -> None:
    state, lines = asyncio.run(unfinished(end))
    said = f"fwtui sessions text {ID} '{end} '\"'\"'it.mp3'"
    assert state.queue[1].text_seconds == 60.0
    assert [line.text for line in lines if said in line.text] == [
        f"{end} 'it.mp3: the text of its first 1:00 is kept; to get it: {said}"
    ]
    asyncio.run(state.put(state.queue[1]))  # said once
    assert sum(said in line.text for line in lines) == 1

    record = RunRecord()
    record.view.session_id = ID
    record.view.add([state.queue[1]])
    assert said in list(failures(record))[-1]
    state.store.close()
    assert main(["sessions", "show", ID]) == ExitCode.DONE
    assert said in capsys.readouterr().out

    # the command that was said works, and gives the words
    assert main(["sessions", "text", ID, f"{end} 'it.mp3"]) == ExitCode.DONE
    assert capsys.readouterr().out == "window 1 ünï\nwindow 2 ünï\n"


def test_a_file_without_text_says_nothing() -> None:
    state, lines = asyncio.run(unfinished("failed", windows=0))
    assert state.queue[1].text_seconds == 0.0
    assert not [line for line in lines if "text of its first" in line.text]
    state.store.close()
    assert main(["sessions", "text", ID]) == ExitCode.USAGE


@pytest.mark.parametrize("form", FORMATS)
def test_every_format(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state, _ = asyncio.run(unfinished("failed", "cancelled", "waiting"))
    out = tmp_path / "new" / "out"
    # while the session is in use, too
    for count in (1, 2):
        assert main(["sessions", "text", ID, "-f", form, "-o", str(out)]) == ExitCode.DONE
        assert len(capsys.readouterr().out.splitlines()) == 3
        assert len(list(out.iterdir())) == 3 * count  # nothing is overwritten
    written = (out / f"failed 'it (unfinished).{form}").read_bytes()
    if form == "docx":
        assert "window 1" in Document(io.BytesIO(written)).paragraphs[0].text
    else:
        transcript = Transcript("en", (segment(1), segment(2)))
        assert written == b"".join(render(transcript, form, OutputSettings()))
    state.store.close()
    assert main(["sessions", "show", ID]) == ExitCode.DONE  # nothing has changed


def test_several_files_and_wrong_names(capsys: pytest.CaptureFixture[str]) -> None:
    state, _ = asyncio.run(unfinished("failed", "waiting"))
    state.store.close()
    assert main(["sessions", "text", ID]) == ExitCode.DONE
    printed = capsys.readouterr().out
    assert printed.count("window 2") == 2
    assert "# /media/waiting 'it.mp3" in printed
    assert main(["sessions", "text", ID, "/media/waiting 'it.mp3", "-f", "json"]) == ExitCode.DONE
    assert len(json.loads(capsys.readouterr().out)["segments"]) == 2
    for wrong in (["nosuch"], [ID, "nosuch.mp3"], [ID, "other.mp3"]):
        assert main(["sessions", "text", *wrong]) == ExitCode.USAGE
        assert capsys.readouterr().err


def test_the_formats_are_those_of_transcripts() -> None:
    assert OUTPUT_FORMATS == FORMATS


def test_a_retry_keeps_it_until_it_is_done() -> None:
    state, _ = asyncio.run(unfinished("failed"))
    job = state.queue[1]
    asyncio.run(state.put(replace(job, state=Pending(60.0))))
    assert state.queue[1].text_seconds == 60.0
    asyncio.run(state.commit(JobChanged(replace(job, state=ENDS["cancelled"]()))))
    assert state.queue[1].text_seconds == 60.0
    assert isinstance(Job(1, "/a.mp3").state, Pending)
    state.store.close()
