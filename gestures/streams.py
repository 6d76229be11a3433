"""Takes -> long labelled streams, as a hand lives them: gesture, idle, gesture broken off, gone and back again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from . import augmentation
from .clips import SIDES, Clip, ClipSet, Span
from .features import FeatureStream, raw_many
from .forecast import Future, Places
from .sequences import Sequences, firsts, follow
from .tracks import PATIENCE_S, Tracker
from .types import Floats

OWNS = 0.35
"""A hand does a gesture when it moves at least this much of what the busier hand moves."""
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
OWED_S = 0.6
"""A gesture whose answer is owed for less than this is a short one."""
AFTER_S = 0.1
"""For so long after its end a gesture is still to be named."""
OVER_S = 0.4
"""Until so long after its end a gesture is one that has just been done: that is what a two-step command hears of."""
OVER = -1.0
"""Owed where nobody knows what a hand means, but not the gesture that has ended."""
FADING = -2.0
"""Owed where a gesture has just ended: its name is still right, and so is rest."""


@dataclass(frozen=True, slots=True)
class Owing:
    """When the answer is owed, and how much.

    Between the shares `sure` of a gesture its name comes to be owed; before, silence is right as well, and again until
    `linger_s` after its end. A gesture so short that its name is owed for little time weighs up to `boost` times more:
    else a network finds that of a swipe of a third of a second it may as well say nothing.
    """

    sure: tuple[float, float] = (0.45, 0.95)
    linger_s: float = 0.4
    boost: float = 1.0


Unknown: TypeAlias = Sequence[tuple[float, float]]
"""Times (start, end) s of a stream in which nobody knows what a hand means: between two takes put together. Known is
only that the last gesture is over."""


@dataclass(frozen=True, slots=True, eq=False)
class Life:
    """One hand from its coming into sight to its going, as the network reads it.

    `vectors` (n, SIZE) float32; `labels` (n,) int, 0 rest; `owed` (n,) float32 0..1: how far the label itself is owed
    at that tick, the rest of the weight lying on "the label, or not yet known which", `OVER` where anything but the
    label may be said, `FADING` where the label or silence may; `weight` (n,) float32, 0 where nobody knows what should
    be said; `silence` (n,) int, what saying nothing is called: 0, or, while the first gesture of a two-step command is
    kept in mind, a number beyond the labels' and that of "not yet known which"; `words` (n,) int: the gesture as it is,
    whatever came before, or, shortly after it, its number beyond those two; `ahead` what it teaches of its future.
    """

    vectors: Floats
    labels: npt.NDArray[np.int64]
    owed: Floats
    weight: Floats
    silence: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]
    ahead: Future


def settle(clip: Clip) -> Clip:
    """`clip` with every hand in the slot of its settled side, as the tracker would call it at the end of its track."""
    tracker = Tracker()
    rows: list[dict[int, int]] = []  # per frame: track -> slot it was recorded in
    side: dict[int, int] = {}
    for seen in clip.observations():
        live, _ = tracker.update(seen)
        slots = [SIDES.index(hand.side) for hand in seen.hands]
        rows.append(
            {n: next(s for s, h in zip(slots, seen.hands, strict=True) if h.image is live[n].image) for n in live}
        )
        side.update({number: SIDES.index(hand.side) for number, hand in live.items()})
    image, world = np.full_like(clip.image, np.nan), np.full_like(clip.world, np.nan)
    for row, tracks in enumerate(rows):
        for number, slot in sorted(tracks.items()):
            to = side[number] if np.isnan(image[row, side[number], 0, 0]) else 1 - side[number]
            image[row, to], world[row, to] = clip.image[row, slot], clip.world[row, slot]
    return replace(clip, image=image, world=world)


def lives(
    clip: Clip,
    labels: Sequence[str],
    rate_hz: float,
    unknown: Unknown = (),
    owing: Owing | None = None,
    sequences: Sequences | None = None,
) -> list[Life]:
    """The hands of a settled clip, each as the recognizer would feed it to the model, with what it should say.

    `owing` None: as an `Owing` without words. `sequences` None: there are no two-step commands.
    """
    present = clip.present
    out = []
    for slot in (0, 1):
        rows = np.flatnonzero(present[:, slot])
        if len(rows) == 0:
            continue
        gaps = np.flatnonzero(np.diff(clip.time[rows]) > PATIENCE_S) + 1
        for part in np.split(rows, gaps):
            raws = raw_many(clip.image[part], clip.world[part], slot, clip.aspect)
            ticks, vectors = FeatureStream(rate_hz).push_many(clip.time[part], raws, slot == 0)
            within = [s for s in clip.spans if s.end > ticks[0] and s.start < ticks[-1] and _owns(clip, slot, s)]
            meant = follow(within, sequences or {})
            truth, owed, weight = _truth([span for span, _ in meant], ticks, labels, rate_hz, owing or Owing())
            silence = np.zeros(len(ticks), np.int64)
            for span, kept in meant:
                first = 0 if kept is None else len(labels) + 1 + firsts(sequences or {}).index(kept)
                silence[ticks > span.end] = first
            words, _, _ = _truth(within, ticks, labels, rate_hz, owing or Owing())
            truth = np.where(truth == 0, silence, truth)
            for start, end in unknown:
                lost = (ticks > start) & (ticks < end)
                over = [span for span, _ in meant if span.end <= start]
                truth[lost], owed[lost] = (labels.index(over[-1].gesture), OVER) if over else (0, 1)
                weight[lost] = bool(over)
                gone = [span for span in within if span.end <= start]
                words[lost] = labels.index(gone[-1].gesture) if gone else 0
            for n, span in enumerate(within):
                until = min([span.end + OVER_S, *(later.start for later in within[n + 1 :])])
                done = len(labels) + 1 + labels.index(span.gesture)
                words[(ticks > span.end + AFTER_S) & (ticks <= until)] = done
            landmarks = np.concatenate([clip.image[part, slot], clip.world[part, slot]], 2)
            places = Places.of(landmarks, clip.aspect, left=slot == 0)
            future = Future.of(clip.time[part], places, ticks, unknown)
            out.append(Life(vectors, truth, owed, weight, silence, words, future))
    return out


def _truth(
    spans: Sequence[Span],
    ticks: npt.NDArray[np.float64],
    labels: Sequence[str],
    rate_hz: float,
    owing: Owing,
) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    truth, owed = np.zeros(len(ticks), np.int64), np.ones(len(ticks), np.float32)
    weight = np.ones(len(ticks), np.float32)
    for span in spans:
        share = (ticks - span.start) / (span.end - span.start)
        inside = (share >= 0) & (ticks <= span.end + owing.linger_s)
        truth[inside] = labels.index(span.gesture)
        owed[inside] = np.clip((share[inside] - owing.sure[0]) / (owing.sure[1] - owing.sure[0]), 0, 1)
        owed[inside & (ticks > span.end + AFTER_S)] = FADING
        weight[inside] = np.clip(OWED_S * rate_hz / max(float(np.maximum(owed[inside], 0).sum()), 1.0), 1, owing.boost)
    return truth, owed, weight


def _owns(clip: Clip, slot: int, span: Span) -> bool:
    rows = (clip.time >= span.start) & (clip.time <= span.end)
    moved = [_busy(clip.image[rows, s]) for s in (0, 1)]
    return moved[slot] > 0 and moved[slot] >= OWNS * max(moved)


def _busy(joints: Floats) -> float:
    """How far a hand's joints travel, in palm lengths; a little for being there at all, 0 when it is not."""
    seen = joints[~np.isnan(joints).any((1, 2)), :, :2]
    if len(seen) < 2:
        return 0.0
    palm = float(np.median(np.linalg.norm(seen[:, 9] - seen[:, 0], axis=1)))
    return 1.0 + float(np.linalg.norm(np.diff(seen, axis=0), axis=2).mean(1).sum()) / max(palm, 1e-3)


def busiest(clip: Clip) -> int:
    """The slot of the hand that is in sight most."""
    return int(clip.present.sum(0).argmax())


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
        for index in order[at : at + count]:
            take = takes.clips[index]
            if len(lenders[index]) and rng.random() < LENT:
                take = augmentation.lend(take, takes.clips[rng.choice(lenders[index])])
            if rng.random() < varied:
                take = augmentation.vary(take, rng, steady)
            if takes.mirror is not None and rng.random() < 0.5:
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
