"""From nothing to a gesture of one's own, live: record each, train, judge."""

import argparse
import time
from dataclasses import replace
from pathlib import Path

from . import seeing, synthetic
from .bridging import text
from .clips import REST, ClipSet, load_set
from .console import Bar, open_window, shipped, talk, writable
from .errors import ClipError, InputError
from .facing import recorded
from .files import check_name
from .inheriting import inherit
from .network import load_keras
from .recipe import Recipe
from .recording import Assignment, Recorder
from .studio import how_to, ring, run
from .teaching import Taught, once_more, teach

UNITS, LANES, RATE = (64,), 16, 8e-3
"""A small network learns sooner what a few takes can teach: begun with none, of EgoGestAR's unseen rounds it names 89 %
after three takes (the mean of three draws) where 176 units name 59 in as many seconds."""
STEPS_A_GESTURE, FEWEST_STEPS = 60, 250
"""Corrections of the weights for each gesture; three gestures of ten takes are learnt within half a minute."""
FEWEST = 3
"""Of fewer takes none can be held out for judging."""
IDLE_S, IDLERS = 20.0, 3
"""Besides what was recorded, a model learns to be silent to so many synthetic idlers, each for so long."""
IDLE_SEED = 900_000
"""Idlers that neither the starter's people nor its promises know."""


def lesson(options: argparse.Namespace) -> float:
    """`gestures teach` up to the saved model; how many seconds have passed since the last take.

    Takes that the set holds already are not asked for again. Raise `GesturesError` where it cannot go on.
    """
    names = [check_name(name) for name in options.gestures]
    check_name(options.person)
    if len(set(names)) < len(names) or REST in names:
        raise InputError(f"{' '.join(names)}: name each gesture once, and leave {REST} out")
    if len(options.source) not in (1, len(names)):
        raise InputError(f"{len(options.source)} sources for {len(names)} gestures: give one for all, or one for each")
    asked = [name for name in names if _there(name, options) < options.takes]
    if len(asked) > len(options.source) and Path(options.source[0]).is_file():
        raise InputError(f"{options.source[0]} cannot show {len(asked)} gestures: give a film of each")
    for folder in (options.data, options.into):
        writable(folder)
    if not options.no_window and open_window("gestures teach") is None:
        options.no_window = True  # which is said once, not for each gesture
    load_keras()  # now, so that nobody waits for it, or misses it, after the last take
    sources = options.source * (len(names) if len(options.source) == 1 else 1)
    for name, source in zip(names, sources, strict=True):
        _record(name, source, options)
    ended = time.monotonic()
    takes = with_idlers(load_set(options.data))
    taught, rival = learn(takes, options.seed)
    taught.save(options.into, options.into.name)
    passed_s = time.monotonic() - ended
    print(f"{taught.how}\n{taught.report.text()}\n{rival}")
    if takes.sequences:
        print(text(taught.model.manifest.scores["sequences"]) or "too few takes held out to judge two-step commands")
    print(f"saved to {options.into}, {passed_s:.0f} s after the last take: gestures live --model {options.into}")
    return passed_s


def recipe(gestures: int, seed: int, steps: int | None = None) -> Recipe:
    """How few takes of so many gestures are learnt; `steps` None: in as many as usual."""
    usual = max(FEWEST_STEPS, STEPS_A_GESTURE * gestures)
    return Recipe(steps=usual if steps is None else steps, units=UNITS, lanes=LANES, learning_rate=RATE, seed=seed)


def learn(takes: ClipSet, seed: int) -> tuple[Taught, str]:
    """Learn with the starter's memory to begin with and with none; the one that does better on takes held out, and how.

    Of two that do equally well the one with the memory. Only the better has its last lesson on everything.
    """
    how_learnt = recipe(len(takes.labels), seed)
    begun = {
        "the starter's memory": inherit(shipped("trained/starter"), takes, how_learnt.dropout, seed),
        "an empty memory": None,
    }
    tried = {}
    for how, network in begun.items():
        with Bar(f"{how}:") as bar:
            tried[how] = teach(takes, how_learnt, bar.tell, revise=False, network=network)
    best = max(tried, key=lambda how: _right(tried[how]))
    told = [
        f"begun with {how}: the right event alone in {taught.report.video_accuracy:.0%} of {taught.report.videos} clips"
        f" held out, the right label at the end in {_right(taught)[1]:.0%}" + ("  <- kept" if how == best else "")
        for how, taught in tried.items()
    ]
    with Bar() as bar:
        return once_more(tried[best], takes, how_learnt, bar.tell), "\n".join(told)


def _right(taught: Taught) -> tuple[float, float]:
    return taught.report.video_accuracy, taught.report.isolated.get("100%", 0.0)


def with_idlers(takes: ClipSet) -> ClipSet:
    """The set, and synthetic hands that mean nothing: without rest a model names whatever hands do.

    They count as theirs who were recorded, in turn: who can be held out stays as it is, and of two nobody has them all.
    """
    people = takes.people
    idlers = [
        seeing.seen(synthetic.perform(seed, IDLE_S, busy=0.0), seed, person=people[n % len(people)])
        for n, seed in enumerate(range(IDLE_SEED, IDLE_SEED + IDLERS))
    ]
    return replace(takes, clips=(*takes.clips, *idlers), paths=())


def _there(name: str, options: argparse.Namespace) -> int:
    """How many takes of a gesture the set holds already."""
    return sum(path.stem.rpartition("_")[0] == options.person for path in (options.data / name).glob("*.npz"))


def _record(name: str, source: str, options: argparse.Namespace) -> None:
    """Record what is missing of a gesture's takes."""
    there = _there(name, options)
    if there >= options.takes:
        talk(f"{name}: {there} takes are there")
        return
    plan = Assignment(name, options.person, options.data, options.takes - there, recorded=recorded(source))
    recorder, window = Recorder(plan, ring), None if options.no_window else open_window("gestures teach")
    talk(how_to(recorder, window is not None, "goes on"))
    run(recorder, source, window)
    if there + len(recorder.kept) < FEWEST:
        raise ClipError(f"{there + len(recorder.kept)} takes of {name} are too few: type the same again to go on")
