"""The posture of hands, one or many at once: where they are, how large, how turned and bent.

A left hand is measured as a right one, in a mirror.

A call into NumPy costs more than what it does to one hand. So all that is linear in the joints is read by one matrix,
and all sums of products of what was read are taken by a second.
"""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .types import JOINTS, Floats

PALM = (0, 5, 9, 13, 17)
TIPS = (4, 8, 12, 16, 20)
RADIUS_TO_LENGTH = 2.2
"""Palm length over the palm joints' root-mean-square radius, in MediaPipe's mean hand."""
BONES = tuple((0 if joint % 4 == 1 else joint - 1, joint) for joint in range(1, JOINTS))
BENDS = tuple((b, b + 1) for b in range(len(BONES) - 1) if BONES[b + 1][0] == BONES[b][1])
SPANS = (*((0, tip) for tip in TIPS), *((4, tip) for tip in TIPS[1:]), (8, 12), (12, 16), (16, 20))
"""Pairs of joints whose distance tells a pose: how far each finger reaches, the pinches, the spread."""
HAND = JOINTS * 3 * 2
"""So many numbers are a hand: its joints in the picture, then in metres."""

_Matrix: TypeAlias = npt.NDArray[np.float64]


def slices(widths: Mapping[str, int]) -> dict[str, slice]:
    """Which columns are whose where so many stand side by side."""
    ends = np.cumsum(list(widths.values())).tolist()
    return {name: slice(end - width, end) for (name, width), end in zip(widths.items(), ends, strict=True)}


def _reading(part: int, combinations: _Matrix, axes: str) -> _Matrix:
    """(HAND, axes, n): reads n combinations (n, 21) of the joints in the picture (part 0) or in metres (part 1)."""
    out = np.zeros((2, JOINTS, 3, len(axes), len(combinations)))
    for k, axis in enumerate(axes):
        out[part, :, "xyz".index(axis), k] = combinations.T
    return out.reshape(HAND, len(axes), -1)


def _readings(left: bool) -> dict[str, _Matrix]:
    """(HAND, n) each: what is read of a hand. A left hand's shape and turn are read as those of a right one."""
    own = np.eye(JOINTS)
    middle, bones = own[list(PALM)].mean(0), np.array([own[head] - own[tail] for tail, head in BONES])
    up, across = own[9:10] - own[0], own[5:6] - own[17]

    def mirrored(part: int, combinations: _Matrix, axes: str) -> _Matrix:
        return _reading(part, combinations, axes) * [[-1 if left and axis == "x" else 1] for axis in axes]

    shape = mirrored(0, own[1:] - own[0], "xy").transpose(0, 2, 1)  # joint by joint, x and y
    readings = {
        "shape": shape,
        "tips": shape[:, np.array(TIPS) - 1],
        "places": _reading(0, np.array([middle, own[8]]), "xy").transpose(0, 2, 1),
        "up": mirrored(1, up, "xyz"),
        # Factors, and the others in the same order: of a cross product, of the picture's scale, of the bends' cosines.
        "up_turned": mirrored(1, up, "yzxzxy"),
        "image": _reading(0, own - middle, "xy"),
        "distal": _reading(1, bones[[after for _, after in BENDS]], "xyz"),
        "across_turned": mirrored(1, across, "zxyyzx"),
        "world": _reading(1, own - middle, "xy"),
        "proximal": _reading(1, bones[[before for before, _ in BENDS]], "xyz"),
        "spans": _reading(1, np.array([own[a] - own[b] for a, b in SPANS]), "xyz"),
        "palm": _reading(1, own[list(PALM)] - middle, "xyz"),
    }
    return {name: each.reshape(HAND, -1) for name, each in readings.items()}


def _beside(blocks: Mapping[str, _Matrix]) -> Floats:
    return np.concatenate(list(blocks.values()), 1).astype(np.float32)


_READ = slices({name: each.shape[1] for name, each in _readings(left=False).items()})
_READINGS = [_beside(_readings(left)) for left in (False, True)]
_FACTORS = slice(_READ["up_turned"].start, _READ["distal"].stop)
_OTHERS = slice(_READ["across_turned"].start, _READ["proximal"].stop)
_SQUARED = slice(_READ["distal"].start, _READ["palm"].stop)
_PAIRS = _FACTORS.stop - _FACTORS.start
_PRODUCTS = _PAIRS + _SQUARED.stop - _SQUARED.start


def _sums() -> dict[str, _Matrix]:
    """(_PRODUCTS, n) each: which products of readings make which sum. Squares of lengths come first."""
    bends, spans = (np.tile(np.eye(len(each)), (3, 1)) for each in (BENDS, SPANS))
    radius = np.full((3 * len(PALM), 1), RADIUS_TO_LENGTH**2 / len(PALM))
    flat, cross = np.ones((2 * JOINTS, 1)), np.concatenate([np.eye(3), -np.eye(3)])
    squared, paired = _PAIRS - _SQUARED.start, -_FACTORS.start
    terms = {
        "distal": ("distal", squared, bends),
        "proximal": ("proximal", squared, bends),
        "spans": ("spans", squared, spans),
        "length": ("palm", squared, radius),
        "world": ("world", squared, flat),
        "image": ("image", paired, flat),
        "bends": ("distal", paired, bends),
        "out": ("up_turned", paired, cross),
    }
    sums = {}
    for name, (of, shift, which) in terms.items():
        sums[name] = np.zeros((_PRODUCTS, which.shape[1]))
        sums[name][_READ[of].start + shift : _READ[of].stop + shift] = which
    return sums


_SUM = slices({name: each.shape[1] for name, each in _sums().items()})
_SUMS = _beside(_sums())
_SQUARES = slice(0, _SUM["world"].stop)
_LEAST = np.zeros(_SQUARES.stop, np.float32)
"""No bone is shorter than 1 µm, no palm than 0.1 mm: nothing is divided by zero."""
_LEAST[: _SUM["proximal"].stop], _LEAST[_SUM["length"].start :] = 1e-12, 1e-8
_STILL = slices({"shape": 2 * len(BONES), "bends": len(BENDS), "spans": len(SPANS), "up": 3, "out": 3})
STILL = _STILL["out"].stop
_NEAREST, _FARTHEST = np.array(10, np.float32), np.array(0.01, np.float32)


class Posture:
    """Room for n hands to be measured in, again and again; what it holds is of the last ones measured.

    Each part has its own view, made once: taking a view costs as much as computing with it.
    `places` (n, 4): x and y of the palm's middle and of the index finger's tip, in picture widths. `unit` (n, 1): the
    palm's length in picture widths, that of a palm facing the camera at the hand's distance: the least-squares scale
    between the joints in the picture and in metres, so that tilting the hand does not seem to move it away.
    `reaches` (n, 5): from the wrist to the finger tips, `length` (n, 1): the palm's, both in m. `still` (n, STILL):
    what tells a pose: joints from the wrist in units, bends as cosines, distances in palm lengths, the palm's upward
    and outward directions. `tips` (n, 10): the finger tips' part of it.
    """

    def __init__(self, count: int, still: Floats | None = None, tips: Floats | None = None) -> None:
        """`still`, `tips`: where these are to be written, None for arrays of its own."""

        def room(columns: int) -> Floats:
            return np.empty((count, columns), np.float32)

        self._read, self._products, self._sums = room(_READINGS[0].shape[1]), room(_PRODUCTS), room(_SUMS.shape[1])
        self._squares, self._lengths, self.unit = room(_SQUARES.stop), room(_SQUARES.stop), room(1)
        self.still = room(STILL) if still is None else still
        self.tips = room(2 * len(TIPS)) if tips is None else tips

        self._factors, self._others, self._squared = (self._read[:, at] for at in (_FACTORS, _OTHERS, _SQUARED))
        self._pairs, self._selves = self._products[:, :_PAIRS], self._products[:, _PAIRS:]
        self._of_squares = self._sums[:, _SQUARES]
        read = {name: self._read[:, at] for name, at in _READ.items()}
        sums = {name: self._sums[:, at] for name, at in _SUM.items()}
        lengths = {name: self._lengths[:, at] for name, at in _SUM.items()}
        self.places, self._shape, self._tips, self._up = (read[name] for name in ("places", "shape", "tips", "up"))
        self._scale, self._bends, self._out = (sums[name] for name in ("image", "bends", "out"))
        self._flat, self._square = (self._squares[:, _SUM[name]] for name in ("world", "length"))
        self._distal, self._proximal, self._spans = (lengths[name] for name in ("distal", "proximal", "spans"))
        self.reaches, self.length = self._spans[:, : len(TIPS)], lengths["length"]
        self._still = [self.still[:, at] for at in _STILL.values()]

    def measure(self, joints: Floats, left: bool) -> None:
        """Fill in all but `still` and `tips`, of joints (n, HAND): in the picture, both axes in its widths, then in m.

        Of a `left` hand shape and turn are those of a right one.
        """
        joints.dot(_READINGS[left], out=self._read)
        np.multiply(self._factors, self._others, out=self._pairs)
        np.multiply(self._squared, self._squared, out=self._selves)
        self._products.dot(_SUMS, out=self._sums)
        np.maximum(self._of_squares, _LEAST, out=self._squares)
        np.sqrt(self._squares, out=self._lengths)
        np.divide(self._scale, self._flat, out=self.unit)
        np.multiply(self.unit, self.length, out=self.unit)
        np.maximum(self.unit, _FARTHEST, out=self.unit)
        np.minimum(self.unit, _NEAREST, out=self.unit)

    def pose(self) -> None:
        """Fill in `still` and `tips` of the hands measured."""
        shape, bends, spans, up, out = self._still
        np.divide(self._shape, self.unit, out=shape)
        np.divide(self._tips, self.unit, out=self.tips)
        np.multiply(self._distal, self._proximal, out=bends)
        np.divide(self._bends, bends, out=bends)
        np.divide(self._spans, self.length, out=spans)
        np.divide(self._up, self.length, out=up)
        np.divide(self._out, self._square, out=out)
