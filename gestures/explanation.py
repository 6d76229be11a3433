"""Why did it fire, why did it not: each event and each near miss of a clip, in words and in numbers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .clips import Clip, Span
from .decisions import ROUNDING_S, Decisions
from .errors import GesturesError
from .features import NAMES
from .gates import Passage, Weights, attribution, forgetful, passage
from .model import Model
from .recognizer import Follower
from .types import JOINTS, DecisionRules, Event, Floats, Scores, Side

LAGS = (1, 2, 4, 8, 15, 30, 60, 120)
"""Ticks of memory that are tried: what would be said with only so many."""
CHANGED = 0.1
"""An answer is another one when this much of its probability has gone elsewhere."""
NEAR = 0.5
"""A near miss: a score that reached this share of its level, and no event."""
LONGEST_S = 300.0
"""Longer clips make unreadable pictures and long waits."""
FINGERS = ("thumb", "index finger", "middle finger", "ring finger", "little finger")


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One hand's way through the network.

    `times` (T,) s, `vectors` (T, SIZE), `said` (T, classes) the scores that were decided on, `inside` what the network
    did, `lost` (len(LAGS), T) 0..1: how much of its answer would be another with a memory of so many ticks only. Both
    are None where the network cannot be looked into.
    """

    hand: int
    side: Side
    times: npt.NDArray[np.float64]
    vectors: Floats
    said: Floats
    inside: Passage | None
    lost: Floats | None

    def at(self, time: float) -> int:
        """The newest tick that was known at `time` (s)."""
        return max(0, int(np.searchsorted(self.times, time + ROUNDING_S, "right")) - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """Something that happened, or nearly did, at `time` (s): why, in `words`.

    `parts` names what spoke for it, with shares of 1, most first, empty where that is not known; `joints` (21,) the
    same by landmark, sum 1.
    """

    time: float
    hand: int
    gesture: str
    fired: bool
    words: str
    parts: tuple[tuple[str, float], ...]
    joints: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """A clip explained: the `lines` of its hands, its `events`, and its `moments` in order."""

    labels: tuple[str, ...]
    rules: DecisionRules
    spans: tuple[Span, ...]
    lines: tuple[Line, ...]
    events: tuple[Event, ...]
    moments: tuple[Moment, ...]


def explain(model: Model, weights: Weights | None, clip: Clip) -> Explanation:
    """Replay `clip` through the live engine and account for what it says; raise `GesturesError` for too long a clip.

    `weights` None: the network cannot be looked into; what it said, and what was decided on that, is told all the same.
    """
    if clip.duration_s > LONGEST_S:
        raise GesturesError(f"the clip lasts {clip.duration_s:.0f} s, {LONGEST_S:.0f} at most can be explained: cut it")
    labels, rules, rate_hz = model.manifest.labels, model.manifest.rules, model.manifest.rate_hz
    follower, decisions = Follower(model), Decisions(labels, rules)
    ticks: dict[int, list[Scores]] = {}
    events: list[Event] = []
    for seen in clip.observations():
        scores, gone = follower.push(seen)
        for each in scores:
            ticks.setdefault(each.hand, []).append(each)
        events += decisions.push(scores, gone, seen.time)
    events += [] if follower.time is None else decisions.finish(follower.time)
    lines = tuple(_line(weights, hand, each) for hand, each in ticks.items())
    moments: list[Moment] = []
    for line in lines:
        own = [event for event in events if event.hand == line.hand or event.side == "both"]
        for event in own:
            if event.phase == "began" and event.hand == line.hand:
                words = _fired(line, event, labels, rules, rate_hz)
                moments.append(
                    _moment(weights, line, event.time, labels.index(event.gesture), labels, words, fired=True)
                )
        for label in range(1, len(labels)):
            for tick, words in _near_misses(line, own, label, labels, rules):
                moments.append(_moment(weights, line, float(line.times[tick]), label, labels, words, fired=False))
    moments += _silent(weights, lines, clip.spans, events, moments, labels)
    return Explanation(
        labels, rules, clip.spans, lines, tuple(events), tuple(sorted(moments, key=lambda moment: moment.time))
    )


def _line(weights: Weights | None, hand: int, ticks: Sequence[Scores]) -> Line:
    vectors = np.stack([scores.vector for scores in ticks if scores.vector is not None])
    times, said = np.array([scores.time for scores in ticks]), np.stack([scores.probabilities for scores in ticks])
    if weights is None:
        return Line(hand, ticks[-1].side, times, vectors, said, None, None)
    inside = passage(weights, vectors)
    lost = [np.abs(forgetful(weights, vectors, lag) - inside.probabilities).sum(1) / 2 for lag in LAGS]
    return Line(hand, ticks[-1].side, times, vectors, said, inside, np.stack(lost))


def _moment(
    weights: Weights | None, line: Line, time: float, label: int, labels: tuple[str, ...], words: str, *, fired: bool
) -> Moment:
    if weights is None:
        return Moment(time, line.hand, labels[label], fired, words, (), np.zeros(JOINTS, np.float32))
    tick = line.at(time)
    spoke = np.abs(attribution(weights, line.vectors[max(0, tick - LAGS[-1]) : tick + 1], label).sum(0))
    parts, joints = _shares(spoke)
    most = ", ".join(f"{name} ({share:.0%})" for name, share in parts[:3])
    return Moment(time, line.hand, labels[label], fired, f"{words} What counted most: {most}.", parts, joints)


def _shares(spoke: Floats) -> tuple[tuple[tuple[str, float], ...], Floats]:
    """Features' weights (SIZE,) as shares of what people can see, and of the landmarks."""
    parts: dict[str, float] = {}
    joints = np.zeros(JOINTS, np.float32)
    for name, weight in zip(NAMES, spoke.tolist(), strict=True):
        owners = _joints(name)
        whole = next((words for start, words in WHOLE.items() if re.match(start, name)), None)
        for joint in owners:
            joints[joint] += weight / len(owners)
            finger = f"the {FINGERS[(joint - 1) // 4]}" if joint else "the wrist"
            if whole is None:
                parts[finger] = parts.get(finger, 0) + weight / len(owners)
        if whole is not None:
            parts[whole] = parts.get(whole, 0) + weight
    total = max(sum(parts.values()), 1e-9)
    ranked = sorted(((name, weight / total) for name, weight in parts.items()), key=lambda part: -part[1])
    return tuple(ranked), joints / max(float(joints.sum()), 1e-9)


WHOLE = {
    "(velocity|moved_[0-9.]+)_log_unit": "its way towards the camera or from it",
    "velocity|moved": "the way it travels",
    "palm": "how the palm is turned",
    "is_left": "which hand it is",
    "partner": "the other hand",
}


def _joints(name: str) -> tuple[int, ...]:
    """The landmarks that a feature is made of; the palm's for what the whole hand does."""
    if found := re.match(r"(?:joint|bend|tip_velocity|distance)_(\d+)(?:_(\d+))?", name):
        return tuple(int(joint) for joint in found.groups() if joint is not None)
    if "index" in name:
        return (8,)
    return () if re.match("is_left|partner", name) else (0, 5, 9, 13, 17)


def _fired(line: Line, event: Event, labels: tuple[str, ...], rules: DecisionRules, rate_hz: float) -> str:
    tick, label = line.at(event.time), labels.index(event.gesture)
    on, hold_s = rules.on_for(event.gesture), rules.hold_for(event.gesture)
    words = f"{event.gesture} began at {event.time:.2f} s ({event.side}): "
    below = np.flatnonzero((line.said[:tick, label] < on) | (line.said[:tick].argmax(1) != label))
    since = line.times[below[-1] + 1 if len(below) else 0]
    if event.confidence < on or line.times[tick] - since < hold_s - ROUNDING_S:
        return f"{words}its hand went away with {event.confidence:.2f}, at or above the {rules.leaving} of a last word."
    words += f"at or above {on:.2f} since {since:.2f} s ({hold_s:.2f} s are asked for), then {event.confidence:.2f}."
    return words if line.lost is None else f"{words} {_reached(line.lost[:, tick], rate_hz)}"


def reach(lost: Floats) -> int | None:
    """The shortest of LAGS (ticks) with which, and with all longer, an answer stays; None: longer than all.

    Of the answer so much would be another with each of them: `lost` (len(LAGS),).
    """
    changed = np.flatnonzero(lost > CHANGED)
    first = int(changed[-1]) + 1 if len(changed) else 0
    return LAGS[first] if first < len(LAGS) else None


def _reached(lost: Floats, rate_hz: float) -> str:
    enough = reach(lost)
    if enough is None:
        return f"It took more than the last {LAGS[-1] / rate_hz:.1f} s to say so."
    words = f"The last {enough / rate_hz:.2f} s were enough to say so"
    if enough > LAGS[0]:
        less = LAGS.index(enough) - 1
        words += f"; with {LAGS[less] / rate_hz:.2f} s, {lost[less]:.0%} of the answer would be another"
    return f"{words}."


def _near_misses(
    line: Line, events: Sequence[Event], label: int, labels: tuple[str, ...], rules: DecisionRules
) -> list[tuple[int, str]]:
    """(tick of the highest score, why nothing began) for every time that `label` came near its level."""
    p, times = line.said[:, label], line.times
    gesture = labels[label]
    on, hold_s = rules.on_for(gesture), rules.hold_for(gesture)
    near = (p >= NEAR * on) & (line.said[:, 1:].argmax(1) + 1 == label)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], near.astype(int), [0]])))
    going = _going(events, float(times[-1]))
    out = []
    for start, end in edges.reshape(-1, 2):
        first, last = float(times[start]), float(times[end - 1])
        if any(name == gesture and began <= last + hold_s and ended >= first for name, began, ended in going):
            continue
        peak = start + int(p[start:end].argmax())
        words = f"{gesture} came near at {times[peak]:.2f} s ({line.side} hand) and did not begin: "
        out.append((peak, words + _why_not(line, start, end, label, labels, rules, going)))
    return out


def _why_not(
    line: Line,
    start: int,
    end: int,
    label: int,
    labels: tuple[str, ...],
    rules: DecisionRules,
    going: Sequence[tuple[str, float, float]],
) -> str:
    p, step = line.said[start:end, label], float(np.diff(line.times[:2]).sum())
    on, hold_s = rules.on_for(labels[label]), rules.hold_for(labels[label])
    peak = start + int(p.argmax())
    if p.max() < on:
        rest, beside = _beside(line.said[peak], label, labels)
        return f"it reached {p.max():.2f}, {on:.2f} are asked for; {beside} had {rest:.2f}."
    above = np.flatnonzero(np.diff(np.concatenate([[0], (p >= on).astype(int), [0]]))).reshape(-1, 2)
    held = float((above[:, 1] - above[:, 0]).max() - 1) * step
    if held < hold_s - ROUNDING_S:
        return f"it stood at or above {on:.2f} for {held:.2f} s, {hold_s:.2f} s are asked for."
    time = float(line.times[peak])
    for name, began, ended in going:
        if began <= time <= ended:
            return f"{name} was still going on."
        if 0 < time - ended < rules.rest_s + hold_s:
            return f"{name} had ended {time - ended:.2f} s before, {rules.rest_s:.2f} s of rest are asked for."
    return "the other hand had told it."


def _beside(probabilities: Floats, label: int, labels: tuple[str, ...]) -> tuple[float, str]:
    others = [other for other in range(len(labels)) if other != label]
    best = max(others, key=lambda other: float(probabilities[other]))
    return float(probabilities[best]), labels[best]


def _going(events: Sequence[Event], last: float) -> list[tuple[str, float, float]]:
    """(gesture, began, ended) of one hand's events; what has not ended goes on to the `last` time."""
    out: list[tuple[str, float, float]] = []
    for event in events:
        if event.phase == "began":
            out.append((event.gesture, event.time, last))
        elif open_ := [k for k, (name, _, end) in enumerate(out) if name == event.gesture and end == last]:
            out[open_[-1]] = (event.gesture, out[open_[-1]][1], event.time)
    return out


def _silent(
    weights: Weights | None,
    lines: Sequence[Line],
    spans: Sequence[Span],
    events: Sequence[Event],
    told: Sequence[Moment],
    labels: tuple[str, ...],
) -> list[Moment]:
    """Annotated gestures of which nothing was said, and not nearly: what stood higher."""
    out = []
    for span in spans:
        known = [event.time for event in events if event.gesture == span.gesture and event.phase == "began"]
        known += [moment.time for moment in told if moment.gesture == span.gesture]
        inside = [line for line in lines if ((line.times >= span.start) & (line.times <= span.end)).any()]
        if span.gesture not in labels or any(span.start <= time <= span.end + 0.5 for time in known) or not inside:
            continue
        label = labels.index(span.gesture)

        def best(line: Line, span: Span = span, label: int = label) -> int:
            rows = np.flatnonzero((line.times >= span.start) & (line.times <= span.end))
            return int(rows[line.said[rows, label].argmax()])

        line = max(inside, key=lambda line: float(line.said[best(line), label]))
        tick = best(line)
        height, other = _beside(line.said[tick], label, labels)
        own = float(line.said[tick, label])
        words = f"{span.gesture} was meant from {span.start:.2f} to {span.end:.2f} s and not seen: at its best, at"
        words += f" {line.times[tick]:.2f} s, it had {own:.2f}, {other} {height:.2f}."
        out.append(_moment(weights, line, float(line.times[tick]), label, labels, words, fired=False))
    return out
