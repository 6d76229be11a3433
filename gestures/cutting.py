"""A stream of hands -> takes: a take begins when a resting hand moves and ends when it rests again."""

import numpy as np

from .clips import REST, Clip, Span
from .types import Floats, Observation

LOOK_BACK_S = 0.15
"""Speeds are taken over so long, or a landmark's own trembling would count as movement."""
MOVING, STILL = 0.8, 0.5
"""Mean speed of a hand's joints, palm lengths a second, from which it moves and below which it rests. Landmarks of a
hand held still tremble by about 0.02 palm lengths (MediaPipe, measured), 0.2 a second over the look back."""
READY_S = 0.3
"""For so long a hand must rest before a take may begin: coming into sight is no gesture."""
ONSET_S = 0.5
"""So long a movement may take to gather speed."""
OVER_S = 0.6
"""After so much rest a take is over."""
BEFORE_S = 0.3
"""So much of the rest before it belongs to a take."""
LONGEST_S = 10.0
"""A movement that goes on for longer is cut here."""
AWAY_S = 0.4
"""A hand out of sight for longer has gone."""
SHORTEST_S = 0.2
"""A shorter movement is no gesture."""


class Cutter:
    """Cuts takes of one gesture out of what a camera sees; `push` every observation, in order.

    `length_s` None: by movement. Otherwise every take is so long, beginning as soon as a hand is in sight. For rest
    every stretch is a take, with hands or without.
    """

    def __init__(self, gesture: str, person: str, length_s: float | None = None) -> None:
        """`state` says what is awaited of the person, for the screen."""
        self.gesture, self.person, self.length_s = gesture, person, length_s
        self.state = "show a hand"
        self._seen: list[Observation] = []
        self._still: float | None = None  # s: since when every hand in sight has rested
        self._ready: float | None = None  # s: when it had last rested for long enough
        self._moved: float | None = None  # s: when the movement that is being taken began
        self._last_moved = 0.0
        self._last_hand: float | None = None

    @property
    def begun(self) -> bool:
        """Whether a take is under way."""
        return self.state == "recording"

    def push(self, seen: Observation) -> Clip | None:
        """The take that is over with this observation; None while none is."""
        self._seen.append(seen)
        if seen.hands:
            self._last_hand = seen.time
        if self.length_s is not None:
            return self._by_length(self.length_s)
        return self._by_movement(seen)

    def finish(self) -> Clip | None:
        """The take that the end of the stream leaves; None when there is none."""
        if self.length_s is not None:
            return self._take() if self.gesture == REST and len(self._seen) > 1 else None
        return self._take() if self._moved is not None else None

    def _by_length(self, length_s: float) -> Clip | None:
        if self.gesture != REST and self._last_hand is None:
            self._seen.clear()
            return None
        self.state = "recording"
        return self._take() if self._seen[-1].time - self._seen[0].time >= length_s else None

    def _by_movement(self, seen: Observation) -> Clip | None:
        now, speed = seen.time, self._speed()
        if self._moved is None:
            if speed >= MOVING and self._ready is not None and now - self._ready <= ONSET_S:
                # The speed looks back, so the movement began before it was noticed.
                self._moved, self._last_moved, self.state = now - LOOK_BACK_S, now, "recording"
                return None
            resting = bool(seen.hands) and speed < STILL
            self._still = (now if self._still is None else self._still) if resting else None
            ready = self._still is not None and now - self._still >= READY_S
            self._ready = now if ready else self._ready
            gone = self._last_hand is None or now - self._last_hand > AWAY_S
            self.state = "show a hand" if gone else "go" if ready else "hold still"
            self._forget(now - BEFORE_S - LOOK_BACK_S - ONSET_S)
            return None
        if speed >= STILL:
            self._last_moved = now
        # A hand that has gone moves no more.
        if now - self._last_moved >= OVER_S or now - self._moved >= LONGEST_S:
            return self._take()
        return None

    def _speed(self) -> float:
        """The fastest hand's mean joint speed, palm lengths a second; 0 when none was in sight a moment ago as well."""
        now = self._seen[-1]
        past = next((each for each in reversed(self._seen) if now.time - each.time >= LOOK_BACK_S - 1e-6), None)
        if past is None:
            return 0.0
        before = {hand.side: _flat(hand.image, hand.aspect) for hand in past.hands}
        speeds = [0.0]
        for hand in now.hands:
            if hand.side in before:
                joints = _flat(hand.image, hand.aspect)
                palm = max(float(np.linalg.norm(joints[9] - joints[0])), 0.02)
                moved = float(np.linalg.norm(joints - before[hand.side], axis=1).mean())
                speeds.append(moved / palm / (now.time - past.time))
        return max(speeds)

    def _forget(self, before: float) -> None:
        while self._seen and self._seen[0].time < before:
            del self._seen[0]

    def _take(self) -> Clip | None:
        start = self._seen[0].time if self._moved is None else max(self._moved, self._seen[0].time)
        end = self._seen[-1].time if self._moved is None else min(self._last_moved, self._seen[-1].time)
        rows = [each for each in self._seen if each.time >= start - BEFORE_S]
        self._seen, self._still, self._ready, self._moved, self._last_hand = [], None, None, None, None
        self.state = "hold still"
        if end - start < SHORTEST_S:
            return None
        spans = () if self.gesture == REST else (Span(self.gesture, start, end),)
        return Clip.of(rows, self.person, spans)


def _flat(image: Floats, aspect: float) -> Floats:
    """Joints (21, 2) with both axes in picture widths."""
    flat: Floats = image[:, :2] * np.array([1, 1 / aspect], np.float32)
    return flat


SLOWEST_HZ = 8.0
SMALLEST_PALM = 0.04
"""Palm length over picture width: below it MediaPipe's fingers are guesses (an arm's length times four away)."""
SEEN = 0.7
"""The share of a take's pictures that must show a hand."""


def fault(take: Clip) -> str | None:
    """Why this take cannot teach, and what to do about it; None when it can. Rest may show what it likes."""
    if not take.spans:
        return None
    span = take.spans[0]
    rows = (take.time >= span.start) & (take.time <= span.end)
    rate_hz = (int(rows.sum()) - 1) / max(span.end - span.start, 1e-6)
    if rate_hz < SLOWEST_HZ:
        return f"the camera gave {rate_hz:.0f} pictures a second, fewer than {SLOWEST_HZ:.0f}: more light helps"
    there = take.present[rows]
    share = float(there.any(1).mean())
    if share < SEEN:
        return f"a hand was seen in {share:.0%} of the pictures only: stay in view, and move a little slower"
    slot = int(there.sum(0).argmax())
    joints = take.image[rows, slot][there[:, slot]]
    flat = joints[:, :, :2] * np.array([1, 1 / take.aspect])
    palm = float(np.median(np.linalg.norm(flat[:, 9] - flat[:, 0], axis=1)))
    if palm < SMALLEST_PALM:
        return f"the hand is {palm:.0%} of the picture wide, too far away: come nearer"
    outside = float(((joints[:, 9, :2] < 0) | (joints[:, 9, :2] > 1)).any(1).mean())
    if outside > 1 - SEEN:
        return f"the hand was out of the picture in {outside:.0%} of the take: stay within it"
    return None
