"""Clustering: as it is defined, the same in blocks, with as many speakers as are asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fwtui.speakers.clustering import Merge, Voices, centroids, cluster, cut, linkage


def voices(speakers: int, each: int, *, spread: float = 0.05, seed: int = 0) -> Voices:
    """Voices of so many speakers, in random order; those of one are alike."""
    random = np.random.default_rng(seed)
    middles = np.eye(32)[:speakers]
    vectors = np.repeat(middles, each, 0) + random.normal(0, spread, (speakers * each, 32))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    random.shuffle(vectors)
    weights = random.uniform(1, 5, len(vectors))
    return Voices(vectors.astype(np.float32), weights)


def simple_linkage(given: Voices) -> list[float]:
    """The distances of average linkage by its definition: the nearest pair each time."""
    distance = 1 - given.vectors.astype(float) @ given.vectors.T.astype(float)
    clusters = [[index] for index in range(len(given.vectors))]

    def mean(one: list[int], other: list[int]) -> float:
        weights = np.outer(given.weights[one], given.weights[other])
        return float((distance[np.ix_(one, other)] * weights).sum() / weights.sum())

    heights = []
    while len(clusters) > 1:
        pairs = [(a, b) for a in range(len(clusters)) for b in range(a)]
        a, b = min(pairs, key=lambda pair: mean(clusters[pair[0]], clusters[pair[1]]))
        heights.append(mean(clusters[a], clusters[b]))
        clusters[b] += clusters.pop(a)
    return heights


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 99))
def test_merges_are_those_of_average_linkage(speakers: int, each: int, seed: int) -> None:
    found = voices(speakers, each, spread=0.3, seed=seed)
    distances = [merge.distance for merge in linkage(found)]
    assert distances == pytest.approx(simple_linkage(found), abs=1e-4)


@pytest.mark.parametrize("speakers", [1, 2, 5])
@pytest.mark.parametrize("block", [7, 40, 1000])
def test_blocks_find_the_same_speakers_as_the_whole(speakers: int, block: int) -> None:
    given = voices(speakers, 60)
    whole, parts = cluster(given, 0.42), cluster(given, 0.42, block=block)
    assert len(whole.vectors) == len(parts.vectors) == speakers
    near = whole.vectors @ parts.vectors.T
    assert sorted(near.argmax(1)) == list(range(speakers))
    assert near.max(1) == pytest.approx(1, abs=1e-4)
    assert sorted(whole.weights) == pytest.approx(sorted(parts.weights))


def test_blocks_in_which_nothing_is_alike_end_all_the_same() -> None:
    random = np.random.default_rng(3)
    vectors = random.normal(size=(300, 192))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    given = Voices(vectors.astype(np.float32), np.ones(300))
    assert len(cluster(given, 0.42, block=20).vectors) <= 300


@pytest.mark.parametrize(
    ("least", "most", "clusters"),
    [(1, 0, 3), (5, 0, 5), (1, 2, 2), (2, 2, 2), (4, 4, 4), (1, 9, 3), (99, 0, 12), (1, 1, 1)],
)
def test_numbers_of_speakers_are_kept(least: int, most: int, clusters: int) -> None:
    given = voices(3, 4)
    assert cut(linkage(given), 12, 0.42, least, most).max() + 1 == clusters


def test_no_merge_is_above_the_threshold() -> None:
    merges = [Merge(0.1, 0, 1), Merge(0.5, 0, 2)]
    assert cut(merges, 3, 0.42).tolist() == [0, 0, 1]


def test_a_mean_counts_what_is_long_more() -> None:
    given = Voices(np.array([[1, 0], [0, 1]], np.float32), np.array([3.0, 1.0]))
    (mean,), (weight,) = centroids(given, np.zeros(2, np.int64))
    assert mean == pytest.approx(np.array([3, 1]) / np.sqrt(10))
    assert weight == 4


def test_one_voice_is_one_speaker() -> None:
    assert len(cluster(voices(1, 1), 0.42).vectors) == 1
