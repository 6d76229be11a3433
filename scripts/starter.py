"""Makes the starter set and its model from synthetic people: `scripts/starter.py --into trained/starter`.

It learns from people by the book, then from others of whom every second gestures in ways of their own, and from there
twice from others yet, the second time to say sooner what it sees; what ships is the mean of the last three. The whole
set is hours of landmarks drawn from seeds, made again at each run, and two hours of rendered video as MediaPipe sees
it: as long to draw on two cores, and kept in the user's cache. `--sample data/starter` writes a few short scenes of
other seeds instead, never learnt from: they show what the set is, and hold the model to its promises.

    scripts/starter.py --idle trained/starter --hours 6               # false accepts on people who idle
    scripts/starter.py --real DIR --model trained/starter             # what it says to films of real hands
    scripts/starter.py --card --real DIR --model trained/starter      # all of it and rendered video, into the card
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import real_hands
from hand_mesh import MeshError
from real_hands import began, listed
from rendered import Scene, judge, judgement, streams, watched
from tqdm import tqdm

from gestures import synthetic
from gestures.clips import Clip, ClipSet, save_clip
from gestures.console import Bar
from gestures.errors import GesturesError
from gestures.lives import Owing, lives, settle
from gestures.model import Model, load
from gestures.network import Network, finish
from gestures.performers import Performer
from gestures.recipe import Recipe
from gestures.seeing import seen
from gestures.setnote import save_set_note
from gestures.teaching import Taught, teach
from gestures.types import Floats

MINUTE_S = 60.0
BUSY = 0.65
TITLE = "Starter gestures, learnt from synthetic motion"
OWING = Owing(sure=(0.15, 0.6), linger_s=0.25, boost=4.0)
SOONER = replace(OWING, sure=(0.1, 0.5))
"""Names owed from a tenth of a gesture on, wholly from half of it: who learns so decides sooner, and errs more."""
OFTEN = ("swipe_left", "swipe_right", "swipe_up", "swipe_down")
"""Gestures that are learnt from twice as often: they resemble hands on their way elsewhere."""
SAMPLE_SEED = 700_000_000
IDLE_SEED = 800_000_000
MEASURED = "\n## On video, on idle hands, on real hands\n"
FAILS = "\n## Where it fails\n"
LIMITS = """
It has never seen a real hand move, and landmarks drawn without a picture flatter it: on rendered video, seen by
MediaPipe, it names five in six of what is shown, by levels chosen with that video in view. Swipes to the side fail
most, two of five: they are short, and look like hands on their way elsewhere; then pushes and zooms out, one of three.
Lively idling is taken for a gesture every two to three minutes. A camera that looks along with the performer is another
world: of EgoGestAR's swipes it names none, of its circles, where it names them, the mirror image. Of SFINGE3D's real
hands, turned to a webcam, it names one gesture in three, of swipes two in sixteen, of raised thumbs four in eleven, no
opening hand: people move less, more slowly and less by the book than most of those it has learnt from. Some films of
the sign for "hello", which resembles it, are taken for a wave. For real use train it on takes of your own.
"""
RATES_HZ = (12.0, 60.0)
ASPECTS = (4 / 3, 16 / 9)


LEFT_OUT = ("scratch", "handle")
"""Ways to idle that the model never learns from: what it makes of them tells what it will make of others."""
PRACTISED = (*synthetic.GESTURES, *OFTEN)
IDLED = (*(kind for kind in synthetic.IDLE if kind not in LEFT_OUT), synthetic.FUMBLING, synthetic.FUMBLING)
PICTURED_SEED, PICTURED = 600_000_000, 144
PICTURE_TIMES = 5
"""How much more often a rendered stream is learnt from than a minute of joints, of which there are many more."""
AGAIN_RATE = 2e-3
"""How far a later lesson moves the weights at first, a third less than the first one did."""
INGREDIENTS = ("offsets", "noise", "views", "negatives")
"""What makes a synthetic hand like a seen one: where MediaPipe puts landmarks, how it errs, from where cameras look,
and what hands do that means nothing."""


def scene(
    seed: int,
    busy: float,
    duration_s: float = MINUTE_S,
    rates_hz: tuple[float, float] = RATES_HZ,
    gestures: Sequence[str] = synthetic.GESTURES,
    idle: Sequence[str] = synthetic.IDLE,
    without: str = "",
    loosely: bool = False,
) -> Clip:
    """One synthetic person before one synthetic webcam, `without` one of `INGREDIENTS`."""
    rng = np.random.default_rng(seed)
    aspect = float(rng.choice(ASPECTS))
    someone = Performer.random(np.random.default_rng((seed, 1)), aspect)
    straight = replace(someone, view_deg=np.zeros(3)) if without == "views" else None
    played = synthetic.perform(
        seed,
        duration_s,
        gestures=gestures,
        idle=idle,
        busy=busy,
        aspect=aspect,
        performer=straight,
        loosely=loosely,
    )
    return seen(
        played,
        seed,
        rate_hz=float(rng.uniform(*rates_hz)),
        person=f"synthetic-{seed}",
        offsets=without != "offsets",
        noise=float(without != "noise"),
    )


def make(minutes: int, first_seed: int, without: str = "", loosely: bool = False) -> ClipSet:
    """`minutes` people, each for a minute; every fifth only idles. Without "negatives" idle hands but rest.

    `loosely`: every second of them gestures so.
    """
    seeds = range(first_seed, first_seed + minutes)
    idle = ("rest",) if without == "negatives" else IDLED
    clips = [
        scene(
            seed,
            0.0 if seed % 5 == 0 else BUSY,
            gestures=PRACTISED,
            idle=idle,
            without=without,
            loosely=loosely and seed % 2 == 1,
        )
        for seed in tqdm(seeds, desc="people", file=sys.stderr)
    ]
    return ClipSet(synthetic.GESTURES, tuple(clips), (), synthetic.MIRROR)


def pictures(count: int, loosely: bool = False) -> list[Clip]:
    """What is seen of `count` others in rendered video, half a minute each. Levels are chosen on them; none judges.

    Those who gesture `loosely` are others than those who do not.
    """
    first = PICTURED_SEED + loosely * count
    scenes = (Scene.random(seed, PRACTISED, IDLED, loosely) for seed in range(first, first + count))
    return list(watched(scenes, count, draw=True))


def said_to_idlers(model: Model, hours: float) -> Counter[str]:
    """What a model says to people who only idle, whom it never met, in all the ways there are."""
    said = Counter[str]()
    for seed in tqdm(range(IDLE_SEED, IDLE_SEED + round(hours * 60)), desc="idle minutes", file=sys.stderr):
        said.update(began(model, scene(seed, 0.0)))
    return said


def idling(model: Model, hours: float) -> str:
    """The same as people read it."""
    said = said_to_idlers(model, hours)
    return f"{said.total()} false accepts in {hours:.1f} h of synthetic idling: {listed(said)}"


def write_card(options: argparse.Namespace) -> None:
    """Say in a model's card how it does on rendered streams, on people who idle, and on films of real hands."""
    path, model = options.model / "README.md", load(options.model)
    head = path.read_text("utf-8").split(MEASURED)[0].split(FAILS)[0]
    clips = list(streams(options.count, draw=False))
    if not clips:
        sys.exit(
            f"no rendered stream is kept: type scripts/render.py judge {options.model} --count {options.count} first"
        )
    parts = [judgement(clips, *judge(model, clips)), idling(model, options.hours)]
    parts += [real_hands.report(model, options.real)] if options.real is not None else []
    figures = "\n\n".join(parts)
    path.write_text(f"{head.rstrip()}\n{MEASURED}\n```\n{figures}\n```\n{FAILS}{LIMITS}", "utf-8")


def main() -> None:
    """Make the model, and the sample where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, metavar="DIR", help="where the model goes")
    parser.add_argument("--minutes", type=int, default=1800, metavar="N", help="how many people, each for a minute")
    parser.add_argument(
        "--pictures",
        type=int,
        default=PICTURED,
        metavar="N",
        help="besides, half minutes of rendered video, as long to draw, and as many again after the first lesson",
    )
    parser.add_argument("--steps", type=int, default=26000, metavar="N", help="of each of four lessons")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--sample", type=Path, metavar="DIR", help="where a few short scenes go")
    parser.add_argument("--idle", type=Path, metavar="MODEL", help="count what this model says to idle hands")
    parser.add_argument("--real", type=Path, metavar="DIR", help="count what --model says to films of real hands")
    parser.add_argument("--model", type=Path, default=Path("trained/starter"), metavar="MODEL")
    parser.add_argument("--card", action="store_true", help="write into the card of --model what is measured")
    parser.add_argument(
        "--count", type=int, default=62, metavar="N", help="of so many rendered streams those that are kept"
    )
    parser.add_argument("--hours", type=float, default=6.0, metavar="H", help="for so long (default: 6)")
    options = parser.parse_args()
    if options.card:
        write_card(options)
    elif options.real is not None:
        print(real_hands.report(load(options.model), options.real))
    if options.idle is not None:
        print(idling(load(options.idle), options.hours))
    if options.sample is not None:
        for seed in range(SAMPLE_SEED, SAMPLE_SEED + 9):
            clip = scene(seed, 0.0 if seed % 5 == 0 else 0.8, 20.0, (15.0, 20.0))
            save_clip(clip, options.sample / "sessions" / f"{clip.person}_00.npz")
        save_set_note(options.sample, synthetic.GESTURES, synthetic.MIRROR)
    if options.into is not None:
        train(options)


def recipe(steps: int, seed: int) -> Recipe:
    """How the starter learns: scenes are drawn with all their variety, and no gesture begins as another does."""
    return Recipe(steps=steps, units=(208,), dropout=0.1, varied=0.25, owing=OWING, seed=seed)


def averaged(taught: Taught, lessons: list[dict[str, Any]]) -> Taught:
    """`taught` by the weights that its network has been given since: the mean of what its later `lessons` ended with.

    Two of them go on from where the first of them ended, so they lie near each other, and their mean says less that is
    not so (model soups, Wortsman et al. 2022). How it was judged is that of the last lesson: `levels.py` judges it.
    """
    made_from = {**taught.model.manifest.made_from, "lessons": lessons, "mean_of": [2, 3, 4]}
    manifest = replace(taught.model.manifest, made_from=made_from)
    (life, *_) = lives(settle(scene(SAMPLE_SEED, BUSY)), manifest.labels, manifest.rate_hz)
    model, _, step = finish(taught.trained.network, manifest, life.vectors)
    return replace(taught, trained=replace(taught.trained, model=model, step=step))


def train(options: argparse.Namespace) -> None:
    """Make the people, let a model learn from them, and say how it does on others."""
    started = time.perf_counter()
    # Drawn before anything is learnt: what is missing to draw shows at once. All lessons see those by the book, so
    # some who are held out of the last have been met: `levels.py` judges on others.
    by_the_book = pictures(options.pictures)
    loosely = by_the_book + pictures(options.pictures, loosely=True)

    @cache
    def people(number: int) -> ClipSet:
        takes = make(options.minutes, 1_000_000 * (options.seed + number), loosely=number > 1)
        return replace(takes, clips=takes.clips + PICTURE_TIMES * tuple(loosely if number > 1 else by_the_book))

    lessons: list[dict[str, Any]] = []

    def lesson(number: int, how: Recipe, network: Network | None = None) -> Taught:
        with Bar() as bar:
            taught = teach(people(number), how, bar.tell, revise=False, network=network)
        lessons.append({**taught.model.manifest.made_from, "sure": how.owing.sure})
        return taught

    first = recipe(options.steps, options.seed)
    taught = lesson(1, first)
    network = taught.trained.network
    ends: list[list[Floats]] = []
    for number, owing in ((2, OWING), (3, OWING), (3, SOONER)):
        if ends:
            network.both.set_weights(ends[0])
        how = replace(first, seed=options.seed + number - 1, learning_rate=AGAIN_RATE, owing=owing)
        taught = lesson(number, how, network)
        ends.append(network.both.get_weights())
    network.both.set_weights([np.mean(each, axis=0) for each in zip(*ends, strict=True)])
    taught = averaged(taught, lessons)
    taught.save(options.into, TITLE)
    with (options.into / "README.md").open("a", encoding="utf-8") as card:
        card.write(FAILS + LIMITS)
    print(f"the last lesson:\n{taught.report.text()}")
    passed_min = (time.perf_counter() - started) / 60
    print(f"saved to {options.into} after {passed_min:.0f} min; now set its levels: scripts/levels.py {options.into}")


if __name__ == "__main__":
    try:
        main()
    except (GesturesError, MeshError) as error:
        sys.exit(f"starter: {error}")
