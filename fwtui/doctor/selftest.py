"""The self-test: a real engine transcribes a bundled clip with the bundled model."""

import shutil
import tempfile
import threading
import time
from pathlib import Path

from fwtui import demo
from fwtui.core.failure import Failure
from fwtui.core.paths import path_to_text
from fwtui.core.settings import DecodingSettings, ModelSettings, Settings
from fwtui.doctor.results import SelfTest
from fwtui.engine.client import EngineClient
from fwtui.engine.protocol import Fatal, FileFailed, FileFinished, Ready, Transcribe, WindowDone
from fwtui.errors import EngineError

SECONDS = 5.0


def self_test(
    wanted: ModelSettings, seconds: float = SECONDS, stop: threading.Event | None = None
) -> SelfTest:
    """Transcribe on the device in the settings; blocks, at most for this many seconds.

    Setting `stop` ends the test at once; it is always set at the end.
    """
    stop = stop or threading.Event()
    clip = demo.clips()[0]
    expected = demo.expected_text(clip)
    model = ModelSettings(
        model=str(demo.model_dir()), device=wanted.device, device_index=wanted.device_index
    )
    decoding = DecodingSettings(
        beam_size=1, temperature_increment_on_fallback=None, language=demo.clip(clip).language
    )
    began = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="fwtui-doctor-"))
    try:
        client = EngineClient(model, lambda _: None)
        client.send(
            Transcribe(
                job=1,
                path=path_to_text(clip),
                decoding=decoding,
                text_hash=Settings(model=model, decoding=decoding).text_hash(),
                scratch=path_to_text(scratch / "tmp.wav"),
            )
        )
        timer = threading.Thread(target=_end, args=(client, stop, seconds), daemon=True)
        timer.start()
        try:
            device, text, failure = _listen(client)
        finally:
            timed_out = stop.is_set() or time.monotonic() - began >= seconds
            stop.set()
            timer.join()
            ended = client.wait()
    except EngineError as error:
        return SelfTest(expected, error=error.title, fix=error.hint)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    took = time.monotonic() - began
    if text is None and timed_out:
        return SelfTest(expected, seconds=took, timed_out=True)
    if text is None:
        failure = failure or ended.failure
        return SelfTest(expected, seconds=took, error=failure.title, fix=failure.hint)
    return SelfTest(expected, text, took, device)


def _end(client: EngineClient, stop: threading.Event, seconds: float) -> None:
    stop.wait(seconds)
    client.kill()


def _listen(client: EngineClient) -> tuple[str, str | None, Failure | None]:
    """The device, the text if the file was finished, and the failure otherwise."""
    device, text = "", ""
    for reply in client.replies():
        match reply:
            case Ready(device=used):
                device = used
            case WindowDone(result=result):
                text += "".join(segment.text for segment in result.segments)
            case FileFinished():
                return device, text, None
            case Fatal(failure=failure) | FileFailed(failure=failure):
                return device, None, failure
            case _:
                pass
    return device, None, None
