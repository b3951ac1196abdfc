"""Make the demo clips: python -m tests.demo_model.clips FOLDER (needs espeak-ng and ffmpeg)."""

import argparse
import json
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np

from tests.demo_model.scene import scene
from tests.demo_model.speech import RATE

# Of the voices kept from training, those that sound least like a machine.
VOICES = ("m4", "Michael", "Hugo", "sandro")
# Seeds are chosen so that the model gets at least 95 % of the words of each clip.
# name, language, seed, seconds, encoder options
CLIPS = (
    ("english-short.flac", "en", 13, 8, ()),
    ("english-weekdays.flac", "en", 15, 11, ()),
    ("german-short.flac", "de", 22, 8, ()),
    ("german-colours.flac", "de", 24, 11, ()),
    ("english-three-minutes.opus", "en", 32, 180, ("-c:a", "libopus", "-b:a", "22k")),
)


def write_wav(path: Path, sound: np.ndarray) -> None:
    """16 kHz mono int16."""
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


def make_clips(folder: Path) -> None:
    """Write the clips and `clips.json`, which says what is in them."""
    folder.mkdir(parents=True, exist_ok=True)
    index = {}
    for name, language, seed, seconds, options in CLIPS:
        sound, said = scene(seed, language, seconds, noise=0.0002, voices=VOICES)
        with tempfile.TemporaryDirectory() as scratch:
            wav = Path(scratch, "clip.wav")
            write_wav(wav, sound)
            command = ["ffmpeg", "-y", "-loglevel", "error", "-i", wav, "-map_metadata", "-1"]
            subprocess.run(
                [
                    *command,
                    "-fflags",
                    "+bitexact",
                    "-flags:a",
                    "+bitexact",
                    *options,
                    folder / name,
                ],
                check=True,
            )
        phrases = [
            {"start": round(p.start, 2), "end": round(p.end, 2), "text": p.text(language)}
            for p in said
        ]
        english = " ".join(p.text("en") for p in said)
        index[name] = {"language": language, "phrases": phrases, "english": english}
    (folder / "clips.json").write_text(
        json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    make_clips(parser.parse_args().folder)


if __name__ == "__main__":
    main()
