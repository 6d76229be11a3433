"""Recordings on disk: whole or not at all, and nothing else taken for one."""

import json
import zipfile

import numpy as np
import pytest
from conftest import clip, observations

import gestures
from gestures import clips, files, setnote


def test_a_clip_survives_the_disk(tmp_path):
    path = tmp_path / "set" / "swipe" / "ana_00.npz"
    kept = gestures.Clip.of(observations(), "ana", (gestures.Span("swipe", 0.5, 1.5),))
    gestures.save_clip(kept, path)
    again = gestures.load_clip(path)
    for name in ("time", "image", "world"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(again, name))
    assert (again.spans, again.person, again.aspect) == (kept.spans, kept.person, kept.aspect)


def test_a_clip_gives_back_what_was_seen():
    seen = observations()
    again = list(gestures.Clip.of(seen, "ana").observations())
    assert [o.time for o in again] == [o.time for o in seen]
    for before, after in zip(seen, again, strict=True):
        assert {h.side for h in before.hands} == {h.side for h in after.hands}
        for hand in before.hands:
            twin = next(h for h in after.hands if h.side == hand.side)
            np.testing.assert_array_equal(twin.image, hand.image)
            assert twin.aspect == hand.aspect


def test_two_hands_called_the_same_side_are_both_kept():
    one = observations(0.7)[-1]
    same = tuple(gestures.Hand(h.image, h.world, "right", h.score, h.aspect) for h in one.hands)
    assert gestures.Clip.of([gestures.Observation(0.0, same)], "ana").present.tolist() == [[True, True]]


def test_renaming_a_folder_renames_the_gesture(tmp_path):
    gestures.save_clip(clip("swipe"), tmp_path / "swipe" / "ana_00.npz")
    (tmp_path / "swipe").rename(tmp_path / "swoosh")
    assert gestures.load_set(str(tmp_path)).labels == ("swoosh",)
    assert gestures.load_set(tmp_path).clips[0].spans[0].gesture == "swoosh"


def test_a_session_of_several_gestures_keeps_its_names(tmp_path):
    spans = (gestures.Span("swipe", 0.1, 0.5), gestures.Span("wave", 0.8, 1.2))
    gestures.save_clip(gestures.Clip.of(observations(2), "ana", spans), tmp_path / "sessions" / "ana_00.npz")
    assert gestures.load_clip(tmp_path / "sessions" / "ana_00.npz").spans == spans


def test_what_was_put_away_is_not_learnt_from_either(tmp_path):
    gestures.save_clip(clip("swipe"), tmp_path / "deep" / "swipe" / "ana_00.npz")
    gestures.save_clip(clip("swipe"), tmp_path / ".removed" / "swipe" / "ana_01.npz")
    assert len(clips.load_below(tmp_path)) == 1


@pytest.mark.parametrize(
    "note",
    [{"format": 2}, {"labels": "wave"}, {"sequences": {"launch": "ab"}}],
    ids=lambda note: next(iter(note)),
)
def test_a_set_note_that_is_none_is_refused_and_not_written_over(tmp_path, note):
    path = tmp_path / "set.json"
    path.write_text(json.dumps(note))
    before = path.read_bytes()
    with pytest.raises(gestures.ClipError, match=r"set\.json"):
        setnote.save_set_note(tmp_path, ["swipe"])
    assert path.read_bytes() == before


def test_set_json_orders_the_labels(tmp_path):
    for gesture in ("a", "b", "c"):
        gestures.save_clip(clip(gesture), tmp_path / gesture / "ana_00.npz")
    setnote.save_set_note(tmp_path, ["c", "gone", "a"], {"a": "c"})
    loaded = gestures.load_set(tmp_path)
    assert (loaded.labels, loaded.mirror) == (("c", "a", "b"), {"a": "c"})


@pytest.mark.parametrize("spoil", ["empty", "text", "cut", "format", "shape", "note", "nan_time", "pickle", "bomb"])
def test_what_is_no_clip_is_refused_in_words(tmp_path, spoil, monkeypatch):
    path = tmp_path / "swipe" / "ana_00.npz"
    gestures.save_clip(clip(), path)
    whole = path.read_bytes()
    with np.load(path) as file:
        arrays = dict(file)
    note = json.loads(str(arrays["note"]))
    if spoil == "empty":
        path.write_bytes(b"")
    elif spoil == "text":
        path.write_text("not a clip")
    elif spoil == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif spoil == "format":
        np.savez(path, **{**arrays, "note": np.array(json.dumps({**note, "format": 99}))})
    elif spoil == "shape":
        np.savez(path, **{**arrays, "image": arrays["image"][:, :1]})
    elif spoil == "note":
        np.savez(path, **{**arrays, "note": np.array("[]")})
    elif spoil == "nan_time":
        np.savez(path, **{**arrays, "time": arrays["time"] * np.nan})
    elif spoil == "pickle":
        np.savez(path, **{**arrays, "image": np.array([Touch(tmp_path / "touched")], dtype=object)})
    else:
        monkeypatch.setattr(clips, "MAX_BYTES", len(whole) + 1000)
    with pytest.raises(gestures.ClipError, match=str(path)):
        gestures.load_clip(path)
    assert not (tmp_path / "touched").exists()


class Touch:
    """Runs code of its own when it is unpickled: it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return self.path.touch, ()


def test_a_part_file_is_never_taken_for_a_clip(tmp_path):
    gestures.save_clip(clip(), tmp_path / "swipe" / "ana_00.npz")
    (tmp_path / "swipe" / ".ana_01.npz.7.part").write_bytes(b"half")
    (tmp_path / "swipe" / ".hidden.npz").write_bytes(b"half")
    assert len(gestures.load_set(tmp_path).clips) == 1


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(gestures.ClipError, match="holds no clips"):
        gestures.load_set(tmp_path)


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "a\\b", "\x1b[31m", "x" * 65, "con", "NUL.txt", "com1", "LPT9.x", "a\n", " a", "a."]
)
def test_names_that_no_folder_can_have_are_refused(name):
    with pytest.raises(gestures.InputError, match="is no name"):
        files.check_name(name)


def test_compressed_clips_are_plain_archives(tmp_path):
    path = tmp_path / "swipe" / "ana_00.npz"
    gestures.save_clip(clip(), path)
    with zipfile.ZipFile(path) as packed:
        assert sorted(packed.namelist()) == ["image.npy", "note.npy", "time.npy", "world.npy"]


def test_folds_hold_each_person_out_once():
    people = [f"p{k}" for k in range(11)]
    dealt = clips.folds(people * 3, 4, seed=1)
    assert sorted(p for group in dealt for p in group) == sorted(people)
    assert len(dealt) == 4
    assert clips.folds(people, 4, seed=1) == dealt
    assert len(clips.folds(["a", "b"], 4)) == 2


def test_a_second_note_takes_nothing_back(tmp_path):
    setnote.save_set_note(tmp_path, ["zoom"], {"left": "right"})
    note = json.loads((tmp_path / "set.json").read_text())
    (tmp_path / "set.json").write_text(json.dumps({**note, "licence": "CC0", "consent": "yes"}))
    setnote.save_set_note(tmp_path, ["wave", "zoom"])
    again = json.loads((tmp_path / "set.json").read_text())
    assert again["labels"] == ["zoom", "wave"]
    assert (again["mirror"], again["licence"], again["consent"]) == ({"left": "right"}, "CC0", "yes")


@pytest.mark.parametrize(
    "note", ["[", "[1]", '{"labels": [{}]}', '{"labels": 3}', '{"mirror": [1]}', '{"mirror": {"a": 1}}', "[" * 99999]
)
def test_a_set_note_that_cannot_be_is_refused_in_words(tmp_path, note):
    gestures.save_clip(clip("swipe"), tmp_path / "swipe" / "ana_00.npz")
    (tmp_path / "set.json").write_text(note)
    with pytest.raises(gestures.ClipError, match="cannot be read"):
        gestures.load_set(tmp_path)


def test_a_gesture_renamed_to_rest_is_rest_and_labels_stand_once(tmp_path):
    gestures.save_clip(clip("swipe"), tmp_path / "swipe" / "ana_00.npz")
    gestures.save_clip(clip("wave"), tmp_path / "wave" / "ana_00.npz")
    (tmp_path / "swipe").rename(tmp_path / "rest")
    (tmp_path / "set.json").write_text('{"labels": ["wave", "wave", "swipe"]}')
    assert gestures.load_set(tmp_path).labels == ("wave",)


def test_a_span_outside_its_clip_names_the_file(tmp_path):
    path = tmp_path / "swipe" / "ana_00.npz"
    gestures.save_clip(clip("swipe"), path)
    with np.load(path) as file:
        arrays = dict(file)
    note = json.loads(str(arrays["note"]))
    note["spans"][0] |= {"start": 90.0, "end": 91.0}
    np.savez(path, **{**arrays, "note": np.array(json.dumps(note))})
    with pytest.raises(gestures.ClipError, match="ana_00"):
        gestures.load_clip(path)
