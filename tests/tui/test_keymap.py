"""Keys of one's own: what is refused, and that every place shows and obeys them."""

from pathlib import Path

import pytest

from fwtui.config.sources import load_keys
from fwtui.core.commands import AddPaths, RemoveJobs, SkipJobs
from fwtui.errors import ConfigError
from fwtui.tui.keymap import DEFAULT_KEYMAP, make_keymap
from fwtui.tui.keys import KEYS
from tests.tui.driving import running
from tests.tui.fakes import ScriptedLink, ScriptedWorkspace, job


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"remoev": ("D",)}, "Unknown action 'remoev'"),
        ({"remove": ()}, "'remove' in .* has no key"),
        ({"remove": ("dd",)}, "Unknown key 'dd'"),
        ({"remove": ("ctrl+",)}, "Unknown key"),
        ({"remove": ("x",)}, "Key x is assigned to both 'skip' and 'remove'"),
        ({"remove": ("q",)}, "'remove' and 'quit'|'quit' and 'remove'"),
        ({"setting_reset": ("q",)}, "'quit'"),
        ({"remove": ("z",), "retry": ("z",)}, "is assigned to both"),
    ],
)
def test_what_is_wrong_is_said(keys: dict[str, tuple[str, ...]], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        make_keymap(keys)
    assert ("did you mean remove?" in caught.value.hint) == ("remoev" in words)


def test_keys_may_change_places_and_the_usual_ones_do_not_clash() -> None:
    keymap = make_keymap({"remove": ("x",), "skip": ("d", "f5"), "settings": ("$",)})
    assert keymap.display("skip") == "d"
    assert keymap.for_textual == {"remove": "x", "skip": "d,f5", "settings": "dollar_sign"}
    same = make_keymap({key.id: key.keys for key in KEYS})
    assert same.display("help") == DEFAULT_KEYMAP.display("help")


def test_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    assert load_keys(file) == {}
    file.write_text('[keys]\nremove = "D"\nskip = ["d", "f5"]\n')
    assert load_keys(file) == {"remove": ("D",), "skip": ("d", "f5")}
    for bad in ("keys = 3\n", "[keys]\nremove = 3\n", "[keys]\nremove = [3]\n"):
        file.write_text(bad)
        with pytest.raises(ConfigError, match=r"settings\.toml"):
            load_keys(file)


async def test_they_work_and_are_shown_everywhere() -> None:
    keymap = make_keymap({"remove": ("x",), "skip": ("d", "f5"), "add": ("ctrl+n",)})
    link = ScriptedLink()
    async with running(ScriptedWorkspace(link), keymap=keymap, size=(120, 60)) as driver:
        await driver.until_text("Ctrl+N adds files")
        link.jobs = (job(1), job(2))
        await driver.press("ctrl+n")
        await driver.until_screen("AddDialog")
        await driver.press("escape", "a")
        await driver.until_screen("MainScreen")
    link = ScriptedLink([job(1), job(2)])
    async with running(ScriptedWorkspace(link), keymap=keymap, size=(120, 60)) as driver:
        await driver.until_text("talk-001")
        await driver.until_text("d Skip")
        await driver.until_text("x Remove")
        await driver.press("x")
        await driver.press("f5")
        assert link.commands == [RemoveJobs((1,)), SkipJobs((1,))]
        await driver.press("question_mark")
        line = next(line for line in driver.text.splitlines() if "Cancel the running file" in line)
        assert "d  F5" in line
        await driver.press("escape", "j", "ctrl+p", *"skip")
        await driver.until_text("Skip  (d)")
        assert not [command for command in link.commands if isinstance(command, AddPaths)]
