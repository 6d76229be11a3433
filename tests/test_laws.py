"""Every stateful thing x every law."""

import copy
import tracemalloc

import numpy as np
import pytest
from conftest import LABELS, hand, observations
from hypothesis import given
from hypothesis import strategies as st

import gestures
from gestures import features
from gestures.decisions import Decisions
from gestures.recognizer import Follower
from gestures.tracks import Tracker

RULES = gestures.DecisionRules(on=0.4, off=0.3, hold_s=0.05, rest_s=0.1)


class TrackerMachine:
    """Each machine: a new one, a value in, something comparable out."""

    def new(self, _model):
        tracker = Tracker()
        return lambda seen: [(n, h.side, h.image.tolist()) for n, h in tracker.update(seen)[0].items()]

    def inputs(self):
        return observations()


class FeatureMachine:
    def new(self, _model):
        stream = features.FeatureStream()
        return lambda seen: [(t, v.tolist()) for t, v in stream.push(seen.time, *seen.hands)]

    def inputs(self):
        return observations(rate_hz=23.0)


class FollowerMachine:
    def new(self, model):
        follower = Follower(model)
        return lambda seen: [(s.time, s.hand, s.side, s.probabilities.tolist()) for s in follower.push(seen)[0]]

    def inputs(self):
        return observations(rate_hz=17.0)


class RecognizerMachine:
    def new(self, model):
        recognizer = gestures.Recognizer(model, RULES)
        return lambda seen: (
            recognizer.push(seen) + [(n, s.probabilities.tolist()) for n, s in recognizer.scores.items()]
        )

    def inputs(self):
        return observations()


class ForecastMachine:
    def new(self, model):
        recognizer = gestures.Recognizer(model, RULES)

        def step(seen):
            recognizer.push(seen)
            # Asked twice: to be asked must change nothing.
            return [(n, joints.tolist()) for _ in "12" for n, joints in recognizer.forecast(0.15).items()]

        return step

    def inputs(self):
        return observations(rate_hz=21.0)


class DecisionsMachine:
    def new(self, _model):
        decisions = Decisions(LABELS, RULES)
        return lambda scores: decisions.push([scores], [], scores.time)

    def inputs(self):
        rng = np.random.default_rng(5)
        p = rng.dirichlet((0.3, 0.3, 0.3), 200).astype(np.float32)
        return [gestures.Scores(n / 30, row) for n, row in enumerate(np.repeat(p, 5, 0))]


MACHINES = [
    TrackerMachine(),
    FeatureMachine(),
    FollowerMachine(),
    RecognizerMachine(),
    ForecastMachine(),
    DecisionsMachine(),
]
every_machine = pytest.mark.parametrize("machine", MACHINES, ids=lambda m: type(m).__name__)


def run(step, inputs):
    return [step(value) for value in inputs]


@every_machine
def test_same_input_same_output(machine, tiny):
    assert run(machine.new(tiny), machine.inputs()) == run(machine.new(tiny), machine.inputs())


@every_machine
def test_the_future_changes_no_past_output(machine, tiny):
    inputs = machine.inputs()
    whole, part = run(machine.new(tiny), inputs), run(machine.new(tiny), inputs[: len(inputs) // 2])
    assert whole[: len(part)] == part


@every_machine
def test_something_comes_out(machine, tiny):
    assert sum(bool(out) for out in run(machine.new(tiny), machine.inputs())) > 5


@every_machine
def test_the_input_is_neither_changed_nor_kept(machine, tiny):
    inputs = machine.inputs()
    expected = run(machine.new(tiny), inputs)
    step, spoilt = machine.new(tiny), []
    for value in copy.deepcopy(inputs):
        spoilt.append(step(value))
        for array in arrays(value):
            array.fill(7.0)
    assert spoilt == expected
    assert run(machine.new(tiny), inputs) == expected


def arrays(value):
    if isinstance(value, gestures.Scores):
        return [value.probabilities]
    return [array for each in value.hands for array in (each.image, each.world)]


@pytest.mark.parametrize("make", [gestures.Recognizer, Follower], ids=["recognizer", "follower"])
@pytest.mark.parametrize("time", [1.0, 0.5, 0.0])
def test_time_must_rise_and_a_refused_observation_leaves_no_trace(make, time, tiny):
    seen = observations(1.0) + observations(1.0, start=1.2)
    clean, disturbed = make(tiny), make(tiny)
    expected = [repr(clean.push(o)) for o in seen]
    actual, last = [], 0.0
    for o in seen:
        if o.time >= 1.2:
            with pytest.raises(gestures.InputError, match="time must rise"):
                disturbed.push(gestures.Observation(min(time, last), o.hands))
        actual.append(repr(disturbed.push(o)))
        last = o.time
    assert actual == expected


def test_zero_is_a_time_like_any_other(tiny):
    recognizer = gestures.Recognizer(tiny)
    recognizer.push(gestures.Observation(0.0))
    with pytest.raises(gestures.InputError, match="time must rise"):
        recognizer.push(gestures.Observation(0.0))


def test_reset_is_as_new(tiny):
    used, new = gestures.Recognizer(tiny, RULES), gestures.Recognizer(tiny, RULES)
    run(used.push, observations(3.0, start=5.0))
    used.reset()
    assert used.forecast(0.1) == {}
    assert run(used.push, observations()) == run(new.push, observations())
    assert {n: p.tolist() for n, p in used.forecast(0.1).items()} == {
        n: p.tolist() for n, p in new.forecast(0.1).items()
    }
    assert {n: s.probabilities.tolist() for n, s in used.scores.items()} == {
        n: s.probabilities.tolist() for n, s in new.scores.items()
    }


def test_an_hour_needs_no_more_memory_than_a_minute(tiny):
    """Hands come and go; what is remembered of those gone is forgotten."""

    def minute(recognizer, start):
        for seen in observations(4.0, 15.0, start):
            recognizer.push(seen)
        return start + 5

    recognizer, start = gestures.Recognizer(tiny, RULES), 0.0
    for _ in range(5):
        start = minute(recognizer, start)
    tracemalloc.start()
    start = minute(recognizer, start)
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(10):
        start = minute(recognizer, start)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 10_000


def test_finish_ends_every_event_and_forgets(tiny):
    recognizer = gestures.Recognizer(tiny, RULES)
    events = [event for out in run(recognizer.push, observations()) for event in out] + recognizer.finish()
    assert events
    assert sum(e.phase == "began" for e in events) == sum(e.phase == "ended" for e in events)
    assert recognizer.scores == {}
    assert recognizer.finish() == []


def test_memory_is_a_value(tiny):
    rng = np.random.default_rng(6)
    vectors = rng.normal(size=(30, features.SIZE)).astype(np.float32)
    memory = tiny.begin()
    for vector in vectors[:15]:
        _, memory = tiny.step(vector, memory)
    kept = copy.deepcopy(memory)
    first = [tiny.step(vector, memory)[0] for vector in vectors[15:]]
    for a, b in zip(memory, kept, strict=True):
        np.testing.assert_array_equal(a, b)
    assert [tiny.step(vector, kept)[0].tolist() for vector in vectors[15:]] == [p.tolist() for p in first]


def test_each_hand_has_a_memory_of_its_own(tiny):
    """Another person's hand far away changes nothing for this one, unless it is the partner."""
    alone = gestures.Recognizer(tiny, RULES)
    crowded = gestures.Recognizer(tiny, RULES)
    for t in np.arange(0, 2, 1 / 30):
        own, other = hand(t, "right", (0.3, 0.5), 0.1), hand(t + 2, "right", (0.85, 0.5), 0.1)
        alone.push(gestures.Observation(t, (own,)))
        crowded.push(gestures.Observation(t, (other, own)))
    mine = alone.scores[0].probabilities
    assert len(crowded.scores) == 2
    assert any(np.array_equal(scores.probabilities, mine) for scores in crowded.scores.values())


@given(st.lists(st.sampled_from([1 / 60, 1 / 30, 1 / 24, 1 / 12, 0.2]), min_size=5, max_size=60))
def test_features_come_at_the_models_rate_whatever_the_camera_does(steps):
    times = np.concatenate([[3.0], 3.0 + np.cumsum(steps)])
    stream = features.FeatureStream(30.0)
    ticks = [t for time in times for t, _ in stream.push(float(time), hand(time))]
    np.testing.assert_allclose(np.diff(ticks), 1 / 30, atol=1e-9)
    assert ticks[0] == 3.0
    assert times[-1] - 1 / 30 - 1e-6 <= ticks[-1] <= times[-1] + 1e-6


@given(st.integers(1, 50), st.integers(0, 1000))
def test_chunking_is_irrelevant_to_features(chunk, seed):
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.01, 0.09, 50))
    hands = [hand(t) for t in times]
    rows = np.stack([features.raw(h, None) for h in hands])
    one = features.FeatureStream()
    expected = np.array([v for t, h in zip(times, hands, strict=True) for _, v in one.push(float(t), h)])
    many = features.FeatureStream()
    parts = [many.push_many(times[i : i + chunk], rows[i : i + chunk], False)[1] for i in range(0, 50, chunk)]
    # Sums of many rows at once may round otherwise than of one; speeds multiply that by the rate.
    np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-4)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=200))
def test_events_alternate_for_any_scores(pairs):
    decisions, events = Decisions(LABELS, RULES), []
    for n, (a, b) in enumerate(pairs):
        p = np.array([a, b * (1 - a), (1 - a) * (1 - b)], np.float32)
        events += decisions.push([gestures.Scores(n / 30, p)], [], n / 30)
    events += decisions.finish(len(pairs) / 30)
    assert [e.phase for e in events] == ["began", "ended"] * (len(events) // 2)
    assert all(e.started <= e.time for e in events)


def test_the_wildest_hand_allowed_does_not_flood_the_memory(tiny):
    recognizer, rng = gestures.Recognizer(tiny), np.random.default_rng(9)
    for t in np.arange(0, 2, 1 / 30):
        # As far out, as small and as strewn about as what `tracks.possible` lets in.
        image, world = 0.5 + rng.choice([0.005, 2.9]) * rng.uniform(-1, 1, (21, 3)), rng.uniform(-0.12, 0.12, (21, 3))
        wildest = gestures.Hand(image.astype(np.float32), world.astype(np.float32), "right", 1.0)
        recognizer.push(gestures.Observation(t, (wildest,)))
    for line in recognizer._follower._lines.values():
        assert all(np.abs(part).max() < 1e3 for part in line.memory)
    assert recognizer.scores
    assert all(np.isfinite(scores.probabilities).all() for scores in recognizer.scores.values())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_a_number_that_is_none_never_becomes_a_hand(bad):
    good = hand()
    image = good.image.copy()
    image[3, 1] = bad
    with pytest.raises(gestures.InputError, match="finite"):
        gestures.Hand(image, good.world, "right", 1.0)
    if not np.isfinite(bad):
        with pytest.raises(gestures.InputError, match="finite"):
            gestures.Observation(bad)


def test_a_picture_of_another_shape_is_refused(tiny):
    recognizer = gestures.Recognizer(tiny)
    recognizer.push(gestures.Observation(0.0, (hand(aspect=4 / 3),)))
    with pytest.raises(gestures.InputError, match="width / height changed"):
        recognizer.push(gestures.Observation(0.1, (hand(aspect=16 / 9),)))
    recognizer.push(gestures.Observation(0.1, (hand(aspect=4 / 3),)))
