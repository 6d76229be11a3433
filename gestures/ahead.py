"""The forecast head of the network: of its memory, the features and the motion, where a hand will be."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import features, forecast

STILL = 0.3
"""Palms a second: a hand so slow heeds half of what the network adds to its velocity."""


def reads(units: tuple[int, ...]) -> dict[str, int]:
    """What the forecast of a network of so many `units` is made from, and how many numbers each has."""
    return {"hidden": units[-1], "features": features.SIZE, "motion": forecast.MOTION}


class Ahead:
    """The forecast head: a velocity that decays, and what the network knows better.

    What it adds counts the less the slower the hand is: of a still hand nothing is forecast but stillness.
    """

    def __init__(self, keras: Any, horizons_s: Sequence[float], units: int) -> None:  # noqa: ANN401 - keras has no types
        """`units` lie between what it reads and what it says."""
        self._ops = keras.ops
        point = forecast.POINTS * 3
        times = np.array(horizons_s)
        # How far a velocity leads that decays as exp(-t / DAMPED_S); and about how far hands go, to be of one size.
        self._coasts_s = (-forecast.DAMPED_S * np.expm1(-times / forecast.DAMPED_S)).tolist()
        self._sizes = np.repeat(2.5 * times, point).astype(np.float32)
        # Joints go with the middle: the sum of both ways.
        self._joints = np.concatenate([np.tile(np.eye(3), forecast.POINTS - 1), np.eye(point - 3)]).astype(np.float32)
        self._mixed = keras.layers.Dense(units, "leaky_relu", name="forecast_mixed")
        self._moved = keras.layers.Dense(point * len(times), kernel_initializer="zeros", name="forecast_moved")

    def __call__(self, hidden: Any, normal: Any, motion: Any) -> Any:  # noqa: ANN401 - tensors
        """(…, H * POINTS * 3) in palms, of the memory's `hidden` (…, units), the `normal` features, the `motion`."""
        ops = self._ops
        velocity = motion[..., : forecast.POINTS * 3]
        joints = ops.matmul(velocity, self._joints)
        speed = ops.sqrt(ops.sum(ops.square(joints), -1, keepdims=True) / (forecast.POINTS - 1))
        read = ops.concatenate([hidden, 0.3 * normal, 0.3 * motion], -1)
        added = self._moved(self._mixed(read)) * self._sizes
        coasting = ops.concatenate([velocity * coast_s for coast_s in self._coasts_s], -1)
        return coasting + added * (speed / (speed + STILL))
