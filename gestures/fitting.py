"""Levels, hold times and leads at which a model speaks, fitted on recordings it was not trained on."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import TypeAlias

import numpy as np

from .evaluation import Replay
from .scoring import levenshtein, score
from .types import DecisionRules

LEVELS = (0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
HOLDS_S = (0.0, 0.1, 0.2, 0.3, 0.4)
LEAVING = (0.5, None)
"""A hand that goes says its last word if that is more likely than not, or, where this costs less, none."""
OFFS = (0.3, 0.5, 0.7, 0.85)
"""Shares of the level at which a gesture begins."""
LEADS_S = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
AT_REST_S = 0.35
"""A gesture that begins sooner in its recording has no before."""
ACCEPTS_PER_HOUR = 0.5
"""How often hands that mean nothing may be taken for a gesture: where wake words begin to annoy."""
QUIET_S = 300.0
"""Less rest than this tells no rate."""
PRICES = (1, 2, 4, 8, 16)
"""What a false accept in rest costs beyond what any wrong event does: ever more, until they are as rare as asked."""
GAIN = 3
"""A gesture gets a level or a hold time of its own where that costs so much less: one false accept, or two mistakes,
may be chance."""

Counts: TypeAlias = tuple[Fraction, Fraction]
"""Mistakes (gestures missed, added or taken for another), and false accepts in rest, which are counted in both."""


def fit_rules(
    replays: Sequence[Replay],
    labels: tuple[str, ...],
    times: int = 1,
) -> DecisionRules:
    """The rules for a model, fitted on recordings it was not trained on; the defaults where none holds a gesture.

    Misses and false events cost the same, but false accepts in rest at least twice that, and as much more as it takes
    to keep them at or below `ACCEPTS_PER_HOUR` where there is rest enough to tell. Few recordings cannot tell many
    rules apart: of all that cost least, the one in their middle is the farthest from every edge. Each recording may be
    among them `times` times, as so many cameras have it: then a mistake that one of them makes counts a `times`-th.
    """
    if not any(each.clip.spans for each in replays):
        return DecisionRules()

    @cache
    def judge(rules: DecisionRules) -> Counts:
        mistakes = accepts = 0
        for each in replays:
            said = [event.gesture for event in each.events(labels, rules) if event.phase == "began"]
            mistakes += levenshtein(said, [span.gesture for span in each.clip.spans])
            accepts += 0 if each.clip.spans else len(said)
        return Fraction(mistakes, times), Fraction(accepts, times)

    rest_s = sum(each.clip.duration_s for each in replays if not each.clip.spans) / times
    allowed = ACCEPTS_PER_HOUR * rest_s / 3600 if rest_s >= QUIET_S else np.inf
    for price in PRICES:
        rules = _each_its_own(_middle(judge, price), labels, judge, price)
        if judge(rules)[1] <= allowed:
            break
    return _fit_edges(replays, labels, rules)


def _cost(counts: Counts, price: int) -> Fraction:
    mistakes, accepts = counts
    return mistakes + price * accepts


def _middle(judge: Callable[[DecisionRules], Counts], price: int) -> DecisionRules:
    """Of all rules that are the same for every gesture and cost least, the one in their middle."""
    choices = [
        DecisionRules(on, min(0.4, on / 2), hold_s, leaving=leaving)
        for leaving, on, hold_s in itertools.product(LEAVING, LEVELS, HOLDS_S)
    ]
    costs = np.array([_cost(judge(rules), price) for rules in choices])
    cheapest = np.flatnonzero(costs == costs.min())
    places = np.array(list(np.ndindex(len(LEAVING), len(LEVELS), len(HOLDS_S))))[cheapest]
    return choices[int(cheapest[np.abs(places - np.median(places, axis=0)).sum(1).argmin()])]


def _each_its_own(
    rules: DecisionRules, labels: tuple[str, ...], judge: Callable[[DecisionRules], Counts], price: int
) -> DecisionRules:
    """`rules` with a hold time and a level of its own for every gesture for which each of them costs `GAIN` less."""

    def cost(each: DecisionRules) -> Fraction:
        return _cost(judge(each), price)

    for label in labels[1:]:
        rules = own(rules, label, [(rules.on, hold_s) for hold_s in HOLDS_S], cost, GAIN)
        rules = own(rules, label, [(on, rules.hold_for(label)) for on in LEVELS if on >= rules.off], cost, GAIN)
    return rules


def own(
    rules: DecisionRules,
    label: str,
    choices: Sequence[tuple[float, float]],
    cost: Callable[[DecisionRules], Fraction],
    gain: int,
) -> DecisionRules:
    """`rules` with the best of `choices` (level, hold time in s) for `label` where it costs `gain` less.

    Of those that cost the same the nearest to the level and the hold time for all is the best.
    """

    def far(each: DecisionRules) -> tuple[Fraction, float]:
        return cost(each), abs(each.on_for(label) - rules.on) + abs(each.hold_for(label) - rules.hold_s)

    best = min((changed(rules, label, *choice) for choice in choices), key=far)
    return best if cost(best) <= cost(rules) - gain else rules


def changed(rules: DecisionRules, label: str, on: float, hold_s: float) -> DecisionRules:
    """`rules` with this level and hold time for `label`, whatever it had before."""
    others = (each for each in rules.per_gesture if each[0] != label)
    return replace(rules, per_gesture=(*others, (label, on, hold_s)))


def _fit_edges(replays: Sequence[Replay], labels: tuple[str, ...], rules: DecisionRules) -> DecisionRules:
    """`rules` with the level and the lead that put events where the annotations are, by strict matching.

    Of those that do equally well, the lead is nearest the median lag between annotated onsets and starts of events.
    Only recordings tell it in which a hand is seen before its gesture: where it comes into sight with it, there is no
    onset to be late for.
    """
    told = [each for each in replays if all(span.start - each.clip.time[0] >= AT_REST_S for span in each.clip.spans)]
    late = [
        event.started - span.start
        for each in told
        for event in each.events(labels, rules)
        for span in each.clip.spans
        if event.phase == "began" and event.gesture == span.gesture and span.start <= event.started <= span.end
    ]
    if not late:
        return rules
    lag_s = float(np.median(late))
    lowest = min(rules.on, *(on for _, on, _ in rules.per_gesture), 1.0)

    def cost(rules: DecisionRules) -> tuple[int, float, float]:
        pooled = score(each.stream(labels, rules) for each in told).json()["pooled"]
        return int(pooled["missed"] + pooled["false"]), abs(rules.lead_s - lag_s), abs(rules.off / lowest - 0.5)

    return min((replace(rules, off=share * lowest, lead_s=lead_s) for share in OFFS for lead_s in LEADS_S), key=cost)
