"""What cameras do to a recording: the same clip at another frame rate, with frames lost, trembling."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gestures.augmentation import resample
from gestures.clips import Clip

DROPPED = 0.2
JITTER = 0.02
"""Standard deviation of every landmark's place, in palm lengths."""


def at_rate(clip: Clip, rate_hz: float) -> Clip:
    """`clip` as a camera of `rate_hz` would have it."""
    return resample(clip, np.arange(clip.time[0], clip.time[-1], 1 / rate_hz)) if len(clip.time) > 1 else clip


def dropped(clip: Clip, rng: np.random.Generator) -> Clip:
    """`clip` with a fifth of its frames missing, the first and the last never."""
    kept = rng.random(len(clip.time)) >= DROPPED
    kept[[0, -1]] = True
    return replace(clip, time=clip.time[kept], image=clip.image[kept], world=clip.world[kept])


def trembling(clip: Clip, rng: np.random.Generator) -> Clip:
    """`clip` with noise on every landmark of every frame."""
    level = np.array([1, 1 / clip.aspect, 1], np.float32)
    palm = np.linalg.norm((clip.image[:, :, 9] - clip.image[:, :, 0]) * level, axis=2)[:, :, None, None]
    length = np.linalg.norm(clip.world[:, :, 9] - clip.world[:, :, 0], axis=2)[:, :, None, None]
    noise = rng.normal(0, JITTER, (2, *clip.image.shape))
    image = (clip.image + noise[0] * palm / level).astype(np.float32)
    return replace(clip, image=image, world=(clip.world + noise[1] * length).astype(np.float32))


Disturb = Callable[[Clip, np.random.Generator], Clip]
DISTURBED: dict[str, Disturb] = {
    "10 fps": lambda clip, _: at_rate(clip, 10),
    "60 fps": lambda clip, _: at_rate(clip, 60),
    "a fifth of the frames dropped": dropped,
    "landmarks trembling by 2 % of the palm": trembling,
}
