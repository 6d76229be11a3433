"""Hand -> numbers on a fixed clock: the same code serves training and live use.

A left hand is turned into a right one before its shape is read; where it travels stays as the camera saw it, so
"swipe left" is one direction whichever hand does it. Lengths are in palms of the hand itself (`unit`), so place and
distance drop out; speeds are per second, so the camera's frame rate does.
"""

import numpy as np
import numpy.typing as npt

from .errors import InputError
from .types import JOINTS, Floats, Hand

VERSION = 1
RATE_HZ = 30.0
"""Ticks a second that a model is trained and run at unless its manifest says otherwise."""
PALM = (0, 5, 9, 13, 17)
TIPS = (4, 8, 12, 16, 20)
RADIUS_TO_LENGTH = 2.2
"""Palm length over the palm joints' root-mean-square radius, in MediaPipe's mean hand."""
BONES = tuple((0 if joint % 4 == 1 else joint - 1, joint) for joint in range(1, JOINTS))
BENDS = tuple((b, b + 1) for b in range(len(BONES) - 1) if BONES[b + 1][0] == BONES[b][1])
SPANS = (*((0, tip) for tip in TIPS), *((4, tip) for tip in TIPS[1:]), (8, 12), (12, 16), (16, 20))
"""Pairs of joints whose distance tells a pose: how far each finger reaches, the pinches, the spread."""
LEAKS_S = (0.25, 1.0)
"""How long the two running means remember where the hand has been."""
LIMIT = 10.0
"""No feature leaves ±10: an absurd coordinate may disturb a memory, never flood it."""

_TAILS, _HEADS = np.array(BONES).T
_BENDS = np.array(BENDS).T
_SPANS = np.array(SPANS).T
_TIPS = np.array(TIPS)
_PALM = np.array(PALM)
_YZX, _ZXY = np.array([1, 2, 0]), np.array([2, 0, 1])
_TO_RIGHT = {True: np.array([-1, 1, 1], np.float32), False: np.ones(3, np.float32)}
_PARTNER = 9  # present, centre x and y, unit, five finger reaches
_RAW = JOINTS * 3 * 2 + _PARTNER


def _names() -> tuple[str, ...]:
    axes, motion = ("x", "y"), ("centre_x", "centre_y", "index_x", "index_y", "log_unit")
    return (
        *(f"joint_{joint}_{axis}" for joint in range(1, JOINTS) for axis in axes),
        *(f"bend_{BONES[b][1]}" for b, _ in BENDS),
        *(f"distance_{a}_{b}" for a, b in SPANS),
        *(f"palm_{way}_{axis}" for way in ("up", "out") for axis in "xyz"),
        *(f"velocity_{name}" for name in motion),
        *(f"tip_velocity_{tip}_{axis}" for tip in TIPS for axis in axes),
        *(f"moved_{leak_s}_{name}" for leak_s in LEAKS_S for name in motion),
        "is_left",
        "partner",
        *(f"partner_{name}" for name in ("x", "y", "log_size", *(f"reach_{tip}" for tip in TIPS))),
    )


NAMES = _names()
SIZE = len(NAMES)


class FeatureStream:
    """Turns one hand, seen at any times, into vectors at exactly `rate_hz`; its first tick is the first sight."""

    def __init__(self, rate_hz: float = RATE_HZ) -> None:
        self._rate_hz = rate_hz
        # exp(-step / leak): the share of a running mean that survives one tick.
        self._keep = np.exp(-1 / (rate_hz * np.array(LEAKS_S)))[:, None].astype(np.float32)
        self._last: tuple[float, Floats] | None = None
        self._start, self._ticks = 0.0, 0
        self._motion: Floats | None = None  # (1, 5): places at the last tick
        self._tips: Floats | None = None  # (1, 5, 2)
        self._means: Floats | None = None  # (len(LEAKS_S), 5)

    def push(self, time: float, hand: Hand, partner: Hand | None = None) -> list[tuple[float, Floats]]:
        """The ticks up to `time`, each as its time (s) and its vector (SIZE,) float32; none, one or many.

        `partner` is the same performer's other hand, None when it is not in sight. Raise `InputError` unless `time`
        is later than the last.
        """
        times, vectors = self.push_many(np.array([time]), raw(hand, partner)[None], hand.side == "left")
        return list(zip(times.tolist(), vectors, strict=True))

    def push_many(
        self, times: npt.NDArray[np.float64], rows: Floats, left: bool
    ) -> tuple[npt.NDArray[np.float64], Floats]:
        """`push` for many sights of a hand at once: rows (n, …) of `raw` at `times` (n,) -> ticks (k,), (k, SIZE)."""
        if self._last is None:
            self._start = float(times[0])
        else:
            times, rows = np.concatenate([[self._last[0]], times]), np.concatenate([self._last[1][None], rows])
        if (np.diff(times) <= 0).any():
            raise InputError(f"time must rise: {times[-1]} s after {times[0]} s")
        # A whisker of slack, so that a camera at exactly the model's rate gives exactly one tick a frame.
        last_tick = int(np.floor((times[-1] - self._start) * self._rate_hz + 1e-6))
        ticks = self._start + np.arange(self._ticks, last_tick + 1) / self._rate_hz
        self._ticks = last_tick + 1
        self._last = float(times[-1]), rows[-1]
        if len(ticks) == 0:
            return ticks, np.zeros((0, SIZE), np.float32)
        return ticks, self._derive(_interpolate(ticks, times, rows), left)

    def _derive(self, rows: Floats, left: bool) -> Floats:
        count = len(rows)
        image = rows[:, : JOINTS * 3].reshape(count, JOINTS, 3)[:, :, :2]
        world = rows[:, JOINTS * 3 : JOINTS * 6].reshape(count, JOINTS, 3)
        to_right, length = _TO_RIGHT[left], _length(world)
        centre, unit = _centre_and_unit(image, world, length)
        shape = (image[:, 1:] - image[:, :1]) * (to_right[:2] / unit[:, None, None])
        motion = np.empty((count, 5), np.float32)
        motion[:, :2], motion[:, 2:4], motion[:, 4] = centre, image[:, 8], np.log(unit)
        per_unit = np.ones((count, 5), np.float32)
        per_unit[:, :4] /= unit[:, None]
        tips = shape[:, _TIPS - 1]

        before = np.concatenate([motion[:1] if self._motion is None else self._motion, motion[:-1]])
        tips_before = np.concatenate([tips[:1] if self._tips is None else self._tips, tips[:-1]])
        velocity = (motion - before) * per_unit * self._rate_hz
        tip_velocity = (tips - tips_before) * self._rate_hz
        moved = (motion[:, None] - self._leak(motion)) * per_unit[:, None]
        self._motion, self._tips = motion[-1:], tips[-1:]

        partner = rows[:, JOINTS * 6 :]
        there = partner[:, :1]
        apart = (partner[:, 1:3] - centre) / unit[:, None] / 4
        size = np.log(np.where(there > 0, partner[:, 3:4], 1) / unit[:, None])
        vector = np.concatenate(
            [
                shape.reshape(count, -1),
                *_pose(world * to_right, length[:, None]),
                np.arcsinh(velocity),
                np.arcsinh(tip_velocity).reshape(count, -1),
                moved.reshape(count, -1),
                np.full((count, 1), left, np.float32),
                there,
                apart * there,
                size * there,
                partner[:, 4:] * there,
            ],
            1,
        )
        clipped: Floats = np.minimum(np.maximum(vector, -LIMIT, dtype=np.float32), LIMIT, dtype=np.float32)
        return clipped

    def _leak(self, motion: Floats) -> Floats:
        """Running means (n, len(LEAKS_S), 5) of `motion` (n, 5), each before the tick is taken in."""
        mean = np.repeat(motion[:1], len(LEAKS_S), 0) if self._means is None else self._means
        out = np.empty((len(motion), *mean.shape), np.float32)
        for row, place in enumerate(motion):
            out[row] = mean
            mean = place + (mean - place) * self._keep
        self._means = mean
        return out


def raw(hand: Hand, partner: Hand | None) -> Floats:
    """(n,) the numbers of a hand that may be interpolated in time: image on one scale, world, coarse partner."""
    image = np.full((1, 2, JOINTS, 3), np.nan, np.float32)
    world = image.copy()
    for slot, each in ((0, hand), (1, partner)):
        if each is not None:
            image[0, slot], world[0, slot] = each.image, each.world
    row: Floats = raw_many(image, world, 0, hand.aspect)[0]
    return row


def raw_many(image: Floats, world: Floats, slot: int, aspect: float) -> Floats:
    """(T, n) `raw` of the hand in `slot` of a clip's `image` and `world` (T, 2, 21, 3), the other slot its partner."""
    count = len(image)
    image = image * np.array([1, 1 / aspect, 1], np.float32)
    row = np.zeros((count, _RAW), np.float32)
    row[:, : JOINTS * 3] = image[:, slot].reshape(count, -1)
    row[:, JOINTS * 3 : JOINTS * 6] = world[:, slot].reshape(count, -1)
    there = ~(np.isnan(image[:, 1 - slot]).any((1, 2)) | np.isnan(world[:, 1 - slot]).any((1, 2)))
    if there.any():
        flat, metres = image[there, 1 - slot, :, :2], world[there, 1 - slot]
        length = _length(metres)
        centre, unit = _centre_and_unit(flat, metres, length)
        reach = _norm(metres[:, _TIPS] - metres[:, :1]) / length[:, None]
        row[there, JOINTS * 6 :] = np.concatenate([np.ones((len(unit), 1)), centre, unit[:, None], reach], 1)
    return row


def _interpolate(ticks: npt.NDArray[np.float64], times: npt.NDArray[np.float64], rows: Floats) -> Floats:
    after = np.minimum(np.searchsorted(times, ticks - 1e-9), len(times) - 1)
    before = np.maximum(after - 1, 0)
    span = np.where(after == before, 1, times[after] - times[before])
    share = np.clip((ticks - times[before]) / span, 0, 1).astype(np.float32)[:, None]
    there = JOINTS * 6
    out: Floats = rows[before] + (rows[after] - rows[before]) * share
    # A partner that comes or goes between two frames has no half-way place.
    changed = rows[before, there] != rows[after, there]
    out[changed, there:] = rows[after][changed, there:]
    return out


def _norm(vectors: Floats) -> Floats:
    length: Floats = np.sqrt((vectors * vectors).sum(-1))
    return length


def _length(world: Floats) -> Floats:
    palm = world[:, _PALM]
    off = palm - palm.sum(1, keepdims=True) / len(PALM)
    radius = np.sqrt((off * off).sum((1, 2)) / len(PALM))
    length: Floats = np.maximum(radius * RADIUS_TO_LENGTH, 1e-4, dtype=np.float32)
    return length


def _centre_and_unit(image: Floats, world: Floats, length: Floats) -> tuple[Floats, Floats]:
    """Palm centres (n, 2) and palm lengths (n,), in picture widths.

    The length is that of a palm facing the camera at the hand's distance: the least-squares scale between the joints
    in the picture and in metres, so that tilting the hand does not seem to move it away.
    """
    centre = image[:, _PALM].sum(1) / len(PALM)
    flat = image - centre[:, None]
    metres = world[:, :, :2] - world[:, _PALM, :2].sum(1, keepdims=True) / len(PALM)
    scale = (flat * metres).sum((1, 2)) / np.maximum((metres * metres).sum((1, 2)), 1e-8)
    return centre, np.minimum(np.maximum(scale * length, 0.01), 10, dtype=np.float32)


def _pose(world: Floats, length: Floats) -> tuple[Floats, Floats, Floats]:
    """What the fingers do wherever the camera stands, and how the palm is turned to it.

    Bends (n, 15) as cosines, distances (n, 12) in palm lengths, the palm's upward and outward directions (n, 6).
    """
    bones = world[:, _HEADS] - world[:, _TAILS]
    bones /= np.maximum(_norm(bones), 1e-6)[:, :, None]
    bends = (bones[:, _BENDS[0]] * bones[:, _BENDS[1]]).sum(2)
    distances = _norm(world[:, _SPANS[0]] - world[:, _SPANS[1]]) / length
    up, across = (world[:, 9] - world[:, 0]) / length, (world[:, 5] - world[:, 17]) / length
    out = up[:, _YZX] * across[:, _ZXY] - up[:, _ZXY] * across[:, _YZX]
    return bends, distances, np.concatenate([up, out], 1)
