"""An animated hand: people who gesture and idle before a camera, as joints in motion and as MediaPipe would see them.

Everything is drawn from a seed: the same seed gives the same scene, bit for bit. `perform` makes the scene, `seen` what
a webcam and a landmarker make of it; a renderer can draw the same scene from `Performance.hands`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .clips import SIDES, Clip, Span
from .errors import InputError
from .idle import KINDS, TWO_HANDED, away, let_go, resting, wander
from .motions import CHANNELS, FINGERS, MOVES, PLACE, RATE_HZ, TURN, Actor, Performer, hold, mirrored, travel
from .skeleton import LIMITS, PALM_M, Array, PosedHand, rotation
from .types import JOINTS, Floats, Side

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
PALM_LENGTH_M = 0.0917
"""From the wrist to the middle finger's knuckle in the hand of the figures: the ruler of all errors below."""
WORLD_ORIGIN = np.zeros(JOINTS)
WORLD_ORIGIN[[5, 9, 13, 17]] = 0.25, 0.29, 0.35, 0.11
"""MediaPipe's world landmarks lie around this mean of the knuckles (fitted to webcam videos: it holds to 0.2 mm)."""
WORLD_WRIST_M = np.array([0.0, -0.0165, 0.0085])
"""How much further down the arm the world landmarks have the wrist than the image landmarks."""

# MediaPipe's other errors, measured on 5,061 rendered hands. Spreads are in palm lengths.
IMAGE_ERROR = np.array([0.036, 0.036, 0.11])
WORLD_ERROR = np.array([0.06, 0.06, 0.08])
ERROR_RATES = ((0.9, 0.35), (0.3, 4.0), (0.15, 60.0))
"""Shares of these spreads, and changes of course a second: being wrong about a pose, wavering, trembling."""
DEPTH_GAIN = (0.2, 0.95)
"""How much of the depth between joints the image landmarks show, varied from hand to hand."""
WORLD_TILT_DEG = np.array([[9.0, 0.0, 0.0], [11.0, 12.0, 4.0]])
"""How the world landmarks lean in the camera's space: mean and spread of pitch, yaw and roll."""
BLURRING_SPEED = 14.0
"""Palm lengths a second at which errors have doubled."""
LOSING_SPEED, LOSING_POWER, LOSING_AT_REST = 8.0, 2.6, 0.08
"""Palm lengths a second at which a hand is lost once a second, more often with this power of its speed, and so often a
second though it rests: fitted to what MediaPipe finds of rendered hands at 0 to 18 palm lengths a second."""
ENTERING_S, LOST_S, SWAPPED_S = 0.2, 0.05, 0.35
"""How long, on average, a hand that comes into the picture is overlooked, stays lost, or has the other side's name."""
LONG_LOST = (0.1, 8.0)
"""The share of losses that last longer, and how many times as long."""

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

    def __init__(self, performer: Performer, rng: np.random.Generator) -> None:
        self.actors = {side: Actor(performer, side, rng) for side in performer.sides}
        self.now = {side: away(actor) if rng.random() < 0.5 else resting(actor) for side, actor in self.actors.items()}
        self._pieces: dict[Side, list[Array]] = {side: [now[None]] for side, now in self.now.items()}
        self.frames = 1
        self._rng = rng

    def add(self, paths: dict[Side, Array]) -> None:
        """Go on along these paths; a hand that has none stays, or goes to rest by the way."""
        length = max(len(path) for path in paths.values())
        for side, actor in self.actors.items():
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
) -> Performance:
    """A performer who does some of `gestures` and of `idle` for `duration_s`, in random order.

    `busy` 0..1 is the share of gestures among them. A `script` names gestures and idle kinds in a fixed order instead.
    Without a `performer` the seed draws one, before a picture of `aspect` width / height.
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
    stage, acts = _Stage(performer, rng), []
    for name in script or _any_order(rng, gestures, idle, busy):
        if stage.frames >= frames:
            break
        side = performer.side if rng.random() < 0.7 else performer.sides[rng.integers(len(performer.sides))]
        if name in KINDS:
            sides = performer.sides if name in TWO_HANDED and rng.random() < 0.7 else (side,)
            stage.add({s: KINDS[name](stage.actors[s], stage.now[s]) for s in sides})
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
    pause_s = max(0.0, rng.uniform(-0.2, 0.5))
    way = {s: np.concatenate([path, hold(path[-1], pause_s)]) for s, path in way.items()}
    begun = stage.frames + max(len(path) for path in way.values())
    if begun + len(stroke.path) >= frames:
        return None
    stage.add(way)
    stage.add(paths)
    act = Act(gesture, tuple(sorted(paths)), (begun - 1) / RATE_HZ, (stage.frames - 1) / RATE_HZ)
    stage.add({s: let_go(stage.actors[s], starts[s], stage.now[s]) for s in paths})
    return act


def frame_times(rng: np.random.Generator, duration_s: float, rate_hz: float) -> Array:
    """When a webcam that should give `rate_hz` gives its frames, s: a little unevenly, and now and then one is lost."""
    count = int(duration_s * rate_hz) + 1
    steps = np.clip(rng.normal(1, 0.05, count), 0.4, 1.6) * np.where(rng.random(count) < 0.01, 2, 1) / rate_hz
    times: Array = np.cumsum(steps) - steps[0]
    return np.asarray(times[times <= duration_s])


def seen(
    performance: Performance,
    seed: int,
    rate_hz: float = 30.0,
    person: str = "synthetic",
    *,
    offsets: bool = True,
    noise: float = 1.0,
) -> Clip:
    """The clip that a webcam of `rate_hz` and MediaPipe's landmarker would have made of a performance.

    Without `offsets` landmarks lie on the joints; `noise` scales what else the landmarker does wrong: errors, leaning,
    losing hands and mistaking their sides.
    """
    if not 1 <= rate_hz <= 1000:
        raise InputError(f"a webcam of {rate_hz} frames a second cannot be: take 1 to 1000")
    rng = np.random.default_rng(seed)
    times = frame_times(rng, performance.duration_s, rate_hz)
    image = np.full((len(times), 2, JOINTS, 3), np.nan, np.float32)
    world = image.copy()
    for side in performance.motion:
        slot = SIDES.index(side)
        image[:, slot], world[:, slot] = _landmarked(performance, side, times, rng, offsets=offsets, noise=noise)
    _mistake_sides(image, world, times, rng, noise)
    spans = performance.spans_until(float(times[-1]))
    return Clip(times, image, world, person, spans, performance.performer.aspect)


def _landmarked(
    performance: Performance, side: Side, times: Array, rng: np.random.Generator, *, offsets: bool, noise: float
) -> tuple[Array, Array]:
    """One hand's image and world landmarks (T, 21, 3) at `times`, NaN where MediaPipe would not have found it."""
    who = performance.performer
    hand = performance.posed(side, times)
    marks = hand.landmarks() if offsets else hand.joints()
    width_m = 2 * np.tan(np.deg2rad(who.fov_deg / 2)) * np.maximum(-marks[..., 2], 0.05)  # what the picture spans there
    palm = who.shape.mean() * PALM_LENGTH_M / width_m.mean(1)
    x, y = 0.5 + marks[..., 0] / width_m, 0.5 - marks[..., 1] / width_m * who.aspect
    z = (marks[:, :1, 2] - marks[..., 2]) / width_m[:, :1]
    inside = ((x > 0) & (x < 1) & (y > 0) & (y < 1)).mean(1)

    middle = np.stack([x[:, 9], y[:, 9] / who.aspect], -1)
    speed = np.linalg.norm(np.gradient(middle, times, axis=0), axis=-1) / palm
    found = _found(rng, times, inside, speed, noise)

    blur = (1 + speed / BLURRING_SPEED) * np.exp(0.5 * wander(rng, times, 1, 0.5)[:, 0])  # some views are hard
    error = _error(rng, times, noise * IMAGE_ERROR) * (blur * palm)[:, None, None]
    image = np.stack([x, y, z * rng.uniform(*DEPTH_GAIN)], -1) + error * (1, who.aspect, 1)

    if offsets:
        marks[:, 0] += hand.turn @ (WORLD_WRIST_M * who.shape)
    shape = (marks - (WORLD_ORIGIN @ marks)[:, None]) / who.shape.mean() * rng.normal(1.05, 0.07)
    tilt = rotation(offsets * WORLD_TILT_DEG[0] + noise * WORLD_TILT_DEG[1] * wander(rng, times, 3, 0.7))
    shape = (
        shape @ np.swapaxes(tilt, 1, 2) + _error(rng, times, noise * WORLD_ERROR) * blur[:, None, None] * PALM_LENGTH_M
    )
    world = shape * (1, -1, -1)
    image[~found], world[~found] = np.nan, np.nan
    return image, world


def _error(rng: np.random.Generator, times: Array, spread: Array) -> Array:
    """(T, 21, 3) how far landmarks are off: trembling, wavering, and wrong about a pose for long."""
    total = np.zeros((len(times), JOINTS * 3))
    for share, rate_hz in ERROR_RATES:
        total += share * wander(rng, times, JOINTS * 3, rate_hz)
    return total.reshape(-1, JOINTS, 3) * spread


def _found(rng: np.random.Generator, times: Array, inside: Array, speed: Array, noise: float) -> npt.NDArray[np.bool_]:
    """(T,) when a hand is found: enough of it `inside` the picture, and not lost for a while, as fast hands are."""
    found: npt.NDArray[np.bool_] = inside > rng.uniform(0.3, 0.8)
    step = np.gradient(times)
    lost = rng.random(len(times)) < noise * step * (
        LOSING_AT_REST + np.minimum((speed / LOSING_SPEED) ** LOSING_POWER, 20)
    )
    entered = np.diff(found, prepend=False) & found
    share, longer = LONG_LOST
    for start in np.flatnonzero((lost | entered) & found):
        mean_s = ENTERING_S if entered[start] else LOST_S * (longer if rng.random() < share else 1)
        found[(times >= times[start]) & (times < times[start] + rng.exponential(mean_s))] = False
    return found


def _mistake_sides(image: Floats, world: Floats, times: Array, rng: np.random.Generator, noise: float) -> None:
    """Now and then call a hand by the other side for a while; two hands then change places, or nothing is noticed."""
    wrong = np.zeros(len(times), bool)
    for start in np.flatnonzero(rng.random(len(times)) < 0.05 * noise * np.gradient(times)):
        wrong |= (times >= times[start]) & (times < times[start] + rng.exponential(SWAPPED_S))
    for joints in (image, world):
        joints[wrong] = joints[wrong][:, ::-1]
