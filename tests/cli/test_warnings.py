"""What must be known of a completed file is said wherever the file is spoken of, in one way."""

import io
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from fwtui import demo
from fwtui.batch.file_recorder import warning_lines
from fwtui.batch.finish import NO_SPEECH
from fwtui.cli.console import Console
from fwtui.cli.progress import ProgressDisplay, RunRecord, summary
from fwtui.core.events import AnyEvent, BatchFinished, JobChanged, Level, LogLine, Phase
from fwtui.core.finding import TITLES, Finding, FindingKind
from fwtui.core.job import Completed, has_state
from fwtui.core.settings import Settings
from fwtui.core.text import printable
from fwtui.report.render import render_report
from fwtui.report.report import make_report
from fwtui.tui.glyphs import UNICODE
from fwtui.tui.rows import columns, row
from tests.cli.batches import NOON, completed, finished, job, snapshot
from tests.cli.program import fwtui
from tests.engine.support import write_wav

PLACES = {"log", "stderr", "json", "row", "report"}
WARNINGS = [NO_SPEECH, "12 s at the end could not be read", "[b]odd[/b] \x1b[31mtext"]


def row_text(state: Completed) -> str:
    """The file's row in a queue of 200 columns."""
    pieces = row(job(1, state), None, Phase.IDLE, columns(200), UNICODE, selected=False)
    return "".join(text for text, _ in pieces)


def places(state: Completed) -> dict[str, str]:
    """What each place says of a batch of this one file."""
    only = job(1, state)
    lines = [LogLine(NOON, Level.WARNING, text, 1) for text in warning_lines(only.name, state)]
    record, stderr = RunRecord(), io.StringIO()
    progress = ProgressDisplay(Console(stderr), record)
    events: list[AnyEvent] = [snapshot(job(1, completed())), *lines, JobChanged(only), finished()]
    for event in events:
        record(event)
        progress(event)
    return {
        "log": "\n".join(printable(line.text) for line in lines),
        "stderr": stderr.getvalue(),
        "json": printable(str(msgspec.to_builtins(events[-2]))),
        "row": row_text(state),
        "report": render_report(make_report([only], Settings(), "session", NOON, NOON, 0.0)),
        "summary": "\n".join(summary(record, "out")),
    }


def shown(text: str, place: str) -> str:
    """How a place shows a text."""
    return printable(repr(text).strip("'")) if place == "json" else printable(text)


@pytest.mark.parametrize("warning", WARNINGS)
def test_a_warning_is_said_everywhere(warning: str) -> None:
    found = places(replace(completed(), warnings=(warning,)))
    for place in PLACES - {"row"}:
        assert shown(warning, place) in found[place], place
    assert warning.split("\x1b", maxsplit=1)[0] in found["row"]
    assert "\x1b" not in "".join(found.values())
    assert "1 file to check" in found["summary"]


@pytest.mark.parametrize("kind", FindingKind)
def test_a_finding_is_said_everywhere(kind: FindingKind) -> None:
    found = places(replace(completed(), findings=(Finding(kind, 1.0, 2.0, "this text"),)))
    for place in PLACES - {"json"}:
        assert TITLES[kind] in found[place], place
    assert kind.value in found["json"]
    assert "1 file to check" in found["summary"]


def test_several_warnings_are_counted_on_the_row_and_nothing_is_said_twice() -> None:
    state = replace(completed(), warnings=("one", "two", "three"))
    assert "done · one · 2 more" in row_text(state)
    assert list(warning_lines("a", state, {"one"})) == ["a: two", "a: three"]


def test_a_file_with_warnings_is_found_as_one_to_check() -> None:
    jobs = {1: job(1, completed()), 2: job(2, replace(completed(), warnings=("odd",)))}
    assert [number for number, one in jobs.items() if has_state(one, "check")] == [2]


def test_a_silent_file_in_a_real_run(tmp_path: Path) -> None:
    write_wav(tmp_path / "silence.wav", np.zeros(16_000, np.float32))
    options = ("--vad_filter", "True", "--add_report", "True", "-o", tmp_path / "out", "--json")
    model = ("--model", demo.model_dir(), "--device", "cpu")
    done = fwtui("run", tmp_path / "silence.wav", *model, *options)
    events = [msgspec.json.decode(line, type=AnyEvent) for line in done.stdout.splitlines()]
    states = [event.job.state for event in events if isinstance(event, JobChanged)]
    last = states[-1]
    assert isinstance(last, Completed)
    assert last.warnings == ("the audio is silent throughout", NO_SPEECH)
    logged = [event.text for event in events if isinstance(event, LogLine)]
    for warning in last.warnings:
        assert f"silence.wav: {warning}" in logged
        assert f"silence.wav: {warning}" in done.stderr
    assert "1 file to check" in done.stderr
    (end,) = (event for event in events if isinstance(event, BatchFinished))
    assert end.to_check == 1
    assert end.report is not None
    assert NO_SPEECH in Path(end.report).read_text()
    # Memory is read when a file begins and when it ends, before the engine frees any.
    order = [text.split(" - ")[0] for text in logged if "Memory" in text]
    assert order.index("[File: silence.wav] Starting") < order.index("[File: silence.wav] Finished")
