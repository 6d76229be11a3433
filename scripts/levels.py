"""Chooses the levels of the starter set: `scripts/levels.py trained/starter`.

The rules that training fits cost a miss as much as a false event, and may wait as long as they like. Here, on more
people, half of whom only idle, that level and hold time are chosen which find most gestures while few events are false
and half a gesture's time is enough; they are judged on others again, and all of it goes into the model's card.
"""

import argparse
import itertools
import sys
from dataclasses import replace
from pathlib import Path

from starter import BUSY, FAILS, LEFT_OUT, LIMITS, TITLE, scene, synthetic
from tqdm import tqdm

from gestures.clips import Clip
from gestures.errors import ModelError
from gestures.evaluation import Replay, replay, report
from gestures.files import read_within, write_together
from gestures.fitting import HOLDS_S, LEVELS, OFFS
from gestures.model import FILES, MAX_BYTES, load, model_files
from gestures.teaching import card
from gestures.types import DecisionRules

FIT_SEED, JUDGE_SEED = 600_000_000, 650_000_000
FIT, JUDGED = 80, 40
"""People, each for a minute; every second one only idles."""
FALSE, SEEN = 0.045, 0.6
"""At most so many false events a gesture, decided on average when so much of the gesture has been seen."""


def people(first_seed: int, count: int, what: str) -> list[Clip]:
    """`count` people whom the model never met, idling in the ways that it has learnt from."""
    idle = [kind for kind in synthetic.IDLE if kind not in LEFT_OUT]
    seeds = tqdm(range(first_seed, first_seed + count), desc=what, file=sys.stderr)
    return [scene(seed, BUSY if seed % 2 else 0.0, idle=idle) for seed in seeds]


def chosen(replays: list[Replay], labels: tuple[str, ...]) -> DecisionRules:
    """The rules that find most gestures of those that keep to `FALSE` and `SEEN`."""
    busy = [each for each in replays if each.clip.spans]
    best, most = DecisionRules(), -1.0
    for on, hold_s, share in itertools.product(LEVELS, HOLDS_S, OFFS):
        rules = DecisionRules(on, share * on, hold_s)
        tally = report([each.judge(labels, rules) for each in busy], labels).tally.json()
        pooled = tally["pooled"]
        if pooled["FP"] <= FALSE and (tally["NTtD"] or 1) <= SEEN and pooled["DR"] > most:
            best, most = rules, pooled["DR"]
        print(
            f"{rules.on:.2f} {rules.off:.2f} {hold_s:.1f} s: {pooled['DR']:.3f} {pooled['FP']:.3f} {tally['NTtD']}",
            file=sys.stderr,
        )
    return best


def main() -> None:
    """Fit, judge, and write the model's manifest and card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL")
    folder: Path = parser.parse_args().model
    model = load(folder)
    labels = model.manifest.labels

    def replayed(clips: list[Clip], what: str) -> list[Replay]:
        return [replay(model, clip) for clip in tqdm(clips, desc=what, file=sys.stderr)]

    rules = chosen(replayed(people(FIT_SEED, FIT, "people"), "fitting"), labels)
    judged = report(
        [each.judge(labels, rules) for each in replayed(people(JUDGE_SEED, JUDGED, "people"), "judging")], labels
    )
    how = f"levels chosen on {FIT} people not learnt from, judged on {JUDGED} others again; half of both only idle"
    scores = {key: value for key, value in judged.json().items() if key not in ("per_class", "confusion", "labels")}
    model.manifest = replace(model.manifest, rules=rules, scores={"split": how, **scores})
    kept = {name: read_within(folder / name, MAX_BYTES) for name in FILES}
    text = card(TITLE, model.manifest, how, judged) + FAILS + LIMITS
    write_together(folder, model_files(model, kept, text), ModelError)
    print(f"{rules}\n{judged.text()}")


if __name__ == "__main__":
    main()
