"""A memory that cannot be poisoned: whatever was seen before, the next clean gesture is recognised."""

import sys

import numpy as np
import pytest
from conftest import REPOSITORY

import gestures
from gestures.console import shipped

sys.path.insert(0, str(REPOSITORY / "scripts"))
import recovery

AFTER_S = 1.0
"""The disturbance ends so long before the gesture: the memory must have recovered by then."""


@pytest.fixture(scope="module")
def starter():
    return gestures.load(shipped("trained/starter"))


@pytest.fixture(scope="module")
def passages(starter):
    return recovery.passages_of(starter, AFTER_S)


@pytest.mark.parametrize("disturb", recovery.DISTURBANCES, ids=lambda disturb: disturb.__name__)
def test_a_gesture_a_second_after_a_disturbance_is_recognised(disturb, starter, passages):
    assert len(passages) >= 8
    assert recovery.recognised(starter, disturb, passages) >= 0.9 * len(passages)


@pytest.mark.parametrize("disturb", recovery.DISTURBANCES, ids=lambda disturb: disturb.__name__)
def test_a_memory_stays_finite_and_bounded_whatever_it_sees(disturb, starter, passages):
    _, before, _ = passages[0]
    recognizer = gestures.Recognizer(starter)
    for observation in disturb(before, np.random.default_rng(0)):
        recognizer.push(observation)
    lines = recognizer._follower._lines
    assert len(lines) <= 60
    for line in lines.values():
        assert all(np.isfinite(part).all() and np.abs(part).max() < 1e3 for part in line.memory)
