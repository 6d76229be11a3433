"""The values of the action layer: what the user wants done, and an order to do it now."""

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from gestures.types import Event

Mode: TypeAlias = Literal["tap", "hold", "repeat", "toggle", "analogue"]
MODES: tuple[Mode, ...] = ("tap", "hold", "repeat", "toggle", "analogue")
SIDES = ("either", "left", "right", "both")


@dataclass(frozen=True, slots=True)
class Action:
    """One entry of the file: `gesture` makes `target` do `what`, in its `mode`.

    `gesture` None: whenever a hand is in view (analogue only). `hand` is one of `SIDES`; an event of confidence below
    `confidence` (0..1), or within `cooldown_s` of the last that acted, does nothing. `every_s` is the time between
    repeats, or between two values. `value` names the analogue value, eased by `ease_s`, laid out from `low` to `high`.
    `what` is the target's own, `says` the same in words, without secrets.
    """

    name: str
    gesture: str | None
    target: str
    what: Any
    says: str
    mode: Mode = "tap"
    hand: str = "either"
    confidence: float = 0.0
    cooldown_s: float = 0.0
    every_s: float = 0.0
    value: str = ""
    ease_s: float = 0.0
    low: float = 0.0
    high: float = 1.0

    def sentence(self) -> str:
        """What it does, in one line for people."""
        hands = {"either": "either hand", "both": "both hands"}.get(self.hand, f"{self.hand} hand")
        when = {
            "tap": "once",
            "hold": "down while it lasts",
            "repeat": f"every {self.every_s:g} s while it lasts",
            "toggle": "on, and off the next time",
            "analogue": f"{self.value} from {self.low:g} to {self.high:g}, eased {self.ease_s:g} s",
        }[self.mode]
        limits = (
            (f", confidence from {self.confidence:g}" if self.confidence else "")
            + (f", not within {self.cooldown_s:g} s" if self.cooldown_s else "")
            + (f", at most every {self.every_s:g} s" if self.every_s and self.mode == "analogue" else "")
        )
        return f"{self.gesture or 'a hand in view'} ({hands}{limits}): {self.says}, {when}"


@dataclass(frozen=True, slots=True)
class Order:
    """Do `action` now: "tap" it, press it "down", let it "up", or set it to `value`.

    `time` s is the pipeline's. `value` is 1 for tap and down, 0 for up, else within the action's range. `event` is
    what caused it; None for a value that needs no gesture.
    """

    action: Action = field(repr=False)
    does: Literal["tap", "down", "up", "value"]
    time: float
    value: float
    event: Event | None = None

    def json(self) -> dict[str, Any]:
        """The order as one JSON object; `event` as `--json` prints it."""
        return {
            "name": self.action.name,
            "does": self.does,
            "value": round(self.value, 4),
            "time": round(self.time, 3),
            "event": None if self.event is None else self.event.json(),
        }


class Target(Protocol):
    """Where orders go. Each has a thread of its own that calls these, so they may take their time."""

    def do(self, order: Order) -> None:
        """Carry it out; raise anything where that failed."""

    def close(self) -> None:
        """Let go of everything that is held, then of the target."""
