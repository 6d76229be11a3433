"""What is done with recordings when no camera runs: import, train, evaluate, explain."""

import argparse
import importlib.util
import json
import sys
from pathlib import Path

from .console import Bar, printable, talk, writable
from .errors import GesturesError
from .model import load


def import_(options: argparse.Namespace) -> None:
    """`gestures import`: labelled videos become recordings."""
    from tqdm import tqdm

    from .importing import find_videos, import_videos

    total = len(find_videos(options.folder))
    writable(options.into)
    taken = 0
    with tqdm(total=total, unit="video", file=sys.stderr) as bar:
        for path, clip in import_videos(
            options.folder, options.into, lambda line: bar.write(printable(line), file=sys.stderr)
        ):
            bar.set_description(printable(f"{path.parent.name}/{path.name}"[-30:]))
            bar.update()
            taken += clip is not None
    print(f"{taken} of {total} videos are now takes in {options.into}: gestures train {options.into} --into MODEL")


def train(options: argparse.Namespace) -> None:
    """`gestures train`: recordings become a model, with its report."""
    from .bridging import text
    from .checkpoint import forget
    from .clips import load_below, load_set
    from .recipe import Recipe, steps_for
    from .teaching import teach
    from .training import pretrain

    if options.pretrain is not None and options.cell != "lstm":
        raise GesturesError(
            f"only lstm forecasts, {options.cell} cannot learn beforehand: leave --pretrain or --cell out"
        )
    takes = load_set(options.data)
    beforehand = () if options.pretrain is None else load_below(options.pretrain)
    writable(options.into)
    people = ", ".join(takes.people[:12]) + (" …" if len(takes.people) > 12 else "")
    talk(f"{len(takes.clips)} takes of {len(takes.labels)} gestures by {len(takes.people)} people or rounds: {people}")
    steps = steps_for(takes) if options.steps is None else options.steps
    recipe = Recipe(steps=steps, cell=options.cell, seed=options.seed)
    keep = options.into / ".training"
    with Bar() as bar:
        network = None
        if beforehand:
            network = pretrain(beforehand, takes, recipe, lambda at, of, loss: bar.tell("watching", at, of, loss), keep)
        taught = teach(takes, recipe, bar.tell, network=network, keep=keep)
    taught.save(options.into, options.into.name)
    forget(keep)
    print(f"{taught.how}\n{taught.report.text()}")
    if takes.sequences:
        print(text(taught.model.manifest.scores["sequences"]) or "too few takes held out to judge two-step commands")
    print(f"saved to {options.into}: gestures live --model {options.into}")


def judge(options: argparse.Namespace) -> None:
    """`gestures evaluate`: recordings replayed through the live engine, and scored."""
    from tqdm import tqdm

    from .clips import load_set
    from .evaluation import evaluate, plot

    model, clips = load(options.model), load_set(options.data)
    _can_plot(options.plots)
    strange = sorted(set(clips.labels) - set(model.manifest.labels))
    if len(strange) == len(clips.labels) > 0:
        raise GesturesError(f"{options.data} shows no gesture that {options.model} knows: {', '.join(strange)}")
    if strange:
        talk(f"not known to this model, and not scored: {', '.join(strange)}")
    with tqdm(total=len(clips.clips), unit="clip", file=sys.stderr) as bar:
        report, _ = evaluate(model, clips.clips, lambda _: bar.update())
    print(json.dumps(report.json()) if options.json else report.text())
    if options.plots is not None:
        talk(f"drawn: {plot(report, options.plots)}")


def account(options: argparse.Namespace) -> None:
    """`gestures explain`: why each event fired, and why each near miss did not."""
    from .clips import load_clip
    from .explanation import LONGEST_S, explain
    from .gates import read_weights
    from .importing import watch
    from .timeline import draw

    model = load(options.model)
    weights = None
    if model.manifest.cell == "lstm":
        weights = read_weights(options.model, model)
    else:
        talk(
            f"this model is made of {model.manifest.cell} cells: its gates, how far back its memory reaches and which"
            " landmarks counted can be shown for lstm only"
        )
    _can_plot(options.plots)
    clip = (
        load_clip(options.clip)
        if options.clip.suffix == ".npz"
        else watch(options.clip, "someone", longest_s=LONGEST_S)
    )
    explained = explain(model, weights, clip)
    for moment in explained.moments:
        print(f"{moment.time:7.2f} s  {'began' if moment.fired else '  not'}  {moment.words}")
    if not explained.moments:
        print(f"nothing began, and nothing came near: {len(explained.lines)} hands seen in {clip.duration_s:.1f} s")
    if options.plots is not None:
        paths = draw(explained, options.plots, options.clip.stem)
        talk(f"drawn: {', '.join(map(str, paths)) or 'nothing, no hand was seen'}")


def _can_plot(folder: Path | None) -> None:
    """Find out before the work that plots cannot be drawn; None: none are asked for."""
    if folder is None:
        return
    writable(folder)
    if importlib.util.find_spec("matplotlib") is None:
        raise GesturesError("plots need matplotlib, which is not installed: pip install matplotlib")
