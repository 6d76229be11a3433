"""What a picture tells for little: movement, and palms."""

import numpy as np
import pytest

import gestures
from gestures import glances
from gestures.console import shipped
from gestures.landmarks import CONFIDENCE, find_hand_model

RNG = np.random.default_rng(0)
ROOM = RNG.integers(30, 200, (36, 64, 3), np.uint8).repeat(10, 0).repeat(10, 1)


def noisy(image, seed):
    noise = np.random.default_rng(seed).normal(0, 6, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def test_noise_and_light_are_no_movement():
    before = glances.sketch(noisy(ROOM, 1))
    assert before.shape == (glances.ROWS, glances.COLUMNS)
    assert not glances.changed(before, glances.sketch(noisy(ROOM, 2))).any()
    brighter = np.clip(noisy(ROOM, 2).astype(int) + 25, 0, 255).astype(np.uint8)
    assert not glances.changed(before, glances.sketch(brighter)).any()


def test_what_moves_is_seen_where_it_moves():
    after = ROOM.copy()
    after[180:240, 320:400] = 255 - after[180:240, 320:400]
    moved = glances.changed(glances.sketch(noisy(ROOM, 1)), glances.sketch(noisy(after, 2)))
    rows, columns = np.nonzero(moved)
    assert (rows.min() >= 8, rows.max() <= 12, columns.min() >= 15, columns.max() <= 20) == (True,) * 4
    assert moved.sum() >= 6


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 500, 3), (48, 64, 3), (1080, 1920, 3)])
def test_any_picture_has_a_sketch(shape):
    blocks = glances.sketch(np.full(shape, 77, np.uint8))
    assert blocks.shape == (glances.ROWS, glances.COLUMNS)
    assert (blocks == 77).all()


@pytest.fixture(scope="module")
def shown():
    """A frame of the demo clip that shows both hands well apart, and the hands, left one first."""
    with gestures.Video(shipped("data/demo/demo.mp4")) as video, gestures.Landmarker() as landmarker:
        for frame in video:
            hands = sorted(landmarker.see(frame).hands, key=lambda hand: hand.image[0, 0])
            if len(hands) == 2 and hands[1].image[:, 0].min() - hands[0].image[:, 0].max() > 0.2:
                return frame.image, hands
    raise AssertionError


@pytest.fixture(scope="module")
def palms():
    return glances.Palms(find_hand_model(), CONFIDENCE)


@pytest.mark.parametrize("reshape", ["as it is", "wide", "tall"])
def test_palms_are_where_the_landmarks_have_them(reshape, shown, palms):
    image, hands = shown
    height, width = image.shape[:2]
    canvas = np.full((height + 80 * (reshape == "tall"), width + 80 * (reshape == "wide"), 3), 90, np.uint8)
    canvas[:height, :width] = image
    scale = np.array([width / canvas.shape[1], height / canvas.shape[0]])
    centres, sizes = palms.find(canvas)
    for hand in hands:
        middle = hand.image[list(glances.PALM), :2].mean(0) * scale
        assert np.abs(centres - middle).max(1).min() < 0.05
    assert ((sizes > 0.05) & (sizes < 0.5)).all()


def test_another_palm_is_told_from_ones_own(shown, palms):
    image, (left, right) = shown
    alone = image.copy()
    alone[:, int(image.shape[1] * (left.image[:, 0].max() + right.image[:, 0].min()) / 2) :] = 90
    assert palms.besides(left, image)
    assert palms.besides(right, image)
    assert not palms.besides(left, alone)
    assert palms.besides(right, alone)


def test_movement_of_a_hand_is_its_own(shown):
    _, (left, right) = shown
    away = glances.away_from(left)
    for hand, own in ((left, False), (right, True)):
        x, y = hand.image[9, :2]
        assert away[int(y * glances.ROWS), int(x * glances.COLUMNS)] == own


def test_a_hand_model_without_a_palm_detector_is_refused(tmp_path):
    (tmp_path / "hand.task").write_bytes(b"something else")
    with pytest.raises(gestures.LandmarkerError, match="palm detector does not load"):
        glances.Palms(tmp_path / "hand.task", CONFIDENCE)
