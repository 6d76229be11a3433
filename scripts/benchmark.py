"""Accuracy on public data, on people or rounds never trained on: one table a data set.

scripts/benchmark.py egogestar|sfinge3d|fpha|mp_data --train DIR [--test DIR] [--json] [--readme FILE] [--plot PNG]
scripts/benchmark.py forecast --train DIR [--parts N] [--steps N] [--json]
scripts/benchmark.py memory [--tasks NAME …] [--layers NAME …] [--seeds N] [--json]
scripts/benchmark.py cells --train DIR [--cells NAME …] [--steps N] [--json]

Without --test: folds within --train, by recording round or person; levels are fitted within the training part. With it:
train on all of --train, score on --test once. Each fold's result is kept in the user's cache under the hash of the
data, the recipe and the modules that made it, so that an interrupted run goes on where it stopped. `memory` needs no
data: it runs the long-lag tasks of the literature, and keeps the result of each task, layer and seed in the same way.
`cells` teaches every kind of cell the single gestures of the first fold of egogestar or sfinge3d, as DIR is called.
--readme writes the set's table into a document, between its marks there; --plot draws what was mistaken.
"""

import argparse
import hashlib
import json
import pickle
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import forecasting
import memory
import numpy as np
import readers
import rivals
import table
from mistakes import draw, mistakes

import gestures
from gestures.augmentation import mirror
from gestures.clips import REST, Clip, ClipSet, folds
from gestures.console import Bar
from gestures.disturbed import DISTURBED
from gestures.errors import GesturesError
from gestures.evaluation import Report, Verdict, replay, report
from gestures.files import write_whole
from gestures.recipe import Recipe, steps_for
from gestures.scoring import Rule, start_rule, strict
from gestures.teaching import teach
from gestures.training import digest, train

SEED = 0
FOLDS = 4


LABELLED_BY = (
    "clips tracks features posture forecast ahead cells model network evidence recognizer"
    " augmentation streams lives sequences recipe batches losses training evaluation"
)
"""The modules that a label at the end of a clip depends on."""
DECIDED_BY = "types decisions disturbed holdout teaching fitting scoring"
"""Those that an event depends on besides."""


def source_hash(modules: str) -> str:
    """Which version of them made a figure."""
    folder = Path(gestures.__file__).parent
    return hashlib.sha256(b"".join((folder / f"{name}.py").read_bytes() for name in modules.split())).hexdigest()


@dataclass(frozen=True, slots=True)
class Part:
    """What is learnt from, what is judged on, and what it is called; of clips `alone`, only the label is asked for."""

    name: str
    learn: ClipSet
    test: ClipSet
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """What a model said of the clips as they are, and of the same clips disturbed; how long teaching it took, s."""

    verdicts: list[Verdict]
    disturbed: dict[str, list[Verdict]]
    train_s: float
    parameters: int


def judge(part: Part) -> Judged:
    """Teach a model and let it follow every clip it has not seen.

    An earlier run's answer is taken up when nothing has changed since.
    """
    recipe = Recipe(steps=steps_for(part.learn), seed=SEED)
    key = " ".join(
        (
            digest(part.learn),
            digest(part.test),
            source_hash(LABELLED_BY if part.alone else f"{LABELLED_BY} {DECIDED_BY}"),
            json.dumps(asdict(recipe)),
            "alone" * part.alone,
            *DISTURBED,
            str(part.test.mirror),
        )
    )
    kept = readers.cache("results") / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.pickle"
    if kept.exists():
        answer: Judged = pickle.loads(kept.read_bytes())  # noqa: S301 - our own cache
        return answer
    began = time.perf_counter()
    with Bar(part.name) as bar:
        if part.alone:
            trained = train(part.learn, recipe, lambda at, of, loss: bar.tell("learning", at, of, loss))
        else:
            trained = teach(part.learn, recipe, bar.tell).trained
    train_s = time.perf_counter() - began
    model = trained.model
    labels, rules = model.manifest.labels, model.manifest.rules

    def said(change: Callable[[Clip], Clip]) -> list[Verdict]:
        return [replay(model, change(clip)).judge(labels, rules) for clip in part.test.clips]

    disturbed = {
        name: said(lambda clip, disturb=disturb: disturb(clip, np.random.default_rng(SEED)))  # type: ignore[misc]
        for name, disturb in DISTURBED.items()
    }
    if part.test.mirror is not None:
        disturbed["mirrored"] = said(lambda clip: mirror(clip, part.test.mirror or {}))
    judged = Judged(said(lambda clip: clip), disturbed, train_s, trained.network.sequence.count_params())
    write_whole(kept, lambda file: pickle.dump(judged, file), GesturesError)
    return judged


def score(parts: Sequence[Part], labels: tuple[str, ...], rule: Rule | None = None) -> tuple[Report, dict[str, Any]]:
    """All parts' clips in one report; how the same comes out disturbed, what teaching took, and the network's size.

    And what was mistaken, by `rule`; None: at the end of each clip.
    """
    done = [judge(part) for part in parts]
    labels = (REST, *labels)

    def merged(lists: Iterable[list[Verdict]]) -> Report:
        return report([verdict for verdicts in lists for verdict in verdicts], labels)

    others = {name: merged(each.disturbed[name] for each in done) for name in done[0].disturbed}
    figures = {
        "train_s": [round(each.train_s, 1) for each in done],
        "parameters": max(each.parameters for each in done),
        "disturbed": {
            name: {
                "label at the end": other.isolated.get("100%"),
                **({} if rule is None else {"JI": other.tally.json()["JI"], "right": right(other)}),
            }
            for name, other in others.items()
        },
    }
    figures["mistakes"] = mistakes([verdict for each in done for verdict in each.verdicts], rule)
    return merged(each.verdicts for each in done), figures


def right(result: Report) -> int:
    """Clips of which exactly the right events were said."""
    return round(result.video_accuracy * result.videos)


def by_person(takes: ClipSet, count: int, name: str, alone: bool, always: ClipSet | None = None) -> list[Part]:
    """`count` parts, each judged on other people; `always` is learnt from in every part."""
    groups = folds(takes.people, count, SEED)
    parts = []
    for k, group in enumerate(groups):
        learn, test = apart(takes, [clip.person in group for clip in takes.clips])
        if always is not None:
            learn = replace(learn, clips=learn.clips + always.clips)
        parts.append(Part(f"{name} {k + 1} of {len(groups)}", learn, test, alone))
    return parts


def apart(takes: ClipSet, judged: Sequence[bool]) -> tuple[ClipSet, ClipSet]:
    """`takes` in two: learnt from, and judged on."""
    learn = tuple(clip for clip, held in zip(takes.clips, judged, strict=True) if not held)
    test = tuple(clip for clip, held in zip(takes.clips, judged, strict=True) if held)
    return replace(takes, clips=learn, paths=()), replace(takes, clips=test, paths=())


def sfinge3d(options: argparse.Namespace) -> dict[str, Any]:
    """Streams with and without other streams in training, and single gestures."""
    takes, streams = readers.sfinge3d(options.train)
    single, online = by_person(takes, FOLDS, "single", True), by_person(streams, FOLDS, "online", False, takes)
    alone = [Part("dictionary only", takes, streams)]
    if options.test is not None:
        test_takes, test_streams = readers.sfinge3d(options.test)
        both = replace(takes, clips=takes.clips + streams.clips)
        single, online = [Part("single", takes, test_takes, True)], [Part("online", both, test_streams)]
        alone = [Part("dictionary only", takes, test_streams)]
    figures: dict[str, Any] = {"set": "sfinge3d", "seed": SEED, "split": split(options, online, "take and by stream")}
    figures["mistakes"] = {}
    if any(part.test.clips for part in single):
        result, figures["single"] = score(single, takes.labels)
        figures["isolated"], figures["clips"] = result.isolated, result.videos
        figures["mistakes"]["single gestures"] = figures["single"].pop("mistakes")
    for name, where, parts in (
        ("online", "in streams", online),
        ("dictionary_only", "in streams, none learnt from", alone),
    ):
        if any(part.test.clips for part in parts):
            result, more = score(parts, takes.labels, strict)
            figures["mistakes"][where] = more.pop("mistakes")
            tally = result.tally.json()
            figures[name] = {**{key: value for key, value in tally.items() if key != "per_class"}, **more}
    return figures


def fpha(options: argparse.Namespace) -> dict[str, Any]:
    """Actions, by trial with the same people in both parts, and by person."""
    takes = readers.fpha(options.train)
    figures: dict[str, Any] = {"set": "fpha", "seed": SEED, "clips": len(takes.clips)}
    if options.test is not None:
        result, more = score([Part("test", takes, readers.fpha(options.test), True)], takes.labels)
        more["mistakes"] = {"test": more["mistakes"]}
        return {**figures, **more, "split": "test folder", "isolated": result.isolated, "clips": result.videos}
    fold = []
    done: Counter[tuple[str, str]] = Counter()
    for clip in takes.clips:
        pair = clip.person, clip.spans[0].gesture
        # Every person's every action keeps a trial to learn from wherever it has two.
        fold.append((done[pair] + takes.labels.index(pair[1]) + int(pair[0][-1])) % FOLDS)
        done[pair] += 1
    trials = [
        Part(f"trials {k + 1} of {FOLDS}", *apart(takes, [n == k for n in fold]), alone=True) for k in range(FOLDS)
    ]
    result, more = score(trials, takes.labels)
    figures |= {"isolated_by_trial": result.isolated, **more}
    result, more = score(by_person(takes, len(takes.people), "people", True), takes.labels)
    figures["mistakes"] = {"by trial": figures["mistakes"], "by person": more["mistakes"]}
    return {**figures, "split": "4 folds by trial; one person left out", "isolated_by_person": result.isolated}


def mp_data(options: argparse.Namespace) -> dict[str, Any]:
    """Three words, one person left out."""
    takes = readers.mp_data(options.train)
    parts = by_person(takes, len(takes.people), "people", True)
    if options.test is not None:
        parts = [Part("test", takes, readers.mp_data(options.test), True)]
    result, more = score(parts, takes.labels)
    more["mistakes"] = {"by person": more["mistakes"]}
    return {
        "set": "mp_data",
        "seed": SEED,
        "split": split(options, parts, "person"),
        "clips": result.videos,
        "isolated": result.isolated,
        **more,
        "confusion": {"labels": list(result.labels), "counts": result.confusion.tolist()},
    }


def split(options: argparse.Namespace, parts: Sequence[Part], by: str) -> str:
    """How the clips were split, in words."""
    return "test folder" if options.test else f"{len(parts)} folds by {by}"


def egogestar(options: argparse.Namespace) -> dict[str, Any]:
    """Video accuracy: the live engine over whole videos, right when just the one right event is fired."""
    learn, blind = readers.egogestar(options.train)
    parts = by_person(learn, FOLDS, "part", False)
    if options.test is not None:
        test, blind = readers.egogestar(options.test)
        parts = [Part("test", learn, test)]
    labels = (REST, *learn.labels)
    result, more = score(parts, learn.labels, start_rule())
    more["mistakes"] = {"its event, by round": more["mistakes"]}
    if not options.json:
        print(result.text())
    # A video that shows no hand can fire nothing: right if it is unclassified, wrong if it is a gesture.
    blind_right = sum(name.startswith("unclassified/") for name in blind)
    return {
        "set": "egogestar",
        "seed": SEED,
        "split": split(options, parts, "round"),
        "video_accuracy": (right(result) + blind_right) / (result.videos + len(blind)),
        "videos": result.videos + len(blind),
        "video_accuracy_hand_found": result.video_accuracy,
        "videos_hand_found": result.videos,
        "no_hand": blind,
        "unclassified_silent": result.rest_silent,
        "unclassified": result.rest_videos,
        "isolated": result.isolated,
        "NTtD": result.tally.json()["NTtD"],
        **more,
        "confusion": {"labels": list(labels), "counts": result.confusion.tolist()},
    }


def cells(options: argparse.Namespace) -> dict[str, Any]:
    """Every kind of cell on single gestures, taught alike; one fold."""
    name = options.train.resolve().name
    if name not in ("egogestar", "sfinge3d"):
        raise GesturesError(f"cells are compared on a folder called egogestar or sfinge3d, not {name}: name one")
    takes, _ = readers.egogestar(options.train) if name == "egogestar" else readers.sfinge3d(options.train)
    part = by_person(takes, FOLDS, name, True)[0]
    figures = rivals.compare(part.learn, part.test, options.cells, options.steps or steps_for(part.learn), SEED)
    if not options.json:
        print(rivals.text(figures))
    return {"set": name, "seed": SEED, "split": f"the first of {FOLDS} folds", "cells": figures}


SETS = {"egogestar": egogestar, "sfinge3d": sfinge3d, "fpha": fpha, "mp_data": mp_data, "cells": cells}


def main() -> int:
    """Print the table of one data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted([*SETS, "forecast", "memory"]))
    parser.add_argument("--train", type=Path, metavar="DIR")
    parser.add_argument("--test", type=Path, metavar="DIR")
    parser.add_argument("--json", action="store_true", help="one JSON object with every figure")
    parser.add_argument("--readme", type=Path, metavar="FILE", help="write the set's table into this document")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw what was mistaken for what, and whose")
    tasks = (*memory.TASKS, memory.CONTINUAL)
    parser.add_argument(
        "--tasks", nargs="+", choices=tasks, default=tasks, metavar="NAME", help=f"of {', '.join(tasks)}"
    )
    parser.add_argument("--layers", nargs="+", choices=memory.KINDS, default=memory.KINDS, metavar="NAME")
    parser.add_argument("--cells", nargs="+", choices=rivals.RECIPES, default=list(rivals.RECIPES), metavar="NAME")
    parser.add_argument(
        "--steps", type=int, metavar="N", help="cells, forecast: how long each learns (default: as `train`)"
    )
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--parts", type=int, default=FOLDS, metavar="N", help="forecast: only the first N folds")
    options = parser.parse_args()
    if options.name not in table.ROWS and (options.readme or options.plot):
        parser.error(f"{options.name} has neither table nor picture: leave out --readme and --plot")
    if options.name == "memory":
        figures = memory.table(options.tasks, options.layers, options.seeds)
        print(json.dumps(figures) if options.json else memory.text(figures))
        return 0
    if options.train is None:
        parser.error(f"{options.name} needs --train DIR")
    try:
        if options.name == "forecast":
            # Taught for the forecast: noise and another pace in the augmentation would make it cautious.
            steps = options.steps or Recipe().steps
            recipe = Recipe(steps, varied=0.8, steady=True, dropout=0.2, ahead=1.0, ahead_units=256, seed=SEED)
            figures = forecasting.table(options.train, recipe, options.parts, FOLDS)
        else:
            if options.readme is not None:
                table.around(options.readme, options.name)  # hours later would be late to say that it has no place
            figures = SETS[options.name](options)
            if options.readme is not None:
                folders = "--train DIR" if options.test is None else "--train DIR --test DIR"
                command = f"scripts/benchmark.py {options.name} {folders}"
                table.write(options.readme, options.name, table.markdown(figures, command))
            if options.plot is not None and figures["mistakes"]:
                draw(figures["mistakes"], options.name, options.plot)
    except gestures.GesturesError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{key:26s} {value}" for key, value in figures.items() if key not in ("confusion", "mistakes")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
