"""How long a model keeps in mind the first gesture of a two-step command: streams of known lags, and what it says."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from .clips import Clip, ClipSet
from .evaluation import replay
from .model import Model
from .streams import join

LAGS_S = (5.0, 30.0, 120.0)
TRIES = 5


def lagged(takes: ClipSet, name: str, lag_s: float, armed: bool, rng: np.random.Generator) -> Clip | None:
    """One hand, always in sight: the command's first gesture (or not, when not `armed`), idling, its second.

    It idles for `lag_s` s or a little more. The clip ends with its last gesture, whose span is named by what it means.
    None where `takes` have no rest, or no takes of one of the two alone.
    """
    kinds = {gesture: _alone(takes, gesture) for gesture in (None, *takes.sequences[name])}
    if not all(kinds.values()):
        return None
    first, second = (kinds[gesture][rng.integers(len(kinds[gesture]))] for gesture in takes.sequences[name])
    parts, idled_s = [first] if armed else [], 0.0
    while idled_s < lag_s:
        parts.append(kinds[None][rng.integers(len(kinds[None]))])
        idled_s += parts[-1].duration_s
    whole, _ = join([*parts, second], rng, away=0)
    last = whole.spans[-1]
    rows = whole.time <= last.end
    spans = (*whole.spans[:-1], replace(last, gesture=name if armed else last.gesture))
    return replace(whole, time=whole.time[rows], image=whole.image[rows], world=whole.world[rows], spans=spans)


def _alone(takes: ClipSet, gesture: str | None) -> list[Clip]:
    """The takes that show this gesture and no other; None: that show none."""
    meant = [] if gesture is None else [gesture]
    return [clip for clip in takes.clips if [s.gesture for s in clip.spans] == meant and clip.duration_s > 0]


def text(figures: Mapping[str, Mapping[str, Mapping[str, int]]]) -> str:
    """What `bridged` counted, a line for each command and lag."""
    return "\n".join(
        f"{name} after {lag:>5s}: known {counts['kept']} of {counts['tries']} times,"
        f" not said {counts['none_invented']} of {counts['tries']} times that it was not due"
        for name, lags in figures.items()
        for lag, counts in lags.items()
    )


def bridged(model: Model, takes: ClipSet, seed: int = 0, tries: int = TRIES) -> dict[str, dict[str, dict[str, int]]]:
    """By command and lag: of so many `tries` each, how often it was `kept` in mind, and how often nothing `invented`.

    Right is, at the end of the second gesture, that the command is likelier than its second gesture alone, or, where
    the first was never done, that it is not. A coin gets half of both. Commands whose gestures `takes` lack are not
    there.
    """
    labels, rng = model.manifest.labels, np.random.default_rng(seed)
    figures: dict[str, dict[str, dict[str, int]]] = {}
    for name, (_, second) in takes.sequences.items():
        for lag_s in LAGS_S:
            right = {True: 0, False: 0}
            for armed in [True, False] * tries:
                clip = lagged(takes, name, lag_s, armed, rng)
                if clip is None:
                    break
                ticks = [scores for _, told, _ in replay(model, clip).steps for scores in told]
                said = ticks[-1].probabilities
                right[armed] += bool(said[labels.index(name)] > said[labels.index(second)]) == armed
            else:
                counts = {"kept": right[True], "none_invented": right[False], "tries": tries}
                figures.setdefault(name, {})[f"{lag_s:g} s"] = counts
    return figures
