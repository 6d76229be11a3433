"""Tasks that only a memory can do: Hochreiter & Schmidhuber 1997, and Gers, Schmidhuber & Cummins 2000.

Each is a maker of sequences and the bound within which every output that counts must lie. Arithmetic only.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gestures.types import Floats

Rng: TypeAlias = np.random.Generator
Whole: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Sequences: `inputs` (n, T, in), `targets` (n, T, out), `counts` (n, T) 1 where the output counts, else 0.

    `legal` (n, T, out) is 1 for every symbol that might have followed, where more than one might; None elsewhere.
    """

    inputs: Floats
    targets: Floats
    counts: Floats
    legal: Floats | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A task, when it is done, and how our network learns it.

    `paper` is the number of sequences its authors' network needed. An answer is wrong when an output is `bound` or more
    off; of grammars, when a symbol that may not follow is as likely as one that may. Done is: at most `forgiven` wrong
    of the last `recent` sequences learnt from, and then, if `proof`, of as many as `tested` never seen none wrong.
    Named outputs are a softmax (`named`), others linear. With a `shortcut`, as its authors gave it, the read-out sees
    the input as well. `longest` ticks is the lag that the memory is initialised for.
    `sequences` may be learnt from at most, `lanes` at once, at the `rate` from which the learning rate falls to 0.
    """

    name: str
    paper: int
    make: Callable[[Rng, int], Batch]
    bound: float
    recent: int
    tested: int
    longest: int
    sequences: int
    forgiven: int = 0
    proof: bool = False
    named: bool = True
    shortcut: bool = False
    units: int = 32
    lanes: int = 32
    rate: float = 1e-2

    @property
    def settings(self) -> str:
        """All that tells it from another of the same maker."""
        given = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "make"}
        maker = self.make if isinstance(self.make, partial) else partial(self.make)
        return f"{given} {maker.func.__name__} {maker.keywords}"

    def wrong(self, outputs: Floats, batch: Batch) -> npt.NDArray[np.bool_]:
        """Which sequences (n,) of `batch` are answered wrongly by `outputs` (n, T, out)."""
        if batch.legal is None:
            off = np.abs(outputs - batch.targets).max(2) >= self.bound
        else:
            least = np.where(batch.legal > 0, outputs, np.inf).min(2)
            off = least <= np.where(batch.legal > 0, -np.inf, outputs).max(2)
        answer: npt.NDArray[np.bool_] = (off & (batch.counts > 0)).any(1)
        return answer


def _hot(symbols: Whole, kinds: int) -> Floats:
    return np.eye(kinds, dtype=np.float32)[symbols]


def _at_the_end(inputs: Floats, ends: Whole, answers: Floats) -> Batch:
    """Asked once, at tick `ends` (n,) of each sequence."""
    n, ticks = inputs.shape[:2]
    targets, counts = np.zeros((n, ticks, answers.shape[1]), np.float32), np.zeros((n, ticks), np.float32)
    targets[np.arange(n), ends], counts[np.arange(n), ends] = answers, 1
    return Batch(inputs, targets, counts)


def locally_regular(rng: Rng, n: int, p: int = 100) -> Batch:
    """Task 2a: x a1 … a(p-1) x or y a1 … a(p-1) y; say the next symbol each time, the last from the first.

    There are no others than these two, and they come in turn: of few sequences drawn at random one kind outnumbers the
    other, every correction then turns all units towards it, and since nothing else ever varies the cells fill up until
    nothing is seen of what they hold.
    """
    first = (np.arange(n)[:, None] + rng.integers(0, 2)) % 2
    line = np.concatenate([first, np.tile(np.arange(2, p + 1), (n, 1)), first], 1)
    hot = _hot(line, p + 1)
    return Batch(hot[:, :-1], hot[:, 1:], np.ones((n, p), np.float32))


def irregular(rng: Rng, n: int, lag: int = 1000, p: int = 50) -> Batch:
    """Task 2c: b, x or y, `lag` or more of p distractors, e; then say which it was. On average 9 more than `lag`."""
    lengths = lag + rng.geometric(0.1, n) - 1
    line = rng.integers(4, 4 + p, (n, lengths.max() + 3))
    first = rng.integers(0, 2, n)
    line[:, 0], line[:, 1] = 2, first
    line[np.arange(n), lengths + 2] = 3
    return _at_the_end(_hot(line, p + 4), lengths + 2, _hot(first, 2))


def _marked(rng: Rng, n: int, lag: int, values: Floats) -> tuple[Floats, Whole, Floats]:
    """Pairs (value, mark), the tick of each sequence's end, and the two values (n, 2) that are marked 1."""
    ends = rng.integers(lag, lag + lag // 10 + 1, n) - 1
    rows = np.arange(n)
    one = rng.integers(0, 10, n)
    two = rng.integers(0, lag // 2 - 2, n)
    two += two >= one
    marks = np.zeros(values.shape, np.float32)
    marks[:, 0] = marks[rows, ends] = -1
    marks[rows, one] = marks[rows, two] = 1
    return np.stack([values, marks], 2), ends, values[rows[:, None], np.stack([one, two], 1)]


def adding(rng: Rng, n: int, lag: int = 100) -> Batch:
    """Task 4: 0.5 + a quarter of the sum of the two marked values, which lie in -1..1."""
    inputs, ends, pair = _marked(rng, n, lag, rng.uniform(-1, 1, (n, lag + lag // 10)).astype(np.float32))
    return _at_the_end(inputs, ends, 0.5 + pair.sum(1, keepdims=True) / 4)


def multiplying(rng: Rng, n: int, lag: int = 100) -> Batch:
    """Task 5: the product of the two marked values, which lie in 0..1."""
    inputs, ends, pair = _marked(rng, n, lag, rng.uniform(0, 1, (n, lag + lag // 10)).astype(np.float32))
    return _at_the_end(inputs, ends, pair.prod(1, keepdims=True))


def order(rng: Rng, n: int, places: tuple[tuple[int, int], ...]) -> Batch:
    """Task 6: X or Y at each of a few `places` (from, to) among distractors a, b, c, d: which were they, in order?"""
    ends = rng.integers(100, 111, n) - 1
    line = rng.integers(4, 8, (n, 110))
    rows, answer = np.arange(n), np.zeros(n, np.int64)
    line[:, 0], line[rows, ends] = 2, 3
    for start, end in places:
        which = rng.integers(0, 2, n)
        line[rows, rng.integers(start, end + 1, n)] = which
        answer = 2 * answer + which
    return _at_the_end(_hot(line, 8), ends, _hot(answer, 2 ** len(places)))


def _grammar() -> tuple[Whole, Whole]:
    """The embedded Reber grammar as symbols (19, 2) and next states (19, 2): both the same where there is no choice."""
    inner = (
        ("B", 1),
        ("T", 2, "P", 3),
        ("S", 2, "X", 4),
        ("T", 3, "V", 5),
        ("X", 3, "S", 6),
        ("P", 4, "V", 6),
        ("E", 7),
    )
    moves: list[tuple[str | int, ...]] = [("B", 1), ("T", 2, "P", 10)]
    for branch, start in (("T", 2), ("P", 10)):
        moves += [tuple(start + to if isinstance(to, int) else to for to in move) for move in inner]
        moves.append((branch, 18))
    moves.append(("E", 0))
    symbols = [[SYMBOLS.index(str(move[k])) for k in (0, -2)] for move in moves]
    return np.array(symbols), np.array([[move[1], move[-1]] for move in moves], np.int64)


SYMBOLS = "BTPSXVE"
SAYS, GOES = _grammar()
LEGAL = np.maximum(_hot(SAYS[:, 0], 7), _hot(SAYS[:, 1], 7))


def walk(rng: Rng, state: Whole, ticks: int) -> tuple[Whole, Whole]:
    """Read on from `state` (n,) of the grammar: the symbols (n, ticks), and the state after each."""
    way = rng.integers(0, 2, (ticks, len(state)))
    said, after = np.empty((ticks, len(state)), np.int64), np.empty((ticks, len(state)), np.int64)
    for tick, turn in enumerate(way):
        said[tick], state = SAYS[state, turn], GOES[state, turn]
        after[tick] = state
    return said.T, after.T


def embedded_reber(rng: Rng, n: int) -> Batch:
    """Task 1: say which symbols may follow, each time; the last but one is the second, however long ago."""
    said, after = walk(rng, np.zeros(n, np.int64), 80)
    before_end = np.cumsum(after == 0, 1) == 0
    ticks = int(before_end.sum(1).max())
    inputs, targets, _, legal = _reading(said[:, : ticks + 1], after[:, : ticks + 1])
    return Batch(inputs, targets, before_end[:, :ticks].astype(np.float32), legal)


def _reading(said: Whole, after: Whole) -> tuple[Floats, Floats, Floats, Floats]:
    """The fields of a `Batch` in which each symbol is followed by the next."""
    hot = _hot(said, 7)
    return hot[:, :-1], hot[:, 1:], np.ones(hot[:, 1:].shape[:2], np.float32), LEGAL[after[:, :-1]]


class ContinualReber:
    """The same strings without end, side by side, nothing said of where one ends: each call reads on where it was."""

    def __init__(self, rng: Rng, lanes: int) -> None:
        self._rng = rng
        self._said, self._after = walk(rng, np.zeros(lanes, np.int64), 1)  # spoken of as what follows, not yet read

    def restart(self, lanes: npt.NDArray[np.bool_]) -> None:
        """Begin anew in some `lanes` (n,)."""
        said, after = walk(self._rng, np.zeros(len(lanes), np.int64), 1)
        self._said[lanes], self._after[lanes] = said[lanes], after[lanes]

    def read(self, ticks: int) -> Batch:
        """The next `ticks` of every lane."""
        said, after = walk(self._rng, self._after[:, -1], ticks)
        said, after = np.concatenate([self._said, said], 1), np.concatenate([self._after, after], 1)
        self._said, self._after = said[:, -1:].copy(), after[:, -1:].copy()
        return Batch(*_reading(said, after))


SIX_A, SIX_B = ((10, 20), (50, 60)), ((10, 20), (33, 43), (66, 76))
TASKS = {
    task.name: task
    for task in (
        Task("reber", 8440, embedded_reber, 0.5, 256, 256, 12, 8000, proof=True, lanes=4),
        Task(
            "2a p=100",
            5040,
            locally_regular,
            0.25,
            256,
            10000,
            100,
            5000,
            proof=True,
            shortcut=True,
            units=128,
            lanes=2,
        ),
        Task(
            "2c lag 1000", 203000, irregular, 0.2, 256, 10000, 1000, 10000, proof=True
        ),  # p = 50, of which each is seen most often: the hardest of the paper's
        Task("adding 100", 74000, adding, 0.04, 2000, 2560, 100, 40000, named=False),
        Task("adding 500", 209000, partial(adding, lag=500), 0.04, 2000, 2560, 500, 60000, named=False),
        Task("adding 1000", 853000, partial(adding, lag=1000), 0.04, 2000, 2560, 1000, 60000, named=False),
        Task("multiplying 100", 482000, multiplying, 0.04, 2000, 2560, 100, 40000, forgiven=140, named=False),
        Task("order 6a", 31390, partial(order, places=SIX_A), 0.3, 2000, 2560, 100, 30000),
        Task("order 6b", 571100, partial(order, places=SIX_B), 0.3, 2000, 2560, 100, 30000),
    )
}
