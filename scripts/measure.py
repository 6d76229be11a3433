"""What a frame costs, stage by stage and beside the alternatives, in one interleaved run.

scripts/measure.py [--source FILE] [--model DIR] [--frames N] [--json]

Every frame goes through every stage and every alternative before the next is read, so that a noisy machine is noisy
for all of them alike: trust the ratios. One thread, after a warm-up; median and p99 in ms. --start measures, in fresh
processes, the time from `gestures live` to its first frame, its peak memory, and whether TensorFlow was loaded.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

import gestures
from gestures import features, model
from gestures.console import shipped
from gestures.decisions import Decisions
from gestures.overlay import Overlay
from gestures.tracks import Tracker

WARM_UP = 30
T = TypeVar("T")


class Watch:
    """Adds up how long each named thing takes."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = defaultdict(list)

    def time(self, name: str, call: Callable[[], T]) -> T:
        """What `call` gives."""
        began = time.perf_counter()
        out = call()
        self.took[name].append((time.perf_counter() - began) * 1000)
        return out

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
    predict = windowed(folder)
    watch, recognizer = Watch(), gestures.Recognizer(trained)
    tracker, decisions, overlay = Tracker(), Decisions(labels, rules), Overlay(labels)
    streams: dict[int, features.FeatureStream] = {}
    memories: dict[int, model.Memory] = {}
    window = np.zeros((1, 30, features.SIZE), np.float32)
    with gestures.Video(source) as video, gestures.Landmarker() as landmarker:
        for count, frame in enumerate(video):
            if count == frames:
                break
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
                    if predict is not None and count % 5 == 0:
                        watch.time("instead: predict on 30 frames", lambda w=window: predict(w))
    return watch.table()


def windowed(folder: Path) -> Callable[[Any], Any] | None:
    """The same network asked the usual way, `predict` on a window of 30 frames; None without TensorFlow."""
    try:
        keras = model.load_keras()
    except gestures.ModelError:
        return None
    network = keras.models.load_model(folder / "model.keras", safe_mode=True)
    states = [np.zeros((1, each.shape[-1]), np.float32) for each in network.inputs[1:]]
    return lambda window: network.predict([window, *states], verbose=0)


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
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "first_frame_s": {"median": float(np.median(seconds)), "max": max(seconds), "runs": runs},
        "peak_memory_mb": peak_mb,
        "tensorflow_loaded": woke,
    }


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, default=shipped("data/demo/demo.mp4"), metavar="FILE")
    parser.add_argument("--model", type=Path, default=shipped("trained/starter"), metavar="DIR")
    parser.add_argument("--frames", type=int, default=600, metavar="N")
    parser.add_argument("--start", action="store_true", help="measure the start instead")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if options.start:
        figures: dict[str, Any] = start(options.source, options.model)
    else:
        figures = stages(options.source, options.model, options.frames)
    if options.json or options.start:
        print(json.dumps(figures, indent=None if options.json else 2))
        return 0
    whole = figures["landmarker"]["median_ms"]
    print(f"{'':36s} {'median ms':>10s} {'p99 ms':>8s} {'of landmarker':>14s} {'calls':>6s}")
    for name, row in figures.items():
        share = row["median_ms"] / whole
        print(f"{name:36s} {row['median_ms']:10.3f} {row['p99_ms']:8.3f} {share:14.4f} {row['calls']:6d}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
