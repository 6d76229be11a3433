"""A trained network ready to run: its step, read one tick at a time, its memory handed in and out; its manifest."""

import hashlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from . import cells, features, forecast
from .ahead import reads
from .clips import REST
from .errors import GesturesError, ModelError
from .files import check_name, read_together
from .litert import load_litert
from .quiet import quiet
from .stepfile import check_step
from .types import DecisionRules, Floats

Memory: TypeAlias = tuple[Floats, ...]
"""All that the network remembers, in order: of an LSTM h and c (1, units) of each layer. A value: keep it, drop it."""

FORMAT = 1
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
        litert = load_litert(ModelError)
        self.manifest, self._content = manifest, step
        self._wide: Any = None  # the step for `_width` hands at once
        self._width = 0
        try:
            check_step(step)
            with quiet():
                # LiteRT's plain kernels check what they are given; the faster ones crash where a forged step lies.
                plain = litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
                litert.Interpreter(model_content=step, experimental_op_resolver_type=plain).allocate_tensors()
                self._interpreter = litert.Interpreter(model_content=step, num_threads=1)
                self._interpreter.allocate_tensors()
            self._wire()
            self._ahead = None
            if manifest.horizons_s:
                # An interpreter of its own: one that is held by a runner refuses to run without it.
                with quiet():
                    self._ahead = litert.Interpreter(model_content=step, num_threads=1).get_signature_runner(AHEAD)
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
        litert = load_litert(ModelError)
        self._width, self._wide = width, None
        sizes = (features.SIZE, *(size for _, size in self.manifest.states))
        # The plain kernels first, as for one hand.
        for kernels in (litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, litert.OpResolverType.AUTO):
            wide = litert.Interpreter(model_content=self._content, experimental_op_resolver_type=kernels, num_threads=1)
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
        # Written before gestures had a hold time of their own: that of all.
        own = [(*each, rules["hold_s"]) if len(each) == 2 else each for each in rules["per_gesture"]]
        rules["per_gesture"] = tuple((str(name), float(on), float(hold_s)) for name, on, hold_s in own)
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


def model_files(model: Model, weights: Mapping[str, bytes], card: str) -> dict[str, bytes]:
    """What a model folder holds, by name; from here on the manifest of `model` names the hashes of these `weights`."""
    model.manifest = replace(model.manifest, sha256={name: _sha256(weights[name]) for name in FILES})
    manifest = json.dumps(asdict(model.manifest), indent=2).encode() + b"\n"
    return {**weights, "README.md": card.encode(), "manifest.json": manifest}
