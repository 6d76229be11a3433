"""The cells a network can be made of: each streams as it was trained, keeps what it says it keeps, and is named."""

import json

import numpy as np
import pytest
from conftest import LABELS, clip

import gestures
from gestures import cells, features, model, training
from gestures.cells import CELLS, WINDOW
from gestures.cli import main
from gestures.network import Network, finish, load_keras, save
from gestures.recipe import Recipe

PROBE = np.random.default_rng(5).normal(size=(3 * WINDOW, features.SIZE)).astype(np.float32)


@pytest.fixture(scope="module", params=CELLS)
def made(request):
    """(cell, network, model, step) with two layers and random weights."""
    load_keras().utils.set_random_seed(2)
    network = Network(3, (10, 6), np.full(features.SIZE, 0.1), np.full(features.SIZE, 1.5), cell=request.param)
    network.remember(20, 1)
    exported, manifest, step = finish(network, model.Manifest(LABELS, ()), PROBE)
    return request.param, network, exported, manifest, step


def say(of, vectors):
    memory, said = of.begin(), []
    for vector in vectors:
        probabilities, memory = of.step(vector, memory)
        said.append(probabilities)
    return np.array(said)


def test_every_cell_streams_as_it_reads_the_whole(made):
    cell, _, exported, manifest, _ = made
    assert manifest.cell == exported.manifest.cell == cell
    assert manifest.parity < 1e-5
    assert np.ptp(say(exported, PROBE), 0).max() > 0.01


def test_every_cell_reads_on_from_its_memory_in_midst_of_a_stream(made):
    _, network, _, _, _ = made
    empty = [np.zeros((1, size), np.float32) for _, size in network.states]
    whole, _ = network.read(PROBE[None], empty)
    first, kept = network.read(PROBE[None, :17], empty)
    rest, _ = network.read(PROBE[None, 17:], [np.asarray(part) for part in kept])
    np.testing.assert_allclose(np.concatenate([first, rest], 1), whole, atol=1e-5)


def test_what_was_seen_before_counts_for_as_long_as_the_cell_says(made):
    """Of two streams that are the same but for their first tick, the answers at the end differ, or do not."""
    cell, _, exported, _, _ = made
    other = PROBE.copy()
    other[0] += 5
    apart = np.abs(say(exported, PROBE) - say(exported, other)).max(1)
    assert apart[0] > 1e-3
    # Two layers, each with a window: the second sees what the first saw up to a window before.
    reach = {"none": 1, "window": 2 * WINDOW - 1}.get(cell)
    if reach is None:
        assert apart[WINDOW // 2] > 0
    else:
        assert apart[reach - 1] > 0
        assert apart[reach:].max() == 0


def test_every_cell_survives_the_disk(made, tmp_path):
    cell, network, exported, _, step = made
    save(network, exported, step, "# a card\n", tmp_path / "m")
    again = gestures.load(tmp_path / "m")
    assert again.manifest.cell == cell
    np.testing.assert_array_equal(say(again, PROBE), say(exported, PROBE))
    keras = load_keras()
    loaded = keras.models.load_model(tmp_path / "m" / "model.keras", safe_mode=True)
    empty = [np.zeros((1, size), np.float32) for _, size in network.states]
    ours, _ = network.read(PROBE[None], empty)
    theirs = loaded([PROBE[None], *empty])
    np.testing.assert_allclose(theirs[0] if empty else theirs, ours, atol=1e-6)


def test_a_manifest_without_a_cell_is_an_lstms(exported, network, tmp_path):
    made, _, step = exported
    save(network, made, step, "# a card\n", tmp_path / "m")
    path = tmp_path / "m" / "manifest.json"
    note = json.loads(path.read_text())
    assert note.pop("cell") == "lstm"
    path.write_text(json.dumps(note))
    np.testing.assert_array_equal(say(gestures.load(tmp_path / "m"), PROBE), say(made, PROBE))
    path.write_text(json.dumps({**note, "cell": "perceptron"}))
    with pytest.raises(gestures.ModelError, match=r"names the cell perceptron, not one of lstm, gru"):
        gestures.load(tmp_path / "m")
    path.write_text(json.dumps({**note, "cell": "gru"}))
    with pytest.raises(gestures.ModelError, match="train it again"):
        gestures.load(tmp_path / "m")


@pytest.mark.parametrize("cell", ["gru", "none"])
def test_other_cells_are_trained_as_ours_is(cell):
    takes = gestures.ClipSet(("swipe",), tuple(clip(g, "ana", phase=n) for n in range(2) for g in ("swipe", "rest")))
    trained = training.train(takes, Recipe(steps=2, units=(8,), cell=cell))
    assert trained.model.manifest.cell == cell
    sizes = [size for layer in cells.states(cell, (8,), features.SIZE) for _, size in layer]
    assert [part.shape for part in trained.model.begin()] == [(1, size) for size in sizes]
    begun = Network(2, (8,), np.zeros(features.SIZE), np.ones(features.SIZE), cell=cell)
    assert len(begun.sequence.trainable_variables) == len(trained.network.sequence.trainable_variables)


def test_a_gru_begins_with_a_memory_as_long_as_an_lstms():
    network = Network(3, (64,), np.zeros(features.SIZE), np.ones(features.SIZE), cell="gru")
    network.remember(100, 1)
    gates = network.sequence.get_layer("over_time0").cell.bias.numpy()
    # 1 / (1 - sigmoid(b)): for so many ticks the update gate keeps what was there.
    lasts = 1 + np.exp(gates[0, :64])
    assert 60 < lasts.max() <= 100
    assert lasts.min() >= 2
    assert not gates[0, 64:].any()
    assert not gates[1].any()


def test_explain_says_in_one_sentence_what_it_cannot_show_of_other_cells(tmp_path, capsys):
    rules = gestures.DecisionRules(on=0.2, off=0.1, hold_s=0.0)
    network = Network(3, (8,), np.zeros(features.SIZE), np.ones(features.SIZE), cell="gru")
    network.sequence.get_layer("scores").bias.assign([-3, 0, 0, -9])
    exported, _, step = finish(network, model.Manifest(LABELS, (), rules=rules), PROBE[:5])
    save(network, exported, step, "# a card\n", tmp_path / "m")
    gestures.save_clip(clip("rest"), tmp_path / "c.npz")
    words = ["explain", str(tmp_path / "m"), str(tmp_path / "c.npz"), "--plots", str(tmp_path / "drawn")]
    assert main(words) == 0
    told = capsys.readouterr()
    assert "made of gru cells: its gates, how far back" in told.err
    assert "began" in told.out
    assert "What counted" not in told.out
    assert "enough to say so" not in told.out
    assert list((tmp_path / "drawn").glob("*.png"))
