"""The whole loop in one command: what is recorded, learnt, judged and run."""

import argparse
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from test_camera import write_video
from test_checking import drawn

import gestures
from gestures import bridging, features, holdout, inheriting, lesson
from gestures.cli import main
from gestures.console import shipped
from gestures.network import KEEPER, load_keras

STARTER = shipped("trained/starter")


def some_takes(data, count=3, names=("line", "ring")):
    for name in names:
        for n in range(count):
            gestures.save_clip(drawn(name, "me", seed=n), data / name / f"me_{n:02d}.npz")


def test_what_is_inherited_is_the_memory_and_not_the_head():
    load_keras()
    network = inheriting.inherit(STARTER, gestures.ClipSet(("a", "b", "c"), ()))
    own = gestures.load(STARTER)
    old_memory, new_memory = own.begin(), own.begin()
    rng = np.random.default_rng(0)
    for _ in range(5):
        vector = rng.normal(size=(1, features.SIZE)).astype(np.float32)
        _, old_memory = own.step(vector[0], old_memory)
        scores, *new_memory = (np.asarray(each) for each in network.step([vector, *new_memory]))
    for old, new in zip(old_memory, new_memory, strict=True):
        np.testing.assert_allclose(old, new, atol=1e-4)
    assert scores.shape == (1, 5)  # and one for being undecided
    assert np.abs(old_memory[0]).max() > 0.1


def test_spoilt_weights_are_not_inherited(tmp_path):
    for each in STARTER.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    (tmp_path / "model.keras").write_bytes(b"spoilt")
    with pytest.raises(gestures.ModelError, match="sha256 differs"):
        inheriting.inherit(tmp_path, gestures.ClipSet(("a", "b"), ()))


def test_takes_that_are_there_are_learnt_and_it_goes_live(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(lesson, "FEWEST_STEPS", 12)
    monkeypatch.setattr(lesson, "STEPS_A_GESTURE", 1)
    some_takes(tmp_path / "data")
    video = write_video(tmp_path / "live.mp4", frames=6)
    words = ["teach", "line", "ring", "--data", tmp_path / "data", "--into", tmp_path / "m", "--takes", "3"]
    assert main([*map(str, words), "--source", str(video), "--no-window"]) == 0
    out, err = capsys.readouterr()
    assert "takes held out" in out
    assert "begun with the starter's memory" in out
    assert "begun with an empty memory" in out
    assert out.count("<- kept") == 1
    assert "watching for line, ring" in err
    assert "6 pictures" in err
    manifest = json.loads((tmp_path / "m" / "manifest.json").read_text())
    assert manifest["made_from"]["revised"] is True
    assert manifest["labels"] == ["rest", "line", "ring"]


def test_takes_of_others_are_not_counted_as_ones_own(tmp_path):
    some_takes(tmp_path)
    (taken,) = {path.stem.rpartition("_")[0] for path in (tmp_path / "line").glob("*_00.npz")}
    count = len([*(tmp_path / "line").glob(f"{taken}_*.npz")])
    options = argparse.Namespace(data=tmp_path, person=taken)
    (tmp_path / "line" / f"{taken}_b_00.npz").write_bytes((tmp_path / "line" / f"{taken}_00.npz").read_bytes())
    assert lesson._there("line", options) == count


def test_a_set_with_a_command_is_taught_from_either_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(lesson, "FEWEST_STEPS", 3)
    monkeypatch.setattr(lesson, "STEPS_A_GESTURE", 1)
    monkeypatch.setattr(bridging, "LAGS_S", (1.0,))
    some_takes(tmp_path)
    (tmp_path / "set.json").write_text(json.dumps({"format": 1, "sequences": {"both": ["line", "ring"]}}))
    begun = []
    monkeypatch.setattr(lesson, "inherit", lambda *a: begun.append(inheriting.inherit(*a)) or begun[0])
    taught, told = lesson.learn(lesson.with_idlers(gestures.load_set(tmp_path)), 0)
    assert begun[0].kept == 1
    assert taught.model.manifest.labels == ("rest", "line", "ring", "both")
    assert taught.model.manifest.keeper == KEEPER
    assert told.count("begun with") == 2


def test_idlers_count_as_nobody_else():
    takes = gestures.ClipSet(("line",), (drawn("line", "bo"),))
    idle = lesson.with_idlers(takes)
    assert idle.people == ("bo",)
    assert [len(clip.spans) for clip in idle.clips[1:]] == [0] * lesson.IDLERS
    assert all(clip.present.any() for clip in idle.clips[1:])


def test_silence_is_learnt_and_judged_whoever_is_held_out():
    takes = [drawn(name, who, seed=n) for name in ("line", "ring") for who in ("bo", "cy") for n in range(2)]
    idle = lesson.with_idlers(gestures.ClipSet(("line", "ring"), tuple(takes)))
    for seed in range(6):
        learn, judge, _ = holdout.hold_out(idle, seed=seed)
        assert all(any(not clip.spans for clip in part.clips) for part in (learn, judge))


def test_the_same_seed_begins_with_the_same_head():
    takes = gestures.ClipSet(("a", "b"), ())
    first, again, other = (
        inheriting.inherit(STARTER, takes, seed=seed).sequence.get_layer("scores").get_weights()[0]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_backend_set_for_other_programs_is_not_taken_for_a_missing_library():
    code = "from gestures.network import load_keras; print(load_keras().backend.backend())"
    others = {**os.environ, "KERAS_BACKEND": "torch"}
    done = subprocess.run([sys.executable, "-c", code], check=False, env=others, capture_output=True, text=True)
    assert done.stdout.strip() == "tensorflow", done.stderr


@pytest.mark.parametrize(("own", "used"), [({}, "1"), ({"TF_NUM_INTRAOP_THREADS": "2"}, "2")])
def test_no_matrix_is_cut_up_unless_somebody_says_so(own, used):
    code = (
        "import os; from gestures.network import load_keras; load_keras(); print(os.environ['TF_NUM_INTRAOP_THREADS'])"
    )
    others = {name: value for name, value in os.environ.items() if name != "TF_NUM_INTRAOP_THREADS"} | own
    done = subprocess.run([sys.executable, "-c", code], check=False, env=others, capture_output=True, text=True)
    assert done.stdout.strip() == used, done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [(["a", "a"], "once"), (["rest"], "leave rest out"), (["a/b"], "is no name"), (["a", "b", "c"], "2 sources for 3")],
)
def test_what_cannot_be_taught_is_told_at_once(tmp_path, capsys, words, told):
    places = ["--data", str(tmp_path / "d"), "--into", str(tmp_path / "m"), "--source", "x.mp4", "y.mp4"]
    assert main(["teach", *words, *places]) == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_sources_add_up_and_one_film_shows_one_gesture(tmp_path, capsys):
    places = ["--data", str(tmp_path / "d"), "--into", str(tmp_path / "m"), "--source", "x.mp4"]
    assert main(["teach", "a", "b", "c", *places, "--source", "y.mp4"]) == 1
    assert "2 sources for 3" in capsys.readouterr().err
    film = shipped("data/demo/demo.mp4")
    assert main(["teach", "a", "b", *places[:-1], str(film)]) == 1
    assert "cannot show 2 gestures: give a film of each" in capsys.readouterr().err
    assert not (tmp_path / "d").exists()
