"""The network: an LSTM (or one of its rivals) read one step at a time, its memory handed in and out.

Keras builds and trains it; what runs is its single step, exported to LiteRT from the very same cells.
"""

import hashlib
import itertools
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from . import cells, features, forecast
from .ahead import Ahead, reads
from .clips import REST, check_name
from .errors import GesturesError, ModelError
from .files import read_together, write_together
from .quiet import quiet
from .stepfile import check_step
from .types import DecisionRules, Floats

Memory: TypeAlias = tuple[Floats, ...]
"""All that the network remembers, in order: of an LSTM h and c (1, units) of each layer. A value: keep it, drop it."""

FORMAT = 1
LONGEST_S = 1.0
"""The longest lag the memory is initialised to bridge. Gestures last longer, yet on EgoGestAR's strokes 1 s named 98 %
of the clips of unseen rounds and 6 s 90 %: what must last longer is learnt."""
KEEPER = 16
"""Units of the small layer that keeps in mind the first gesture of a two-step command, for each such gesture."""
LOUD, HEARD, ECHO = 30.0, 0.2, 4.0
"""How loudly it is told that a gesture has just been done, so that its gates, nearly shut, open; how likely that is to
be: of less it hears nothing at all; and how loudly it tells what it keeps, as few ticks teach what to make of it."""
FAR = 0.25
"""Share of the units that begin with a longer memory, where there are two-step commands."""
FILES = ("model.keras", "step.tflite")
READS = 20
"""How often a folder is read before its parts are held not to fit: another program may be replacing them."""
AHEAD = "step_ahead"
"""The forecast's name in the exported step. LiteRT sorts by name, and the first is what a bare interpreter runs."""
MAX_BYTES = 1 << 28
"""A file of a model that is larger is refused: the starter's largest has 2 MB."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a trained model must say of itself; `manifest.json` beside the weights.

    `labels` rest first; `units` of each layer; `cell` what they are made of, see `cells`; `rate_hz` the clock it was
    trained on; `features` the version of the numbers it reads; `scores` its figures on people or takes it was not
    trained on; `parity` the largest difference between the exported step and Keras; `made_from` data hash, seed,
    versions; `sha256` of its files; `horizons_s` how far ahead it forecasts, none where it does not; `keeper` units of
    the layer that keeps two-step commands in mind, 0 where there are none.
    """

    labels: tuple[str, ...]
    units: tuple[int, ...]
    rate_hz: float = features.RATE_HZ
    features: int = features.VERSION
    rules: DecisionRules = field(default_factory=DecisionRules)
    scores: dict[str, Any] = field(default_factory=dict)
    parity: float = 0.0
    made_from: dict[str, Any] = field(default_factory=dict)
    sha256: dict[str, str] = field(default_factory=dict)
    horizons_s: tuple[float, ...] = ()
    cell: str = "lstm"
    keeper: int = 0
    format: int = FORMAT

    @property
    def states(self) -> list[tuple[str, int]]:
        """The names and sizes of what the network remembers, in order."""
        own = cells.states(self.cell, self.units, features.SIZE)
        kept = cells.states(self.cell, (self.keeper,), len(self.labels), len(self.units)) if self.keeper else []
        return [state for layer in own + kept for state in layer]


class Model:
    """A trained model ready to run: `begin` gives an empty memory, `step` takes one tick, `step_many` those of many."""

    def __init__(self, manifest: Manifest, step: bytes) -> None:
        """`step` is the exported single step (LiteRT); raise `ModelError` when it does not load or fit."""
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        self.manifest, self._content = manifest, step
        self._wide: Any = None  # the step for `_width` hands at once
        self._width = 0
        try:
            check_step(step)
            with quiet():
                # LiteRT's plain kernels check what they are given; the faster ones crash where a forged step lies.
                plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
                Interpreter(model_content=step, experimental_op_resolver_type=plain).allocate_tensors()
                self._interpreter = Interpreter(model_content=step, num_threads=1)
                self._interpreter.allocate_tensors()
            self._wire()
            self._ahead = None
            if manifest.horizons_s:
                # An interpreter of its own: one that is held by a runner refuses to run without it.
                with quiet():
                    self._ahead = Interpreter(model_content=step, num_threads=1).get_signature_runner(AHEAD)
                _same(
                    {name: tuple(each["shape"]) for name, each in self._ahead.get_output_details().items()},
                    {"moved": (1, len(manifest.horizons_s), forecast.POINTS, 3)},
                )
                _same(_sizes(self._ahead.get_input_details()), reads(manifest.units))
        except (LookupError, ValueError, RuntimeError, TypeError) as error:
            raise ModelError(f"the model's step does not load ({error}): train it again") from error
        self._try_out()

    def _wire(self) -> None:
        """Find the step's inputs and outputs; raise whatever comes of those that do not fit the manifest."""
        runner, manifest = self._interpreter.get_signature_runner("step"), self.manifest
        takes, gives = runner.get_input_details(), runner.get_output_details()
        states = manifest.states
        has = _sizes({**takes, **gives})
        # Networks of earlier versions do not say that they are undecided.
        scores = len(manifest.labels) + (has["scores"] > len(manifest.labels))
        want = {"features": features.SIZE, "scores": scores, **dict(states)}
        _same(has, want | {f"{name}_next": n for name, n in states})
        self._takes = [takes[name]["index"] for name in ("features", *(name for name, _ in states))]
        self._gives = [gives[name]["index"] for name in ("scores", *(f"{name}_next" for name, _ in states))]

    def _try_out(self) -> None:
        """Raise `ModelError` for what a step cannot do though its sizes fit: not in front of a camera."""
        nothing = np.zeros(features.SIZE, np.float32)
        scores, memory = self.step(nothing, self.begin())
        shapes = [part.shape for part in memory]
        if scores.ndim != 1 or shapes != [part.shape for part in self.begin()]:
            raise ModelError(f"the model's step gives arrays of {scores.shape} and {shapes}: train it again")
        if self._ahead is not None:
            self.forecast(nothing, memory, np.zeros(forecast.MOTION, np.float32))

    def begin(self) -> Memory:
        """The memory of a hand not yet seen: zeros."""
        return tuple(np.zeros((1, size), np.float32) for _, size in self.manifest.states)

    def step(self, vector: Floats, memory: Memory) -> tuple[Floats, Memory]:
        """One tick: features (SIZE,) float32 and the memory so far -> probabilities and the memory after.

        The probabilities (classes + 1,), sum 1, are those of the labels and, last, of a gesture not yet known which.
        Raise `ModelError` when the step fails.
        """
        probabilities, after = self._run(self._interpreter, vector[None], memory)
        return probabilities[0], after

    def step_many(self, vectors: Floats, memory: Memory) -> tuple[Floats, Memory]:
        """`step` for n >= 1 hands or streams at once: (n, SIZE), memory (n, units) each -> (n, classes + 1), memory.

        At its best for the same n again and again. A model exported before there was such a step takes one by one.
        """
        if len(vectors) != self._width:
            self._widen(len(vectors))
        if self._wide is not None:
            return self._run(self._wide, vectors, memory)
        ticks = [self.step(vector, tuple(part[n : n + 1] for part in memory)) for n, vector in enumerate(vectors)]
        after = zip(*(each for _, each in ticks), strict=True)
        return np.stack([probabilities for probabilities, _ in ticks]), tuple(np.concatenate(part) for part in after)

    def _run(self, run: Any, vectors: Floats, memory: Memory) -> tuple[Floats, Memory]:  # noqa: ANN401 - has no types
        try:
            for index, value in zip(self._takes, (vectors, *memory), strict=True):
                run.set_tensor(index, value)
            run.invoke()
            probabilities, *after = (run.get_tensor(index) for index in self._gives)
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"the model's step does not run ({error}): train it again") from error
        return probabilities, tuple(after)

    def _widen(self, width: int) -> None:
        """Make ready for `width` hands at once, if this file's step can."""
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        self._width, self._wide = width, None
        sizes = (features.SIZE, *(size for _, size in self.manifest.states))
        # The plain kernels first, as for one hand.
        for kernels in (OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, OpResolverType.AUTO):
            wide = Interpreter(model_content=self._content, experimental_op_resolver_type=kernels, num_threads=1)
            try:
                with quiet():
                    for index, size in zip(self._takes, sizes, strict=True):
                        wide.resize_tensor_input(index, (width, size))
                    wide.allocate_tensors()
            except (ValueError, RuntimeError):
                return
        self._wide = wide

    def forecast(self, vector: Floats, memory: Memory, motion: Floats) -> Floats:
        """(H, POINTS, 3) how far a hand will have moved after each of `manifest.horizons_s`, in palms.

        `memory` is that after the tick of `vector` (SIZE,), `motion` (MOTION,) the hand's by then. Raise `ModelError`
        when the model has no such head.
        """
        if self._ahead is None:
            raise ModelError("this model forecasts nothing: train it again")
        try:
            moved: Floats = self._ahead(
                hidden=memory[2 * len(self.manifest.units) - 2], features=vector[None], motion=motion[None]
            )["moved"][0]
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"the model's forecast does not run ({error}): train it again") from error
        return moved


def _sizes(details: Mapping[str, Any]) -> dict[str, int]:
    """The last dimension of each input or output of a step."""
    return {name: int(detail["shape"][-1]) for name, detail in details.items()}


def _same(has: Mapping[str, object], want: Mapping[str, object]) -> None:
    """Raise `ValueError` where they differ."""
    if has != want:
        raise ValueError(f"it has the inputs and outputs {has}, not {want}")


def load(folder: str | Path) -> Model:
    """Load a trained model; raise `ModelError` when a file is missing or changed, or it does not fit this version."""
    folder = Path(folder)
    for _ in range(READS):
        manifest = load_manifest(folder)
        # What was checked is what runs: each file is read once.
        contents = {name: _read(folder, name) for name in FILES}
        missing = [name for name in FILES if name not in manifest.sha256]
        if missing:
            raise ModelError(f"{folder / 'manifest.json'} names no hash of {missing[0]}: train it again")
        changed = [name for name in FILES if _sha256(contents[name]) != manifest.sha256[name]]
        if not changed:
            return Model(manifest, contents["step.tflite"])
    raise ModelError(f"{folder / changed[0]} is not the file its manifest names (sha256 differs): train it again")


def load_manifest(folder: Path) -> Manifest:
    """Read and check `manifest.json`; raise `ModelError` when it is missing, broken or of another version."""
    path = folder / "manifest.json"
    if not folder.is_dir():
        raise ModelError(f"{folder} is no model folder: train one with `gestures train DATA --into {folder}`")
    try:
        raw = json.loads(_read(folder, path.name))
        if raw["format"] != FORMAT:
            raise ModelError(f"{path} is model format {raw['format']}, this version reads {FORMAT}: retrain it")
        if raw["features"] != features.VERSION:
            raise ModelError(
                f"{folder} was trained on features {raw['features']}, this is {features.VERSION}: retrain it"
            )
        rules = raw.pop("rules")
        rules["per_gesture"] = tuple((str(name), float(on)) for name, on in rules["per_gesture"])
        labels, units = tuple(check_name(label) for label in raw.pop("labels")), tuple(raw.pop("units"))
        rate_hz = float(raw.pop("rate_hz"))
        raw["sha256"] = dict(raw["sha256"])
        raw["horizons_s"] = tuple(float(each) for each in raw.get("horizons_s", ()))
        manifest = Manifest(labels, units, rate_hz, rules=DecisionRules(**rules), **raw)
    except ModelError:
        raise
    except (GesturesError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ModelError(f"{path} is not a manifest this version can read ({error}): train the model again") from error
    ahead_s = (0.0, *manifest.horizons_s)
    if not all(before < after <= 1 for before, after in itertools.pairwise(ahead_s)):
        raise ModelError(f"{path} must name rising horizons within a second, not {ahead_s[1:]}: train the model again")
    if manifest.cell not in cells.CELLS:
        raise ModelError(f"{path} names the cell {manifest.cell}, not one of {', '.join(cells.CELLS)}: train it again")
    if len(labels) < 2 or labels[0] != REST or len(set(labels)) != len(labels) or not 1 <= manifest.rate_hz <= 1000:
        raise ModelError(f"{path} must name rest, then one gesture or more, once each: train the model again")
    return manifest


def _read(folder: Path, name: str) -> bytes:
    try:
        return read_together(folder, name, MAX_BYTES)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ModelError(f"{folder / name} cannot be read ({why}): the model is not whole, train it again") from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


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
        kept: int = 0,
    ) -> None:
        """`mean`, `scale` (SIZE,) bring the features to zero mean and unit variance.

        Beside a score for each of `classes` there is one more, the last: a gesture is under way, but not yet which.
        `horizons_s` how far ahead it forecasts; empty: not at all, and neither do other cells than the LSTM. `kept`
        first gestures of two-step commands are kept in mind: behind the scores stands a silence for each of them, which
        is learnt like a label and said as rest. The network's words tell the gestures as they are: those under way, as
        the scores do, and behind these those that have just been done. These last are heard by a small layer of the
        same cells, the keeper, and the scores are read from both; cells that feed nothing back have none.
        """
        keras = load_keras()
        self.units, self.cell, self.kept, self._said = units, cell, kept, classes + 1
        self.horizons_s = horizons_s = horizons_s if cell == "lstm" else ()
        own = cells.states(cell, units, features.SIZE)
        self.keeper = KEEPER * kept if cell in cells.FED_BACK else 0
        mind = cells.states(cell, (self.keeper,), classes, len(units)) if self.keeper else []
        self.states = [state for layer in own + mind for state in layer]
        inverse = 1 / np.asarray(scale, np.float64)
        normalise = keras.layers.Rescaling(inverse.tolist(), (-mean * inverse).tolist(), name="normalise")
        self._layers = [cells.Layer(keras, cell, n, i) for i, n in enumerate(units)]
        drop = keras.layers.Dropout(dropout, name="dropout")
        head = keras.layers.Dense(classes + 1 + kept, name="scores")
        # Made where it is needed alone: another layer's first weights depend on how many were made before it.
        spoken: Any = keras.layers.Dense(2 * classes + 1, name="words") if self.keeper else None
        self._keeper = cells.Layer(keras, cell, self.keeper, len(units), deaf=True) if self.keeper else None

        memory = [[keras.Input((size,), name=name) for name, size in layer] for layer in own + mind]
        states = [state for layer in memory for state in layer]

        def keep(x: Any, read: Callable[[Any, Any], tuple[Any, Any]]) -> tuple[Any, list[Any], list[Any]]:  # noqa: ANN401
            """What the scores are read from, the words, and what the keeper remembers."""
            words = spoken(x)
            told, new = read(LOUD * keras.ops.relu(keras.ops.softmax(words)[..., classes + 2 :] - HEARD), memory[-1])
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
        ahead = Ahead(keras, horizons_s) if horizons_s else None
        motions = [keras.Input((None, forecast.MOTION), name="motion")] if horizons_s else []
        moved = [] if ahead is None else [ahead(drop(x), normalise(stream), motions[0])]
        if moved or words:
            self.both = keras.Model([stream, *motions, *states], [scores, *moved, *words, *after])
        if self._keeper is not None:
            self._keeper.hold()

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

    def remember(self, longest: float, seed: int, far: float | None = None) -> None:
        """Set the gates' biases so that memories last between one tick and `longest` ticks, or some of them `far`."""
        rng = np.random.default_rng(seed)
        for layer, units in zip(self._layers, self.units, strict=True):
            spans = np.full(units, longest)
            if far is not None:
                spans[: round(FAR * units)] = far
            layer.remember(spans, rng)

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


def load_keras() -> Any:  # noqa: ANN401 - keras has no types
    """Keras with TensorFlow, quiet; raise `ModelError` with what to install where they are missing."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
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


def model_files(model: Model, weights: Mapping[str, bytes], card: str) -> dict[str, bytes]:
    """What a model folder holds, by name; from here on the manifest of `model` names the hashes of these `weights`."""
    model.manifest = replace(model.manifest, sha256={name: _sha256(weights[name]) for name in FILES})
    manifest = json.dumps(asdict(model.manifest), indent=2).encode() + b"\n"
    return {**weights, "README.md": card.encode(), "manifest.json": manifest}
