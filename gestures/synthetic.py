"""An animated hand: people who gesture and idle before a camera, as joints in motion and as MediaPipe would see them.

Everything is drawn from a seed: the same seed gives the same scene, bit for bit. `perform` makes the scene, `seen` what
a webcam and a landmarker make of it; a renderer can draw the same scene from `Performance.hands`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .clips import Span
from .errors import InputError
from .idle import KINDS, TWO_HANDED, away, let_go, resting, wander
from .motions import MOVES
from .performers import CHANNELS, FINGERS, PLACE, RATE_HZ, TURN, Actor, Performer, hold, mirrored, travel
from .skeleton import LIMITS, PALM_M, Array, PosedHand, rotation
from .types import Side

GESTURES = tuple(MOVES)
"""What a performer can do on purpose. Directions are the performer's own."""
FUMBLING = "fumble"
IDLE = tuple(kind for kind in KINDS if kind != FUMBLING)
"""What a performer does between gestures unless told otherwise. Fumbling is to learn from: people do it less."""
MIRROR = {
    "swipe_left": "swipe_right",
    "swipe_right": "swipe_left",
    "circle_cw": "circle_ccw",
    "circle_ccw": "circle_cw",
}
"""Gestures that become each other when the picture is mirrored; every other one stays itself."""
SYMMETRIC = ("wave", "push", "grab", "open", "thumb_up", "thumb_down")
"""One-handed gestures that people now and then do with both hands at once."""
ROOM_BETWEEN_M = 0.1
"""How far each hand keeps from the middle when both do the same."""


@dataclass(frozen=True, slots=True)
class Act:
    """One gesture of a performance: what, by which `sides`, from `start` to `end` s."""

    gesture: str
    sides: tuple[Side, ...]
    start: float
    end: float


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """A scene: who performs, what they do (`acts`, the truth), and each hand's `motion` (frames, 27), see `motions`."""

    performer: Performer
    acts: tuple[Act, ...]
    motion: dict[Side, Array]

    @property
    def duration_s(self) -> float:
        """How long it takes, s."""
        return (len(next(iter(self.motion.values()))) - 1) / RATE_HZ

    def spans_until(self, end_s: float) -> tuple[Span, ...]:
        """The gestures as a clip that ends at `end_s` has them: the stroke alone, without the way there and back."""
        return tuple(Span(act.gesture, act.start, min(act.end, end_s)) for act in self.acts if act.start < end_s)

    def posed(self, side: Side, times: npt.ArrayLike) -> PosedHand:
        """The hand of that side at `times` (...,) s, in or out of the picture."""
        motion, who = self.motion[side], self.performer
        at = np.clip(np.asarray(times, float) * RATE_HZ, 0, len(motion) - 1)
        low = np.minimum(at.astype(int), len(motion) - 2)
        now = motion[low] + (at - low)[..., None] * (motion[low + 1] - motion[low])
        view = rotation(who.view_deg)
        turn = rotation(now[..., TURN])
        wrist = now[..., PLACE] - turn[..., 1] * PALM_M * who.shape[1]
        own = 1.0 if side == "right" else -1.0
        # The elbow hangs beside the body and follows the hand a little; wrists rarely bend all the way to it.
        elbow = np.array([-0.2 * own, -0.32, -0.15]) + 0.35 * now[..., PLACE]
        forearm = 0.55 * _unit(elbow - wrist) - 0.45 * turn[..., 1]
        seat = np.array([who.aside_m, 0, -who.depth_m])
        return PosedHand(
            side, now[..., FINGERS], view @ turn, wrist @ view.T + seat, _unit(forearm) @ view.T, who.shape
        )

    def hands(self, time: float) -> list[PosedHand]:
        """All hands of the performer at one `time` s, in or out of the picture."""
        return [self.posed(side, time) for side in self.motion]


def _unit(vectors: Array) -> Array:
    unit: Array = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return unit


class _Stage:
    """The growing motions of a performer's hands, always equally long."""

    def __init__(self, performer: Performer, gesturing: Performer, rng: np.random.Generator) -> None:
        self.idlers = {side: Actor(performer, side, rng) for side in performer.sides}
        self.actors = {side: Actor(gesturing, side, rng) for side in performer.sides}
        self.now = {side: away(actor) if rng.random() < 0.5 else resting(actor) for side, actor in self.idlers.items()}
        self._pieces: dict[Side, list[Array]] = {side: [now[None]] for side, now in self.now.items()}
        self.frames = 1
        self._rng = rng

    def add(self, paths: dict[Side, Array]) -> None:
        """Go on along these paths; a hand that has none stays, or goes to rest by the way."""
        length = max(len(path) for path in paths.values())
        for side, actor in self.idlers.items():
            path = paths.get(side)
            if path is None:
                path = (
                    travel(actor, self.now[side], resting(actor)) if self._rng.random() < 0.2 else self.now[side][None]
                )
            path = path[np.minimum(np.arange(length), len(path) - 1)]
            self._pieces[side].append(path)
            self.now[side] = path[-1]
        self.frames += length

    def motion(self, frames: int) -> dict[Side, Array]:
        """What became of it, with the small restlessness of every living hand, within what joints allow."""
        motion = {}
        for side, pieces in self._pieces.items():
            path = np.concatenate(pieces)[:frames]
            times = np.arange(frames) / RATE_HZ
            path = path + wander(self._rng, times, CHANNELS, 0.8) * np.repeat((1.5, 0.0025, 1.5), (21, 3, 3))
            path[:, PLACE] += wander(self._rng, times, 3, 6.0) * 0.0004
            path[:, FINGERS] = np.clip(path[:, FINGERS], *LIMITS.T)
            motion[side] = path
        return motion


def perform(
    seed: int,
    duration_s: float,
    *,
    gestures: Sequence[str] = GESTURES,
    idle: Sequence[str] = IDLE,
    busy: float = 0.5,
    script: Sequence[str] = (),
    aspect: float = 4 / 3,
    performer: Performer | None = None,
    loosely: bool = False,
) -> Performance:
    """A performer who does some of `gestures` and of `idle` for `duration_s`, in random order.

    `busy` 0..1 is the share of gestures among them. A `script` names gestures and idle kinds in a fixed order instead.
    Without a `performer` the seed draws one, before a picture of `aspect` width / height. `loosely` does the gestures
    and comes back from them in ways of one's own (`Performer.loosened`), and idles as ever.
    """
    for kind, names, known in (
        ("gesture", gestures, GESTURES),
        ("idle kind", idle, tuple(KINDS)),
        ("gesture or idle kind", script, (*GESTURES, *KINDS)),
    ):
        for name in names:
            if name not in known:
                raise InputError(f"{name!r} is no {kind}: choose from {', '.join(known)}")
    if not 0 < duration_s < np.inf:
        raise InputError(f"a performance of {duration_s} s cannot be: give it a length above 0 s")
    rng = np.random.default_rng(seed)
    performer = performer or Performer.random(rng, aspect)
    frames = round(duration_s * RATE_HZ) + 1
    gesturing = performer.loosened(np.random.default_rng((seed, 1))) if loosely else performer
    stage, acts = _Stage(performer, gesturing, rng), []
    for name in script or _any_order(rng, gestures, idle, busy):
        if stage.frames >= frames:
            break
        side = performer.side if rng.random() < 0.7 else performer.sides[rng.integers(len(performer.sides))]
        if name in KINDS:
            sides = performer.sides if name in TWO_HANDED and rng.random() < 0.7 else (side,)
            stage.add({s: KINDS[name](stage.idlers[s], stage.now[s]) for s in sides})
            continue
        act = _gesture(stage, name, side, rng, frames)
        if act is None:
            break
        acts.append(act)
    if stage.frames < frames:
        stage.add({side: hold(now, (frames - stage.frames) / RATE_HZ) for side, now in stage.now.items()})
    return Performance(performer, tuple(acts), stage.motion(frames))


def _any_order(rng: np.random.Generator, gestures: Sequence[str], idle: Sequence[str], busy: float) -> Iterator[str]:
    """Gestures and idle kinds without end; now and then a gesture is done again."""
    again = ""
    while True:
        if gestures and (not idle or rng.random() < busy):
            again = again if again and rng.random() < 0.25 else gestures[int(rng.integers(len(gestures)))]
            yield again
        else:
            yield idle[int(rng.integers(len(idle)))] if idle else "rest"


def _gesture(stage: _Stage, gesture: str, side: Side, rng: np.random.Generator, frames: int) -> Act | None:
    """Go there, do it, and come back; None, and nothing done, where it would not end within `frames`."""
    actor = stage.actors[side]
    stroke = MOVES[gesture](actor)
    starts, paths = {side: stroke.start}, {side: stroke.path}
    twice = gesture in SYMMETRIC and len(stage.actors) == 2 and rng.random() < 0.06
    if stroke.two_handed or twice:
        whole = np.concatenate([stroke.start[None], stroke.path])
        right = mirrored(whole) if twice and side == "left" else whole
        if twice:
            right[:, PLACE.start] -= max(0.0, right[:, PLACE.start].max() + ROOM_BETWEEN_M)
        starts = {"right": right[0], "left": mirrored(right[0])}
        paths = {"right": right[1:], "left": mirrored(right[1:])}
    way = {s: travel(stage.actors[s], stage.now[s], start, rng.uniform(0.5, 1.0)) for s, start in starts.items()}
    pause_s = max(0.0, rng.uniform(-0.2, 0.5) - actor.freely(0.8))
    way = {s: np.concatenate([path, hold(path[-1], pause_s)]) for s, path in way.items()}
    early = min(round(actor.freely(0.4) * min(map(len, way.values()))), len(stroke.path) - 1) if pause_s == 0 else 0
    longest = max(map(len, way.values()))
    for s, shorter in way.items() if early else ():
        # Who does not wait is still on the way to the start when the gesture begins; the hand with the shorter way
        # sets out later, for both to arrive at once.
        path = shorter[np.maximum(np.arange(longest) - (longest - len(shorter)), 0)]
        paths[s] = paths[s] + np.pad(path[len(path) - early :] - path[-1], ((0, len(paths[s]) - early), (0, 0)))
        way[s] = path[: len(path) - early]
    begun = stage.frames + max(len(path) for path in way.values())
    if begun + len(stroke.path) >= frames:
        return None
    stage.add(way)
    stage.add(paths)
    act = Act(gesture, tuple(sorted(paths)), (begun - 1 + early // 2) / RATE_HZ, (stage.frames - 1) / RATE_HZ)
    stage.add({s: let_go(stage.actors[s], starts[s], stage.now[s]) for s in paths})
    return act
