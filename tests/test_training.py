"""Learning: what the streams say, that a net learns from them, and that it is judged on others."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import clip, hand, observations

import gestures
from gestures import augmentation, checkpoint, features, holdout, lives, losses, streams, teaching, training
from gestures.batches import batches
from gestures.cells import chrono_biases
from gestures.disturbed import TELLING
from gestures.forecast import HORIZONS_S, POINTS, ahead
from gestures.network import LONGEST_S
from gestures.recipe import Recipe, steps_for
from gestures.recognizer import Follower, _partner
from gestures.tracks import Tracker


def moving(gesture, person, seed, rate_hz=25.0):
    """A take in which the hand goes right ("go") or up and down ("nod"), or wanders ("rest")."""
    rng = np.random.default_rng(seed)
    x0, y0, speed = rng.uniform(0.2, 0.4), rng.uniform(0.4, 0.6), rng.uniform(0.7, 1.3)
    seen = []
    for t in np.arange(0, 1.6, 1 / rate_hz):
        s = np.clip((t - 0.3) * speed, 0, 1)
        shift = {"go": (0.4 * s, 0), "nod": (0, 0.15 * np.sin(8 * s)), "rest": (0.01 * np.sin(t), 0)}[gesture]
        seen.append(gestures.Observation(float(t), (hand(0, at=(x0 + shift[0], y0 + shift[1])),)))
    spans = () if gesture == "rest" else (gestures.Span(gesture, 0.3, 0.3 + 1 / speed),)
    return gestures.Clip.of(seen, person, spans)


def small_set(people=("ana", "bo", "cy", "di")):
    made = [moving(g, p, 10 * k + n) for k, p in enumerate(people) for g in ("go", "nod", "rest") for n in range(3)]
    return gestures.ClipSet(("go", "nod"), tuple(made))


def test_training_reads_what_the_recognizer_reads(tiny):
    """The features of a settled clip, taken in bulk, are those that a live stream of it gives."""
    original = gestures.Clip.of(observations(rate_hz=25.0), "ana")
    live: dict[int, list] = {}
    follower, tracker = Follower(tiny), Tracker()
    for seen in original.observations():
        present, _ = tracker.update(seen)
        follower.push(seen)
        for number, each in present.items():
            line = live.setdefault(number, [])
            line.append((seen.time, each, _partner(number, present)))
    expected = {}
    for number, rows in live.items():
        stream = lives.FeatureStream(30.0)
        expected[number] = np.array([v for row in rows for _, v in stream.push(*row)])
    got = [life.vectors for life in lives.lives(lives.settle(original), ("rest",), 30.0)]
    assert len(got) == len(expected) == 3
    for vectors in expected.values():
        assert any(v.shape == vectors.shape and np.allclose(v, vectors, atol=1e-4) for v in got)


def test_a_flicker_of_the_side_is_settled():
    seen = [
        gestures.Observation(t, (hand(t, "left" if k in (15, 16, 30) else "right"),))
        for k, t in enumerate(np.arange(0, 2, 1 / 30))
    ]
    settled = lives.settle(gestures.Clip.of(seen, "ana"))
    assert settled.present.sum(0).tolist() == [0, len(seen)]


def test_the_answer_comes_to_be_owed_within_the_gesture():
    take = clip("swipe", seconds=2.0)
    (life,) = lives.lives(take, ("rest", "swipe"), 30.0)
    time = np.arange(len(life.labels)) / 30
    assert (life.labels[time < 0.39] == 0).all()
    assert (life.labels[(time > 0.41) & (time < 1.6)] == 1).all()
    inside = (time > 0.41) & (time < 1.59)
    assert life.owed[inside][0] == 0
    assert life.owed[inside][-1] == 1
    assert (np.diff(life.owed[inside]) >= 0).all()


def test_between_two_takes_only_the_gesture_that_ended_is_wrong():
    both, unknown = streams.join([clip("swipe"), clip("nod")], np.random.default_rng(1))
    (life,) = lives.lives(both, ("rest", "nod", "swipe"), 30.0, unknown)
    time = np.arange(len(life.labels)) / 30
    between = (time > unknown[0][0]) & (time < unknown[0][1])
    assert between.any()
    assert (life.labels[between] == 2).all()
    assert (life.owed[between] == lives.OVER).all()
    assert (life.weight[between] == 1).all()


def loss(owed, *p):
    """The cost of these probabilities of rest, two gestures and not yet known which, while the second is meant."""
    import tensorflow as tf

    logits = np.log(np.array([[p]], np.float32))
    owed = np.full((1, 1), owed, np.float32)
    return float(
        losses.unsaid(tf, tf.constant(logits), np.array([[2]]), owed, np.ones((1, 1), np.float32), np.array([[0]]), 0)
    )


def test_what_is_over_may_be_anything_else():
    assert loss(lives.OVER, 0.98, 0.01, 0.005, 0.005) < 0.02
    assert loss(lives.OVER, 0.01, 0.98, 0.005, 0.005) < 0.02
    assert loss(lives.OVER, 0.01, 0.005, 0.98, 0.005) > 3


def test_while_a_gesture_is_early_one_may_be_undecided_and_not_at_rest():
    assert loss(0.0, 0.01, 0.01, 0.01, 0.97) < 0.03
    assert loss(0.0, 0.01, 0.01, 0.97, 0.01) < 0.03
    assert loss(0.0, 0.97, 0.01, 0.01, 0.01) > 3
    assert loss(1.0, 0.01, 0.01, 0.01, 0.97) > 3


def test_when_a_gesture_has_ended_one_may_rest_and_not_be_undecided():
    assert loss(lives.FADING, 0.97, 0.01, 0.01, 0.01) < 0.03
    assert loss(lives.FADING, 0.01, 0.01, 0.97, 0.01) < 0.03
    assert loss(lives.FADING, 0.01, 0.01, 0.01, 0.97) > 3


def test_a_hand_that_only_watches_owes_nothing():
    seen = []
    for t in np.arange(0, 2, 1 / 30):
        busy, still = hand(0, "right", (0.6 + 0.2 * np.sin(6 * t), 0.5)), hand(0, "left", (0.2, 0.5))
        seen.append(gestures.Observation(t, (busy, still)))
    take = gestures.Clip.of(seen, "ana", (gestures.Span("swipe", 0.3, 1.7),))
    left, right = lives.lives(take, ("rest", "swipe"), 30.0)
    assert not left.labels.any()
    assert right.labels.any()


def test_composing_keeps_every_take_and_its_truth():
    takes = small_set()
    composed = list(streams.compose(takes, streams.donors(takes), np.random.default_rng(0)))
    spans = [span.gesture for made, _ in composed for span in made.spans]
    assert sorted(spans) == sorted(span.gesture for take in takes.clips for span in take.spans)
    for made, unknown in composed:
        assert (np.diff(made.time) > 0).all()
        assert all(start < end for start, end in unknown) or not unknown


def test_a_session_of_many_gestures_keeps_them_however_it_is_varied():
    session = clip(seconds=12.0)
    marks = [(0.5, 1.5), (5.0, 6.0), (10.4, 11.4)]
    session = replace(session, spans=tuple(gestures.Span("swipe", *mark) for mark in marks))
    for seed in range(40):
        varied = augmentation.vary(session, np.random.default_rng(seed))
        assert len(varied.spans) == 3
        share = [(s.start - varied.time[0]) / varied.duration_s for s in varied.spans]
        assert np.allclose(share, [start / session.duration_s for start, _ in marks], atol=0.12)


def test_takes_that_are_varied_steadily_keep_their_pace_and_get_no_noise():
    still = gestures.Clip.of([gestures.Observation(t, (hand(0),)) for t in np.arange(0, 1, 1 / 30)], "ana")
    alone = [np.array([], np.int64)]
    for seed in range(3):
        rng = np.random.default_rng(seed)
        ((made, _),) = streams.compose(gestures.ClipSet((), (still,)), alone, rng, steady=True)
        np.testing.assert_allclose(made.time, still.time)
        assert np.ptp(made.image[:, 1], axis=0).max() < 1e-6
        assert np.abs(made.image[0, 1] - still.image[0, 1]).max() > 0.01
    moves = [n for n, name in enumerate(features.NAMES) if name.startswith("velocity_")]
    for steady in (True, False):
        shown = next(batches(gestures.ClipSet((), (still,)), ("rest",), Recipe(lanes=1, steady=steady), rng))
        assert (np.abs(shown.vectors[..., moves]).max() < 1e-4) == steady


@pytest.mark.parametrize("change", [augmentation.retime, augmentation.move, augmentation.jitter, augmentation.vary])
def test_variations_are_pure_seeded_and_still_clips(change):
    take = gestures.Clip.of(observations(), "ana", (gestures.Span("swipe", 0.5, 1.5),))
    before = [a.copy() for a in (take.time, take.image, take.world)]
    one, same, other = (change(take, np.random.default_rng(seed)) for seed in (1, 1, 2))
    for a, b in zip(before, (take.time, take.image, take.world), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one.image, same.image)
    assert one.image.shape != other.image.shape or not np.array_equal(one.image, other.image, equal_nan=True)
    assert one.image.dtype == np.float32
    assert 0 <= one.spans[0].start < one.spans[0].end <= one.time[-1] + 0.2


def test_a_mirror_swaps_sides_and_twins_and_is_its_own_inverse():
    take = gestures.Clip.of(observations(), "ana", (gestures.Span("swipe_left", 0.5, 1.5),))
    flipped = augmentation.mirror(take, {"swipe_left": "swipe_right"})
    assert flipped.spans[0].gesture == "swipe_right"
    np.testing.assert_array_equal(flipped.present, take.present[:, ::-1])
    again = augmentation.mirror(flipped, {"swipe_left": "swipe_right"})
    np.testing.assert_allclose(again.image, take.image, atol=1e-6)
    assert again.spans == take.spans


def test_people_are_held_out_not_takes():
    takes = small_set()
    learn, judge, how = holdout.hold_out(takes)
    assert not set(learn.people) & set(judge.people)
    assert len(learn.clips) + len(judge.clips) == len(takes.clips)
    assert judge.people[0] in how


def test_one_persons_set_is_split_by_take_with_a_warning():
    takes = small_set(("ana", "ana", "ana"))
    learn, judge, how = holdout.hold_out(takes)
    assert "by people learnt from" in how
    assert len(judge.clips) >= 3
    assert not {id(c) for c in learn.clips} & {id(c) for c in judge.clips}


@pytest.mark.parametrize(
    ("takes", "words"),
    [
        (gestures.ClipSet((), (moving("rest", "ana", 0),)), "no gesture"),
        (gestures.ClipSet(("go",), (moving("go", "ana", 0), moving("go", "ana", 1))), "one gesture only"),
        (gestures.ClipSet(("go", "nod"), (moving("go", "ana", 0), moving("nod", "ana", 1))), "has 1 take"),
    ],
)
def test_what_cannot_teach_is_refused(takes, words):
    with pytest.raises(gestures.TrainingError, match=words):
        training.train(takes)


@pytest.fixture(scope="module")
def taught():
    from gestures.teaching import teach

    told = []
    made = teach(small_set(), Recipe(steps=150, units=(32,)), lambda *args: told.append(args))
    return made, told


def test_a_net_learns_and_is_judged_on_people_it_never_met(taught):
    made, told = taught
    assert {part for part, *_ in told} == {"learning", "judging", "revising"}
    learning = [loss for part, _, _, loss in told if part == "learning"]
    assert learning[-1] < learning[0] / 2
    assert made.report.video_accuracy >= 0.7
    assert len(made.report.people) == 1


def test_levels_are_fitted_on_what_other_cameras_would_see_as_well(monkeypatch):
    """And the report is of the recordings as they are."""
    fitted = []
    monkeypatch.setattr(
        teaching,
        "fit_rules",
        lambda replays, labels, times: fitted.append((replays, times)) or gestures.DecisionRules(),
    )
    takes = small_set(("ana", "bo"))
    streams = replace(takes, clips=tuple(replace(c, spans=c.spans + c.spans) for c in takes.clips))
    made = teaching.teach(streams, Recipe(steps=1, units=(4,)), revise=False)
    [(replays, times)] = fitted
    assert len(replays) == times * made.report.videos
    assert times == 1 + len(TELLING)
    pictures = {len(each.clip.time) for each in replays}
    assert min(pictures) < 0.5 * max(pictures)  # 10 a second for 25
    # Takes of one gesture each, and long streams, say enough as they are.
    teaching.teach(takes, Recipe(steps=1, units=(4,)), revise=False)
    monkeypatch.setattr(teaching, "ENOUGH_S", 1.0)
    teaching.teach(streams, Recipe(steps=1, units=(4,)), revise=False)
    assert [(len(replays), times) for replays, times in fitted[1:]] == [(made.report.videos, 1)] * 2


def test_a_taught_model_recognises_a_new_take_after_the_disk(taught, tmp_path):
    made, _ = taught
    made.save(tmp_path / "m", "test")
    again = gestures.load(tmp_path / "m")
    card = (tmp_path / "m" / "README.md").read_text()
    assert "go, nod" in card
    said = []
    for gesture in ("go", "nod", "rest"):
        recognizer = gestures.Recognizer(again)
        seen = moving(gesture, "eve", 99).observations()
        said.append([e.gesture for o in seen for e in recognizer.push(o) if e.phase == "began"])
    assert said == [["go"], ["nod"], []]


def test_the_same_seed_teaches_the_same():
    takes, recipe = small_set(("ana", "bo")), Recipe(steps=5, units=(8,), seed=4)
    one, two = (training.train(takes, recipe).network.sequence.get_weights() for _ in range(2))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def broken_off(takes, recipe, folder, at):
    """A training that is ended by its user after `at` steps."""

    def stop(step, *_):
        if step > at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train(takes, recipe, stop, keep=folder)


def told_by(takes, recipe, folder):
    """At which steps a training reports, and what comes of it."""
    told = []
    made = training.train(takes, recipe, lambda step, *_: told.append(step), keep=folder)
    return told, made.network.sequence.get_weights()


def test_a_training_that_was_broken_off_goes_on_where_it_stood(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)
    takes, recipe = small_set(("ana", "bo")), Recipe(steps=6, units=(8,), seed=4)
    broken_off(takes, recipe, tmp_path, 4)
    told, weights = told_by(takes, recipe, tmp_path)
    assert told == [5, 6]
    again, same = told_by(takes, recipe, tmp_path)
    assert again == []  # this part was over: the next one may have been broken off
    for one, other in zip(weights, same, strict=True):
        np.testing.assert_array_equal(one, other)
    assert told_by(takes, replace(recipe, learning_rate=0.01), tmp_path)[0][0] == 1
    assert told_by(small_set(("ana", "cy")), recipe, tmp_path)[0][0] == 1


@pytest.mark.parametrize("harm", [lambda content: content[:500], lambda _: b"", lambda content: b"x" + content])
def test_a_broken_note_of_where_a_training_stood_counts_as_none(tmp_path, harm):
    takes, recipe = small_set(("ana", "bo")), Recipe(steps=2, units=(8,), seed=4)
    assert told_by(takes, recipe, tmp_path)[0] == [1, 2]
    (path,) = tmp_path.iterdir()
    path.write_bytes(harm(path.read_bytes()))
    assert told_by(takes, recipe, tmp_path)[0] == [1, 2]


def test_the_net_learns_to_look_ahead_with_no_label(taught):
    """Better than the velocity it begins with, on a person it never met; and told by the model's manifest."""
    made, _ = taught
    assert made.model.manifest.horizons_s == HORIZONS_S
    velocity_s = 0.12 * (1 - np.exp(-0.2 / 0.12))
    missed = []
    for gesture in ("go", "nod"):
        follower = Follower(made.model)
        seen = list(moving(gesture, "eve", 97).observations())
        for now, later in zip(seen, seen[5:], strict=False):
            follower.push(now)
            line, truth = follower._lines[0], later.hands[0].image[:, :2]
            way = velocity_s * line.motion(4 / 3)[: POINTS * 3].reshape(POINTS, 3)
            coasting = ahead(line.sights[-1][1], 4 / 3, way, left=False)
            missed.append([np.abs(each[:, :2] - truth).mean() for each in (follower.forecast(0.2)[0], coasting)])
    forecast, velocity = np.mean(missed, 0)
    assert forecast < 0.9 * velocity


def test_the_memory_is_taught_beforehand_without_labels():
    """Only the memory and the forecast learn: what the clips mean is not looked at."""
    takes, recipe = small_set(("ana", "bo")), Recipe(steps=4, units=(8,))
    network = training.pretrain(takes.clips, takes, recipe)
    assert not np.any(network.both.get_layer("scores").bias)
    assert np.any(network.both.get_layer("forecast_moved").kernel)
    born = chrono_biases(8, LONGEST_S * recipe.rate_hz, np.random.default_rng(recipe.seed))
    assert np.abs(np.asarray(network.both.get_layer("over_time0").cell.bias) - born).max() > 1e-4
    taught = training.train(takes, replace(recipe, steps=1), network=network)
    assert taught.model.manifest.labels == ("rest", "go", "nod")
    with pytest.raises(gestures.TrainingError, match="no recording shows a hand"):
        training.pretrain([gestures.Clip.of([gestures.Observation(0.0)], "ana")], takes, recipe)


@pytest.mark.parametrize(
    ("gestures_", "takes", "seconds", "two_step", "steps"),
    [
        (5, 20, 1.6, False, 600),  # a user's set, learnt within a minute
        (5, 20, 2.4, False, 600),  # visits ask for 703
        (5, 20, 3.5, False, 981),  # and here for 1,025
        (5, 20, 4.1, False, 1201),
        (2, 3, 1.6, False, 600),
        (3, 90, 1.6, False, 1265),  # visits ask for more
        (3, 90, 0.8, False, 1200),  # many short takes
        (8, 3, 1.6, False, 960),
        (10, 9, 1.6, False, 1200),
        (18, 20, 1.0, False, 1200),
        (36, 20, 1.0, False, 4218),  # twice as many to tell apart: each is visited twice as often
        (2, 3, 1.6, True, 1200),
        (5, 20, 60.0, False, 4500),
        (45, 10, 60.0, False, 11250),
    ],
)
def test_a_set_is_learnt_as_long_as_its_gestures_takes_and_visits_need(gestures_, takes, seconds, two_step, steps):
    labels = tuple(f"g{n}" for n in range(gestures_))
    take = gestures.Clip.of([gestures.Observation(t, ()) for t in (0.0, seconds)], "ana")
    pairs = {"both": (labels[0], labels[1])} if two_step else {}
    whole = gestures.ClipSet(labels, (take,) * (gestures_ * takes), sequences=pairs)
    assert steps_for(whole) == steps


def test_the_data_hash_knows_every_change():
    takes = small_set(("ana",))
    assert training.digest(takes) == training.digest(small_set(("ana",)))
    assert training.digest(takes) != training.digest(takes.only(lambda c: c is not takes.clips[0]))


def test_nobody_is_held_out_without_whom_a_gesture_could_not_be_learnt():
    takes = small_set()
    only_di_rests = takes.only(lambda clip: clip.spans != () or clip.person == "di")
    single = gestures.ClipSet(
        ("go",), tuple(c for c in only_di_rests.clips if not c.spans or c.spans[0].gesture == "go")
    )
    for seed in range(10):
        learn, judge, _ = holdout.hold_out(single, seed=seed)
        assert any(not clip.spans for clip in learn.clips)
        assert judge.clips


def test_a_set_in_which_nobody_shows_a_hand_is_refused_not_waited_for():
    blank = gestures.Clip.of([gestures.Observation(t / 30) for t in range(30)], "ana", (gestures.Span("go", 0.1, 0.9),))
    with pytest.raises(gestures.TrainingError, match="no recording shows a hand"):
        training.train(gestures.ClipSet(("go",), (blank, blank, gestures.Clip.of(blank.observations(), "ana"))))


def test_whoever_only_idles_is_never_all_that_is_judged_on():
    takes = [moving(g, "ana", n) for g in ("go", "nod") for n in range(6)]
    idle = [moving("rest", "me", n) for n in range(4)]
    for seed in range(10):
        learn, judge, _ = holdout.hold_out(gestures.ClipSet(("go", "nod"), (*takes, *idle)), seed=seed)
        assert any(clip.spans for clip in judge.clips)
        assert {clip.spans[0].gesture for clip in learn.clips if clip.spans} == {"go", "nod"}


def test_two_takes_a_gesture_are_too_few_however_much_rest_there_is():
    from gestures.teaching import teach

    takes = [moving(g, "ana", n) for g, count in (("go", 2), ("nod", 2), ("rest", 6)) for n in range(count)]
    with pytest.raises(gestures.TrainingError, match="three times or more"):
        teach(gestures.ClipSet(("go", "nod"), tuple(takes)), Recipe(steps=1))


def flat(take):
    """The take with hands whose joints all lie in one point: nobody's."""
    return replace(take, world=take.world * 0)


def test_hands_that_nobody_can_have_are_refused_not_waited_for():
    takes = gestures.ClipSet(("go", "nod"), tuple(flat(clip) for clip in small_set().clips))
    with pytest.raises(gestures.TrainingError, match="no recording shows a hand that can be followed"):
        training.train(takes, Recipe(steps=1))


def test_a_set_that_cannot_teach_is_refused_before_anything_is_watched():
    told = []
    with pytest.raises(gestures.TrainingError, match="no gesture"):
        training.pretrain(small_set().clips, gestures.ClipSet((), ()), Recipe(steps=1), lambda *it: told.append(it))
    assert told == []


def test_what_never_changed_in_training_changes_nothing_live(taught):
    """Learnt from right hands alone, a model is not put out by a left hand lying still in the picture."""
    made, _ = taught
    said = []
    for gesture in ("go", "nod", "rest"):
        recognizer = gestures.Recognizer(made.model)
        for seen in moving(gesture, "eve", 98).observations():
            with_left = gestures.Observation(seen.time, (*seen.hands, hand(0, "left", (0.1, 0.8))))
            said += [e.gesture for e in recognizer.push(with_left) if e.phase == "began" and e.side == "right"]
    assert said == ["go", "nod"]


def test_takes_of_pictures_of_another_shape_are_joined_as_the_hands_were():
    wide = gestures.Clip.of(
        [gestures.Observation(t, (hand(t, aspect=16 / 9),)) for t in np.arange(0, 1, 1 / 30)], "ana"
    )
    (one,) = lives.lives(wide, ("rest",), 30.0)
    (other,) = lives.lives(streams.reframe(wide, 4 / 3), ("rest",), 30.0)
    np.testing.assert_allclose(one.vectors, other.vectors, atol=1e-4)
    joined, _ = streams.join([clip("swipe"), wide], np.random.default_rng(0))
    assert joined.aspect == pytest.approx(4 / 3)


def test_a_gesture_whose_twin_is_not_in_the_set_is_not_mirrored():
    takes = gestures.ClipSet(("go", "nod"), small_set().clips, (), {"go": "come"})
    for seed in range(3):
        composed = list(streams.compose(takes, streams.donors(takes), np.random.default_rng(seed)))
        assert {span.gesture for made, _ in composed for span in made.spans} == {"go", "nod"}


def test_hands_are_lent_only_where_the_shape_tells_gestures_nothing():
    def take(gesture, person, fingers):
        seen = []
        for t in np.arange(0, 1, 1 / 30):
            made = hand(0, "right", (0.5 + 0.1 * t, 0.5))
            world = made.world * np.array([1, fingers, 1], np.float32)
            seen.append(gestures.Observation(t, (replace(made, world=world),)))
        return gestures.Clip.of(seen, person, (gestures.Span(gesture, 0.1, 0.9),))

    rng = np.random.default_rng(0)
    people = [f"p{n}" for n in range(12)]
    same = [take(g, p, 1 + rng.normal(0, 0.1)) for g in ("a", "b") for p in people]
    told = [take("c", p, 1.8 + rng.normal(0, 0.1)) for p in people]
    lenders = streams.donors(gestures.ClipSet(("a", "b", "c"), (*same, *told)))
    assert set(lenders[0]) == set(range(24))
    assert set(lenders[-1]) == set(range(24, 36))
