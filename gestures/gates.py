"""Inside the network: its gates, what it says when it may remember less, and what moved it. NumPy reads the weights.

The equations are those of Keras's LSTM (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).
"""

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .errors import ModelError
from .features import SIZE
from .files import read_together
from .model import MAX_BYTES, Model
from .network import ECHO, HEARD, LOUD, heard
from .types import Floats

PARITY = 1e-3
"""The most by which these equations may differ from the step that runs; more, and the weights are not understood."""


class Keeper(NamedTuple):
    """The layer that keeps two-step commands in mind; `kernel` (units, n), `bias` (n,) of the words that it hears."""

    kernel: Floats
    bias: Floats
    layer: tuple[Floats, Floats, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What the network has learnt.

    `scale`, `offset` (SIZE,) normalise the features; `layers` each as kernel (in, 4 units), recurrent kernel
    (units, 4 units) and bias (4 units,), gates in the order input, forget, cell, output; `head` (units, n), `bias`
    (n,), of which the first `classes` are the labels', the others silences as well, see `Network`. `keeper` None:
    nothing is kept in mind.
    """

    scale: Floats
    offset: Floats
    layers: tuple[tuple[Floats, Floats, Floats], ...]
    head: Floats
    bias: Floats
    classes: int
    keeper: Keeper | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """A hand's ticks through the network: `probabilities` (T, classes), gates (T, units of all layers) 0..1."""

    probabilities: Floats
    input: Floats
    forget: Floats
    output: Floats


def read_weights(folder: Path, model: Model) -> Weights:
    """The weights of the `model` loaded from `folder`; raise `ModelError` when they are not the network it runs."""
    try:
        import h5py
    except ImportError as error:
        raise ModelError("explaining needs h5py, which is not installed: pip install 'gestures[train]'") from error
    try:
        with zipfile.ZipFile(io.BytesIO(read_together(folder, "model.keras", MAX_BYTES))) as packed:
            layers = json.loads(packed.read("config.json"))["config"]["layers"]
            with h5py.File(io.BytesIO(packed.read("model.weights.h5"))) as file:
                kept = int(model.manifest.keeper > 0)
                # Keras numbers layers of a kind in their order on the way through: words come before scores.
                cells = [f"layers/rnn{f'_{i}' * (i > 0)}/cell" for i in range(len(model.manifest.units) + kept)]
                parts = [tuple(np.asarray(file[f"{cell}/vars/{k}"]) for k in range(3)) for cell in cells]
                dense = ["layers/dense", "layers/dense_1"][: 1 + kept]
                words, head = ([np.asarray(file[f"{each}/vars/{k}"]) for k in (0, 1)] for each in (dense[0], dense[-1]))
        normalise = next(layer["config"] for layer in layers if layer["name"] == "normalise")
        scale, offset = (np.asarray(normalise[name], np.float32) for name in ("scale", "offset"))
        probe = np.random.default_rng(0).normal(size=(20, SIZE)).astype(np.float32)
        memory, theirs = model.begin(), []
        for vector in probe:
            said, memory = model.step(vector, memory)
            theirs.append(said)
        trio = [(k, r, b) for k, r, b in parts]
        keeper = Keeper(words[0], words[1], trio.pop()) if kept else None
        weights = Weights(scale, offset, tuple(trio), head[0], head[1], len(theirs[0]), keeper)
        ours = passage(weights, probe).probabilities
    except (OSError, ValueError, KeyError, StopIteration, zipfile.BadZipFile) as error:
        raise ModelError(f"{folder / 'model.keras'} cannot be read ({error}): train the model again") from error
    apart = float(np.abs(ours - np.array(theirs)).max()) if len(theirs[0]) == len(ours[0]) else np.inf
    if not apart <= PARITY:
        raise ModelError(f"{folder / 'model.keras'} and step.tflite differ by {apart:.3f}: train the model again")
    return weights


def passage(weights: Weights, vectors: Floats) -> Passage:
    """Read `vectors` (T, SIZE) from an empty memory."""
    x, gates = vectors * weights.scale + weights.offset, []
    for layer in weights.layers:
        trail = _read(layer, x)
        gates.append(trail[:, [0, 1, 3]])
        x = trail[:, 5]
    if weights.keeper is not None:
        trail = _read(weights.keeper.layer, _heard(weights.keeper, x))
        gates.append(trail[:, [0, 1, 3]])
        x = np.concatenate([x, ECHO * trail[:, 5]], 1)
    opened = np.concatenate(gates, 2)
    return Passage(_say(weights, x), opened[:, 0], opened[:, 1], opened[:, 2])


def forgetful(weights: Weights, vectors: Floats, ticks: int) -> Floats:
    """(T, classes) what would be said at each tick of `vectors` (T, SIZE), had memory begun `ticks` ticks ago."""
    x = vectors * weights.scale + weights.offset
    count = len(x)
    layers = [*weights.layers, *([] if weights.keeper is None else [weights.keeper.layer])]
    states: list[Floats] = [np.zeros((2, count, len(recurrent)), np.float32) for _, recurrent, _ in layers]
    for back in reversed(range(ticks)):
        # Row t reads tick t - back; what would lie before the first tick is not there to be read.
        lanes = slice(min(back, count), count)
        row = x[: count - lanes.start]
        for n, (layer, state) in enumerate(zip(layers, states, strict=True)):
            if weights.keeper is not None and n == len(weights.layers):
                row = _heard(weights.keeper, row)
            row = state[0, lanes] = _tick(layer, row, state[:, lanes])[5]
    top, *kept = (state[0] for state in states[len(weights.layers) - 1 :])
    return _say(weights, np.concatenate([top, *(ECHO * told for told in kept)], 1))


def attribution(weights: Weights, vectors: Floats, label: int) -> Floats:
    """(T, SIZE) how much each number of each tick spoke for `label` at the last: its gradient times its value.

    The gradient is that of log p(label); values are counted from the mean hand (Shrikumar et al. 2016).
    """
    x = vectors * weights.scale + weights.offset
    inputs, trails = [], []
    for layer in weights.layers:
        inputs.append(x)
        trails.append(_read(layer, x))
        x = trails[-1][:, 5]
    told, keeper = x, weights.keeper
    if keeper is not None:
        kept = _read(keeper.layer, _heard(keeper, x))
        told = np.concatenate([x, ECHO * kept[:, 5]], 1)
    aim = -_softmax(weights, told[-1])
    aim[label] += 1
    upward = np.zeros_like(told)
    upward[-1] = weights.head @ aim
    upward, kept_upward = upward[:, : x.shape[1]], np.float32(ECHO) * upward[:, x.shape[1] :]
    if keeper is not None:
        upward = np.add(upward, _unheard(keeper, x, _back(keeper.layer, kept, kept_upward)), dtype=np.float32)
    for layer, trail in zip(reversed(weights.layers), reversed(trails), strict=True):
        upward = _back(layer, trail, upward)
    answer: Floats = upward * inputs[0]
    return answer


def _read(layer: tuple[Floats, Floats, Floats], x: Floats) -> Floats:
    """(T, 6, units): input, forget, cell and output gate, c and h at every tick."""
    state = np.zeros((2, 1, len(layer[1])), np.float32)
    trail = np.empty((len(x), 6, len(layer[1])), np.float32)
    for tick, row in enumerate(x):
        trail[tick] = np.stack(_tick(layer, row[None], state))[:, 0]
        state[0] = trail[tick, 5]
    return trail


def _tick(layer: tuple[Floats, Floats, Floats], row: Floats, state: Floats) -> tuple[Floats, ...]:
    """One tick of many hands (n, in): i, f, g, o, c, h; `state` (2, n, units) holds h and c, of which c is renewed."""
    kernel, recurrent, bias = layer
    i, f, g, o = np.split(row @ kernel + state[0] @ recurrent + bias, 4, -1)
    i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
    state[1] = c = f * state[1] + i * g
    return i, f, g, o, c, o * np.tanh(c)


def _back(layer: tuple[Floats, Floats, Floats], trail: Floats, upward: Floats) -> Floats:
    """Gradients (T, in) of a layer's inputs from those (T, units) of its outputs: back-propagation through time."""
    kernel, recurrent, _ = layer
    units = len(recurrent)
    dh, dc = np.zeros(units, np.float32), np.zeros(units, np.float32)
    downward = np.empty((len(trail), len(kernel)), np.float32)
    for tick in reversed(range(len(trail))):
        i, f, g, o, c, _ = trail[tick]
        before = trail[tick - 1, 4] if tick else np.zeros(units, np.float32)
        dh = dh + upward[tick]
        tanh_c = np.tanh(c)
        dc = dc + dh * o * (1 - tanh_c**2)
        dz = np.concatenate(
            [dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - g**2), dh * tanh_c * o * (1 - o)]
        )
        downward[tick], dh, dc = kernel @ dz, recurrent @ dz, dc * f
    return downward


def _heard(keeper: Keeper, x: Floats) -> Floats:
    """(T, gestures) what the keeper hears of what the last layer told (T, units): which gesture has just been done."""
    answer: Floats = heard(np, _over(keeper, _raised(x @ keeper.kernel + keeper.bias)))
    return answer


def _unheard(keeper: Keeper, x: Floats, upward: Floats) -> Floats:
    """Gradients (T, units) of what the last layer told from those (T, gestures) of what the keeper hears of it.

    Of a gesture heard wholly no more could be heard; it is asked as if it could, lest nothing of it seem to count.
    """
    likely = _raised(x @ keeper.kernel + keeper.bias)
    words = np.zeros_like(likely)
    low, high = HEARD
    _over(keeper, words)[:] = LOUD / (high - low) * upward * (_over(keeper, likely) > low)
    logits: Any = likely * (words - (likely * words).sum(1, keepdims=True))
    answer: Floats = logits @ keeper.kernel.T
    return answer


def _over(keeper: Keeper, words: Floats) -> Floats:
    """Of (T, n) words those (T, gestures), the last, that say which gesture has just been done."""
    return words[:, -len(keeper.layer[0]) :]


def _sigmoid(x: Floats) -> Floats:
    answer: Floats = 0.5 + 0.5 * np.tanh(0.5 * x)
    return answer


def _say(weights: Weights, top: Floats) -> Floats:
    """The scores (…, classes) of what the last layer told (…, units): every silence is rest."""
    raised = _softmax(weights, top)
    answer: Floats = raised[..., : weights.classes].copy()
    answer[..., 0] += raised[..., weights.classes :].sum(-1)
    return answer


def _softmax(weights: Weights, top: Floats) -> Floats:
    return _raised(top @ weights.head + weights.bias)


def _raised(logits: Any) -> Floats:  # noqa: ANN401 - NumPy's products have no certain type
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    answer: Floats = raised / raised.sum(-1, keepdims=True)
    return answer
