"""Events and hands -> orders: tap, hold, repeat, toggle, analogue; arm and pause. No clock but the pipeline's."""

from collections.abc import Mapping, Sequence

from gestures.types import Event, Hand

from .orders import Action, Order
from .plan import Plan
from .values import VALUES, Ease

PRESSES = ("hold", "toggle")
STUCK = ("keys", "midi")
"""Targets where what stays down does harm; a lamp that a gesture has switched on may stay on when we go."""


class _Line:
    """One action and what is going on with it."""

    def __init__(self, action: Action) -> None:
        self.action = action
        self.under_way: dict[int, Event] = {}  # hand -> the event that began and has not ended
        self.down: Event | None = None  # what pressed it
        self._acted: float | None = None  # s
        self._ordered: float | None = None  # s, of the last repeat or value
        self._ease = Ease(action.ease_s)
        self._following: int | None = None

    @property
    def may_stay(self) -> bool:
        """Whether what is down may stay so without anybody: a lamp that was switched on, not a key."""
        return self.action.mode == "toggle" and self.action.target not in STUCK

    @property
    def keeps_armed(self) -> bool:
        """Whether it is at work."""
        return bool(self.under_way) or (self.down is not None and not self.may_stay)

    def began(self, event: Event, time: float) -> list[Order]:
        action = self.action
        cooling = self._acted is not None and time - self._acted < action.cooldown_s
        if cooling or event.confidence < action.confidence or action.hand not in ("either", event.side):
            return []
        first = not self.under_way
        self.under_way[event.hand] = event
        self._acted = time
        if action.mode in PRESSES:
            return self._press(event, time)
        if action.mode == "analogue" or (action.mode == "repeat" and not first):
            return []
        self._ordered = time
        return [Order(action, "tap", time, 1.0, event)]

    def _press(self, event: Event, time: float) -> list[Order]:
        if self.down is not None:
            return self.let_go(time) if self.action.mode == "toggle" else []
        self.down = event
        return [Order(self.action, "down", time, 1.0, event)]

    def ended(self, event: Event, time: float) -> list[Order]:
        self.under_way.pop(event.hand, None)
        return self.let_go(time) if self.action.mode == "hold" and not self.under_way else []

    def let_go(self, time: float) -> list[Order]:
        """Up, if it is down."""
        event, self.down = self.down, None
        return [] if event is None else [Order(self.action, "up", time, 0.0, event)]

    def pass_time(self, hands: Mapping[int, Hand], time: float) -> list[Order]:
        """The repeat or the value that is due."""
        if self.action.mode not in ("repeat", "analogue"):
            return []
        # A millionth of a second: times are sums of many ticks.
        if self._ordered is not None and time - self._ordered < self.action.every_s - 1e-6:
            return []
        if self.action.mode == "repeat":
            if not self.under_way:
                return []
            self._ordered = time
            return [Order(self.action, "tap", time, 1.0, next(iter(self.under_way.values())))]
        number, event = self._followed(hands)
        if number is None:
            return []
        if number != self._following:
            self._following, self._ease = number, Ease(self.action.ease_s)
        self._ordered = time
        eased = self._ease.push(VALUES[self.action.value](hands[number]), time)
        value = self.action.low + eased * (self.action.high - self.action.low)
        return [Order(self.action, "value", time, value, event)]

    def _followed(self, hands: Mapping[int, Hand]) -> tuple[int | None, Event | None]:
        """The hand that a value is taken from; None when none is to be followed, or it is out of sight."""
        if self.action.gesture is not None:
            return next(((hand, event) for hand, event in self.under_way.items() if hand in hands), (None, None))
        fits = [number for number, hand in hands.items() if self.action.hand in ("either", hand.side)]
        if self._following in fits:
            return self._following, None
        return (min(fits), None) if fits else (None, None)


class Modes:
    """What a plan makes of events: `push` them as they come, with the hands in sight by track number."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._lines = [_Line(action) for action in plan.actions]
        self._paused = False
        self._armed: float | None = None  # s, when last

    @property
    def state(self) -> str:
        """One of "acting", "paused", "waiting to be armed"."""
        if self._paused:
            return "paused"
        return "acting" if self._plan.arm is None or self._armed is not None else "waiting to be armed"

    def push(self, events: Sequence[Event], hands: Mapping[int, Hand], time: float) -> list[Order]:
        """What is to be done, in order, at `time` (s)."""
        orders = self._disarm(time)
        for event in events:
            orders += self._take(event, time)
        if self.state == "acting":
            for line in self._lines:
                orders += line.pass_time(hands, time)
                if self._plan.arm is not None and line.keeps_armed:
                    self._armed = time
        return orders

    def let_go(self, time: float) -> list[Order]:
        """Up with everything that is held or would be stuck; what was under way is forgotten."""
        orders = []
        for line in self._lines:
            if not line.may_stay:
                orders += line.let_go(time)
            line.under_way.clear()
        return orders

    def pause(self, time: float) -> list[Order]:
        """Stop everything, or go on."""
        self._paused = not self._paused
        return self.let_go(time) if self._paused else []

    def _disarm(self, time: float) -> list[Order]:
        if self._armed is None or time - self._armed <= self._plan.arm_s:
            return []
        self._armed = None
        return self.let_go(time)

    def _take(self, event: Event, time: float) -> list[Order]:
        began = event.phase == "began"
        if event.gesture == self._plan.pause:
            return self.pause(time) if began else []
        if self._paused:
            return []
        if event.gesture == self._plan.arm:
            self._armed = time if began else self._armed
            return []
        orders: list[Order] = []
        for line in self._lines:
            if line.action.gesture != event.gesture:
                continue
            if not began:
                orders += line.ended(event, time)
            elif self.state == "acting":
                orders += line.began(event, time)
        return orders
