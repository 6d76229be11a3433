"""The gestures as movements: how each is done by some performer's hand, never twice alike (see `performers`)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np

from .performers import (
    CHANNELS,
    FINGERS,
    PLACE,
    RATE_HZ,
    TURN,
    Actor,
    clock,
    ease,
    glide,
    hold,
    state,
    swing,
)
from .skeleton import ANGLES, POSES, Array


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


def _swipe(actor: Actor, heading: tuple[float, float]) -> Stroke:
    rng, way, loose = actor.rng, np.array([*heading, 0.0]), actor.performer.looseness
    across = abs(heading[0]) > 0
    room_m = float(np.abs(way[:2]) @ actor.performer.half_m)
    reach_m = actor.reach(0.15, 0.22, 0.85 * room_m) if across else actor.reach(0.12, 0.19, 0.8 * room_m)
    middle = actor.spot()
    along = float(middle @ way)
    middle += way * (np.clip(along, -room_m + reach_m, room_m - reach_m) - along)
    if across:
        # Palm to the camera, palm inwards as in turning a page, or fingers pointing across.
        pitch, yaw, roll = ((0, 5, 0), (0, 55, -8), (5, 35, -45))[rng.choice(3, p=(0.5, 0.35, 0.15))]
        flick = np.array([0, rng.normal(0, 14), -rng.uniform(0, 22) * heading[0]])
        # Or like a slap, fingers to the camera and thumb up: so are half of SFINGE3D's swipes.
        pitch, yaw, roll = np.array([pitch, yaw, roll]) + actor.freely(1) * np.array([-pitch, 90 - yaw, 88 - roll])
        # Around the elbow, 0.4 m away, 0.3 m are 45 degrees, and the wrist goes on.
        swung_deg = 0.0 if loose == 1 else rng.uniform(0, 45) * heading[0]
    else:
        # Palm to the camera, palm down, or palm up as in lifting.
        down = 0.35 if heading[1] < 0 else 0.2
        pitch, yaw, roll = ((0, 5, 0), (50, 5, 0), (-55, 175, 0))[rng.choice(3, p=(0.65, down, 0.35 - down))]
        flick, swung_deg = np.array([-rng.uniform(5, 30) * heading[1], 0, rng.normal(0, 6)]), 0.0
    pose, turn = actor.pose("open", "flat", "flat", "relaxed", "two"), actor.turn(pitch, yaw, roll, leans=pitch >= 0)
    flick = flick * loose**0.5 + (0, swung_deg, 0)
    start = state(pose, middle - reach_m * way, turn - flick)
    end = state(pose + loose * rng.normal(0, 3, ANGLES), middle + reach_m * way, turn + flick)
    path = glide(start, end, actor.seconds(0.32, 0.7), rng.uniform(0.8, 1.25))
    progress = (path[:, PLACE] - middle) @ way / reach_m
    bow = rng.normal((0, -0.01, 0.01), (0.02, 0.02, 0.02)) * loose * (1 - np.abs(way))
    path[:, PLACE] += (1 - progress**2)[:, None] * bow
    return Stroke(start, path, len(path))


def _wave(actor: Actor) -> Stroke:
    rng = actor.rng
    start = state(actor.pose("open", "open", "flat"), actor.spot(), actor.turn(0, 0, 0, leans=0.5))
    start[22] += 0.15 * actor.performer.half_m[1]
    turns = rng.integers(2, 6) + rng.choice((0, 0.5))
    phase, size = swing(turns, turns / (rng.uniform(1.3, 2.3) * min(actor.performer.speed, 1.25)))
    angle_deg = rng.choice((-1, 1)) * rng.uniform(9, 30) * size * np.sin(phase)
    path = np.tile(start, (len(phase), 1))
    path[:, 26] += angle_deg
    path[:, 21] -= rng.uniform(0.02, 0.25) * np.sin(np.deg2rad(angle_deg))  # from the wrist, or from the elbow
    return Stroke(start, path, len(path))


def _push(actor: Actor) -> Stroke:
    reach_m = actor.reach(0.07, 0.14, 0.22 * actor.performer.depth_m)
    pose, turn, place = actor.pose("open", "flat"), actor.turn(0, 0, 0, leans=0.5), actor.spot(0.5)
    tilt = np.array([actor.rng.uniform(0, 15), 0, 0])
    way = np.array([0, actor.rng.normal(0.1, 0.15), 1]) * reach_m
    start, end = state(pose, place - way, turn + tilt), state(pose, place + way, turn - 0.5 * tilt)
    path = glide(start, end, actor.seconds(0.3, 0.65), actor.rng.uniform(0.8, 1.2))
    return Stroke(start, path, len(path))


def _pinch(actor: Actor) -> Stroke:
    place, turn = actor.spot(), actor.turn(0, 32, 0, 14, leans=1)
    start = state(actor.pose("before_pinch"), place, turn)
    pinched, moved = actor.pose("pinch", vary_deg=1), actor.performer.looseness * actor.rng.normal(0, 0.008, 3)
    end = state(pinched, place + moved, turn + actor.rng.normal(0, 4, 3))
    path = glide(start, end, actor.seconds(0.18, 0.45))
    return Stroke(start, np.concatenate([path, hold(end, actor.rng.uniform(0.08, 0.5))]), len(path))


def _zoom(actor: Actor, apart: bool) -> Stroke:
    both = len(actor.performer.sides) == 2 and actor.rng.random() < 0.5
    narrow, wide = (_hands_gap if both else _fingers_gap)(actor)
    start, end = (narrow, wide) if apart else (wide, narrow)
    path = glide(start, end, actor.seconds(0.35, 0.8), actor.rng.uniform(0.85, 1.2))
    return Stroke(start, path, len(path), two_handed=both)


def _fingers_gap(actor: Actor) -> tuple[Array, Array]:
    place, turn = actor.spot(), actor.turn(0, 35, 0, 14, leans=1)
    narrow, wide = actor.pose("zoom_shut", vary_deg=1.5), actor.pose("zoom_wide")
    if actor.rng.random() < 0.4:  # the other fingers need not be folded
        narrow[9:], wide[9:] = POSES["pinch"][9:], POSES["relaxed"][9:]
    return state(narrow, place, turn), state(
        wide, place + actor.rng.normal(0, 0.01, 3), turn + actor.rng.normal(0, 5, 3)
    )


def _hands_gap(actor: Actor) -> tuple[Array, Array]:
    """The right hand's two ends; the left one mirrors them."""
    right = Actor(actor.performer, "right", actor.rng)
    pose, turn = right.pose("open", "flat", "flat", "point", "pinch", "claw"), right.turn(5, 45, 0, 18, leans=1)
    height, depth = right.spot(0.5)[1:]
    near_m = right.rng.uniform(0.045, 0.09)
    far_m = min(near_m + right.reach(0.09, 0.22, 1), 0.9 * right.performer.half_m[0])
    lift = right.rng.normal(0, 0.15) * (far_m - near_m)
    flick = np.array([0, -right.rng.uniform(0, 25), right.rng.normal(5, 8)])
    return state(pose, (-near_m, height, depth), turn), state(pose, (-far_m, height + lift, depth), turn + flick)


def _clench(actor: Actor, to_fist: bool) -> Stroke:
    place, turn = actor.spot(), actor.turn(5, 10, 0, 16, leans=1)
    wide = state(actor.pose("open"), place, turn)
    pull = actor.performer.looseness * actor.rng.normal((0, 0, -0.01), 0.012)
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
    path = np.tile(state(pose, actor.spot(0.5), actor.turn(10, 5, 0, leans=1)), (len(angle), 1))
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
    pose, place = actor.pose("point", "point", "relaxed"), actor.spot()
    start = state(pose, place, actor.turn(rng.uniform(5, 40), 8, 0, leans=0.5))
    down = np.zeros(CHANNELS)
    down[[5, 6]] = rng.uniform(18, 42), rng.uniform(4, 16)
    down[PLACE] = np.array([0, -rng.uniform(0.005, 0.03), rng.uniform(0, 0.05)]) * actor.performer.amplitude
    down[23] += actor.freely(0.1)  # the whole hand goes forward, as if to press a button
    down[24] = rng.uniform(4, 18)
    there, back = ease(clock(actor.seconds(0.1, 0.2))), 1 - ease(clock(actor.seconds(0.1, 0.24)))
    strike = np.concatenate([there, np.ones(round(actor.freely(0.4) * RATE_HZ)), back])
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
