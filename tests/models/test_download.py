"""Downloads from a real server that plays the hub, by the real child."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from fwtui.core.settings import ModelSettings
from fwtui.errors import ModelError
from fwtui.models.cache import PARTIAL, cached, hub_cache, locate, repo_folder
from fwtui.models.client import TransferRate, remote_size, remove, request_replies
from fwtui.models.protocol import AnyReply, Done, Download, Planned, RequestFailed, TransferProgress
from tests.models.hub import LARGE, TOKEN, FakeHub, demo_files, environment, etag, fake_hub

REPO = "Systran/faster-whisper-tiny"
WANTED = {name: data for name, data in demo_files().items() if "README" not in name}
del WANTED["pytorch_model.bin"]
TOTAL = sum(map(len, WANTED.values()))


class Downloads:
    """One cache, and attempts to get the model into it."""

    def __init__(self, hub: FakeHub, home: Path, repo: str = REPO) -> None:
        self.environ = {**os.environ, **environment(hub, home)}
        self.cache = hub_cache(None, self.environ)
        self.repo = repo

    async def run(self, until: Callable[[AnyReply], bool] = lambda _: False) -> list[AnyReply]:
        """All replies, or up to one, where the download is paused."""
        found: list[AnyReply] = []
        async with request_replies(Download(self.repo, str(self.cache)), self.environ) as replies:
            async for reply in replies:
                found.append(reply)
                if until(reply):
                    break
        return found

    def partial(self) -> Path:
        blob = etag(WANTED["model.bin"])
        return repo_folder(self.repo, self.cache) / "blobs" / f"{blob}{PARTIAL}"


def failure(found: list[AnyReply]) -> str:
    last = found[-1]
    assert isinstance(last, RequestFailed), found
    assert last.failure.hint
    return last.failure.title


async def test_a_model_comes_and_goes(tmp_path: Path) -> None:
    with fake_hub() as hub:
        hub.private = True  # a token is sent to the hub, and not to where the files are
        one = Downloads(hub, tmp_path)
        found = await one.run()
        assert isinstance(found[0], Planned)
        sizes = [reply.done for reply in found if isinstance(reply, TransferProgress)]
        assert sizes == sorted(sizes)
        assert sizes[-1] == TOTAL
        done = found[-1]
        assert isinstance(done, Done)
        settings = ModelSettings(model="tiny", local_files_only=True)
        folder = locate(settings, one.environ)
        assert folder == Path(done.folder)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == WANTED
        assert {seen.token for seen in hub.seen if not seen.path.startswith("/cdn")} == {TOKEN}
        assert {seen.token for seen in hub.seen if seen.path.startswith("/cdn")} == {""}
        assert await remove(REPO, str(one.cache), one.environ) >= TOTAL
        assert cached(REPO, one.cache) is None


async def test_a_paused_download_goes_on_where_it_was(tmp_path: Path) -> None:
    """And a line that drops is taken up again by itself."""
    with fake_hub() as hub:
        hub.hold = 400_000
        one = Downloads(hub, tmp_path)
        small = TOTAL - len(WANTED["model.bin"])

        def enough(reply: AnyReply) -> bool:
            return isinstance(reply, TransferProgress) and reply.done > small + LARGE

        await one.run(enough)
        assert hub.held.is_set()
        kept = one.partial().stat().st_size
        assert LARGE < kept <= hub.hold
        half = cached(REPO, one.cache)
        assert half is not None
        assert (half.folder, half.partial) == (None, kept)
        hub.go_on.set()
        hub.cut = 2 * LARGE
        found = await one.run()
        planned = found[0]
        assert isinstance(planned, Planned)
        assert planned.here == small + kept
        assert isinstance(found[-1], Done)
        first, second, third = (seen.range for seen in hub.gets(f"cdn/{REPO}/model.bin"))
        assert (first, second) == ("", f"bytes={kept}-")
        assert kept < int(third.removeprefix("bytes=").removesuffix("-")) <= kept + 2 * LARGE
        assert (Path(found[-1].folder) / "model.bin").read_bytes() == WANTED["model.bin"]


async def test_a_wrong_checksum_is_thrown_away_and_told(tmp_path: Path) -> None:
    with fake_hub() as hub:
        hub.spoil = True
        one = Downloads(hub, tmp_path)
        found = await one.run()
        assert "checksum is wrong" in failure(found)
        half = cached(REPO, one.cache)
        assert half is not None
        assert (half.folder, half.partial) == (None, 0)
        hub.spoil = False
        assert isinstance((await one.run())[-1], Done)
        locate(ModelSettings(model="tiny"), one.environ)


async def test_another_program_that_downloads_the_same_is_not_disturbed(tmp_path: Path) -> None:
    with fake_hub() as hub:
        one = Downloads(hub, tmp_path)
        locks = one.cache / ".locks" / repo_folder(REPO, one.cache).name
        locks.mkdir(parents=True)
        with FileLock(locks / f"{etag(WANTED['model.bin'])}.lock"):
            assert "Another program is downloading" in failure(await one.run())
        assert not hub.gets("model.bin")


async def test_what_cannot_be_downloaded_says_why(tmp_path: Path) -> None:
    lacking = {name: data for name, data in WANTED.items() if name != "model.bin"}
    with fake_hub({"me/transformers": lacking, REPO: WANTED}) as hub:
        one = Downloads(hub, tmp_path, "me/transformers")
        found = await one.run()
        assert "not a CTranslate2 model" in failure(found)
        assert isinstance(found[-1], RequestFailed)
        assert "ct2-transformers-converter --model me/transformers" in found[-1].failure.hint
        hub.private = True
        one.environ["HF_TOKEN"] = "hf_wrong"
        assert "has no model me/transformers, or it is private" in failure(await one.run())
        one.environ["HF_HUB_OFFLINE"] = "1"
        assert "HF_HUB_OFFLINE forbids downloading" in failure(await one.run())
    gone = Downloads(hub, tmp_path)
    with pytest.raises(ModelError, match="Cannot reach"):
        await remote_size(REPO, str(gone.cache), gone.environ)


async def test_room_on_the_disk_is_looked_at_first(tmp_path: Path) -> None:
    """A sparse repository: the hub says that it has far more than any disk has room for."""
    from tests.models import hub as hubs

    class Huge(bytes):
        def __len__(self) -> int:
            return 1 << 60

    with hubs.fake_hub({REPO: {**WANTED, "model.bin": Huge(b"x")}}) as hub:
        one = Downloads(hub, tmp_path)
        found = await one.run()
        assert "free" in failure(found)
        assert not hub.gets("model.bin")


def test_pace() -> None:
    pace = TransferRate()
    assert (pace.speed, pace.seconds_left(100)) == (0.0, None)
    for second in range(20):
        pace.add(float(second), 10 * second)
    assert pace.speed == pytest.approx(10)
    assert pace.seconds_left(290) == pytest.approx(10)
