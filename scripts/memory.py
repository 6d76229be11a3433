"""How well our recurrent layer remembers: long-lag tasks of the literature, beside a plain RNN and Keras's own LSTM.

Layer (Keras LSTMCell), initialisation (chrono) and optimiser (AdamW, warm-up, cosine, clipped gradients) are those that
gestures are learnt with. The rivals get the same tasks, sequences and optimiser.
"""

import hashlib
import inspect
import json
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lags
import learner
import numpy as np
import readers
from lags import TASKS, ContinualReber, Task
from learner import KINDS, Learner

from gestures.cells import chrono_biases
from gestures.errors import GesturesError
from gestures.files import write_whole
from gestures.training import optimiser

CONTINUAL = "continual reber"
STREAMS_PAPER = 14087
"""Streams that the paper's LSTM with decay needed, each read until its first mistake; 62 % of its trials succeeded."""
SYMBOLS_LEARNT = 4_000_000
SYMBOLS_TESTED = 100_000
"""Symbols of each of 100 streams without one mistake: as many in all as the paper's 10 streams of a million."""
WINDOW = 32
OVER = 0.01
"""How often a stream ends after a window without mistake, so that beginnings stay known."""


@dataclass(frozen=True, slots=True)
class Result:
    """One run: `sequences` until the task was done, None if never; `wrong` of `tested` sequences never learnt from."""

    sequences: int | None
    wrong: int
    tested: int
    seconds: float


def run(task: Task, kind: str, seed: int, tell: Callable[[str], None] = lambda _: None) -> Result:
    """Learn a task until it is done or its sequences are used up, then test on sequences never seen."""
    began = time.process_time()
    rng, fresh = np.random.default_rng((seed, 0)), np.random.default_rng((seed, 1))
    learner = Learner(task.make(np.random.default_rng(0), 100), kind, task, seed)
    recent: deque[bool] = deque(maxlen=task.recent)
    done = None
    for step in range(task.sequences // task.lanes):
        batch = task.make(rng, task.lanes)
        said, _ = learner.learn(batch, learner.begin(task.lanes))
        recent.extend(task.wrong(said, batch).tolist())
        if step % 50 == 0:
            tell(f"{task.name} {kind} {seed}: {step * task.lanes} of {task.sequences}, wrong {np.mean(recent):.3f}")
        if (
            len(recent) == task.recent
            and sum(recent) <= task.forgiven
            and (not task.proof or _wrong(task, learner, fresh, task.tested, stop=True) == 0)
        ):
            done = (step + 1) * task.lanes
            break
    tested, wrong = task.tested, 0
    if done is None or not task.proof:
        tested = min(tested, 2560)
        wrong = _wrong(task, learner, np.random.default_rng((seed, 2)), tested)
    return Result(done, wrong, tested, round(time.process_time() - began, 1))


def _wrong(task: Task, learner: Learner, rng: np.random.Generator, count: int, stop: bool = False) -> int:
    """Of `count` new sequences, how many are answered wrongly; with `stop`, no further than the first of them."""
    wrong = 0
    while count > 0 and not (stop and wrong):
        batch = task.make(rng, min(count, 100))
        said, _ = learner.say(batch, learner.begin(len(batch.inputs)))
        wrong += int(task.wrong(said, batch).sum())
        count -= len(batch.inputs)
    return wrong


def run_continual(kind: str, seed: int, tell: Callable[[str], None] = lambda _: None) -> Result:
    """Embedded Reber strings without end and without resets; done when 100 streams are read without one mistake.

    As in the paper a stream is learnt from until a mistake is made in it; ours also end now and then without one.
    `Result.sequences` counts the streams learnt from, `wrong` those of 100 in which a mistake was made.
    """
    began = time.process_time()
    task = Task(CONTINUAL, STREAMS_PAPER, lags.embedded_reber, 0.5, 0, 0, 30, SYMBOLS_LEARNT // WINDOW)
    stream = ContinualReber(np.random.default_rng((seed, 0)), task.lanes)
    learner = Learner(stream.read(WINDOW), kind, task, seed)
    rng = np.random.default_rng((seed, 2))
    memory, streams, right, wrong, done = learner.begin(task.lanes), task.lanes, 0, 0, None
    for step in range(task.sequences // task.lanes):
        batch = stream.read(WINDOW)
        said, memory = learner.learn(batch, memory)
        mistaken = task.wrong(said, batch)
        right = 0 if mistaken.any() else right + 1
        over = mistaken | (rng.random(task.lanes) < OVER)
        stream.restart(over)
        memory = [part * (~over[:, None]).astype(np.float32) for part in memory]
        streams += int(over.sum())
        if step % 200 == 0:
            tell(f"{CONTINUAL} {kind} {seed}: {streams} streams, {right} windows without a mistake")
        # A try at the test costs as much as a hundred windows.
        if right >= 30 and right % 100 == 30:
            wrong = _mistaken(learner, task, seed, step)
            if wrong == 0:
                done = streams
                break
    return Result(done, wrong or _mistaken(learner, task, seed, -1), 100, round(time.process_time() - began, 1))


def _mistaken(learner: Learner, task: Task, seed: int, step: int) -> int:
    """In how many of 100 streams of `SYMBOLS_TESTED` a mistake is made."""
    stream, memory = ContinualReber(np.random.default_rng((seed, 1, step + 1)), 100), learner.begin(100)
    wrong = np.zeros(100, bool)
    for at in range(0, SYMBOLS_TESTED, 500):
        batch = stream.read(500)
        said, memory = learner.say(batch, memory)
        wrong |= task.wrong(said, batch)
        if wrong.all() or (step >= 0 and wrong.any() and at > 5000):
            break
    return int(wrong.sum())


def table(names: Sequence[str], kinds: Sequence[str], seeds: int) -> dict[str, Any]:
    """Every task by every kind of layer and seed; what has been run before is taken from the user's cache."""
    figures: dict[str, Any] = {}
    for name in names:
        figures[name] = {"paper": TASKS[name].paper if name in TASKS else STREAMS_PAPER}
        for kind in kinds:
            results = [kept(name, kind, seed) for seed in range(seeds)]
            figures[name][kind] = [asdict(result) for result in results]
    return figures


def kept(name: str, kind: str, seed: int) -> Result:
    """The result of one run, from the cache if nothing it depends on has changed."""
    makers = [each for each in vars(lags).values() if getattr(each, "__module__", "") == lags.__name__]
    sources = [*(inspect.getsource(each) for each in makers), Path(learner.__file__).read_text()]
    sources += [inspect.getsource(each) for each in (run, _wrong, run_continual, _mistaken, chrono_biases, optimiser)]
    # Of its own task alone: another one's bounds may change, and this result stands.
    sources += [TASKS[name].settings] if name in TASKS else [str((SYMBOLS_LEARNT, SYMBOLS_TESTED, WINDOW, OVER))]
    key = hashlib.sha256("".join(sources).encode()).hexdigest()[:12]
    path = readers.cache("memory") / key / f"{name} {kind} {seed}.json".replace(" ", "-")
    if path.exists():
        return Result(**json.loads(path.read_text()))
    tell: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)
    result = run_continual(kind, seed, tell) if name == CONTINUAL else run(TASKS[name], kind, seed, tell)
    tell(f"{name} {kind} {seed}: {result}")
    write_whole(path, lambda file: file.write(json.dumps(asdict(result)).encode()), GesturesError)
    return result


def text(figures: dict[str, Any]) -> str:
    """The table as people read it: per kind, seeds passed, the middle number of sequences, the wrong in the test."""
    kinds = [kind for kind in KINDS if any(kind in row for row in figures.values())]
    lines = [f"{'task':18s}{'paper':>9s}  " + "".join(f"{kind:32s}" for kind in kinds)]
    for name, row in figures.items():
        cells = []
        for kind in kinds:
            runs = [Result(**each) for each in row.get(kind, [])]
            done = sorted(result.sequences for result in runs if result.sequences is not None)
            after = f"{done[len(done) // 2]:>7d}" if done else "  never"
            wrong = max((result.wrong / result.tested for result in runs), default=0.0)
            cells.append(f"{len(done)}/{len(runs)} after {after}, wrong {wrong:6.2%}"[:31].ljust(32))
        lines.append(f"{name:18s}{row['paper']:>9d}  " + "".join(cells))
    return "\n".join(lines)
