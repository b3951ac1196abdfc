"""Whether the kernel killed for lack of memory: by its counters, wherever they are."""

from pathlib import Path

import pytest

from fwtui.memory.oom import OomCounters

V2 = "low 0\nhigh 0\nmax 3\noom 1\noom_kill {}\noom_group_kill 0\n"
V1 = "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"
MACHINE = "nr_free_pages 100\noom_kill {}\nswap_ra 0\n"


class Machine:
    """Files as of a machine; `kinds` are those that exist."""

    def __init__(self, folder: Path, kinds: set[str]) -> None:
        self.membership, self.root = folder / "cgroup", folder / "sys"
        self.vmstat = folder / "vmstat"
        self.membership.write_text("0::/user/me\n7:memory,cpu:/docker/x\n3:name=systemd:/../..\n")
        places = {
            "own v2": (self.root / "user/me/memory.events", V2),
            "container v2": (self.root / "memory.events", V2),
            "own v1": (self.root / "memory/docker/x/memory.oom_control", V1),
            "container v1": (self.root / "memory/memory.oom_control", V1),
            "machine": (self.vmstat, MACHINE),
        }
        self.places = {kind: place for kind, place in places.items() if kind in kinds}
        for kind in self.places:
            self.write(kind, 5)

    def write(self, kind: str, kills: int) -> None:
        path, text = self.places[kind]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(kills))

    def counters(self) -> OomCounters:
        return OomCounters(self.membership, self.root, self.vmstat)


KINDS = ("own v2", "container v2", "own v1", "container v1", "machine")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("alone", [True, False])
def test_a_kill_is_seen_in_any_counter(tmp_path: Path, kind: str, alone: bool) -> None:
    machine = Machine(tmp_path, {kind} if alone else set(KINDS))
    counters = machine.counters()
    assert counters.has_killed() is False
    machine.write(kind, 6)
    assert counters.has_killed() is True
    counters.restart()
    assert counters.has_killed() is False


def test_without_counters_nothing_is_known(tmp_path: Path) -> None:
    assert Machine(tmp_path, set()).counters().has_killed() is None
    machine = Machine(tmp_path, {"machine", "own v2"})
    for text in ("", "oom_kill\n", "oom_kill many\n", "\0\xff"):
        machine.vmstat.write_text(text)
        machine.places["own v2"][0].write_text(text)
        assert machine.counters().has_killed() is None


def test_a_counter_that_goes_away_or_comes_later_is_no_kill(tmp_path: Path) -> None:
    machine = Machine(tmp_path, {"machine", "own v2"})
    counters = machine.counters()
    machine.places["own v2"][0].unlink()
    assert counters.has_killed() is False
    counters.restart()
    machine.write("own v2", 9)
    assert counters.has_killed() is False
