"""Whether a camera mirrors: found, remembered, and made good once."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import clip, demo_until, hand

import gestures
from gestures import facing
from gestures.cli import main
from gestures.clips import Recorded


@pytest.fixture(autouse=True)
def _own_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def wizard(sides):
    made = facing.Wizard()
    for n, side in enumerate(sides):
        made.push(gestures.Observation(n / 30, tuple(hand(0.0, each) for each in side.split())))
    return made


def test_a_right_hand_called_left_is_a_mirror():
    assert wizard(["left"] * 40).mirrored is True
    assert wizard(["right"] * 40).mirrored is False
    assert wizard(["right"] * 38 + ["left"] * 2).mirrored is False


def test_it_waits_until_it_is_sure():
    assert wizard(["left"] * 29).mirrored is None
    assert wizard(["left", "right"] * 30).mirrored is None
    assert wizard(["left right"] * 90 + [""] * 90).mirrored is None
    assert wizard(["right"] * 60 + ["left"] * 60).mirrored is True  # the hand was changed


def test_what_was_found_is_remembered_for_each_camera():
    assert not facing.is_mirrored("0")
    facing.remember("0", True)
    facing.remember("1", False)
    assert facing.is_mirrored("0")
    assert not facing.is_mirrored("1")
    facing.remembered().write_text("{")
    with pytest.raises(gestures.CameraError, match="delete it"):
        facing.is_mirrored("0")


def test_pictures_are_turned_only_where_they_come_mirrored():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    for mirrored in (True, False):
        (frame,) = facing.turned([gestures.Frame(image, 0.5)], mirrored)
        assert np.array_equal(frame.image, image[:, ::-1] if mirrored else image)
        assert frame.time == 0.5


def test_older_takes_of_that_camera_are_turned_over_once(tmp_path):
    data = tmp_path / "data"
    for n, source in enumerate(["0", "0", "1"]):
        gestures.save_clip(replace(clip("wave"), recorded=Recorded("x", source)), data / "wave" / f"me_{n:02d}.npz")
    before = gestures.load_clip(data / "wave" / "me_00.npz")
    assert [path.name for path in facing.convert(data, "0", True)] == ["me_00.npz", "me_01.npz"]
    assert facing.convert(data, "0", True) == []
    after = gestures.load_clip(data / "wave" / "me_00.npz")
    assert (before.side, after.side) == ("right", "left")
    assert after.spans == before.spans
    assert after.recorded.turned
    np.testing.assert_allclose(after.image[:, 0, :, 0], 1 - before.image[:, 1, :, 0], atol=1e-6)
    assert facing.convert(data, "0", False) != []
    assert gestures.load_clip(data / "wave" / "me_00.npz").side == "right"


def test_hidden_files_are_no_takes_and_a_folder_without_takes_is_told(tmp_path):
    gestures.save_clip(replace(clip("wave"), recorded=Recorded("x", "0")), tmp_path / "wave" / "me_00.npz")
    (tmp_path / "wave" / "._me_00.npz").write_bytes(b"what a Mac leaves beside a file")
    assert [path.name for path in facing.convert(tmp_path, "0", True)] == ["me_00.npz"]
    with pytest.raises(gestures.ClipError, match="nosuch holds no clips"):
        facing.convert(tmp_path / "nosuch", "0", True)


def test_the_wizard_looks_remembers_and_makes_good(tmp_path, capsys):
    source = str(demo_until(12.3, tmp_path, since=8.8))  # one hand, the right one
    gestures.save_clip(
        replace(clip("wave"), recorded=Recorded("x", source, turned=True)), tmp_path / "d" / "wave" / "me_00.npz"
    )
    assert main(["mirror", "--source", source, "--no-window", "--convert", str(tmp_path / "d")]) == 0
    out = capsys.readouterr().out
    assert "true pictures" in out
    assert "1 takes" in out
    assert not gestures.load_clip(tmp_path / "d" / "wave" / "me_00.npz").recorded.turned
    assert not facing.is_mirrored(source)


def test_takes_to_turn_over_are_looked_for_before_the_camera_is(tmp_path, capsys):
    """Nobody holds a hand up for ten seconds to be told then of a mistyped folder."""
    assert main(["mirror", "--source", "no.mp4", "--no-window", "--convert", str(tmp_path / "nosuch")]) == 1
    assert "nosuch holds no clips" in capsys.readouterr().err
