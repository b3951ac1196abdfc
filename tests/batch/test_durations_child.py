"""Lengths of files from the real child, and from children that misbehave."""

import asyncio
import sys
from pathlib import Path

from fwtui import demo
from fwtui.batch.durations import DurationMeter
from tests.batch.driver import children


async def lengths(meter: DurationMeter, *paths: Path) -> list[float | None]:
    return [seconds async for _, seconds in meter.measure(paths)]


async def test_lengths_of_good_and_bad_files(tmp_path: Path) -> None:
    text = tmp_path / "no\nmusic.mp3"
    text.write_text("This is no music")
    meter, others = DurationMeter(), children()
    short, long = demo.clips()[0], demo.clips()[-1]
    found = await lengths(meter, short, text, tmp_path / "gone.wav", long)
    assert found[0] is not None
    assert found[1:3] == [None, None]
    assert found[3] is not None
    assert 170 < found[3] < 190
    assert len(children(others)) == 1
    await meter.close()
    assert children(others) == []
    assert await lengths(meter, short, long) == [found[0], found[3]]
    assert children(others) == [], "what is known needs no child"


async def test_a_child_that_hangs_or_dies_costs_one_file(tmp_path: Path) -> None:
    moody = """
import sys
for line in sys.stdin:
    if line.endswith('hang"\\n'): sys.stdin.read()
    if line.endswith('die"\\n'): sys.exit(1)
    print(2.5, flush=True)
"""
    others = children()
    meter = DurationMeter((sys.executable, "-c", moody), patience=60.0)
    names = [tmp_path / name for name in ("one", "die", "two")]
    assert await lengths(meter, *names) == [2.5, None, 2.5]
    meter.patience = 0.1
    assert await lengths(meter, tmp_path / "hang") == [None]
    meter.patience = 60.0
    assert await lengths(meter, tmp_path / "three") == [2.5]
    await meter.close()
    assert children(others) == []


async def test_who_gives_up_takes_no_answer_from_who_comes_next(tmp_path: Path) -> None:
    slow = """
import sys
for line in sys.stdin:
    if line.endswith('first"\\n'):
        open(sys.argv[1], "w").close()
        sys.stdin.read()
    print(2.5, flush=True)
"""
    asked = tmp_path / "asked"
    meter = DurationMeter((sys.executable, "-c", slow, str(asked)), patience=60.0)
    first = asyncio.create_task(lengths(meter, tmp_path / "first"))
    while not asked.exists():
        await asyncio.sleep(0.01)
    first.cancel()
    assert await lengths(meter, tmp_path / "second") == [2.5]
    assert first.cancelled()
    await meter.close()
