"""Child process that makes a voice print: `python -m fwtui.engine.voice_print`.

Reads one `VoicePrintTask`, as a line of JSON, and writes the `VoicePrintAnswer`.
"""

import contextlib
import sys
import traceback
from pathlib import Path

import msgspec

from fwtui.audio.decode import decode_to_wav
from fwtui.audio.signal import Pcm
from fwtui.core.paths import text_to_path
from fwtui.core.speakers import speaker_times
from fwtui.core.voices import WINDOWS_AT_ONCE, VoicePrint, VoicePrintAnswer, VoicePrintTask
from fwtui.engine.child import lower_priority
from fwtui.engine.classify import classify_exception
from fwtui.engine.turn_finder import load_voice_models
from fwtui.errors import BadMediaError
from fwtui.models.speaker_models import locate_speakers
from fwtui.speakers.voices_of_file import FileVoices

_THREADS = 4  # more do not make the small models faster


def voice_print(task: VoicePrintTask) -> VoicePrint:
    """The voice of who speaks most in a recording. Raises FwtuiError, OSError, MemoryError."""
    path, wav = text_to_path(task.path), text_to_path(task.scratch)
    files = locate_speakers(task.model, task.model_dir)
    models = load_voice_models(files, _THREADS)
    try:
        decode_to_wav(path, wav, lambda _: None, lambda: False)
        with contextlib.closing(Pcm(wav)) as pcm:
            heard = FileVoices(models, pcm)
            for _ in heard.hear(lambda: WINDOWS_AT_ONCE):
                pass
            turns, voices = heard.speakers()
    finally:
        wav.unlink(missing_ok=True)
    times = [time for time in speaker_times(turns) if time.speaker in voices]
    if not times:
        raise BadMediaError(
            f"No voice can be heard well enough in {path.name}",
            "use a recording in which the person speaks alone for some seconds",
        )
    most = max(times, key=lambda time: time.seconds)
    return VoicePrint(
        model=models.embedding_identity,
        model_file=Path(files.embedding).name,
        vector=voices[most.speaker].astype("<f2").tobytes(),
        seconds=most.seconds,
        all_seconds=round(sum(time.seconds for time in speaker_times(turns)), 3),
        speakers=len(speaker_times(turns)),
    )


def main() -> None:
    """Answer one task."""
    lower_priority()
    try:
        task = msgspec.json.decode(sys.stdin.buffer.readline(), type=VoicePrintTask)
        answer = VoicePrintAnswer(made=voice_print(task))
    except Exception as error:  # noqa: BLE001  the process's outermost frame: the parent is told
        traceback.print_exc()
        answer = VoicePrintAnswer(failure=classify_exception(error))
    sys.stdout.buffer.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    main()
