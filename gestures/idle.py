"""What hands do between gestures: idle life, from which a recognizer must learn to stay silent."""

from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from .motions import MOVES, broken_off
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
    mirrored,
    state,
    travel,
)
from .skeleton import ANGLES, POSES, Array

Idle: TypeAlias = Callable[[Actor, Array], Array]
"""From the hand's state now (27,) to a path (frames, 27), by some actor."""


def wander(rng: np.random.Generator, times: Array, channels: int, rate_hz: float) -> Array:
    """(times, channels): smooth noise, spread 1, that changes its course `rate_hz` times a second; `times` in s."""
    at = (times - times[0]) * rate_hz + rng.uniform(0, 1)
    low = at.astype(int)
    knots = rng.normal(size=(low[-1] + 2, channels)) * 1.2  # between two knots the spread is less than at them
    share = ease(at - low)[:, None]
    path: Array = knots[low] * (1 - share) + knots[low + 1] * share
    return path


def away(actor: Actor, *, sideways: bool = False) -> Array:
    """(27,): out of the picture, below it or beyond its own side's edge."""
    half = actor.performer.half_m
    hidden = np.array([-0.3 * actor.own * half[0], -half[1] - 0.2, -0.05])
    if sideways:
        hidden[:2] = -actor.own * (half[0] + 0.2), actor.rng.uniform(-0.7, 0.3) * half[1]
    return state(actor.pose("relaxed"), hidden, actor.turn(20, 20, 0))


def resting(actor: Actor, *, low: bool = False) -> Array:
    """(27,): where a hand rests, often out of sight; `low` where it is in nobody's way."""
    half = actor.performer.half_m
    places = (
        (-1.35, 40, 40),  # the lap: height in half pictures, pitch, yaw
        (-0.8, 65, 15),  # the table
        (-0.55, 10, 150),  # the chest, back of the hand to the camera
        (-0.25, 5, 60),  # raised, waiting
        (0.1, -10, 110),  # the chin
    )
    height, pitch, yaw = places[actor.rng.choice(5, p=(0.65, 0.35, 0, 0, 0) if low else (0.3, 0.2, 0.15, 0.25, 0.1))]
    place = half * (-0.3 * actor.own + actor.rng.normal(0, 0.2), height + actor.rng.normal(0, 0.12))
    pose = actor.pose("relaxed", "relaxed", "curled", "flat", "fist", vary_deg=5)
    return state(pose, [*place, actor.rng.normal(-0.02, 0.04)], actor.turn(pitch, yaw, 0, 15))


def _rest(actor: Actor, now: Array) -> Array:
    way = travel(actor, now, resting(actor), actor.rng.uniform(0.5, 1.2))
    return np.concatenate([way, hold(way[-1], actor.rng.uniform(0.6, 3.0))])


def _fidget(actor: Actor, now: Array) -> Array:
    stops = [now]
    for _ in range(actor.rng.integers(2, 6)):
        stop = stops[-1] + np.concatenate([np.zeros(21), actor.rng.normal(0, 0.015, 3), actor.rng.normal(0, 12, 3)])
        share = actor.rng.uniform(0.2, 0.7)
        stop[FINGERS] += share * (actor.pose(*POSES, vary_deg=8) - stop[FINGERS])
        stops.append(stop)
    return _through(actor, stops, 0.5, 1.6)


def _through(actor: Actor, stops: list[Array], slow: float, fast: float, wait_s: float = 0.4) -> Array:
    """Travel from stop to stop, waiting up to `wait_s` at each."""
    pieces = []
    for start, end in pairwise(stops):
        pieces.append(travel(actor, start, end, actor.rng.uniform(slow, fast)))
        pieces.append(hold(end, actor.rng.uniform(0, wait_s)))
    return np.concatenate(pieces)


def _scratch(actor: Actor, now: Array) -> Array:
    rng, half = actor.rng, actor.performer.half_m
    place = [*(half * rng.uniform((-0.4, -0.3), (0.4, 0.7))), rng.normal(0, 0.04)]
    start = state(actor.pose("curled", "claw"), place, actor.turn(rng.uniform(-20, 30), rng.uniform(0, 170), 20, 18))
    seconds = rng.uniform(0.7, 2.2)
    rub = np.zeros(CHANNELS)
    rub[[5, 9, 13, 17]], rub[[6, 10, 14, 18]] = rng.uniform(0, 14), rng.uniform(5, 18)
    rub[PLACE] = rng.normal(0, 0.012, 3)
    stroke = np.sin(2 * np.pi * rng.uniform(2, 5) * seconds * clock(seconds))[:, None] * rub
    return np.concatenate([travel(actor, now, start), start + ease(4 * clock(seconds))[:, None] * stroke])


def _point_around(actor: Actor, now: Array) -> Array:
    pose = actor.pose("point")
    stops = [state(pose, actor.spot(0.8), actor.turn(15, 5, 0, 25)) for _ in range(actor.rng.integers(2, 6))]
    return _through(actor, [now, *stops], 0.6, 1.3, 0.8)


def _adjust(actor: Actor, now: Array) -> Array:
    """Glasses or hair: up to the head, a few small touches, down again."""
    rng, half = actor.rng, actor.performer.half_m
    head = np.array([rng.normal(0, 0.07), rng.uniform(0.15, 0.7) * half[1], -0.03])
    turn, pose = (
        actor.turn(0, rng.uniform(40, 160), rng.uniform(-10, 40), 15),
        actor.pose("pinch", "curled", "point", "flat"),
    )
    touches = [
        state(pose + rng.normal(0, 5, ANGLES), head + rng.normal(0, 0.02, 3), turn + rng.normal(0, 8, 3))
        for _ in range(rng.integers(1, 5))
    ]
    return _through(actor, [now, *touches, resting(actor)], 0.7, 1.3)


def _drift(actor: Actor, now: Array) -> Array:
    pose = actor.pose("open", "flat", "relaxed")
    stops = [state(pose, actor.spot(0.8), actor.turn(0, 15, 0, 20)) for _ in range(actor.rng.integers(1, 5))]
    return _through(actor, [now, *stops], 0.25, 0.8)


def _talk(actor: Actor, now: Array) -> Array:
    """Large fluent strokes, as those of someone who talks with the hands."""
    rng = actor.rng
    home, turn = actor.spot(0.5), actor.turn(20, 45, 0, 20)
    stops = [now]
    for _ in range(rng.integers(4, 11)):
        pose = actor.pose("relaxed", "open", "flat", "before_pinch", "pinch", "curled", vary_deg=6)
        beat = rng.normal(0, (0.07, 0.06, 0.05)) * actor.performer.amplitude
        stops.append(state(pose, home + beat, turn + rng.normal(0, 25, 3)))
    return _through(actor, stops, 0.8, 1.7, 0.12)


def _typing(actor: Actor, now: Array) -> Array:
    rng, half = actor.rng, actor.performer.half_m
    place = [-actor.own * rng.uniform(0.04, 0.1), -rng.uniform(0.45, 0.95) * half[1], 0.05]
    start = state(actor.pose("curled", "relaxed"), place, actor.turn(65, -10, 0))
    path = hold(start, rng.uniform(1.0, 3.0))
    times = np.arange(len(path)) / RATE_HZ
    keys = np.maximum(wander(rng, times, 5, 7.0), 0)
    path[:, [5, 9, 13, 17]] += 16 * keys[:, :4]
    path[:, 3] += 8 * keys[:, 4]
    path[:, PLACE] += wander(rng, times, 3, 1.2) * 0.012
    return np.concatenate([travel(actor, now, start), glide(start, path[0], 0.05), path])


def _pose_still(actor: Actor, now: Array) -> Array:
    pose = actor.pose("fist", "point", "open", "two", "three", "ok", "flat", "curled", "claw")
    start = state(pose, actor.spot(), actor.turn(5, actor.rng.choice((10, 10, 60, 170)), 0, 15))
    way = travel(actor, now, start, actor.rng.uniform(0.5, 1.4))
    return np.concatenate([way, hold(start, actor.rng.uniform(0.5, 3.0))])


def _break_off(actor: Actor, now: Array) -> Array:
    """A gesture begun and given up half-way."""
    stroke = MOVES[list(MOVES)[actor.rng.integers(len(MOVES))]](actor)
    share = actor.rng.uniform(0.15, 0.38)
    start, path = stroke.start, broken_off(stroke, share)
    if stroke.two_handed and actor.side == "left":
        start, path = mirrored(start), mirrored(path)
    way = travel(actor, now, start, actor.rng.uniform(0.6, 1.3))
    back = travel(actor, path[-1], resting(actor), actor.rng.uniform(0.5, 1.1))
    return np.concatenate([way, path, hold(path[-1], actor.rng.uniform(0, 0.5)), back])


def _pass_by(actor: Actor, now: Array) -> Array:
    """Into the picture and out of it, by its lower edge or its sides, as in reaching for something."""
    rng = actor.rng
    inside = state(actor.pose("relaxed", "flat", "open", "curled"), actor.spot(0.85), actor.turn(15, 20, 0, 30))
    doors = [away(actor, sideways=bool(rng.random() < 0.5)) for _ in range(2)]
    return _through(actor, [now, doors[0], inside, doors[1]], 0.7, 1.3)


def _handle(actor: Actor, now: Array) -> Array:
    """A cup or a phone: taken up, held or drunk from, put down."""
    rng, half = actor.rng, actor.performer.half_m
    grip, turn = actor.pose("cup"), actor.turn(10, 70, 0, 12)
    table = [-0.35 * actor.own * half[0], -0.8 * half[1], 0.0]
    mouth = [-0.06 * actor.own, rng.uniform(-0.1, 0.35) * half[1], -0.02]
    up, down = state(grip, mouth, turn), state(grip, table, turn)
    tipped = up + np.concatenate([np.zeros(24), actor.turn(-20, 20, rng.uniform(10, 45), 5)])
    return _through(actor, [now, down, up, tipped, up, down], 0.5, 1.1, 0.9)


def _count(actor: Actor, now: Array) -> Array:
    place, turn = actor.spot(), actor.turn(5, 15, 0)
    names = ("fist", "point", "two", "three", "open")
    first, last = actor.rng.integers(0, 2), actor.rng.integers(3, 6)
    stops = [state(actor.pose(name), place + actor.rng.normal(0, 0.01, 3), turn) for name in names[first:last]]
    return _through(actor, [now, *stops], 0.7, 1.6, 0.6)


def _fumble(actor: Actor, now: Array) -> Array:
    """Anything small that fingers, wrists and arms do, again and again or never twice, turned away from the camera."""
    rng = actor.rng
    pose = actor.pose("relaxed", "curled", "claw", "flat", "fist", "pinch", "cup", vary_deg=8)
    turn = actor.turn(rng.uniform(-20, 60), rng.uniform(35, 180), rng.uniform(-40, 40))
    start = state(pose, actor.spot(0.9), turn)
    seconds = rng.uniform(0.7, 3.0)
    times = seconds * clock(seconds)
    reach = np.zeros(CHANNELS)
    reach[FINGERS] = rng.uniform(0, 22, ANGLES) * (rng.random(ANGLES) < 0.5)
    reach[PLACE], reach[TURN] = rng.uniform(0, 0.025, 3), rng.uniform(0, 10, 3)
    if rng.random() < 0.5:
        beats = 2 * np.pi * (rng.uniform(1.5, 5) * times[:, None] + rng.choice((0.0, 0.5), CHANNELS))
        stroke = np.sin(beats) * reach
    else:
        stroke = wander(rng, times, CHANNELS, rng.uniform(1.5, 5)) * reach
    return np.concatenate([travel(actor, now, start), start + ease(4 * clock(seconds))[:, None] * stroke])


KINDS: dict[str, Idle] = {
    "rest": _rest,
    "fidget": _fidget,
    "scratch": _scratch,
    "point_around": _point_around,
    "adjust": _adjust,
    "drift": _drift,
    "talk": _talk,
    "typing": _typing,
    "pose_still": _pose_still,
    "break_off": _break_off,
    "pass_by": _pass_by,
    "handle": _handle,
    "count": _count,
    "fumble": _fumble,
}
"""Every kind of idle life."""

TWO_HANDED = ("talk", "typing")
"""Kinds that a performer with both hands free does with both."""


def let_go(actor: Actor, start: Array, now: Array) -> Array:
    """The way back after a gesture that began at `start`: not a gesture, though it often looks like the opposite one.

    The hand stays, goes back more slowly than it came and a little limp, sinks, or leaves the picture.
    """
    rng = actor.rng
    kind = rng.choice(4, p=(0.2, 0.35, 0.28, 0.17))
    if kind == 0:
        return hold(now, rng.uniform(0.15, 0.8))
    pause = hold(now, rng.uniform(0.0, 0.35))
    if kind == 1:
        back = now.copy()
        back[PLACE] = start[PLACE] + rng.normal((0, -0.02, -0.02), 0.02)
        back[TURN] = start[TURN] + rng.normal(0, 6, 3)
        back[FINGERS] += rng.choice((0.0, rng.uniform(0.3, 1.0))) * (actor.pose("relaxed") - now[FINGERS])
        return np.concatenate([pause, travel(actor, now, back, rng.uniform(0.4, 0.9))])
    end = resting(actor) if kind == 2 else away(actor, sideways=bool(rng.random() < 0.4))
    return np.concatenate([pause, travel(actor, now, end, rng.uniform(0.5, 1.1))])
