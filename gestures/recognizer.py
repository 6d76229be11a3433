"""Observations in, events out: the pipeline without camera, screen or clock."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from . import forecast
from .decisions import ROUNDING_S, Decisions
from .errors import InputError
from .evidence import Evidence
from .features import SIZE, FeatureStream
from .model import Memory, Model
from .tracks import Tracker, place
from .types import DecisionRules, Event, Floats, Hand, Observation, Scores

UNSEEN_S = 0.2
"""A hand out of sight for no longer is still forecast."""


@dataclass(slots=True)
class _Line:
    """Everything remembered about one hand."""

    features: FeatureStream
    memory: Memory
    evidence: Evidence
    sights: deque[tuple[float, Floats]]  # the newest, (21, 6) each
    vector: Floats  # of the last tick
    left: bool = False

    def motion(self, aspect: float) -> Floats:
        """(MOTION,) how the hand moves, by its newest sights."""
        times = np.array([time for time, _ in self.sights])
        places = forecast.Places.of(np.stack([landmarks for _, landmarks in self.sights]), aspect, left=self.left)
        motion: Floats = forecast.motion(times, places, np.array([len(times) - 1]))[0]
        return motion


class Follower:
    """Observations in, scores out: tracks, features and the network's memory, one line a hand."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._tracker = Tracker()
        self._lines: dict[int, _Line] = {}
        self._time: float | None = None
        self._aspect: float | None = None
        self.hands: dict[int, Hand] = {}
        """The hands in sight of the last observation, by number, each with its settled side."""

    @property
    def time(self) -> float | None:
        """The time of the last observation, s; None before the first."""
        return self._time

    def push(self, seen: Observation) -> tuple[list[Scores], list[int]]:
        """The scores of every tick that is due, and the hands that are gone.

        Raise `InputError`, and remember nothing of it, when its time is not later than the last one's or the picture
        has changed its shape.
        """
        self._admit(seen)
        live, gone = self._tracker.update(seen)
        self.hands = live
        for number in gone:
            self._lines.pop(number, None)
        ticks: list[Scores] = []
        for number, hand in live.items():
            if number not in self._lines:
                rate_hz = self._model.manifest.rate_hz
                sights: deque[tuple[float, Floats]] = deque(maxlen=forecast.SIGHTS)
                memory, vector = self._model.begin(), np.zeros(SIZE, np.float32)
                evidence = Evidence(rate_hz, len(self._model.manifest.labels))
                self._lines[number] = _Line(FeatureStream(rate_hz), memory, evidence, sights, vector)
            line = self._lines[number]
            line.left = hand.side == "left"
            line.sights.append((seen.time, np.concatenate([hand.image, hand.world], 1)))
            for tick, vector in line.features.push(seen.time, hand, _partner(number, live)):
                probabilities, line.memory = self._model.step(vector, line.memory)
                line.vector = vector
                together, resting = line.evidence.gather(probabilities)
                ticks.append(Scores(tick, together, number, hand.side, vector, resting))
        return ticks, gone

    def forecast(self, horizon_s: float) -> dict[int, Floats]:
        """As `Recognizer.forecast`."""
        return {
            number: forecast.ahead(line.sights[-1][1], self._aspect or 1.0, way, left=line.left)
            for number, way in self.ways(horizon_s).items()
            for line in [self._lines[number]]
        }

    def ways(self, horizon_s: float) -> dict[int, Floats]:
        """How far each hand's points (POINTS, 3) will have moved from its last sight, in palms, as `forecast` says."""
        horizons_s = self._model.manifest.horizons_s
        if self._time is None or self._aspect is None or not horizons_s:
            return {}
        if not 0 <= horizon_s <= horizons_s[-1]:
            raise InputError(f"this model forecasts 0 to {horizons_s[-1]} s ahead, not {horizon_s}")
        ways = {}
        for number, line in self._lines.items():
            unseen_s = self._time - line.sights[-1][0]
            if unseen_s <= UNSEEN_S + ROUNDING_S:
                moved = self._model.forecast(line.vector, line.memory, line.motion(self._aspect))
                ways[number] = forecast.when(moved, horizons_s, horizon_s + unseen_s)
        return ways

    def _admit(self, seen: Observation) -> None:
        if self._time is not None and seen.time <= self._time:
            raise InputError(f"time must rise: observation at {seen.time} s after one at {self._time} s")
        for hand in seen.hands:
            if self._aspect is not None and abs(hand.aspect / self._aspect - 1) > 0.01:
                raise InputError(f"the picture's width / height changed from {self._aspect:.3f} to {hand.aspect:.3f}")
        if seen.hands:
            self._aspect = seen.hands[0].aspect
        self._time = seen.time


class Recognizer:
    """Follows each hand with a memory of its own and says when a gesture began and ended.

    `rules` None: the model's own, fitted when it was trained.
    """

    def __init__(self, model: Model, rules: DecisionRules | None = None) -> None:
        self._model, self._rules = model, rules or model.manifest.rules
        self.reset()

    def reset(self) -> None:
        """Forget every hand; the next observation may have any time."""
        self._follower = Follower(self._model)
        self._decisions = Decisions(self._model.manifest.labels, self._rules)
        self._scores: dict[int, Scores] = {}

    @property
    def scores(self) -> dict[int, Scores]:
        """The newest scores of each hand followed; a hand just come into sight may have none yet."""
        return dict(self._scores)

    @property
    def hands(self) -> dict[int, Hand]:
        """The hands in sight of the last observation, by the number that events call `hand`."""
        return dict(self._follower.hands)

    def forecast(self, horizon_s: float) -> dict[int, Floats]:
        """Where each hand's landmarks (21, 3) will be `horizon_s` after the last observation, as `Hand.image` has them.

        By the number that events call `hand`. A hand that has been out of sight for up to 0.2 s is forecast from where
        it was last seen. Empty when the model does not forecast. Raise `InputError` for a horizon below 0 or beyond the
        last of the model's `manifest.horizons_s`.
        """
        return self._follower.forecast(horizon_s)

    def push(self, seen: Observation) -> list[Event]:
        """What this observation decides, in order.

        Raise `InputError`, and remember nothing of it, when its time is not later than the last one's or the picture
        has changed its shape.
        """
        ticks, gone = self._follower.push(seen)
        for number in gone:
            self._scores.pop(number, None)
        self._scores.update({scores.hand: scores for scores in ticks})
        return self._decisions.push(ticks, gone, seen.time)

    def finish(self) -> list[Event]:
        """End whatever is going on, because the stream has ended; then forget every hand."""
        time = self._follower.time
        events = [] if time is None else self._decisions.finish(time)
        self.reset()
        return events


def _partner(number: int, live: dict[int, Hand]) -> Hand | None:
    """The nearest hand of the other side; None when there is none."""
    own = live[number]
    others = [hand for other, hand in live.items() if other != number and hand.side != own.side]
    if len(others) < 2:
        return others[0] if others else None
    x, y, _ = place(own)
    return min(others, key=lambda hand: math.hypot(place(hand)[0] - x, place(hand)[1] - y))
