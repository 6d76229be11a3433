"""How well a hand's next positions are forecast, beside what needs no network."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import readers

from gestures import forecast
from gestures.clips import Clip
from gestures.model import Model
from gestures.recognizer import Follower
from gestures.types import Floats

AHEAD_S = (0.05, 0.1, 0.2, 0.4)
FIRST = 3
"""Sights of a hand before the first that is judged: all forecasters have then seen it move."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A hand's joints (T, 21, d) at times (T,) s, in the unit that errors are told in."""

    time: Floats
    joints: Floats

    def later(self, horizon_s: float) -> tuple[Floats, Floats]:
        """(rows, joints) of the sights that have a future `horizon_s` later, and that future, interpolated."""
        now = np.arange(FIRST - 1, len(self.time))
        then = self.time[now] + horizon_s
        now, then = now[then <= self.time[-1] + 1e-6], then[then <= self.time[-1] + 1e-6]
        after = np.clip(np.searchsorted(self.time, then), 1, len(self.time) - 1)
        share = (then - self.time[after - 1]) / (self.time[after] - self.time[after - 1])
        before = self.joints[after - 1]
        return now, before + (self.joints[after] - before) * np.clip(share, 0, 1)[:, None, None]


Forecaster = Callable[[Track, float], Floats]
"""(T, 21, d) where each sight's joints will be so many seconds later."""


def errors(tracks: Sequence[Track], says: Forecaster, horizon_s: float) -> Floats:
    """(n,) of every sight the mean distance between joints and forecast."""
    out = [np.zeros(0)]
    for track in tracks:
        now, future = track.later(horizon_s)
        if len(now):
            out.append(np.linalg.norm(says(track, horizon_s)[now] - future, axis=2).mean(1))
    return np.concatenate(out)


def zero(track: Track, _: float) -> Floats:
    """The hand stays where it is."""
    return track.joints


def coasting(gain_s: float) -> Forecaster:
    """The last velocity leads as far as it would in `gain_s` undamped."""

    def says(track: Track, _: float) -> Floats:
        speed = np.zeros_like(track.joints)
        speed[1:] = np.diff(track.joints, axis=0) / np.diff(track.time)[:, None, None]
        return track.joints + gain_s * speed

    return says


def alpha_beta(alpha: float, beta: float, gain_s: float) -> Forecaster:
    """A filter of place and velocity, the velocity damped as in `coasting`."""

    def says(track: Track, _: float) -> Floats:
        place, speed = track.joints[0], np.zeros_like(track.joints[0])
        out = track.joints.copy()
        for row in range(1, len(track.time)):
            step = track.time[row] - track.time[row - 1]
            place = place + speed * step
            off = track.joints[row] - place
            place, speed = place + alpha * off, speed + beta / step * off
            out[row] = place + gain_s * speed
        return out

    return says


def fitted(tracks: Sequence[Track], horizon_s: float) -> dict[str, Forecaster]:
    """The forecasters that need no network, fitted for this horizon on `tracks`."""
    gains = [share * horizon_s for share in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)]

    def best(choices: Iterator[Forecaster]) -> Forecaster:
        return min(choices, key=lambda says: float(errors(tracks, says, horizon_s).mean()))

    filters = product((0.7, 0.85, 1.0), (0.3, 0.5, 0.7, 0.9), gains[1::2])
    return {
        "zero velocity": zero,
        "damped constant velocity": best(coasting(gain) for gain in gains),
        "alpha-beta": best(alpha_beta(*each) for each in filters),
    }


def ways(model: Model, clip: Clip, slot: int) -> dict[float, Floats]:
    """For each of `AHEAD_S` (T, POINTS, 3) how far the live engine says the hand in `slot` will move, in palms."""
    follower, out = Follower(model), {horizon_s: [] for horizon_s in AHEAD_S}
    side = ("left", "right")[slot]
    for seen in clip.observations():
        follower.push(seen)
        number = next((n for n, hand in follower.hands.items() if hand.side == side), None)
        for horizon_s, rows in out.items():
            way = follower.ways(horizon_s).get(-1 if number is None else number)
            rows.append(np.zeros((forecast.POINTS, 3), np.float32) if way is None else way)
    return {horizon_s: np.array(rows) for horizon_s, rows in out.items()}


def in_metres(model: Model, clip: Clip, metres: Floats) -> dict[float, Floats]:
    """For each of `AHEAD_S` (T, 21, 3) m where the live engine says that a right hand will be, `filmed` as `clip`."""
    landmarks = np.concatenate([clip.image[:, 1], clip.world[:, 1]], 2)
    places = forecast.Places.of(landmarks, clip.aspect, left=False)
    length = metres[:, :, 2].mean(1) / places.middle[:, 2]
    flat = (clip.image[:, 1, :, :2] - 0.5) / (1, clip.aspect)
    out = {}
    for horizon_s, moved in ways(model, clip, 1).items():
        way = moved[:, 1:] + moved[:, :1]
        depth = metres[:, :, 2] + way[:, :, 2] * length[:, None]
        there = flat + way[:, :, :2] * places.unit[:, None, None]
        out[horizon_s] = np.concatenate([there * depth[:, :, None] / readers.FOCAL, depth[:, :, None]], 2)
    return out
