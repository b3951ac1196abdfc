"""Hubs that say nothing, ask to wait, lie or attack, and models that are damaged on the disk."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from fwtui.core.settings import ModelSettings, Settings
from fwtui.errors import ModelError
from fwtui.models.cache import PARTIAL, locate
from fwtui.models.capabilities import capabilities, check_model
from fwtui.models.client import request_replies
from fwtui.models.hub import Hub, explain
from fwtui.models.patience import Patience, asked_to_wait, proxy_for
from fwtui.models.protocol import AnyReply, Done, Download, RequestFailed, Waiting
from tests.models.hub import FakeHub, etag, fake_hub, fake_proxy
from tests.models.test_download import TOTAL, WANTED, Downloads, failure

# Seconds until a hub is given up that says nothing, and one that answers, on a busy machine.
PATIENCE = 3.0
QUICKLY = 25.0
SETTINGS = Settings(model=ModelSettings(model="tiny"))


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with fake_hub() as one:
        yield one


async def child_replies(one: Downloads, patience: float = QUICKLY) -> list[AnyReply]:
    """Those of a real child."""
    request = Download(one.repo, str(one.cache), patience)
    async with request_replies(request, one.environ) as answers:
        return [reply async for reply in answers]


async def replies(one: Downloads) -> list[AnyReply]:
    """As `child_replies`, in this process: a child takes half a second to start."""
    found: list[AnyReply] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(constants, "ENDPOINT", one.environ["HF_ENDPOINT"])
        for name in ("HF_TOKEN", "NO_PROXY"):
            patched.setenv(name, one.environ[name])
        hub = Hub(Download(one.repo, str(one.cache), PATIENCE), found.append)
        try:
            found.append(Done(folder=str(await asyncio.to_thread(hub.download))))
        except Exception as error:  # noqa: BLE001  as the child
            found.append(RequestFailed(explain(error, hub.repo, hub.host)))
    return found


def waits(found: list[AnyReply]) -> list[str]:
    return [reply.text for reply in found if isinstance(reply, Waiting)]


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if not path.is_dir()}


# --- silence, and requests to wait


@pytest.mark.parametrize("where", ["/api/models", "/cdn/"])
async def test_a_hub_that_accepts_and_says_nothing(
    where: str, hub: FakeHub, tmp_path: Path
) -> None:
    hub.silent = where
    began = time.monotonic()
    found = await child_replies(Downloads(hub, tmp_path), PATIENCE)
    assert time.monotonic() - began < QUICKLY + PATIENCE
    assert "does not answer" in failure(found)
    assert str(hub.port) in failure(found)
    assert any("waiting for" in text and str(hub.port) in text for text in waits(found))


async def test_a_hub_that_stops_in_a_file(hub: FakeHub, tmp_path: Path) -> None:
    hub.hold = 200_000
    one = Downloads(hub, tmp_path)
    assert "does not answer" in failure(await child_replies(one, PATIENCE))
    assert one.partial().stat().st_size <= hub.hold
    hub.go_on.set()
    assert isinstance((await child_replies(one))[-1], Done)


@pytest.mark.parametrize("part", ["/api/models", "/resolve/", "/cdn/"])
async def test_a_hub_that_asks_to_wait_a_little_is_waited_for(
    part: str, hub: FakeHub, tmp_path: Path
) -> None:
    hub.busy = {part: [(429, {"Retry-After": "0"}), (503, {"Retry-After": "0"})]}
    found = await replies(Downloads(hub, tmp_path))
    assert isinstance(found[-1], Done)
    assert len([text for text in waits(found) if "asks to wait" in text]) == 2


@pytest.mark.parametrize("part", ["/api/models", "/resolve/"])
@pytest.mark.parametrize("after", ["86400", "date", "99999999999999999999999"])
async def test_a_hub_that_asks_to_wait_for_long_is_left(
    part: str, after: str, hub: FakeHub, tmp_path: Path
) -> None:
    if after == "date":
        after = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
    hub.busy = {part: [(429, {"Retry-After": after})] * 50}
    began = time.monotonic()
    found = await replies(Downloads(hub, tmp_path))
    assert "asks to wait" in failure(found)
    assert time.monotonic() - began < QUICKLY


async def test_a_hub_that_asks_again_and_again_has_an_end(hub: FakeHub, tmp_path: Path) -> None:
    hub.busy = {"/api/models": [(429, {"Retry-After": "1"})] * 50}
    assert "asks to wait" in failure(await replies(Downloads(hub, tmp_path)))
    assert len(hub.busy["/api/models"]) > 40


@pytest.mark.parametrize(
    ("scheme", "status", "words"),
    [
        ("http", 403, "refuses the connection"),
        ("https", 407, "refuses the connection"),
        ("https", 502, "refuses the connection"),
        ("http", None, "does not answer"),
    ],
)
async def test_a_proxy_that_refuses_or_says_nothing_is_named(
    status: int | None, words: str, scheme: str, hub: FakeHub, tmp_path: Path
) -> None:
    one = Downloads(hub, tmp_path)
    with fake_proxy(status) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            one.environ[name] = one.environ[name.lower()] = f"http://user:secret@{proxy}"
        one.environ["NO_PROXY"] = one.environ["no_proxy"] = ""
        one.environ["HF_ENDPOINT"] = f"{scheme}://hub.invalid"
        found = await child_replies(one, PATIENCE if status is None else QUICKLY)
    assert words in failure(found)
    assert proxy in failure(found)
    assert "secret" not in str(found)


def test_waits_that_are_asked_for() -> None:
    class Answer:
        def __init__(self, status: int, value: str | None) -> None:
            self.status_code, self.headers = status, {} if value is None else {"Retry-After": value}

    def seconds(status: int, value: str | None) -> float | None:
        error = ValueError()
        error.response = Answer(status, value)  # type: ignore[attr-defined]
        return asked_to_wait(error)

    assert seconds(200, "5") is None
    assert seconds(429, "5") == 5
    assert seconds(503, None) == seconds(429, "soon") == seconds(429, "-3") == 5
    past = format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True)
    assert seconds(429, past) == pytest.approx(0.1)
    assert (seconds(429, "9" * 500) or 0) > 1e9


def test_a_hub_that_drips_is_no_sign_of_life() -> None:
    patience = Patience("https://hub.example", 0.05)
    with patience.waiting():
        end = time.monotonic() + 0.2
        while time.monotonic() < end and not isinstance(patience.check(), ModelError):
            patience.heard(1)
            time.sleep(0.005)
        assert isinstance(patience.check(), ModelError)
        patience.heard(4096)
        assert patience.check() is None
    assert patience.check() is None


def test_a_proxy_s_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://user:secret@proxy.example:3128/")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "inner.example")
    assert proxy_for("https://hub.example/x") == "proxy.example:3128"
    assert proxy_for("https://inner.example/x") == ""


# --- lies and attacks


def spoiled(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    def change(found: dict[str, Any]) -> None:
        for sibling in found["siblings"]:
            if sibling["rfilename"] == "model.bin":
                (sibling["lfs"] if name == "sha256" else sibling)[name] = value

    return change


def _twice(found: dict[str, Any]) -> None:
    found["siblings"] += [{**found["siblings"][0], "rfilename": "config.json"}]


LIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a digest that leads elsewhere": spoiled("sha256", "../../../../escaped"),
    "a digest that is a path": spoiled("sha256", "/tmp/escaped"),
    "a digest that is no text": spoiled("sha256", 12),
    "a digest with a NUL": spoiled("sha256", "0" * 63 + "\0"),
    "a digest in capitals": spoiled("sha256", "A" * 64),
    "a size below zero": spoiled("size", -1),
    "a size that is no number": spoiled("size", "many"),
    "a size past all numbers": spoiled("size", 1 << 80),
    "a text without an end": lambda found: found["siblings"][0].update(size=1 << 40),
    "a revision that leads elsewhere": lambda found: found.update(sha="../../../escaped"),
    "a revision that is missing": lambda found: found.update(sha=None),
    "a revision that is a dot": lambda found: found.update(sha=".."),
    "a file twice": _twice,
}


@pytest.mark.parametrize("lie", LIES)
async def test_what_a_hub_says_is_checked_before_it_names_a_file(
    lie: str, hub: FakeHub, tmp_path: Path
) -> None:
    hub.says = LIES[lie]
    one = Downloads(hub, tmp_path / "home")
    assert failure(await replies(one))
    assert not [path for path in files(tmp_path) if "model.bin" in path.name]
    assert not [path for path in files(tmp_path) if "escaped" in str(path)]
    assert files(tmp_path) <= files(tmp_path / "home")


async def test_names_of_files_are_from_a_list(hub: FakeHub, tmp_path: Path) -> None:
    def say(found: dict[str, Any]) -> None:
        for name in ("../../escaped.json", "/tmp/escaped", "a/../../../escaped"):
            found["siblings"] += [{**found["siblings"][0], "rfilename": name}]

    hub.says = say
    assert isinstance((await replies(Downloads(hub, tmp_path / "home")))[-1], Done)
    assert not [path for path in files(tmp_path) if "escaped" in str(path)]


async def test_of_a_file_never_more_is_written_than_was_announced(
    hub: FakeHub, tmp_path: Path
) -> None:
    hub.more = 1 << 30
    one = Downloads(hub, tmp_path)
    assert "more than" in failure(await replies(one))
    assert hub.sent < hub.more / 2
    assert sum(path.stat().st_size for path in files(tmp_path)) <= TOTAL
    assert not one.partial().exists() or one.partial().stat().st_size == 0


async def test_nothing_is_written_through_a_link(hub: FakeHub, tmp_path: Path) -> None:
    one = Downloads(hub, tmp_path / "home")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    partial = one.partial()
    partial.parent.mkdir(parents=True)
    partial.symlink_to(victim)
    assert isinstance((await replies(one))[-1], Done)
    assert victim.read_text() == "precious"


# --- damage on the disk


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _grow(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\0")


def _replaced(file: Path) -> None:
    """A copy in the place of the link, and not the same."""
    blob = file.resolve()
    file.unlink()
    file.write_bytes(blob.read_bytes()[: blob.stat().st_size // 2])


DAMAGE = (_flip, _cut, _empty, _grow, _replaced)


@pytest.mark.parametrize("damage", DAMAGE)
async def test_damage_on_the_disk_is_told_and_the_download_mends_it(
    damage: Callable[[Path], None],
    hub: FakeHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = Downloads(hub, tmp_path)
    assert isinstance((await replies(one))[-1], Done)
    for name, value in one.environ.items():
        monkeypatch.setenv(name, value)
    assert check_model(SETTINGS) == ()
    folder = locate(SETTINGS.model)
    for name in WANTED:
        if damage is _replaced and name == "preprocessor_config.json":
            continue  # half of it is no JSON, and nothing tells what was there
        damage(folder / name)
        with pytest.raises(ModelError, match="damaged") as caught:
            check_model(SETTINGS)
        assert caught.value.hint == "fwtui models download tiny mends it"
        found = await replies(one)
        assert isinstance(found[-1], Done), found
        assert (folder / name).read_bytes() == WANTED[name]
        assert check_model(SETTINGS) == ()


async def test_a_whole_model_is_verified_and_not_loaded_again(hub: FakeHub, tmp_path: Path) -> None:
    one = Downloads(hub, tmp_path)
    await replies(one)
    asked = len(hub.gets("model.bin"))
    found = await replies(one)
    assert isinstance(found[-1], Done)
    assert len(hub.gets("model.bin")) == asked
    blob = one.partial().with_name(etag(WANTED["model.bin"]))
    assert blob.is_file()
    assert not blob.name.endswith(PARTIAL)
    assert capabilities(Path(found[-1].folder)).languages == ("en", "de")
