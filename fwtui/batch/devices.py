"""Where the engines of a batch are: pure."""

from fwtui.core.settings import Settings


def places(settings: Settings, gpus: int) -> tuple[int, ...]:
    """The device number of each slot: each GPU that was asked for, `workers` times.

    `gpus` is how many this machine has. Without any, "auto" means the CPU, which is number 0.
    """
    device = settings.model.device
    on_cpu = device == "cpu" or (device == "auto" and gpus == 0)
    devices = (0,) if on_cpu else settings.model.device_indexes
    return devices * settings.batch.workers
