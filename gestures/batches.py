"""Takes -> what a network is shown at once: pieces of many lives side by side, one following another."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import features
from .clips import ClipSet
from .errors import TrainingError
from .forecast import Lesson
from .lives import Life, lives
from .recipe import WINDOW, Recipe
from .streams import compose, donors
from .types import Floats

TOGETHER = 3
"""So many times as many streams are composed at once as are learnt from side by side."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A window of every lane, as `Life` has it."""

    vectors: Floats  # (lanes, WINDOW, SIZE)
    labels: Any  # (lanes, WINDOW) int
    owed: Floats  # (lanes, WINDOW)
    weight: Floats  # (lanes, WINDOW); 0 after a life's end
    silence: Any  # (lanes, WINDOW) int: what saying nothing is called
    words: Any  # (lanes, WINDOW) int: the gesture as it is, whatever came before it, or that it has just been done
    goes_on: Floats  # (lanes, 1): 1 where the memory is carried into this window, 0 where a life begins
    ahead: Lesson  # (lanes, WINDOW, …) each


def batches(takes: ClipSet, labels: Sequence[str], recipe: Recipe, rng: np.random.Generator) -> Iterator[Batch]:
    """Windows of `recipe.lanes` lives side by side, without end: each lane takes a new life when its last is over."""
    supply = _supply(takes, labels, recipe, rng)
    shape = recipe.lanes, WINDOW
    # What a life teaches of its future is six times as large as itself: made for as long as it is in its lane.
    lanes: list[tuple[Life, Lesson, int]] = [
        (life, life.ahead.lesson(), 0) for life in itertools.islice(supply, recipe.lanes)
    ]
    while True:
        vectors = np.zeros((*shape, features.SIZE), np.float32)
        truth, owed = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
        weight, goes_on = np.zeros(shape, np.float32), np.zeros((recipe.lanes, 1), np.float32)
        ahead = Lesson.blank(*shape)
        silence, words = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for i, (life, lesson, at) in enumerate(lanes):
            part = slice(at, at + WINDOW)
            n = len(life.vectors[part])
            vectors[i, :n], truth[i, :n], owed[i, :n] = life.vectors[part], life.labels[part], life.owed[part]
            weight[i, :n], silence[i, :n] = life.weight[part], life.silence[part]
            words[i, :n] = life.words[part]
            for whole, own in zip(ahead, lesson, strict=True):
                whole[i, :n] = own[part]
            goes_on[i] = at > 0
            if at + WINDOW < len(life.vectors):
                lanes[i] = life, lesson, at + WINDOW
            else:
                new = next(supply)
                lanes[i] = new, new.ahead.lesson(), 0
        yield Batch(vectors, truth, owed, weight, silence, words, goes_on, ahead)


def _supply(takes: ClipSet, labels: Sequence[str], recipe: Recipe, rng: np.random.Generator) -> Iterator[Life]:
    """Every life twice: among those of the streams composed with its own, and among those composed next.

    Composing costs twice what learning does (data echoing, Choi et al. 2019).
    """
    lenders = donors(takes)
    endless = itertools.chain.from_iterable(
        compose(takes, lenders, rng, recipe.varied, recipe.steady) for _ in itertools.count()
    )
    fresh: list[Life] = []
    while True:
        stale = fresh
        fresh = [
            life
            for clip, unknown in itertools.islice(endless, TOGETHER * recipe.lanes)
            for life in lives(clip, labels, recipe.rate_hz, unknown, recipe.owing, takes.sequences)
        ]
        together = stale + fresh
        if not together:
            raise TrainingError("no recording shows a hand that can be followed: film your hands in view of the camera")
        for i in rng.permutation(len(together)):
            yield together[i]
