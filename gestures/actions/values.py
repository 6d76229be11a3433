"""A hand -> one number from 0 to 1: its place, its turn, its pinch. Eased, for knobs and cursors."""

import math
from collections.abc import Callable

import numpy as np

from gestures.types import Floats, Hand

PINCH = 0.2, 1.2
"""Thumb tip to index tip, in palm lengths: 0 below the first (tips that touch are a finger apart), 1 above."""
NEAR = 0.05, 0.4
"""Palm length in picture widths: a hand about 2 m from a usual webcam, and one about 25 cm from it."""
WRIST, THUMB, INDEX, MIDDLE = 0, 4, 8, 9


def _within(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _length(vector: Floats) -> float:
    return float(np.linalg.norm(vector))


def _palm(hand: Hand) -> Floats:
    """The way from the wrist to the middle knuckle, in picture widths, (2,): x to the person's right, y down."""
    return (hand.image[MIDDLE, :2] - hand.image[WRIST, :2]) * np.array([-1, 1 / hand.aspect], np.float32)


def x(hand: Hand) -> float:
    """0 at the person's left edge of the picture, 1 at the right one."""
    return _within(1 - float(hand.image[[WRIST, MIDDLE], 0].mean()), 0, 1)


def y(hand: Hand) -> float:
    """0 at the lower edge of the picture, 1 at the upper."""
    return _within(1 - float(hand.image[[WRIST, MIDDLE], 1].mean()), 0, 1)


def pinch(hand: Hand) -> float:
    """0 while thumb and index finger touch, 1 when they are wide apart."""
    palm = max(_length(hand.world[MIDDLE] - hand.world[WRIST]), 1e-3)
    return _within(_length(hand.world[THUMB] - hand.world[INDEX]) / palm, *PINCH)


def rotation(hand: Hand) -> float:
    """0 for fingers to the person's left, 0.5 up, 1 to the right; those that point down count as the nearer side."""
    right, down = (float(v) for v in _palm(hand))
    return _within(math.atan2(right, -down), -math.pi / 2, math.pi / 2)


def near(hand: Hand) -> float:
    """0 far away, 1 close to the camera."""
    return _within(_length(_palm(hand)), *NEAR)


VALUES: dict[str, Callable[[Hand], float]] = {"x": x, "y": y, "pinch": pinch, "rotation": rotation, "near": near}
"""Each value that a file may name."""


class Ease:
    """Follows a value with a lag of `ease_s` (s), so that a trembling hand gives a steady number; 0: no lag."""

    def __init__(self, ease_s: float) -> None:
        self._ease_s = ease_s
        self._last: tuple[float, float] | None = None

    def push(self, value: float, time: float) -> float:
        """The eased value at `time` (s): a low-pass of time constant `ease_s`, whatever the frame rate."""
        if self._last is not None and self._ease_s > 0:
            before, since = self._last
            value = before + (value - before) * (1 - math.exp(-max(0.0, time - since) / self._ease_s))
        self._last = value, time
        return value
