"""What the recogniser costs as things grow: gestures, hands, streams, hours."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import gestures
from gestures import features, forecast, model
from gestures.console import shipped
from gestures.network import Network
from gestures.recognizer import Follower

PASSES = 3


def curves(folder: Path, into: Path) -> dict[str, dict[str, float]]:
    """Cost in ms of one push, against each; drawn into `into`/cost.png."""
    trained = gestures.load(folder)
    seen = _takes()
    sizes = {n: _untrained(n, trained.manifest.units) for n in (5, 20, 100)}
    wide = sizes[20]
    figures = {
        "gestures": {str(n): _push_ms(each, seen) for n, each in sizes.items()},
        "hands": {str(n): _push_ms(trained, _crowd(seen, n)) for n in (1, 2, 4, 8)},
        "streams": {str(n): _streams_ms(trained, seen, n) for n in (1, 10, 100, 1000)},
        "streams, the step alone": {str(n): _steps_ms(wide, n) for n in (1, 2, 4, 16, 64, 256, 1000)},
        "hours": _hours_ms(trained, seen),
    }
    _draw(figures, into)
    return figures


def _takes() -> list[gestures.Observation]:
    """20 s of one recorded hand at a time."""
    clip = gestures.load_set(shipped("data/starter")).clips[0]
    return [gestures.Observation(each.time, each.hands[:1]) for each in clip.observations() if each.hands][:500]


def _untrained(labels: int, units: tuple[int, ...]) -> model.Model:
    """A network of the same size for so many gestures: what it says costs the same whether it is right or not."""
    network = Network(labels, units, np.zeros(features.SIZE), np.ones(features.SIZE))
    names = ("rest", *(f"gesture_{n}" for n in range(1, labels)))
    return model.Model(model.Manifest(names, units), network.export())


def _crowd(seen: list[gestures.Observation], hands: int) -> list[gestures.Observation]:
    """The same hand so many times, beside itself."""
    offsets = [np.array([3 * n, 0, 0], np.float32) for n in range(hands)]
    return [
        gestures.Observation(
            each.time,
            tuple(
                gestures.Hand(h.image + by, h.world, h.side, h.score, h.aspect) for by in offsets for h in each.hands
            ),
        )
        for each in seen
    ]


def pushes(trained: model.Model, seen: list[gestures.Observation]) -> list[float]:
    """What each observation costs a new recognizer, s of the processor."""
    recognizer, took = gestures.Recognizer(trained), []
    for each in seen:
        began = time.thread_time()
        recognizer.push(each)
        took.append(time.thread_time() - began)
    return took


def both_heads(trained: model.Model, ticks: int = 2000) -> list[float]:
    """What a step costs with the forecast made at every tick, s of the processor; of made-up features and motion."""
    rng = np.random.default_rng(0)
    memory, took = trained.begin(), []
    for vector, motion in zip(
        rng.normal(size=(ticks, features.SIZE)), rng.normal(size=(ticks, forecast.MOTION)), strict=True
    ):
        given = vector.astype(np.float32), motion.astype(np.float32)
        began = time.thread_time()
        _, memory = trained.step(given[0], memory)
        trained.forecast(given[0], memory, given[1])
        took.append(time.thread_time() - began)
    return took


def _push_ms(trained: model.Model, seen: list[gestures.Observation]) -> float:
    """The median over observations of the least of `PASSES` passes."""
    passes = [pushes(trained, seen) for _ in range(PASSES)]
    return 1000 * float(np.median(np.min(passes, 0)))


def _streams_ms(trained: model.Model, seen: list[gestures.Observation], count: int) -> float:
    """One observation for each of `count` streams in turn, a stream's share."""
    followers, took = [Follower(trained) for _ in range(count)], []
    for each in seen[: max(6, 500 // count)]:
        began = time.process_time()
        for follower in followers:
            follower.push(each)
        took.append((time.process_time() - began) / count)
    return 1000 * float(np.median(took))


def _steps_ms(wide: model.Model, count: int) -> float:
    """The network's step for `count` streams at once, a stream's share."""
    rng, took = np.random.default_rng(0), []
    memory = tuple(np.repeat(part, count, 0) for part in wide.begin())
    for _ in range(max(10, 2000 // count)):
        vectors = rng.normal(size=(count, features.SIZE)).astype(np.float32)
        began = time.process_time()
        _, memory = wide.step_many(vectors, memory)
        took.append((time.process_time() - began) / count)
    return 1000 * float(np.median(took))


def _hours_ms(trained: model.Model, seen: list[gestures.Observation]) -> dict[str, float]:
    """One recogniser through an hour of the same hand again and again; what it costs in each tenth."""
    recognizer, out = gestures.Recognizer(trained), {}
    ends = [n / 10 for n in range(1, 11)]
    took: list[float] = []
    for each in _again(seen):
        began = time.process_time()
        recognizer.push(each)
        took.append(time.process_time() - began)
        if each.time / 3600 >= ends[0]:
            out[str(ends.pop(0))] = 1000 * float(np.median(took))
            took.clear()
            if not ends:
                return out
    return out


def _again(seen: list[gestures.Observation]) -> Iterator[gestures.Observation]:
    length = seen[-1].time - seen[0].time + 1
    for lap in itertools.count():
        for each in seen:
            yield gestures.Observation(each.time - seen[0].time + lap * length, each.hands)


def _draw(figures: dict[str, Any], into: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    into.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(1, len(figures), figsize=(16, 3), layout="constrained")
    for axis, (name, row) in zip(axes, figures.items(), strict=True):
        axis.plot([float(n) for n in row], list(row.values()), marker="o")
        streams = name.startswith("streams")
        axis.set(xlabel=name, ylabel="ms a stream" if streams else "ms a push", ylim=(0, 1.2 * max(row.values())))
        axis.set_xscale("log" if streams else "linear")
    figure.savefig(into / "cost.png", dpi=80)
    plt.close(figure)
