"""Peak memory by the length of the file, in each mode, beside faster-whisper's `transcribe`.

python -m tests.benchmarks.memory_by_length [--minutes 10 60] [--modes sequential batched ...]
python -m tests.benchmarks.memory_by_length --minutes 600 --windows 100

The number is the kernel's peak resident memory (VmHWM) of the engine child, which has no children,
in MB. With `--windows` a file is given up after so many windows or batches: all of it was decoded,
searched for speech and scanned by then. With `--rounds` it is the median of so many runs: the
memory comes in pages of 2 MB, and may differ by 16 MB from run to run. Files are the long demo
clip, repeated without re-encoding.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from msgspec.structs import replace

from fwtui import demo
from fwtui.core.settings import DecodingSettings, ModelSettings
from fwtui.engine.client import EngineClient
from fwtui.engine.protocol import (
    Cancel,
    FileFailed,
    Finished,
    Shutdown,
    Stopped,
    Transcribe,
    Window,
)

BASE = DecodingSettings(beam_size=1, temperature_increment_on_fallback=None)
MODES = {
    "sequential": BASE,
    "vad": replace(BASE, vad_filter=True),
    "words": replace(BASE, word_timestamps=True, vad_filter=True),
    "languages": replace(BASE, multilingual=True, language_detection_segments=8),
    "hotwords": replace(BASE, hotwords="monday"),
    "clips": replace(BASE, clip_timestamps="30"),
    "batched": replace(BASE, batched=True, batch_size=8),
    "batched words": replace(BASE, batched=True, batch_size=8, word_timestamps=True),
}
WHISPER = """
import sys
from faster_whisper import BatchedInferencePipeline, WhisperModel
model = WhisperModel(sys.argv[1], device="cpu", cpu_threads=1)
options = {"beam_size": 1, "temperature": 0.0}
if "batched" in sys.argv[3]:
    model = BatchedInferencePipeline(model)
    options |= {"batch_size": 8, "without_timestamps": False}
else:
    options["vad_filter"] = sys.argv[3] in ("vad", "words")
options["word_timestamps"] = "words" in sys.argv[3]
segments, _ = model.transcribe(sys.argv[2], **options)
for number, _ in enumerate(segments):
    if number == int(sys.argv[4]):
        break
print(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
"""


def peak(pid: int) -> float:
    """Peak resident memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def sound_file(folder: Path, minutes: int) -> Path:
    path = folder / f"{minutes}.opus"
    source = ["-stream_loop", str(minutes // 3), "-i", str(demo.clips()[-1])]
    command = ["ffmpeg", "-v", "error", "-y", *source, "-t", str(minutes * 60), "-c", "copy"]
    subprocess.run([*command, str(path)], check=True)
    return path


def ours(path: Path, decoding: DecodingSettings, windows: int, folder: Path) -> tuple[float, int]:
    """Peak of our engine, and how many windows (or batches) it did."""
    model = ModelSettings(model=str(demo.model_dir()), device="cpu", threads=1)
    client = EngineClient(model, lambda _: None)
    client.send(Transcribe(1, str(path), decoding, "hash", str(folder / "tmp.wav")))
    done = 0
    for reply in client.replies():
        if isinstance(reply, FileFailed):
            raise SystemExit(str(reply.failure))
        if isinstance(reply, Finished | Stopped):
            break
        if isinstance(reply, Window):
            done += 1
            if done == windows:
                client.send(Cancel(1))
    found = peak(client.pid)
    client.send(Shutdown())
    for _ in client.replies():
        pass
    client.wait()
    return found, done


def theirs(path: Path, mode: str, windows: int) -> float:
    command = [sys.executable, "-c", WHISPER, str(demo.model_dir()), str(path), mode, str(windows)]
    return int(subprocess.run(command, check=True, capture_output=True).stdout) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, nargs="+", default=[10, 60])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--windows", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--whisper", action="store_true", help="faster-whisper's peak as well")
    arguments = parser.parse_args()
    print(f"{'mode':<14} {'minutes':>8} {'fwtui MB':>9} {'faster-whisper MB':>18} {'windows':>8}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for mode in arguments.modes:
            for minutes in arguments.minutes:
                path = sound_file(folder, minutes)
                runs = [
                    ours(path, MODES[mode], arguments.windows, folder)
                    for _ in range(arguments.rounds)
                ]
                found, windows = statistics.median(peak for peak, _ in runs), runs[0][1]
                whisper = theirs(path, mode, arguments.windows or -1) if arguments.whisper else 0
                print(
                    f"{mode:<14} {minutes:8} {found:9.0f} {whisper or float('nan'):18.0f}"
                    f" {windows:8}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
