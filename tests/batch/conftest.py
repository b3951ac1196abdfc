"""What several tests compare with, made once."""

import asyncio

import pytest

from tests.batch.driver import MINUTE, BatchDriver, outputs, settings_for


@pytest.fixture(scope="session")
def whole_minute(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The outputs of `MINUTE` when nothing comes between."""
    folder = tmp_path_factory.mktemp("whole")

    async def work() -> None:
        async with BatchDriver(settings_for(folder / "out"), [MINUTE]) as batch:
            assert (await batch.to_the_end()).completed == 1

    with pytest.MonkeyPatch.context() as patched:
        for name in ("STATE", "CACHE", "CONFIG"):
            patched.setenv(f"FWTUI_{name}_DIR", str(folder / name.lower()))
        asyncio.run(work())
    return outputs(folder / "out")
