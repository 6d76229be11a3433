"""A hand from its coming into sight to its going, as the network reads it, with what it should say at every tick."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .clips import SIDES, Clip, Span
from .features import FeatureStream, raw_many
from .forecast import Future, Places
from .sequences import Sequences, firsts, follow
from .tracks import PATIENCE_S, Tracker
from .types import Floats

OWNS = 0.35
"""A hand does a gesture when it moves at least this much of what the busier hand moves."""
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

    Between the shares `sure` of a gesture its name comes to be owed; before, being undecided is right as well, and from
    its end until `linger_s` later silence is. A gesture so short that its name is owed for little time weighs up to
    `boost` times more: else a network finds that of a swipe of a third of a second it may as well say nothing.
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
