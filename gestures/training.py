"""Clips -> streams -> a trained model: the only optimiser, loss and batching."""

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__, features
from .checkpoint import Checkpoint
from .clips import REST, Clip, ClipSet
from .errors import TrainingError
from .forecast import HORIZONS_S, POINTS, Lesson
from .model import Manifest, Model
from .network import LONGEST_S, Network, finish, load_keras
from .sequences import firsts
from .streams import FADING, OVER, Life, Owing, compose, donors, lives, settle
from .types import Floats

LISTENED = 10
"""Batches from which the features' mean and spread are taken."""
MOST_HELD_OUT = 40
"""People beyond these judge no better, and learn more."""
FAR_S = 20.0
"""For so long some units are initialised to remember where a command's two steps may lie far apart."""
LANES = 32
"""Streams learnt from side by side, where there are takes enough."""
WINDOW = 32
"""Ticks between two corrections of the weights; the memory goes on across them."""
TOGETHER = 3
"""So many times as many streams are composed at once as are learnt from side by side."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is trained.

    `steps` corrections of the weights, each by `lanes` streams side by side; `units` of each layer, made of `cell`s;
    `varied` the share of takes that are played otherwise than they were recorded, each time otherwise; `owing` when the
    answer is owed; `ahead` how much a palm's error of the forecast weighs beside the scores' loss, 0: the network does
    not forecast.
    """

    steps: int = 2400
    units: tuple[int, ...] = (176,)
    cell: str = "lstm"
    rate_hz: float = features.RATE_HZ
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    dropout: float = 0.4
    varied: float = 1.0
    owing: Owing = field(default_factory=Owing)
    ahead: float = 0.1
    average: float = 0.995  # share of the averaged weights that each step keeps
    lanes: int = LANES
    seed: int = 0


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
    labels = tuple(dict.fromkeys((REST, *takes.labels, *takes.sequences)))
    settled = replace(takes, clips=tuple(settle(c) for c in takes.clips if len(c.time)), paths=())
    batches = _batches(settled, labels, recipe, rng)
    heard = [next(batches) for _ in range(LISTENED)]
    seen = np.concatenate([batch.vectors[batch.vectors.any(2)] for batch in heard])
    network = network or _new(seen, len(labels), recipe, len(firsts(takes.sequences)))
    meaning = repr((labels, takes.mirror, takes.sequences))
    checkpoint = Checkpoint(keep, digest(takes), repr(recipe), meaning, begun=network.sequence.get_weights())
    _fit(network, itertools.chain(heard, batches), recipe, progress, checkpoint)
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
    shows a hand.
    """
    keras = load_keras()
    keras.utils.set_random_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    seen = [replace(settle(clip), spans=()) for clip in clips if clip.present.any()]
    if not seen:
        raise TrainingError("nothing to learn from beforehand: no recording shows a hand")
    own = ClipSet((), tuple(replace(settle(clip), spans=()) for clip in takes.clips if clip.present.any()))
    batches = _batches(ClipSet((), tuple(seen)), (REST,), recipe, rng)
    heard = [next(batches) for _ in range(LISTENED)]
    # Normalised for what comes later as well: a hand that only the labelled takes show must not be cut off.
    known = [*heard, *itertools.islice(_batches(own, (REST,), recipe, rng), LISTENED)]
    vectors = np.concatenate([batch.vectors[batch.vectors.any(2)] for batch in known])
    labels = dict.fromkeys((REST, *takes.labels, *takes.sequences))
    network = _new(vectors, len(labels), recipe, len(firsts(takes.sequences)))
    silent = (replace(batch, weight=np.zeros_like(batch.weight)) for batch in itertools.chain(heard, batches))
    learnt_from = digest(ClipSet((), tuple(clips))), digest(takes)
    checkpoint = Checkpoint(keep, "beforehand", *learnt_from, repr(recipe), begun=network.sequence.get_weights())
    _fit(network, silent, recipe, progress, checkpoint)
    return network


def _new(seen: Floats, classes: int, recipe: Recipe, kept: int = 0) -> Network:
    """A network that has learnt nothing, for features as `seen` (n, SIZE), to keep so many things in mind."""
    # What never changes teaches nothing; blown up to unit spread it would drown the rest the day it does change.
    spread = seen.std(0)
    scale = np.where(spread < 1e-3, 1e6, np.maximum(spread, 0.05)).astype(np.float32)
    horizons_s = HORIZONS_S if recipe.ahead else ()
    network = Network(classes, recipe.units, seen.mean(0), scale, recipe.dropout, horizons_s, recipe.cell, kept)
    network.remember(LONGEST_S * recipe.rate_hz, recipe.seed, FAR_S * recipe.rate_hz if kept else None)
    return network


def steps_for(takes: ClipSet) -> int:
    """How many steps a set is worth: about 100 visits to every take, between 1,200 and 4,500 steps."""
    ticks = sum(clip.duration_s for clip in takes.clips) * features.RATE_HZ
    return int(np.clip(100 * ticks / (LANES * WINDOW), 1200, 4500))


def check(takes: ClipSet) -> None:
    """Raise `TrainingError` when `takes` cannot teach a model."""
    if not takes.labels:
        raise TrainingError("the recordings hold no gesture, only rest: film at least one gesture and import it")
    if not any(clip.present.any() for clip in takes.clips):
        raise TrainingError("no recording shows a hand: film your hands in view of the camera, and import again")
    rest = any(not clip.spans for clip in takes.clips)
    if len(takes.labels) == 1 and not rest:
        raise TrainingError(
            f"the recordings hold one gesture only ({takes.labels[0]}) and no rest to tell it from:"
            " film another gesture, or a folder `rest` of hands that mean nothing, and import it"
        )
    for name, pair in takes.sequences.items():
        if unknown := [gesture for gesture in pair if gesture not in takes.labels]:
            raise TrainingError(f"{name} needs {unknown[0]}, of which there is no take: record it, or mend set.json")
        if name == REST or not rest:
            raise TrainingError(f"{name} needs hands that idle between {' and '.join(pair)}: record some rest")
    for label in takes.labels:
        count = sum(any(span.gesture == label for span in clip.spans) for clip in takes.clips)
        if count < 2:
            raise TrainingError(f"{label} has {count} take: film it at least twice, better ten times, and import again")


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


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    vectors: Floats  # (lanes, WINDOW, SIZE)
    labels: Any  # (lanes, WINDOW) int
    owed: Floats  # (lanes, WINDOW)
    weight: Floats  # (lanes, WINDOW); 0 after a life's end
    silence: Any  # (lanes, WINDOW) int: what saying nothing is called
    words: Any  # (lanes, WINDOW) int: the gesture as it is, whatever came before it, or that it has just been done
    goes_on: Floats  # (lanes, 1): 1 where the memory is carried into this window, 0 where a life begins
    ahead: Lesson  # (lanes, WINDOW, …) each


def _batches(takes: ClipSet, labels: Sequence[str], recipe: Recipe, rng: np.random.Generator) -> Iterator[_Batch]:
    """Windows of `recipe.lanes` lives side by side, without end: each lane takes a new life when its last is over."""
    supply = _lives(takes, labels, recipe, rng)
    shape = recipe.lanes, WINDOW
    # What a life teaches of its future is six times as large as itself: made for as long as it is in its lane.
    lanes: list[tuple[Life, Lesson, int]] = [
        (life, life.ahead.lesson(), 0) for life in itertools.islice(supply, recipe.lanes)
    ]
    while True:
        vectors = np.zeros((*shape, features.SIZE), np.float32)
        truth, owed = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
        weight, goes_on = np.zeros(shape, np.float32), np.zeros((recipe.lanes, 1), np.float32)
        ahead = Lesson.blank(*shape)
        silence, words = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for i, (life, lesson, at) in enumerate(lanes):
            part = slice(at, at + WINDOW)
            n = len(life.vectors[part])
            vectors[i, :n], truth[i, :n], owed[i, :n] = life.vectors[part], life.labels[part], life.owed[part]
            weight[i, :n], silence[i, :n] = life.weight[part], life.silence[part]
            words[i, :n] = life.words[part]
            for whole, own in zip(ahead, lesson, strict=True):
                whole[i, :n] = own[part]
            goes_on[i] = at > 0
            if at + WINDOW < len(life.vectors):
                lanes[i] = life, lesson, at + WINDOW
            else:
                new = next(supply)
                lanes[i] = new, new.ahead.lesson(), 0
        yield _Batch(vectors, truth, owed, weight, silence, words, goes_on, ahead)


def _lives(takes: ClipSet, labels: Sequence[str], recipe: Recipe, rng: np.random.Generator) -> Iterator[Life]:
    """Every life twice: among those of the streams composed with its own, and among those composed next.

    Composing costs twice what learning does (data echoing, Choi et al. 2019).
    """
    lenders = donors(takes)
    endless = itertools.chain.from_iterable(compose(takes, lenders, rng, recipe.varied) for _ in itertools.count())
    fresh: list[Life] = []
    while True:
        stale = fresh
        fresh = [
            life
            for clip, unknown in itertools.islice(endless, TOGETHER * recipe.lanes)
            for life in lives(clip, labels, recipe.rate_hz, unknown, recipe.owing, takes.sequences)
        ]
        together = stale + fresh
        for i in rng.permutation(len(together)):
            yield together[i]


def optimiser(rate: float, steps: int, weight_decay: float) -> Any:  # noqa: ANN401 - keras has no types
    """AdamW for `steps` corrections: the learning rate rises to `rate` in a twentieth of them, then falls to 0."""
    keras = load_keras()
    schedule = keras.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=rate, warmup_steps=max(1, steps // 20))
    return keras.optimizers.AdamW(schedule, weight_decay=weight_decay, clipnorm=1.0)


def _fit(
    network: Network,
    batches: Iterator[_Batch],
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
            loss = 0.0 if moved is None else recipe.ahead * _missed(tf, moved, ahead)
            loss += _loss(tf, logits, labels, owed, weight, silence, network.kept)
            if network.kept:
                loss += _forgotten(tf, logits, silence, weight, network.kept)
            if said is not None:
                classes = (said.shape[-1] - 1) // 2
                sure = tf.where(words > classes, 1.0, owed)
                loss += _loss(tf, said, words, sure, weight, tf.zeros_like(words), classes)
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
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


def _loss(tf: Any, logits: Any, labels: Any, owed: Any, weight: Any, silence: Any, kept: int) -> Any:  # noqa: ANN401
    """Be right, or undecided while it is early.

    The mean over ticks of -owed log p(label) - (1 - owed) log(p(label) + p(undecided)); where `owed` is `OVER`, of
    -log(1 - p(label)), where it is `FADING`, of -log(p(label) + p(silence)). The last `kept` logits are silences.
    """
    log_p = tf.nn.log_softmax(logits)
    own = tf.gather(log_p, labels, axis=2, batch_dims=2)

    def or_else(other: Any) -> Any:  # noqa: ANN401 - tensors
        return tf.reduce_logsumexp(tf.stack([own, other]), axis=0)

    right = tf.where(
        labels == silence, own, owed * own + (1 - owed) * or_else(log_p[:, :, logits.shape[-1] - 1 - kept])
    )
    quiet = tf.gather(log_p, silence, axis=2, batch_dims=2)
    other = tf.math.log1p(-tf.minimum(tf.exp(own), 1 - 1e-6))
    right = tf.where(owed == OVER, other, tf.where(owed == FADING, or_else(quiet), right))
    return tf.reduce_sum(-right * weight) / tf.maximum(tf.reduce_sum(weight), 1.0)


def _missed(tf: Any, moved: Any, ahead: Lesson) -> Any:  # noqa: ANN401 - tensors
    """How far joints are from where they were forecast, in palms for each 0.1 s ahead: the mean of what is known."""
    apart = tf.reshape(moved - ahead.moved, (-1, WINDOW, len(HORIZONS_S), POINTS, 3))
    joints = apart[..., 1:, :] + apart[..., :1, :]
    missed = tf.reduce_mean(tf.sqrt(tf.reduce_sum(tf.square(joints), -1) + 1e-6), -1)
    weight = ahead.weight * (0.1 / np.array(HORIZONS_S, np.float32))
    return tf.reduce_sum(missed * weight) / tf.maximum(tf.reduce_sum(ahead.weight), 1.0)


def _forgotten(tf: Any, logits: Any, silence: Any, weight: Any, kept: int) -> Any:  # noqa: ANN401 - tensors
    """The mean over ticks of -log p(its silence), given that it is one of the `kept` + 1 silences.

    Asked at every tick, gestures and ways included, it tells the memory at once what to keep: to learn that from the
    second gesture of a command alone, corrections would have to reach back for as long as the two lie apart.
    """
    classes = logits.shape[-1] - kept
    log_p = tf.nn.log_softmax(tf.concat([logits[..., :1], logits[..., classes:]], -1))
    own = tf.gather(log_p, tf.maximum(silence - classes + 1, 0), axis=2, batch_dims=2)
    return tf.reduce_sum(-own * weight) / tf.maximum(tf.reduce_sum(weight), 1.0)


def hold_out(takes: ClipSet, share: float = 0.2, seed: int = 0) -> tuple[ClipSet, ClipSet, str]:
    """(learn from, judge on, how it was split): by person where people can be spared, else by take.

    Nobody is held out without whom a gesture could not be learnt.
    """
    rng = np.random.default_rng(seed)
    people = takes.people
    count = min(max(1, round(share * len(people))), MOST_HELD_OUT)
    held: set[str] = set()
    for person in rng.permutation(list(people)).tolist():
        others = held | {person}
        left = [clip for clip in takes.clips if clip.person not in others]
        if len(held) < count and _can_teach(replace(takes, clips=tuple(left), paths=())):
            held.add(person)
    if held:
        names = ", ".join(sorted(held)) if len(held) <= 12 else f"{len(held)}"
        once = max(Counter(clip.person for clip in takes.clips).values()) == 1
        doubt = "; each did one take only: if they are one person, expect live use to be worse" if once else ""
        how = f"people held out: {names} of {len(people)}{doubt}"
        return takes.only(lambda c: c.person not in held), takes.only(lambda c: c.person in held), how
    spared: set[int] = set()
    for label in (REST, *takes.labels):
        own = [i for i, clip in enumerate(takes.clips) if _names(clip) == label]
        spared |= set(rng.permutation(own)[: max(round(share * len(own)), len(own) > 2)].tolist())
    order = {id(clip): i for i, clip in enumerate(takes.clips)}
    how = f"takes held out: {len(spared)} of {len(takes.clips)}, by people learnt from: expect others to do worse"
    return takes.only(lambda c: order[id(c)] not in spared), takes.only(lambda c: order[id(c)] in spared), how


def _can_teach(takes: ClipSet) -> bool:
    try:
        check(takes)
    except TrainingError:
        return False
    return True


def _names(clip: Clip) -> str:
    return clip.spans[0].gesture if clip.spans else REST
