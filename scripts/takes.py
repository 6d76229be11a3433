"""How many takes a gesture needs: learning curves on people not learnt from, beside the nearest take.

scripts/takes.py NAME --data DIR [--takes N …] [--ways NAME …] [--steps N] [--seeds N] [--json FILE] [--plot PNG]

NAME is egogestar or mp_data; DIR is laid out as `scripts/benchmark.py` reads it. For each number of takes a gesture,
drawn from those who are learnt from, it is counted how many clips of those held out are named rightly at their end:

* memory: a network that begins with the starter's memory, as `gestures teach` does;
* scratch: a small network begun with none, as `gestures teach` tries too;
* pretrained: begun with a memory that has learnt what hands do next from all clips of those who are learnt from, their
  labels unseen, as in `gestures train --pretrain`, but as small;
* nearest: the label of the nearest take (dynamic time warping, `likeness.py`), which learns nothing and sees all of a
  clip at once.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import readers

from gestures.clips import Clip, ClipSet
from gestures.console import Bar, shipped
from gestures.evaluation import replay
from gestures.inheriting import inherit
from gestures.lesson import UNITS, recipe, with_idlers
from gestures.likeness import distances, gesture_of
from gestures.network import Network
from gestures.recipe import Recipe
from gestures.training import pretrain, train

HELD_OUT = {"egogestar": 3, "mp_data": 1}
"""People, or recording rounds, that nobody learns from."""
JUDGED = 60
"""At most so many of their clips are named."""
WATCHED = 1200
"""Corrections of the weights while it is learnt what hands do next."""
WAYS = ("memory", "scratch", "pretrained", "nearest")


def main() -> None:
    """Print a line for each number of takes, and draw them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(HELD_OUT))
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--takes", type=int, nargs="+", default=[1, 3, 5, 8], metavar="N")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, metavar="NAME", help=f"of {', '.join(WAYS)}")
    parser.add_argument("--steps", type=int, metavar="N", help="(default: as many as `teach` takes)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="draws of people and takes (default: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="PNG")
    given = parser.parse_args()
    takes = readers.egogestar(given.data)[0] if given.name == "egogestar" else readers.mp_data(given.data)
    takes = takes.only(lambda clip: len(clip.spans) == 1)
    points = []
    for seed in range(given.seeds):
        everything, _ = drawn(takes, len(takes.clips), HELD_OUT[given.name], np.random.default_rng(seed))
        begin = {"memory": starters, "pretrained": watching(everything, seed) if "pretrained" in given.ways else None}
        for count in given.takes:
            learn, judge = drawn(takes, count, HELD_OUT[given.name], np.random.default_rng(seed))
            point = {"set": given.name, "seed": seed, "takes": count, "judged": len(judge)}
            point |= {
                way: nearest(learn, judge)
                if way == "nearest"
                else right(begin.get(way), learn, judge, given.steps, seed)
                for way in given.ways
            }
            points.append(point)
            shown = "   ".join(f"{way} {point[way]:6.1%}" for way in given.ways)
            print(f"{given.name}  seed {seed}  {count:2d} takes a gesture:  {shown}  of {len(judge)}", flush=True)
            if given.json is not None:
                given.json.write_text(json.dumps(points))
    if given.plot is not None:
        draw(points, given.plot)


def drawn(takes: ClipSet, count: int, held_out: int, rng: np.random.Generator) -> tuple[ClipSet, list[Clip]]:
    """`count` takes of each gesture to learn from, and clips of the people held out.

    The same people and the same order of takes whatever `count`.
    """
    apart = set(rng.permutation(list(takes.people))[:held_out].tolist())
    order = rng.permutation(len(takes.clips))
    others = [takes.clips[i] for i in order if takes.clips[i].person not in apart]
    learn = [clip for label in takes.labels for clip in [c for c in others if gesture_of(c) == label][:count]]
    return replace(takes, clips=tuple(learn)), [takes.clips[i] for i in order if takes.clips[i].person in apart][
        :JUDGED
    ]


def nearest(learn: ClipSet, judge: list[Clip]) -> float:
    """The share of `judge` that are named rightly by the nearest take."""
    truth = np.array([gesture_of(clip) for clip in judge])
    table = distances([*learn.clips, *judge])[len(learn.clips) :, : len(learn.clips)]
    return float((np.array([gesture_of(clip) for clip in learn.clips])[table.argmin(1)] == truth).mean())


def starters(learn: ClipSet) -> Network:
    """A network for `learn` that begins with the starter's memory."""
    return inherit(shipped("trained/starter"), learn)


def watching(everything: ClipSet, seed: int) -> Callable[[ClipSet], Network]:
    """What gives, as often as asked, a network whose memory has learnt from `everything` what hands do next."""
    with Bar() as bar:
        beforehand = Recipe(steps=WATCHED, units=UNITS, seed=seed)
        network = pretrain(
            everything.clips, everything, beforehand, lambda at, of, loss: bar.tell("watching", at, of, loss)
        )
    weights = network.both.get_weights()

    def begun(_: ClipSet) -> Network:
        network.both.set_weights(weights)
        return network

    return begun


def right(
    begin: Callable[[ClipSet], Network] | None, learn: ClipSet, judge: list[Clip], steps: int | None, seed: int
) -> float:
    """The share of `judge` that are named rightly by a network that has begun so; None: with nothing."""
    if len(learn.clips) < 2 * len(learn.labels):  # one take can be learnt from no sooner than it is there twice
        learn = replace(learn, clips=learn.clips * 2)
    network = None if begin is None else begin(learn)
    how = recipe(len(learn.labels), seed, steps)
    model = train(with_idlers(replace(learn, paths=())), how, network=network).model
    said = [replay(model, clip).label_at(model.manifest.labels, 1.0) for clip in judge]
    return float(np.mean([name == gesture_of(clip) for name, clip in zip(said, judge, strict=True)]))


def draw(points: list[dict[str, Any]], path: Path) -> None:
    """The curves, a line a way, the mean of all seeds."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 3.5), layout="constrained")
    counts = sorted({point["takes"] for point in points})
    for way in (way for way in WAYS if way in points[0]):
        axes.plot(counts, [np.mean([p[way] for p in points if p["takes"] == n]) for n in counts], "o-", label=way)
    axes.set(xlabel="takes of each gesture", ylabel="named rightly", ylim=(0, 1.02), title=points[0]["set"])
    axes.axhline(0.9, lw=0.5, color="0.6")
    axes.axhline(0.95, lw=0.5, color="0.6")
    axes.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
