"""Hand -> numbers on a fixed clock: the same code serves training and live use.

A left hand is turned into a right one before its shape is read; where it travels stays as the camera saw it, so
"swipe left" is one direction whichever hand does it. Lengths are in palms of the hand itself (`unit`), so place and
distance drop out; speeds are per second, so the camera's frame rate does.
"""

from typing import NamedTuple

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

_TIPS, _PALM = np.array(TIPS), np.array(PALM)
_LEFT = np.array([-1, 1], np.float32)
_PARTNER = 9  # present, centre x and y, unit, five finger reaches
_HAND = JOINTS * 3 * 2  # image, world
_RAW = _HAND + _PARTNER
_CROSS = np.array([1, 2, 0, 2, 0, 1])  # y z x, then z x y: the factors of a cross product
_MOTION = 5  # centre x and y, index x and y, log unit


def _combinations() -> Floats:
    """(K, 21) which joints are added and subtracted, all at once; the slices below say which row is what."""
    own = np.eye(JOINTS)
    lines = (*((head, tail) for tail, head in BONES), *SPANS, (9, 0), (5, 17), *((j, 0) for j in range(1, JOINTS)))
    return np.array([own[list(PALM)].sum(0), *(own[a] - own[b] for a, b in lines)], np.float32)


_COMBINATIONS = _combinations()  # first the sum of the palm's joints
_BONES, _LINES, _EDGES = slice(1, 21), slice(1, 33), slice(33, 35)  # bones then spans; palm edges up and sideward
_REACHES = slice(21, 26)  # of the spans those from wrist to tips
_SHAPE = slice(35, 55)  # joints from the wrist


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


_AT = {name: NAMES.index(name) for name in ("bend_1", "velocity_centre_x", "is_left", "partner")}


class FeatureStream:
    """Turns one hand, seen at any times, into vectors at exactly `rate_hz`; its first tick is the first sight."""

    def __init__(self, rate_hz: float = RATE_HZ) -> None:
        self._rate_hz = rate_hz
        # exp(-step / leak): the share of a running mean that survives one tick.
        self._keep = np.exp(-1 / (rate_hz * np.array(LEAKS_S)))[:, None].astype(np.float32)
        self._last: tuple[float, Floats] | None = None
        self._start, self._ticks = 0.0, 0
        self._before: Floats | None = None  # (1, 15): places and finger tips at the last tick
        self._means: Floats | None = None  # (len(LEAKS_S), 5)

    def push(self, time: float, hand: Hand, partner: Hand | None = None) -> list[tuple[float, Floats]]:
        """The ticks up to `time`, each as its time (s) and its vector (SIZE,) float32; none, one or many.

        `partner` is the same performer's other hand, None when it is not in sight. Raise `InputError` unless `time`
        is later than the last.
        """
        ticks, vectors = self._advance([time], raw(hand, partner)[None], hand.side == "left")
        return list(zip(ticks, vectors, strict=True))

    def push_many(
        self, times: npt.NDArray[np.float64], rows: Floats, left: bool
    ) -> tuple[npt.NDArray[np.float64], Floats]:
        """`push` for many sights of a hand at once: rows (n, …) of `raw` at `times` (n,) -> ticks (k,), (k, SIZE)."""
        ticks, vectors = self._advance(times.tolist(), rows, left)
        return np.array(ticks, np.float64), vectors

    def _advance(self, times: list[float], rows: Floats, left: bool) -> tuple[list[float], Floats]:
        if self._last is None:
            self._start = times[0]
        else:
            times, rows = [self._last[0], *times], np.concatenate([self._last[1], rows])
        ticks, after, shares = self._schedule(times)
        self._last = times[-1], rows[-1:]
        if not ticks:
            return ticks, np.zeros((0, SIZE), np.float32)
        return ticks, self._derive(_interpolate(rows, after, shares), left)

    def _schedule(self, times: list[float]) -> tuple[list[float], list[int], list[float]]:
        """The ticks due by the last of `times`, the first of `times` not before each, its share in what lies there."""
        ticks: list[float] = []
        after: list[int] = []
        shares: list[float] = []
        for row, time in enumerate(times):
            before = times[max(0, row - 1)]
            if row and time <= before:
                raise InputError(f"time must rise: {time} s after {before} s")
            # A whisker of slack, so that a camera at exactly the model's rate gives exactly one tick a frame.
            while (tick := self._start + (self._ticks + len(ticks)) / self._rate_hz) <= time + 1e-6 / self._rate_hz:
                ticks.append(tick)
                after.append(row)
                shares.append(min(1.0, (tick - before) / (time - before)) if row else 1.0)
        self._ticks += len(ticks)
        return ticks, after, shares

    def _derive(self, rows: Floats, left: bool) -> Floats:
        count = len(rows)
        joints = rows[:, :_HAND].reshape(count, 2, JOINTS, 3)
        parts = _COMBINATIONS @ joints
        place = _place(joints, parts)
        unit = place.unit[:, None]
        vector = np.empty((count, SIZE), np.float32)

        shape = parts[:, 0, _SHAPE, :2] * (_LEFT / unit if left else 1 / unit)[:, None]
        vector[:, : _AT["bend_1"]] = shape.reshape(count, -1)
        _pose(parts[:, 1], place.length, left, vector[:, _AT["bend_1"] : _AT["velocity_centre_x"]])

        # One more row ahead: where everything was at the last tick.
        track = np.empty((count + 1, _MOTION + 2 * len(TIPS)), np.float32)
        now, motion = track[1:], track[1:, :_MOTION]
        motion[:, :2], motion[:, 2:4], motion[:, 4] = place.centre, joints[:, 0, 8, :2], np.log(place.unit)
        now[:, _MOTION:] = shape.take(_TIPS - 1, 1).reshape(count, -1)
        track[0] = now[0] if self._before is None else self._before
        self._before = now[-1]
        velocity = now - track[:-1]
        velocity[:, :4] /= unit
        velocity *= self._rate_hz
        moved = motion[:, None] - self._leak(motion)
        moved[:, :, :4] /= unit[:, None]
        end = _AT["velocity_centre_x"] + velocity.shape[1]
        np.arcsinh(velocity, out=vector[:, _AT["velocity_centre_x"] : end])
        vector[:, end : _AT["is_left"]] = moved.reshape(count, -1)

        vector[:, _AT["is_left"]] = left
        _relate(rows[:, _HAND:], place.centre, unit, vector[:, _AT["partner"] :])
        np.maximum(vector, -LIMIT, out=vector)
        return np.minimum(vector, LIMIT, out=vector)

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
    level = np.array([1, 1 / hand.aspect, 1], np.float32)
    row = np.zeros(_RAW, np.float32)
    joints = row[:_HAND].reshape(2, JOINTS, 3)
    np.multiply(hand.image, level, out=joints[0])
    joints[1] = hand.world
    if partner is not None:
        row[_HAND:] = _coarse(np.stack([partner.image * level, partner.world])[None])[0]
    return row


def raw_many(image: Floats, world: Floats, slot: int, aspect: float) -> Floats:
    """(T, n) `raw` of the hand in `slot` of a clip's `image` and `world` (T, 2, 21, 3), the other slot its partner."""
    joints = np.stack([image * np.array([1, 1 / aspect, 1], np.float32), world], 2, dtype=np.float32)
    row = np.zeros((len(image), _RAW), np.float32)
    row[:, :_HAND] = joints[:, slot].reshape(len(image), -1)
    there = ~np.isnan(joints[:, 1 - slot]).any((1, 2, 3))
    if there.any():
        row[there, _HAND:] = _coarse(joints[there, 1 - slot])
    return row


def _coarse(joints: Floats) -> Floats:
    """(n, 9) what a hand knows of another, of its joints (n, 2, 21, 3): there, centre, unit, how far fingers reach."""
    parts = _COMBINATIONS @ joints
    place = _place(joints, parts)
    out = np.empty((len(joints), _PARTNER), np.float32)
    out[:, 0], out[:, 1:3], out[:, 3] = 1, place.centre, place.unit
    out[:, 4:] = _norm(parts[:, 1, _REACHES]) / place.length[:, None]
    return out


def _interpolate(rows: Floats, after: list[int], shares: list[float]) -> Floats:
    old, new = rows.take([max(0, row - 1) for row in after], 0), rows.take(after, 0)
    out: Floats = old + (new - old) * np.array(shares, np.float32)[:, None]
    # A partner that comes or goes between two frames has no half-way place.
    changed = old[:, _HAND] != new[:, _HAND]
    if np.count_nonzero(changed):
        out[changed, _HAND:] = new[changed, _HAND:]
    return out


def _norm(vectors: Floats) -> Floats:
    length: Floats = np.sqrt(np.einsum("...i,...i", vectors, vectors))
    return length


class _Place(NamedTuple):
    """Where hands are: palm centres (n, 2) and palm lengths `unit` (n,) in picture widths, `length` (n,) in metres.

    The unit is that of a palm facing the camera at the hand's distance: the least-squares scale between the joints in
    the picture and in metres, so that tilting the hand does not seem to move it away.
    """

    centre: Floats
    unit: Floats
    length: Floats


def _place(joints: Floats, parts: Floats) -> _Place:
    """Of joints (n, 2, 21, 3), image then world, and their `_COMBINATIONS` (n, 2, K, 3)."""
    count = len(joints)
    middle = parts[:, :, :1] / np.float32(len(PALM))
    offs = joints - middle
    palm = offs[:, 1].take(_PALM, 1)
    radius = np.sqrt(np.add.reduce(palm * palm, (1, 2)) / len(PALM))
    length = np.maximum(radius * RADIUS_TO_LENGTH, 1e-4, dtype=np.float32)
    flat = offs[..., :2].reshape(count, 2, -1)
    products = flat @ flat.transpose(0, 2, 1)
    scale = products[:, 0, 1] / np.maximum(products[:, 1, 1], 1e-8)
    unit = np.minimum(np.maximum(scale * length, 0.01), 10, dtype=np.float32)
    return _Place(middle[:, 0, 0, :2], unit, length)


def _pose(parts: Floats, length: Floats, left: bool, out: Floats) -> None:
    """What the fingers do wherever the camera stands, and how the palm is turned to it.

    Of `_COMBINATIONS` (n, K, 3) of the joints in metres, into `out` (n, 33): bends (n, 15) as cosines, distances
    (n, 12) in palm lengths, the palm's upward and outward directions (n, 6).
    """
    count, bones = len(parts), len(BONES)
    lengths = _norm(parts[:, _LINES])
    fingers = parts[:, _BONES].reshape(count, 5, 4, 3)
    long = np.maximum(lengths[:, :bones], 1e-6).reshape(count, 5, 4)
    cosines = np.einsum("nfbi,nfbi->nfb", fingers[:, :, 1:], fingers[:, :, :-1])
    cosines /= long[:, :, 1:] * long[:, :, :-1]
    out[:, : len(BENDS)] = cosines.reshape(count, -1)
    np.divide(lengths[:, bones:], length[:, None], out=out[:, len(BENDS) : -6])
    edges = parts[:, _EDGES] / length[:, None, None]
    turned = edges.take(_CROSS, 2)
    out[:, -6:-3] = edges[:, 0]
    out[:, -3:] = turned[:, 0, :3] * turned[:, 1, 3:] - turned[:, 0, 3:] * turned[:, 1, :3]
    if left:
        # In a mirror only x turns round, and of a cross product all but x.
        out[:, -6] *= -1
        out[:, -2:] *= -1


def _relate(partner: Floats, centre: Floats, unit: Floats, out: Floats) -> None:
    """Into `out` (n, 9): the partner there or not, where it is, how large, how far its fingers reach."""
    there = partner[:, :1]
    if not there.any():
        out[:] = 0
        return
    out[:, :1] = there
    out[:, 1:3] = (partner[:, 1:3] - centre) / unit / 4
    out[:, 3:4] = np.log(np.where(there > 0, partner[:, 3:4], 1) / unit)
    out[:, 4:] = partner[:, 4:]
    out[:, 1:] *= there
