"""A memory that cannot be poisoned: whatever was seen before, the next clean gesture is recognised."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import hand

import gestures
from gestures.console import shipped
from gestures.types import FARTHEST

BEFORE_S = 1.0
"""The disturbance ends so long before the gesture: the memory must have recovered by then."""
LASTS_S = 2.0
RATE_HZ = 30.0


def flickering(seen, _rng):
    """In sight in every second picture only."""
    return [replace(o, hands=o.hands if k % 2 else ()) for k, o in enumerate(seen)]


def wild(seen, rng):
    """As far out as a landmark may be, elsewhere in every picture."""
    size = (2, 21, 3)
    return [replace(o, hands=tuple(_with(h, *rng.uniform(-FARTHEST, FARTHEST, size)) for h in o.hands)) for o in seen]


def torn(seen, rng):
    """Each joint anywhere in the picture: a landmarker that follows something else."""
    picture, reach = (np.array([[0, 0, -0.5], [1, 1, 0.5]]), 0.2)
    return [
        replace(
            o,
            hands=tuple(_with(h, rng.uniform(*picture, (21, 3)), rng.uniform(-reach, reach, (21, 3))) for h in o.hands),
        )
        for o in seen
    ]


def collapsed(seen, _rng):
    """All joints in one point."""
    zero = np.zeros((21, 3), np.float32)
    return [replace(o, hands=tuple(_with(h, zero + h.image.mean(0), zero) for h in o.hands)) for o in seen]


def trembling(seen, rng):
    """Each joint a palm off its place."""
    return [
        replace(o, hands=tuple(_with(h, h.image + rng.normal(0, 0.1, (21, 3)), h.world) for h in o.hands)) for o in seen
    ]


def changing_sides(seen, _rng):
    """Left in one picture, right in the next."""
    return [
        replace(o, hands=tuple(replace(h, side=("left", "right")[k % 2]) for h in o.hands)) for k, o in enumerate(seen)
    ]


def many(seen, rng):
    """A crowd of hands, the own one among them, in ever another order."""
    crowd = [hand(0.0, "right", (x, y), 0.05) for x in (0.1, 0.4, 0.7) for y in (0.2, 0.8)]
    return [replace(o, hands=tuple((*o.hands, *crowd)[i] for i in rng.permutation(len(o.hands) + 6))) for o in seen]


def standing_still(seen, _rng):
    """Nothing moves at all."""
    return [replace(o, hands=seen[-1].hands) for o in seen]


def rushing(seen, _rng):
    """A thousand pictures a second."""
    return [replace(o, time=seen[-1].time - (len(seen) - k) / 1000) for k, o in enumerate(seen)]


def _with(old, image, world):
    return replace(old, image=np.asarray(image, np.float32), world=np.asarray(world, np.float32))


DISTURBANCES = [flickering, wild, torn, collapsed, trembling, changing_sides, many, standing_still, rushing]


@pytest.fixture(scope="module")
def starter():
    return gestures.load(shipped("trained/starter"))


@pytest.fixture(scope="module")
def passages(starter):
    """(gesture, a second of rest and the gesture), of every second one that the starter names after quiet rest."""
    found = []
    for clip in gestures.load_set(shipped("data/starter")).clips:
        seen = [replace(o, hands=tuple(replace(h, aspect=4 / 3) for h in o.hands)) for o in clip.observations()]
        for span in clip.spans[::2]:
            passage = [o for o in seen if span.start - BEFORE_S <= o.time <= span.end + 0.3]
            if passage[0].hands and span.gesture in named(gestures.Recognizer(starter), before(passage) + passage):
                found.append((span.gesture, passage))
    return found


def before(passage):
    """The rest of a passage, over and over."""
    start, rest = passage[0].time, passage[: min(25, len(passage))]
    count = round(LASTS_S * RATE_HZ)
    return [gestures.Observation(start + (k - count) / RATE_HZ, rest[k % len(rest)].hands) for k in range(count)]


def named(recognizer, seen):
    """The gestures that begin in it, or with its end."""
    events = [event for o in seen for event in recognizer.push(o)] + recognizer.finish()
    return [event.gesture for event in events if event.phase == "began"]


@pytest.mark.parametrize("disturb", DISTURBANCES, ids=lambda disturb: disturb.__name__)
def test_a_gesture_a_second_after_a_disturbance_is_recognised(disturb, starter, passages):
    assert len(passages) >= 8
    right = 0
    for number, (gesture, passage) in enumerate(passages):
        recognizer = gestures.Recognizer(starter)
        for observation in disturb(before(passage), np.random.default_rng(number)):
            recognizer.push(observation)
        for line in recognizer._follower._lines.values():
            assert all(np.isfinite(part).all() and np.abs(part).max() < 1e3 for part in line.memory)
        assert len(recognizer._follower._lines) <= 60
        right += gesture in named(recognizer, passage)
    assert right >= 0.9 * len(passages)
