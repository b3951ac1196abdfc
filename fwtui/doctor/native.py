"""A child process that reports what CTranslate2 can do: `python -m fwtui.doctor.native`."""

import ctranslate2
import msgspec

from fwtui.doctor.results import Native


def main() -> None:
    """Write the capabilities as JSON to stdout."""
    count = ctranslate2.get_cuda_device_count()
    found = Native(
        version=ctranslate2.__version__,
        gpus=count,
        cpu_types=tuple(sorted(ctranslate2.get_supported_compute_types("cpu"))),
        gpu_types=tuple(sorted(ctranslate2.get_supported_compute_types("cuda"))) if count else (),
    )
    print(msgspec.json.encode(found).decode())  # noqa: T201


if __name__ == "__main__":
    main()
