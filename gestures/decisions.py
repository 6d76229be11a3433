"""Scores -> events: on above one level, off below another, never twice for one gesture, one for two hands together."""

from collections.abc import Sequence
from dataclasses import replace

from .types import DecisionRules, Event, Scores

ROUNDING_S = 1e-6
"""Times are sums of many ticks; three tenths of a second must not take one tick more for a last binary digit."""


class Decider:
    """One hand's decisions. `labels[0]` is rest and never fires."""

    def __init__(self, labels: tuple[str, ...], rules: DecisionRules) -> None:
        self._labels, self._rules = labels, rules
        self._on = [rules.on_for(label) for label in labels]
        self._last: Scores | None = None
        self._active: Event | None = None
        self._silent = False  # this hand shares an event that the other hand tells
        self._pending: tuple[int, float] | None = None  # class, since when it has been above its level
        self._moving: float | None = None  # since when rest has been unlikely
        self._ended: float | None = None

    @property
    def active(self) -> Event | None:
        """The event that began and has not ended; None while nothing is going on."""
        return self._active

    def push(self, scores: Scores) -> list[Event]:
        """What begins or ends with these scores."""
        p, rules, time = scores.probabilities, self._rules, scores.time
        self._last = scores
        events = []
        if self._active is not None and p[self._labels.index(self._active.gesture)] < rules.off:
            events = self.end(time)
        if 1 - p[0] < rules.off:
            self._moving = None
        elif self._moving is None:
            self._moving = time
        best = int(p.argmax())
        if self._active is not None or best == 0 or p[best] < self._on[best]:
            self._pending = None
            return events
        return events + self._wait(best, scores)

    def _wait(self, best: int, scores: Scores) -> list[Event]:
        time, rules = scores.time, self._rules
        if self._pending is None or self._pending[0] != best:
            self._pending = best, time
        rested = self._ended is None or time - self._ended >= rules.rest_s - ROUNDING_S
        if rested and time - self._pending[1] >= rules.hold_s - ROUNDING_S:
            return [self._begin(best, scores)]
        return []

    def _begin(self, best: int, scores: Scores) -> Event:
        started = scores.time if self._moving is None else self._moving
        confidence = float(scores.probabilities[best])
        event = Event(self._labels[best], "began", scores.time, started, scores.hand, scores.side, confidence)
        self._active, self._silent, self._pending = event, False, None
        return event

    def does(self, gesture: str) -> bool:
        """Whether this hand is in the midst of `gesture`, or near enough for the other hand's event to be both's."""
        if self._active is not None:
            return self._active.gesture == gesture
        if self._last is None:
            return False
        return bool(self._last.probabilities[self._labels.index(gesture)] >= self._rules.off)

    def share(self, event: Event, tell: bool) -> None:
        """Do `event` together with the other hand; the one that does not `tell` is silent about its end."""
        self._active, self._silent, self._pending = event, not tell, None

    def leave(self, time: float) -> list[Event]:
        """End what is going on because the hand has gone; if it has said nothing yet, it may have its last word."""
        began: list[Event] = []
        level, last = self._rules.leaving, self._last
        if level is not None and last is not None and self._active is None and self._ended is None:
            best = 1 + int(last.probabilities[1:].argmax())
            if last.probabilities[best] >= level:
                began = [replace(self._begin(best, last), time=time)]
        return began + self.end(time)

    def end(self, time: float) -> list[Event]:
        """End what is going on; nothing when nothing is."""
        if self._active is None:
            return []
        told = [] if self._silent else [replace(self._active, phase="ended", time=time)]
        self._active, self._silent, self._moving, self._ended = None, False, None, time
        return told


class Decisions:
    """The decisions on every hand in sight; two of opposite sides doing one gesture make one event, side "both"."""

    def __init__(self, labels: tuple[str, ...], rules: DecisionRules) -> None:
        self._labels, self._rules = labels, rules
        self._hands: dict[int, Decider] = {}
        self._sides: dict[int, str] = {}

    def push(self, ticks: Sequence[Scores], gone: Sequence[int], time: float) -> list[Event]:
        """What these scores decide; the hands in `gone` left before them, which is known at `time` (s)."""
        told = [event for hand in gone if hand in self._hands for event in self._hands.pop(hand).leave(time)]
        events: list[Event] = []
        for scores in ticks:
            decider = self._hands.setdefault(scores.hand, Decider(self._labels, self._rules))
            self._sides[scores.hand] = scores.side
            events += decider.push(scores)
        for event in events:
            told += [event] if event.phase == "ended" else self._tell(event, events)
        return told

    def finish(self, time: float) -> list[Event]:
        """End whatever is going on, because the stream has ended: every hand has gone."""
        return [event for decider in self._hands.values() for event in decider.leave(time)]

    def _tell(self, event: Event, events: list[Event]) -> list[Event]:
        """Tell `event`, as "both" if the other hand does it too, or not at all if that hand told it earlier."""
        own = self._hands[event.hand]
        for hand, decider in self._hands.items():
            if hand == event.hand or self._sides[hand] == event.side or not decider.does(event.gesture):
                continue
            earlier = decider.active
            if earlier is not None and earlier not in events:
                own.share(earlier, tell=False)
                return []
            event = replace(event, side="both")
            own.share(event, tell=True)
            decider.share(event, tell=False)
            break
        return [event]
