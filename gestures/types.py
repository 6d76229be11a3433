"""The values that travel down the pipeline, in the order they are born."""

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import InputError

JOINTS = 21
"""Landmarks of one hand: 0 wrist, then four for each of thumb, index, middle, ring, pinky, from palm to tip."""

FARTHEST = 100.0
"""No landmark is farther out than this many pictures, or metres; a number beyond would only overflow."""

WIDEST = 100
"""No picture is so many times as wide as high, or as high as wide."""

Floats: TypeAlias = npt.NDArray[np.float32]
Side: TypeAlias = Literal["left", "right"]


LATEST_S = 1e11
"""No time is farther from zero: 3,000 years, and still milliseconds apart."""


def _check_time(owner: str, time: float) -> None:
    if not abs(time) <= LATEST_S:
        raise InputError(f"{owner}.time must be a finite number of seconds within ±{LATEST_S:.0e}, not {time}")


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture. `image` (H, W, 3) uint8 RGB, never mirrored; `time` s since the stream began."""

    image: npt.NDArray[np.uint8]
    time: float

    def __post_init__(self) -> None:
        """Raise `InputError` for another shape or dtype, or a time that is no number."""
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise InputError(f"Frame.image must be (height, width, 3) uint8, not {self.image.shape} {self.image.dtype}")
        _check_time("Frame", self.time)


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """One hand in one picture.

    `image` (21, 3) float32: x, y in 0..1 of the picture's width and height (outside when the hand leaves it), z
    towards the camera negative, on x's scale. `world` (21, 3) float32 m, from the hand's middle. `side` is the
    performer's own hand; `score` 0..1 how sure that side is; `aspect` is width / height of the picture.
    """

    image: Floats
    world: Floats
    side: Side
    score: float
    aspect: float = 4 / 3

    def __post_init__(self) -> None:
        """Raise `InputError` for another shape, or any number that is not finite or far from any hand."""
        for name in ("image", "world"):
            joints = getattr(self, name)
            if joints.shape != (JOINTS, 3):
                raise InputError(f"Hand.{name} must be (21, 3), not {joints.shape}")
            if not (np.abs(joints) <= FARTHEST).all():
                raise InputError(f"Hand.{name} must hold finite numbers within ±{FARTHEST:.0f} only")
        if self.side not in ("left", "right"):
            raise InputError(f"Hand.side must be 'left' or 'right', not {self.side!r}")
        if not (math.isfinite(self.score) and 1 / WIDEST <= self.aspect <= WIDEST):
            raise InputError(
                f"Hand.score must be finite, .aspect within 1/{WIDEST} to {WIDEST}, not {self.score} and {self.aspect}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """All hands seen at one `time` (s). No hands: looked and saw none."""

    time: float
    hands: tuple[Hand, ...] = ()

    def __post_init__(self) -> None:
        """Raise `InputError` for a time that is no number."""
        _check_time("Observation", self.time)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What the model thinks of one hand at one `time` (s).

    `probabilities` (classes,) float32, sum 1; class 0 is rest, or a gesture of which is not yet known which; `resting`
    is rest alone, None where the model does not tell. `hand` is the track's number, `side` whose hand it is.
    `vector` (features.SIZE,) float32 is what they were read from, None where it was not kept.
    """

    time: float
    probabilities: Floats
    hand: int = 0
    side: Side = "right"
    vector: Floats | None = None
    resting: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A decision: `gesture` began or ended.

    `time` s is when it was decided; a gesture whose hand went away ended when that hand was last seen, which may lie
    before events told sooner, but not before it was told. `started` s is when the movement is judged to have begun.
    `hand` is the track's number, `side` whose hand it is ("both" when two hands did it together), `confidence` 0..1 the
    score behind it.
    """

    gesture: str
    phase: Literal["began", "ended"]
    time: float
    started: float
    hand: int
    side: Literal["left", "right", "both"]
    confidence: float

    def json(self) -> dict[str, Any]:
        """The event as the one JSON object a line that `--json` prints; times in s, to the millisecond."""
        return {
            "gesture": self.gesture,
            "phase": self.phase,
            "time": round(self.time, 3),
            "started": round(self.started, 3),
            "hand": self.hand,
            "side": self.side,
            "confidence": round(self.confidence, 3),
        }


@dataclass(frozen=True, slots=True)
class DecisionRules:
    """When scores become events.

    A gesture begins once its probability has stayed at or above `on` for `hold_s`, ends once it falls below `off`,
    and none begins within `rest_s` of the last one's end. A hand that goes away before it has said anything says what
    was at or above `leaving`: no more evidence will come. None: it says nothing. `per_gesture` gives single gestures
    an `on` and a `hold_s` of their own: (gesture, on, hold_s). A network sees that a gesture is under way `lead_s`
    after its onset: so much earlier an event is said to have started.
    """

    on: float = 0.8
    off: float = 0.4
    hold_s: float = 0.1
    rest_s: float = 0.2
    leaving: float | None = None
    lead_s: float = 0.0
    per_gesture: tuple[tuple[str, float, float], ...] = ()

    def __post_init__(self) -> None:
        """Raise `InputError` unless 0 <= off <= on <= 1 for every gesture and the times are not negative."""
        for on in (self.on, *(on for _, on, _ in self.per_gesture)):
            if not 0 <= self.off <= on <= 1:
                raise InputError(f"DecisionRules must have 0 <= off <= on <= 1, not off={self.off}, on={on}")
        if self.leaving is not None and not 0 <= self.leaving <= 1:
            raise InputError(f"DecisionRules.leaving must be 0 to 1 or None, not {self.leaving}")
        times_s = (self.hold_s, self.rest_s, self.lead_s, *(hold_s for _, _, hold_s in self.per_gesture))
        if not all(0 <= each < math.inf for each in times_s):
            raise InputError(f"DecisionRules times must be 0 s or more, not {', '.join(map(str, times_s))}")

    def on_for(self, gesture: str) -> float:
        """The probability at which `gesture` begins."""
        return next((on for name, on, _ in self.per_gesture if name == gesture), self.on)

    def hold_for(self, gesture: str) -> float:
        """For how long, s, its probability must have stayed there."""
        return next((hold_s for name, _, hold_s in self.per_gesture if name == gesture), self.hold_s)
