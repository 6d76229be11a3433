"""Two-step commands on synthetic hands: who still knows, after 5, 30 and 120 s of idling, what came before?

scripts/twostep.py [--cells lstm rnn window …] [--steps N] [--seeds N] [--json]

A circle that comes after a thumb held up is called launch; a circle of its own stays a circle. Every cell learns it by
the same trainer from the same synthetic people, whose hands idle for seconds in between, and is asked on other people.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from tqdm import tqdm

from gestures import seeing, synthetic
from gestures.bridging import bridged, text
from gestures.cells import CELLS
from gestures.clips import Clip, ClipSet, Span
from gestures.console import Bar
from gestures.recipe import Recipe
from gestures.training import train

COMMAND = {"launch": ("thumb_up", "circle_cw")}
IDLE = ("fidget", "point_around", "drift", "talk", "pose_still", "count")
"""Ways to idle within the picture: a hand that leaves it takes its memory along."""
AROUND_S = 0.3
SHORTEST_S = 1.0
LEARNT_SEED, JUDGED_SEED = 910_000_000, 920_000_000


def people(count: int, first_seed: int) -> ClipSet:
    """`count` people: takes of both gestures, and of idling."""
    clips: list[Clip] = []
    for seed in tqdm(range(first_seed, first_seed + count), desc="people", file=sys.stderr):
        for gesture in COMMAND["launch"]:
            for name, clip in ((gesture, each) for each in _takes(seed, (gesture,), 1.0, 8.0)):
                clips += [clip] if [span.gesture for span in clip.spans] == [name] else []
        clips += [clip for clip in _takes(seed, (), 0.0, 20.0) if not clip.spans]
    return ClipSet(COMMAND["launch"], tuple(clips), sequences=COMMAND)


def _takes(seed: int, gestures: tuple[str, ...], busy: float, duration_s: float) -> Iterator[Clip]:
    """What one hand does from its coming into sight to its going, or, of a gesture, shortly before and after it."""
    played = synthetic.perform(
        seed, duration_s, gestures=gestures or synthetic.GESTURES[:1], idle=IDLE, busy=busy, script=gestures * 3
    )
    seen = seeing.seen(played, seed, rate_hz=20.0, person=f"synthetic-{seed}")
    present = seen.present
    for act in played.acts if gestures else (None,):
        start, end = (0.0, duration_s) if act is None else (act.start - AROUND_S, act.end + AROUND_S)
        rows = np.flatnonzero((seen.time >= start) & (seen.time <= end))
        slot = int(present[rows].sum(0).argmax())
        rows = rows[present[rows, slot]]
        for part in np.split(rows, np.flatnonzero(np.diff(seen.time[rows]) > AROUND_S) + 1):
            if len(part) < SHORTEST_S * 20:
                continue
            time, image, world = seen.time[part], seen.image[part].copy(), seen.world[part].copy()
            image[:, 1 - slot] = world[:, 1 - slot] = np.nan
            within = act is not None and time[0] <= act.start and time[-1] >= act.end
            spans = (Span(act.gesture, act.start, act.end),) if act is not None and within else ()
            if act is None or spans:
                yield Clip(time, image, world, seen.person, spans, seen.aspect)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=["lstm", "rnn", "window"], metavar="CELL")
    parser.add_argument(
        "--people", type=int, default=300, metavar="N", help="as many learnt from; a third of them judge"
    )
    parser.add_argument("--steps", type=int, default=3000, metavar="N")
    parser.add_argument("--tries", type=int, default=10, metavar="N", help="streams of each lag, with and without")
    parser.add_argument("--seeds", type=int, default=1, metavar="N")
    parser.add_argument("--json", action="store_true", help="one JSON object with every figure")
    options = parser.parse_args()
    learnt, judged = people(options.people, LEARNT_SEED), people(max(3, options.people // 3), JUDGED_SEED)
    figures: dict[str, list[dict[str, Any]]] = {}
    for cell in options.cells:
        for seed in range(options.seeds):
            recipe = Recipe(steps=options.steps, cell=cell, units=(96,), dropout=0.1, varied=0.5, seed=seed)
            with Bar(cell) as bar:
                model = train(learnt, recipe, lambda at, of, loss, bar=bar: bar.tell("learning", at, of, loss)).model  # type: ignore[misc]
            figures.setdefault(cell, []).append(bridged(model, judged, seed, options.tries)["launch"])
            if not options.json:
                print(text({f"{cell} {seed} launch": figures[cell][-1]}), flush=True)
    if options.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
