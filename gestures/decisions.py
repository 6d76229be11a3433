"""Scores -> events: on above one level, off below another, never twice for one gesture, one for two hands together."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from .types import DecisionRules, Event, Scores

ROUNDING_S = 1e-6
"""Times are sums of many ticks; three tenths of a second must not take one tick more for a last binary digit."""


AFTERWARDS_S = 2.0
"""A hand that comes into sight so soon after an event is on its way back from it, and has no last word of its own. (One
that is lost in midst of a gesture is found again as another.)"""

_time = attrgetter("time")


class Decider:
    """One hand's decisions. `labels[0]` is rest and never fires."""

    def __init__(self, labels: tuple[str, ...], rules: DecisionRules, ended: float | None = None) -> None:
        """`ended` s is when an event ended just before this hand came into sight; None when none did."""
        self._labels, self._rules = labels, rules
        self._on = [rules.on_for(label) for label in labels]
        self._hold_s = [rules.hold_for(label) for label in labels]
        self._last: Scores | None = None
        self._active: Event | None = None
        self._silent = False  # this hand shares an event that the other hand tells
        self._pending: tuple[int, float] | None = None  # class, since when it has been above its level
        self._moving: float | None = None  # since when rest has been unlikely
        self._ended = ended
        self._free: float | None = None  # s: no event of this hand can have started before

    @property
    def active(self) -> Event | None:
        """The event that began and has not ended; None while nothing is going on."""
        return self._active

    def push(self, scores: Scores) -> list[Event]:
        """What begins or ends with these scores."""
        p, rules, time = scores.probabilities, self._rules, scores.time
        self._last = scores
        self._free = time if self._free is None else self._free
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
        if rested and time - self._pending[1] >= self._hold_s[best] - ROUNDING_S:
            return [self._begin(best, scores)]
        return []

    def _begin(self, best: int, scores: Scores) -> Event:
        moving = scores.time if self._moving is None else self._moving
        # A hand has not begun before it was seen, nor before it had ended its last gesture.
        started = moving - self._rules.lead_s if self._free is None else max(moving - self._rules.lead_s, self._free)
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

    def last_word(self, time: float) -> list[Event]:
        """What a hand that goes has still to say: nothing if it has said anything before, or is unsure."""
        level, last = self._rules.leaving, self._last
        if level is None or last is None or self._active is not None or self._ended is not None:
            return []
        best = 1 + int(last.probabilities[1:].argmax())
        # Undecided is as good as decided now: nothing else will come.
        named = 1 - float(last.probabilities[0])
        moving = named if last.resting is None else 1 - last.resting
        if moving * float(last.probabilities[best]) < level * max(named, 1e-6):
            return []
        began = self._begin(best, last)
        self._active = replace(began, time=max(time, began.started))
        return [self._active]

    def release(self, ended: Event, time: float) -> None:
        """Be free again at `time` s, if silent only because of the event that has now ended."""
        if self._silent and self._active is not None and self._active.started == ended.started:
            self.end(time)

    def leave(self, time: float) -> list[Event]:
        """End what is going on, as it is known at `time` s that the hand has gone: it was over when last seen."""
        return self.end(time, time if self._last is None else self._last.time)

    def end(self, time: float, over: float | None = None) -> list[Event]:
        """End what is going on at `time` s, to say it was `over` earlier; None: it was not. Nothing when nothing is."""
        if self._active is None:
            return []
        # A tick may lie a last binary digit after the observation that it is due at, and a last word after all ticks.
        time = max(time, self._active.time)
        over = time if over is None else max(over, self._active.time)
        told = [] if self._silent else [replace(self._active, phase="ended", time=over)]
        self._active, self._silent, self._moving, self._ended, self._free = None, False, None, time, time
        return told


class Decisions:
    """The decisions on every hand in sight; two of opposite sides doing one gesture make one event, side "both"."""

    def __init__(self, labels: tuple[str, ...], rules: DecisionRules) -> None:
        self._labels, self._rules = labels, rules
        self._hands: dict[int, Decider] = {}
        self._sides: dict[int, str] = {}
        self._ended: float | None = None  # s: when the last event did

    def push(self, ticks: Sequence[Scores], gone: Sequence[int], time: float) -> list[Event]:
        """What these scores decide; the hands in `gone` left before them, which is known at `time` (s)."""
        events = self._leave([hand for hand in gone if hand in self._hands], time)
        # Tick by tick: what a hand ended in this push it must not be given to share again.
        for tick, together in groupby(sorted(ticks, key=_time), key=_time):
            events += self._tell([event for scores in together for event in self._decide(scores)], tick)
        return events

    def _decide(self, scores: Scores) -> list[Event]:
        if scores.hand not in self._hands:
            lately = self._ended is not None and scores.time - self._ended <= AFTERWARDS_S
            self._hands[scores.hand] = Decider(self._labels, self._rules, self._ended if lately else None)
        self._sides[scores.hand] = scores.side
        return self._hands[scores.hand].push(scores)

    def finish(self, time: float) -> list[Event]:
        """End whatever is going on, because the stream has ended: every hand has gone."""
        return self._leave(list(self._hands), time)

    def _leave(self, hands: list[int], time: float) -> list[Event]:
        fresh = [event for hand in hands for event in self._hands[hand].last_word(time)]
        told = self._tell(fresh, time)
        told += self._tell([event for hand in hands for event in self._hands[hand].leave(time)], time)
        for hand in hands:
            del self._hands[hand], self._sides[hand]
        return told

    def _tell(self, fresh: list[Event], time: float) -> list[Event]:
        told: list[Event] = []
        for event in fresh:
            if event.phase == "began":
                told += self._together(event, fresh)
                continue
            told.append(event)
            self._ended = time
            for decider in self._hands.values():
                decider.release(event, time)
        return told

    def _together(self, event: Event, fresh: list[Event]) -> list[Event]:
        """Tell `event`, as "both" if the other hand does it too, or not at all if that hand told it earlier."""
        own = self._hands[event.hand]
        for hand, decider in self._hands.items():
            if hand == event.hand or self._sides[hand] == event.side or not decider.does(event.gesture):
                continue
            earlier = decider.active
            if earlier is not None and earlier not in fresh:
                own.share(earlier, tell=False)
                return []
            event = replace(event, side="both")
            own.share(event, tell=True)
            decider.share(event, tell=False)
            break
        return [event]
