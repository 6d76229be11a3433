"""Each event and each near miss is accounted for, and by what happened; the pictures are there."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import LABELS, hand, observations
from matplotlib.figure import Figure
from test_camera import write_video

import gestures
from gestures import explanation, gates, importing, model, timeline
from gestures.decisions import Decisions
from gestures.network import save
from gestures.trace import Trace


@pytest.fixture(scope="module")
def weights(network, exported, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    save(network, exported[0], exported[2], "# tiny\n", folder)
    return gates.read_weights(folder, model.load(folder))


@pytest.fixture(scope="module")
def explained(tiny, weights):
    return explanation.explain(tiny, weights, gestures.Clip.of(observations(6), "ana"))


def line(p, rate_hz=30.0):
    """A hand whose scores of the first gesture are `p`, the rest at rest."""
    p = np.array(p, np.float32)
    said = np.stack([1 - p, p, np.zeros_like(p)], 1)
    inside = gates.Passage(np.full_like(said, 1 / 3), *(np.zeros((len(p), 4), np.float32),) * 3)
    vectors = np.zeros((len(p), 108), np.float32)
    lost = np.zeros((len(explanation.LAGS), len(p)), np.float32)
    return explanation.Line(0, "right", np.arange(len(p)) / rate_hz, vectors, said, inside, lost)


def near(p, events=(), **rules):
    told = explanation._near_misses(line(p), events, 1, LABELS, gestures.DecisionRules(**rules))
    return [words for _, words in told]


def fired(p, **rules):
    """Why the one event began that is decided on these scores, before the hand goes away."""
    one, held = line(p), gestures.DecisionRules(**rules)
    decisions = Decisions(LABELS, held)
    scores = [gestures.Scores(t, said, 0, "right") for t, said in zip(one.times.tolist(), one.said, strict=True)]
    events = [event for each in scores for event in decisions.push([each], [], each.time)]
    (began,) = (each for each in events + decisions.finish(scores[-1].time + 0.5) if each.phase == "began")
    return explanation._fired(one, began, LABELS, held, 30.0)


def test_every_event_has_its_moment(explained, tiny):
    recognizer = gestures.Recognizer(tiny)
    events = [event for seen in observations(6) for event in recognizer.push(seen)] + recognizer.finish()
    assert list(explained.events) == events
    began = [(event.time, event.gesture) for event in events if event.phase == "began"]
    assert began
    fired = [moment for moment in explained.moments if moment.fired]
    assert sorted((moment.time, moment.gesture) for moment in fired) == sorted(began)
    for moment in explained.moments:
        assert sum(share for _, share in moment.parts) == pytest.approx(1)
        assert moment.joints.sum() == pytest.approx(1)
        assert moment.joints.shape == (21,)
        assert re.search(rf"{moment.gesture} .*{moment.time:.2f} s", moment.words), moment.words


def test_what_the_network_read_is_what_was_decided_on(explained):
    """Gathered evidence leaves alone how likely any gesture is, so the scores and the network's answer agree there."""
    for line in explained.lines:
        classes = line.said.shape[1]
        np.testing.assert_allclose(line.inside.probabilities[:, 1:classes].sum(1), 1 - line.said[:, 0], atol=1e-4)


def test_a_near_miss_is_told_by_what_was_missing():
    low = [0.0] * 10
    assert near([*low, 0.3, *low]) == []
    (words,) = near([*low, 0.5, 0.6, 0.5, *low])
    assert "it reached 0.60, 0.80 are asked for; rest had 0.40" in words
    (words,) = near([*low, 0.9, 0.9, 0.9, *low])
    assert "stood at or above 0.80 for 0.07 s, 0.10 s are asked for" in words
    (words,) = near([*low, *[0.9] * 6, *low], per_gesture=(("swipe", 0.8, 0.3),))
    assert "for 0.17 s, 0.30 s are asked for" in words
    high = [*low, *[0.9] * 6, *low]
    other = gestures.Event("wave", "began", 0.1, 0.1, 0, "right", 0.9)
    ended = gestures.Event("wave", "ended", 0.3, 0.1, 0, "right", 0.9)
    assert "wave was still going on" in near(high, [other])[0]
    assert re.search("wave had ended 0.0. s before, 0.20 s of rest", near(high, [other, ended])[0])
    assert "the other hand had told it" in near(high)[0]
    own = gestures.Event("swipe", "began", 0.45, 0.4, 0, "right", 0.9)
    assert near(high, [own]) == [], "it did begin"


def test_an_event_is_told_by_the_rule_it_began_by():
    low = [0.0] * 10
    held = fired([*low, *[0.9] * 6, *low], hold_s=0.1)
    assert "at or above 0.80 since 0.33 s (0.10 s are asked for), then 0.90" in held
    for last in ([0.6], [0.9], [0.9] * 3):  # unsure, sure, and sure for a while that is too short
        assert f"its hand went away with {last[-1]:.2f}" in fired([*low, *last], hold_s=0.1, leaving=0.5)
    assert "since 0.33 s" in fired([*low, *[0.9] * 4], hold_s=0.1, leaving=0.5)
    own = (("swipe", 0.8, 0.2),)
    assert "(0.20 s are asked for)" in fired([*low, *[0.9] * 9, *low], hold_s=0.1, per_gesture=own)
    assert "its hand went away" in fired([*low, *[0.9] * 5], hold_s=0.1, leaving=0.5, per_gesture=own)
    behind_rest = [0.4] * 10
    assert "its hand went away" in fired([*behind_rest, *[0.9] * 3], on=0.35, off=0.2, hold_s=0.1, leaving=0.5)


def test_the_reach_is_the_shortest_memory_from_which_on_the_answer_stays():
    assert explanation.reach(np.array([0.9, 0.05, 0.2, 0.09, 0, 0, 0, 0])) == 8
    assert explanation.reach(np.full(8, 0.5)) is None
    assert explanation.reach(np.zeros(8)) == 1


def test_a_gesture_that_was_meant_and_not_seen_is_told(weights):
    spans = (gestures.Span("swipe", 0.2, 0.8), gestures.Span("swipe", 5.0, 6.0))
    one = line([*[0.05] * 10, 0.1, 0.3, 0.1, *[0.05] * 20])
    (moment,) = explanation._silent(weights, [one], spans, [], [], LABELS)
    assert (
        "swipe was meant from 0.20 to 0.80 s and not seen: at its best, at 0.37 s, it had 0.30, rest 0.70"
        in moment.words
    )
    assert not moment.fired
    event = gestures.Event("swipe", "began", 0.7, 0.4, 0, "right", 0.9)
    assert explanation._silent(weights, [one], spans, [event], [], LABELS) == []


def test_features_are_shared_out_to_what_people_see():
    spoke = np.zeros(len(explanation.NAMES), np.float32)
    spoke[explanation.NAMES.index("distance_4_8")] = 3
    spoke[explanation.NAMES.index("moved_0.25_log_unit")] = 1
    parts, joints = explanation._shares(spoke)
    assert dict(parts) == pytest.approx(
        {"the thumb": 0.375, "the index finger": 0.375, "its way towards the camera or from it": 0.25}
        | {name: 0 for name, share in parts if share == 0}
    )
    assert joints[4] == joints[8] == joints.max()


def test_a_trace_is_explained_as_it_was_lived(tiny, weights, explained, tmp_path):
    with Trace(tmp_path / "trace.npz") as trace:
        assert all(trace.push(seen) is seen for seen in observations(6))
    told = explanation.explain(tiny, weights, gestures.load_clip(tmp_path / "trace.npz"))
    assert [moment.words for moment in told.moments] == [moment.words for moment in explained.moments]


@pytest.mark.parametrize("name", ["trace", "folder.npz"])
def test_a_trace_that_could_not_be_explained_is_refused_before_the_session(tmp_path, name):
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(gestures.ClipError, match=r"is no name for a trace: end it in \.npz"):
        Trace(tmp_path / name)


def test_a_trace_is_bounded_and_silent_when_off(tmp_path):
    with Trace(None) as off, Trace(tmp_path / "trace.npz") as on:
        for time in np.arange(0, 900, 1.0):
            off.push(gestures.Observation(float(time)))
            on.push(gestures.Observation(float(time)))
    assert [path.name for path in tmp_path.iterdir()] == ["trace.npz"]
    assert gestures.load_clip(tmp_path / "trace.npz").time.tolist() == list(range(599, 900))


def test_a_trace_holds_pictures_of_one_shape(tmp_path):
    with Trace(tmp_path / "trace.npz") as trace:
        trace.push(gestures.Observation(0.0, (hand(aspect=4 / 3),)))
        trace.push(gestures.Observation(1.0, (hand(aspect=16 / 9),)))
    kept = gestures.load_clip(tmp_path / "trace.npz")
    assert (kept.aspect, kept.time.tolist()) == (pytest.approx(16 / 9), [1.0])


def test_too_long_a_clip_is_refused(tiny, weights):
    seen = [gestures.Observation(t) for t in (0.0, 301.0)]
    with pytest.raises(gestures.GesturesError, match="301 s, 300 at most"):
        explanation.explain(tiny, weights, gestures.Clip.of(seen, "ana"))


def test_of_too_long_a_video_no_more_is_watched_than_it_takes_to_know(tmp_path, monkeypatch):
    watched = []

    def see(_, frame):
        watched.append(frame.time)
        return gestures.Observation(frame.time)

    monkeypatch.setattr(importing.Landmarker, "see", see)
    with pytest.raises(gestures.ClipError, match=r"is longer than 1 s: cut it"):
        importing.watch(write_video(tmp_path / "a.mp4", frames=90), "ana", longest_s=1.0)
    assert watched[-1] <= 1.0


def test_a_gesture_with_a_level_of_its_own_is_drawn_with_it(explained):
    rules = gestures.DecisionRules(0.9, 0.2, per_gesture=((LABELS[1], 0.7, 0.1),))
    axes = Figure().subplots()
    timeline._scores(axes, replace(explained, rules=rules), line([0.0, 0.8, 0.0]), slice(None), [])
    curve = next(each for each in axes.lines if each.get_label() == LABELS[1])
    levels = [(each.get_ydata()[0], each.get_color()) for each in axes.lines if each.get_linestyle() == "--"]
    assert levels == [(0.9, "k"), (0.7, curve.get_color())]


def test_a_mark_stands_at_its_time(explained):
    hand = line([0.0] * 12)
    moments = [
        explanation.Moment(float(hand.times[tick]), hand.hand, LABELS[1], fired, "", (), np.zeros(21, np.float32))
        for tick, fired in ((3, True), (10, False))
    ]
    axes = Figure().subplots()
    timeline._scores(axes, explained, hand, slice(None), moments)
    marks = [each.get_xdata()[0] for each in axes.lines if each.get_marker() in ("v", "o")]
    assert marks == [moment.time for moment in moments]
    # A name at the end of the picture stands before its mark: behind it is the legend.
    assert [name.get_ha() for name in axes.texts if name.get_text() == LABELS[1].replace("_", " ")] == ["left", "right"]


def test_pictures_are_drawn(explained, tmp_path):
    paths = timeline.draw(explained, tmp_path, "hands")
    assert paths
    assert sorted(paths) == sorted(tmp_path.iterdir())
    for path in paths:
        assert Path(path).read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size > 20_000
