"""The network: an LSTM (or one of its rivals) read one step at a time, its memory handed in and out.

Keras builds and trains it; what runs is its single step, exported to LiteRT from the very same cells.
"""

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from . import cells, features, forecast
from .ahead import Ahead, reads
from .errors import ModelError
from .files import write_together
from .model import AHEAD, Manifest, Model, model_files
from .sequences import Commands
from .types import Floats

NO_COMMANDS = Commands()
"""What a network keeps in mind that learns no two-step command."""
LONGEST_S = 1.0
"""The longest lag the memory is initialised to bridge. Gestures last longer, yet on EgoGestAR's strokes 1 s named 98 %
of the clips of unseen rounds and 6 s 90 %: what must last longer is learnt."""
KEEPER = 16
"""Units of the small layer that keeps in mind the first gesture of a two-step command, for each such gesture."""
HEARD, LOUD, ECHO = (0.1, 0.3), 60.0, 4.0
"""How likely it is to be that a gesture has just been done: of less it hears nothing, of more no more; how loudly it is
told, so that its gates, nearly shut, open; how loudly it tells what it keeps, as few ticks teach what to make of it."""


class Network:
    """The Keras side: `sequence` for training, `step` for export, both made of the same cells.

    With a forecast head, or a layer that keeps commands in mind, also `both`, which trains them with the scores; with a
    forecast head also `ahead`, which is exported.
    """

    def __init__(
        self,
        classes: int,
        units: tuple[int, ...],
        mean: Floats,
        scale: Floats,
        dropout: float = 0.4,
        horizons_s: tuple[float, ...] = forecast.HORIZONS_S,
        cell: str = "lstm",
        commands: Commands = NO_COMMANDS,
        ahead_units: int = 96,
    ) -> None:
        """`mean`, `scale` (SIZE,) bring the features to zero mean and unit variance.

        Beside a score for each of `classes` there is one more, the last: a gesture is under way, but not yet which.
        `horizons_s` how far ahead it forecasts; empty: not at all, and neither do other cells than the LSTM. First
        gestures of two-step `commands` are kept in mind: behind the scores stands a silence for each of them, which is
        learnt like a label and said as rest. The network's words tell the gestures as they are: those under way, as
        the scores do, and behind these those that have just been done. These last are heard by a small layer of the
        same cells, the keeper, and the scores are read from both; cells that feed nothing back have none.
        The forecast is made by `ahead_units`.
        """
        keras, kept = load_keras(), commands.kept
        self.units, self.cell, self.kept, self._said = units, cell, kept, classes + 1
        self.horizons_s = horizons_s = horizons_s if cell == "lstm" else ()
        own = cells.states(cell, units, features.SIZE)
        self.keeper = KEEPER * kept if cell in cells.FED_BACK else 0
        mind = cells.states(cell, (self.keeper,), classes, len(units)) if self.keeper else []
        self.states = [state for layer in own + mind for state in layer]
        normalise = normalising(keras, mean, scale)
        self._layers = [cells.Layer(keras, cell, n, i) for i, n in enumerate(units)]
        drop = keras.layers.Dropout(dropout, name="dropout")
        head = keras.layers.Dense(classes + 1 + kept, name="scores")
        self._head, self._shared, self._ops = head, shares(classes, commands), keras.ops
        # Made where it is needed alone: another layer's first weights depend on how many were made before it.
        spoken: Any = keras.layers.Dense(2 * classes + 1, name="words") if self.keeper else None
        self._keeper = cells.Layer(keras, cell, self.keeper, len(units), deaf=True) if self.keeper else None

        memory = [[keras.Input((size,), name=name) for name, size in layer] for layer in own + mind]
        states = [state for layer in memory for state in layer]

        def keep(x: Any, read: Callable[[Any, Any], tuple[Any, Any]]) -> tuple[Any, list[Any], list[Any]]:  # noqa: ANN401
            """What the scores are read from, the words, and what the keeper remembers."""
            words = spoken(x)
            told, new = read(heard(keras.ops, keras.ops.softmax(words)[..., classes + 2 :]), memory[-1])
            return keras.layers.Concatenate()([x, ECHO * told]), [words], new

        stream = keras.Input((None, features.SIZE), name="features")
        x, after = normalise(stream), []
        for layer, before in zip(self._layers, memory, strict=False):
            x, new = layer.over_time(drop(x), before)
            after += new
        top, words = drop(x), list[Any]()
        if self._keeper is not None:
            top, words, new = keep(top, self._keeper.over_time)
            after += new
        scores = head(top)
        self.sequence = keras.Model([stream, *states], [scores, *after])
        ahead = Ahead(keras, horizons_s, ahead_units) if horizons_s else None
        motions = [keras.Input((None, forecast.MOTION), name="motion")] if horizons_s else []
        moved = [] if ahead is None else [ahead(drop(x), normalise(stream), motions[0])]
        if moved or words:
            self.both = keras.Model([stream, *motions, *states], [scores, *moved, *words, *after])
        if self._keeper is not None:
            self._keeper.hold()
            self.tie()

        tick = keras.Input((features.SIZE,), name="features")
        x, after = normalise(tick), []
        for layer, before in zip(self._layers, memory, strict=False):
            x, new = layer.tick(x, before)
            after += new
        if self._keeper is not None:
            x, _, new = keep(x, self._keeper.tick)
            after += new
        self.step = keras.Model([tick, *states], [self.say(head(x)), *after])
        if ahead is not None:
            hidden, newest = keras.Input((units[-1],), name="hidden"), keras.Input((forecast.MOTION,), name="motion")
            self.ahead = keras.Model([hidden, tick, newest], ahead(hidden, normalise(tick), newest))

    def read(self, vectors: Any, memory: Sequence[Any], training: bool = False) -> tuple[Any, list[Any]]:  # noqa: ANN401
        """The logits of streams (n, T, SIZE), and the memory after them."""
        told = self.sequence([vectors, *memory], training=training)
        return (told[0], list(told[1:])) if self.states else (told, [])

    def lesson(self, vectors: Any, motion: Any, memory: Sequence[Any]) -> tuple[Any, Any, Any, list[Any]]:  # noqa: ANN401
        """`read`, as it is while it learns: logits, what is forecast and the words, None where there are none, memory.

        The forecast is made of the `motion` (n, T, MOTION) as well.
        """
        if not (self.horizons_s or self.keeper):
            logits, after = self.read(vectors, memory, training=True)
            return logits, None, None, after
        given = [vectors, motion, *memory] if self.horizons_s else [vectors, *memory]
        logits, *told = self.both(given, training=True)
        moved = told.pop(0) if self.horizons_s else None
        words = told.pop(0) if self.keeper else None
        return logits, moved, words, told

    def say(self, logits: Any) -> Any:  # noqa: ANN401 - tensors
        """The labels' probabilities: every silence is rest."""
        ops = load_keras().ops
        said = ops.softmax(logits)
        rest = said[..., :1] + ops.sum(said[..., self._said :], axis=-1, keepdims=True)
        return ops.concatenate([rest, said[..., 1 : self._said]], axis=-1) if self.kept else said

    def tie(self) -> None:
        """Let the keeper alone tell a command from the gesture that ends it, and one silence from another.

        Of a first gesture not long ago the layers know as well, and would learn of it from each other: what is kept
        would not be asked when it is minutes ago.
        """
        ops, kernel, top = self._ops, self._head.kernel, self.units[-1]
        kernel.assign(ops.concatenate([ops.matmul(kernel[:top], self._shared), kernel[top:]], 0))

    def remember(self, longest: float, seed: int) -> None:
        """Set the gates' biases so that memories last between one tick and `longest` ticks."""
        rng = np.random.default_rng(seed)
        for layer in self._layers:
            layer.remember(longest, rng)

    def export(self) -> bytes:
        """The single step as a LiteRT file with named inputs and outputs, for one hand unless they are resized."""
        import tensorflow as tf

        names = [name for name, _ in self.states]
        signature = [
            tf.TensorSpec((None, n), tf.float32, name=k) for k, n in (("features", features.SIZE), *self.states)
        ]

        def step(*inputs: Any) -> dict[str, Any]:  # noqa: ANN401 - tensors
            told = self.step(list(inputs))
            scores, *after = told if names else [told]
            return {"scores": scores, **{f"{k}_next": v for k, v in zip(names, after, strict=True)}}

        def ahead(hidden: Any, features: Any, motion: Any) -> dict[str, Any]:  # noqa: ANN401 - tensors
            moved = self.ahead([hidden, features, motion])
            return {"moved": tf.reshape(moved, (1, len(self.horizons_s), forecast.POINTS, 3))}

        archive = load_keras().export.ExportArchive()
        archive.track(self.step)
        archive.add_endpoint("step", step, input_signature=signature)
        if self.horizons_s:
            archive.track(self.ahead)
            inputs = [tf.TensorSpec((1, n), tf.float32, name=k) for k, n in reads(self.units).items()]
            archive.add_endpoint(AHEAD, ahead, input_signature=inputs)
        with tempfile.TemporaryDirectory() as folder:
            archive.write_out(folder, verbose=False)
            keys = ["step", AHEAD] if self.horizons_s else ["step"]
            converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=keys)
            return bytes(converter.convert())


def normalising(keras: Any, mean: Floats, scale: Floats) -> Any:  # noqa: ANN401 - keras has no types
    """The layer that brings features to zero mean and unit variance."""
    inverse = 1 / np.asarray(scale, np.float64)
    return keras.layers.Rescaling(inverse.tolist(), (-mean * inverse).tolist(), name="normalise")


def shares(classes: int, commands: Commands) -> Floats:
    """(n, n) what makes one of the columns of the head that say the same: silences, a gesture and commands it ends."""
    one = [*range(classes + 1), *[0] * commands.kept]
    for command, end in commands.ends:
        one[command] = end
    same = np.equal.outer(one, one).astype(np.float32)
    mean: Floats = same / same.sum(0)
    return mean


def heard(ops: Any, done: Any) -> Any:  # noqa: ANN401 - tensors, or arrays where `ops` is NumPy
    """What the keeper hears of how likely it is that each gesture has just been done."""
    low, high = HEARD
    return LOUD * ops.clip((done - low) / (high - low), 0, 1)


def load_keras() -> Any:  # noqa: ANN401 - keras has no types
    """Keras with TensorFlow, quiet; raise `ModelError` with what to install where they are missing."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user has set for other programs
    # Matrices as small as ours are not worth cutting up: on two cores it costs more than the second brings.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    try:
        import keras
    except ImportError as error:
        raise ModelError("training needs TensorFlow, which is not installed: pip install 'gestures[train]'") from error
    return keras


def finish(network: Network, manifest: Manifest, probe: Floats) -> tuple[Model, Manifest, bytes]:
    """Export `network` as a model with its step; `parity` is measured on `probe` (ticks, SIZE).

    It is the largest difference between Keras reading all of it at once and the step reading it tick by tick.
    """
    step = network.export()
    model = Model(replace(manifest, units=network.units, cell=network.cell, keeper=network.keeper), step)
    memory, streamed = model.begin(), []
    for vector in probe:
        probabilities, memory = model.step(vector, memory)
        streamed.append(probabilities)
    logits, _ = network.read(probe[None], model.begin())
    whole = np.asarray(network.say(logits))[0]
    parity = float(np.abs(np.array(streamed) - whole).max()) if len(probe) else 0.0
    model.manifest = replace(model.manifest, parity=parity)
    return model, model.manifest, step


def save(network: Network, model: Model, step: bytes, card: str, folder: Path) -> None:
    """Write a model folder, all of it at one moment; raise `ModelError` where that is not allowed."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.keras"
        network.sequence.save(path)
        kept = path.read_bytes()
    write_together(folder, model_files(model, {"model.keras": kept, "step.tflite": step}, card), ModelError)
