"""Inside the network: the equations are those of the step that runs, forgetting forgets, gradients are gradients."""

from dataclasses import replace

import numpy as np
import pytest

from gestures import features, gates, model
from gestures.errors import ModelError
from gestures.network import Network, finish, save
from gestures.sequences import Commands


@pytest.fixture(scope="module", params=["plain", "with a keeper"])
def folder(request, network, exported, tmp_path_factory):
    """Two layers; and the same with a layer that keeps a command's first gesture in mind, its gates ajar."""
    (made, manifest, step), rng = exported, np.random.default_rng(8)
    if request.param == "with a keeper":
        network = Network(
            3, (12, 8), np.zeros(features.SIZE), np.ones(features.SIZE), commands=Commands(1), horizons_s=()
        )
        network.remember(20, seed=3)
        for layer, size in (("words", 3.0), ("scores", 0.4), ("over_time2", 0.1)):
            of = network.sequence.get_layer(layer)
            of.set_weights([rng.normal(0, size, weights.shape) for weights in of.get_weights()])
        made, _, step = finish(network, replace(manifest, horizons_s=()), np.zeros((2, features.SIZE), np.float32))
    folder = tmp_path_factory.mktemp("model")
    save(network, made, step, "# tiny\n", folder)
    return folder


@pytest.fixture(scope="module")
def tiny(folder):
    return model.load(folder)


@pytest.fixture(scope="module")
def weights(folder):
    return gates.read_weights(folder, model.load(folder))


@pytest.fixture(scope="module")
def vectors():
    return np.random.default_rng(5).normal(size=(40, features.SIZE)).astype(np.float32)


def test_the_equations_are_those_of_the_step(weights, vectors, tiny):
    inside, memory = gates.passage(weights, vectors), tiny.begin()
    for vector, said in zip(vectors, inside.probabilities, strict=True):
        probabilities, memory = tiny.step(vector, memory)
        np.testing.assert_allclose(said, probabilities, atol=1e-5)
    for gate in (inside.input, inside.forget, inside.output):
        assert gate.shape == (40, 20 + tiny.manifest.keeper)
        assert 0 < gate.min() < gate.max() < 1


def test_which_gate_is_which(weights, vectors):
    """The second layer's biases are moved by hand, one gate at a time."""
    kernel, recurrent, bias = weights.layers[1]
    for k, name in enumerate(("input", "forget", None, "output")):
        moved = bias.copy()
        moved[k * 8 : (k + 1) * 8] = 50
        inside = gates.passage(replace(weights, layers=(weights.layers[0], (kernel, recurrent, moved))), vectors)
        for each in ("input", "forget", "output"):
            assert (getattr(inside, each)[:, 12:20].min() > 0.99) == (each == name)


def test_a_memory_of_n_ticks_is_one_that_began_n_ticks_ago(weights, vectors, tiny):
    for ticks in (1, 3, 40, 60):
        said = gates.forgetful(weights, vectors, ticks)
        for at in (0, 2, 17, 39):
            memory = tiny.begin()
            for vector in vectors[max(0, at - ticks + 1) : at + 1]:
                probabilities, memory = tiny.step(vector, memory)
            np.testing.assert_allclose(said[at], probabilities, atol=1e-5)


def test_what_counted_is_the_gradient_times_the_value(weights, vectors):
    """Against finite differences, taken in double precision."""
    exact = gates.Weights(
        *(np.asarray(part, np.float64) for part in (weights.scale, weights.offset)),
        tuple(tuple(np.asarray(part, np.float64) for part in layer) for layer in weights.layers),
        *(np.asarray(part, np.float64) for part in (weights.head, weights.bias)),
        weights.classes,
        weights.keeper,
    )
    x, label = vectors[:12].astype(np.float64), 1
    counted = gates.attribution(exact, x, label)
    normal = x * exact.scale + exact.offset

    def log_p(normalised):
        said = gates.passage(exact, (normalised - exact.offset) / exact.scale).probabilities
        return float(np.log(said[-1, label]))

    assert np.abs(counted[0]).max() > 1e-6, "the first tick still counts at the last"
    for tick, feature in ((0, 3), (5, 40), (11, 0), (11, 90)):
        step = np.zeros_like(normal)
        step[tick, feature] = 1e-2
        slope = (log_p(normal + step) - log_p(normal - step)) / 2e-2
        np.testing.assert_allclose(counted[tick, feature], slope * normal[tick, feature], rtol=2e-2, atol=2e-5)


def test_weights_of_another_network_are_refused(folder):
    class Other:
        """Says what no network of these weights says."""

        manifest = model.load_manifest(folder)
        begin = model.load(folder).begin

        @staticmethod
        def step(_, memory):
            return np.array([1, 0, 0], np.float32), memory

    with pytest.raises(ModelError, match=r"differ by .* train the model again"):
        gates.read_weights(folder, Other())
    with pytest.raises(ModelError, match="cannot be read"):
        gates.read_weights(folder / "nowhere", model.load(folder))
