"""A hand's bones: where its 21 joints rest, how they bend, and how far MediaPipe's landmarks lie beside them.

Everything is said of a right hand in its own frame: origin at the wrist, +x to the thumb, +y along the fingers, +z out
of the palm, in metres. A left hand is its mirror image in x.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .types import Side

Array: TypeAlias = npt.NDArray[np.float64]

ANGLES = 21
"""Degrees that pose a hand. The thumb's base bends, spreads and twists, its two other joints bend; then of each finger,
index to little: bend at the knuckle, the middle and the end joint, and spread at the knuckle."""
PARENTS = (0, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19)
"""The joint that each of the 21 hangs from; the order is that of `types.JOINTS`."""
TIPS = (4, 8, 12, 16, 20)
PALM_M = 0.07
"""From the wrist to the middle of the palm, along the hand."""

# Joints and their frames (quaternions x, y, z, w; a frame's -z runs along the bone, its +y out of the back of the hand)
# are those of the hand in @webxr-input-profiles/assets 1.0.20 (MIT, Amazon 2019). MediaPipe's offsets, in those frames,
# were fitted to what it found in 8,397 rendered frames of that hand.
_FIGURES = np.array(
    [  # joint, mm         frame                          MediaPipe's offset, mm
        (0.0, 0.0, 0.0, -0.035, -0.696, 0.716, -0.047, 1.2, -13.5, -15.1),
        (25.1, 37.0, 21.2, -0.730, -0.464, 0.450, -0.222, -9.2, -1.9, -5.3),
        (39.8, 61.0, 37.5, -0.668, -0.466, 0.559, -0.156, 3.1, 1.7, -1.6),
        (60.1, 85.5, 48.7, -0.746, -0.383, 0.528, -0.134, 0.1, -1.8, 4.9),
        (70.3, 94.4, 54.8, -0.749, -0.387, 0.523, -0.129, 1.4, -0.2, -1.0),
        (21.2, 89.1, 7.4, -0.049, -0.727, 0.681, -0.077, 2.6, -5.5, -7.0),
        (18.6, 134.4, 9.0, -0.017, -0.726, 0.683, -0.069, 0.6, -6.0, 1.9),
        (16.6, 158.6, 10.4, 0.006, -0.673, 0.736, -0.077, 0.4, -2.8, 4.4),
        (15.3, 170.0, 9.3, 0.014, -0.672, 0.736, -0.084, 0.3, -0.3, -3.1),
        (0.0, 91.7, 0.0, 0.010, -0.730, 0.679, -0.076, 1.2, -5.9, -9.6),
        (-5.6, 138.2, 2.6, 0.030, -0.724, 0.684, -0.084, 0.5, -5.1, 1.4),
        (-9.3, 165.4, 4.2, 0.044, -0.657, 0.750, -0.058, 0.0, -3.2, 4.7),
        (-11.0, 177.4, 2.6, 0.041, -0.658, 0.750, -0.052, 0.2, -1.3, -3.3),
        (-19.4, 84.5, 1.9, 0.088, -0.723, 0.679, -0.094, -0.4, -6.3, -9.7),
        (-29.8, 126.0, 4.0, 0.127, -0.719, 0.678, -0.085, 0.1, -3.9, -0.8),
        (-37.0, 151.6, 5.7, 0.098, -0.705, 0.700, -0.052, -0.1, -1.9, 3.0),
        (-39.5, 163.2, 5.9, 0.101, -0.706, 0.699, -0.049, 0.7, 0.2, -3.5),
        (-37.5, 73.6, 7.4, 0.134, -0.725, 0.674, -0.041, -2.0, -4.2, -8.1),
        (-45.8, 107.0, 9.9, 0.197, -0.705, 0.679, -0.055, 0.5, -2.4, -0.2),
        (-53.0, 126.0, 11.4, 0.160, -0.691, 0.704, -0.026, -1.1, -1.5, 2.3),
        (-56.2, 137.5, 11.5, 0.182, -0.690, 0.699, -0.045, -0.8, 0.4, -1.5),
    ]
)


def _frames(quaternions: Array) -> Array:
    x, y, z, w = (quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


REST = _FIGURES[:, :3] / 1000
"""(21, 3) m: the joints of the hand at rest."""
FRAMES = _frames(_FIGURES[:, 3:7])
"""(21, 3, 3): each joint's axes at rest, as columns."""
OFFSETS = _FIGURES[:, 7:] / 1000
"""(21, 3) m: from a joint to where MediaPipe puts its landmark, in the joint's frame."""

LIMITS = np.array(
    [(-25, 50), (-20, 45), (-10, 25), (-15, 60), (-20, 75), *4 * [(-20, 95), (-5, 110), (-5, 85), (-20, 20)]], float
)
"""(21, 2) degrees: how far each angle of a healthy hand goes."""

_FOLDED = (84, 98, 62, 0)
_TOUCH = (24.5, 24.9, 10.9, 17.1, 15.3), (54, 49.3, 19.8, 0)  # thumb and index, tip on tip
POSES: dict[str, Array] = {
    name: np.concatenate(fingers).astype(float)
    for name, fingers in {
        "open": ((-4, 4, 0, -4, -5), (-3, 4, 2, 9), (-3, 4, 2, 0), (-3, 4, 2, -5), (-3, 5, 3, -11)),
        "flat": ((14, 6, 0, 6, 4), (2, 4, 2, -4), (2, 4, 2, 0), (2, 4, 2, 4), (2, 4, 2, 8)),
        "relaxed": ((10, 10, 4, 10, 12), (20, 22, 12, 2), (24, 26, 14, 0), (27, 28, 14, 0), (30, 30, 14, -2)),
        "curled": ((18, 20, 6, 15, 20), (38, 55, 30, 3), (40, 58, 32, 0), (42, 58, 32, 0), (44, 56, 30, -3)),
        "claw": ((8, 28, 8, 10, 20), (20, 45, 28, 8), (22, 48, 30, 0), (24, 48, 30, -6), (26, 46, 28, -12)),
        "cup": ((16, 34, 10, 12, 18), (34, 42, 22, 4), (36, 44, 24, 0), (38, 44, 24, -2), (40, 44, 24, -5)),
        "fist": ((38, 30, 14, 32, 42), _FOLDED, _FOLDED, _FOLDED, _FOLDED),
        "thumb": ((-12, -8, 0, -6, -8), _FOLDED, _FOLDED, _FOLDED, _FOLDED),
        "point": ((40, 30, 14, 32, 40), (2, 6, 4, 0), _FOLDED, _FOLDED, _FOLDED),
        "two": ((42, 32, 14, 34, 42), (0, 5, 3, 9), (0, 5, 3, -7), _FOLDED, _FOLDED),
        "three": ((42, 32, 14, 34, 42), (0, 5, 3, 9), (0, 5, 3, 0), (0, 5, 3, -9), _FOLDED),
        "ok": (*_TOUCH, (10, 10, 6, 0), (4, 6, 4, -4), (0, 4, 3, -10)),
        "pinch": (*_TOUCH, (38, 38, 18, 0), (34, 36, 18, -2), (30, 34, 18, -5)),
        "before_pinch": ((4, 22, 6, 4, 8), (14, 24, 12, 3), (26, 30, 16, 0), (28, 32, 16, -2), (28, 32, 16, -6)),
        "zoom_shut": (*_TOUCH, (80, 92, 55, 0), (84, 96, 60, 0), (84, 96, 60, 0)),
        "zoom_wide": ((-8, 14, 0, -4, -4), (4, 8, 4, 8), (76, 90, 52, 0), (82, 96, 60, 0), (84, 96, 60, 0)),
    }.items()
}
"""Hands in (21,) degrees, see `ANGLES`."""


def rotation(degrees: Array) -> Array:
    """Rotations (..., 3, 3) of (..., 3) degrees: pitch about x and yaw about y, after roll about z."""
    radians = np.moveaxis(np.deg2rad(degrees), -1, 0)
    (cx, cy, cz), (sx, sy, sz) = np.cos(radians), np.sin(radians)
    rows = [
        [cy * cz + sy * sx * sz, sy * sx * cz - cy * sz, sy * cx],
        [cx * sz, cx * cz, -sx],
        [cy * sx * sz - sy * cz, sy * sz + cy * sx * cz, cy * cx],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


# Which of the 21 angles bends, spreads and twists each joint; ANGLES stands for one that is always 0.
_BEND = np.full(21, ANGLES)
_SPREAD, _TWIST = _BEND.copy(), _BEND.copy()
_BEND[[1, 2, 3]], _SPREAD[1], _TWIST[1] = (0, 3, 4), 1, 2
for _finger in range(4):
    _BEND[5 + 4 * _finger : 8 + 4 * _finger] = 5 + 4 * _finger + np.arange(3)
    _SPREAD[5 + 4 * _finger] = 8 + 4 * _finger


def bend(angles: Array, shape: Array) -> tuple[Array, Array]:
    """Pose a right hand: joints (..., 21, 3) m and their frames (..., 21, 3, 3) from `angles` (..., 21) degrees.

    `shape` (3,) stretches the resting hand's width, length and thickness; 1 is the hand of the figures.
    """
    padded = np.concatenate([angles, np.zeros((*angles.shape[:-1], 1))], -1)
    turns = rotation(np.stack([-padded[..., _BEND], padded[..., _SPREAD], padded[..., _TWIST]], -1))
    joints = np.zeros((*angles.shape[:-1], 21, 3))
    frames = np.empty((*angles.shape[:-1], 21, 3, 3))
    frames[..., 0, :, :] = FRAMES[0]
    for joint, parent in list(enumerate(PARENTS))[1:]:
        bone = FRAMES[parent].T @ ((REST[joint] - REST[parent]) * shape)
        joints[..., joint, :] = joints[..., parent, :] + frames[..., parent, :, :] @ bone
        posed = frames[..., parent, :, :] @ (FRAMES[parent].T @ FRAMES[joint])
        frames[..., joint, :, :] = posed if joint in TIPS else posed @ turns[..., joint, :, :]
    return joints, frames


@dataclass(frozen=True, slots=True, eq=False)
class PosedHand:
    """A hand as it is held, at one time or at many (the leading "..." of every shape but `shape`'s).

    In the camera's space: x right, y up, z towards the camera, m, the lens at the origin. `angles` (..., 21) degrees;
    `turn` (..., 3, 3) the hand's rotation; `wrist` (..., 3) m; `forearm` (..., 3) the unit vector from wrist to elbow;
    `shape` (3,) its width, length and thickness. A left hand is the right one mirrored in x before it turns.
    """

    side: Side
    angles: Array
    turn: Array
    wrist: Array
    forearm: Array
    shape: Array

    def place(self, points: Array) -> Array:
        """Bring points (..., n, 3) m from the right hand's own frame into the camera's space."""
        own = np.array([1.0 if self.side == "right" else -1.0, 1, 1])
        placed: Array = (points * own) @ np.swapaxes(self.turn, -1, -2) + self.wrist[..., None, :]
        return placed

    def joints(self) -> Array:
        """The joints (..., 21, 3) m where they are."""
        return self.place(bend(self.angles, self.shape)[0])

    def landmarks(self) -> Array:
        """The joints (..., 21, 3) m where MediaPipe puts them."""
        joints, frames = bend(self.angles, self.shape)
        return self.place(joints + (frames @ (OFFSETS * self.shape.mean())[..., None])[..., 0])
