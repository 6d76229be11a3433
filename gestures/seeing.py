"""What a webcam and MediaPipe's landmarker would have made of a performance: its offsets, errors, and losses."""

import numpy as np
import numpy.typing as npt

from .clips import SIDES, Clip
from .errors import InputError
from .idle import wander
from .skeleton import Array, rotation
from .synthetic import Performance
from .types import JOINTS, Floats, Side

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
