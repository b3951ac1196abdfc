"""A power cut in the middle of a write: any part of what was not synced is there, in any order."""

from pathlib import Path
from random import Random

import msgspec
import pytest

from fwtui.core.events import JobChanged, JobsAdded
from fwtui.core.job import Failed
from fwtui.core.settings import Settings
from fwtui.sessions.store import SessionStore
from tests.sessions import samples

SECTOR = 512
MANY = 12


def test_of_an_unsynced_write_the_beginning_counts_and_nothing_is_invented(
    tmp_path: Path,
) -> None:
    """One write of many records, of which the disk has kept some sectors and others not."""
    store = SessionStore.create(tmp_path, Settings(), samples.NOW)
    store.commit(JobsAdded(tuple([samples.job(number) for number in range(MANY)])))
    store.begin_file(0, samples.plan())
    store.add_window(0, samples.window(1))
    path = tmp_path / f"{store.session_id}.journal"
    synced = path.stat().st_size
    store.commit(
        *map(
            JobChanged,
            [msgspec.structs.replace(j, state=samples.failed()) for j in store.session.jobs],
        )
    )
    after = path.read_bytes()
    snapshot = (tmp_path / f"{store.session_id}.json").read_bytes()
    store.close()
    seen = set()
    for seed in range(150):
        torn = torn_tail(after, synced, Random(seed))
        (tmp_path / f"{store.session_id}.json").write_bytes(snapshot)
        path.write_bytes(torn)
        store = SessionStore.open(tmp_path, store.session_id)
        assert store.segments(0) == (samples.segment(1),)
        states = [isinstance(job.state, Failed) for job in store.session.jobs]
        assert states == sorted(states, reverse=True)  # the first ones, without a gap
        seen.add(sum(states))
        store.close()
    assert len(seen) > 4


def torn_tail(data: bytes, synced: int, random: Random) -> bytes:
    """What is behind `synced` cut short, or with sectors that never reached the disk."""
    length = random.choice((len(data), random.randint(synced, len(data))))
    torn = bytearray(data[:length])
    for start in range(synced - synced % SECTOR, length, SECTOR):
        if random.random() < 0.3:
            begin, end = max(start, synced), min(start + SECTOR, length)
            torn[begin:end] = bytes(end - begin)
    return bytes(torn)


@pytest.mark.parametrize("seed", range(5))
def test_flipped_bits_in_the_unsynced_tail(seed: int, tmp_path: Path) -> None:
    """Each bit of the last record, one after the other in a few strides."""
    store = SessionStore.create(tmp_path, Settings(), samples.NOW)
    store.commit(JobsAdded((samples.job(1),)))
    store.begin_file(1, samples.plan())
    store.add_window(1, samples.window(1))
    path = tmp_path / f"{store.session_id}.journal"
    synced = path.stat().st_size
    store.add_window(1, samples.window(2))
    after = path.read_bytes()
    snapshot = (tmp_path / f"{store.session_id}.json").read_bytes()
    store.close()
    for bit in range(8 * synced + seed, 8 * len(after), 167):
        flipped = bytearray(after)
        flipped[bit // 8] ^= 1 << bit % 8
        (tmp_path / f"{store.session_id}.json").write_bytes(snapshot)
        path.write_bytes(flipped)
        store = SessionStore.open(tmp_path, store.session_id)
        assert store.segments(1) == (samples.segment(1),)
        store.close()
