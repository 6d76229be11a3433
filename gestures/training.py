"""Clips -> streams -> a trained model: the only optimiser."""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__
from .batches import Batch, batches
from .checkpoint import Checkpoint
from .clips import REST, Clip, ClipSet
from .errors import TrainingError
from .forecast import HORIZONS_S, Lesson
from .holdout import check
from .lives import settle
from .losses import forgotten, missed, unsaid
from .model import Manifest, Model
from .network import LONGEST_S, Network, finish, load_keras
from .recipe import WINDOW, Recipe
from .sequences import Commands
from .types import Floats

LISTENED = 10
"""Batches from which the features' mean and spread are taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What training gives: the `model` to run, the `network` to save or go on with, the exported `step`."""

    model: Model
    network: Network
    step: bytes


def train(
    takes: ClipSet,
    recipe: Recipe | None = None,
    progress: Callable[[int, int, float], None] | None = None,
    network: Network | None = None,
    keep: Path | None = None,
) -> Trained:
    """Train a model on every clip of `takes`; `progress(step, steps, loss)` is told how it goes.

    `network` goes on learning where it stands (it is changed); None starts a new one. In the folder `keep` it is noted
    every few seconds how far it is: the same training, broken off and begun again, goes on there. None: it is not.

    Raise `TrainingError` when the clips cannot teach: no gesture, or only one and no rest to tell it from.
    """
    recipe = recipe or Recipe()
    check(takes)
    keras = load_keras()
    keras.utils.set_random_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    labels = takes.said
    settled = replace(takes, clips=tuple(settle(c) for c in takes.clips if len(c.time)), paths=())
    supply = batches(settled, labels, recipe, rng)
    heard = [next(supply) for _ in range(LISTENED)]
    seen = np.concatenate([batch.vectors[batch.vectors.any(2)] for batch in heard])
    network = network or _new(seen, takes, recipe)
    meaning = repr((labels, takes.mirror, takes.sequences))
    checkpoint = Checkpoint(keep, digest(takes), repr(recipe), meaning, begun=network.sequence.get_weights())
    _fit(network, itertools.chain(heard, supply), recipe, progress, checkpoint)
    manifest = Manifest(
        labels,
        recipe.units,
        rate_hz=recipe.rate_hz,
        horizons_s=network.horizons_s,
        made_from={"data_sha256": digest(takes), "seed": recipe.seed, "steps": recipe.steps, **_versions()},
    )
    model, _, step = finish(network, manifest, seen[: 10 * WINDOW])
    return Trained(model, network, step)


def pretrain(
    clips: Sequence[Clip],
    takes: ClipSet,
    recipe: Recipe,
    progress: Callable[[int, int, float], None] | None = None,
    keep: Path | None = None,
) -> Network:
    """A network for the gestures of `takes` whose memory has learnt from `clips` what hands do next.

    What the clips mean is not asked: they need no labels. `keep` as in `train`. Raise `TrainingError` when none of them
    shows a hand, or `takes` cannot teach.
    """
    check(takes)
    keras = load_keras()
    keras.utils.set_random_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    seen = [replace(settle(clip), spans=()) for clip in clips if clip.present.any()]
    if not seen:
        raise TrainingError("nothing to learn from beforehand: no recording shows a hand")
    own = ClipSet((), tuple(replace(settle(clip), spans=()) for clip in takes.clips if clip.present.any()))
    supply = batches(ClipSet((), tuple(seen)), (REST,), recipe, rng)
    heard = [next(supply) for _ in range(LISTENED)]
    # Normalised for what comes later as well: a hand that only the labelled takes show must not be cut off.
    known = [*heard, *itertools.islice(batches(own, (REST,), recipe, rng), LISTENED)]
    vectors = np.concatenate([batch.vectors[batch.vectors.any(2)] for batch in known])
    network = _new(vectors, takes, recipe)
    silent = (replace(batch, weight=np.zeros_like(batch.weight)) for batch in itertools.chain(heard, supply))
    learnt_from = digest(ClipSet((), tuple(clips))), digest(takes)
    checkpoint = Checkpoint(keep, "beforehand", *learnt_from, repr(recipe), begun=network.sequence.get_weights())
    _fit(network, silent, recipe, progress, checkpoint)
    return network


def _new(seen: Floats, takes: ClipSet, recipe: Recipe) -> Network:
    """A network that has learnt nothing, for features as `seen` (n, SIZE) and what `takes` may teach."""
    # What never changes teaches nothing; blown up to unit spread it would drown the rest the day it does change.
    spread = seen.std(0)
    scale = np.where(spread < 1e-3, 1e6, np.maximum(spread, 0.05)).astype(np.float32)
    horizons_s = HORIZONS_S if recipe.ahead else ()
    how = recipe.units, seen.mean(0), scale, recipe.dropout, horizons_s, recipe.cell
    commands = Commands.of(takes.said, takes.sequences)
    network = Network(len(takes.said), *how, commands, recipe.ahead_units)
    network.remember(LONGEST_S * recipe.rate_hz, recipe.seed)
    return network


def digest(takes: ClipSet) -> str:
    """Which data it was: a sha256 over every clip's arrays and spans."""
    whole = hashlib.sha256()
    for clip in takes.clips:
        for array in (clip.time, clip.image, clip.world):
            whole.update(np.ascontiguousarray(array).tobytes())
        whole.update(repr((clip.person, clip.spans)).encode())
    return whole.hexdigest()


def _versions() -> dict[str, str]:
    import tensorflow as tf

    return {"gestures": __version__, "keras": load_keras().__version__, "tensorflow": tf.__version__}


def optimiser(rate: float, steps: int, weight_decay: float) -> Any:  # noqa: ANN401 - keras has no types
    """AdamW for `steps` corrections: the learning rate rises to `rate` in a twentieth of them, then falls to 0."""
    keras = load_keras()
    schedule = keras.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=rate, warmup_steps=max(1, steps // 20))
    return keras.optimizers.AdamW(schedule, weight_decay=weight_decay, clipnorm=1.0)


def _fit(
    network: Network,
    batches: Iterator[Batch],
    recipe: Recipe,
    progress: Callable[[int, int, float], None] | None,
    checkpoint: Checkpoint,
) -> None:
    import tensorflow as tf

    optimizer = optimiser(recipe.learning_rate, recipe.steps, recipe.weight_decay)
    whole = network.both if network.horizons_s or network.keeper else network.sequence
    variables = whole.trainable_variables
    optimizer.build(variables)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def learn(batch: tuple[Any, ...], ahead: Lesson, memory: Any) -> Any:  # noqa: ANN401 - tensors
        vectors, labels, owed, weight, silence, words = batch
        with tf.GradientTape() as tape:
            logits, moved, said, after = network.lesson(vectors, ahead.motion, memory)
            loss = 0.0 if moved is None else recipe.ahead * missed(tf, moved, ahead)
            loss += unsaid(tf, logits, labels, owed, weight, silence, network.kept)
            if network.kept:
                loss += forgotten(tf, logits, silence, weight, network.kept)
            if said is not None:
                classes = (said.shape[-1] - 1) // 2
                sure = tf.where(words > classes, 1.0, owed)
                loss += unsaid(tf, said, words, sure, weight, tf.zeros_like(words), classes)
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        if network.keeper:
            network.tie()
        return loss, after

    memory = [tf.zeros((recipe.lanes, size)) for _, size in network.states]
    average = [np.array(v) for v in variables]
    smooth = 0.0
    changing = [*variables, *optimizer.variables]
    done, kept = checkpoint.load([*map(np.asarray, changing), *average])
    for variable, value in zip(changing, kept, strict=False):
        variable.assign(value)
    average = kept[len(changing) :] or average
    # The streams are drawn from the beginning again, but no two passes over a set are alike.
    for step, batch in enumerate(itertools.islice(batches, recipe.steps - done), done):
        memory = [m * batch.goes_on for m in memory]
        given = (batch.vectors, batch.labels, batch.owed, batch.weight, batch.silence, batch.words)
        loss, memory = learn(given, batch.ahead, memory)
        keep = min(recipe.average, (1 + step) / (10 + step))
        average = [a * keep + np.asarray(v) * (1 - keep) for a, v in zip(average, variables, strict=True)]
        smooth = float(loss) if step == done else smooth * 0.98 + float(loss) * 0.02
        if progress is not None:
            progress(step + 1, recipe.steps, smooth)
        if checkpoint.due or step + 1 == recipe.steps:
            checkpoint.save(step + 1, [*map(np.asarray, changing), *average])
    for variable, value in zip(variables, average, strict=True):
        variable.assign(value)
