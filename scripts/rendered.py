"""Rendered streams as MediaPipe sees them: what a model is judged on that has learnt from joints alone.

A stream is someone who gestures, idles in every way there is and in between is out of sight, before one camera. Of a
stream only what the landmarker saw is kept, in the user's cache, so that the next model is judged in seconds.
"""

import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import hand_look
import hand_mesh
import hand_studio
import numpy as np
from hand_look import Look
from hand_studio import Studio
from readers import cache
from tqdm import tqdm

from gestures import glances, landmarks, skeleton, synthetic
from gestures.clips import Clip, load_clip, save_clip
from gestures.evaluation import replay
from gestures.landmarks import MODEL_SHA256, Landmarker
from gestures.model import Model
from gestures.scoring import Tally, score, start_rule
from gestures.seeing import frame_times
from gestures.skeleton import Array
from gestures.synthetic import Performance
from gestures.types import Frame

FIRST_SEED = 900_000_000
STREAM_S = 30.0
BUSY = 0.6
"""Share of gestures among what is done: in time they are less than a fifth of such a stream."""
RATES_HZ = (20.0, 30.0)
SIZES = ((640, 480), (640, 360))


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One performance before one camera: how it looks, how large its pictures are, and `times` (T,) s of each."""

    seed: int
    performance: Performance
    look: Look
    size: tuple[int, int]
    rate_hz: float
    times: Array

    @classmethod
    def random(
        cls,
        seed: int,
        gestures: Sequence[str] = synthetic.GESTURES,
        idle: Sequence[str] = synthetic.IDLE,
        loosely: bool = False,
    ) -> "Scene":
        """Anyone, anywhere, in any light; every fifth seed only idles. `loosely` as `synthetic.perform` has it."""
        rng = np.random.default_rng((seed, 1))
        width, height = SIZES[int(rng.integers(len(SIZES)))]
        busy = 0.0 if seed % 5 == 0 else BUSY
        performance = synthetic.perform(
            seed, STREAM_S, gestures=gestures, idle=idle, busy=busy, aspect=width / height, loosely=loosely
        )
        rate_hz = float(rng.uniform(*RATES_HZ))
        times = frame_times(rng, performance.duration_s, rate_hz)
        return cls(seed, performance, Look.random(rng), (width, height), rate_hz, times)

    @property
    def key(self) -> str:
        """Tells this scene from every other: its poses and its truth, its look, what draws it and what looks at it."""
        digest = hashlib.sha256(repr((self.seed, self.size, self.rate_hz, self.look, self.performance.acts)).encode())
        digest.update(repr(self.performance.performer).encode() + self.times.tobytes())
        for side in self.performance.motion:
            hand = self.performance.posed(side, self.times)
            for array in (hand.angles, hand.turn, hand.wrist, hand.forearm):
                digest.update(array.tobytes())
        for module in (hand_look, hand_mesh, hand_studio, skeleton, landmarks, glances):
            digest.update(Path(str(module.__file__)).read_bytes())
        return hashlib.sha256(digest.digest() + MODEL_SHA256.encode()).hexdigest()[:24]

    def watch(self) -> Clip:
        """Draw it, picture by picture, and look at it: minutes."""
        studio = Studio(self.performance, self.look, self.seed, self.size, self.rate_hz)
        with Landmarker() as landmarker:
            seen = [landmarker.see(Frame(studio.frame(time), time)) for time in self.times.tolist()]
        clip = Clip.of(seen, f"rendered-{self.seed}", self.performance.spans_until(float(self.times[-1])))
        return replace(clip, aspect=self.size[0] / self.size[1])


def streams(count: int, seed: int = 0, *, draw: bool = True) -> Iterator[Clip]:
    """What is seen of `count` scenes from `seed` on; without `draw` only of those that have been drawn before.

    Raise `MeshError` when a new one cannot be drawn.
    """
    first = FIRST_SEED + seed
    return watched(map(Scene.random, range(first, first + count)), count, draw)


def watched(scenes: Iterable[Scene], count: int, draw: bool) -> Iterator[Clip]:
    """What is seen of each of `count` scenes, as it was before or, with `draw`, drawn now."""
    for scene in tqdm(scenes, total=count, desc="rendered streams", file=sys.stderr):
        kept = cache("rendered") / f"{scene.key}.npz"
        if draw and not kept.exists():
            save_clip(scene.watch(), kept)
        if kept.exists():
            yield load_clip(kept)


def judge(model: Model, clips: Sequence[Clip]) -> tuple[Tally, Tally]:
    """How a model does on streams: strict matching, and the rule that looks at the start of an event only."""
    labels, rules = model.manifest.labels, model.manifest.rules
    told = [replay(model, clip).stream(labels, rules) for clip in clips]
    return score(told), score(told, start_rule())


def judgement(clips: Sequence[Clip], strict: Tally, starts: Tally) -> str:
    """The same as people read it."""
    figures, pooled, eased = strict.json(), strict.pooled.json(), starts.pooled.json()
    watched_s = sum(clip.duration_s for clip in clips)
    gestured_s = sum(span.end - span.start for clip in clips for span in clip.spans)
    hands = np.concatenate([clip.present.any(1) for clip in clips]).mean()
    lines = [
        f"{len(clips)} rendered streams, {watched_s / 60:.1f} min, {1 - gestured_s / watched_s:.0%} of it idle, "
        f"a hand seen in {hands:.0%} of the pictures",
        *(
            f"  {key}   class mean {_share(figures[key])}   pooled {_share(pooled[key])}"
            f"   pooled by start {_share(eased[key])}"
            for key in ("DR", "FP", "JI")
        ),
        f"  Levenshtein {_share(figures['levenshtein'])}   decided after {_share(figures['NTtD'])} of the gesture",
        f"  {figures['false_accepts']} false accepts in {figures['hours']:.2f} h without any gesture",
        f"  {'gesture':12s} shown  found  false  found by start",
    ]
    for gesture, counts in strict.per_class.items():
        by_start = starts.per_class[gesture].ok
        lines.append(f"  {gesture:12s} {counts.annotated:5d}  {counts.ok:5d}  {counts.false:5d}  {by_start:5d}")
    return "\n".join(lines)


def _share(value: float | None) -> str:
    return "   – " if value is None else f"{value:5.3f}"
