"""What the coach sees, and what it says takes lack."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import clip, hand

import gestures
from gestures.coaching import Coach, missing


def pattern(step=4, brightness=1.0):
    """A picture with edges everywhere."""
    rows, columns = np.mgrid[:480, :640] // step
    grey = ((rows + columns) % 2 * 160 + 60) * brightness
    return np.repeat(grey[:, :, None], 3, 2).astype(np.uint8)


def look(hands, image=None, rate_hz=30.0, seconds=3.0):
    """What the coach says at last."""
    coach, image, told = Coach(), pattern(16) if image is None else image, ""
    for time in np.arange(0, seconds, 1 / rate_hz):
        seen = tuple(hands(time)) if callable(hands) else tuple(hands)
        told = coach.look(gestures.Frame(image, time), gestures.Observation(time, seen))
    return told


def test_a_hand_well_seen_needs_no_word():
    assert look([hand(size=0.15)]) == ""


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ([hand(size=0.04)], "too far"),
        ([hand(size=0.5)], "too near"),
        ([hand(at=(0.99, 0.5), size=0.15)], "out of the picture"),
    ],
)
def test_where_a_hand_is(made, words):
    assert words in look(made)


def test_what_the_picture_is_like():
    near = [hand(size=0.2)]
    assert "too dark" in look(near, pattern(16, 0.1))
    assert "too dark" in look([], pattern(16, 0.05))
    assert look([], pattern(16)) == ""
    slope = np.repeat(np.linspace(60, 220, 640)[None, :, None], 480, 0).repeat(3, 2).astype(np.uint8)
    assert "blurred" in look(near, slope)


def test_a_slow_camera_is_told_with_its_rate():
    assert "slow camera: 12 pictures" in look([hand(size=0.15)], rate_hz=12.0)
    assert look([hand(size=0.15)], rate_hz=24.0) == ""
    coach, told = Coach(), ""
    for time in [*np.arange(0, 9, 1 / 60), *np.arange(9, 12, 1 / 10)]:  # the light goes down
        told = coach.look(gestures.Frame(pattern(16), time), gestures.Observation(time, (hand(size=0.15),)))
    assert "slow camera: 10 pictures" in told


def test_a_hand_whose_side_jumps_is_told():
    def jumping(time):
        return [hand(size=0.15, side="left" if int(time * 3) % 2 else "right")]

    assert "left or right" in look(jumping)


def varied(n, speed=0.0, place=0.0, size=0.0, sides=("right",)):
    """Five takes that differ so much."""
    share = n / 4 - 0.5
    take = clip(seconds=2.0 * (1 + speed * share))
    image = (take.image - 0.5) * (1 + size * share) + 0.5 + np.array([place * share, 0, 0])
    if sides[n % len(sides)] == "left":
        image = image[:, ::-1]
        take = replace(take, world=take.world[:, ::-1])
    return replace(take, image=image.astype(np.float32))


@pytest.mark.parametrize(
    ("name", "kept"),
    [("speed", {"speed": 0.8}), ("place", {"place": 0.4}), ("distance", {"size": 0.8})],
)
def test_what_takes_have_is_not_missed(name, kept):
    alike = missing([varied(n) for n in range(5)])
    assert [each.split(":")[0] for each in alike[:3]] == ["speed", "place", "distance"]
    told = [each.split(":")[0] for each in missing([varied(n, **kept) for n in range(5)])]
    assert name not in told
    assert len(told) == len(alike) - 1


def test_the_other_hand_is_missed_until_it_is_there():
    assert "other hand" in missing([varied(n) for n in range(5)])[-1]
    assert not any("other hand" in each for each in missing([varied(n, sides=("left", "right")) for n in range(5)]))


def test_few_takes_miss_nothing_yet():
    assert missing([varied(n) for n in range(3)]) == []
    assert missing([clip("rest") for _ in range(9)]) == []
