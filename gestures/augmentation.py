"""Clip -> another clip that could have been recorded: pure, and seeded by the generator handed in."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .clips import Clip, Span
from .types import Floats

SPEEDS = (0.65, 1.5)
RATES_HZ = (10.0, 30.0)
"""From the slowest camera worth having up to the model's own clock; faster ones add nothing the clock keeps."""
JITTER = (0.003, 0.02)
"""Standard deviation of a landmark's place, in palm lengths: a still hand, and a blurred one (MediaPipe, measured)."""
DROPOUT = 0.15
"""The largest share of frames taken away."""


def vary(clip: Clip, rng: np.random.Generator, steady: bool = False) -> Clip:
    """A plausible other take: other speed, frame rate, place, distance, tilt and build of hand; noisier, with gaps.

    `steady`: as it was recorded in time, and no noisier.
    """
    if steady:
        return move(stretch_path(clip, rng), rng)
    return jitter(move(stretch_path(retime(clip, rng), rng), rng), rng)


def retime(clip: Clip, rng: np.random.Generator) -> Clip:
    """Play at another, slowly changing speed, sampled at another camera's rate with frames missing."""
    if len(clip.time) < 2:
        return clip
    start, length = clip.time[0], clip.duration_s
    # A smooth rising map from the new clock to the old: mean speed times a slow wobble of up to ±25 %.
    speed = np.exp(rng.uniform(*np.log(SPEEDS)))
    knots = np.linspace(0, 1, max(4, int(length * 1.5)))
    pace = np.exp(rng.normal(0, 0.12, len(knots))) / speed
    clock = np.concatenate([[0], np.cumsum((pace[1:] + pace[:-1]) / 2 * np.diff(knots))]) * length
    new_time = np.interp((clip.time - start) / max(length, 1e-6), knots, clock) + start
    spans = tuple(
        Span(s.gesture, *np.interp(((s.start - start) / length, (s.end - start) / length), knots, clock) + start)
        for s in clip.spans
    )
    rate_hz = min(rng.uniform(*RATES_HZ), (len(clip.time) - 1) / max(clock[-1], 1e-6) * 1.2)
    ticks = np.arange(start, start + clock[-1], 1 / rate_hz)
    ticks = ticks + rng.uniform(-0.2, 0.2, len(ticks)) / rate_hz
    ticks = ticks[(ticks >= start) & (rng.random(len(ticks)) >= rng.uniform(0, DROPOUT))]
    # The spans go by the new clock: beside the old one they may lie outside the clip.
    retimed = replace(clip, time=new_time, spans=spans)
    return retimed if len(ticks) < 2 else resample(retimed, ticks)


def resample(clip: Clip, ticks: npt.NDArray[np.float64]) -> Clip:
    """`clip` as a camera that looked at `ticks` (s, rising) would have it; a hand is there if it was on both sides."""
    after = np.clip(np.searchsorted(clip.time, ticks), 1, len(clip.time) - 1)
    passed = (ticks - clip.time[after - 1]) / (clip.time[after] - clip.time[after - 1])
    share: Floats = np.clip(passed, 0, 1).astype(np.float32)[:, None, None, None]

    def between(joints: Floats) -> Floats:
        return joints[after - 1] + (joints[after] - joints[after - 1]) * share

    spans = tuple(span for span in clip.spans if span.start < ticks[-1] and span.end > ticks[0])
    return replace(clip, time=ticks, image=between(clip.image), world=between(clip.world), spans=spans)


def move(clip: Clip, rng: np.random.Generator) -> Clip:
    """Put the hands elsewhere: turned in the picture, nearer or farther, seen from another side, of other build."""
    roll = np.deg2rad(rng.normal(0, 10))
    yaw, pitch = np.deg2rad(rng.normal(0, 12, 2))
    stretch = np.exp(rng.normal(0, 0.06, 3)).astype(np.float32)
    turn: Floats = (_turn(roll, 0, 1) @ _turn(yaw, 0, 2) @ _turn(pitch, 1, 2)).astype(np.float32)
    world = ((clip.world * stretch) @ turn.T).astype(np.float32)
    # In the picture the hand moves on a plane, which leaning squeezes; its own depth turns with it.
    level = np.array([1, 1 / clip.aspect, 1], np.float32)
    flat = (clip.image - np.array([0.5, 0.5, 0], np.float32)) * level * stretch
    image = flat @ turn.T * np.exp(rng.normal(0, 0.25)) / level + np.array([*rng.uniform(0.35, 0.65, 2), 0])
    return replace(clip, image=image.astype(np.float32), world=world)


def stretch_path(clip: Clip, rng: np.random.Generator) -> Clip:
    """The same movement drawn larger or smaller, wider or taller, and a little skewed, by the same hand."""
    grow = np.exp(rng.normal(0, 0.2) + rng.normal(0, 0.12, 2))
    skew = rng.normal(0, 0.1, 2)
    change = np.array([[grow[0], skew[0]], [skew[1], grow[1]]]) - np.eye(2)
    image = clip.image.copy()
    for slot in (0, 1):
        seen = clip.present[:, slot]
        if seen.any():
            level = np.array([1, 1 / clip.aspect])
            wrist = clip.image[seen, slot, 0, :2] * level
            shift = (wrist - wrist.mean(0)) @ change.T / level
            image[seen, slot, :, :2] += shift[:, None].astype(np.float32)
    return replace(clip, image=image)


def lend(clip: Clip, donor: Clip, share: float = 1.0) -> Clip:
    """`clip` done by the hand of `donor`: its mean shape goes over by `share`, while path and bending stay.

    Without it a network learns takes by heart from the one hand that recorded them.
    """
    image, world = clip.image.copy(), clip.world.copy()
    flat = np.array([1, 1 / clip.aspect, 1], np.float32)
    own_level, other_level = flat, np.array([1, 1 / donor.aspect, 1], np.float32)
    for slot in (0, 1):
        here, there = clip.present[:, slot], donor.present[:, slot]
        flip = np.ones(3, np.float32)
        donor_slot = slot
        if here.any() and not there.any():
            donor_slot, flip = 1 - slot, np.array([-1, 1, 1], np.float32)
            there = donor.present[:, donor_slot]
        if not (here.any() and there.any()):
            continue
        for target, source, own, other in (
            (image, donor.image, own_level, other_level),
            (world, donor.world, np.ones(3, np.float32), np.ones(3, np.float32)),
        ):
            mine, wrist, palm = _local(target[here, slot] * own)
            theirs, _, _ = _local(source[there, donor_slot] * other * flip)
            borrowed = mine + np.float32(share) * (theirs.mean(0) - mine.mean(0))
            target[here, slot] = (wrist + borrowed * palm) / own
    return replace(clip, image=image, world=world)


def _local(joints: Floats) -> tuple[Floats, Floats, Floats]:
    """Joints (n, 21, 3) from the wrist in palm lengths; the wrists (n, 1, 3); the palm lengths (n, 1, 1)."""
    wrist = joints[:, :1]
    palm = np.linalg.norm(joints[:, 9] - joints[:, 0], axis=1)[:, None, None]
    palm = np.maximum(np.median(palm), 1e-4) * np.ones_like(palm)
    return (joints - wrist) / palm, wrist, palm


def shape(clip: Clip) -> Floats | None:
    """(60,) the mean shape of the busiest hand, as a right one, from the wrist in palm lengths; None without a hand."""
    slot = int(clip.present.sum(0).argmax())
    there = clip.present[:, slot]
    if not there.any():
        return None
    local = _local(clip.world[there, slot])[0].mean(0)[1:]
    mean: Floats = (local * np.array([-1 if slot == 0 else 1, 1, 1], np.float32)).ravel()
    return mean


def _turn(angle: float, a: int, b: int) -> npt.NDArray[np.float64]:
    out = np.eye(3)
    out[a, a] = out[b, b] = np.cos(angle)
    out[a, b], out[b, a] = -np.sin(angle), np.sin(angle)
    return out


def jitter(clip: Clip, rng: np.random.Generator) -> Clip:
    """Landmarks as unsteady as a webcam gives them: independent noise and slow drift, in palm lengths."""
    level = np.exp(rng.uniform(*np.log(JITTER)))
    palm = np.linalg.norm(clip.image[:, :, 9, :2] - clip.image[:, :, 0, :2], axis=2)[:, :, None, None]
    length = np.linalg.norm(clip.world[:, :, 9] - clip.world[:, :, 0], axis=2)[:, :, None, None]
    noise = rng.normal(0, level, (2, *clip.image.shape)).astype(np.float32)
    depth = np.array([1, 1, 2], np.float32)  # z is MediaPipe's weakest axis
    return replace(clip, image=clip.image + noise[0] * palm * depth, world=clip.world + noise[1] * length * depth)


def mirror(clip: Clip, twins: dict[str, str]) -> Clip:
    """The same seen in a mirror: left hands become right, and gestures their twins in `twins` (both directions)."""
    both = {**twins, **{b: a for a, b in twins.items()}}
    flip = np.array([-1, 1, 1], np.float32)
    image = clip.image[:, ::-1] * flip + np.array([1, 0, 0], np.float32)
    spans = tuple(Span(both.get(s.gesture, s.gesture), s.start, s.end) for s in clip.spans)
    return replace(clip, image=image, world=clip.world[:, ::-1] * flip, spans=spans)
