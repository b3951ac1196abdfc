"""Short files in a row leave nothing behind in the engine. By hand: tests/benchmarks/many_files."""

import sys
from pathlib import Path

import pytest

from tests.benchmarks.many_files import AHEAD, BATCHED, after, short_clips


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors")
def test_nothing_grows_with_the_number_of_files(tmp_path: Path) -> None:
    first, last = after([20, 60], short_clips(tmp_path), BATCHED)
    # the prepare thread may have one file open, its own WAV included, and the features thread runs
    assert last.threads <= first.threads + 1
    assert last.descriptors <= first.descriptors + AHEAD
    assert last.scratch <= AHEAD
    assert last.rss <= 1.1 * first.rss
