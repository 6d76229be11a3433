"""How much two takes are alike: what their busier hand does, one warped in time onto the other."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .clips import REST, Clip
from .posture import TIPS
from .types import Floats

POINTS = 24
"""A take is compared at so many moments, evenly over its gesture."""
POSE = 1.0
"""What a fingertip's place within the hand weighs against the hand's place in the picture."""
PARTNER = 1.0
"""How far apart a hand that has a partner in sight and one that has none are, in palm lengths."""

ALIKE = 0.8
"""From here on two gestures are told apart with difficulty."""


def trace(take: Clip) -> Floats | None:
    """(POINTS, 17) what the busier hand does during the gesture, or all along; None when it is hardly seen.

    Index tip and palm on their way, from their mean, and fingertips from the wrist, all in palm lengths; of the other
    hand, whether it is there and where. Place, distance and speed drop out.
    """
    rows = np.ones(len(take.time), bool)
    if take.spans:
        rows = (take.time >= take.spans[0].start) & (take.time <= take.spans[0].end)
    present = take.present & rows[:, None]
    slot = int(present.sum(0).argmax())
    there = present[:, slot]
    if there.sum() < 3:
        return None
    level = np.array([1, 1 / take.aspect], np.float32)
    own = take.image[there, slot, :, :2] * level
    palm = max(float(np.median(np.linalg.norm(own[:, 9] - own[:, 0], axis=1))), 1e-3)
    palms = own[:, (0, 9)].mean(1)
    way = np.concatenate([own[:, 8], palms], 1)
    pose = (own[:, TIPS] - own[:, :1]).reshape(len(own), 10) * POSE
    other = np.zeros((len(own), 3), np.float32)
    beside = present[there, 1 - slot]
    other[beside, 1:] = ((take.image[there, 1 - slot][:, (0, 9), :2] * level).mean(1) - palms)[beside] * POSE
    other[:, 0] = beside * PARTNER * palm
    whole = np.concatenate([way - way.mean(0), pose, other], 1) / palm
    ticks = np.linspace(take.time[there][0], take.time[there][-1], POINTS)
    return np.stack([np.interp(ticks, take.time[there], column) for column in whole.T], 1).astype(np.float32)


def warped(one: Floats, others: Floats) -> npt.NDArray[np.float64]:
    """(n,) how far `one` (POINTS, k) is from each of `others` (n, POINTS, k): palm lengths a point, best warped.

    Dynamic time warping (Sakoe & Chiba 1978), all of `others` at once, a diagonal at a time.
    """
    count = len(one)
    apart = np.linalg.norm(one[None, :, None] - others[:, None], axis=-1)
    total = np.full((len(others), count + 1, count + 1), np.inf)
    total[:, 0, 0] = 0
    for diagonal in range(2, 2 * count + 1):
        i = np.arange(max(1, diagonal - count), min(count, diagonal - 1) + 1)
        j = diagonal - i
        before = np.minimum(np.minimum(total[:, i - 1, j], total[:, i, j - 1]), total[:, i - 1, j - 1])
        total[:, i, j] = apart[:, i - 1, j - 1] + before
    return np.asarray(total[:, -1, -1] / count)


def distances(takes: Sequence[Clip]) -> npt.NDArray[np.float64]:
    """(n, n) how far takes are from each other, palm lengths a point; infinite from themselves, or unseen."""
    traces = [trace(take) for take in takes]
    seen = [i for i, each in enumerate(traces) if each is not None]
    table = np.full((len(takes), len(takes)), np.inf)
    if not seen:
        return table
    stack = np.stack([each for each in traces if each is not None])
    for row, i in enumerate(seen[:-1]):
        later = seen[row + 1 :]
        table[i, later] = table[later, i] = warped(stack[row], stack[row + 1 :])
    return table


def gesture_of(take: Clip) -> str:
    """What a take of one gesture shows: its name, rest when it has none."""
    return take.spans[0].gesture if take.spans else REST


def likest(table: npt.NDArray[np.float64], label: npt.NDArray[np.str_], gesture: str) -> tuple[str, float] | None:
    """The gesture that `gesture` is most like, and how much: 1 as like as its own takes are to each other, 0 not.

    The median over its takes of the way to the nearest other own take over the way to that gesture's nearest. None
    when there is nothing to compare. `table` as `distances` gives it for takes of these labels.
    """
    own = np.flatnonzero(label == gesture)
    near = table[np.ix_(own, own)].min(1) if len(own) > 1 else np.full(len(own), np.inf)
    found = []
    for other in sorted(set(label.tolist()) - {gesture, REST}):
        far = table[np.ix_(own, np.flatnonzero(label == other))].min(1)
        both = np.isfinite(near) & np.isfinite(far)
        if both.any():
            found.append((min(1.0, float(np.median(near[both] / np.maximum(far[both], 1e-6)))), other))
    return (max(found)[1], max(found)[0]) if found else None
