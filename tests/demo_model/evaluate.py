"""How good the demo model is: python -m tests.demo_model.evaluate [FOLDER] [--windows 40].

Speech of voices that training never heard, transcribed by faster-whisper itself.
"""

import argparse
import difflib
import itertools
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel

from tests.demo_model.scene import Said, scene
from tests.demo_model.speech import RATE

# language of the speech, language of the text, task
TASKS = (("en", "en", "transcribe"), ("de", "de", "transcribe"), ("de", "en", "translate"))
SHIPPED = Path(__file__).parents[2] / "fwtui/demo/model"


@dataclass
class Score:
    """Sums over many recordings."""

    words: int = 0
    right: int = 0
    starts: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        return self.right / max(1, self.words)

    def add_words(self, expected: list[str], found: list[str]) -> None:
        """Count words right; insertions count as errors too."""
        matcher = difflib.SequenceMatcher(a=expected, b=found, autojunk=False)
        same = sum(block.size for block in matcher.get_matching_blocks())
        inserted = max(0, len(found) - len(expected))
        self.words += len(expected)
        self.right += max(0, same - inserted)

    def add_times(self, said: list[Said], found: list[tuple[float, float, str]], lang: str) -> None:
        """Errors of segment times, for the phrases whose text was found whole."""
        for phrase in said:
            text = phrase.text(lang)
            near = [s for s in found if s[2].strip() == text and abs(s[0] - phrase.start) < 3]
            if near:
                self.starts.append(abs(near[0][0] - phrase.start))
                self.ends.append(abs(near[0][1] - phrase.end))


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))] if values else float("nan")


def transcripts(model: WhisperModel, count: int) -> None:
    for language, spoken, task in TASKS:
        score, detected = Score(), 0
        for index in range(count):
            sound, said = scene(5000 + index + 1000 * (language == "de"), language, 28)
            segments, info = model.transcribe(sound, task=task)
            found = list(segments)
            detected += info.language == language
            text = " ".join(segment.text for segment in found).split()
            score.add_words(" ".join(p.text(spoken) for p in said).split(), text)
            score.add_times(said, [(s.start, s.end, s.text) for s in found], spoken)
        print(
            f"{language} {task}: words {score.accuracy:.1%} of {score.words}, "
            f"language right {detected / count:.0%}, phrases found whole {len(score.starts)}, "
            f"start error median {quantile(score.starts, 0.5):.2f} s p95 "
            f"{quantile(score.starts, 0.95):.2f} s, end error median "
            f"{quantile(score.ends, 0.5):.2f} s p95 {quantile(score.ends, 0.95):.2f} s"
        )


def silence(model: WhisperModel, count: int) -> None:
    rng = np.random.default_rng(1)
    empty = 0
    for index in range(count):
        level = 0.0 if index % 4 == 0 else 10 ** rng.uniform(-5, -2)
        sound = rng.standard_normal(RATE * 20).astype(np.float32) * np.float32(level)
        segments, _ = model.transcribe(sound, language="en")
        empty += not list(segments)
    print(f"silence and noise: {empty / count:.0%} without any text")


def word_times(model: WhisperModel, count: int) -> None:
    """Errors of the starts and ends of words, in the phrases whose text was found whole."""
    starts: list[float] = []
    ends: list[float] = []
    total = 0
    for index in range(count):
        language = ("en", "de")[index % 2]
        sound, said = scene(9000 + index, language, 28)
        segments, _ = model.transcribe(sound, word_timestamps=True, language=language)
        total += sum(len(phrase.words) for phrase in said)
        for segment in segments:
            words = [word for word in segment.words or [] if word.word.strip()]
            text = " ".join(word.word.strip() for word in words)
            for phrase in said:
                if phrase.text(language) == text and abs(phrase.start - segment.start) < 3:
                    pairs = zip(words, itertools.pairwise(phrase.bounds), strict=True)
                    for word, (start, end) in pairs:
                        starts.append(abs(word.start - start))
                        ends.append(abs(word.end - end))
                    break
    print(
        f"word times: {len(starts)} of {total} words, "
        f"start error median {quantile(starts, 0.5):.2f} s p95 {quantile(starts, 0.95):.2f} s, "
        f"end error median {quantile(ends, 0.5):.2f} s p95 {quantile(ends, 0.95):.2f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=SHIPPED)
    parser.add_argument("--windows", type=int, default=40)
    arguments = parser.parse_args()
    model = WhisperModel(str(arguments.folder), device="cpu", compute_type="int8")
    transcripts(model, arguments.windows)
    silence(model, arguments.windows)
    word_times(model, arguments.windows)


if __name__ == "__main__":
    main()
