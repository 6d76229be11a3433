"""What a frame costs, stage by stage and beside the alternatives, in one interleaved run.

scripts/measure.py [--source FILE] [--model DIR] [--frames N] [--json]     stages and alternatives
scripts/measure.py --pipeline | --trials N | --replay | --start | --curves DIR

Every frame goes through every alternative before the next is read, so that a noisy machine is noisy for all of them
alike: trust the ratios. Times are the processor's own, after a warm-up, so other programs disturb them little.

--pipeline  landmarker and recogniser beside MediaPipe's landmarker asked for two hands in every picture: with two
            hands, one and none in view, 360 and 720 lines, 30 and 60 pictures a second. Ratios of ten stretches. And
            the step beside `predict` on 30 pictures and `tf.function` on one, after every tenth, and beside itself
            where it runs: after the landmarker, which leaves nothing of it in the caches.
--trials    how much later than that landmarker a second hand, and a hand in an idle room, are found.
--replay    landmarks recorded with the starter set through the recogniser: how much faster than they were recorded,
            and what a hand's tick costs, and the network's step with its forecast: each the least of five passes, for
            the work is the same in all, and as it was.
--start     in fresh processes: from `gestures live` to its first frame, its peak memory, whether TensorFlow was loaded.
--curves    cost against number of gestures, hands, streams and hours, drawn into DIR.
"""

import argparse
import copy
import itertools
import json
import os
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from curves import both_heads, curves, pushes
from instead import Bare, alternatives
from scenes import HANDS, Scenes

import gestures
from gestures import features, model
from gestures.console import shipped
from gestures.decisions import Decisions
from gestures.overlay import Overlay
from gestures.tracks import Tracker

WARM_UP = 30
PASSES = 5
IN_PLACE = "step after the landmarker"
T = TypeVar("T")


class Watch:
    """Adds up how long each named thing takes."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = defaultdict(list)

    def time(self, name: str, call: Callable[[], T]) -> T:
        """What `call` gives."""
        began = time.process_time()
        out = call()
        self.took[name].append((time.process_time() - began) * 1000)
        return out

    def ratios(self, to: str) -> dict[str, float]:
        """How many times `to` each of the others costs: of the medians, and of the quarters at either end."""
        low, middle, high = (
            {name: float(np.percentile(took, share)) for name, took in self.took.items()} for share in (25, 50, 75)
        )
        return {
            f"{name} / {to}{end}": value
            for name in self.took
            if name != to
            for end, value in (
                ("", middle[name] / middle[to]),
                (", least", low[name] / high[to]),
                (", most", high[name] / low[to]),
            )
        }

    def table(self) -> dict[str, dict[str, float]]:
        """Median and p99 of each, ms, without the warm-up."""
        rows = {name: np.array(took[WARM_UP:] or took) for name, took in self.took.items()}
        return {
            name: {"median_ms": float(np.median(row)), "p99_ms": float(np.percentile(row, 99)), "calls": len(row)}
            for name, row in rows.items()
        }


def stages(source: Path, folder: Path, frames: int) -> dict[str, Any]:
    """Run the pipeline stage by stage over `source`, beside what common practice would run instead of the step."""
    trained = gestures.load(folder)
    labels, rules = trained.manifest.labels, trained.manifest.rules
    instead = alternatives(folder)
    watch, recognizer = Watch(), gestures.Recognizer(trained)
    tracker, decisions, overlay = Tracker(), Decisions(labels, rules), Overlay(labels)
    streams: dict[int, features.FeatureStream] = {}
    memories: dict[int, model.Memory] = {}
    window = np.zeros((1, 30, features.SIZE), np.float32)
    with gestures.Video(source) as video, gestures.Landmarker() as landmarker:
        for count, frame in enumerate(itertools.islice(video, frames)):
            seen = watch.time("landmarker", lambda f=frame: landmarker.see(f))
            events = watch.time("recognizer (tracks to decisions)", lambda s=seen: recognizer.push(s))
            watch.time("overlay", lambda f=frame, s=seen, e=events: overlay.draw(f, s, recognizer.scores, e))
            live, gone = watch.time("  tracks", lambda s=seen: tracker.update(s))
            for number in gone:
                streams.pop(number, None)
                memories.pop(number, None)
            for number, hand in live.items():
                stream = streams.setdefault(number, features.FeatureStream())
                for tick, vector in watch.time("  features", lambda s=stream, h=hand, t=frame.time: s.push(t, h)):
                    before = memories.setdefault(number, trained.begin())
                    p, memories[number] = watch.time("  step (LiteRT)", lambda v=vector, m=before: trained.step(v, m))
                    scores = gestures.Scores(tick, p, number, hand.side)
                    watch.time("  decisions", lambda s=scores: decisions.push([s], [], s.time))
                    window = np.concatenate([window[:, 1:], vector[None, None]], 1)
                    if count % 5 == 0:
                        for name, call in instead.items():
                            watch.time(f"instead: {name}", lambda c=call, w=window: c(w))
    return watch.table()


def pipeline(source: Path, folder: Path, frames: int) -> dict[str, dict[str, float]]:
    """For each scene: how many times more pictures a second than the bare landmarker, and its share of the CPU."""
    trained, scenes, instead, rows = gestures.load(folder), Scenes(source), alternatives(folder), {}
    window, memory = np.zeros((1, 30, features.SIZE), np.float32), trained.begin()
    for kind, height, rate_hz in itertools.product(HANDS, (360, 720), (30, 60)):
        costs, watch = [], Watch()
        recognizer = gestures.Recognizer(_timed(trained, watch))
        with Bare() as bare, gestures.Landmarker() as landmarker:
            for frame in itertools.islice(scenes.frames(kind, height, rate_hz), frames):
                began = time.process_time()
                hands = bare.see(frame)
                between = time.process_time()
                recognizer.push(landmarker.see(frame))
                costs.append((hands == HANDS[kind], between - began, time.process_time() - between))
                if len(costs) % 10 == 0:
                    trained.step(window[0, -1], memory)
                    watch.time("step", lambda: trained.step(window[0, -1], memory))
                    for name, call in instead.items():
                        watch.time(name, lambda c=call: c(window))
        counted = np.array([cost[1:] for cost in costs[WARM_UP:] if cost[0]])
        ratios = [stretch[:, 0].sum() / stretch[:, 1].sum() for stretch in np.array_split(counted, 10)]
        rows[f"{kind} in view, {height} lines, {rate_hz} Hz"] = {
            "frames": len(counted),
            "bare_ms": 1000 * counted[:, 0].mean(),
            "ours_ms": 1000 * counted[:, 1].mean(),
            "ratio": counted[:, 0].sum() / counted[:, 1].sum(),
            "ratio_least": min(ratios),
            "ratio_most": max(ratios),
            **watch.ratios("step"),
            **(watch.ratios(IN_PLACE) if IN_PLACE in watch.took else {}),
        }
    return rows


def _timed(trained: model.Model, watch: Watch) -> model.Model:
    """The same model; what each step costs where it runs, after a landmarker that left nothing in the caches."""
    timed, step = copy.copy(trained), trained.step
    timed.step = lambda vector, memory: watch.time(IN_PLACE, lambda: step(vector, memory))  # type: ignore[method-assign]
    return timed


def trials(source: Path, count: int) -> dict[str, Any]:
    """How much later than the bare landmarker a hand is found that comes into view at any moment, s."""
    scenes, rng, out = Scenes(source), np.random.default_rng(0), {}
    for before, after, hands in (("one", "two", 2), ("none", "two", 1)):
        late: list[float] = []
        while len(late) < count:
            start, lead = int(rng.integers(len(scenes.pictures))), int(rng.integers(30, 60))
            late += _late(scenes, (before, after, hands), start, lead)
        row = np.array(late)
        out[f"{before}, then {after}"] = {
            "trials": count,
            "within_0.15_s": float((row <= 0.15 + 1e-6).mean()),
            "within_0.2_s": float((row <= 0.2 + 1e-6).mean()),
            "median_s": float(np.median(row)),
            "worst_s": float(row.max()),
        }
    return out


def _late(scenes: Scenes, change: tuple[str, str, int], start: int, lead: int) -> list[float]:
    """One trial's delay; nothing where the bare landmarker sees no such hand, or saw it before it came."""
    before, after, hands = change
    found: dict[str, float] = {}
    with Bare() as bare, gestures.Landmarker() as landmarker:
        pair = zip(scenes.frames(before, 360, 30, start), scenes.frames(after, 360, 30, start), strict=True)
        for number, (early, late) in enumerate(itertools.islice(pair, lead + 45)):
            frame = early if number < lead else late
            seen = {"bare": bare.see(frame), "ours": len(landmarker.see(frame).hands)}
            if number < lead:
                # A trial starts from what both see: one hand less than will be there.
                if number >= lead - 5 and seen["bare"] != hands - 1:
                    return []
                continue
            found |= {name: frame.time for name, n in seen.items() if n >= hands and name not in found}
            if len(found) == 2 or ("bare" not in found and number > lead + 15):
                break
    if "bare" not in found:
        return []
    return [max(0.0, found.get("ours", found["bare"] + 1.0) - found["bare"])]


def replay(folder: Path) -> dict[str, Any]:
    """The starter set's recordings through the recogniser, `PASSES` times as recorded, then at one tick a picture."""
    trained = gestures.load(folder)
    seen = [list(clip.observations()) for clip in gestures.load_set(shipped("data/starter")).clips]
    recorded_s = sum(observations[-1].time - observations[0].time for observations in seen)
    whole = max(sum(sum(pushes(trained, each)) for each in seen) for _ in range(PASSES))
    rate_hz = trained.manifest.rate_hz
    even = [[replace(each, time=n / rate_hz) for n, each in enumerate(observations)] for observations in seen]
    passes = [[cost for each in even for cost in pushes(trained, each)] for _ in range(PASSES)]
    count = np.array([len(each.hands) for observations in even for each in observations])
    return {
        "recorded_s": recorded_s,
        "times_real_time": recorded_s / whole,
        "tick_ms": {f"{n} in view": _spread_ms(np.array(passes)[:, count == n] / n) for n in (1, 2)},
        "both_heads_ms": _spread_ms(np.array([both_heads(trained) for _ in range(PASSES)])),
    }


def _spread_ms(passes: npt.NDArray[np.float64]) -> dict[str, float]:
    """Median and p99 of the least of the passes (the work is the same in all), and of every push as it was."""
    least = passes.min(0)
    return {
        "median": 1000 * float(np.median(least)),
        "p99": 1000 * float(np.percentile(least, 99)),
        "p99_of_every_pass": 1000 * float(np.percentile(passes, 99)),
    }


def start(source: Path, folder: Path, runs: int = 5) -> dict[str, Any]:
    """Start `gestures live` afresh `runs` times: seconds to the first frame, peak memory, whether TensorFlow woke."""
    code = (
        "import sys, time; began = time.time(); import gestures.cli as c, gestures.recognizer as r\n"
        "push = r.Recognizer.push\n"
        "def first(self, seen):\n"
        "    push(self, seen); sys.stderr.write(f'FIRST {time.time()}\\n'); raise KeyboardInterrupt\n"
        "r.Recognizer.push = first\n"
        f"code = c.main(['live', '--source', {str(source)!r}, '--model', {str(folder)!r}, '--no-window'])\n"
        "sys.stderr.write(f'TENSORFLOW {\"tensorflow\" in sys.modules}\\n')"
    )
    seconds, woke = [], False
    for _ in range(runs):
        began = time.time()
        done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
        words = [line.split() for line in done.stderr.splitlines()]
        seconds.append(next(float(w[1]) for w in words if w[:1] == ["FIRST"]) - began)
        woke |= ["TENSORFLOW", "True"] in words
    whole = [sys.executable, "-m", "gestures.cli", "live", "--source", str(source), "--model", str(folder)]
    subprocess.run([*whole, "--no-window"], check=True, capture_output=True)
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "import_numpy_s": _least_s("import numpy", runs),
        "import_s": _least_s("import gestures", runs),
        "help_s": _least_s("import gestures.cli; gestures.cli.main(['--help'])", runs),
        "first_frame_s": {"median": float(np.median(seconds)), "max": max(seconds), "runs": runs},
        "peak_memory_mb": peak_mb,
        "tensorflow_loaded": woke,
    }


def _least_s(code: str, runs: int) -> float:
    """The least processor time of `runs` fresh interpreters for `code`, their own start taken off, s."""
    least = {}
    for each in ("pass", code):
        took = []
        for _ in range(runs):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", each], check=False, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        least[each] = min(took)
    return least[code] - least["pass"]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, default=shipped("data/demo/demo.mp4"), metavar="FILE")
    parser.add_argument("--model", type=Path, default=shipped("trained/starter"), metavar="DIR")
    parser.add_argument("--frames", type=int, default=600, metavar="N")
    parser.add_argument("--pipeline", action="store_true", help="beside the bare landmarker")
    parser.add_argument("--trials", type=int, metavar="N", help="how late hands are found")
    parser.add_argument("--replay", action="store_true", help="from landmarks on")
    parser.add_argument("--start", action="store_true", help="measure the start instead")
    parser.add_argument("--curves", type=Path, metavar="DIR", help="draw cost against what grows")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if options.pipeline:
        figures: dict[str, Any] = pipeline(options.source, options.model, options.frames)
    elif options.trials:
        figures = trials(options.source, options.trials)
    elif options.replay:
        figures = replay(options.model)
    elif options.start:
        figures = start(options.source, options.model)
    elif options.curves:
        figures = curves(options.model, options.curves)
    else:
        figures = stages(options.source, options.model, options.frames)
    if options.json or "landmarker" not in figures:
        print(json.dumps(figures, indent=None if options.json else 2))
        return 0
    whole, step = figures["landmarker"]["median_ms"], figures["  step (LiteRT)"]["median_ms"]
    print(f"{'':36s} {'median ms':>10s} {'p99 ms':>8s} {'of landmarker':>14s} {'of step':>9s} {'calls':>6s}")
    for name, row in figures.items():
        cost = row["median_ms"]
        print(f"{name:36s} {cost:10.3f} {row['p99_ms']:8.3f} {cost / whole:14.4f} {cost / step:9.1f} {row['calls']:6d}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
