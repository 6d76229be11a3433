"""Mistakes of live recognition -> takes: the last seconds, kept with the label they should have had."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .clips import REST, Clip, Recorded, Span
from .cutting import Cutter, fault
from .errors import ClipError
from .recording import keep
from .types import Event, Observation

REMEMBERED_S = 6.0
BEFORE_S = 0.7
"""So much of what came before a wrong event belongs to the correction: what led to it."""
MISSED_S = 1.5
"""A missed gesture that no rest sets apart is taken to have lasted so long."""


class Corrector:
    """Remembers what was seen of late; `wrong` and `missed` keep it as takes in the set `into`.

    `idle`: nobody means anything, so that every event is wrong and is kept at its end; the rest is forgotten.
    """

    def __init__(self, into: Path, person: str, recorded: Recorded, idle: bool = False) -> None:
        self._into, self._person, self._recorded, self._idle = into, person, recorded, idle
        self.forget()

    def forget(self) -> None:
        """Begin afresh: another stream, or pictures of another size."""
        self._seen: deque[Observation] = deque()
        self._fired: list[Event] = []

    def push(self, seen: Observation, events: Sequence[Event]) -> Path | None:
        """Remember what was seen and said of it; the take that came of it when idle, else None."""
        self._seen.append(seen)
        self._fired += [event for event in events if event.phase == "began"]
        if self._idle and self._fired and any(event.phase == "ended" for event in events):
            return self.wrong()
        since = seen.time - REMEMBERED_S
        if self._idle and self._fired:
            since = min(since, self._fired[0].started - BEFORE_S)
        while self._seen[0].time < since:
            self._seen.popleft()
        self._fired = [event for event in self._fired if event.time >= since]
        return None

    def wrong(self) -> Path:
        """The last event should not have been: what led to it is kept as rest.

        Raise `ClipError` when nothing was said of late, or nothing may be written.
        """
        if not self._fired:
            raise ClipError(f"nothing was recognised in the last {REMEMBERED_S:.0f} s: there is nothing to correct")
        first = self._fired[0] if self._idle else self._fired[-1]
        rows = [seen for seen in self._seen if seen.time >= first.started - BEFORE_S]
        path = self._keep(Clip.of(rows, self._person), REST)
        self._fired = []  # one mistake is corrected once
        return path

    def missed(self, gesture: str) -> Path:
        """`gesture` was done just now and not recognised: the last movement is kept as a take of it.

        Raise `ClipError` when what was seen cannot teach it, or nothing may be written.
        """
        cutter, take = Cutter(gesture, self._person), None
        for seen in self._seen:
            take = cutter.push(seen) or take
        take = cutter.finish() or take or self._whole(gesture)
        wrong = "no hand was seen" if take is None else fault(take)
        if take is None or wrong is not None:
            raise ClipError(f"this cannot teach {gesture}: {wrong}")
        path = self._keep(take, gesture)
        self.forget()
        return path

    def _whole(self, gesture: str) -> Clip | None:
        """The last sight of a hand as a take, where no rest sets a movement apart."""
        times = [seen.time for seen in self._seen if seen.hands]
        if len(times) < 2:
            return None
        span = Span(gesture, max(times[0], times[-1] - MISSED_S), times[-1])
        rows = [seen for seen in self._seen if seen.time >= span.start - BEFORE_S]
        return Clip.of(rows, self._person, (span,))

    def _keep(self, take: Clip, gesture: str) -> Path:
        return keep(replace(take, recorded=self._recorded), gesture, self._into)
