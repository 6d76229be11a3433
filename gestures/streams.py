"""Takes -> long labelled streams, as a hand lives them: gesture, idle, gesture broken off, gone and back again."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from . import augmentation
from .clips import Clip, ClipSet, Span
from .lives import AFTER_S, Unknown, busiest
from .tracks import PATIENCE_S
from .types import Floats

AWAY = 0.3
"""How often a hand leaves between two takes, so that the next begins with an empty memory."""
CHAIN = 4
"""Takes that follow one another at most."""
LONG_CHAIN, LONG_AWAY = 24, 0.03
"""The same where there are two-step commands."""
BROKEN_OFF = 0.1
"""How often a take is begun and not gone on with."""
LENT = 0.7
"""How often a take is done by another take's hand."""
TOLD_APART = 0.65
"""A shape of the hand that tells this share of two gestures' takes apart is part of them; by chance it tells half."""


def donors(takes: ClipSet) -> list[npt.NDArray[np.int64]]:
    """For each take, those whose hand may do it: takes of gestures done with the same shape of hand.

    Two gestures share a shape when it does not tell their takes apart, as often as not: by the nearer of the two mean
    shapes, each take's own left out of its gesture's. Where only the path tells gestures apart, all hands may be
    exchanged; where the pose does, none across the gestures. A session of several gestures neither lends nor borrows.
    """
    names = [take.spans[0].gesture if take.spans else "" for take in takes.clips]
    shapes = [augmentation.shape(take) if len(take.spans) < 2 else None for take in takes.clips]
    groups = {
        name: np.stack(group)
        for name in sorted(set(names))
        if (group := [each for n, each in zip(names, shapes, strict=True) if n == name and each is not None])
    }

    def nearer(own: Floats, other: Floats) -> npt.NDArray[np.bool_]:
        """Which takes of `own` are nearer to the rest of theirs than to the `other` gesture's."""
        rest = (own.sum(0) - own) / max(len(own) - 1, 1)
        near: npt.NDArray[np.bool_] = ((own - rest) ** 2).sum(1) < ((own - other.mean(0)) ** 2).sum(1)
        return near

    def alike(a: str, b: str) -> bool:
        told = np.concatenate([nearer(groups[a], groups[b]), nearer(groups[b], groups[a])])
        return a == b or float(told.mean()) < TOLD_APART

    lenders = {name: {other for other in groups if alike(name, other)} for name in groups}
    found = [i for i, each in enumerate(shapes) if each is not None]
    return [
        np.array([i for i in found if each is not None and names[i] in lenders[name]], np.int64)
        for name, each in zip(names, shapes, strict=True)
    ]


def compose(
    takes: ClipSet,
    lenders: Sequence[npt.NDArray[np.int64]],
    rng: np.random.Generator,
    varied: float = 1.0,
    steady: bool = False,
) -> Iterator[tuple[Clip, Unknown]]:
    """Every take once, in chains of a few, a share of `varied` of them varied, `steady` as in `augmentation.vary`.

    Some follow one another at once, some after idling, some after the hand was away, and some are broken off before
    they mean anything. `lenders` as `donors` gives them. With two-step commands chains are long, and hands stay, so
    that much lies between the two.
    """
    chain, away = (LONG_CHAIN, LONG_AWAY) if takes.sequences else (CHAIN, AWAY)
    order = rng.permutation(len(takes.clips))
    if takes.sequences:
        # What one hand has begun the other cannot end: hands must not take turns.
        order = order[np.argsort([busiest(takes.clips[i]) for i in order], kind="stable")]
    at = 0
    while at < len(order):
        count = int(rng.integers(1, chain + 1))
        parts: list[Clip] = []
        # What one hand has begun it ends in a mirror as well.
        turned = bool(takes.mirror is not None and takes.sequences and rng.random() < 0.5)
        for index in order[at : at + count]:
            take = takes.clips[index]
            if len(lenders[index]) and rng.random() < LENT:
                take = augmentation.lend(take, takes.clips[rng.choice(lenders[index])])
            if rng.random() < varied:
                take = augmentation.vary(take, rng, steady)
            if takes.mirror is not None and (turned if takes.sequences else rng.random() < 0.5):
                mirrored = augmentation.mirror(take, takes.mirror)
                take = mirrored if all(span.gesture in takes.labels for span in mirrored.spans) else take
            if take.spans and parts and rng.random() < BROKEN_OFF:
                parts.append(_broken_off(take, rng))
            parts.append(take)
        yield join(parts, rng, away)
        at += count


def _broken_off(take: Clip, rng: np.random.Generator) -> Clip:
    """The beginning of a take, too little of it to mean anything: rest."""
    first = take.spans[0]
    until = first.start + rng.uniform(0.05, 0.2) * (first.end - first.start)
    rows = take.time <= max(until, take.time[min(1, len(take.time) - 1)])
    return replace(take, time=take.time[rows], image=take.image[rows], world=take.world[rows], spans=())


def join(parts: Sequence[Clip], rng: np.random.Generator, away: float = AWAY) -> tuple[Clip, Unknown]:
    """One clip of many, and when it is unknown what it means; `away` is how often the hand leaves in between.

    Between two takes a hand goes over, or leaves and comes back; a straight way over may look like a gesture, and it
    is not for us to say that it is none.
    """
    times: list[npt.NDArray[np.float64]] = []
    images: list[Floats] = []
    worlds: list[Floats] = []
    spans: list[Span] = []
    unknown: list[tuple[float, float]] = []
    clock = 0.0
    for k, part in enumerate(reframe(part, parts[0].aspect) for part in parts):
        if k:
            length = rng.uniform(0.25, 1.5)
            if rng.random() < away:
                length += PATIENCE_S
            else:
                ticks = np.arange(clock + 1 / 30, clock + length - 1 / 60, 1 / 30)
                image, world = _way(images[-1][-1], part.image[0], worlds[-1][-1], part.world[0], len(ticks), rng)
                times.append(ticks)
                images.append(image)
                worlds.append(world)
                unknown.append((clock + min(AFTER_S, length / 2), clock + length))
            clock += length
        shift = clock - part.time[0]
        times.append(part.time + shift)
        images.append(part.image)
        worlds.append(part.world)
        spans += [Span(s.gesture, s.start + shift, s.end + shift) for s in part.spans]
        clock = float(times[-1][-1])
    whole = np.concatenate(times), np.concatenate(images), np.concatenate(worlds)
    return Clip(*whole, person=parts[0].person, spans=tuple(spans), aspect=parts[0].aspect), unknown


def reframe(clip: Clip, aspect: float) -> Clip:
    """`clip` as a picture of another `aspect` would hold it: the same hands, y in other units."""
    level = np.array([1, aspect / clip.aspect, 1], np.float32)
    return replace(clip, image=clip.image * level, aspect=aspect)


def _way(
    image0: Floats, image1: Floats, world0: Floats, world1: Floats, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """(count, 2, 21, 3) twice: the hand from one place to another by minimum jerk, resting before and after."""
    begin, end = np.sort(rng.uniform(0, 1, 2))
    x = np.clip((np.arange(count) / max(count - 1, 1) - begin) / max(end - begin, 0.2), 0, 1)
    share = (x**3 * (10 - 15 * x + 6 * x * x)).astype(np.float32)[:, None, None, None]
    # A slow wander keeps the way from being the ruled line that no hand draws.
    wander = np.cumsum(rng.normal(0, 0.002, (count, 2, 1, 3)), 0).astype(np.float32)
    return image0 + (image1 - image0) * share + wander, world0 + (world1 - world0) * share
