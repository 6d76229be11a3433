"""When scores become events."""

import numpy as np
import pytest
from conftest import LABELS

import gestures
from gestures.decisions import Decisions
from gestures.scoring import detections

RULES = gestures.DecisionRules(on=0.8, off=0.4, hold_s=0.1, rest_s=0.5)


def run(pairs, rules=RULES, rate_hz=30):
    """Events of one right hand whose "swipe" has these probabilities, the rest being rest."""
    decisions, events = Decisions(LABELS, rules), []
    for n, p in enumerate(pairs):
        events += decisions.push([scores(n / rate_hz, p)], [], n / rate_hz)
    return events + decisions.finish(len(pairs) / rate_hz)


def scores(time, swipe, hand=0, side="right"):
    return gestures.Scores(time, np.array([1 - swipe, swipe, 0], np.float32), hand, side)


def times(events, phase):
    return [round(e.time * 30) for e in events if e.phase == phase]


def test_a_gesture_begins_after_its_hold_time_and_ends_below_off():
    events = run([0] * 5 + [0.5] * 2 + [0.9] * 10 + [0.5] * 5 + [0.3] * 5)
    assert times(events, "began") == [7 + 3]
    assert times(events, "ended") == [22]
    assert [e.gesture for e in events] == ["swipe", "swipe"]
    assert round(events[0].started * 30) == 5


def test_an_event_started_so_much_earlier_as_the_network_lags_but_never_before_it_could():
    pairs = [0] * 12 + [0.9] * 10 + [0] * 4 + [0.9] * 10
    lagging = gestures.DecisionRules(on=0.8, off=0.4, hold_s=0.1, rest_s=0, lead_s=0.3)
    assert [round(e.started * 30) for e in run(pairs, lagging) if e.phase == "began"] == [12 - 9, 22]
    hasty = gestures.DecisionRules(on=0.8, off=0.4, hold_s=0.1, rest_s=0, lead_s=9)
    assert [round(e.started * 30) for e in run(pairs, hasty) if e.phase == "began"] == [0, 22]


def test_one_event_however_long_it_is_held():
    assert times(run([0.9] * 3000), "began") == [3]


def test_a_flicker_shorter_than_the_hold_time_is_nothing():
    assert run(([0.9] * 3 + [0] * 3) * 20) == []


def test_nothing_begins_within_the_rest_period():
    events = run([0.9] * 10 + [0] * 5 + [0.9] * 60)
    first_end = times(events, "ended")[0]
    assert times(events, "began")[1] == first_end + 15


def test_rest_never_fires():
    decisions = Decisions(LABELS, RULES)
    p = np.array([1, 0, 0], np.float32)
    assert all(decisions.push([gestures.Scores(n / 30, p)], [], n / 30) == [] for n in range(100))


def test_a_gesture_may_have_a_level_of_its_own():
    strict = gestures.DecisionRules(on=0.5, off=0.4, hold_s=0, per_gesture=(("swipe", 0.95, 0),))
    assert run([0.9] * 30, strict) == []
    assert len(run([0.96] * 30, strict)) == 2


def test_a_gesture_may_have_a_hold_time_of_its_own():
    patient = gestures.DecisionRules(on=0.5, off=0.4, hold_s=0.1, per_gesture=(("swipe", 0.5, 0.5), ("push", 0.9, 0)))
    assert times(run([0] * 5 + [0.9] * 30, patient), "began") == [5 + 15]
    assert run([0] * 5 + [0.9] * 15 + [0] * 5, patient) == []


def test_a_hand_that_goes_ends_its_gesture_when_it_was_last_seen():
    decisions = Decisions(LABELS, RULES)
    for n in range(10):
        decisions.push([scores(n / 30, 0.9)], [], n / 30)
    (ended,) = decisions.push([], [0], 1.0)
    assert (ended.phase, ended.time) == ("ended", 0.3)


def test_a_hand_that_stays_does_not_begin_anew_what_ended_with_the_other():
    decisions, events = Decisions(LABELS, RULES), []
    for n in range(60):
        ticks = [scores(n / 30, 0.9, 0, "right")] if n <= 30 else []
        ticks += [scores(n / 30, 0.9 if n < 50 else 0, 1, "left")]
        events += decisions.push(ticks, [0] if n == 43 else [], n / 30)
    assert [(e.phase, e.side) for e in events] == [("began", "both"), ("ended", "both")]
    assert events[-1].time == 1.0


def two_hands(lag, sides=("left", "right")):
    decisions, events = Decisions(LABELS, RULES), []
    for n in range(60):
        first, second = (0.9 if start <= n < 30 else 0 for start in (5, 5 + lag))
        ticks = [scores(n / 30, first, 0, sides[0]), scores(n / 30, second, 1, sides[1])]
        events += decisions.push(ticks, [], n / 30)
    return [(e.phase, e.side) for e in events]


@pytest.mark.parametrize("lag", [0, 1, 2])
def test_two_hands_together_are_one_event_of_both(lag):
    assert two_hands(lag) == [("began", "both"), ("ended", "both")]


def test_the_second_hand_that_comes_late_tells_nothing_of_its_own():
    assert two_hands(10) == [("began", "left"), ("ended", "left")]


def test_two_right_hands_are_two_people():
    assert sorted(two_hands(0, ("right", "right"))) == [("began", "right")] * 2 + [("ended", "right")] * 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"on": 0.3, "off": 0.4},
        {"on": 1.1},
        {"off": -0.1},
        {"hold_s": -1},
        {"per_gesture": (("swipe", 0.9, -1),)},
        {"rest_s": np.nan},
        {"lead_s": -1},
    ],
)
def test_rules_that_cannot_be_are_refused(wrong):
    with pytest.raises(gestures.InputError, match="DecisionRules"):
        gestures.DecisionRules(**wrong)


def test_an_event_is_one_json_object():
    event = run([0.9] * 10)[0]
    assert event.json() == {
        "gesture": "swipe",
        "phase": "began",
        "time": 0.1,
        "started": 0.0,
        "hand": 0,
        "side": "right",
        "confidence": 0.9,
    }


def test_a_hand_freed_of_a_shared_gesture_speaks_again():
    decisions, events = Decisions(LABELS, RULES), []
    for n in range(120):
        left = 0.9 if 5 <= n < 30 or 60 <= n < 80 else 0
        right = 0.9 if 5 <= n < 40 else 0.7 if n < 50 else 0
        events += decisions.push([scores(n / 30, left, 0, "left"), scores(n / 30, right, 1, "right")], [], n / 30)
    assert [(e.phase, e.side) for e in events] == [
        ("began", "both"),
        ("ended", "both"),
        ("began", "left"),
        ("ended", "left"),
    ]


LAST = gestures.DecisionRules(on=0.95, off=0.4, hold_s=0.5, leaving=0.5)


def test_a_hand_that_goes_has_a_last_word_and_only_one():
    assert [(e.gesture, e.phase) for e in run([0.6] * 10, LAST)] == [("swipe", "began"), ("swipe", "ended")]
    assert run([0.4] * 10, LAST) == []
    assert run([0.6] * 10) == []
    said_before = run([0.99] * 30 + [0.1] * 10 + [0.6] * 5, LAST)
    assert [e.phase for e in said_before] == ["began", "ended"]


def test_undecided_is_decided_by_the_hands_going_and_resting_is_not():
    for resting, said in ((0.1, "swipe"), (0.5, None), (0.8, None), (None, None)):
        decisions = Decisions(LABELS, LAST)
        p = np.array([0.8, 0.15, 0.05], np.float32)
        decisions.push([gestures.Scores(0.0, p, resting=resting)], [], 0.0)
        assert [event.gesture for event in decisions.finish(0.1)] == ([said] * 2 if said else [])


def test_a_hand_on_its_way_back_from_an_event_has_no_last_word():
    for pause_s, words in ((1.0, 0), (3.0, 2)):
        decisions = Decisions(LABELS, LAST)
        events = [e for n in range(30) for e in decisions.push([scores(n / 30, 0.99, 0)], [], n / 30)]
        events += decisions.push([], [0], 1.0)
        events += decisions.push([scores(1 + pause_s, 0.6, 1)], [], 1 + pause_s) + decisions.finish(1.1 + pause_s)
        assert [e.hand for e in events] == [0, 0] + [1] * words


def test_the_last_word_of_two_hands_is_one():
    for leave in (lambda d: d.push([], [0, 1], 1.0), lambda d: d.finish(1.0)):
        decisions = Decisions(LABELS, LAST)
        for n in range(10):
            decisions.push([scores(n / 30, 0.8, 0, "left"), scores(n / 30, 0.8, 1, "right")], [], n / 30)
        assert [(e.phase, e.side, e.time) for e in leave(decisions)] == [("began", "both", 1.0), ("ended", "both", 1.0)]


def test_decisions_forget_hands_that_have_gone():
    decisions = Decisions(LABELS, RULES)
    for n in range(1000):
        decisions.push([scores(n / 30, 0.1, n)], [n - 1] if n else [], n / 30)
    assert len(decisions._hands) == len(decisions._sides) == 1


def test_a_hand_that_begins_and_ends_between_two_pictures_ends_once():
    """A slow camera brings several ticks at once; what one hand ended there the other must not give back to it."""
    rules = gestures.DecisionRules(0.8, 0.4, hold_s=0.0, rest_s=0.0)
    decisions = Decisions(LABELS, rules)

    def tick(time, hand, p):
        side = "right" if hand == 0 else "left"
        return gestures.Scores(time, np.array([1 - p, p, 0], np.float32), hand, side)

    rows = [tick(0.0, 0, 0.9), tick(0.03, 0, 0.1), tick(0.0, 1, 0.9), tick(0.03, 1, 0.9)]
    told = decisions.push(rows, [], 0.03)
    told += decisions.push([tick(0.06, 0, 0.0), tick(0.06, 1, 0.0)], [], 0.06) + decisions.finish(0.1)
    for hand in {event.hand for event in told}:
        phases = [event.phase for event in told if event.hand == hand]
        assert phases == ["began", "ended"] * (len(phases) // 2)


def test_nothing_ends_before_it_started_though_times_are_rounded():
    """A tick may be later than the observation it is due at by the last binary digit."""
    tick, observed = 1.0333333333333334, 1.0333333333333332
    for rules, p in ((gestures.DecisionRules(0.8, 0.4, hold_s=0.0), 0.9), (LAST, 0.6)):
        decisions = Decisions(LABELS, rules)
        events = decisions.push([scores(tick, p)], [], observed) + decisions.finish(observed)
        (found,) = detections(events)
        assert found.end >= found.start
