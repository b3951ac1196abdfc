"""What a failure costs: the speakers of a file before anything else of it, and nothing twice."""

from datetime import datetime

import pytest

from fwtui.batch.diarization import doubtful_speakers, spared, task_of
from fwtui.batch.file_run import FileRun
from fwtui.batch.retry import GiveUp, Retry, ladder
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.settings import ModelSettings, Settings, SpeakerSettings
from fwtui.core.speakers import Turn
from fwtui.core.voices import speaker_task

VOICES = SpeakerSettings(diarize="voices")


def run(speakers: SpeakerSettings = VOICES) -> FileRun:
    settings = Settings(speakers=speakers)
    task = speaker_task(speakers, settings.model)
    return FileRun(1, settings, ladder(settings, "cpu"), 0, datetime.min, speakers=task)


@pytest.mark.parametrize("kind", FailureKind)
@pytest.mark.parametrize("transcribed", [False, True])
@pytest.mark.parametrize("loss", ["file", "chunk", "nothing"])
def test_speakers_go_first_and_once(kind: FailureKind, transcribed: bool, loss: str) -> None:
    failure = Failure(kind, "It broke")
    decisions: dict[str, Retry | GiveUp] = {
        "file": GiveUp(failure),
        "chunk": Retry(2, skip_window=True),
        "nothing": Retry(1),
    }
    file = run()
    file.is_transcribed = transcribed
    first = spared(file, failure, decisions[loss])
    listening = {FailureKind.OUT_OF_MEMORY, FailureKind.ENGINE_DIED, FailureKind.STALLED}
    if loss != "nothing" and (transcribed or kind in listening):
        assert first == Retry(0)
        assert file.no_speakers == "It broke"
        assert task_of(file) is None
    else:
        assert first == decisions[loss]
        assert not file.no_speakers
        assert task_of(file) is not None
    if file.no_speakers:
        assert spared(file, failure, decisions[loss]) == decisions[loss]
    plain = run(SpeakerSettings())
    assert spared(plain, failure, decisions[loss]) == decisions[loss]


def test_with_less_memory_windows_are_heard_one_by_one() -> None:
    file = run()
    task = task_of(file)
    assert task is not None
    assert task.at_once == 6
    file.rung = 1
    lower = task_of(file)
    assert lower is not None
    assert (lower.at_once, lower.options) == (1, task.options)


def test_only_what_decides_the_turns_is_in_the_digest() -> None:
    def options(model_dir: str | None = None, **changes: object) -> str:
        from msgspec.structs import replace

        task = speaker_task(replace(VOICES, **changes), ModelSettings(model_dir=model_dir))
        assert task is not None
        return task.options

    usual = options()
    same = [options(speaker_name="X"), options(speaker_names="00=Anna"), options("/models")]
    assert set(same) == {usual}
    others = [
        options(num_speakers=2),
        options(min_speakers=2),
        options(max_speakers=2),
        options(diarize_model="resnet34"),
        options(diarize="channels"),
    ]
    assert len({usual, *others}) == 1 + len(others)


def test_who_is_hardly_a_speaker() -> None:
    talk = [Turn(n * 60.0, n * 60.0 + 50, n % 2) for n in range(4)]
    short = Turn(240.0, 241.5, 2)
    assert doubtful_speakers((*talk, short), VOICES)[0].detail == (
        "SPEAKER_02 is hardly a speaker (0:02 in all)"
    )
    assert not doubtful_speakers((*talk, Turn(240.0, 242.5, 2)), VOICES)  # more than 2 s at once
    many = tuple(Turn(240.0 + n * 2, 241.5 + n * 2, 2) for n in range(5))
    assert not doubtful_speakers((*talk, *many), VOICES)  # more than 2%
    assert not doubtful_speakers((), VOICES)
    assert not doubtful_speakers((short,), VOICES)  # the only one is one
