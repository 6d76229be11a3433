"""Accuracy on public data, on people or rounds never trained on: one table a data set.

scripts/benchmark.py egogestar --train DIR [--test DIR] [--json]

Without --test: folds within --train, by recording round; levels are fitted on rounds of the training part. With it:
train on all of --train, score on --test once. Each fold's result is kept in the user's cache under the hash of the
data, the recipe and the package's source, so that an interrupted run goes on where it stopped.
"""

import argparse
import hashlib
import json
import pickle
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import readers

import gestures
from gestures.cli import Bar
from gestures.clips import REST, ClipSet, folds
from gestures.evaluation import Verdict, replay, report
from gestures.teaching import teach
from gestures.training import Recipe, digest, steps_for

SEED = 0
FOLDS = 4


def source_hash() -> str:
    """Which version of the package made a figure."""
    files = sorted(Path(gestures.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def judge(learn: ClipSet, test: ClipSet, name: str) -> tuple[list[Verdict], float]:
    """Teach a model on `learn` and let it follow every clip of `test`: what it said, and the seconds of teaching.

    An earlier run's answer is taken up when nothing has changed since.
    """
    recipe = Recipe(steps=steps_for(learn), seed=SEED)
    key = " ".join((digest(learn), digest(test), source_hash(), json.dumps(asdict(recipe))))
    kept = readers.cache("results") / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.pickle"
    if kept.exists():
        answer: tuple[list[Verdict], float] = pickle.loads(kept.read_bytes())  # noqa: S301 - our own cache
        return answer
    began = time.perf_counter()
    with Bar(name) as bar:
        model = teach(learn, recipe, bar.tell).model
    train_s = time.perf_counter() - began
    labels, rules = model.manifest.labels, model.manifest.rules
    verdicts = [replay(model, clip).judge(labels, rules) for clip in test.clips]
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(pickle.dumps((verdicts, train_s)))
    return verdicts, train_s


def egogestar(options: argparse.Namespace) -> dict[str, Any]:
    """Video accuracy: the live engine over whole videos, right when just the one right event is fired."""
    learn, blind = readers.egogestar(options.train)
    if options.test is None:
        parts = [
            (learn.only(lambda c, g=group: c.person not in g), learn.only(lambda c, g=group: c.person in g))
            for group in folds(learn.people, FOLDS, SEED)
        ]
    else:
        test, blind = readers.egogestar(options.test)
        parts = [(learn, test)]
    done = [judge(*part, f"part {k + 1} of {len(parts)}") for k, part in enumerate(parts)]
    labels = (REST, *learn.labels)
    result = report([verdict for verdicts, _ in done for verdict in verdicts], labels)
    if not options.json:
        print(result.text())
    right = round(result.video_accuracy * result.videos)
    # A video that shows no hand can fire nothing: right if it is unclassified, wrong if it is a gesture.
    blind_right = sum(name.startswith("unclassified/") for name in blind)
    return {
        "set": "egogestar",
        "seed": SEED,
        "split": "test folder" if options.test else f"{len(parts)} folds by round",
        "video_accuracy": (right + blind_right) / (result.videos + len(blind)),
        "videos": result.videos + len(blind),
        "video_accuracy_hand_found": result.video_accuracy,
        "videos_hand_found": result.videos,
        "no_hand": blind,
        "unclassified_silent": result.rest_silent,
        "unclassified": result.rest_videos,
        "isolated": result.isolated,
        "NTtD": result.tally.json()["NTtD"],
        "train_s": [round(seconds, 1) for _, seconds in done],
        "confusion": {"labels": list(labels), "counts": result.confusion.tolist()},
    }


def main() -> int:
    """Print the table of one data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=["egogestar"])
    parser.add_argument("--train", type=Path, required=True, metavar="DIR")
    parser.add_argument("--test", type=Path, metavar="DIR")
    parser.add_argument("--json", action="store_true", help="one JSON object with every figure")
    options = parser.parse_args()
    try:
        figures = egogestar(options)
    except gestures.GesturesError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{key:26s} {value}" for key, value in figures.items() if key != "confusion"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
