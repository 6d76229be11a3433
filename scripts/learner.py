"""A recurrent layer with a linear read-out that learns from batches: our cell, or one of its rivals."""

from typing import Any

import numpy as np
from lags import Batch, Task

from gestures.cells import chrono_biases
from gestures.network import load_keras
from gestures.training import optimiser

KINDS = ("gestures", "keras LSTM", "plain RNN")
"""Our layer with its initialisation; the same layer as Keras initialises it; the simple recurrent cell."""


class Learner:
    """A recurrent layer with a linear read-out, learning from batches; its inputs are normalised as features are."""

    def __init__(self, sample: Batch, kind: str, task: Task, seed: int) -> None:
        """`sample` is some of what will come."""
        keras = load_keras()
        import tensorflow as tf

        keras.utils.set_random_seed(seed)
        plain, inputs = kind == "plain RNN", sample.inputs.shape[2]
        cell = keras.layers.SimpleRNNCell(task.units) if plain else keras.layers.LSTMCell(task.units)
        cell.build((None, inputs))
        if kind == "gestures":
            cell.bias.assign(chrono_biases(task.units, task.longest, np.random.default_rng(seed)))
        read_out = keras.layers.Dense(sample.targets.shape[2])
        read_out.build((None, task.units + inputs * task.shortcut))
        heard = sample.inputs.reshape(-1, inputs)
        inverse = (1 / np.maximum(heard.std(0), 0.05)).astype(np.float32)
        offset = -heard.mean(0) * inverse
        variables = [*cell.trainable_variables, *read_out.trainable_variables]
        descent = optimiser(task.rate, max(1, task.sequences // task.lanes), 1e-2)
        descent.build(variables)
        self._units, self._states, self._tf = task.units, 1 if plain else 2, tf

        def answer(inputs: Any, memory: Any) -> Any:  # noqa: ANN401 - tensors
            x = inputs * inverse + offset
            seen, after = (over_time if plain else lstm_over_time)(cell, x, memory)
            raw = read_out(tf.concat([seen, x], 2) if task.shortcut else seen)
            return raw, tf.nn.softmax(raw) if task.named else raw, after

        spec = [tf.TensorSpec((None, None, n)) for n in (inputs, sample.targets.shape[2])]
        remembered = [tf.TensorSpec((None, task.units))] * self._states

        @tf.function(input_signature=[*spec, tf.TensorSpec((None, None)), remembered])
        def learn(inputs: Any, targets: Any, counts: Any, memory: Any) -> Any:  # noqa: ANN401 - tensors
            with tf.GradientTape() as tape:
                raw, said, after = answer(inputs, memory)
                off = (
                    -tf.reduce_sum(targets * tf.nn.log_softmax(raw), 2)
                    if task.named
                    else tf.reduce_sum((raw - targets) ** 2, 2)
                )
                loss = tf.reduce_sum(off * counts) / tf.reduce_sum(counts)
            descent.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            return said, after

        @tf.function(input_signature=[spec[0], remembered])
        def say(inputs: Any, memory: Any) -> Any:  # noqa: ANN401 - tensors
            _, said, after = answer(inputs, memory)
            return said, after

        self._learn, self._say = learn, say

    def begin(self, lanes: int) -> Any:  # noqa: ANN401 - tensors
        """An empty memory of `lanes` sequences."""
        return [self._tf.zeros((lanes, self._units)) for _ in range(self._states)]

    def learn(self, batch: Batch, memory: Any) -> tuple[Any, Any]:  # noqa: ANN401 - tensors
        """Correct the weights once: what was said before, and the memory after."""
        said, after = self._learn(batch.inputs, batch.targets, batch.counts, memory)
        return said.numpy(), after

    def say(self, batch: Batch, memory: Any) -> tuple[Any, Any]:  # noqa: ANN401 - tensors
        """What is said, and the memory after."""
        said, after = self._say(batch.inputs, memory)
        return said.numpy(), after


def over_time(cell: Any, x: Any, memory: Any) -> tuple[Any, Any]:  # noqa: ANN401 - Keras, tensors
    """What `cell` tells at each tick of `x` (n, T, in), and its memory after: Keras's own loop."""
    seen, *after = load_keras().layers.RNN(cell, return_sequences=True, return_state=True)(x, initial_state=memory)
    return seen, after


def lstm_over_time(cell: Any, x: Any, memory: Any) -> tuple[Any, Any]:  # noqa: ANN401 - Keras, tensors
    """The same for an LSTM cell by TensorFlow's one operation for a whole sequence, a third of the loop's price.

    It is the older `BlockLSTM`: the gradient of `BlockLSTMV2` takes the gates in the order of the older one, and is
    wrong. That order is input, cell, forget, output; Keras's is input, forget, cell, output.
    """
    import tensorflow as tf

    def ordered(weights: Any) -> Any:  # noqa: ANN401 - tensors
        i, f, c, o = tf.split(weights, 4, -1)
        return tf.concat([i, c, f, o], -1)

    none = tf.zeros(cell.units)
    _, c, *_, h = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.shape(x, tf.int64)[1],
        x=tf.transpose(x, (1, 0, 2)),
        cs_prev=memory[1],
        h_prev=memory[0],
        w=ordered(tf.concat([cell.kernel, cell.recurrent_kernel], 0)),
        wci=none,
        wcf=none,
        wco=none,
        b=ordered(cell.bias),
        forget_bias=0.0,
        cell_clip=-1.0,
        use_peephole=False,
    )
    return tf.transpose(h, (1, 0, 2)), [h[-1], c[-1]]
