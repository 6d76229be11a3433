"""A gesture of the starter set has a level of its own where that is worth it."""

import sys

import pytest
from conftest import LABELS, REPOSITORY
from test_fitting import says

import gestures

sys.path.insert(0, str(REPOSITORY / "scripts"))
import levels

ONE, OTHER = LABELS[1:3]
RULES = gestures.DecisionRules(0.93, 0.18, 0.13)


def own(replays, rules=RULES):
    return levels.each_its_level(rules, LABELS, replays).per_gesture


def test_what_is_said_less_surely_and_never_to_idle_hands_has_a_lower_level():
    assert own([says(ONE, ONE, 0.87)] * 3 + [says(OTHER, OTHER, 0.99)] * 3) == ((ONE, 0.85, 0.13),)


def test_what_idle_hands_look_like_has_a_higher_level():
    assert own([says(ONE, ONE, 0.99)] * 3 + [says(None, ONE, 0.94)] * 3) == ((ONE, 0.95, 0.13),)


def test_what_may_be_chance_gets_no_level_of_its_own():
    assert own([says(ONE, ONE, 0.87), says(OTHER, OTHER, 0.99)]) == ()
    assert own([says(None, ONE, 0.94)]) == ()


@pytest.mark.parametrize(("found", "worth_it"), [(3, False), (4, True)])
def test_a_false_event_among_gestures_costs_two_that_are_found(found, worth_it):
    wrong = [says(OTHER, ONE, 0.87)]
    assert bool(own([says(ONE, ONE, 0.87)] * found + wrong)) == worth_it


@pytest.mark.parametrize(("found", "worth_it"), [(2, False), (3, True)])
def test_a_false_accept_costs_one(found, worth_it):
    assert bool(own([says(ONE, ONE, 0.87)] * found + [says(None, ONE, 0.87)])) == worth_it


def test_a_hold_time_of_its_own_stays():
    rules = gestures.DecisionRules(0.93, 0.18, 0.13, per_gesture=((ONE, 0.93, 0.3), (OTHER, 0.93, 0.2)))
    assert own([says(ONE, ONE, 0.87)] * 3, rules) == ((ONE, 0.85, 0.3), (OTHER, 0.93, 0.2))


def test_what_may_be_less_sure_has_the_lowest_level_that_costs_hardly_more_than_the_best(monkeypatch):
    sure, unsure = says(ONE, ONE, 0.99), says(None, ONE, 0.75)
    assert own([sure] * 3) == ()
    monkeypatch.setattr(levels, "LESS_SURE", (ONE,))
    assert own([sure] * 3) == ((ONE, 0.7, 0.13),)
    assert own([*[sure] * 3, unsure]) == ((ONE, 0.7, 0.13),)
    assert own([*[sure] * 3, unsure, unsure]) == ((ONE, 0.8, 0.13),)
    # A level above the one for all is the best, and 0.7 is dearer by two.
    assert own([*[sure] * 3, says(None, ONE, 0.94), unsure]) == ((ONE, 0.8, 0.13),)
    assert own([says(OTHER, OTHER, 0.99)] * 3) == ()
