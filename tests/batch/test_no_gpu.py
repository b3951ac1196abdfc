"""GPUs that cannot be used: libraries that are really missing, a driver that is not there.

The children are real, and so are the loader's errors. What needs a GPU to get so far is put into
the child: there a window asks the loader for a library that no system has.
"""

from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui.batch.retry import may_fall_back_to_cpu, without_gpu
from fwtui.core.events import BatchFinished, EngineChanged
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Completed, Pending
from fwtui.core.settings import BatchSettings, ComputeType, ModelSettings, Settings
from tests.batch.driver import MINUTE, SHORT, BatchDriver, settings_for

MISSING_AT_A_WINDOW = """
import ctypes
from fwtui.engine.windows import WindowLoop
step = WindowLoop.step
def needing(self, state):
    if state.seek > 0 and not ON_CPU:
        ctypes.CDLL("libcublas.so.99")
    return step(self, state)
WindowLoop.step = needing
import fwtui.engine.loop as w
load = w.locate
def asked(settings):
    global ON_CPU
    ON_CPU = settings.device == "cpu"
    return load(settings)
w.locate = asked
"""
# As cuDNN does it: a line on stderr, then abort().
ABORTS_AT_A_WINDOW = MISSING_AT_A_WINDOW.replace(
    'ctypes.CDLL("libcublas.so.99")',
    """(os.write(2, b"Unable to load any of {libcudnn_ops.so.9.1.0, libcudnn_ops.so.9}\\n"),
         ctypes.CDLL(None).abort())""",
).replace("import ctypes", "import ctypes, os", 1)


def with_gpu(out: Path, *, fallback: bool) -> Settings:
    """Where there is no GPU, "auto" loads the model on the CPU, and the child pretends."""
    settings = settings_for(out, batch=BatchSettings(cpu_fallback=fallback))
    return replace(settings, model=replace(settings.model, device="auto"))


def loads(batch: BatchDriver) -> list[str]:
    return [e.info.compute_type for e in batch.events if isinstance(e, EngineChanged) and e.info]


async def test_a_missing_library_lets_the_batch_go_on_on_the_cpu(tmp_path: Path) -> None:
    settings = with_gpu(tmp_path / "out", fallback=True)
    async with BatchDriver(settings, [MINUTE, SHORT], ABORTS_AT_A_WINDOW) as batch:
        finished = await batch.to_the_end()
    assert (finished.completed, finished.failed, finished.failure) == (2, 0, None)
    assert all(isinstance(job.state, Completed) for job in batch.jobs.values())
    assert len(loads(batch)) == 2
    (told,) = (line for line in batch.log if "Continuing on the CPU" in line)
    assert "The GPU library lib" in told
    assert "pip install 'fwtui[cuda]'" in told
    assert any("resumed at" in line for line in batch.log)  # inside the file


async def test_without_leave_the_batch_ends_with_one_sentence(tmp_path: Path) -> None:
    settings = with_gpu(tmp_path / "out", fallback=False)
    async with BatchDriver(settings, [MINUTE, SHORT], MISSING_AT_A_WINDOW) as batch:
        finished = await batch.to_the_end()
        assert finished.failure is not None
        assert finished.failure.kind is FailureKind.LIBRARY_MISSING
        assert finished.failure.title == "The GPU library libcublas.so.99 is missing"
        assert (finished.completed, finished.failed) == (0, 0)
        assert all(isinstance(job.state, Pending) for job in batch.jobs.values())
        begun = batch.jobs[1].state
        assert isinstance(begun, Pending)
        assert begun.done_seconds > 0


async def test_a_gpu_without_a_driver(tmp_path: Path) -> None:
    """Really asked for: CTranslate2 says itself that there is none."""
    settings = settings_for(tmp_path / "out", batch=BatchSettings(cpu_fallback=True))
    model = replace(settings.model, device="cuda", device_index="0,1", compute_type="float16")
    async with BatchDriver(replace(settings, model=model), [SHORT]) as batch:
        batch_end: BatchFinished = await batch.to_the_end()
    assert batch_end.completed == 1
    assert loads(batch) == ["int8_float32"]


NO_LIBRARY = Failure(FailureKind.LIBRARY_MISSING, "missing")


@pytest.mark.parametrize(
    ("failure", "device", "allowed", "goes_on"),
    [
        (NO_LIBRARY, "auto", True, True),
        (NO_LIBRARY, "cuda", True, True),
        (NO_LIBRARY, "cuda", False, False),
        (NO_LIBRARY, "cpu", True, False),
        (Failure(FailureKind.CUDA_UNAVAILABLE, "no driver"), "cuda", True, True),
        (Failure(FailureKind.MODEL_MISSING, "no model"), "cuda", True, False),
    ],
)
def test_when_a_batch_goes_on_on_the_cpu(
    failure: Failure, device: str, allowed: bool, goes_on: bool
) -> None:
    model = ModelSettings(device=device)  # type: ignore[arg-type]
    settings = Settings(model=model, batch=BatchSettings(cpu_fallback=allowed))
    assert may_fall_back_to_cpu(failure, settings) is goes_on


@pytest.mark.parametrize(
    ("wanted", "used"),
    [("float16", "int8"), ("int8_bfloat16", "int8"), ("auto", "auto"), ("float32", "float32")],
)
def test_weights_on_the_cpu(wanted: ComputeType, used: ComputeType) -> None:
    model = without_gpu(ModelSettings(device="cuda", compute_type=wanted))
    assert (model.device, model.compute_type) == ("cpu", used)
