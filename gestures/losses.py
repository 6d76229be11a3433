"""What a network is told it did wrong: named wrongly or late, forecast wide of the hand, forgot a first step."""

from typing import Any

import numpy as np

from .forecast import HORIZONS_S, POINTS, Lesson
from .lives import FADING, OVER
from .recipe import WINDOW


def unsaid(tf: Any, logits: Any, labels: Any, owed: Any, weight: Any, silence: Any, kept: int) -> Any:  # noqa: ANN401
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


def missed(tf: Any, moved: Any, ahead: Lesson) -> Any:  # noqa: ANN401 - tensors
    """How far joints are from where they were forecast, in palms for each 0.1 s ahead: the mean of what is known."""
    apart = tf.reshape(moved - ahead.moved, (-1, WINDOW, len(HORIZONS_S), POINTS, 3))
    joints = apart[..., 1:, :] + apart[..., :1, :]
    missed = tf.reduce_mean(tf.sqrt(tf.reduce_sum(tf.square(joints), -1) + 1e-6), -1)
    weight = ahead.weight * (0.1 / np.array(HORIZONS_S, np.float32))
    return tf.reduce_sum(missed * weight) / tf.maximum(tf.reduce_sum(ahead.weight), 1.0)


def forgotten(tf: Any, logits: Any, silence: Any, weight: Any, kept: int) -> Any:  # noqa: ANN401 - tensors
    """The mean over ticks of -log p(its silence), given that it is one of the `kept` + 1 silences.

    Asked at every tick, gestures and ways included, it tells the memory at once what to keep: to learn that from the
    second gesture of a command alone, corrections would have to reach back for as long as the two lie apart.
    """
    classes = logits.shape[-1] - kept
    log_p = tf.nn.log_softmax(tf.concat([logits[..., :1], logits[..., classes:]], -1))
    own = tf.gather(log_p, tf.maximum(silence - classes + 1, 0), axis=2, batch_dims=2)
    return tf.reduce_sum(-own * weight) / tf.maximum(tf.reduce_sum(weight), 1.0)
