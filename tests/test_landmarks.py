"""Real pictures through the real hand landmarker."""

import math
import shutil
import socket
import subprocess
import sys
import threading
from types import SimpleNamespace

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
        again = [landmarker.see(frame) for frame in video if frame.time < 4]
    for one, other in zip(demo, again, strict=True):
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


@pytest.fixture(scope="module")
def one_hand():
    """(270, 360, 3) a picture of the demo clip in which one hand stands wholly within the picture: not before 12 s."""
    with gestures.Video(shipped("data/demo/demo.mp4")) as video, gestures.Landmarker() as landmarker:
        for frame in video:
            hands = landmarker.see(frame).hands if frame.time >= 12 else ()
            if len(hands) == 1 and (np.abs(hands[0].image[:, :2] - 0.5) < 0.42).all():
                return frame.image
    raise AssertionError


@pytest.fixture
def asked(monkeypatch):
    """How many hands each landmarker that is asked was made for, in order; `palms` for a look at the palms."""
    asked = []
    see, besides = landmarks._Task.see, landmarks.Palms.besides
    monkeypatch.setattr(landmarks._Task, "see", lambda s, frame: (asked.append(s.hands), see(s, frame))[1])
    monkeypatch.setattr(landmarks.Palms, "besides", lambda s, *a: (asked.append("palms"), besides(s, *a))[1])
    return asked


def canvas(*halves):
    """Pictures side by side; None is an empty wall."""
    shape = next(half.shape for half in halves if half is not None)
    return np.concatenate([np.full(shape, 110, np.uint8) if half is None else half for half in halves], 1)


def see_all(pictures, hands=2, rate_hz=30):
    """What is seen in pictures taken one after another; (time, number of hands) of each."""
    with gestures.Landmarker(hands) as landmarker:
        seen = [landmarker.see(gestures.Frame(picture, k / rate_hz)) for k, picture in enumerate(pictures)]
    return np.array([(each.time, len(each.hands)) for each in seen])


@pytest.mark.parametrize("late", range(0, 15, 3))
def test_a_second_hand_is_found_within_200_ms_whenever_it_comes(late, one_hand, asked):
    alone, both = canvas(one_hand, None), canvas(one_hand, one_hand)
    coming = 30 + late
    seen = see_all([alone] * coming + [both] * 8)
    assert (seen[3:coming, 1] == 1).all()
    assert set(asked[10 : asked.index("palms")]) == {1}
    found = seen[seen[:, 1] == 2, 0]
    assert found[0] - coming / 30 <= 0.2


def test_while_nothing_moves_a_second_hand_is_looked_for_twice_a_second(one_hand, asked):
    see_all([canvas(one_hand, None)] * 60)
    assert asked.count("palms") in (2, 3, 4)
    assert asked.count(2) <= 8
    assert asked.count(1) >= 50


@pytest.mark.parametrize("hands", [1, 2])
def test_a_hand_that_jumps_is_not_lost(hands, one_hand):
    there, elsewhere = canvas(one_hand, None), canvas(None, one_hand)
    seen = see_all([there] * 20 + [elsewhere] * 20 + [there] * 20, hands)
    assert (seen[1:, 1] >= 1).all()


def test_one_of_two_hands_that_was_lost_for_a_moment_is_seen_as_soon_as_it_can_be(one_hand):
    both, alone = canvas(one_hand, one_hand), canvas(one_hand, None)
    seen = see_all([both] * 20 + [alone] * 6 + [both] * 6)
    assert (seen[5:20, 1] == 2).all()
    assert (seen[26:, 1] == 2).all()


def test_two_hands_cost_no_look_at_the_palms(one_hand, asked):
    seen = see_all([canvas(one_hand, one_hand)] * 30)
    assert (seen[5:, 1] == 2).all()
    assert asked == [2] * 30


def test_one_hand_asked_for_is_one_hand_looked_for(one_hand, asked):
    seen = see_all([canvas(one_hand, None)] * 20 + [canvas(one_hand, one_hand)] * 10, hands=1)
    assert (seen[1:, 1] == 1).all()
    assert asked == [1] * 30


@pytest.mark.parametrize("late", range(0, 15, 3))
def test_an_empty_still_picture_is_looked_at_now_and_then_and_a_hand_in_it_at_once(late, one_hand, asked):
    blank, shown = canvas(None, one_hand * 0 + 110), canvas(None, one_hand)
    coming = 45 + late
    seen = see_all([blank] * coming + [shown] * 5)
    assert not seen[:coming, 1].any()
    assert len(asked) - 5 <= 5
    assert seen[seen[:, 1] > 0, 0][0] - coming / 30 <= 0.15


@pytest.mark.shared_data
def test_a_real_raised_thumb_is_the_performers_right_hand(shared_data):
    """The person of this clip raises the right hand, which an unmirrored picture shows on its left half."""
    with gestures.Video(shared_data / "webcam" / "thumb_up.mp4") as video, gestures.Landmarker() as landmarker:
        seen = [landmarker.see(frame) for frame in video if 3 < frame.time < 5]
    sides = [hand.side for each in seen for hand in each.hands]
    assert len(sides) > 0.9 * len(seen)
    assert sides.count("right") > 0.9 * len(sides)


def test_two_frames_within_a_millisecond_are_two(one_hand):
    """MediaPipe counts whole ones, and gives up for good at one that does not rise."""
    times = 1.0, 1.0001, 1.0002
    with gestures.Landmarker() as landmarker:
        seen = [landmarker.see(gestures.Frame(one_hand, t)) for t in times]
    assert [(each.time, len(each.hands)) for each in seen] == [(t, 1) for t in times]


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -1e9])
@pytest.mark.parametrize("part", [0, 1])
def test_landmarks_that_are_no_numbers_are_no_hand(part, wrong):
    """MediaPipe gives such now and then: the picture is as one without that hand, and no error."""
    joints = np.random.default_rng(0).uniform(-0.1, 0.1, (2, 21, 3))
    name = SimpleNamespace(category_name="Left", score=0.9)

    def seen():
        return landmarks._hand(*([SimpleNamespace(x=x, y=y, z=z) for x, y, z in each] for each in joints), name, 4 / 3)

    assert seen() is not None
    joints[part, 7, 2] = wrong
    assert seen() is None


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
    official, other, short = landmarks.find_hand_model(), tmp_path / "other.task", tmp_path / "short.task"
    other.write_bytes(bytes(landmarks.MODEL_BYTES))
    short.write_bytes(official.read_bytes()[:-1])
    into = tmp_path / "cache" / "hand_landmarker.task"
    with pytest.raises(gestures.LandmarkerError, match="not the official one"):
        landmarks.fetch_hand_model(into, other.as_uri())
    with pytest.raises(gestures.LandmarkerError, match="gave 7819104 bytes, the official hand model has 7819105"):
        landmarks.fetch_hand_model(into, short.as_uri())
    with pytest.raises(gestures.LandmarkerError, match="cannot be read"):
        landmarks.fetch_hand_model(into, (tmp_path / "missing").as_uri())
    assert not into.exists()
    assert landmarks.fetch_hand_model(into, official.as_uri()) == into
    assert into.stat().st_size == landmarks.MODEL_BYTES


def test_a_proxy_that_speaks_no_http_is_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(30)

        def answer():
            caller, _ = proxy.accept()
            with caller:
                caller.recv(4096)
                caller.sendall(b"go away\n")

        answering = threading.Thread(target=answer)
        answering.start()
        with pytest.raises(gestures.LandmarkerError, match=r"cannot be read \(go away"):
            landmarks.fetch_hand_model(tmp_path / "model", f"http://127.0.0.1:{proxy.getsockname()[1]}/model")
        answering.join()


def test_mediapipe_wakes_neither_tensorflow_nor_matplotlib_and_leaves_both_usable():
    code = (
        "import sys; from gestures.landmarks import load_mediapipe; load_mediapipe()\n"
        "print({'tensorflow', 'matplotlib', 'sounddevice'} & set(sys.modules))\n"
        "import matplotlib.pyplot; print(matplotlib.pyplot.figure.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["set()", "figure"]
