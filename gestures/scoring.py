"""How well detections fit annotated gestures: pure arithmetic on labels and times, no files, no network.

Strict matching and DR, FP, JI follow the SHREC 2022 track on online gesture recognition; the start rule follows
SFINGE3D; Levenshtein accuracy follows NVGesture and IPN Hand; false accepts per hour follow the wake-word field.
Every time is in s on the clock of its own stream.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, TypeAlias

from .clips import Span
from .errors import InputError
from .types import Event


@dataclass(frozen=True, slots=True)
class Detection:
    """One detected gesture: reported `start` and `end` s, and `decided` s, the last moment seen to decide it."""

    gesture: str
    start: float
    end: float
    decided: float

    def __post_init__(self) -> None:
        """Raise `InputError` for a time that is no number, or an end before the start."""
        if not all(map(math.isfinite, (self.start, self.end, self.decided))) or self.end < self.start:
            raise InputError(
                f"Detection of {self.gesture} must have finite times and not end before it starts, "
                f"not {self.start} to {self.end} s, decided at {self.decided} s"
            )


@dataclass(frozen=True, slots=True)
class Stream:
    """One recording to score: its annotated gestures (none: it is idle), what was detected, its length in s."""

    truth: Sequence[Span]
    detections: Sequence[Detection]
    duration_s: float

    def __post_init__(self) -> None:
        """Raise `InputError` for a duration that is no length of time."""
        if not 0 <= self.duration_s < math.inf:
            raise InputError(f"Stream.duration_s must be 0 s or more, not {self.duration_s}")


Rule: TypeAlias = Callable[[Detection, Span], bool]
"""Whether a detection fits an annotation of the same gesture."""


def detections(events: Iterable[Event], until: float | None = None) -> list[Detection]:
    """Give the gestures that `events` tell of, paired began with ended by gesture and hand, in order of their start.

    One still going on when the events stop ends at `until` s, or where that is None at the time of the last event.
    Raise `InputError` when one ends that has not begun, or begins twice.
    """
    going: dict[tuple[str, int], Event] = {}
    found: list[Detection] = []
    last = -math.inf
    for event in events:
        # The end of a gesture whose hand went away lies before events that were told sooner.
        key, last = (event.gesture, event.hand), max(last, event.time)
        if (event.phase == "began") == (key in going):
            raise InputError(
                f"events must begin and end by turns, but {event.gesture} of hand {event.hand} "
                f"{event.phase} out of turn at {event.time} s"
            )
        if event.phase == "began":
            going[key] = event
        else:
            found.append(_detection(going.pop(key), event.time))
    found += [_detection(event, last if until is None else until) for event in going.values()]
    return sorted(found, key=_by_start)


def _detection(began: Event, end: float) -> Detection:
    return Detection(began.gesture, began.started, end, began.time)


def _by_start(timed: Span | Detection) -> tuple[float, float]:
    return timed.start, timed.end


def strict(detection: Detection, span: Span) -> bool:
    """Whether a detection covers half of the annotation and lasts at most twice as long (SHREC 2022)."""
    length_s = span.end - span.start
    overlap_s = min(detection.end, span.end) - max(detection.start, span.start)
    return detection.end - detection.start <= 2 * length_s and overlap_s / length_s >= 0.5


def start_rule(tolerance_s: float = 1.0) -> Rule:
    """Give the rule of SFINGE3D: the start lies within the annotation or up to `tolerance_s` (20 frames) before it."""
    return lambda detection, span: span.start - tolerance_s <= detection.start <= span.end


def match(truth: Iterable[Span], found: Iterable[Detection], rule: Rule = strict) -> list[tuple[Detection, Span]]:
    """Give the true detections, each with its annotation.

    Detections are taken by their start; each takes the first annotation of its gesture that fits by `rule` and that
    none has taken before.
    """
    free = sorted(truth, key=_by_start)
    pairs: list[tuple[Detection, Span]] = []
    for detection in sorted(found, key=_by_start):
        fits = (i for i, span in enumerate(free) if span.gesture == detection.gesture and rule(detection, span))
        index = next(fits, None)
        if index is not None:
            pairs.append((detection, free.pop(index)))
    return pairs


def levenshtein(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the insertions, deletions and substitutions that turn one sequence of labels into the other."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


@dataclass(frozen=True, slots=True)
class Counts:
    """True detections, annotations, and detections in all, of one gesture or of many. A ratio of nothing is None."""

    ok: int
    annotated: int
    detected: int

    @property
    def false(self) -> int:
        """Detections that fit no annotation."""
        return self.detected - self.ok

    @property
    def missed(self) -> int:
        """Annotations that no detection fits."""
        return self.annotated - self.ok

    def json(self) -> dict[str, Any]:
        """`DR` = ok / annotated, `FP` = false / annotated, `JI` = ok / (ok + missed + false), and the counts."""
        return {
            "DR": _ratio(self.ok, self.annotated),
            "FP": _ratio(self.false, self.annotated),
            "JI": _ratio(self.ok, self.annotated + self.false),
            "annotated": self.annotated,
            "ok": self.ok,
            "missed": self.missed,
            "false": self.false,
        }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


@dataclass(frozen=True, slots=True)
class Tally:
    """The score of many streams together.

    `per_class` gesture -> counts, sorted by name. `pairs` are the true detections with their annotations. `edits` is
    the Levenshtein distance between detected and annotated sequences of labels, summed over streams. `idle_s` is the
    length of the streams without any annotation, `false_accepts` what was detected in them.
    """

    per_class: dict[str, Counts]
    pairs: tuple[tuple[Detection, Span], ...]
    edits: int
    false_accepts: int
    idle_s: float

    @property
    def pooled(self) -> Counts:
        """All gestures counted as one."""
        each = self.per_class.values()
        return Counts(sum(c.ok for c in each), sum(c.annotated for c in each), sum(c.detected for c in each))

    def class_mean(self, key: str) -> float | None:
        """Mean of `DR`, `FP` or `JI` over the gestures annotated at least once; None where there is none."""
        return _over(fmean, [counts.json()[key] for counts in self.per_class.values() if counts.annotated])

    def json(self) -> dict[str, Any]:
        """Give every figure under its stable key; None where there was nothing to count.

        `DR`, `FP`, `JI` are class means, the same below `pooled` count all gestures as one: only there do detections
        of a gesture that is never annotated weigh. `misses` is the share of annotations without a true detection.
        `NTtD` (mean and median) and the mean delays are over true detections. With no false accept in `hours`,
        `false_accepts_per_hour_bound` is the 95 % bound 3 / hours; otherwise None.
        """
        pooled, hours = self.pooled, self.idle_s / 3600
        nttd = [(d.decided - span.start) / (span.end - span.start) for d, span in self.pairs]
        error_rate = _ratio(self.edits, pooled.annotated)
        return {
            **{key: self.class_mean(key) for key in ("DR", "FP", "JI")},
            "pooled": pooled.json(),
            "misses": _ratio(pooled.missed, pooled.annotated),
            "levenshtein": None if error_rate is None else 1 - error_rate,
            "levenshtein_distance": self.edits,
            "NTtD": _over(fmean, nttd),
            "NTtD_median": _over(median, nttd),
            "delay_s": _over(fmean, [d.decided - span.start for d, span in self.pairs]),
            "delay_from_reported_start_s": _over(fmean, [d.decided - d.start for d, _ in self.pairs]),
            "false_accepts": self.false_accepts,
            "false_accepts_per_hour": _ratio(self.false_accepts, hours),
            "false_accepts_per_hour_bound": _ratio(3, hours) if self.false_accepts == 0 else None,
            "hours": hours,
            "per_class": {gesture: counts.json() for gesture, counts in self.per_class.items()},
        }


def _over(mean: Callable[[list[float]], float], values: list[float]) -> float | None:
    return mean(values) if values else None


def score(streams: Iterable[Stream], rule: Rule = strict) -> Tally:
    """Score `streams`, each on its own, and add them up; their order does not matter."""
    ok, annotated, detected = Counter[str](), Counter[str](), Counter[str]()
    pairs: list[tuple[Detection, Span]] = []
    edits = false_accepts = 0
    idle_s: list[float] = []
    for stream in streams:
        truth, found = sorted(stream.truth, key=_by_start), sorted(stream.detections, key=_by_start)
        matched = match(truth, found, rule)
        pairs += matched
        ok.update(span.gesture for _, span in matched)
        annotated.update(span.gesture for span in truth)
        detected.update(detection.gesture for detection in found)
        edits += levenshtein([d.gesture for d in found], [span.gesture for span in truth])
        if not truth:
            false_accepts += len(found)
            idle_s.append(stream.duration_s)
    labels = sorted(annotated | detected)
    per_class = {label: Counts(ok[label], annotated[label], detected[label]) for label in labels}
    return Tally(per_class, tuple(pairs), edits, false_accepts, math.fsum(idle_s))
