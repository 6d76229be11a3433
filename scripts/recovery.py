"""How soon a memory has recovered from what it should not have seen.

scripts/recovery.py [--model DIR] [--json]

Every second gesture of data/starter comes 0, 0.5 and 1 s after two seconds of hands that are disturbed in one way or
another. Printed is the share recognised, of those that are recognised after two seconds of the same hands undisturbed.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gestures import Hand, Model, Observation, Recognizer, load, load_set
from gestures.console import shipped
from gestures.types import FARTHEST

AFTER_S = (0.0, 0.5, 1.0)
LASTS_S = 2.0
RATE_HZ = 30.0
ASPECT = 4 / 3

Seen = list[Observation]
Rng = np.random.Generator


def main() -> None:
    """Print a line a disturbance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=shipped("trained/starter"), metavar="DIR")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    model = load(given.model)
    passages = [passages_of(model, after_s) for after_s in AFTER_S]
    counts = [len(each) for each in passages]
    figures = {"gestures": counts}
    if not given.json:
        print(f"{'begins after':18s}" + "".join(f"{after_s:7.2f} s" for after_s in AFTER_S))
        print(f"{'gestures':18s}" + "".join(f"{count:9d}" for count in counts), flush=True)
    for disturb in DISTURBANCES:
        row = [recognised(model, disturb, each) for each in passages]
        figures[disturb.__name__] = row
        if not given.json:
            of = zip(row, counts, strict=True)
            print(f"{disturb.__name__:18s}" + "".join(f"{right / count:9.0%}" for right, count in of), flush=True)
    if given.json:
        print(json.dumps(figures))


def passages_of(model: Model, after_s: float) -> list[tuple[str, Seen, Seen]]:
    """(gesture, two seconds of rest, then `after_s` more of it and the gesture), of all that are recognised so."""
    found = []
    for clip in load_set(shipped("data/starter")).clips:
        seen = [replace(o, hands=tuple(replace(h, aspect=ASPECT) for h in o.hands)) for o in clip.observations()]
        for span in clip.spans[::2]:
            rest = [o for o in seen if span.start - 1 <= o.time < span.start][:25]
            passage = [o for o in seen if span.start - after_s <= o.time <= span.end + 0.3]
            if not rest or not rest[0].hands:
                continue
            before = over_and_over(rest, passage[0].time)
            if span.gesture in named(Recognizer(model), before + passage):
                found.append((span.gesture, before, passage))
    return found


def over_and_over(rest: Seen, until: float) -> Seen:
    """`rest` for `LASTS_S`, up to a time."""
    count = round(LASTS_S * RATE_HZ)
    return [Observation(until + (k - count) / RATE_HZ, rest[k % len(rest)].hands) for k in range(count)]


def named(recognizer: Recognizer, seen: Seen) -> list[str]:
    """The gestures that begin in it, or with its end."""
    events = [event for o in seen for event in recognizer.push(o)] + recognizer.finish()
    return [event.gesture for event in events if event.phase == "began"]


def recognised(model: Model, disturb: Callable[[Seen, Rng], Seen], passages: list[tuple[str, Seen, Seen]]) -> int:
    """How many passages there are whose gesture is recognised though what lies before is disturbed."""
    right = 0
    for number, (gesture, before, passage) in enumerate(passages):
        recognizer = Recognizer(model)
        for observation in disturb(before, np.random.default_rng(number)):
            recognizer.push(observation)
        right += gesture in named(recognizer, passage)
    return right


def flickering(seen: Seen, _rng: Rng) -> Seen:
    """In sight in every second picture only."""
    return [replace(o, hands=o.hands if k % 2 else ()) for k, o in enumerate(seen)]


def wild(seen: Seen, rng: Rng) -> Seen:
    """As far out as a landmark may be, elsewhere in every picture."""
    size = (2, 21, 3)
    return [replace(o, hands=tuple(_with(h, *rng.uniform(-FARTHEST, FARTHEST, size)) for h in o.hands)) for o in seen]


def torn(seen: Seen, rng: Rng) -> Seen:
    """Each joint anywhere in the picture: a landmarker that follows something else."""
    picture, reach = (np.array([[0, 0, -0.5], [1, 1, 0.5]]), 0.2)
    return [
        replace(
            o,
            hands=tuple(_with(h, rng.uniform(*picture, (21, 3)), rng.uniform(-reach, reach, (21, 3))) for h in o.hands),
        )
        for o in seen
    ]


def collapsed(seen: Seen, _rng: Rng) -> Seen:
    """All joints in one point."""
    zero = np.zeros((21, 3), np.float32)
    return [replace(o, hands=tuple(_with(h, zero + h.image.mean(0), zero) for h in o.hands)) for o in seen]


def trembling(seen: Seen, rng: Rng) -> Seen:
    """Each joint a palm off its place."""
    return [
        replace(o, hands=tuple(_with(h, h.image + rng.normal(0, 0.1, (21, 3)), h.world) for h in o.hands)) for o in seen
    ]


def changing_sides(seen: Seen, _rng: Rng) -> Seen:
    """Left in one picture, right in the next."""
    return [
        replace(o, hands=tuple(replace(h, side=("left", "right")[k % 2]) for h in o.hands)) for k, o in enumerate(seen)
    ]


def many(seen: Seen, rng: Rng) -> Seen:
    """A crowd of hands, the own one among them, in ever another order."""
    crowd = [_small(seen[-1], x, y) for x in (0.1, 0.4, 0.7) for y in (0.2, 0.8)]
    return [replace(o, hands=tuple((*o.hands, *crowd)[i] for i in rng.permutation(len(o.hands) + 6))) for o in seen]


def standing_still(seen: Seen, _rng: Rng) -> Seen:
    """Nothing moves at all."""
    return [replace(o, hands=seen[-1].hands) for o in seen]


def rushing(seen: Seen, _rng: Rng) -> Seen:
    """A thousand pictures a second."""
    return [replace(o, time=seen[-1].time - (len(seen) - k) / 1000) for k, o in enumerate(seen)]


def _with(old: Hand, image: Any, world: Any) -> Hand:  # noqa: ANN401 - whatever makes an array
    return replace(old, image=np.asarray(image, np.float32), world=np.asarray(world, np.float32))


def _small(like: Observation, x: float, y: float) -> Hand:
    """A hand a quarter as large, elsewhere."""
    own = like.hands[0]
    middle = own.image.mean(0)
    return _with(own, (own.image - middle) / 4 + np.array([x, y, 0]), own.world)


DISTURBANCES = [flickering, wild, torn, collapsed, trembling, changing_sides, many, standing_still, rushing]


if __name__ == "__main__":
    sys.exit(main())
