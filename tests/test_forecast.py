"""The forecast: what it learns from is the future, it is made live as in training, and a still hand stays still."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import LABELS, REPOSITORY, hand, observations

import gestures
from gestures import features, forecast, lives, model
from gestures.forecast import HORIZONS_S, POINTS, Places
from gestures.network import Network, finish
from gestures.recognizer import Follower


def landmarks(*hands):
    return np.stack([np.concatenate([each.image, each.world], 1) for each in hands])


def gliding(seconds=1.2, rate_hz=30.0, speed=(0.3, -0.1), side="right"):
    """A hand that keeps its shape and moves at `speed` (picture widths a second)."""
    still = hand(0, side, (0.3, 0.6))
    out = []
    for t in np.arange(0, seconds, 1 / rate_hz):
        shift = np.array([speed[0], speed[1] * still.aspect, 0]) * t
        out.append(gestures.Observation(float(t), (replace(still, image=(still.image + shift).astype(np.float32)),)))
    return out


def mirrored(seen):
    def turned(each):
        image = each.image * np.float32([-1, 1, 1]) + np.float32([1, 0, 0])
        other = "left" if each.side == "right" else "right"
        return replace(each, image=image, world=each.world * np.float32([-1, 1, 1]), side=other)

    return gestures.Observation(seen.time, tuple(turned(each) for each in seen.hands))


@pytest.fixture(scope="module")
def untaught():
    """A model that has learnt nothing: it knows the velocity."""
    new = Network(len(LABELS), (8,), np.zeros(features.SIZE), np.ones(features.SIZE))
    probe = np.zeros((3, features.SIZE), np.float32)
    return finish(new, model.Manifest(LABELS, (8,), horizons_s=new.horizons_s), probe)[0]


def test_a_pinhole_cameras_hand_stands_where_it_stood():
    rng = np.random.default_rng(1)
    metres = hand().world + np.array([0.1, -0.05, 0.6])
    rays = metres[:, :2] / metres[:, 2:]
    image = np.concatenate([0.5 + forecast.FOCAL * rays * [1, 4 / 3], rng.normal(size=(21, 1))], 1)
    seen = np.concatenate([image, hand().world], 1)[None].astype(np.float32)
    palm = 0.6 / float(Places.of(seen, 4 / 3, left=False).middle[0, 2])
    assert 0.05 < palm < 0.12
    nearer = np.concatenate(
        [0.5 + forecast.FOCAL * metres[:, :2] / (metres[:, 2:] - 0.2) * [1, 4 / 3], image[:, 2:]], 1
    )
    moved = Places.of(seen, 4 / 3, left=False).moved(
        Places.of(np.concatenate([nearer, hand().world], 1)[None].astype(np.float32), 4 / 3, left=False)
    )
    assert float(moved[0, 0, 2]) * palm == pytest.approx(-0.2, abs=1e-3)


def test_the_truth_is_the_streams_own_future():
    clip = gestures.Clip.of(gliding(), "ana")
    (life,) = lives.lives(clip, ("rest",), 30.0)
    unit = Places.of(landmarks(*clip_hands(clip))[:1], clip.aspect, left=False).unit[0]
    ways = life.ahead.lesson().moved.reshape(-1, len(HORIZONS_S), POINTS, 3)
    for k, horizon_s in enumerate(HORIZONS_S):
        known = life.ahead.lesson().weight[:, k] > 0
        assert known.sum() == pytest.approx((1.2 - horizon_s) * 30, abs=1.1)
        assert not known[len(known) - int(horizon_s * 30 - 1e-6) - 1 :].any()
        expected = np.array([0.3, -0.1]) * horizon_s / unit
        np.testing.assert_allclose(ways[known, k, 0, :2], np.tile(expected, (known.sum(), 1)), rtol=0.02, atol=1e-3)
        np.testing.assert_allclose(ways[known, k, 1:], 0, atol=0.02)


def clip_hands(clip):
    return [each for seen in clip.observations() for each in seen.hands]


def test_what_nobody_saw_is_not_learnt():
    seen = [each for each in gliding(2.3) if not 0.8 < each.time < 1.1]
    (life,) = lives.lives(gestures.Clip.of(seen, "ana"), ("rest",), 30.0, unknown=[(1.5, 1.6)])
    time = np.arange(len(life.labels)) / 30
    for k, horizon_s in enumerate(HORIZONS_S):
        known = time[life.ahead.lesson().weight[:, k] > 0]
        then = known + horizon_s
        assert not ((then > 0.81) & (then < 1.08)).any()
        assert not ((known < 1.59) & (then > 1.51)).any()
        assert ((known < 0.5) & (then < 0.5)).any()
        assert (known > 1.6).any()


def test_a_left_hand_teaches_as_its_mirror_image():
    seen = [gestures.Observation(t, (hand(t, at=(0.4, 0.5), size=0.15 + 0.1 * t),)) for t in np.arange(0, 1, 1 / 30)]
    right, left = (
        lives.lives(gestures.Clip.of(each, "ana"), ("rest",), 30.0)[0].ahead.lesson().moved
        for each in (seen, [mirrored(one) for one in seen])
    )
    right, left = (moved.reshape(-1, POINTS, 3) for moved in (right, left))
    assert np.abs(right[:, 1:, 0]).max() > 0.05
    np.testing.assert_allclose(left[:, 1:], right[:, 1:], atol=1e-3)
    np.testing.assert_allclose(left[:, 0] * (-1, 1, 1), right[:, 0], atol=1e-3)


def test_only_the_last_tick_that_a_sight_gives_makes_a_forecast():
    (life,) = lives.lives(gestures.Clip.of(gliding(rate_hz=10.0), "ana"), ("rest",), 30.0)
    assert np.flatnonzero(life.ahead.lesson().weight[:, 0]).tolist() == list(range(0, 31, 3))


def test_a_single_sight_teaches_nothing_of_its_future():
    (life,) = lives.lives(gestures.Clip.of([next(iter(gliding()))], "ana"), ("rest",), 30.0)
    lesson = life.ahead.lesson()
    assert len(lesson.weight) == len(life.labels) == 1
    assert not lesson.weight.any()
    assert not lesson.motion.any()


def test_velocities_are_newest_first_and_a_second_long():
    times, seen = np.array([0.0, 0.1, 0.3]), [hand(0, at=(x, 0.5)) for x in (0.3, 0.4, 0.3)]
    places = Places.of(landmarks(*seen), 4 / 3, left=False)
    read = forecast.motion(times, places, np.array([0, 1, 2])).reshape(3, 3, POINTS, 3)[:, :, 0, 0]
    one = 0.1 / places.unit[0]
    np.testing.assert_allclose(read, [[0, 0, 0], [one / 0.1, 0, 0], [-one / 0.2, one / 0.1, 0]], rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("side", ["left", "right"])
def test_what_is_forecast_comes_back_as_a_hand(side):
    now, later = hand(0.3, side), hand(0.6, side, (0.6, 0.45), 0.25)
    before, after = (Places.of(landmarks(each), now.aspect, left=side == "left") for each in (now, later))
    where = forecast.ahead(landmarks(now)[0], now.aspect, before.moved(after)[0], left=side == "left")
    np.testing.assert_allclose(where[:, :2], later.image[:, :2], atol=1e-5)
    np.testing.assert_allclose(where[0, 2], now.image[0, 2], atol=1e-6)


def test_between_horizons_the_way_is_a_part_of_the_next():
    moved = np.arange(1, 4, dtype=np.float32)[:, None, None] * np.ones((3, POINTS, 3), np.float32)
    for horizon_s, way in ((0.0, 0), (0.05, 0.5), (0.1, 1), (0.15, 1.5), (0.3, 3), (0.5, 3)):
        assert forecast.when(moved, (0.1, 0.2, 0.3), horizon_s)[0, 0] == pytest.approx(way)


def test_an_untaught_velocity_dies_away(untaught):
    recognizer = gestures.Recognizer(untaught)
    for seen in gliding():
        recognizer.push(seen)
    now = seen.hands[0].image
    ways = [(recognizer.forecast(h)[0] - now)[:, 0].mean() for h in HORIZONS_S]
    # 0.3 widths a second for the time that exp(-t / 0.12 s) lasts.
    np.testing.assert_allclose(ways, 0.3 * 0.12 * (1 - np.exp(-np.array(HORIZONS_S) / 0.12)), rtol=1e-2)


def test_of_a_still_hand_nothing_is_forecast_but_stillness(tiny):
    recognizer = gestures.Recognizer(tiny)
    for n in range(30):
        recognizer.push(gestures.Observation(n / 30, (hand(0.4),)))
    for horizon_s in HORIZONS_S:
        np.testing.assert_allclose(recognizer.forecast(horizon_s)[0], hand(0.4).image, atol=1e-5)


def test_a_mirrored_hand_is_forecast_mirrored(untaught):
    plain, turned = gestures.Recognizer(untaught), gestures.Recognizer(untaught)
    for seen in observations(1.0):
        plain.push(seen)
        turned.push(mirrored(seen))
    there, back = plain.forecast(0.2), turned.forecast(0.2)
    assert len(there) == 2
    flipped = [each * np.float32([-1, 1, 1]) + np.float32([1, 0, 0]) for each in back.values()]
    for joints in there.values():
        assert min(np.abs(joints - other).max() for other in flipped) < 1e-4


@pytest.mark.parametrize("rate_hz", [30.0, 13.0, 50.0])
def test_it_is_made_live_as_in_training(rate_hz, tiny, network):
    """What the head is taught on in bulk is what a live stream asks it."""
    clip = gestures.Clip.of(observations(2.0, rate_hz), "ana")
    follower, live = Follower(tiny), []
    for seen in clip.observations():
        ticks, _ = follower.push(seen)
        live += [(each.side, seen.time, follower.ways(0.2)[each.hand]) for each in {t.hand: t for t in ticks}.values()]
    compared = 0
    for life in lives.lives(lives.settle(clip), ("rest",), 30.0):
        empty = [np.zeros((1, units), np.float32) for units in network.units for _ in "hc"]
        _, moved, *_ = network.both([life.vectors[None], life.ahead.lesson().motion[None], *empty])
        at = HORIZONS_S.index(0.2)
        ways = np.asarray(moved)[0].reshape(-1, len(HORIZONS_S), POINTS, 3)[life.ahead.lesson().weight[:, 0] > 0, at]
        side = "left" if life.vectors[0, features.NAMES.index("is_left")] else "right"
        theirs = [way for name, _, way in live if name == side]
        for way in ways:
            compared += min(np.abs(way - other).max() for other in theirs) < 1e-3
        compared -= len(ways)
        assert len(ways) > 10
    assert compared == 0


def test_a_hand_out_of_sight_goes_on_for_a_while(tiny):
    recognizer = gestures.Recognizer(tiny)
    for seen in gliding():
        recognizer.push(seen)
    before = recognizer.forecast(0.3)[0]
    for late_s, there in ((0.1, True), (0.2, True), (0.25, False)):
        recognizer.push(gestures.Observation(seen.time + late_s))
        assert (0 in recognizer.forecast(0.0)) == there
        if late_s == 0.1:
            np.testing.assert_allclose(recognizer.forecast(0.2)[0], before, atol=1e-5)


def test_a_model_without_the_head_forecasts_nothing():
    """Such as were trained before there was one."""
    old = Network(len(LABELS), (8,), np.zeros(features.SIZE), np.ones(features.SIZE), horizons_s=())
    made = finish(old, model.Manifest(LABELS, (8,)), np.zeros((3, features.SIZE), np.float32))[0]
    recognizer = gestures.Recognizer(made)
    for seen in observations(0.5):
        recognizer.push(seen)
    assert recognizer.scores
    assert recognizer.forecast(0.1) == {}
    with pytest.raises(gestures.ModelError, match="forecasts nothing"):
        made.forecast(np.zeros(features.SIZE, np.float32), made.begin(), np.zeros(forecast.MOTION, np.float32))


def test_the_starter_loads_whatever_it_forecasts():
    starter = gestures.load(REPOSITORY / "trained" / "starter")
    recognizer = gestures.Recognizer(starter)
    for seen in observations(0.5):
        recognizer.push(seen)
    assert len(recognizer.forecast(0.1)) == (len(recognizer.hands) if starter.manifest.horizons_s else 0)


@pytest.mark.parametrize("horizon_s", [-0.01, 0.41, float("nan")])
def test_a_horizon_that_was_not_learnt_is_refused(horizon_s, tiny):
    recognizer = gestures.Recognizer(tiny)
    recognizer.push(observations(0.1)[0])
    with pytest.raises(gestures.InputError, match="forecasts 0 to"):
        recognizer.forecast(horizon_s)
