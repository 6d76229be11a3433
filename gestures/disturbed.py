"""What cameras do to a recording: the same clip at another frame rate, with frames lost, trembling."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from .augmentation import resample
from .clips import Clip
from .types import FARTHEST

DROPPED = 0.2
JITTER = 0.02
"""Standard deviation of every landmark's place, in palm lengths."""


def at_rate(clip: Clip, rate_hz: float) -> Clip:
    """`clip` as a camera of `rate_hz` would have it."""
    return resample(clip, np.arange(clip.time[0], clip.time[-1], 1 / rate_hz)) if len(clip.time) > 1 else clip


def dropped(clip: Clip, rng: np.random.Generator) -> Clip:
    """`clip` with a fifth of its frames missing, the first and the last never."""
    kept = rng.random(len(clip.time)) >= DROPPED
    kept[:1] = kept[-1:] = True
    return replace(clip, time=clip.time[kept], image=clip.image[kept], world=clip.world[kept])


def trembling(clip: Clip, rng: np.random.Generator) -> Clip:
    """`clip` with noise on every landmark of every frame."""
    level = np.array([1, 1 / clip.aspect, 1], np.float32)
    palm = np.linalg.norm((clip.image[:, :, 9] - clip.image[:, :, 0]) * level, axis=2)[:, :, None, None]
    length = np.linalg.norm(clip.world[:, :, 9] - clip.world[:, :, 0], axis=2)[:, :, None, None]
    noise = rng.normal(0, JITTER, (2, *clip.image.shape))
    image, world = clip.image + noise[0] * palm / level, clip.world + noise[1] * length
    image, world = (np.clip(joints, -FARTHEST, FARTHEST).astype(np.float32) for joints in (image, world))
    return replace(clip, image=image, world=world)


Disturb = Callable[[Clip, np.random.Generator], Clip]
DISTURBED: dict[str, Disturb] = {
    "10 fps": lambda clip, _: at_rate(clip, 10),
    "60 fps": lambda clip, _: at_rate(clip, 60),
    "a fifth of the frames dropped": dropped,
    "landmarks trembling by 2 % of the palm": trembling,
}

TELLING = tuple(name for name in DISTURBED if name != "60 fps")
"""The ways after which other things are said: of pictures put between those that there are, the same is."""


def otherwise(clips: Iterable[Clip], seed: int) -> list[Clip]:
    """Every one of `clips` in each of the `TELLING` ways, as `seed` has it; as it is where a gesture would be lost."""
    pairs = [
        (clip, DISTURBED[way](clip, np.random.default_rng((seed, n))))
        for n, clip in enumerate(clips)
        for way in TELLING
    ]
    return [other if len(other.spans) == len(clip.spans) else clip for clip, other in pairs]
