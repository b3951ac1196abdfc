"""Words of real meetings are given to the right speakers, where only one speaks."""

from functools import cache
from itertools import permutations
from pathlib import Path

import pytest

from fwtui.core.attribution import with_speakers
from fwtui.core.segment import Segment, Transcript
from fwtui.core.settings import DecodingSettings, ModelSettings, SpeakerSettings
from fwtui.core.speakers import Turn, in_order_of_appearance, speaker_labels
from fwtui.core.voices import speaker_task
from fwtui.engine.turn_finder import VoiceTurns, load_voice_models
from fwtui.models.speaker_models import locate_speakers
from tests.engine.support import prepared_file
from tests.real.decoding import segments, transcriber

GREEDY = DecodingSettings(
    beam_size=1, temperature_increment_on_fallback=None, language="en", word_timestamps=True
)
MEETINGS = ("meeting03", "meeting04")


@cache
def heard(
    base: Path, voices: Path, media: Path, scratch: Path
) -> tuple[tuple[Segment, ...], tuple[Turn, ...]]:
    """The text of a recording, and who speaks when as far as the models can tell."""
    model = transcriber(base)
    task = speaker_task(SpeakerSettings(diarize="voices"), ModelSettings())
    assert task is not None
    with prepared_file(model, media, scratch, GREEDY) as ready:
        found = segments(list(model.windows(ready, model.plan(ready))))
        finder = VoiceTurns(load_voice_models(locate_speakers(str(voices)), 2), ready.pcm, task, ())
        assert list(finder.hear())
        return tuple(found), finder.speakers().turns


def truth(file: Path, meeting: str) -> list[tuple[float, float, str]]:
    """Begin, end and name of what was really said, from an rttm file."""
    rows = [line.split() for line in file.read_text().splitlines()]
    return [(float(r[3]), float(r[3]) + float(r[4]), r[7]) for r in rows if r[1] == meeting]


def right_words(
    said: tuple[Segment, ...], turns: tuple[Turn, ...], spoken: list[tuple[float, float, str]]
) -> tuple[int, int]:
    """How many words have the right speaker, of those at which exactly one speaks."""
    labels = speaker_labels(turns, "SPEAKER", {})
    found = with_speakers(Transcript("en", said, turns=turns, labels=labels))
    pairs = []
    for word in (word for segment in found.segments for word in segment.words or ()):
        middle = (word.start + word.end) / 2
        names = {name for start, end, name in spoken if start <= middle <= end}
        if len(names) == 1:
            pairs.append((word.speaker, names.pop()))
    ours = sorted({label for label, _ in pairs if label is not None})
    theirs = [*sorted({name for _, name in pairs}), *("" for _ in ours)]
    best = max(
        sum(dict(zip(ours, order, strict=True)).get(label or "") == name for label, name in pairs)
        for order in permutations(theirs, len(ours))
    )
    return best, len(pairs)


@pytest.mark.parametrize("known", [True, False], ids=["turns known", "turns found"])
def test_nine_of_ten_words(
    base: Path,
    voices: Path,
    recordings: Path,
    tmp_path_factory: pytest.TempPathFactory,
    known: bool,
) -> None:
    right = words = 0
    for meeting in MEETINGS:
        media = recordings / f"{meeting}.flac"
        said, turns = heard(base, voices, media, tmp_path_factory.getbasetemp())
        spoken = truth(recordings / "meetings.rttm", meeting)
        if known:
            names = sorted({name for _, _, name in spoken})
            turns = in_order_of_appearance(Turn(s, e, names.index(n)) for s, e, n in spoken)
        good, count = right_words(said, turns, spoken)
        right, words = right + good, words + count
    assert words > 60
    assert right / words >= 0.9, f"{right} of {words}"
