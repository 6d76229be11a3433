"""What may remember between two ticks: the cells a network can be made of, and what each of them keeps.

An LSTM is what this project is about; the others are there to be compared with it. `none` sees one tick only, `window`
the last second and nothing before, `rnn` and `gru` feed their output back as the LSTM does.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .types import Floats

FED_BACK = ("lstm", "gru", "rnn")
CELLS = (*FED_BACK, "window", "none")
WINDOW = 30
"""Ticks that the window sees: 1 s, the lag for which the LSTM's memory is initialised."""
SHUT = 11.5
"""How far shut the gates of a layer begin that is to hold what it knows: of that it loses a part in 100,000 at a tick,
which at 30 ticks a second leaves a third after 55 minutes, and adds as little."""


def states(cell: str, units: Sequence[int], inputs: int, first: int = 0) -> list[list[tuple[str, int]]]:
    """For each layer of so many `units`, counted from `first`, the names and sizes of what it remembers.

    `inputs` reach the first of them.
    """
    kept: list[list[tuple[str, int]]] = []
    for i, n in enumerate(units, first):
        sizes = {"lstm": (("h", n), ("c", n)), "gru": (("h", n),), "rnn": (("h", n),), "none": ()}
        sizes["window"] = (("w", (WINDOW - 1) * inputs),)
        kept.append([(f"{name}{i}", size) for name, size in sizes[cell]])
        inputs = n
    return kept


class Layer:
    """One layer, read over time (n, T, in) or tick by tick (n, in), by the same weights."""

    def __init__(self, keras: Any, cell: str, units: int, index: int, deaf: bool = False) -> None:  # noqa: ANN401
        """`deaf`: an LSTM hears nothing of what it tells itself, so that, told nothing else, it changes nothing."""
        self._keras, self._kind = keras, cell
        name = f"over_time{index}"
        if cell == "window":
            self._reads = keras.layers.Conv1D(units, WINDOW, activation="relu", name=name)
        elif cell == "none":
            self._reads = keras.layers.Dense(units, activation="relu", name=name)
        else:
            makers = {"lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell, "rnn": keras.layers.SimpleRNNCell}
            nothing = {"recurrent_initializer": "zeros", "recurrent_constraint": keras.constraints.MaxNorm(0)}
            own = nothing if deaf and cell == "lstm" else {}
            self._cell = makers[cell](units, name=f"{cell}{index}", **own)
            self._reads = keras.layers.RNN(self._cell, return_sequences=True, return_state=True, name=name)

    def over_time(self, x: Any, memory: list[Any]) -> tuple[Any, list[Any]]:  # noqa: ANN401 - tensors
        """What it tells at each tick, and what it remembers after the last."""
        if self._kind == "none":
            return self._reads(x), []
        if self._kind == "window":
            before = self._keras.layers.Reshape((WINDOW - 1, x.shape[-1]))(memory[0])
            seen = self._keras.layers.Concatenate(axis=1)([before, x])
            return self._reads(seen), [self._keras.layers.Flatten()(seen[:, 1 - WINDOW :])]
        told, *after = self._reads(x, initial_state=memory)
        return told, after

    def tick(self, x: Any, memory: list[Any]) -> tuple[Any, list[Any]]:  # noqa: ANN401 - tensors
        """The same for one tick."""
        if self._kind in ("none", "window"):
            told, after = self.over_time(self._keras.layers.Reshape((1, x.shape[-1]))(x), memory)
            return self._keras.layers.Flatten()(told), after
        told, after = self._cell(x, memory)
        return told, list(after)

    def remember(self, longest: float, rng: np.random.Generator) -> None:
        """Let gates, where there are any, begin so that memories last between one tick and `longest` ticks."""
        if self._kind == "lstm":
            self._cell.bias.assign(chrono_biases(self._cell.units, longest, rng))
        elif self._kind == "gru":
            # Its update gate, the first of three, keeps what it does not renew; the second bias is the fed back one.
            keep = chrono_biases(self._cell.units, longest, rng)[self._cell.units : 2 * self._cell.units]
            self._cell.bias.assign(np.pad(keep[None], ((0, 1), (0, 2 * self._cell.units))))

    def hold(self) -> None:
        """Let gates, where there are any, begin nearly shut: what is known stays, little is added."""
        n = self._cell.units
        if self._kind == "lstm":
            self._cell.bias.assign(np.repeat(np.array([-SHUT, SHUT, 0, 0], np.float32), n))
        elif self._kind == "gru":
            self._cell.bias.assign(np.pad(np.full((1, n), SHUT, np.float32), ((0, 1), (0, 2 * n))))


def chrono_biases(units: int, longest: float, rng: np.random.Generator) -> Floats:
    """The biases (4 * units,) of an LSTM's input, forget, cell and output gates that let it remember up to `longest`.

    Chrono initialisation (Tallec & Ollivier 2018): forget gate log(U(1, longest - 1)), input gate its negative.
    """
    forget = np.log(rng.uniform(1, longest - 1, units))
    return np.concatenate([-forget, forget, np.zeros(2 * units)]).astype(np.float32)
