"""Run the recogniser for as long as it takes to see what grows.

scripts/soak.py [--steps N] [--seed N] [--hours H] [--videos PATH …] [--minutes M] [--json]

* steps: so many steps of the network, fed through tracks, features and decisions by the hands of data/starter, who come
  and go, break off, jump, flicker, and stay away; ten pictures a second. Other seeds jump elsewhere: counts add up.
* hours: so many hours of video through decoder, hand landmarker and recogniser, as fast as they go: the demo clip over
  and over, or the videos at the paths (files, or folders of them) in turn, at ever later times.

Of each: the growth of resident memory from a twentieth of the way (of video, three minutes) to the end, threads and
open files before and after, and whether the last stretch gave, bit for bit, what a fresh start gives for the same
pictures at the same times (of video, begun five videos earlier). Needs /proc.
"""

import argparse
import gc
import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gestures import Frame, Hand, Landmarker, Model, Observation, Recognizer, Video, load, load_set
from gestures.console import shipped
from gestures.importing import VIDEOS
from gestures.types import FARTHEST

PICTURES_HZ = 10
GAP_S = 2.0
"""Between two rounds nobody is in sight for so long: what comes after must not depend on what was before."""
EARLY, WARM_S = 0.05, 180.0
BEFORE = 5
"""So many videos the fresh landmarker sees before the last: one starts where the last one's hands were, and MediaPipe's
follower of a single hand where it saw one last, which may be two or three videos ago."""
MOST_MB = 5.0

Said = list[tuple[Any, ...]]
"""Everything that came out: events without the number of their hand, and every hand's scores."""


def main() -> int:
    """Print what grew; 1 where it was too much, or where the end was not what a fresh start gives."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=float, default=0, metavar="N", help="steps of the recogniser")
    parser.add_argument("--hours", type=float, default=0, metavar="H", help="hours of video")
    parser.add_argument(
        "--videos", type=Path, nargs="+", default=[shipped("data/demo/demo.mp4")], metavar="PATH", help="what is shown"
    )
    parser.add_argument(
        "--minutes", type=float, default=1e9, metavar="M", help="end each after M minutes at the latest"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    model = load(shipped("trained/starter"))
    figures = {}
    if given.steps:
        figures["steps"] = soak_steps(model, int(given.steps), given.minutes * 60, given.seed)
    if given.hours:
        figures["video"] = soak_video(model, videos_of(given.videos), given.hours * 3600, given.minutes * 60)
    for name, figure in figures.items():
        if not given.json:
            print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in figure.items()))
    if given.json:
        print(json.dumps(figures))
    return int(
        any(f["grown_mb"] > MOST_MB or f["threads"] or f["files"] or not f["as_fresh"] for f in figures.values())
    )


class Meter:
    """Memory, threads and open files, from the moment it is made."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.mb, self.threads, self.files = usage()

    def grown(self) -> dict[str, float]:
        """What there is more of now."""
        mb, threads, files = usage()
        return {
            "grown_mb": round(mb - self.mb, 2),
            "resident_mb": round(mb, 1),
            "threads": threads - self.threads,
            "files": files - self.files,
        }


def usage() -> tuple[float, int, int]:
    """Resident memory in MB, threads, open files."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    own = Path("/proc/self")
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20, len(list((own / "task").iterdir())), len(os.listdir(own / "fd"))  # noqa: PTH208


def said(recognizer: Recognizer, seen: Observation) -> Said:
    """All that one observation brings out of a recogniser."""
    out: Said = [tuple(replace(event, hand=0).json().values()) for event in recognizer.push(seen)]
    for scores in recognizer.scores.values():
        out.append((scores.side, scores.time, scores.probabilities.tobytes()))
    return out


class Counted:
    """A model that counts its steps."""

    def __init__(self, model: Model) -> None:
        self.manifest, self.begin, self._step, self.steps = model.manifest, model.begin, model.step, 0

    def step(self, vector: Any, memory: Any) -> Any:  # noqa: ANN401 - as Model.step
        """One more."""
        self.steps += 1
        return self._step(vector, memory)


def rounds(seed: int) -> Iterator[list[tuple[float, tuple[Hand, ...]]]]:
    """Round after round of (s from its start, hands): people of data/starter, and in each tenth what goes wrong."""
    every = 30 // PICTURES_HZ
    people = [list(clip.observations())[::every] for clip in load_set(shipped("data/starter")).clips]
    rng, number = np.random.default_rng(seed), seed
    while True:
        seen = people[number % len(people)]
        number += 1
        # One camera: its pictures have one shape.
        hands = [(o.time - seen[0].time, tuple(replace(h, aspect=4 / 3) for h in o.hands)) for o in seen]
        if number % 10 == 0:
            kind = number // 10 % 4
            if kind == 0:  # it flickers
                hands = [(t, h if k % 2 else ()) for k, (t, h) in enumerate(hands)]
            elif kind == 1:  # it jumps about, as far as a landmark may
                wild = [tuple(_wild(hand, rng) for hand in h) for _, h in hands]
                hands = [(t, w) for (t, _), w in zip(hands, wild, strict=True)]
            elif kind == 2:  # the camera hangs for an hour
                hands = [(t + 3600 * (t > 1), h) for t, h in hands]
            else:  # it stands still
                hands = [(t, hands[len(hands) // 2][1]) for t, _ in hands]
        yield hands


def _wild(hand: Hand, rng: np.random.Generator) -> Hand:
    image, world = rng.uniform(-FARTHEST, FARTHEST, (2, 21, 3)).astype(np.float32)
    return replace(hand, image=image, world=world)


def soak_steps(model: Model, steps: int, limit_s: float, seed: int) -> dict[str, Any]:
    """Feed a recogniser until its network has made so many steps."""
    counted = Counted(model)
    recognizer = Recognizer(counted)  # type: ignore[arg-type]
    source, clock, meter, pushes, events = rounds(seed), 0.0, None, 0, 0
    began = time.monotonic()
    play: list[Observation] = []
    last: Said = []
    while counted.steps < steps and time.monotonic() - began < limit_s:
        play = [Observation(clock + t, hands) for t, hands in next(source)]
        last = [each for seen in play for each in said(recognizer, seen)]
        events += sum(isinstance(each[1], str) for each in last)
        pushes += len(play)
        clock = play[-1].time + GAP_S
        said(recognizer, Observation(clock - GAP_S / 2))
        if meter is None and counted.steps > EARLY * steps:
            meter = Meter()
        if pushes % 1000 < len(play):
            print(f"\r{counted.steps:,} steps, {clock / 3600:.1f} h of hands", end="", file=sys.stderr, flush=True)
    if meter is None:
        raise SystemExit("too few steps to see anything grow: --steps 1e6")
    fresh = Recognizer(load(shipped("trained/starter")))
    again = [each for seen in play for each in said(fresh, seen)]
    return {
        "steps": counted.steps,
        "observations": pushes,
        "events": events,
        "hours_of_hands": round(clock / 3600, 1),
        "took_s": round(time.monotonic() - began),
        **meter.grown(),
        "as_fresh": again == last and len(last) > 0,
    }


def videos_of(paths: list[Path]) -> list[Path]:
    """The files among `paths`, and the videos below the folders among them."""
    found = [[path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in VIDEOS) for path in paths]
    return [path for each in found for path in each]


def soak_video(model: Model, videos: list[Path], seconds: float, limit_s: float) -> dict[str, Any]:
    """Show the videos in turn, over and over, until so many seconds of them have been seen."""
    began, meter, frames, clock, events = time.monotonic(), None, 0, 0.0, 0
    turns: list[tuple[Path, float]] = []
    last: Said = []
    with Landmarker() as landmarker:
        watch = watcher(landmarker, Recognizer(model))
        for path in itertools.cycle(videos):
            if clock >= seconds or time.monotonic() - began > limit_s:
                break
            turns.append((path, clock))
            last, count, clock = watch(path, clock)
            frames += count
            events += sum(isinstance(each[1], str) for each in last)
            if meter is None and clock > min(WARM_S, EARLY * seconds):
                meter = Meter()
            so_far = f"\r{clock / 60:.1f} min of video, {frames} pictures, {usage()[0]:.1f} MB"
            print(so_far, end="", file=sys.stderr, flush=True)
        if meter is None or len(turns) < 3:
            raise SystemExit("too little to see anything grow: --hours 0.2")
        grown = meter.grown()
    with Landmarker() as landmarker:
        watch = watcher(landmarker, Recognizer(load(shipped("trained/starter"))))
        for turn in turns[-1 - BEFORE : -1]:
            watch(*turn)
        again, _, _ = watch(*turns[-1])
    return {
        "hours": round(clock / 3600, 3),
        "videos": len({path for path, _ in turns}),
        "turns": len(turns),
        "pictures": frames,
        "events": events,
        "took_s": round(time.monotonic() - began),
        **grown,
        "as_fresh": again == last and len(last) > 0,
    }


def watcher(landmarker: Landmarker, recognizer: Recognizer) -> Callable[[Path, float], tuple[Said, int, float]]:
    """What shows a video once, from a given time on: what was said, how many pictures, the time after."""

    def watch(path: Path, start: float) -> tuple[Said, int, float]:
        out: Said = []
        frames, last = 0, 0.0
        with Video(path) as video:
            for frame in video:
                last = frame.time
                out += said(recognizer, landmarker.see(Frame(frame.image, start + frame.time)))
                frames += 1
        # The next may have pictures of another shape: live, that is the end of a stream as well.
        out += [tuple(replace(event, hand=0).json().values()) for event in recognizer.finish()]
        return out, frames, start + last + GAP_S

    return watch


if __name__ == "__main__":
    sys.exit(main())
