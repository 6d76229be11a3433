"""The same recording as other cameras would have it."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import clip

import gestures
from gestures.disturbed import DISTURBED, TELLING, otherwise
from gestures.types import FARTHEST


def test_every_recording_comes_once_in_every_way_and_means_the_same():
    takes = [clip(), clip("rest", "bo", seconds=3.0)]
    told = otherwise(takes, 0)
    assert len(told) == len(takes) * len(TELLING)
    for take, ways in zip(takes, (told[: len(TELLING)], told[len(TELLING) :]), strict=True):
        for each in ways:
            assert (each.person, each.spans) == (take.person, take.spans)
            assert abs(each.duration_s - take.duration_s) < 0.11
            assert not np.array_equal(each.image, take.image, equal_nan=True)


@pytest.mark.parametrize(("way", "share"), [("10 fps", 1 / 3), ("60 fps", 2), ("a fifth of the frames dropped", 0.8)])
def test_pictures_become_fewer_or_more(way, share):
    take = clip(seconds=20.0)
    seen = DISTURBED[way](take, np.random.default_rng(0))
    assert len(seen.time) == pytest.approx(share * len(take.time), rel=0.05)


def test_landmarks_tremble_by_a_fiftieth_of_the_palm():
    take = clip(seconds=20.0)
    seen = DISTURBED["landmarks trembling by 2 % of the palm"](take, np.random.default_rng(0))
    palm = np.linalg.norm(take.world[:, :, 9] - take.world[:, :, 0], axis=2)[..., None, None]
    assert np.nanstd((seen.world - take.world) / palm) == pytest.approx(0.02, rel=0.1)


def test_the_seed_decides():
    takes = [clip(), clip()]
    one, again, other = otherwise(takes, 0), otherwise(takes, 0), otherwise(takes, 1)
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
    # Which frames are lost, and how hands tremble, differs from seed to seed and from take to take.
    assert not np.array_equal(one[1].time, other[1].time)
    assert not np.array_equal(one[2].image, one[len(TELLING) + 2].image)


def test_what_has_hardly_a_picture_can_be_disturbed():
    for count in range(3):
        take = clip()
        short = replace(take, spans=(), time=take.time[:count], image=take.image[:count], world=take.world[:count])
        for each in otherwise([short], 0):
            assert len(each.time) <= max(1, count)


def test_a_gesture_at_the_very_end_is_not_taken_for_rest():
    take = clip(seconds=1.0)
    late = replace(take, spans=(gestures.Span("swipe", float(take.time[-1]) - 0.02, float(take.time[-1])),))
    assert [len(each.spans) for each in otherwise([late, replace(take, spans=())], 0)] == [1] * 3 + [0] * 3


def test_what_lies_at_the_edge_of_the_possible_may_tremble():
    take = clip()
    far = replace(take, image=np.full_like(take.image, FARTHEST), world=np.full_like(take.world, -FARTHEST))
    far.image[:, :, 0] = -FARTHEST
    for each in otherwise([far], 0):
        assert np.abs(each.image).max() <= FARTHEST
