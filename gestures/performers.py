"""People before a camera, and what their hands can do: poses, turns, places, and ways between two of them.

A hand's state is (27,) numbers: `FINGERS` in degrees (see `skeleton.ANGLES`), `PLACE` of the middle of the palm in m
(x to the right of an unmirrored picture, y up, z towards the camera, from the middle of the seat) and `TURN` in degrees
(see `skeleton.rotation`; at 0 the palm faces the camera, fingers up). A path is (frames, 27) at `RATE_HZ`. Directions
and sides are the performer's own: facing the camera, their left is the picture's right, +x.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .skeleton import ANGLES, POSES, Array
from .types import Side

RATE_HZ = 100
FINGERS, PLACE, TURN = slice(0, 21), slice(21, 24), slice(24, 27)
CHANNELS = 27
LOOSEST = 4.0
"""Beyond this a flat hand is none any more: its finger joints are bent by 13 degrees this way or that."""

LEAN_DEG = 75.0
"""How far fingers may lean towards the camera: those of SFINGE3D, 468 takes over a desk, do by 41 in the median."""


@dataclass(frozen=True, slots=True, eq=False)
class Performer:
    """A person before a camera.

    `side` is the preferred hand, `sides` those that are free; `shape` (3,) stretches a hand's width, length and
    thickness; `habit` (21,) degrees is how the fingers differ from everyone's. `speed` and `amplitude` are 1 for the
    average. The seat is `depth_m` from the camera, `aside_m` off its axis; `view_deg` (3,) turns the whole scene.
    `fov_deg` is across the picture's width, `aspect` its width / height. `looseness` is how freely they do what they
    do: by the book at 1; at 4 fingers and ways are four times as far off it as there.
    """

    side: Side
    sides: tuple[Side, ...]
    shape: Array
    habit: Array
    speed: float
    amplitude: float
    depth_m: float
    aside_m: float
    view_deg: Array
    fov_deg: float
    aspect: float
    looseness: float = 1.0

    @classmethod
    def random(cls, rng: np.random.Generator, aspect: float = 4 / 3) -> "Performer":
        """Someone, somewhere between 0.4 and 1.2 m from a webcam of 50 to 80 degrees."""
        depth_m, fov_deg = float(np.exp(rng.uniform(np.log(0.4), np.log(1.2)))), float(rng.uniform(50, 80))
        side: Side = "left" if rng.random() < 0.3 else "right"
        return cls(
            side=side,
            sides=("left", "right") if rng.random() < 0.6 else (side,),
            shape=rng.uniform(0.84, 1.1) * rng.uniform((0.93, 0.94, 0.93), (1.08, 1.07, 1.08)),
            habit=rng.normal(0, 3, ANGLES),
            speed=float(np.exp(rng.uniform(np.log(0.7), np.log(1.5)))),
            amplitude=float(np.exp(rng.uniform(np.log(0.75), np.log(1.5)))),
            depth_m=depth_m,
            aside_m=float(rng.normal(0, 0.15) * depth_m * np.tan(np.deg2rad(fov_deg / 2))),
            view_deg=rng.uniform((-20, -25, -8), (15, 25, 8)),
            fov_deg=fov_deg,
            aspect=aspect,
        )

    def loosened(self, rng: np.random.Generator) -> "Performer":
        """The same person doing it their own way, at a pace and size drawn anew, more often slower and smaller.

        The middle one of SFINGE3D's 72 swipes goes 0.23 m at up to 0.8 m/s, turns the palm by 65 degrees, and moves
        when it begins; by the book it goes 0.39 m at 1.5 m/s, turns by 17 degrees, and begins from rest.
        """
        looseness, speed, amplitude = np.exp(rng.uniform(np.log((1, 0.5, 0.5)), np.log((LOOSEST, 1.5, 1.5)))).tolist()
        return replace(self, looseness=looseness, speed=speed, amplitude=amplitude)

    @property
    def half_m(self) -> Array:
        """(2,) m: half the width and height of what the camera sees at the seat's depth."""
        half_width = self.depth_m * np.tan(np.deg2rad(self.fov_deg / 2))
        return np.array([half_width, half_width / self.aspect])


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """One hand of a performer, and the chance that makes no two of its movements alike."""

    performer: Performer
    side: Side
    rng: np.random.Generator

    @property
    def own(self) -> float:
        """1 for the right hand, -1 for the left: the picture's right is the way inwards for the right hand."""
        return 1.0 if self.side == "right" else -1.0

    def pose(self, *names: str, vary_deg: float = 3.0) -> Array:
        """(21,) degrees: one of these poses, as this hand makes it this time."""
        chosen = POSES[names[self.rng.integers(len(names))]]
        loose = self.performer.looseness
        return chosen + 0.5 * loose * self.performer.habit + loose * self.rng.normal(0, vary_deg, ANGLES)

    def turn(self, pitch: float, yaw: float, roll: float, vary_deg: float = 10.0, leans: float = 0.0) -> Array:
        """(3,) degrees, said of a right hand and mirrored for the left; `leans` is the share of `LEAN_DEG` it may."""
        pitch += self.freely(leans * LEAN_DEG)
        off = self.performer.looseness**0.5 * self.rng.normal(0, vary_deg, 3)
        turn: Array = (np.array([pitch, yaw, roll]) + off) * (1, self.own, self.own)
        return turn

    def spot(self, room: float = 0.65) -> Array:
        """(3,) m: somewhere in the picture, rather on this hand's own side; `room` is the share of it in use."""
        x, y = np.clip(self.rng.normal((-0.25 * self.own, -0.1), (0.35, 0.3)), -room, room) * self.performer.half_m
        return np.array([x, y, self.rng.normal(0, 0.05)])

    def freely(self, most: float) -> float:
        """0..`most`, every second time 0: how much this movement has of what is not in the book."""
        return 0.0 if self.performer.looseness == 1 else max(0.0, float(self.rng.uniform(-most, most)))

    def reach(self, low_m: float, high_m: float, room_m: float) -> float:
        """m: how far a movement goes each way, by this performer's amplitude and within `room_m`."""
        return min(self.performer.amplitude * self.rng.uniform(low_m, high_m), room_m)

    def seconds(self, low_s: float, high_s: float) -> float:
        """s: how long a movement takes this performer."""
        return float(self.rng.uniform(low_s, high_s)) / self.performer.speed


def state(pose: Array, place: Sequence[float] | Array, turn: Array) -> Array:
    """(27,): fingers, place and turn as one."""
    return np.concatenate([pose, place, turn])


def mirrored(states: Array) -> Array:
    """The same (..., 27) movement made by the performer's other hand, on the other side."""
    flipped = states.copy()
    flipped[..., [21, 25, 26]] *= -1
    return flipped


def clock(seconds: float) -> Array:
    """(frames,): the share of `seconds` gone at each frame, the last one 1."""
    frames = max(2, round(seconds * RATE_HZ))
    return np.arange(1, frames + 1) / frames


def ease(share: Array) -> Array:
    """The way people move from rest to rest: minimum jerk (Flash & Hogan 1985), 0..1 to 0..1."""
    share = np.clip(share, 0, 1)
    return share**3 * (10 - 15 * share + 6 * share**2)


def glide(start: Array, end: Array, seconds: float, late: float = 1.0) -> Array:
    """(frames, 27): from rest to rest. `late` above 1 puts the highest speed after the middle."""
    return start + (end - start) * ease(clock(seconds) ** late)[:, None]


def hold(at: Array, seconds: float) -> Array:
    """(frames, 27): staying there."""
    return np.tile(at, (max(1, round(seconds * RATE_HZ)), 1))


def swing(turns: float, seconds: float, fade: float = 0.5) -> tuple[Array, Array]:
    """Phase (frames,) in radians over `turns` cycles, and an envelope that grows and fades within `fade` cycles."""
    share = clock(seconds)
    edge = min(0.5, fade / turns)
    return 2 * np.pi * turns * share, ease(share / edge) * ease((1 - share) / edge)


def travel(actor: Actor, start: Array, end: Array, pace: float = 1.0) -> Array:
    """(frames, 27): any movement between gestures, along a bow and as long as the way is; `pace` 1 is unhurried."""
    step = end - start
    distance_m = float(np.linalg.norm(step[PLACE]))
    turned, bent = np.abs(step[TURN]).max(), np.abs(step[FINGERS]).max()
    seconds = max(0.2 + distance_m / 0.6, 0.15 + turned / 260, 0.12 + bent / 320) / (pace * actor.performer.speed)
    share = clock(min(seconds, 2.5))
    late = actor.rng.uniform(0.75, 1.3, 3)  # fingers, place and turn do not go hand in hand
    path = start + step * np.repeat(ease(share[:, None] ** late), (21, 3, 3), axis=1)
    bow = actor.rng.normal((0, -0.03, -0.06), (0.08, 0.08, 0.06)) * distance_m
    path[:, PLACE] += np.sin(np.pi * ease(share))[:, None] ** 2 * bow
    return path
