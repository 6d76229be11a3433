"""Real pictures through the real hand landmarker."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

import gestures
from gestures import landmarks
from gestures.console import shipped


@pytest.fixture(scope="module")
def demo():
    """What the landmarker sees in the demo clip's first four seconds."""
    with gestures.Video(shipped("data/demo/demo.mp4")) as video, gestures.Landmarker() as landmarker:
        return [landmarker.see(frame) for frame in video if frame.time < 4]


def test_a_hand_is_found_as_points_in_the_picture_and_in_metres(demo):
    hands = [hand for seen in demo for hand in seen.hands]
    assert len(hands) >= 0.5 * len(demo)
    for hand in hands:
        assert -0.3 < hand.image[:, :2].min() < hand.image[:, :2].max() < 1.3
        assert 0.05 < np.linalg.norm(hand.world[9] - hand.world[0]) < 0.15
        assert hand.aspect == pytest.approx(4 / 3, abs=0.05)


def test_the_landmarker_repeats_itself(demo):
    with gestures.Video(shipped("data/demo/demo.mp4")) as video, gestures.Landmarker() as landmarker:
        again = [landmarker.see(frame) for frame in video if frame.time < 1]
    for one, other in zip(demo, again, strict=False):
        assert [h.side for h in one.hands] == [h.side for h in other.hands]
        for a, b in zip(one.hands, other.hands, strict=True):
            np.testing.assert_array_equal(a.image, b.image)


def test_no_hand_is_an_empty_observation_and_time_must_rise():
    blank = np.zeros((48, 64, 3), np.uint8)
    with gestures.Landmarker() as landmarker:
        assert landmarker.see(gestures.Frame(blank, 0.0)).hands == ()
        for time in (0.0, -1.0):
            with pytest.raises(gestures.InputError, match="time must rise"):
                landmarker.see(gestures.Frame(blank, time))
        assert landmarker.see(gestures.Frame(blank, 0.04)).time == 0.04


@pytest.mark.shared_data
def test_a_real_raised_thumb_is_the_performers_right_hand(shared_data):
    """The person of this clip raises the right hand, which an unmirrored picture shows on its left half."""
    with gestures.Video(shared_data / "webcam" / "thumb_up.mp4") as video, gestures.Landmarker() as landmarker:
        seen = [landmarker.see(frame) for frame in video if 3 < frame.time < 5]
    sides = [hand.side for each in seen for hand in each.hands]
    assert len(sides) > 0.9 * len(seen)
    assert sides.count("right") > 0.9 * len(sides)


def test_two_frames_within_a_millisecond_are_two():
    blank = np.zeros((48, 64, 3), np.uint8)
    with gestures.Landmarker() as landmarker:
        assert [landmarker.see(gestures.Frame(blank, t)).time for t in (1.0, 1.0001, 1.0002)] == [1.0, 1.0001, 1.0002]


def test_a_hand_model_that_is_not_the_official_one_is_refused(tmp_path, monkeypatch):
    fake = tmp_path / "hand_landmarker.task"
    fake.write_bytes(b"something else")
    monkeypatch.setenv("GESTURES_HAND_MODEL", str(fake))
    with pytest.raises(gestures.LandmarkerError, match="not the official one"):
        gestures.Landmarker()
    monkeypatch.setenv("GESTURES_HAND_MODEL", str(tmp_path / "missing"))
    with pytest.raises(gestures.LandmarkerError, match="which is no file"):
        gestures.Landmarker()


def test_the_users_own_copy_comes_first(tmp_path, monkeypatch):
    packaged = landmarks.find_hand_model()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert landmarks.find_hand_model() == packaged
    own = landmarks.cached_model()
    own.parent.mkdir(parents=True)
    shutil.copy(packaged, own)
    assert landmarks.find_hand_model() == own


def test_fetching_takes_the_official_model_and_nothing_else(tmp_path):
    official, other = landmarks.find_hand_model(), tmp_path / "other.task"
    other.write_bytes(b"something else")
    into = tmp_path / "cache" / "hand_landmarker.task"
    with pytest.raises(gestures.LandmarkerError, match="not the official one"):
        landmarks.fetch_hand_model(into, other.as_uri())
    with pytest.raises(gestures.LandmarkerError, match="cannot be read"):
        landmarks.fetch_hand_model(into, (tmp_path / "missing").as_uri())
    assert not into.exists()
    assert landmarks.fetch_hand_model(into, official.as_uri()) == into
    assert into.stat().st_size == landmarks.MODEL_BYTES


def test_mediapipe_wakes_neither_tensorflow_nor_matplotlib_and_leaves_both_usable():
    code = (
        "import sys; from gestures.landmarks import load_mediapipe; load_mediapipe()\n"
        "print({'tensorflow', 'matplotlib', 'sounddevice'} & set(sys.modules))\n"
        "import matplotlib.pyplot; print(matplotlib.pyplot.figure.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["set()", "figure"]
