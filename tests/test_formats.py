"""What an earlier version wrote still loads, or is refused in words: `tests/formats/<kind>-<format>`."""

import json
import shutil

import numpy as np
import pytest
from conftest import REPOSITORY

import gestures
from gestures import clips, features, model

FORMATS = REPOSITORY / "tests" / "formats"


@pytest.mark.parametrize("folder", sorted(FORMATS.glob("set-*")), ids=lambda folder: folder.name)
def test_a_set_of_every_format_loads(folder):
    kept = gestures.load_set(folder)
    assert (kept.labels, kept.people) == (("swipe",), ("ana",))
    by_gesture = {path.parent.name: clip for path, clip in zip(kept.paths, kept.clips, strict=True)}
    clip = by_gesture["swipe"]
    assert clip.spans == (gestures.Span("swipe", 0.4, 0.6),)
    assert by_gesture["rest"].spans == ()
    assert clip.present.sum(0).tolist() == [0, 30]
    assert clip.time[-1] == pytest.approx(29 / 30)
    assert clip.image[0, 1, 0, 0] == pytest.approx(0.5)
    assert clip.aspect == pytest.approx(4 / 3)


@pytest.mark.parametrize("folder", sorted(FORMATS.glob("model-*")), ids=lambda folder: folder.name)
def test_a_model_of_every_format_runs_or_is_refused_in_words(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    if (manifest["format"], manifest["features"]) != (model.FORMAT, features.VERSION):
        with pytest.raises(gestures.ModelError, match="retrain it"):
            gestures.load(folder)
        return
    old = gestures.load(folder)
    assert old.manifest.labels == ("rest", "swipe", "wave")
    probabilities, memory = old.step(np.zeros(features.SIZE, np.float32), old.begin())
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert len(memory) == 2 * len(manifest["units"])
    # Its step may be of before many hands could be asked for at once.
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(3, features.SIZE)).astype(np.float32)
    before = tuple(rng.normal(size=(3, part.shape[1])).astype(np.float32) for part in old.begin())
    many, after = old.step_many(vectors, before)
    for n, vector in enumerate(vectors):
        probabilities, memory = old.step(vector, tuple(part[n : n + 1] for part in before))
        np.testing.assert_allclose(many[n], probabilities, atol=1e-6)
        np.testing.assert_allclose(after[0][n], memory[0][0], atol=1e-6)


def test_the_format_of_today_is_kept_here():
    assert (FORMATS / f"set-{clips.FORMAT}").is_dir(), "keep a small set of the new format under tests/formats/"
    assert (FORMATS / f"model-{model.FORMAT}").is_dir(), "keep a tiny model of the new format under tests/formats/"


@pytest.mark.parametrize("format_", [0, 2, None, "1", "\x1b[2J" * 9])
def test_another_format_is_refused_in_words(tmp_path, format_):
    set_, folder = tmp_path / "set", tmp_path / "model"
    shutil.copytree(FORMATS / "set-1", set_)
    shutil.copytree(FORMATS / "model-1", folder)
    with np.load(set_ / "swipe" / "ana_00.npz") as file:
        arrays = dict(file)
    note = json.loads(str(arrays["note"])) | {"format": format_}
    np.savez(set_ / "swipe" / "ana_00.npz", **{**arrays, "note": np.array(json.dumps(note))})
    manifest = json.loads((folder / "manifest.json").read_text()) | {"format": format_}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(gestures.ClipError, match="this version reads 1"):
        gestures.load_set(set_)
    with pytest.raises(gestures.ModelError, match="this version reads 1"):
        gestures.load(folder)
