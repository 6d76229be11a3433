"""The clip of `gestures demo`: one performer at home, in daylight; how a scene is chosen that a model names whole."""

import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
from hand_look import SKINS, Look
from hand_mesh import unit
from hand_studio import FPS, HEIGHT, WIDTH, Studio
from tqdm import tqdm

from gestures.clips import Clip
from gestures.evaluation import replay
from gestures.importing import watch
from gestures.model import Model
from gestures.performers import Performer
from gestures.scoring import Stream, detections, score
from gestures.seeing import seen
from gestures.skeleton import ANGLES
from gestures.synthetic import GESTURES, Performance, perform

CODEC = "mp4v"
SECONDS = 23.0
SIZE = 360, 270
"""MPEG-4 as OpenCV writes it costs so many bytes a pixel, whatever is in the picture; so there are few."""
FIRST = "wave"
"""A hand that greets: it is alone in the picture and seen well, which some tests begin with."""
SELDOM = ("swipe_left", "swipe_right", "swipe_up", "push", "zoom_out")
"""What starters have missed most: hardly a scene with several of them is named whole."""
BETWEEN = ("adjust", "talk", "rest", "fidget")
FEWEST = 8
"""A scene of fewer gestures shows too little."""
ENOUGH = 4
"""So many scenes named whole are enough to choose from."""
ROOM = 5


def performance(seed: int) -> Performance:
    """One performer, right-handed and brisk, doing nine gestures in an order of the seed's, idle life between them."""
    performer = Performer(
        side="right",
        sides=("left", "right"),
        shape=np.array([0.97, 1.0, 0.97]),
        habit=np.zeros(ANGLES),
        speed=1.45,
        amplitude=1.0,
        depth_m=0.62,
        aside_m=0.0,
        view_deg=np.array([-4.0, 3.0, 0.0]),
        fov_deg=62.0,
        aspect=WIDTH / HEIGHT,
    )
    rng = np.random.default_rng(seed)
    others = [str(name) for name in rng.permutation([name for name in GESTURES if name not in (FIRST, *SELDOM)])[:8]]
    idle = [str(name) for name in rng.choice(BETWEEN, 3, replace=False)]
    script = (FIRST, idle[0], *others[:2], idle[1], *others[2:4], idle[2], *others[4:])
    return perform(seed, SECONDS, script=script, performer=performer)


def studio(seed: int) -> Studio:
    """That performer at home, in daylight."""
    skin, palm = SKINS[1]
    look = Look(
        skin=np.array(skin),
        palm=np.array(palm),
        cloth=np.array([0.20, 0.30, 0.42]),
        sleeve="long",
        light=unit(np.array([0.4, 0.6, 0.7])),
        gain=1.0,
        noise=0.0,
        blur_px=1.0,
        jpeg=100,
        shutter=0.4,
        background="room",
        person=True,
    )
    return Studio(performance(seed), look, ROOM)


def write_video(drawn: Studio, path: Path, seed: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
    """Draw a performance into `path` (.mp4), `size` pixels large, and its truth into the .json beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*CODEC), FPS, size)
    for index in range(int(drawn.performance.duration_s * FPS)):
        picture = drawn.frame(index / FPS)
        writer.write(cv2.resize(picture, size, interpolation=cv2.INTER_AREA)[..., ::-1])
    writer.release()
    truth = {
        "fps": FPS,
        "seed": seed,
        "hands": list(drawn.performance.motion),
        "spans": [asdict(act) for act in drawn.performance.acts],
    }
    path.with_suffix(".json").write_text(json.dumps(truth, indent=1) + "\n")


def doubt(model: Model, clip: Clip, acts: Performance) -> float | None:
    """How unsure a model was of its least sure event, 0..1; None where it does not name the scene as it is annotated.

    Every event must have the gesture, the side and the times (by strict matching) of an annotation, and the other way
    round.
    """
    events = replay(model, clip).events(model.manifest.labels, model.manifest.rules)
    began = [event for event in events if event.phase == "began"]
    sides = ["both" if len(act.sides) == 2 else act.sides[0] for act in acts.acts]
    if [(e.gesture, str(e.side)) for e in began] != [(a.gesture, s) for a, s in zip(acts.acts, sides, strict=True)]:
        return None
    pooled = score([Stream(acts.spans_until(SECONDS), detections(events), SECONDS)]).pooled
    return 1 - min(event.confidence for event in began) if not pooled.missed + pooled.false else None


def candidates(model: Model, tries: int) -> list[int]:
    """Seeds of scenes that a model names whole as `seen` imitates MediaPipe, those it is surest of first."""
    named: list[tuple[float, int]] = []
    for seed in tqdm(range(tries), desc="scenes", file=sys.stderr):
        scene = performance(seed)
        if len(scene.acts) < FEWEST:
            continue
        once = doubt(model, seen(scene, 2 * seed), scene)
        again = None if once is None else doubt(model, seen(scene, 2 * seed + 1), scene)
        if once is not None and again is not None:
            named.append((max(once, again), seed))
        if len(named) == ENOUGH:
            break
    return [seed for _, seed in sorted(named)]


def choose(model: Model, tries: int, most: int, into: Path) -> int | None:
    """Draw candidate after candidate, `most` at most, until the model names one whole as MediaPipe sees it: its seed.

    That one is kept in `into`. None: there was none, and `into` is as it was.
    """
    for seed in candidates(model, tries)[:most]:
        with tempfile.TemporaryDirectory() as folder:
            drawn = Path(folder) / "demo.mp4"
            write_video(studio(seed), drawn, seed, SIZE)
            unsure = doubt(model, watch(drawn, "demo"), performance(seed))
            print(f"scene {seed}: {'not named whole' if unsure is None else f'named, doubt {unsure:.2f}'}", flush=True)
            if unsure is not None:
                into.mkdir(parents=True, exist_ok=True)
                for path in (drawn, drawn.with_suffix(".json")):
                    shutil.copy(path, into / path.name)
                return seed
    return None
