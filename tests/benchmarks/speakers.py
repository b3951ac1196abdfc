"""Speakers: how right, how fast, in how much memory: `python -m tests.benchmarks.speakers`.

Each recording of a folder that an RTTM file tells the truth about. The same models and recordings
go through sherpa-onnx, at its defaults, if a Python that has it is named (`--sherpa`). `--make`
joins the recordings to a long one first, for speed and memory.
"""

import argparse
import json
import os
import subprocess
import tempfile
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path

import psutil

from fwtui.audio.decode import decode_to_wav
from fwtui.audio.signal import Pcm
from fwtui.core.voices import WINDOWS_AT_ONCE
from fwtui.engine.turn_finder import load_voice_models
from fwtui.models.speaker_models import SpeakerFiles, locate_speakers
from fwtui.speakers.voices_of_file import FileVoices, VoiceModels
from tests.diarization import Errors, Span, read_rttm, score, total

MB = 2**20
COLLAR = 0.25
# As in the example of its documentation, which are its defaults.
SHERPA = """
import json, sys, time, wave
import numpy as np, sherpa_onnx as so
segmentation, embedding, *files = sys.argv[1:]
config = so.OfflineSpeakerDiarizationConfig(
    segmentation=so.OfflineSpeakerSegmentationModelConfig(
        pyannote=so.OfflineSpeakerSegmentationPyannoteModelConfig(model=segmentation)),
    embedding=so.SpeakerEmbeddingExtractorConfig(model=embedding),
    clustering=so.FastClusteringConfig(num_clusters=-1, threshold=0.5),
    min_duration_on=0.3, min_duration_off=0.5)
diarization = so.OfflineSpeakerDiarization(config)
for file in files:
    with wave.open(file) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / np.float32(32768)
    began = time.process_time()
    turns = diarization.process(samples).sort_by_start_time()
    took = time.process_time() - began
    print(json.dumps([took, [(t.start, t.end, str(t.speaker)) for t in turns]]), flush=True)
"""


def ours(files: SpeakerFiles, wavs: list[Path], threshold: float) -> list[tuple[float, list[Span]]]:
    """CPU seconds and turns of each file."""
    models = load_voice_models(files, 1)
    models = VoiceModels(
        models.segmentation, models.embedding, threshold or files.threshold, models.identity
    )
    found = []
    for wav in wavs:
        with Pcm(wav) as pcm:
            began = time.process_time()
            voices = FileVoices(models, pcm)
            for _ in voices.hear(lambda: WINDOWS_AT_ONCE):
                pass
            turns = voices.turns()
            took = time.process_time() - began
        found.append((took, [(turn.start, turn.end, str(turn.speaker)) for turn in turns]))
    return found


def sherpa(python: str, files: SpeakerFiles, wavs: list[Path]) -> list[tuple[float, list[Span]]]:
    """CPU seconds and turns of each file, by sherpa-onnx."""
    command = [python, "-c", SHERPA, files.segmentation, files.embedding, *map(str, wavs)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return [
        (took, [(start, end, who) for start, end, who in turns])
        for took, turns in map(json.loads, done.stdout.splitlines())
    ]


def peak_of(work: Callable[[], object]) -> float:
    """MB that the work adds at most, measured a hundred times a second."""
    process, over = psutil.Process(os.getpid()), threading.Event()
    before = most = process.memory_info().rss

    def watch() -> None:
        nonlocal most
        while not over.wait(0.01):
            most = max(most, process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    work()
    over.set()
    thread.join()
    return float(most - before) / MB


def joined(wavs: list[Path], hours: float, target: Path) -> Path:
    """A recording of so many hours, made of the others."""
    pieces = []
    for wav in wavs:
        with wave.open(str(wav)) as sound:
            pieces.append(sound.readframes(sound.getnframes()))
    left = round(hours * 3600) * 32000
    with wave.open(str(target), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        while left > 0:
            for piece in pieces:
                sound.writeframesraw(piece[:left])
                left -= len(piece)
                if left <= 0:
                    break
    return target


def report(
    name: str,
    results: list[tuple[float, list[Span]]],
    truth: dict[str, list[Span]],
    wavs: list[Path],
    *,
    each: bool,
) -> Errors:
    """Print the errors of one program, and return them."""
    strict, lenient, seconds = [], [], 0.0
    for wav, (_, turns) in zip(wavs, results, strict=True):
        length = wav.stat().st_size / 32000
        seconds += length
        strict.append(score(truth[wav.stem], turns, length))
        lenient.append(score(truth[wav.stem], turns, length, COLLAR))
        if each:
            speakers = len({who for *_, who in turns}), len({who for *_, who in truth[wav.stem]})
            print(f"  {wav.stem}: {strict[-1].rate:.3f}, {speakers[0]} of {speakers[1]} speakers")
    work = sum(took for took, _ in results)
    sums = total(strict)
    print(
        f"{name:14} DER {sums.rate:.3f} (missed {sums.missed:.1f} s, false {sums.false:.1f} s, "
        f"confused {sums.confused:.1f} s of {sums.speech:.1f} s); with a collar of {COLLAR} s "
        f"{total(lenient).rate:.3f}; {seconds / work:.0f} s of audio per CPU second"
    )
    return sums


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", type=Path, help="folder with recordings and one RTTM file")
    parser.add_argument("--models", default="", help="folder with both models, or a name")
    parser.add_argument("--sherpa", metavar="PYTHON", help="a Python with sherpa-onnx")
    parser.add_argument("--threshold", type=float, nargs="*", default=[0.0])
    parser.add_argument("--each", action="store_true", help="each recording, too")
    parser.add_argument("--make", metavar="HOURS", type=float, help="speed and memory instead")
    options = parser.parse_args()
    files = locate_speakers(options.models)
    (rttm,) = options.recordings.glob("*.rttm")
    truth = read_rttm(rttm)
    with tempfile.TemporaryDirectory() as folder:
        wavs = []
        for name in sorted(truth):
            (media,) = options.recordings.glob(f"{name}.*")
            wavs.append(Path(folder, f"{name}.wav"))
            decode_to_wav(media, wavs[-1], lambda _: None, lambda: False)
        if options.make:
            long = joined(wavs, options.make, Path(folder, "long.wav"))
            results: list[tuple[float, list[Span]]] = []
            added = peak_of(lambda: results.extend(ours(files, [long], 0.0)))
            ((took, turns),) = results
            print(
                f"{options.make:g} h: {took:.0f} CPU seconds, {options.make * 3600 / took:.0f} s "
                f"of audio per CPU second, {added:.0f} MB, {len(turns)} turns"
            )
            return
        for threshold in options.threshold:
            found = ours(files, wavs, threshold)
            report(f"fwtui {threshold or ''}", found, truth, wavs, each=options.each)
        if options.sherpa:
            found = sherpa(options.sherpa, files, wavs)
            report("sherpa-onnx", found, truth, wavs, each=options.each)


if __name__ == "__main__":
    main()
