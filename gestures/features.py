"""Hand -> numbers on a fixed clock: the same code serves training and live use.

A left hand is turned into a right one before its shape is read; where it travels stays as the camera saw it, so
"swipe left" is one direction whichever hand does it. Lengths are in palms of the hand itself (`unit`), so place and
distance drop out; speeds are per second, so the camera's frame rate does.
"""

from functools import lru_cache
from threading import get_ident

import numpy as np
import numpy.typing as npt

from .errors import InputError
from .posture import BENDS, BONES, HAND, SPANS, TIPS, Posture, slices
from .types import JOINTS, Floats, Hand

VERSION = 1
RATE_HZ = 30.0
"""Ticks a second that a model is trained and run at unless its manifest says otherwise."""
LEAKS_S = (0.25, 1.0)
"""How long the two running means remember where the hand has been."""
LIMIT = 10.0
"""No feature leaves ±10: an absurd coordinate may disturb a memory, never flood it."""

_PARTNER = 9  # present, centre x and y, unit, five finger reaches
_MOTION = 5  # centre x and y, index x and y, log unit
_PIECE = 256
"""So many sights of a hand are derived at once: more would not stay in the processor's cache."""
_LEAST, _MOST = np.array(-LIMIT, np.float32), np.array(LIMIT, np.float32)


def _groups() -> dict[str, tuple[str, ...]]:
    """The names of the features, in order, by kind."""
    axes, motion = ("x", "y"), ("centre_x", "centre_y", "index_x", "index_y", "log_unit")
    return {
        "still": (
            *(f"joint_{joint}_{axis}" for joint in range(1, JOINTS) for axis in axes),
            *(f"bend_{BONES[b][1]}" for b, _ in BENDS),
            *(f"distance_{a}_{b}" for a, b in SPANS),
            *(f"palm_{way}_{axis}" for way in ("up", "out") for axis in "xyz"),
        ),
        "velocity": (
            *(f"velocity_{name}" for name in motion),
            *(f"tip_velocity_{tip}_{axis}" for tip in TIPS for axis in axes),
        ),
        "moved": tuple(f"moved_{leak_s}_{name}" for leak_s in LEAKS_S for name in motion),
        "is_left": ("is_left",),
        "partner": (
            "partner",
            *(f"partner_{name}" for name in ("x", "y", "log_size", *(f"reach_{tip}" for tip in TIPS))),
        ),
    }


NAMES = tuple(name for group in _groups().values() for name in group)
SIZE = len(NAMES)
_AT = slices({name: len(group) for name, group in _groups().items()})


class _Sheet:
    """Room for k ticks of a hand to be derived in, again and again, each part with a view made once."""

    def __init__(self, ticks: int) -> None:
        self.row = np.empty((ticks, HAND + _PARTNER), np.float32)
        self.joints, self.there, self.partner = self.row[:, :HAND], self.row[:, HAND : HAND + 1], self.row[:, HAND:]
        self.now = np.empty((ticks, _MOTION + 2 * len(TIPS)), np.float32)
        self.places, self.centre, self.log_unit, self.tips = (
            self.now[:, at] for at in (slice(4), slice(2), slice(4, _MOTION), slice(_MOTION, None))
        )
        self.moved = np.empty((ticks, 1 + len(LEAKS_S), self.now.shape[1]), np.float32)
        self.moved_places, self.step, self.drift = self.moved[:, :, :4], self.moved[:, 0], self.moved[:, 1:, :_MOTION]
        self.vector = np.zeros((ticks, SIZE), np.float32)
        self.still, self.velocity, self.leaks, self.left, self.relation = (
            self.vector[:, _AT[name]] for name in ("still", "velocity", "moved", "is_left", "partner")
        )
        self.leaks = self.leaks.reshape(self.drift.shape)
        self.posture = Posture(ticks, self.still, self.tips)
        self.units = self.posture.unit[:, None]


@lru_cache(maxsize=8)
def _sheet(ticks: int, _thread: int) -> _Sheet:
    """Room that all streams of a thread share, one after another: a hand that comes need not wait for its own."""
    return _Sheet(ticks)


class FeatureStream:
    """Turns one hand, seen at any times, into vectors at exactly `rate_hz`; its first tick is the first sight."""

    def __init__(self, rate_hz: float = RATE_HZ) -> None:
        self._rate_hz, self._rate = rate_hz, np.array(rate_hz, np.float32)
        # exp(-step / leak): the share of a running mean that survives one tick. Of the last place nothing does.
        self._keep = np.array([0, *np.exp(-1 / (rate_hz * np.array(LEAKS_S)))], np.float32)[:, None]
        self._last: tuple[float, Floats] | None = None
        self._start, self._ticks = 0.0, 0
        self._means: Floats | None = None  # (1 + len(LEAKS_S), 15): places and finger tips, the last and their means

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
        pieces = [
            self._advance(times[at : at + _PIECE].tolist(), rows[at : at + _PIECE], left)
            for at in range(0, len(times), _PIECE)
        ]
        ticks = [tick for piece, _ in pieces for tick in piece]
        return np.array(ticks, np.float64), np.concatenate([vectors for _, vectors in pieces])

    def _advance(self, times: list[float], rows: Floats, left: bool) -> tuple[list[float], Floats]:
        if self._last is None:
            self._start = times[0]
        before = self._last
        ticks, after, shares = self._schedule(times)
        self._last = times[-1], rows[-1:].copy()
        if not ticks:
            return ticks, np.zeros((0, SIZE), np.float32)
        old = rows[:1] if before is None else before[1]
        if len(rows) > 1 or len(ticks) > 1:
            old, rows = np.concatenate([old, rows[:-1]]).take(after, 0), rows.take(after, 0)
        return ticks, self._derive(old, rows, np.array(shares, np.float32)[:, None], left)

    def _schedule(self, times: list[float]) -> tuple[list[float], list[int], list[float]]:
        """The ticks due by the last of `times`, the first of `times` not before each, its share in what lies there."""
        ticks: list[float] = []
        after: list[int] = []
        shares: list[float] = []
        before = None if self._last is None else self._last[0]
        for row, time in enumerate(times):
            if before is not None and time <= before:
                raise InputError(f"time must rise: {time} s after {before} s")
            # A whisker of slack, so that a camera at exactly the model's rate gives exactly one tick a frame.
            while (tick := self._start + (self._ticks + len(ticks)) / self._rate_hz) <= time + 1e-6 / self._rate_hz:
                ticks.append(tick)
                after.append(row)
                shares.append(1.0 if before is None else min(1.0, (tick - before) / (time - before)))
            before = time
        self._ticks += len(ticks)
        return ticks, after, shares

    def _derive(self, old: Floats, new: Floats, shares: Floats, left: bool) -> Floats:
        """(k, SIZE) of ticks between rows of `raw` (k, …): `shares` (k, 1) of the new."""
        sheet = _sheet(len(shares), get_ident())
        _interpolate(old, new, shares, sheet)
        posture = sheet.posture
        posture.measure(sheet.joints, left)
        posture.pose()
        sheet.places[:] = posture.places
        np.log(posture.unit, out=sheet.log_unit)
        self._leak(sheet.now, sheet.moved)
        np.divide(sheet.moved_places, sheet.units, out=sheet.moved_places)
        np.multiply(sheet.step, self._rate, out=sheet.velocity)
        np.arcsinh(sheet.velocity, out=sheet.velocity)
        sheet.leaks[:] = sheet.drift

        sheet.left[:] = left
        _relate(sheet)
        np.maximum(sheet.vector, _LEAST, out=sheet.vector)
        return np.minimum(sheet.vector, _MOST)  # a copy: the sheet is written anew next time

    def _leak(self, now: Floats, out: Floats) -> None:
        """How far `now` (k, 15) is from the last and from its running means until then, into `out` (k, 3, 15)."""
        means = now[:1].copy() if self._means is None else self._means
        for place, moved in zip(now, out, strict=True):
            np.subtract(place, means, out=moved)
            means = place - moved * self._keep
        self._means = means


def raw(hand: Hand, partner: Hand | None) -> Floats:
    """(n,) the numbers of a hand that may be interpolated in time: image on one scale, world, coarse partner."""
    row = np.zeros(HAND + _PARTNER, np.float32)
    _place(hand, row[:HAND])
    if partner is not None:
        other = np.empty((1, HAND), np.float32)
        _place(partner, other[0])
        row[HAND:] = _coarse(other)[0]
    return row


def _place(hand: Hand, out: Floats) -> None:
    """The joints in the picture and in metres, into `out` (HAND,)."""
    joints = out.reshape(2, JOINTS, 3)
    np.multiply(hand.image, _level(hand.aspect), out=joints[0])
    joints[1] = hand.world


@lru_cache(maxsize=8)
def _level(aspect: float) -> Floats:
    """(3,) what brings x, y, z in a picture of that aspect to its widths."""
    return np.array([1, 1 / aspect, 1], np.float32)


def raw_many(image: Floats, world: Floats, slot: int, aspect: float) -> Floats:
    """(T, n) `raw` of the hand in `slot` of a clip's `image` and `world` (T, 2, 21, 3), the other slot its partner."""
    joints = np.stack([image * _level(aspect), world], 2, dtype=np.float32).reshape(len(image), 2, HAND)
    row = np.zeros((len(image), HAND + _PARTNER), np.float32)
    row[:, :HAND] = joints[:, slot]
    there = ~np.isnan(joints[:, 1 - slot]).any(1)
    if there.any():
        row[there, HAND:] = _coarse(joints[there, 1 - slot])
    return row


def _coarse(joints: Floats) -> Floats:
    """(n, 9) what a hand knows of another, of its joints (n, HAND): there, centre, unit, how far fingers reach."""
    seen = _sheet(len(joints), get_ident()).posture
    seen.measure(joints, left=False)
    out = np.empty((len(joints), _PARTNER), np.float32)
    out[:, 0], out[:, 1:3], out[:, 3:4] = 1, seen.places[:, :2], seen.unit
    np.divide(seen.reaches, seen.length, out=out[:, 4:])
    return out


def _interpolate(old: Floats, new: Floats, shares: Floats, sheet: _Sheet) -> None:
    """The hand at each tick."""
    np.subtract(new, old, out=sheet.row)
    # A partner that comes or goes between two frames has no half-way place.
    changed = np.count_nonzero(sheet.there)
    np.multiply(sheet.row, shares, out=sheet.row)
    np.add(sheet.row, old, out=sheet.row)
    if changed:
        np.copyto(sheet.partner, new[:, HAND:], where=old[:, HAND : HAND + 1] != new[:, HAND : HAND + 1])


def _relate(sheet: _Sheet) -> None:
    """The partner there or not, where it is, how large, how far its fingers reach."""
    there, partner, unit, out = sheet.there, sheet.partner, sheet.posture.unit, sheet.relation
    if not np.count_nonzero(there):
        out[:] = 0
        return
    out[:, :1] = there
    out[:, 1:3] = (partner[:, 1:3] - sheet.centre) / unit / 4
    out[:, 3:4] = np.log(np.where(there > 0, partner[:, 3:4], 1) / unit)
    out[:, 4:] = partner[:, 4:]
    out[:, 1:] *= there
