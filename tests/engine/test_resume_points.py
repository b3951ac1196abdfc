"""Stop after any window, resume, and the text is the one of an uninterrupted run."""

from pathlib import Path

import msgspec
import pytest

from fwtui.core.session import ResumePoint, WindowResult
from fwtui.core.settings import DecodingSettings
from fwtui.engine.transcriber import Transcriber
from tests.engine.support import MINUTE, MODEL, at_resume, prepared_file, transcriber_on, write_wav
from tests.whisper_audio import decode_audio

LITTLE_HEAT = 1e-4
MODES = {
    "sequential": DecodingSettings(beam_size=1, temperature_increment_on_fallback=None),
    "words": DecodingSettings(
        beam_size=1, temperature_increment_on_fallback=None, word_timestamps=True
    ),
    "vad": DecodingSettings(
        beam_size=1, temperature_increment_on_fallback=None, vad_filter=True, word_timestamps=True
    ),
    "no previous text": DecodingSettings(
        beam_size=1, temperature_increment_on_fallback=None, condition_on_previous_text=False
    ),
    "prompt": DecodingSettings(
        beam_size=2, temperature_increment_on_fallback=None, initial_prompt="seven red"
    ),
    "clips": DecodingSettings(
        beam_size=1, temperature_increment_on_fallback=None, clip_timestamps="5,40,45,70"
    ),
    "hallucinations": DecodingSettings(
        beam_size=1,
        temperature_increment_on_fallback=None,
        word_timestamps=True,
        hallucination_silence_threshold=0.5,
    ),
}


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return transcriber_on(MODEL)


@pytest.fixture(scope="module")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute and a quarter, which takes no time to decode."""
    path = tmp_path_factory.mktemp("sound") / "minute.wav"
    write_wav(path, decode_audio(MINUTE))
    return path


@pytest.mark.parametrize("mode", MODES)
def test_every_window_is_a_resume_point(
    transcriber: Transcriber, minute: Path, mode: str, tmp_path: Path
) -> None:
    with prepared_file(transcriber, minute, tmp_path, MODES[mode]) as ready:
        plan = transcriber.plan(ready)
        whole = list(transcriber.windows(ready, plan))
        assert len(whole) > 2
        for done in range(len(whole)):
            # as it comes back from the journal
            kept = msgspec.json.decode(
                msgspec.json.encode(whole[:done]), type=tuple[WindowResult, ...]
            )
            state = kept[-1].state if kept else None
            again = at_resume(ready, ResumePoint(plan, state, kept[-1].seconds if kept else 0.0))
            rest = list(transcriber.windows(again, plan))
            assert [*kept, *rest] == whole


def test_every_window_is_a_resume_point_where_the_temperature_falls_back(
    transcriber: Transcriber, minute: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every decoding fails and is tried again; so little heat that sampling gives one result."""
    monkeypatch.setattr(DecodingSettings, "temperatures", (0.0, LITTLE_HEAT))
    decoding = DecodingSettings(beam_size=1, best_of=1, logprob_threshold=0.0)
    with prepared_file(transcriber, minute, tmp_path, decoding) as ready:
        plan = transcriber.plan(ready)
        whole = list(transcriber.windows(ready, plan))
        heat = {segment.temperature for window in whole for segment in window.segments}
        assert heat == {LITTLE_HEAT}
        for done in range(1, len(whole)):
            again = at_resume(
                ready, ResumePoint(plan, whole[done - 1].state, whole[done - 1].seconds)
            )
            assert whole[:done] + list(transcriber.windows(again, plan)) == whole


def test_a_window_that_is_left_out_costs_only_itself(
    transcriber: Transcriber, minute: Path, tmp_path: Path
) -> None:
    with prepared_file(transcriber, minute, tmp_path, MODES["sequential"]) as ready:
        plan = transcriber.plan(ready)
        first = next(iter(transcriber.windows(ready, plan)))
        again = at_resume(ready, ResumePoint(plan, first.state, first.seconds))
        rest = list(transcriber.windows(again, plan, skip_first=True))
    assert rest[0].skipped
    assert rest[0].segments == ()
    window = transcriber.model.feature_extractor.nb_max_frames
    assert rest[0].state.seek == first.state.seek + window
    assert rest[-1].state.done
    assert not any(window.skipped for window in rest[1:])


def test_what_changed_since_is_not_resumed(
    transcriber: Transcriber, minute: Path, tmp_path: Path
) -> None:
    decoding = MODES["sequential"]
    with prepared_file(transcriber, minute, tmp_path, decoding) as ready:
        plan = transcriber.plan(ready)
        window = next(iter(transcriber.windows(ready, plan)))
    for changed, reason in (
        (
            msgspec.structs.replace(plan, fingerprint="other", sound="other"),
            "the file has changed: it was replaced",
        ),
        (
            msgspec.structs.replace(plan, fingerprint="other", sound=""),
            "the file has changed: it was replaced",
        ),
        (
            msgspec.structs.replace(plan, sound="other"),
            "the file has changed: its audio is different",
        ),
        (msgspec.structs.replace(plan, text_hash="other"), "the settings have changed"),
    ):
        resume = ResumePoint(changed, window.state, window.seconds)
        with prepared_file(transcriber, minute, tmp_path, decoding, resume) as ready:
            assert ready.resume is None
            assert ready.restarted == reason
            assert next(iter(transcriber.windows(ready, transcriber.plan(ready)))) == window


def test_a_window_cut_at_leading_silence_changes_nothing_but_the_place(
    transcriber: Transcriber, minute: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As faster-whisper's `continue` there: the initial prompt is for the window that counts."""
    decoding = DecodingSettings(
        beam_size=1,
        temperature_increment_on_fallback=None,
        word_timestamps=True,
        hallucination_silence_threshold=0.5,
        condition_on_previous_text=False,
        initial_prompt="seven red",
    )
    monkeypatch.setattr("fwtui.engine.windows.leading_silence", lambda *_: 2.0)
    with prepared_file(transcriber, minute, tmp_path, decoding) as ready:
        plan = transcriber.plan(ready)
        window = next(iter(transcriber.windows(ready, plan)))
    assert (window.segments, window.state.seek) == ((), 200)
    assert window.state.prompt != ()
