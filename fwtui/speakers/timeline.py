"""From the local speakers of windows to turns: which speaker each is, and when they speak. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from fwtui.audio.signal import FloatArray
from fwtui.audio.wav import SAMPLE_RATE
from fwtui.core.speakers import Turn
from fwtui.core.voices import LocalSpeaker
from fwtui.speakers.clustering import BoolArray, Voices, centroids, cluster

SURE = 1.0
"""Seconds of clean speech in a window that may make a speaker; less only finds its own."""
_BLOCK = 20_000  # frames that are voted on at once: 6 minutes


class Layout(NamedTuple):
    """Where windows and frames lie, in samples; `frames` of a window and windows of the file."""

    frames: int
    step: int
    field: int
    shift: int
    windows: int
    samples: int

    def start(self, window: int) -> int:
        """The frame of the file at which a window begins."""
        return round(window * self.shift / self.step)

    def seconds(self, frame: int) -> float:
        """The time of a border between frames, to the millisecond."""
        at = (frame * self.step + self.field / 2) / SAMPLE_RATE if frame else 0.0
        return round(min(at, self.samples / SAMPLE_RATE), 3)


class Numbers(NamedTuple):
    """How many speakers there may be (`most` 0: any number), and how alike one's voices are."""

    threshold: float
    least: int = 1
    most: int = 0


def vector_of(local: LocalSpeaker) -> FloatArray:
    """The embedding; it is of unit length but for its rounding."""
    return np.frombuffer(local.embedding, "<f2").astype(np.float32)


def name_speakers(locals_: Sequence[LocalSpeaker], numbers: Numbers) -> list[int | None]:
    """A speaker's number for each local speaker; None: it cannot be told."""
    heard = [index for index, local in enumerate(locals_) if local.embedding]
    if not heard:
        return [0] * len(locals_)
    sure = [index for index in heard if locals_[index].clean >= SURE] or heard
    voices = Voices(
        np.stack([vector_of(locals_[index]) for index in sure]),
        np.array([locals_[index].clean for index in sure]),
    )
    speakers = cluster(voices, numbers.threshold, least=numbers.least, most=numbers.most)
    named: list[int | None] = [None] * len(locals_)
    by_window: dict[int, list[int]] = defaultdict(list)
    for index in heard:
        by_window[locals_[index].window].append(index)
    for members in by_window.values():
        vectors = np.stack([vector_of(locals_[index]) for index in members])
        for index, speaker in zip(members, _apart(vectors, speakers.vectors), strict=True):
            named[index] = speaker
    return named


def _apart(vectors: FloatArray, speakers: FloatArray) -> list[int]:
    """The speaker nearest to each vector of a window; two of a window are two speakers."""
    near = np.einsum("ik,jk->ij", vectors, speakers)
    chosen = [0] * len(vectors)
    taken: set[int] = set()
    for row in np.argsort(-near.max(1), kind="stable"):
        order = [int(speaker) for speaker in np.argsort(-near[row], kind="stable")]
        free = [speaker for speaker in order if speaker not in taken]
        chosen[int(row)] = (free or order)[0]
        taken.add(chosen[int(row)])
    return chosen


def turns_of(
    locals_: Sequence[LocalSpeaker], named: Sequence[int | None], layout: Layout
) -> list[Turn]:
    """Who speaks when: windows that overlap vote, and as many speak as most windows say.

    Speakers have the numbers of their clusters.
    """
    count = max((number for number in named if number is not None), default=-1) + 1
    runs: list[list[list[int]]] = [[] for _ in range(count)]
    for begin, spoken in _votes(locals_, named, layout, count):
        for speaker in range(count):
            padded = np.concatenate(([0], spoken[:, speaker].view(np.int8), [0]))
            borders = (np.flatnonzero(np.diff(padded)).reshape(-1, 2) + begin).tolist()
            for on, off in borders:
                if runs[speaker] and on == runs[speaker][-1][1]:  # across two blocks
                    runs[speaker][-1][1] = off
                else:
                    runs[speaker].append([on, off])
    found = (
        Turn(layout.seconds(on), layout.seconds(off), speaker)
        for speaker in range(count)
        for on, off in runs[speaker]
    )
    return [turn for turn in found if turn.end > turn.start]


def mean_voices(
    locals_: Sequence[LocalSpeaker], named: Sequence[int | None]
) -> dict[int, FloatArray]:
    """The mean voice of each speaker of whom there is enough clean speech, by cluster."""
    members: dict[int, list[LocalSpeaker]] = defaultdict(list)
    for local, speaker in zip(locals_, named, strict=True):
        if speaker is not None and local.embedding and local.clean >= SURE:
            members[speaker].append(local)
    found = {}
    for speaker, own in members.items():
        vectors = np.stack([vector_of(local) for local in own])
        voices = Voices(vectors, np.array([local.clean for local in own]))
        found[speaker] = centroids(voices, np.zeros(len(own), np.int64)).vectors[0]
    return found


def _votes(
    locals_: Sequence[LocalSpeaker], named: Sequence[int | None], layout: Layout, count: int
) -> Iterator[tuple[int, BoolArray]]:
    """For each block of frames, its first one and (frames, speakers): who speaks."""
    total = layout.samples // layout.step + 1
    starts = [layout.start(window) for window in range(layout.windows)]
    pairs = sorted(zip(locals_, named, strict=True), key=lambda pair: pair[0].window)
    first = 0
    for begin in range(0, total, _BLOCK):
        end = min(begin + _BLOCK, total)
        votes = np.zeros((end - begin, count), np.float32)
        active, seen = np.zeros(end - begin, np.float32), np.zeros(end - begin, np.float32)
        for start in starts:
            if start < end and start + layout.frames > begin:
                seen[max(0, start - begin) : start + layout.frames - begin] += 1
        while first < len(pairs) and starts[pairs[first][0].window] + layout.frames <= begin:
            first += 1
        for local, speaker in pairs[first:]:
            if (start := starts[local.window]) >= end:
                break
            for on, off in zip(local.borders[::2], local.borders[1::2], strict=True):
                span = slice(max(0, start + on - begin), max(0, start + off - begin))
                active[span] += 1
                if speaker is not None:
                    votes[span, speaker] += 1
        # One of two windows is enough: the model rarely invents speech, but often misses some.
        at_once = np.floor(active / np.maximum(seen, 1) + 0.5).astype(int)
        order = np.argsort(-votes, axis=1, kind="stable")
        rank = np.argsort(order, axis=1, kind="stable")
        yield begin, (rank < at_once[:, None]) & (votes > 0)
