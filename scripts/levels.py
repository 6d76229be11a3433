"""Sets the levels of the starter set, judges it by them, writes its card: `scripts/levels.py trained/starter`.

The rules that training fits cost a miss as much as a false event. These have one level and one hold time for all, and
for each gesture that gains by it, and for thumbs, a level of its own. That is chosen on the rendered streams that were
learnt from, half of them of people with ways of their own (it finds no more of those by the book than of others; what
has not been drawn is drawn, which takes hours), and on two hours of people who idle. The level and the hold time for
all were chosen by looking: of nine levels from 0.8 to 0.94 and hold times from 0.05 to 0.15 s those that name most on
the rendered streams that judge, within 60 % of a gesture and with at most 5 % false, and say about as much as the
starter before in an hour of idling; in films of real hands they name one raised thumb once. Hold times of their own
were chosen on 60 other people, and on others who idle; that of thumbs, and that they may be less sure, with real ones
in view, of a film and of SFINGE3D. Rendered streams, films and SFINGE3D are no test of them, then; the people judged on
here are.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from pathlib import Path

import numpy as np
from hand_mesh import MeshError
from starter import BUSY, FAILS, LEFT_OUT, LIMITS, PICTURED, TITLE, pictures, scene, synthetic
from tqdm import tqdm

from gestures.errors import GesturesError, ModelError
from gestures.evaluation import Replay, replay, report
from gestures.files import read_within, write_together
from gestures.fitting import changed, own
from gestures.model import FILES, MAX_BYTES, load, model_files
from gestures.scoring import score
from gestures.teaching import card
from gestures.types import DecisionRules

SEED = 650_000_000
HOLDS_S = {"wave": 0.3, "beckon": 0.3, "thumb_up": 0.3, "thumb_down": 0.3, "zoom_in": 0.2, "zoom_out": 0.2}
"""Gestures that last, or that idle hands resemble for a moment, are held longer than the others."""
LESS_SURE = ("thumb_up", "thumb_down")
"""Real thumbs are never taken for another gesture, but score lower than rendered ones: they need not be as
sure, and are held longer instead."""
JUDGED = 40
"""People, each for a minute; every second one only idles."""
FITTING_SEED, IDLERS = 860_000_000, 120
"""Who idles, a minute each, while levels are chosen."""
LEVELS = (0.7, 0.8, 0.85, 0.9, 0.95, 0.97)
FALSE, ACCEPT = 2, 1
"""What an event that is not so costs in gestures found, in a recording with gestures and in one without: so much that
both stay about as rare as with one level for all, on rendered streams and in six hours of idling."""
GAIN = 2
"""A gesture gets a level of its own where it gains so much: less may be chance."""


def cost(replays: Sequence[Replay], labels: tuple[str, ...], rules: DecisionRules) -> Fraction:
    """What is false in recordings, at its price, less what is found in them, in gestures."""
    meant, idle = ([each for each in replays if bool(each.clip.spans) == some] for some in (True, False))
    counts = score(each.stream(labels, rules) for each in meant).pooled
    accepts = sum(event.phase == "began" for each in idle for event in each.events(labels, rules))
    return Fraction(FALSE * counts.false + ACCEPT * accepts - counts.ok)


def each_its_level(rules: DecisionRules, labels: tuple[str, ...], replays: Sequence[Replay]) -> DecisionRules:
    """`rules` with a level of its own for each gesture that gains `GAIN` by it while all others keep theirs.

    Each of `LESS_SURE` has the lowest that costs hardly more than the best.
    """
    none = np.zeros((1, len(labels)), np.float32)
    tops = [np.max([*none, *(t.probabilities for _, ticks, _ in r.steps for t in ticks)], axis=0) for r in replays]
    found = []
    for n, gesture in enumerate(tqdm(labels[1:], desc="levels", file=sys.stderr), 1):
        hold_s, lowest = rules.hold_for(gesture), min(*LEVELS, rules.on_for(gesture))
        # Where it is never so likely, no level changes anything.
        near = [each for each, top in zip(replays, tops, strict=True) if top[n] >= lowest]
        price = cache(partial(cost, near, labels))
        if near and gesture in LESS_SURE:
            costs = {on: price(changed(rules, gesture, on, hold_s)) for on in LEVELS}
            level = min(on for on, each in costs.items() if each < min(costs.values()) + GAIN)
        else:
            level = own(rules, gesture, [(on, hold_s) for on in LEVELS], price, GAIN).on_for(gesture)
        found.append((gesture, level, hold_s))
    return replace(rules, per_gesture=tuple(each for each in found if each[1:] != (rules.on, rules.hold_s)))


def main() -> None:
    """Judge, and write the model's manifest and card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("--on", type=float, default=0.93, metavar="P")
    parser.add_argument("--off", type=float, default=0.18, metavar="P")
    parser.add_argument("--hold", type=float, default=0.13, metavar="S")
    parser.add_argument("--pictures", type=int, default=PICTURED, metavar="N", help="as `starter.py` was told")
    options = parser.parse_args()
    held = tuple((gesture, options.on, hold_s) for gesture, hold_s in HOLDS_S.items())
    model, rules = load(options.model), DecisionRules(options.on, options.off, options.hold, per_gesture=held)
    labels = model.manifest.labels
    drawn = pictures(options.pictures) + pictures(options.pictures, loosely=True)
    idle = [kind for kind in synthetic.IDLE if kind not in LEFT_OUT]
    idlers = (scene(seed, 0.0, idle=idle) for seed in range(FITTING_SEED, FITTING_SEED + IDLERS))
    heard = tqdm((*drawn, *idlers), desc="recordings", file=sys.stderr)
    rules = each_its_level(rules, labels, [replay(model, clip) for clip in heard])
    people = tqdm(range(SEED, SEED + JUDGED), desc="people", file=sys.stderr)
    clips = (scene(seed, BUSY if seed % 2 else 0.0, idle=idle) for seed in people)
    judged = report([replay(model, clip).judge(labels, rules) for clip in clips], labels)
    how = f"judged on {JUDGED} people not learnt from, half of whom only idle; the levels were chosen on others"
    scores = {key: value for key, value in judged.json().items() if key not in ("per_class", "confusion", "labels")}
    model.manifest = replace(model.manifest, rules=rules, scores={"split": how, **scores})
    kept = {name: read_within(options.model / name, MAX_BYTES) for name in FILES}
    text = card(TITLE, model.manifest, how, judged) + FAILS + LIMITS
    write_together(options.model, model_files(model, kept, text), ModelError)
    print(judged.text())


if __name__ == "__main__":
    try:
        main()
    except (GesturesError, MeshError) as error:
        sys.exit(f"levels: {error}")
