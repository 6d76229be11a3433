"""Takes are cut where the hand moves and rests, and refused when they cannot teach."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import hand

import gestures
from gestures.cutting import OVER_S, Cutter, fault


def played(moves, until_s, rate_hz=30.0, tremble=0.0, gone=()):
    """A hand in view that travels during each (start, end) of `moves`, there and back,, trembling throughout."""
    still, rng = hand(0.0), np.random.default_rng(0)
    palm = float(np.linalg.norm(still.image[9, :2] - still.image[0, :2]))
    for time in np.arange(0, until_s, 1 / rate_hz):
        share = sum(np.clip((time - start) / (end - start), 0, 1) for start, end in moves)
        share = abs((share + 1) % 2 - 1)  # there and back
        noise = rng.normal(0, tremble * palm, (21, 3))
        image = (still.image + np.array([2 * palm * share, 0, 0]) + noise).astype(np.float32)
        there = not any(start <= time < end for start, end in gone)
        yield gestures.Observation(float(time), (replace(still, image=image),) if there else ())


def cut(seen, gesture="swipe", length_s=None):
    cutter = Cutter(gesture, "ana", length_s)
    takes = [take for each in seen if (take := cutter.push(each)) is not None]
    last = cutter.finish()
    return takes + ([last] if last is not None else [])


@pytest.mark.parametrize("rate_hz", [10.0, 15.0, 30.0, 60.0])
def test_each_movement_between_rests_is_a_take(rate_hz):
    moves = [(1.0, 1.6), (3.5, 4.3), (6.0, 6.5)]
    takes = cut(played(moves, 8.0, rate_hz, tremble=0.01))
    assert len(takes) == 3
    for take, (start, end) in zip(takes, moves, strict=True):
        assert abs(take.spans[0].start - start) < 0.25
        assert abs(take.spans[0].end - end) < 0.25
        assert take.time[0] <= take.spans[0].start
        assert take.time[-1] >= take.spans[0].end
        assert fault(take) is None


def test_a_trembling_hand_is_no_take():
    assert cut(played([], 20.0, tremble=0.02)) == []


def test_coming_into_sight_on_the_move_is_no_take():
    assert cut(played([(0.0, 0.9)], 3.0)) == []


def test_a_hand_that_leaves_ends_its_take():
    (take,) = cut(played([(1.0, 3.0)], 6.0, gone=[(2.0, 6.0)]))
    assert take.spans[0].end <= 2.0


def test_the_end_of_the_stream_ends_a_take():
    (take,) = cut(played([(1.0, 2.0)], 1.9))
    assert take.spans[0].end > 1.7


def test_a_take_is_over_only_after_a_rest():
    (take,) = cut(played([(1.0, 1.5), (1.5 + OVER_S / 2, 2.5)], 5.0))
    assert take.spans[0].end > 2.3


def test_takes_of_a_length_follow_one_another():
    takes = cut(played([], 6.2), length_s=2.0)
    assert [round(take.duration_s) for take in takes] == [2, 2, 2]


def test_rest_is_kept_whatever_it_shows_and_has_no_span():
    takes = cut(played([(1.0, 2.0)], 7.0, gone=[(3.0, 7.0)]), gesture="rest", length_s=3.0)
    assert len(takes) == 3
    assert all(take.spans == () and fault(take) is None for take in takes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: replace(c, image=c.image * np.array([0.1, 0.1, 1])), "too far away"),
        (lambda c: replace(c, image=c.image + np.array([2, 0, 0])), "out of the picture"),
        (lambda c: replace(c, time=c.time * 6, spans=(gestures.Span("swipe", 6.0, 9.6),)), "pictures a second"),
        (
            lambda c: replace(c, image=np.where(np.arange(len(c.time))[:, None, None, None] % 2, c.image, np.nan)),
            "seen",
        ),
    ],
)
def test_a_take_that_cannot_teach_is_refused_with_the_reason(change, words):
    (take,) = cut(played([(1.0, 1.6)], 3.0))
    changed = change(take)
    told = fault(replace(changed, image=changed.image.astype(np.float32)))
    assert told is not None
    assert words in told
