"""Clustering of voices: average linkage in blocks, so that the matrix stays small. Pure.

Everything is computed in the same order whatever the machine does in parallel, so that a file has
the same speakers each time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fwtui.audio.signal import FloatArray

BLOCK = 800
"""Vectors that are compared with each other at once: 2.5 MB of distances."""
_TIGHT = 0.3  # cosine distance below which vectors of a block are joined before blocks meet
_LOOSER = 0.05  # is added if that joins too few
_ENOUGH = 0.8  # of the vectors may be left after a round

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
WideArray = npt.NDArray[np.float64]


class Merge(NamedTuple):
    """Two clusters, named by one of their members each, that are joined at a distance."""

    distance: float
    first: int
    second: int


class Voices(NamedTuple):
    """Vectors of unit length, and how much each of them counts (seconds)."""

    vectors: FloatArray
    weights: WideArray


def linkage(voices: Voices) -> list[Merge]:
    """All merges of average linkage by cosine distance, the nearest first.

    By chains of nearest neighbours: time in proportion to the square of the number of voices.
    """
    distance = _distances(voices.vectors)
    size = voices.weights.copy()
    alive = np.ones(len(size), bool)
    chain: list[int] = []
    merges: list[Merge] = []
    for _ in range(len(size) - 1):
        first, second = _nearest_pair(distance, chain, alive)
        merges.append(Merge(float(distance[first, second]), first, second))
        total = size[first] + size[second]
        row = (size[first] * distance[first] + size[second] * distance[second]) / total
        row[~alive] = row[first] = row[second] = np.inf
        distance[first], distance[:, first] = row, row
        distance[second], distance[:, second] = np.inf, np.inf
        alive[second] = False
        size[first] = total
    return sorted(merges)


def _nearest_pair(distance: FloatArray, chain: list[int], alive: BoolArray) -> tuple[int, int]:
    """Follow the chain to two voices that are each other's nearest, and take them from it."""
    if not chain:
        chain.append(int(np.flatnonzero(alive)[0]))
    while True:
        last = chain[-1]
        nearest = int(distance[last].argmin())
        if len(chain) > 1 and distance[last, chain[-2]] <= distance[last, nearest]:
            nearest = chain[-2]
            del chain[-2:]
            return last, nearest
        chain.append(nearest)


def _distances(vectors: FloatArray) -> FloatArray:
    """Cosine distances; those to itself are infinite."""
    # einsum, not a matrix product: that one may add in another order with other threads.
    distance: FloatArray = 1 - np.einsum("ik,jk->ij", vectors, vectors)
    np.fill_diagonal(distance, np.inf)
    return distance


def cut(
    merges: Sequence[Merge], count: int, threshold: float, least: int = 1, most: int = 0
) -> IntArray:
    """The cluster of each of `count` voices, after the merges below the threshold.

    There are at least `least` clusters, and at most `most` (0: any number). Clusters are numbered
    from 0 in the order of their first voices.
    """
    parent = list(range(count))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    left = count
    for merge in merges:
        too_many = most and left > most
        if left <= least or (merge.distance > threshold and not too_many):
            break
        parent[root(merge.second)] = root(merge.first)
        left -= 1
    roots = [root(index) for index in range(count)]
    numbers = {found: number for number, found in enumerate(dict.fromkeys(roots))}
    return np.array([numbers[found] for found in roots], np.int64)


def centroids(voices: Voices, labels: IntArray) -> Voices:
    """The mean voice of each cluster."""
    sums = np.zeros((int(labels.max()) + 1, voices.vectors.shape[1]), np.float64)
    np.add.at(sums, labels, voices.vectors * voices.weights[:, None])
    lengths = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    weights = np.bincount(labels, voices.weights).astype(np.float64)
    return Voices((sums / lengths).astype(np.float32), weights)


def cluster(
    voices: Voices, threshold: float, *, least: int = 1, most: int = 0, block: int = BLOCK
) -> Voices:
    """The mean voices of the speakers.

    More than `block` voices are first joined tightly, block by block.
    """
    tight = min(_TIGHT, threshold)
    while len(voices.vectors) > block:
        parts = [
            _joined(Voices(voices.vectors[at : at + block], voices.weights[at : at + block]), tight)
            for at in range(0, len(voices.vectors), block)
        ]
        joined = Voices(
            np.concatenate([part.vectors for part in parts]),
            np.concatenate([part.weights for part in parts]),
        )
        if len(joined.vectors) > _ENOUGH * len(voices.vectors):
            tight += _LOOSER
        voices = joined
    labels = cut(linkage(voices), len(voices.vectors), threshold, least, most)
    return centroids(voices, labels)


def _joined(voices: Voices, threshold: float) -> Voices:
    return centroids(voices, cut(linkage(voices), len(voices.vectors), threshold))
