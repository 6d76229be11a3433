"""The gestures as movements: how each is done by some performer's hand, a little different every time.

A hand's state is (27,) numbers: `FINGERS` in degrees (see `skeleton.ANGLES`), `PLACE` of the middle of the palm in m
(x to the right of an unmirrored picture, y up, z towards the camera, from the middle of the seat) and `TURN` in degrees
(see `skeleton.rotation`; at 0 the palm faces the camera, fingers up). A path is (frames, 27) at `RATE_HZ`. Directions
and sides are the performer's own: facing the camera, their left is the picture's right, +x.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np

from .skeleton import ANGLES, POSES, Array
from .types import Side

RATE_HZ = 100
FINGERS, PLACE, TURN = slice(0, 21), slice(21, 24), slice(24, 27)
CHANNELS = 27


@dataclass(frozen=True, slots=True, eq=False)
class Performer:
    """A person before a camera.

    `side` is the preferred hand, `sides` those that are free; `shape` (3,) stretches a hand's width, length and
    thickness; `habit` (21,) degrees is how the fingers differ from everyone's. `speed` and `amplitude` are 1 for the
    average. The seat is `depth_m` from the camera, `aside_m` off its axis; `view_deg` (3,) turns the whole scene.
    `fov_deg` is across the picture's width, `aspect` its width / height.
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
        return chosen + 0.5 * self.performer.habit + self.rng.normal(0, vary_deg, ANGLES)

    def turn(self, pitch: float, yaw: float, roll: float, vary_deg: float = 10.0) -> Array:
        """(3,) degrees, said of a right hand and mirrored for the left."""
        turn: Array = (np.array([pitch, yaw, roll]) + self.rng.normal(0, vary_deg, 3)) * (1, self.own, self.own)
        return turn

    def spot(self, room: float = 0.65) -> Array:
        """(3,) m: somewhere in the picture, rather on this hand's own side; `room` is the share of it in use."""
        x, y = np.clip(self.rng.normal((-0.25 * self.own, -0.1), (0.35, 0.3)), -room, room) * self.performer.half_m
        return np.array([x, y, self.rng.normal(0, 0.05)])

    def reach(self, low_m: float, high_m: float, room_m: float) -> float:
        """m: how far a movement goes each way, by this performer's amplitude and within `room_m`."""
        return min(self.performer.amplitude * self.rng.uniform(low_m, high_m), room_m)

    def seconds(self, low_s: float, high_s: float) -> float:
        """s: how long a movement takes this performer."""
        return float(self.rng.uniform(low_s, high_s)) / self.performer.speed


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """A gesture's movement: `path` (frames, 27) from the state `start` (27,).

    After `decided` frames it can be nothing else: the rest only holds or repeats. `two_handed` tells that the path is
    the right hand's and the left one mirrors it.
    """

    start: Array
    path: Array
    decided: int
    two_handed: bool = False


Move: TypeAlias = Callable[[Actor], Stroke]


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


def _swipe(actor: Actor, heading: tuple[float, float]) -> Stroke:
    rng, way = actor.rng, np.array([*heading, 0.0])
    across = abs(heading[0]) > 0
    room_m = float(np.abs(way[:2]) @ actor.performer.half_m)
    reach_m = actor.reach(0.13, 0.2, 0.8 * room_m) if across else actor.reach(0.1, 0.17, 0.75 * room_m)
    middle = actor.spot()
    along = float(middle @ way)
    middle += way * (np.clip(along, -room_m + reach_m, room_m - reach_m) - along)
    if across:
        # Palm to the camera, palm inwards as in turning a page, or fingers pointing across.
        pitch, yaw, roll = ((0, 5, 0), (0, 55, -8), (5, 35, -45))[rng.choice(3, p=(0.5, 0.35, 0.15))]
        flick = np.array([0, rng.normal(0, 14), -rng.uniform(0, 22) * heading[0]])
    else:
        # Palm to the camera, palm down, or palm up as in lifting.
        down = 0.35 if heading[1] < 0 else 0.2
        pitch, yaw, roll = ((0, 5, 0), (50, 5, 0), (-55, 175, 0))[rng.choice(3, p=(0.65, down, 0.35 - down))]
        flick = np.array([-rng.uniform(5, 30) * heading[1], 0, rng.normal(0, 6)])
    pose, turn = actor.pose("open", "flat", "flat", "relaxed", "two"), actor.turn(pitch, yaw, roll)
    start = state(pose, middle - reach_m * way, turn - flick)
    end = state(pose + rng.normal(0, 3, ANGLES), middle + reach_m * way, turn + flick)
    path = glide(start, end, actor.seconds(0.32, 0.75), rng.uniform(0.8, 1.25))
    progress = (path[:, PLACE] - middle) @ way / reach_m
    bow = rng.normal((0, -0.01, 0.01), (0.02, 0.02, 0.02)) * (1 - np.abs(way))
    path[:, PLACE] += (1 - progress**2)[:, None] * bow
    return Stroke(start, path, len(path))


def _wave(actor: Actor) -> Stroke:
    rng = actor.rng
    start = state(actor.pose("open", "open", "flat"), actor.spot(), actor.turn(0, 0, 0))
    start[22] += 0.15 * actor.performer.half_m[1]
    turns = rng.integers(2, 6) + rng.choice((0, 0.5))
    phase, size = swing(turns, turns / (rng.uniform(1.3, 2.3) * min(actor.performer.speed, 1.25)))
    angle_deg = rng.choice((-1, 1)) * rng.uniform(9, 30) * size * np.sin(phase)
    path = np.tile(start, (len(phase), 1))
    path[:, 26] += angle_deg
    path[:, 21] -= rng.uniform(0.02, 0.25) * np.sin(np.deg2rad(angle_deg))  # from the wrist, or from the elbow
    return Stroke(start, path, len(path))


def _push(actor: Actor) -> Stroke:
    reach_m = actor.reach(0.06, 0.13, 0.2 * actor.performer.depth_m)
    pose, turn, place = actor.pose("open", "flat"), actor.turn(0, 0, 0), actor.spot(0.5)
    tilt = np.array([actor.rng.uniform(0, 15), 0, 0])
    way = np.array([0, actor.rng.normal(0.1, 0.15), 1]) * reach_m
    start, end = state(pose, place - way, turn + tilt), state(pose, place + way, turn - 0.5 * tilt)
    path = glide(start, end, actor.seconds(0.3, 0.75), actor.rng.uniform(0.8, 1.2))
    return Stroke(start, path, len(path))


def _pinch(actor: Actor) -> Stroke:
    place, turn = actor.spot(), actor.turn(0, 32, 0, 14)
    start = state(actor.pose("before_pinch"), place, turn)
    end = state(
        actor.pose("pinch", vary_deg=1), place + actor.rng.normal(0, 0.008, 3), turn + actor.rng.normal(0, 4, 3)
    )
    path = glide(start, end, actor.seconds(0.18, 0.45))
    return Stroke(start, np.concatenate([path, hold(end, actor.rng.uniform(0.08, 0.5))]), len(path))


def _zoom(actor: Actor, apart: bool) -> Stroke:
    both = len(actor.performer.sides) == 2 and actor.rng.random() < 0.5
    narrow, wide = (_hands_gap if both else _fingers_gap)(actor)
    start, end = (narrow, wide) if apart else (wide, narrow)
    path = glide(start, end, actor.seconds(0.35, 0.8), actor.rng.uniform(0.85, 1.2))
    return Stroke(start, path, len(path), two_handed=both)


def _fingers_gap(actor: Actor) -> tuple[Array, Array]:
    place, turn = actor.spot(), actor.turn(0, 35, 0, 14)
    narrow, wide = actor.pose("zoom_shut", vary_deg=1.5), actor.pose("zoom_wide")
    if actor.rng.random() < 0.4:  # the other fingers need not be folded
        narrow[9:], wide[9:] = POSES["pinch"][9:], POSES["relaxed"][9:]
    return state(narrow, place, turn), state(
        wide, place + actor.rng.normal(0, 0.01, 3), turn + actor.rng.normal(0, 5, 3)
    )


def _hands_gap(actor: Actor) -> tuple[Array, Array]:
    """The right hand's two ends; the left one mirrors them."""
    right = Actor(actor.performer, "right", actor.rng)
    pose, turn = right.pose("open", "flat", "flat", "point", "pinch", "claw"), right.turn(5, 45, 0, 18)
    height, depth = right.spot(0.5)[1:]
    near_m = right.rng.uniform(0.045, 0.09)
    far_m = min(near_m + right.reach(0.09, 0.22, 1), 0.9 * right.performer.half_m[0])
    lift = right.rng.normal(0, 0.15) * (far_m - near_m)
    flick = np.array([0, -right.rng.uniform(0, 25), right.rng.normal(5, 8)])
    return state(pose, (-near_m, height, depth), turn), state(pose, (-far_m, height + lift, depth), turn + flick)


def _clench(actor: Actor, to_fist: bool) -> Stroke:
    place, turn = actor.spot(), actor.turn(5, 10, 0, 16)
    wide = state(actor.pose("open"), place, turn)
    pull = actor.rng.normal((0, 0, -0.01), 0.012)
    fist = state(actor.pose("fist"), place + pull, turn + actor.rng.normal(0, 5, 3))
    start, end = (wide, fist) if to_fist else (fist, wide)
    path = glide(start, end, actor.seconds(0.25, 0.65), actor.rng.uniform(0.8, 1.2))
    return Stroke(start, path, len(path))


def _circle(actor: Actor, sense: float) -> Stroke:
    rng = actor.rng
    radius_m = actor.reach(0.04, 0.09, 0.5 * actor.performer.half_m[1])
    turns = rng.uniform(1.0, 2.6)
    share = clock(turns / (rng.uniform(0.75, 1.5) * actor.performer.speed))
    ramp = rng.uniform(0.04, 0.12)  # the share of the time taken to come up to speed, and to stop
    begun = np.where(share < ramp, share**2 / (2 * ramp), share - ramp / 2)
    gone = np.where(share > 1 - ramp, 1 - ramp - (1 - share) ** 2 / (2 * ramp), begun) / (1 - ramp)
    first = np.pi / 2 + rng.normal(0, 0.9)
    angle = first + sense * 2 * np.pi * turns * np.append(0, gone)
    ring = radius_m * np.stack(
        [rng.uniform(0.75, 1.25) * np.cos(angle), np.sin(angle), rng.normal(0, 0.3) * np.cos(angle)], 1
    )
    pose = actor.pose("point", "point", "point", "two", "flat")
    path = np.tile(state(pose, actor.spot(0.5), actor.turn(10, 5, 0)), (len(angle), 1))
    path[:, PLACE] += ring
    path[:, 26] -= rng.uniform(0, 10) * np.cos(angle)
    return Stroke(path[0], path[1:], round(len(path) / turns))


def _thumb(actor: Actor, up: bool) -> Stroke:
    rng = actor.rng
    # The forearm comes from the hand's own side: seen from the knuckles or the back for up, from the palm for down.
    turn = actor.turn(0, rng.uniform(40, 175), 88, 12) if up else actor.turn(0, rng.uniform(-65, 5), -88, 8)
    raise_m = actor.reach(0.03, 0.16, 0.5 * actor.performer.half_m[1])
    end = state(actor.pose("thumb"), actor.spot(0.5), turn)
    start = end.copy()
    start[FINGERS] = actor.pose("fist", "fist", "curled", "relaxed", "thumb")
    if rng.random() < 0.4:  # shown out of a fist that was raised first, knuckles up
        start[PLACE] += rng.normal(0, (0.4, 0.7, 0.4)) * raise_m
        start[TURN] = actor.turn(rng.uniform(-20, 40), turn[1] * actor.own * rng.uniform(0.3, 1.2), 5, 15)
    else:
        start[PLACE] -= np.array([rng.normal(0, 0.3), 1 if up else rng.uniform(-1, 0.5), 0.3]) * raise_m
        start[TURN] += np.array([rng.normal(0, 12), rng.normal(0, 15), -np.sign(turn[2]) * rng.uniform(10, 45)])
    path = glide(start, end, actor.seconds(0.35, 0.7), rng.uniform(0.75, 1.1))
    shown_s = rng.uniform(0.4, 1.5) if rng.random() < 0.6 else rng.uniform(1.0, 4.0)
    return Stroke(start, np.concatenate([path, hold(end, shown_s)]), len(path))


def _tap(actor: Actor) -> Stroke:
    rng = actor.rng
    start = state(actor.pose("point", "point", "relaxed"), actor.spot(), actor.turn(rng.uniform(5, 40), 8, 0))
    down = np.zeros(CHANNELS)
    down[[5, 6]] = rng.uniform(18, 42), rng.uniform(4, 16)
    down[PLACE] = np.array([0, -rng.uniform(0.005, 0.03), rng.uniform(0, 0.05)]) * actor.performer.amplitude
    down[24] = rng.uniform(4, 18)
    strike = np.concatenate([ease(clock(actor.seconds(0.1, 0.2))), 1 - ease(clock(actor.seconds(0.1, 0.24)))])
    decided = len(strike)
    if rng.random() < 0.35:
        gap = np.zeros(round(rng.uniform(0.02, 0.15) * RATE_HZ))
        strike = np.concatenate([strike, gap, strike])
    return Stroke(start, start + strike[:, None] * down, decided)


def _beckon(actor: Actor) -> Stroke:
    rng = actor.rng
    turn = actor.turn(rng.uniform(-70, 0), rng.uniform(150, 200), 0)
    if rng.random() < 0.25:
        stretched, drawn = actor.pose("point"), actor.pose("point")
        drawn[5:8] += 45, 70, 40
    else:
        stretched, drawn = actor.pose("flat", "relaxed"), actor.pose("curled") * rng.uniform(1, 1.4)
    start = state(stretched, actor.spot(), turn)
    turns = int(rng.integers(2, 5))
    phase, _ = swing(turns, turns / (rng.uniform(1.1, 2.1) * min(actor.performer.speed, 1.25)))
    path = np.tile(start, (len(phase), 1))
    drawn_share = (1 - np.cos(phase))[:, None] / 2
    path[:, FINGERS] += drawn_share * (drawn - stretched)
    path[:, PLACE] += drawn_share * rng.normal((0, 0.01, -0.015), 0.01)
    path[:, 24] += drawn_share[:, 0] * rng.normal(0, 8)
    return Stroke(start, path, round(len(path) / turns))


MOVES: dict[str, Move] = {
    "swipe_left": partial(_swipe, heading=(1, 0)),
    "swipe_right": partial(_swipe, heading=(-1, 0)),
    "swipe_up": partial(_swipe, heading=(0, 1)),
    "swipe_down": partial(_swipe, heading=(0, -1)),
    "wave": _wave,
    "push": _push,
    "pinch": _pinch,
    "grab": partial(_clench, to_fist=True),
    "open": partial(_clench, to_fist=False),
    "zoom_in": partial(_zoom, apart=True),
    "zoom_out": partial(_zoom, apart=False),
    "circle_cw": partial(_circle, sense=1),
    "circle_ccw": partial(_circle, sense=-1),
    "thumb_up": partial(_thumb, up=True),
    "thumb_down": partial(_thumb, up=False),
    "tap": _tap,
    "beckon": _beckon,
}
"""Every gesture's stroke. Clockwise to the performer is anticlockwise in the unmirrored picture."""


def broken_off(stroke: Stroke, share: float) -> Array:
    """(frames, 27): the stroke's beginning, given up by `share` 0..1 of what would have decided it."""
    frames = max(4, round(2 * share * stroke.decided))
    gone = np.arange(1, frames + 1) / frames
    index = share * stroke.decided * (2 * gone - gone**2)  # in step at first, then slower and slower
    whole = np.concatenate([stroke.start[None], stroke.path])
    low = np.minimum(index.astype(int), len(stroke.path) - 1)
    path: Array = whole[low] + (index - low)[:, None] * (whole[low + 1] - whole[low])
    return path
