"""GPU choice: which devices the engines of a batch run on. Pure."""

from fwtui.core.settings import Settings


def device_indexes(settings: Settings, gpus: int) -> tuple[int, ...]:
    """The device index of each slot: every GPU of the settings, `batch.workers` times.

    `gpus` is the number of GPUs of this machine. Without any, "auto" means the CPU, as index 0.
    """
    device = settings.model.device
    on_cpu = device == "cpu" or (device == "auto" and gpus == 0)
    devices = (0,) if on_cpu else settings.model.device_indexes
    return devices * settings.batch.workers
