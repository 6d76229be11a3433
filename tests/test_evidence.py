"""Evidence gathers while a hand moves, and is forgotten when it rests."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gestures.evidence import Evidence


def tick(*probabilities):
    return np.array(probabilities, np.float32)


def test_one_dissenting_tick_does_not_change_the_word():
    evidence = Evidence(30.0, 3)
    for _ in range(10):
        evidence.gather(tick(0.1, 0.8, 0.1))
    assert evidence.gather(tick(0.1, 0.3, 0.6))[0][1:].argmax() == 0


def test_a_change_of_mind_prevails_in_time():
    evidence = Evidence(30.0, 3)
    for _ in range(30):
        evidence.gather(tick(0.1, 0.8, 0.1))
    words = [int(evidence.gather(tick(0.1, 0.1, 0.8))[0][1:].argmax()) for _ in range(20)]
    assert words[0] == 0
    assert words[-1] == 1


def test_a_hand_that_rested_starts_afresh():
    evidence = Evidence(30.0, 3)
    for _ in range(30):
        evidence.gather(tick(0.1, 0.8, 0.1))
    for _ in range(5):
        evidence.gather(tick(0.98, 0.01, 0.01))
    assert evidence.gather(tick(0.1, 0.2, 0.7))[0][1:].argmax() == 1


def test_the_first_tick_is_told_as_it_is():
    np.testing.assert_allclose(Evidence(30.0, 3).gather(tick(0.2, 0.5, 0.3))[0], [0.2, 0.5, 0.3], atol=1e-6)


@given(
    st.integers(3, 4).flatmap(
        lambda n: st.lists(
            st.lists(st.floats(0, 1), min_size=n, max_size=n).filter(lambda p: sum(p) > 0.01), min_size=1
        )
    )
)
def test_what_is_said_is_a_distribution_and_rest_is_left_alone(rows):
    evidence = Evidence(30.0, 3)
    for row in rows:
        said = np.array(row, np.float32) / np.float32(sum(row))
        gathered, resting = evidence.gather(said)
        assert gathered.shape == (3,)
        assert np.isfinite(gathered).all()
        assert abs(gathered[0] - (1 - said[1:3].sum())) < 1e-4
        assert resting == (said[0] if len(row) == 4 else None)
        assert abs(gathered.sum() - 1) < 1e-4


def test_what_was_known_is_not_forgotten_while_undecided():
    evidence = Evidence(30.0, 3)
    for _ in range(30):
        evidence.gather(tick(0.1, 0.8, 0.05, 0.05))
    for _ in range(5):
        evidence.gather(tick(0.02, 0.01, 0.01, 0.96))
    assert evidence.gather(tick(0.1, 0.2, 0.7, 0.0))[0][1:].argmax() == 0
