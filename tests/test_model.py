"""Model folders: whole, unchanged and of this version, or refused in words."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

import gestures
from gestures import features
from gestures.glances import Palms
from gestures.landmarks import find_hand_model
from gestures.network import load_keras, save


@pytest.fixture
def folder(exported, network, tmp_path):
    made, _, step = exported
    save(network, made, step, "# a card\n", tmp_path / "m")
    return tmp_path / "m"


def test_a_model_survives_the_disk(folder, tiny):
    again = gestures.load(folder)
    assert again.manifest == replace(tiny.manifest, sha256=again.manifest.sha256)
    x = np.random.default_rng(0).normal(size=(30, features.SIZE)).astype(np.float32)
    ours, theirs = tiny.begin(), again.begin()
    for row in x:
        p, ours = tiny.step(row, ours)
        q, theirs = again.step(row, theirs)
        np.testing.assert_array_equal(p, q)


def test_training_can_go_on_from_the_disk(folder, network):
    keras = load_keras()
    again = keras.models.load_model(folder / "model.keras", safe_mode=True)
    x = np.random.default_rng(0).normal(size=(1, 20, features.SIZE)).astype(np.float32)
    empty = [np.zeros((1, units), np.float32) for units in network.units for _ in "hc"]
    np.testing.assert_allclose(again([x, *empty])[0], network.sequence([x, *empty])[0], atol=1e-6)


def test_running_a_model_never_wakes_tensorflow(folder):
    import subprocess
    import sys

    code = f"import sys, gestures; m = gestures.load({str(folder)!r}); gestures.Recognizer(m); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"tensorflow", "keras"} & set(done.stdout.split())


def one_by_one(model, vectors, memory):
    each = [model.step(vectors[n], tuple(part[n : n + 1] for part in memory)) for n in range(len(vectors))]
    return np.stack([p for p, _ in each]), [np.concatenate(part) for part in zip(*(m for _, m in each), strict=True)]


def test_many_hands_step_at_once_as_one_by_one(tiny):
    rng = np.random.default_rng(1)
    for count in (3, 3, 1, 7):
        vectors = rng.normal(size=(count, features.SIZE)).astype(np.float32)
        memory = tuple(rng.normal(size=(count, part.shape[1])).astype(np.float32) for part in tiny.begin())
        p, after = tiny.step_many(vectors, memory)
        assert tiny._wide is not None
        expected, memories = one_by_one(tiny, vectors, memory)
        np.testing.assert_allclose(p, expected, atol=1e-6)
        for ours, theirs in zip(after, memories, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_what_a_step_gave_stays(tiny):
    """The next step writes its answers elsewhere."""
    vectors = np.random.default_rng(2).normal(size=(2, 4, features.SIZE)).astype(np.float32)
    empty = tuple(np.repeat(part, 4, 0) for part in tiny.begin())
    p, after = tiny.step_many(vectors[0], empty)
    kept = [part.copy() for part in (p, *after)]
    tiny.step_many(vectors[1], after)
    for part, before in zip((p, *after), kept, strict=True):
        np.testing.assert_array_equal(part, before)


def edit(folder, **what):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **what}))


def test_a_level_written_before_there_were_hold_times_of_ones_own_has_that_of_all(folder):
    rules = {"on": 0.8, "off": 0.4, "hold_s": 0.3, "per_gesture": [["swipe", 0.7], ["push", 0.9, 0.5]]}
    edit(folder, rules=rules)
    read = gestures.load(folder).manifest.rules
    assert (read.on_for("swipe"), read.hold_for("swipe")) == (0.7, 0.3)
    assert (read.on_for("push"), read.hold_for("push")) == (0.9, 0.5)
    assert read.hold_for("wave") == 0.3


@pytest.mark.parametrize("name", ["manifest.json", "step.tflite", "model.keras"])
def test_a_missing_file_is_refused(folder, name):
    (folder / name).unlink()
    with pytest.raises(gestures.ModelError, match=f"{name} cannot be read"):
        gestures.load(folder)


@pytest.mark.parametrize("name", ["step.tflite", "model.keras"])
def test_a_changed_file_is_refused(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(gestures.ModelError, match="sha256 differs"):
        gestures.load(folder)


def test_another_features_version_is_refused(folder):
    edit(folder, features=features.VERSION + 1)
    with pytest.raises(gestures.ModelError, match="retrain it"):
        gestures.load(folder)


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": 2},
        {"labels": ["swipe", "rest", "wave"]},
        {"labels": ["rest"]},
        {"labels": ["rest", "a", "a"]},
        {"labels": ["rest", "\x1b[2Jhello", "b"]},
        {"labels": ["rest", "../up", "b"]},
        {"labels": ["rest", "one too few"]},
        {"rate_hz": "fast"},
        {"rate_hz": 1e9},
        {"rules": {"on": 2.0}},
        {"rules": None},
        {"sha256": {}},
        {"surprise": 1},
        {"units": [12]},
        {"horizons_s": [0.1, 0.05, 0.2, 0.3, 0.4]},
        {"horizons_s": [0.1]},
        {"horizons_s": "soon"},
    ],
    ids=str,
)
def test_a_manifest_that_cannot_be_is_refused(folder, wrong):
    edit(folder, **wrong)
    with pytest.raises(gestures.ModelError, match=r"train|read"):
        gestures.load(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe"])
def test_a_manifest_that_is_none_is_refused(folder, content):
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(gestures.ModelError, match="not a manifest"):
        gestures.load(folder)


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(gestures.ModelError, match="is no model folder"):
        gestures.load(tmp_path / "nowhere")
    with pytest.raises(gestures.ModelError, match=r"manifest.json cannot be read"):
        gestures.load(tmp_path)


def test_a_folder_that_may_not_be_written_is_told(exported, network, tmp_path):
    made, _, step = exported
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(gestures.ModelError, match="cannot be written"):
        save(network, made, step, "", tmp_path / "file" / "m")


def test_without_litert_it_says_what_to_install(folder, tiny, monkeypatch):
    step = (folder / "step.tflite").read_bytes()
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(gestures.ModelError, match="pip install ai-edge-litert"):
        gestures.Model(tiny.manifest, step)
    with pytest.raises(gestures.LandmarkerError, match="pip install ai-edge-litert"):
        Palms(find_hand_model(), 0.5)
