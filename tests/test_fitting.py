"""Levels and lead are fitted to recordings, and say what those recordings say."""

from dataclasses import replace

import numpy as np
from conftest import LABELS, clip

import gestures
from gestures.evaluation import Replay
from gestures.fitting import fit_rules


def replayed(late_s):
    """A take of "swipe" from 0.4 to 1.6 s whose network is sure of it `late_s` after its onset, until its end."""
    take = clip()
    steps = []
    for time in take.time.tolist():
        p = 0.9 if 0.4 + late_s <= time < 1.6 else 0.0
        steps.append((time, [gestures.Scores(time, np.array([1 - p, p, 0], np.float32), 0, "right")], []))
    return Replay(take, tuple(steps))


def test_the_lead_is_how_late_the_network_is():
    fitted = fit_rules([replayed(0.3), replayed(0.35), replayed(0.4)], LABELS)
    assert abs(fitted.lead_s - 0.35) < 0.06
    events = replayed(0.35).events(LABELS, fitted)
    assert abs(events[0].started - 0.4) < 0.1


def test_a_lead_that_loses_detections_is_not_taken():
    """Most are late by 0.1 s, but one by 0.9 s of 1.2: without a longer lead less than half of it is covered."""
    fitted = fit_rules([replayed(0.1), replayed(0.1), replayed(0.1), replayed(0.9)], LABELS)
    assert fitted.lead_s >= 0.3


def test_a_network_that_is_early_gets_no_lead():
    assert fit_rules([replayed(0.0)], LABELS).lead_s < 0.04


def test_of_rules_that_cost_the_same_the_middle_one_is_taken():
    fitted = fit_rules([replayed(0.1), replayed(0.2)], LABELS)
    # At 0.9 for 1.0 to 1.1 s every level up to 0.9 and every hold time will do.
    assert 0.5 <= fitted.on <= 0.8
    assert 0.1 <= fitted.hold_s <= 0.3


def test_the_beginning_of_a_recording_tells_no_lead():
    take = replace(clip(), spans=(gestures.Span("swipe", 0.1, 1.6),))
    late = Replay(take, replayed(0.3).steps)
    assert fit_rules([late], LABELS).lead_s == 0


def says(truth, gesture, p, until_s=1.6):
    """From 0.5 s `until_s` the network is `p` sure of `gesture`, in a take that means `truth`; None means rest."""
    take = clip()
    take = replace(take, spans=() if truth is None else (replace(take.spans[0], gesture=truth),))
    steps = []
    for time in take.time.tolist():
        scores = np.zeros(3, np.float32)
        scores[LABELS.index(gesture)] = p if 0.5 <= time < until_s else 0.0
        scores[0] = 1 - scores.sum()
        steps.append((time, [gestures.Scores(time, scores, 0, "right")], []))
    return Replay(take, tuple(steps))


def test_a_gesture_that_is_often_seen_in_rest_needs_more_certainty_than_the_others():
    quiet, loud = LABELS[1:3]
    fitted = fit_rules(
        [says(quiet, quiet, 0.65)] * 8 + [says(loud, loud, 0.97)] * 8 + [says(None, loud, 0.8)] * 4, LABELS
    )
    assert fitted.on_for(quiet) <= 0.65
    assert fitted.on_for(loud) > 0.8


def test_one_false_accept_gives_no_gesture_a_level_of_its_own():
    quiet, loud = LABELS[1:3]
    told = [says(quiet, quiet, 0.65)] * 8 + [says(loud, loud, 0.97)] * 8
    assert fit_rules([*told, says(None, loud, 0.8)], LABELS).per_gesture == ()


def test_one_false_accept_seen_by_five_cameras_is_still_one():
    quiet, loud = LABELS[1:3]
    told = [says(quiet, quiet, 0.65)] * 8 + [says(loud, loud, 0.97)] * 8 + [says(None, loud, 0.8)]
    assert fit_rules(told * 5, LABELS).on_for(loud) > 0.8
    assert fit_rules(told * 5, LABELS, times=5) == fit_rules(told, LABELS)


def test_a_minute_of_rest_seen_by_five_cameras_tells_no_rate():
    gesture = LABELS[1]
    minute = says(None, gesture, 0.85)
    minute = replace(minute, clip=replace(minute.clip, time=minute.clip.time * 40))
    assert 60 < minute.clip.duration_s < 100
    told = [says(gesture, gesture, 0.75)] * 5 + [minute]
    assert fit_rules(told * 5, LABELS, times=5) == fit_rules(told, LABELS)
    assert fit_rules(told * 5, LABELS).on_for(gesture) > 0.85


def test_a_gesture_that_rest_resembles_for_a_moment_is_held_longer_than_the_others():
    quiet, loud = LABELS[1:3]
    briefly = says(None, loud, 0.97, until_s=0.75)
    told = [says(quiet, quiet, 0.97, until_s=0.72)] * 8 + [says(loud, loud, 0.97)] * 8
    fitted = fit_rules([*told, *[briefly] * 4], LABELS)
    assert fitted.hold_for(quiet) <= 0.2
    assert fitted.hold_for(loud) > 0.2


def test_enough_rest_keeps_false_accepts_as_rare_as_asked_whatever_is_missed():
    gesture = LABELS[1]
    truth = [says(gesture, gesture, 0.75)] * 5
    idle = says(None, gesture, 0.85)
    long = replace(idle, clip=replace(idle.clip, time=idle.clip.time * 200))
    assert fit_rules([*truth, idle], LABELS).on_for(gesture) <= 0.75
    assert fit_rules([*truth, long], LABELS).on_for(gesture) > 0.85


def test_a_last_word_is_kept_where_it_pays():
    gesture = LABELS[1]
    cut = says(gesture, gesture, 0.6)
    cut = replace(cut, steps=cut.steps[: next(i for i, step in enumerate(cut.steps) if step[0] >= 1.5)])
    sure = [says(gesture, gesture, 0.9)] * 2
    false = [replace(says(None, gesture, 0.6), steps=cut.steps)] * 3
    assert fit_rules([*sure, *[cut] * 4, *false[:1]], LABELS).leaving == 0.5
    assert fit_rules([*sure, *[cut] * 2, *false], LABELS).leaving is None
