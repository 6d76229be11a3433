"""Fits the levels of the starter set anew: `scripts/levels.py trained/starter`.

Training holds out forty people, seven of whom idle: too little to tell how often idle hands are taken for a gesture.
Here the levels are fitted on more people, half of whom only idle, and judged on others again, for the model's card.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from starter import BUSY, FAILS, LEFT_OUT, LIMITS, TITLE, scene, synthetic
from tqdm import tqdm

from gestures.clips import Clip
from gestures.errors import ModelError
from gestures.evaluation import Replay, replay, report
from gestures.files import read_within, write_together
from gestures.fitting import fit_rules
from gestures.model import FILES, MAX_BYTES, load, model_files
from gestures.teaching import card

FIT_SEED, JUDGE_SEED = 600_000_000, 650_000_000
FIT, JUDGED = 80, 40
"""People, each for a minute; every second one only idles."""
ALLOWED_PER_HOUR = 20
"""False accepts on idling that never stops, which nobody does: people idle so for some minutes an hour."""

HOLDS_S = (0.0, 0.1, 0.2)
"""A gesture that is told later than this feels unheard."""


def people(first_seed: int, count: int, what: str) -> list[Clip]:
    """`count` people whom the model never met, idling in the ways that it has learnt from."""
    idle = [kind for kind in synthetic.IDLE if kind not in LEFT_OUT]
    seeds = tqdm(range(first_seed, first_seed + count), desc=what, file=sys.stderr)
    return [scene(seed, BUSY if seed % 2 else 0.0, idle=idle) for seed in seeds]


def main() -> None:
    """Fit, judge, and write the model's manifest and card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL")
    folder: Path = parser.parse_args().model
    model = load(folder)
    labels = model.manifest.labels

    def replayed(clips: list[Clip], what: str) -> list[Replay]:
        return [replay(model, clip) for clip in tqdm(clips, desc=what, file=sys.stderr)]

    rules = fit_rules(replayed(people(FIT_SEED, FIT, "people"), "fitting"), labels, ALLOWED_PER_HOUR, HOLDS_S)
    judged = report(
        [each.judge(labels, rules) for each in replayed(people(JUDGE_SEED, JUDGED, "people"), "judging")], labels
    )
    how = f"levels fitted on {FIT} people not learnt from, judged on {JUDGED} others again; half of both only idle"
    scores = {key: value for key, value in judged.json().items() if key not in ("per_class", "confusion", "labels")}
    model.manifest = replace(model.manifest, rules=rules, scores={"split": how, **scores})
    kept = {name: read_within(folder / name, MAX_BYTES) for name in FILES}
    text = card(TITLE, model.manifest, how, judged) + FAILS + LIMITS
    write_together(folder, model_files(model, kept, text), ModelError)
    print(f"{rules}\n{judged.text()}")


if __name__ == "__main__":
    main()
