"""Which hand is which from one observation to the next, and which is gone."""

import math
from dataclasses import dataclass, replace

import numpy as np

from .posture import BONES
from .types import JOINTS, Floats, Hand, Observation, Side

REACH = 2.5
"""The furthest a hand may have moved and still be the same, in palm lengths, plus what `SPEED` allows."""
SPEED = 25.0
"""Palm lengths a second: 2 m/s, a brisk swipe."""
PALM = (0, 9)
"""Wrist and middle knuckle: the ruler that every hand carries."""
PATIENCE_S = 0.4
"""How long a hand may be out of sight and still be the same hand."""
MIDDLE = np.array([0.5, 0.5, 0], np.float32)
_ALONG = np.zeros((len(BONES), JOINTS), np.float32)
"""Turns joints into bones."""
_ALONG[range(len(BONES)), [head for _, head in BONES]] = 1
_ALONG[range(len(BONES)), [tail for tail, _ in BONES]] = -1
_SMALLEST, _SHORTEST, _LONGEST = (len(BONES) * length**2 for length in (0.005, 0.01, 0.2))
"""Sums of squares of bones: in pictures, and in metres."""
VOTES = 15
"""How many observations of the other side it takes to outweigh a side long held (half a second at 30 Hz)."""


def place(hand: Hand) -> tuple[float, float, float]:
    """A hand's middle x, y and its palm length, all in picture widths whatever the aspect."""
    (x0, y0, _), (x1, y1, _) = hand.image[PALM[0]].tolist(), hand.image[PALM[1]].tolist()
    y0, y1 = y0 / hand.aspect, y1 / hand.aspect
    return (x0 + x1) / 2, (y0 + y1) / 2, max(math.hypot(x1 - x0, y1 - y0), 0.02)


def possible(hand: Hand) -> bool:
    """Whether anybody could have such a hand there: within 3 pictures of the middle, within 0.5 m of its own, of bones.

    Real recordings stay within 0.8 pictures and 0.15 m. Their bones (root mean square) are 0.019 to 0.12 m long, and
    0.01 pictures or more: what is shorter than half of that has shrunk to a point, and what is longer is strewn about.
    """
    if not (_within(hand.image - MIDDLE, 3.0) and _within(hand.world, 0.5)):
        return False
    seen, whole = _ALONG.dot(hand.image).ravel(), _ALONG.dot(hand.world).ravel()
    return bool(seen.dot(seen) >= _SMALLEST and _SHORTEST <= whole.dot(whole) <= _LONGEST)


def _within(points: Floats, limit: float) -> bool:
    flat = points.ravel()
    # Most hands show by their sum of squares that no number is beyond, which costs a quarter of looking at each.
    return bool(flat.dot(flat) <= limit * limit or (np.abs(flat) <= limit).all())


@dataclass(slots=True)
class _Track:
    x: float
    y: float
    palm: float
    seen: float  # s
    votes: int  # below 0 left, above 0 right


class Tracker:
    """Gives every hand a number that stays: the nearest last place wins, whatever the order or the named side.

    A hand out of sight longer than `patience_s` is gone. Its side is what most of the observations called it, so one
    frame's mistake changes nothing.
    """

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._tracks: dict[int, _Track] = {}
        self._next = 0

    def update(self, seen: Observation) -> tuple[dict[int, Hand], list[int]]:
        """The hands in sight by number, each with its settled side, and the numbers that are gone for good."""
        gone = [i for i, track in self._tracks.items() if seen.time - track.seen > self._patience_s]
        for i in gone:
            del self._tracks[i]
        # What no hand can be is nobody's: it would throw the features, and the memory with them, far off.
        hands = [hand for hand in seen.hands if possible(hand)]
        places = [place(hand) for hand in hands]
        owner = self._match(seen.time, hands, places)
        live: dict[int, Hand] = {}
        for k in sorted(range(len(places)), key=places.__getitem__):
            hand = hands[k]
            number = owner.get(k)
            if number is None:
                number, self._next = self._next, self._next + 1
                self._tracks[number] = _Track(*places[k], seen.time, 0)
            track = self._tracks[number]
            vote = 1 if hand.side == "right" else -1
            track.votes = max(-VOTES, min(VOTES, track.votes + vote)) or vote
            (track.x, track.y, track.palm), track.seen = places[k], seen.time
            side: Side = "right" if track.votes > 0 else "left"
            live[number] = hand if hand.side == side else replace(hand, side=side)
        return live, gone

    def _match(self, time: float, hands: list[Hand], places: list[tuple[float, float, float]]) -> dict[int, int]:
        pairs = []
        for number, track in self._tracks.items():
            for k, (x, y, _) in enumerate(places):
                distance = math.hypot(x - track.x, y - track.y) / track.palm
                other_side = (hands[k].side == "right") != (track.votes > 0)
                if distance <= REACH + SPEED * (time - track.seen):
                    pairs.append((distance + 0.5 * other_side, number, k))
        owner: dict[int, int] = {}
        for _, number, k in sorted(pairs):
            if k not in owner and number not in owner.values():
                owner[k] = number
        return owner
