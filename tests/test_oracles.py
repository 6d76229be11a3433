"""The network against NumPy's reading of the LSTM equations, and against itself by another way."""

import numpy as np
from conftest import LABELS

from gestures import features
from gestures.network import Network


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, kernel, recurrent, bias):
    """h of every tick: input, forget, cell and output gates in Keras's order (Hochreiter & Schmidhuber 1997)."""
    h = c = np.zeros(recurrent.shape[0])
    out = []
    for row in x:
        i, f, g, o = np.split(row @ kernel + h @ recurrent + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out.append(h)
    return np.array(out)


def test_keras_litert_and_the_equations_agree(network, tiny):
    x = np.random.default_rng(7).normal(size=(120, features.SIZE)).astype(np.float32)
    weights = {"/".join(v.path.split("/")[-2:]): np.asarray(v, np.float64) for v in network.sequence.weights}
    config = network.sequence.get_layer("normalise").get_config()
    y = x * np.array(config["scale"]) + np.array(config["offset"])
    for layer in ("lstm0", "lstm1"):
        y = lstm(y, *(weights[f"{layer}/{part}"] for part in ("kernel", "recurrent_kernel", "bias")))
    logits = y @ weights["scores/kernel"] + weights["scores/bias"]
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)

    memory, streamed = tiny.begin(), []
    for row in x:
        p, memory = tiny.step(row, memory)
        streamed.append(p)
    whole = np.asarray(network.sequence([x[None], *tiny.begin()])[0])[0]
    whole = np.exp(whole) / np.exp(whole).sum(1, keepdims=True)

    np.testing.assert_allclose(whole, expected, atol=1e-5)
    np.testing.assert_allclose(streamed, expected, atol=1e-5)
    assert np.ptp(expected, 0).max() > 0.05, "a network that says the same always would agree as well"


def test_the_step_carries_its_memory(tiny):
    x = np.random.default_rng(8).normal(size=(20, features.SIZE)).astype(np.float32)
    memory = tiny.begin()
    for row in x:
        p, memory = tiny.step(row, memory)
    forgetful, _ = tiny.step(x[-1], tiny.begin())
    assert np.abs(p - forgetful).max() > 1e-3


def test_parity_is_measured_not_said(exported):
    _, manifest, _ = exported
    assert 0 < manifest.parity < 1e-5


def test_chrono_biases_keep_the_memory_for_as_long_as_they_say():
    network = Network(len(LABELS), (64,), np.zeros(features.SIZE), np.ones(features.SIZE))
    network.remember(100, seed=1)
    bias = np.asarray(network.sequence.get_layer("over_time0").cell.bias)
    input_gate, forget_gate = bias[:64], bias[64:128]
    np.testing.assert_allclose(input_gate, -forget_gate, rtol=1e-6)
    # A forget gate sigmoid(b) decays with the time 1 / (1 - sigmoid(b)) = 1 + e^b ticks.
    lasts = 1 + np.exp(forget_gate)
    assert lasts.min() >= 2
    assert 80 < lasts.max() <= 100
