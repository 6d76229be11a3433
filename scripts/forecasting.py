"""How well a hand's next positions are forecast, beside what needs no network."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import readers

from gestures import forecast
from gestures.clips import SIDES, Clip, ClipSet, folds
from gestures.console import Bar
from gestures.model import Model
from gestures.recipe import Recipe
from gestures.recognizer import Follower
from gestures.training import train

AHEAD_S = (0.05, 0.1, 0.2, 0.4)
FIRST = 3
"""The first sight of a hand that is judged: by then all forecasters have seen it move."""
FILTERS = tuple(product((0.7, 0.85, 1.0), (0.3, 0.6, 0.9), (0.3, 0.6, 1.0)))
"""Alpha, beta, and the share of its way that a damped velocity leads, of which the best is taken."""
SHARES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
STILL = 0.15
"""Palms a second: a hand whose joints moved no faster between its last three sights is a still one."""
FITTED_ON = 60
"""Recordings of the training part that those constants are fitted on: more tell the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A hand in `slot` of a `clip`, at its frames `rows` (T,): its `joints` (T, 21, d) in the unit of the errors."""

    clip: Clip
    slot: int
    rows: npt.NDArray[np.intp]
    joints: npt.NDArray[np.float64]

    @property
    def time(self) -> npt.NDArray[np.float64]:
        """(T,) s."""
        return self.clip.time[self.rows]

    def missed(self, said: npt.NDArray[np.float64], horizon_s: float) -> npt.NDArray[np.float64]:
        """(n,) the mean distance of joints `said` (T, 21, d) from those `horizon_s` later, where these are known."""
        time, now = self.time, self._asked(horizon_s)
        if not len(now):
            return np.zeros(0)
        after = np.clip(np.searchsorted(time, time[now] + horizon_s - 1e-6), 1, len(time) - 1)
        share = (time[now] + horizon_s - time[after - 1]) / (time[after] - time[after - 1])
        before = self.joints[after - 1]
        there = before + (self.joints[after] - before) * np.clip(share, 0, 1)[:, None, None]
        distance: npt.NDArray[np.float64] = np.linalg.norm(said[now] - there, axis=2).mean(1)
        return distance

    def still(self, horizon_s: float) -> npt.NDArray[np.bool_]:
        """(n,) of which of those sights the hand was a still one."""
        palm = np.median(np.linalg.norm(self.joints[:, 9] - self.joints[:, 0], axis=1))
        moved = np.linalg.norm(np.diff(self.joints, axis=0), axis=2).mean(1)
        slow = np.append(False, moved / np.diff(self.time) <= STILL * palm)
        now = self._asked(horizon_s)
        answer: npt.NDArray[np.bool_] = slow[now] & slow[now - 1]
        return answer

    def _asked(self, horizon_s: float) -> npt.NDArray[np.intp]:
        """The sights from which a forecast so far ahead can be judged."""
        now = np.arange(FIRST - 1, len(self.rows))
        asked: npt.NDArray[np.intp] = now[self.time[now] + horizon_s <= self.time[-1] + 1e-6]
        return asked


Forecaster = Callable[[Track], npt.NDArray[np.float64]]
"""(T, 21, d) where each sight's joints will be, at a horizon that the forecaster knows."""


def coasting(gain_s: float) -> Forecaster:
    """The last velocity leads as far as it would in `gain_s` undamped; 0: the hand stays where it is."""

    def says(track: Track) -> npt.NDArray[np.float64]:
        speed = np.zeros_like(track.joints)
        speed[1:] = np.diff(track.joints, axis=0) / np.diff(track.time)[:, None, None]
        return track.joints + gain_s * speed

    return says


def alpha_beta(alpha: float, beta: float, gain_s: float) -> Forecaster:
    """A filter of place and velocity (Benedict & Bordner 1962), its velocity damped as in `coasting`."""

    def says(track: Track) -> npt.NDArray[np.float64]:
        place, speed, out = track.joints[0], np.zeros_like(track.joints[0]), track.joints.copy()
        for row, step_s in enumerate(np.diff(track.time), start=1):
            place = place + speed * step_s
            off = track.joints[row] - place
            place, speed = place + alpha * off, speed + beta / step_s * off
            out[row] = place + gain_s * speed
        return out

    return says


def fitted(tracks: Sequence[Track], horizon_s: float) -> dict[str, Forecaster]:
    """The forecasters that need no network, each with the constants that suit `tracks` best at this horizon."""

    def best(choices: Iterable[Forecaster]) -> Forecaster:
        return min(choices, key=lambda says: np.concatenate([t.missed(says(t), horizon_s) for t in tracks]).mean())

    return {
        "zero velocity": coasting(0),
        "damped constant velocity": best(coasting(share * horizon_s) for share in SHARES),
        "alpha-beta": best(alpha_beta(alpha, beta, share * horizon_s) for alpha, beta, share in FILTERS),
    }


def told(model: Model, track: Track, metric: bool) -> dict[float, npt.NDArray[np.float64]]:
    """For each of `AHEAD_S` where the live engine says that the hand of `track` will be, as its joints are given."""
    follower, ways = (
        Follower(model),
        {horizon_s: np.zeros((len(track.rows), forecast.POINTS, 3)) for horizon_s in AHEAD_S},
    )
    where = {row: k for k, row in enumerate(track.rows.tolist())}
    for row, seen in enumerate(track.clip.observations()):
        follower.push(seen)
        if row in where:
            own = [n for n, hand in follower.hands.items() if hand.side == SIDES[track.slot]]
            for horizon_s, out in ways.items():
                said = follower.ways(horizon_s)
                if own:
                    out[where[row]] = said[own[0]]
    landmarks = np.concatenate([part[track.rows, track.slot] for part in (track.clip.image, track.clip.world)], 2)
    left = track.slot == 0
    places = forecast.Places.of(landmarks, track.clip.aspect, left=left)
    flip = np.array([-1 if left else 1, 1, 1])
    return {
        horizon_s: _metres(track, places, way[:, 1:] * flip + way[:, :1])
        if metric
        else track.joints
        + 100 * (way[:, 1:] * flip + way[:, :1])[:, :, :2] * (places.unit / _palm(track))[:, None, None]
        for horizon_s, way in ways.items()
    }


def _metres(track: Track, places: forecast.Places, way: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(T, 21, 3) mm: the hand moved by `way` (T, 21, 3) palms before the camera that filmed it."""
    away = track.joints[:, :, 2].mean(1)
    depth = track.joints[:, :, 2] + way[:, :, 2] * (away / places.middle[:, 2])[:, None]
    rays = track.joints[:, :, :2] / track.joints[:, :, 2:]
    rays = rays + way[:, :, :2] * places.unit[:, None, None] / readers.FOCAL
    return np.concatenate([rays * depth[:, :, None], depth[:, :, None]], 2)


def _palm(track: Track) -> float:
    """From wrist to middle MCP in picture widths, the median."""
    image = track.clip.image[track.rows, track.slot, :, :2] / (1, track.clip.aspect)
    return float(np.median(np.linalg.norm(image[:, 9] - image[:, 0], axis=1)))


def in_palms(clip: Clip) -> list[Track]:
    """The hands of a clip while they are in sight, in % of their palm."""
    out = []
    for slot in (0, 1):
        rows = np.flatnonzero(clip.present[:, slot])
        for part in np.split(rows, np.flatnonzero(np.diff(clip.time[rows]) > forecast.GAP_S) + 1):
            if len(part) > FIRST:
                image = clip.image[part, slot, :, :2].astype(np.float64) / (1, clip.aspect)
                bare = Track(clip, slot, part, image)
                out.append(replace(bare, joints=100 * image / _palm(bare)))
    return out


def recordings(folder: Path) -> tuple[tuple[str, ...], list[tuple[Clip, list[Track]]], bool]:
    """Labels, clips with their tracks, and whether these are in mm (SFINGE3D) or in % of the palm in the picture."""
    if (folder / "isolated.npz").exists():
        takes, streams = readers.sfinge3d(folder)
        joints = [each for name in ("isolated", "streams") for _, each in readers.arrays(folder / f"{name}.npz")]
        pairs = []
        for clip, each in zip((*takes.clips, *streams.clips), joints, strict=True):
            millimetres = 1000 * readers.leap_metres(each).astype(np.float64)
            pairs.append((clip, [Track(clip, 1, np.arange(len(millimetres)), millimetres)]))
        return takes.labels, pairs, True
    takes = readers.mp_data(folder) if list(folder.glob("*.npz")) else readers.egogestar(folder)[0]
    return takes.labels, [(clip, in_palms(clip)) for clip in takes.clips], False


def table(folder: Path, recipe: Recipe, parts: int, of: int = 4) -> dict[str, Any]:
    """Mean error by forecaster and horizon over the first `parts` of `of` folds by recording, and of still hands."""
    labels, pairs, metric = recordings(folder)
    wrong: dict[str, dict[float, list[npt.NDArray[np.float64]]]] = {}
    still: dict[float, list[npt.NDArray[np.bool_]]] = {}
    for k, group in enumerate(folds(tuple(clip.person for clip, _ in pairs), of, recipe.seed)[:parts]):
        learn = [pair for pair in pairs if pair[0].person not in group]
        test = [track for clip, tracks in pairs if clip.person in group for track in tracks]
        with Bar(f"part {k + 1} of {parts}") as bar:
            takes = ClipSet(labels, tuple(clip for clip, _ in learn))
            model = train(takes, recipe, lambda at, of, loss: bar.tell("learning", at, of, loss)).model
        own = [track for _, tracks in learn for track in tracks][:: max(1, len(learn) // FITTED_ON)]
        said = [told(model, track, metric) for track in test]
        for horizon_s in AHEAD_S:
            still.setdefault(horizon_s, []).extend(track.still(horizon_s) for track in test)
            rivals = {name: [says(track) for track in test] for name, says in fitted(own, horizon_s).items()}
            for name, each in {**rivals, "network": [one[horizon_s] for one in said]}.items():
                missed = [track.missed(one, horizon_s) for track, one in zip(test, each, strict=True)]
                wrong.setdefault(name, {}).setdefault(horizon_s, []).extend(missed)
    unit, chosen = "mm" if metric else "% of the palm", {at: np.concatenate(each) for at, each in still.items()}

    def means(which: dict[float, npt.NDArray[np.bool_]]) -> dict[str, list[float]]:
        return {
            name: [round(float(np.concatenate(each[at])[which[at]].mean()), 2) for at in AHEAD_S]
            for name, each in wrong.items()
        }

    return {
        "set": folder.name,
        "split": f"{parts} of {of} folds by recording",
        "unit": unit,
        "horizons_ms": [round(1000 * horizon_s) for horizon_s in AHEAD_S],
        "sights": [len(each) for each in chosen.values()],
        **means({at: np.ones_like(each) for at, each in chosen.items()}),
        "still": {"sights": [int(each.sum()) for each in chosen.values()], **means(chosen)},
    }
