"""Where a hand will be: its motion as the network reads it, the truth it learns from, and what it says, undone.

Everything is in palms of the hand itself. A hand is its middle, which moves as the camera sees it, and its joints
around that, which for a left hand are those of the right hand in the mirror.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .posture import PALM, RADIUS_TO_LENGTH
from .types import JOINTS, Floats

HORIZONS_S = (0.05, 0.1, 0.2, 0.3, 0.4)
"""How far ahead the network is taught to look; what lies between is interpolated."""
POINTS = 1 + JOINTS
"""The hand's middle, then its joints around it."""
SIGHTS = 4
"""Of so many sights of a hand, the newest last, its motion is read."""
MOTION = (SIGHTS - 1) * POINTS * 3
LIMIT = 40.0
"""Palms a second, and palms: nobody moves faster (3 m/s), or will be farther away."""
GAP_S = 0.15
"""Where a hand was not seen for longer, nobody knows where it was meanwhile."""
FOCAL = 0.8
"""A webcam's focal length in picture widths (64° of view): what turns a hand's size into its distance."""
DAMPED_S = 0.12
"""How long a velocity lasts: it decays as exp(-t / DAMPED_S) where nothing better is known. On SFINGE3D displacements
after 0.05 to 0.4 s are best forecast by 0.04, 0.07, 0.10, 0.11 and 0.10 s of the last velocity; this gives 0.041 to
0.116 s."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where a hand was at each of n sights, in palms but for what is said otherwise.

    `middle` (n, 3): x and y in picture widths, and how far away; `joints` (n, 21, 3) from the middle, x and y in
    picture widths, of a left hand in the mirror; `unit` (n,) the palm in picture widths.
    """

    middle: Floats
    joints: Floats
    unit: Floats

    @classmethod
    def of(cls, landmarks: Floats, aspect: float, *, left: bool) -> "Places":
        """Of landmarks (n, 21, 6), `Hand.image` beside `Hand.world`, in a picture `aspect` times as wide as high.

        The distance is that from which a camera of `FOCAL` sees the joints in metres where they are in the picture,
        by least squares.
        """
        world = landmarks[:, :, 3:]
        flat = landmarks[:, :, :2] * np.array([1, 1 / aspect], np.float32)
        rays = (flat - np.array([0.5, 0.5 / aspect], np.float32)) / np.float32(FOCAL)
        # rays * (distance + world z) = place + world: the place falls out with the means.
        known = world[:, :, :2] - rays * world[:, :, 2:]
        rays, known = rays - rays.mean(1, keepdims=True), known - known.mean(1, keepdims=True)
        distance = (rays * known).sum((1, 2)) / np.maximum((rays * rays).sum((1, 2)), 1e-9)
        palm = world[:, list(PALM)]
        palm = palm - palm.mean(1, keepdims=True)
        length = np.maximum(np.sqrt((palm * palm).sum((1, 2)) / len(PALM)) * RADIUS_TO_LENGTH, 1e-4)
        away = np.clip(distance / length, FOCAL / 10, FOCAL / 0.01)
        centre = flat[:, list(PALM)].mean(1)
        joints = np.concatenate([flat - centre[:, None], (world / length[:, None, None])[:, :, 2:]], 2)
        if left:
            joints[:, :, 0] *= -1
        middle = np.concatenate([centre, away[:, None]], 1, dtype=np.float32)
        return cls(middle, joints.astype(np.float32), (FOCAL / away).astype(np.float32))

    def at(self, rows: npt.NDArray[np.intp] | slice) -> "Places":
        """The places at `rows`."""
        return Places(self.middle[rows], self.joints[rows], self.unit[rows])

    def between(self, other: "Places", share: Floats) -> "Places":
        """A `share` (n,) of the way from these to the `other` places."""
        pairs = (self.middle, other.middle), (self.joints, other.joints), (self.unit, other.unit)
        shares = share[:, None], share[:, None, None], share
        return Places(*(a + (b - a) * s for (a, b), s in zip(pairs, shares, strict=True)))

    def moved(self, later: "Places") -> Floats:
        """(n, POINTS, 3) how far each point is moved in the `later` places, in palms of these."""
        out = np.empty((len(self.unit), POINTS, 3), np.float32)
        out[:, 0], out[:, 1:] = later.middle - self.middle, later.joints - self.joints
        out[:, :, :2] /= self.unit[:, None, None]
        return np.clip(out, -LIMIT, LIMIT, out=out)


def motion(times: npt.NDArray[np.float64], places: Places, newest: npt.NDArray[np.intp]) -> Floats:
    """(m, MOTION) how fast a hand moved at each of the sights `newest` (m,): between it and the one before, and so on.

    In palms a second; 0 before the first of the sights at `times` (n,) s.
    """
    speeds = np.zeros((len(times), POINTS, 3), np.float32)
    moved = places.at(slice(-1)).moved(places.at(slice(1, None)))
    np.clip(moved / np.diff(times).astype(np.float32)[:, None, None], -LIMIT, LIMIT, out=speeds[1:])
    # Before the first sight as at it: nothing moved.
    rows = np.maximum(newest[:, None] - np.arange(SIGHTS - 1), 0)
    out: Floats = speeds[rows].reshape(len(newest), MOTION)
    return out


class Lesson(NamedTuple):
    """What a hand's ticks teach of its future: no label is needed.

    `motion` (n, MOTION) up to each tick, `moved` (n, H * POINTS * 3) how far the hand will have moved after each of
    `HORIZONS_S`, `weight` (n, H) 0 or 1: 0 where that is not known.
    """

    motion: Floats
    moved: Floats
    weight: Floats

    @classmethod
    def blank(cls, *shape: int) -> "Lesson":
        """Nothing is known."""
        sizes = MOTION, len(HORIZONS_S) * POINTS * 3, len(HORIZONS_S)
        return cls(*(np.zeros((*shape, size), np.float32) for size in sizes))


@dataclass(frozen=True, slots=True, eq=False)
class Future:
    """All that a hand's ticks can teach of its future; lessons are made when they are wanted, being six times as large.

    `times` (m,) s of the sights, `places` there; `newest` (n,) of each tick the sight that made it, from which a
    forecast starts; `last` (n,) which ticks are the last of their sight: only these make one. In `unknown` times
    (start, end) s nobody knows how a real hand would have gone.
    """

    times: npt.NDArray[np.float64]
    places: Places
    newest: npt.NDArray[np.intp]
    last: npt.NDArray[np.bool_]
    unknown: Sequence[tuple[float, float]]

    @classmethod
    def of(
        cls,
        times: npt.NDArray[np.float64],
        places: Places,
        ticks: npt.NDArray[np.float64],
        unknown: Sequence[tuple[float, float]] = (),
    ) -> "Future":
        """Of `ticks` (n,) s, each made as soon as a sight at `times` (m,) s allowed it."""
        newest = np.minimum(np.searchsorted(times, ticks - 1e-6), len(times) - 1)
        last = np.append(newest[1:] != newest[:-1], True)[: len(ticks)]
        return cls(times, places, newest, last, unknown)

    def lesson(self) -> Lesson:
        """What the ticks teach.

        Not known is what lies beyond the last sight, where the hand was out of sight, and what the way to which leads
        through an unknown time.
        """
        times, places, newest = self.times, self.places, self.newest
        if not len(newest):
            return Lesson.blank(0)
        now = times[newest]
        then = now[:, None] + np.array(HORIZONS_S)
        after = np.clip(np.searchsorted(times, then), 1, len(times) - 1)
        gap = times[after] - times[after - 1]
        known = self.last[:, None] & (then <= times[-1] + 1e-6) & (gap <= GAP_S)
        for start, end in self.unknown:
            known &= (then <= start) | (now >= end)[:, None]
        # Of a single sight nothing is known: all that is asked lies beyond it.
        _, moved, weight = Lesson.blank(len(newest))
        weight[:] = known
        after, gap, then = after[known], gap[known], then[known]
        share = np.clip((then - times[after - 1]) / gap, 0, 1).astype(np.float32)
        future = places.at(after - 1).between(places.at(after), share)
        moved.reshape(*known.shape, POINTS, 3)[known] = places.at(newest[known.nonzero()[0]]).moved(future)
        return Lesson(motion(times, places, newest), moved, weight)


def ahead(landmarks: Floats, aspect: float, moved: Floats, *, left: bool) -> Floats:
    """(21, 3) as `Hand.image`: where a hand of `landmarks` (21, 6) is when its points have `moved` (POINTS, 3)."""
    places = Places.of(landmarks[None], aspect, left=left)
    own = moved[1:] * np.array([-1 if left else 1, 1, 1], np.float32)
    way = own + moved[0]
    # In the picture z counts from the wrist, on x's scale.
    way[:, 2] = own[:, 2] - own[0, 2]
    where: Floats = landmarks[:, :3] + way * places.unit[0] * np.array([1, aspect, 1], np.float32)
    return where


def when(moved: Floats, horizons_s: Sequence[float], horizon_s: float) -> Floats:
    """(POINTS, 3) the way after `horizon_s`, of the ways (H, POINTS, 3) after `horizons_s`; beyond, the last."""
    times = np.array([0.0, *horizons_s])
    share = np.array([np.interp(horizon_s, times, one) for one in np.eye(len(times))], np.float32)
    way: Floats = np.tensordot(share[1:], moved, 1)
    return way
