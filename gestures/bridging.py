"""How long a model keeps in mind the first gesture of a two-step command: streams of known lags, and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from .clips import Clip, ClipSet
from .evaluation import replay
from .lives import busiest
from .model import Model
from .streams import join
from .tracks import Tracker

LAGS_S = (5.0, 30.0, 120.0)
TRIES = 5
DRAWS = 50
"""So often a stream is drawn anew when its hand cannot be followed from one take to the next."""
NEAREST = 8
"""Takes drawn of which the one is joined that is least far to go to."""


def lagged(takes: ClipSet, name: str, lag_s: float, armed: bool, rng: np.random.Generator) -> Clip | None:
    """One hand, always in sight: the command's first gesture (or not, when not `armed`), idling, its second.

    It idles for `lag_s` s or a little more. The clip ends with its last gesture, whose span is named by what it means.
    None where `takes` have no rest, or no takes of one of the two alone, or their hands go too far to be followed.
    """
    able = [kinds for slot in (0, 1) if all((kinds := _kinds(takes, name, slot)).values())]
    for _ in range(DRAWS if able else 0):
        kinds = able[rng.integers(len(able))]
        first, second = (kinds[gesture] for gesture in takes.sequences[name])
        parts, idled_s = [first[rng.integers(len(first))]] if armed else [], 0.0
        while idled_s < lag_s:
            parts.append(_nearest(parts[-1:], kinds[None], rng))
            idled_s += parts[-1].duration_s
        whole, _ = join([*parts, _nearest(parts[-1:], second, rng)], rng, away=0)
        if _followed(whole):
            last = whole.spans[-1]
            rows = whole.time <= last.end
            spans = (*whole.spans[:-1], replace(last, gesture=name if armed else last.gesture))
            return replace(whole, time=whole.time[rows], image=whole.image[rows], world=whole.world[rows], spans=spans)
    return None


def _nearest(before: Sequence[Clip], takes: Sequence[Clip], rng: np.random.Generator) -> Clip:
    """Of a few `takes` drawn, the one that begins nearest to where the one `before` ended; any, where there is none."""
    some = [takes[int(i)] for i in rng.integers(len(takes), size=NEAREST)]
    if not before:
        return some[0]
    slot = busiest(before[-1])
    end = before[-1].image[:, slot, 0, :2][before[-1].present[:, slot]][-1]
    starts = [clip.image[:, slot, 0, :2][clip.present[:, slot]][0] for clip in some]
    away = np.linalg.norm(np.array(starts) - end, axis=1)
    return some[int(away.argmin())]


def _followed(clip: Clip) -> bool:
    """Whether the live engine takes it for one hand from beginning to end: another one would know of nothing."""
    tracker = Tracker()
    return not any(max(tracker.update(seen)[0], default=0) for seen in clip.observations())


def _kinds(takes: ClipSet, name: str, slot: int) -> dict[str | None, list[Clip]]:
    """Takes by the hand in `slot` that show each of the command's gestures and no other; None: that show none."""
    own = [clip for clip in takes.clips if clip.duration_s > 0 and busiest(clip) == slot]
    kinds = (None, *takes.sequences[name])
    return {kind: [c for c in own if [s.gesture for s in c.spans] == ([kind] if kind else [])] for kind in kinds}


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

    Right is, at that tick of the second gesture when it is likeliest to be one of the two, that the command is likelier
    than its second gesture alone, or, where the first was never done, that it is not. A coin gets half of both.
    Commands whose gestures `takes` lack are not there.
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
                begun, either = clip.spans[-1].start, [labels.index(name), labels.index(second)]
                ticks = [scores for _, told, _ in replay(model, clip).steps for scores in told if scores.time >= begun]
                said = max((scores.probabilities[either] for scores in ticks), key=np.sum)
                right[armed] += bool(said[0] > said[1]) == armed
            else:
                counts = {"kept": right[True], "none_invented": right[False], "tries": tries}
                figures.setdefault(name, {})[f"{lag_s:g} s"] = counts
    return figures
