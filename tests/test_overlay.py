"""What is drawn, and where."""

import numpy as np
import pytest
from conftest import LABELS, hand

import gestures
from gestures import overlay

BLANK = np.zeros((240, 320, 3), np.uint8)


def draw(made=None, time=0.0, hands=(), scores=None, events=(), ghosts=()):
    made = made or overlay.Overlay(LABELS)
    seen = gestures.Observation(time, tuple(hands))
    return made.draw(gestures.Frame(BLANK.copy(), time), seen, scores or {}, list(events), ghosts=ghosts)


def event(phase, time):
    return gestures.Event("swipe", phase, time, 0.0, 0, "right", 0.9)


def test_a_hand_is_drawn_mirrored_in_its_sides_colour():
    for side in ("left", "right"):
        picture = draw(hands=[hand(0, side, (0.2, 0.5), 0.15)])
        rows, columns = np.nonzero((picture == overlay.COLOURS[side]).all(2))
        assert len(rows) > 50
        assert columns.min() > 160


def test_unmirrored_when_asked():
    picture = draw(overlay.Overlay(LABELS, mirrored=False), hands=[hand(0, "right", (0.2, 0.5), 0.15)])
    assert not picture[:, 200:].any()
    assert picture[:, :200].any()


def test_the_frame_itself_stays_as_it_was():
    frame = gestures.Frame(BLANK.copy(), 0.0)
    overlay.Overlay(LABELS).draw(frame, gestures.Observation(0.0, (hand(),)), {}, [])
    assert not frame.image.any()


def test_the_name_of_a_gesture_stays_a_while_after_its_end():
    made = overlay.Overlay(LABELS)
    assert not draw(made).any()
    assert draw(made, 1.0, events=[event("began", 1.0)]).any()
    assert draw(made, 9.0).any()
    assert draw(made, 9.1, events=[event("ended", 9.1)]).any()
    assert draw(made, 9.1 + overlay.BANNER_S / 2).any()
    assert not draw(made, 9.1 + overlay.BANNER_S + 0.1).any()


def test_scores_are_bars_as_long_as_they_are_likely():
    def length(p):
        scores = {0: gestures.Scores(0.0, np.array([1 - p, p, 0], np.float32))}
        return (draw(scores=scores) == overlay.COLOURS["right"]).all(2).any(0).sum()

    assert length(0.9) > 1.5 * length(0.4) > 0


def test_no_screen_is_known_before_a_window_is_tried(monkeypatch):
    monkeypatch.setattr(overlay.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not overlay.has_screen()
    monkeypatch.setenv("DISPLAY", ":0")
    assert overlay.has_screen()


@pytest.mark.parametrize("place", [(-5.0, 0.5), (40.0, -30.0)])
def test_a_hand_far_outside_the_picture_is_no_trouble(place):
    assert draw(hands=[hand(0, "right", place)]).shape == BLANK.shape


def test_a_hand_that_is_not_there_yet_is_drawn_where_it_will_be():
    """In the mirror, as the hand itself is, and never in place of it."""
    picture = draw(hands=[hand(0, "right", (0.2, 0.5), 0.1)], ghosts=[hand(0, "right", (0.7, 0.5), 0.1).image])
    ghost, real = ((picture == colour).all(2).any(0) for colour in (overlay.GHOST, overlay.COLOURS["right"]))
    half = len(ghost) // 2
    assert ghost[:half].any()
    assert not ghost[half:].any()
    assert real[half:].any()
    assert not real[:half].any()
