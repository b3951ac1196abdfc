"""Readings of real processes, and of GPUs that answer in every way."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from fwtui.memory.cgroup import CgroupMeter
from fwtui.memory.gpu import GpuMeter
from fwtui.memory.measure import MB, MemoryMeter

# A process that holds 64 MB once it has said so, with a child that does the same. Each says it in
# one write: print may take two, and both have the same pipe.
HOLD = (
    "import sys; x = bytearray(b'x') * (64 << 20);"
    "sys.stdout.write(str(len(x)) + chr(10)); sys.stdout.flush(); sys.stdin.read()"
)
FAMILY = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {HOLD!r}]); {HOLD}"


def test_a_tree_is_read_with_its_descendants() -> None:
    meter = MemoryMeter()
    before = meter.read()
    with subprocess.Popen(
        [sys.executable, "-c", FAMILY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as family:
        assert family.stdout
        lines = [family.stdout.readline() for _ in range(2)]
        during = meter.read()
        of_family = MemoryMeter(family.pid).read()
        family.communicate()
    after = meter.read()
    assert lines == [b"67108864\n"] * 2
    assert during.rss - before.rss > 128
    assert 128 < of_family.rss < during.rss
    assert during.rss < during.vms
    assert after.rss < during.rss - 100
    assert after.peak_rss == during.peak_rss == during.rss
    assert during.engines > 128 > after.engines
    assert meter.last_engines is not None
    if sys.platform.startswith("linux"):
        assert of_family.pss is not None
        assert 128 < of_family.pss < of_family.rss


def test_a_process_that_measured_itself_counts_with_its_own_figure() -> None:
    meter = MemoryMeter()
    usual = meter.read()
    assert meter.read({os.getpid(): usual.rss + 5000.0}).rss > usual.rss + 4000.0


def test_the_machine() -> None:
    reading = MemoryMeter(cgroup=CgroupMeter(Path("/nonexistent"))).read()
    total = psutil.virtual_memory().total / MB
    assert reading.system_total == total
    assert 0 < reading.system_used < total
    assert reading.percent == pytest.approx(100 * reading.rss / total)
    assert reading.rss <= reading.peak_rss
    assert 0 < reading.available < total
    assert (reading.cgroup_limit, reading.capacity) == (None, total)


def test_a_container_with_less_counts_instead_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "cgroup").write_text("0::/\n")
    (tmp_path / "memory.max").write_text(f"{512 * MB}\n")
    (tmp_path / "memory.current").write_text(f"{500 * MB}\n")
    reading = MemoryMeter(cgroup=CgroupMeter(tmp_path / "cgroup", tmp_path)).read()
    assert (reading.cgroup_limit, reading.capacity, reading.available) == (512, 512, 12)
    assert reading.percent == pytest.approx(100 * reading.rss / 512)


def test_a_process_that_is_gone_is_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        reading = MemoryMeter(process.pid).read()
    assert (reading.rss, reading.vms, reading.percent, reading.peak_rss) == (0, 0, 0, 0)


def test_a_child_that_vanishes_meanwhile_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    gone = psutil.Process(child.pid)
    child.communicate()
    monkeypatch.setattr(psutil.Process, "children", lambda *_args, **_options: [gone])
    assert MemoryMeter().read().rss > 0


class NvmlError(Exception):
    pass


def nvml(**replaced: Any) -> SimpleNamespace:
    """An NVML with two GPUs; a replaced value that is an error is raised."""
    answers: dict[str, Any] = {
        "nvmlInit": None,
        "nvmlDeviceGetCount": 2,
        "nvmlDeviceGetHandleByIndex": "handle",
        "nvmlDeviceGetMemoryInfo": SimpleNamespace(used=3 * MB, total=8 * MB),
        "nvmlDeviceGetName": "Some GPU",
        "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=42),
        "nvmlDeviceGetTemperature": 61,
        "nvmlDeviceGetComputeRunningProcesses": [
            SimpleNamespace(pid=7, usedGpuMemory=2 * MB),
            SimpleNamespace(pid=8, usedGpuMemory=MB),
        ],
        **replaced,
    }

    def function(answer: Any) -> Any:
        def call(*_args: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    functions = {name: function(answer) for name, answer in answers.items()}
    return SimpleNamespace(NVMLError=NvmlError, NVML_TEMPERATURE_GPU=0, **functions)


def test_gpus_are_read() -> None:
    first, second = GpuMeter(nvml).read()
    assert (first.index, first.name, first.used, first.total) == (0, "Some GPU", 3, 8)
    assert (second.index, second.utilisation) == (1, 42)
    assert (second.temperature, second.ours) == (61, None)


def test_what_we_use_of_a_gpu_is_told_from_what_others_use() -> None:
    assert [gpu.ours for gpu in GpuMeter(nvml).read({7, 9})] == [2, 2]
    unknown = nvml(
        nvmlDeviceGetComputeRunningProcesses=[SimpleNamespace(pid=7, usedGpuMemory=None)]
    )
    assert [gpu.ours for gpu in GpuMeter(lambda: unknown).read({7})] == [None, None]


@pytest.mark.parametrize(
    "broken", ["nvmlDeviceGetTemperature", "nvmlDeviceGetComputeRunningProcesses"]
)
def test_what_a_gpu_does_not_tell_is_left_out(broken: str) -> None:
    (gpu, _) = GpuMeter(lambda: nvml(**{broken: NvmlError()})).read({7})
    assert None in {gpu.temperature, gpu.ours}
    assert gpu.used == 3


def test_a_driver_that_hangs_holds_nobody_up() -> None:
    answer, asked = threading.Event(), []

    def load() -> Any:
        asked.append(1)
        answer.wait()
        return nvml()

    meter = GpuMeter(load, patience=0.01)
    assert (meter.read(), meter.read(), len(asked)) == ((), (), 1)
    answer.set()
    while not (found := meter.read()):
        pass  # its thread is about to come back
    assert [gpu.index for gpu in found] == [0, 1]


def test_gpus_are_counted_when_their_driver_is_awake() -> None:
    answer = threading.Event()
    meter = MemoryMeter(gpus=GpuMeter(lambda: (answer.wait(), nvml())[1], patience=0.01))
    assert meter.read().gpus == ()
    threading.Timer(0.1, answer.set).start()
    assert meter.count_gpus() == 2
    assert MemoryMeter(gpus=GpuMeter(nvml)).count_gpus() == 2


def test_the_whole_reading_goes_on_beside_a_hung_driver() -> None:
    answer = threading.Event()
    try:
        reading = MemoryMeter(
            gpus=GpuMeter(lambda: (answer.wait(), nvml())[1], patience=0.01)
        ).read()
        assert (reading.gpus, reading.rss > 0) == ((), True)
    finally:
        answer.set()


def test_gpu_names_may_be_bytes() -> None:
    assert GpuMeter(lambda: nvml(nvmlDeviceGetName=b"Old")).read()[0].name == "Old"


def test_a_gpu_that_does_not_tell_its_utilisation() -> None:
    found = GpuMeter(lambda: nvml(nvmlDeviceGetUtilizationRates=NvmlError())).read()
    assert [gpu.utilisation for gpu in found] == [0, 0]


@pytest.mark.parametrize("broken", ["nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex"])
def test_a_broken_driver_is_quiet(broken: str) -> None:
    meter = GpuMeter(lambda: nvml(**{broken: NvmlError()}))
    assert (meter.read(), meter.read()) == ((), ())


@pytest.mark.parametrize("error", [ImportError(), OSError()])
def test_an_absent_library_is_looked_for_once(error: Exception) -> None:
    looks = []

    def load() -> Any:
        looks.append(1)
        raise error

    meter = GpuMeter(load)
    assert (meter.read(), meter.read()) == ((), ())
    assert len(looks) == 1


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, fwtui.memory.measure, fwtui.memory.describe, fwtui.memory.cleanup;"
        "print({'psutil', 'pynvml', 'numpy'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
