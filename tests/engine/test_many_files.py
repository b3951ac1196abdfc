"""Short files in a row leave nothing behind in the engine. By hand: tests/benchmarks/many_files."""

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.benchmarks.many_files import AHEAD, BATCHED, after, short_clips


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors")
def test_nothing_grows_with_the_number_of_files(tmp_path: Path) -> None:
    first, last = after([20, 40], short_clips(tmp_path), replace(BATCHED, batch_size=4))
    assert last.threads <= first.threads + 1  # the thread for features may have just begun
    assert last.descriptors <= first.descriptors + AHEAD  # of files that are prepared
    assert last.scratch <= AHEAD
    assert last.rss <= 1.15 * first.rss
