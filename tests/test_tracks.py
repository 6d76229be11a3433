"""Which hand is which."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import hand

import gestures
from gestures.tracks import PATIENCE_S, Tracker, possible


def follow(seen):
    tracker = Tracker()
    return [tracker.update(o) for o in seen]


def test_the_order_of_hands_does_not_matter():
    rng = np.random.default_rng(0)
    numbers = []
    tracker = Tracker()
    for t in np.arange(0, 2, 1 / 30):
        left, right = hand(t, "left", (0.25, 0.5)), hand(t, "right", (0.75, 0.5))
        pair = (left, right) if rng.random() < 0.5 else (right, left)
        live, gone = tracker.update(gestures.Observation(t, pair))
        numbers.append({live_hand.side: n for n, live_hand in live.items()})
        assert gone == []
    assert all(each == numbers[0] for each in numbers)


def test_hands_that_cross_keep_their_numbers():
    tracker, sides = Tracker(), []
    for t in np.arange(0, 1, 1 / 30):
        left, right = hand(0, "left", (0.2 + 0.6 * t, 0.4)), hand(0, "right", (0.8 - 0.6 * t, 0.6))
        live, _ = tracker.update(gestures.Observation(t, (right, left)))
        sides.append({n: h.side for n, h in live.items()})
    assert all(each == sides[0] for each in sides)


def test_one_wrong_side_changes_nothing():
    seen = [
        gestures.Observation(t, (hand(t, "left" if k in (20, 21, 40) else "right"),))
        for k, t in enumerate(np.arange(0, 2, 1 / 30))
    ]
    live = [each for each, _ in follow(seen)]
    assert {n for each in live for n in each} == {0}
    assert {h.side for each in live for h in each.values()} == {"right"}


def test_a_side_that_stays_wrong_is_believed():
    seen = [
        gestures.Observation(t, (hand(t, "right" if k < 10 else "left"),)) for k, t in enumerate(np.arange(0, 3, 0.1))
    ]
    assert follow(seen)[-1][0][0].side == "left"


def test_a_hand_may_be_out_of_sight_for_a_while_and_no_longer():
    def numbers_after(gap_s):
        tracker = Tracker()
        first, _ = tracker.update(gestures.Observation(1.0, (hand(),)))
        tracker.update(gestures.Observation(1.0 + gap_s / 2))
        second, gone = tracker.update(gestures.Observation(1.0 + gap_s, (hand(),)))
        return list(first) == list(second), gone

    assert numbers_after(PATIENCE_S - 0.05) == (True, [])
    assert numbers_after(PATIENCE_S + 0.05) == (False, [0])


def test_a_hand_elsewhere_is_another_hand():
    tracker = Tracker()
    tracker.update(gestures.Observation(0.0, (hand(at=(0.1, 0.5), size=0.1),)))
    live, _ = tracker.update(gestures.Observation(1 / 30, (hand(at=(0.9, 0.5), size=0.1),)))
    assert list(live) == [1]


def test_a_hand_is_followed_to_one_place_only():
    tracker = Tracker()
    tracker.update(gestures.Observation(0.0, (hand(0, "right", (0.5, 0.5), 0.1),)))
    pair = hand(0, "right", (0.52, 0.5), 0.1), hand(0, "right", (0.6, 0.5), 0.1)
    live, _ = tracker.update(gestures.Observation(1 / 30, pair))
    assert sorted(live) == [0, 1]
    np.testing.assert_array_equal(live[0].image, pair[0].image)


@pytest.mark.parametrize("part", ["image", "world"])
def test_a_hand_is_possible_until_one_joint_is_too_far(part):
    """However far the others are: a sum over all joints must not decide."""
    middle, limit = (np.array([0.5, 0.5, 0]), 3.0) if part == "image" else (np.zeros(3), 0.5)
    near = hand()
    joints = getattr(near, part)
    for sign in (-1, 1):
        foremost = joints.max(0) if sign > 0 else joints.min(0)
        wide = (joints - foremost + sign * limit * 0.99 + middle).astype(np.float32)
        assert possible(replace(near, **{part: wide}))
        wide[7, 1] = middle[1] + sign * limit * 1.01
        assert not possible(replace(near, **{part: wide}))
        lone = joints.copy()
        lone[20, 2] = sign * limit * 1.01
        assert not possible(replace(near, **{part: lone}))


@pytest.mark.parametrize(
    ("part", "size", "is_one"),
    [("world", 0.3, True), ("world", 0.1, False), ("world", 3.5, True), ("world", 5.0, False), ("image", 0.0, False)],
)
def test_no_hand_has_bones_a_fifth_or_five_times_as_long(part, size, is_one):
    """All in one point, or strewn about: a landmarker that follows something else."""
    near = hand()
    joints = getattr(near, part)
    middle = joints.mean(0)
    assert possible(replace(near, **{part: (middle + size * (joints - middle)).astype(np.float32)})) is is_one


def test_what_is_no_hand_leaves_no_trace():
    """After two seconds of it the track it was found on is gone, and the memory with it."""
    tracker = Tracker()
    tracker.update(gestures.Observation(0.0, (hand(),)))
    for t in np.arange(0.1, 0.6, 0.1):
        live, gone = tracker.update(gestures.Observation(t, (replace(hand(), world=np.zeros((21, 3), np.float32)),)))
        assert live == {}
    assert gone == [0]
