"""What recurrence buys: the same training with every cell, side by side on one fold."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gestures import features
from gestures.cells import CELLS
from gestures.clips import REST, ClipSet
from gestures.console import Bar
from gestures.evaluation import replay, report
from gestures.model import Model
from gestures.recipe import Recipe
from gestures.training import train

TIMED = 3000
RECIPES = {**{cell: Recipe(cell=cell) for cell in CELLS}, "lstm alone": Recipe(ahead=0)}
"""Every kind of cell; and the LSTM without the forecast head that it alone is taught with."""


def compare(learn: ClipSet, test: ClipSet, kinds: Sequence[str], steps: int, seed: int) -> dict[str, dict[str, Any]]:
    """For every kind of cell: label after parts of a clip, what a tick costs, what is remembered, the network's size.

    Trainer, features, `steps` and units are the same for all.
    """
    labels, figures = (REST, *learn.labels), {}
    for cell in kinds:
        with Bar(cell) as bar:
            recipe = replace(RECIPES[cell], steps=steps, seed=seed)
            trained = train(learn, recipe, lambda at, of, loss, bar=bar: bar.tell("learning", at, of, loss))  # type: ignore[misc]
        model = trained.model
        verdicts = [replay(model, clip).judge(labels, model.manifest.rules) for clip in test.clips]
        figures[cell] = {
            "isolated": report(verdicts, labels).isolated,
            "clips": len(verdicts),
            "step_us": round(step_us(model), 1),
            "memory_bytes": sum(part.nbytes for part in model.begin()),
            "parameters": trained.network.sequence.count_params(),
        }
    return figures


def step_us(model: Model) -> float:
    """The processor's time of one tick through the network, in microseconds: the least mean of ten stretches."""
    vectors = np.random.default_rng(0).normal(size=(TIMED // 10, features.SIZE)).astype(np.float32)
    memory, stretches = model.begin(), []
    for _ in range(10):
        began = time.process_time()
        for vector in vectors:
            _, memory = model.step(vector, memory)
        stretches.append((time.process_time() - began) / len(vectors))
    return 1e6 * min(stretches)


def text(figures: dict[str, dict[str, Any]]) -> str:
    """The table as people read it."""
    lines = [f"{'cell':12s}{'25 / 50 / 75 / 100 % seen':32s}{'a tick':>10s}{'memory':>10s}{'numbers':>10s}"]
    for cell, row in figures.items():
        shares = " / ".join(f"{share:.1%}" for share in row["isolated"].values())
        lines.append(
            f"{cell:12s}{shares:32s}{row['step_us']:>7.1f} us{row['memory_bytes']:>8d} B{row['parameters']:>10d}"
        )
    return "\n".join(lines)
