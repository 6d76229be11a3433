"""Mistakes become takes: the right seconds, the right label, once each."""

import pytest
from conftest import demo_until
from test_cutting import played

import gestures
from gestures.cli import main
from gestures.clips import Recorded
from gestures.correcting import Corrector

MOVES = [(2.0, 2.6)]


def event(phase, time, started):
    return gestures.Event("swipe", phase, time, started, 0, "right", 0.9)


def corrector(into, seen, events=(), idle=False):
    made = Corrector(into, "ana", Recorded("test"), idle)
    paths, waiting = [], list(events)
    for each in seen:
        due = [e for e in waiting if e.time <= each.time]
        waiting = waiting[len(due) :]
        paths.append(made.push(each, due))
    return made, [path for path in paths if path is not None]


def test_what_was_wrong_is_kept_as_rest_with_what_led_to_it(tmp_path):
    made, _ = corrector(tmp_path, played(MOVES, 3.0), [event("began", 2.5, 2.1)])
    take = gestures.load_clip(made.wrong())
    assert take.spans == ()
    assert take.time[0] == pytest.approx(2.1 - 0.7, abs=0.05)
    assert take.time[-1] > 2.9
    assert take.recorded.by == "test"
    assert [path.parent.name for path in tmp_path.glob("*/*.npz")] == ["rest"]


def test_one_mistake_is_corrected_once(tmp_path):
    made, _ = corrector(tmp_path, played(MOVES, 3.0), [event("began", 2.5, 2.1)])
    made.wrong()
    with pytest.raises(gestures.ClipError, match="nothing was recognised"):
        made.wrong()


def test_an_event_long_past_is_not_meant(tmp_path):
    made, _ = corrector(tmp_path, played(MOVES, 12.0), [event("began", 2.5, 2.1), event("ended", 3.0, 2.1)])
    with pytest.raises(gestures.ClipError, match="nothing was recognised"):
        made.wrong()
    assert len(made._seen) < 200


def test_what_was_missed_is_kept_where_the_hand_moved(tmp_path):
    made, _ = corrector(tmp_path, played(MOVES, 4.0))
    take = gestures.load_clip(made.missed("wave"))
    (span,) = take.spans
    assert span.gesture == "wave"
    assert (span.start, span.end) == pytest.approx(MOVES[0], abs=0.25)


def test_a_missed_gesture_that_no_rest_sets_apart_is_the_last_of_what_was_seen(tmp_path):
    made, _ = corrector(tmp_path, played([(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 4.0)], 3.9))
    (span,) = gestures.load_clip(made.missed("wave")).spans
    assert span.end - span.start == pytest.approx(1.5, abs=0.1)


def test_nothing_seen_teaches_nothing(tmp_path):
    made, _ = corrector(tmp_path, [gestures.Observation(t / 30) for t in range(60)])
    with pytest.raises(gestures.ClipError, match="no hand was seen"):
        made.missed("wave")
    assert not list(tmp_path.glob("*/*.npz"))


def test_idle_keeps_whatever_fires_and_nothing_else(tmp_path):
    events = [
        event("began", 2.5, 2.1),
        event("ended", 2.9, 2.1),
        event("began", 15.2, 15.0),
        event("ended", 23.5, 15.0),
    ]
    _, paths = corrector(tmp_path, played(MOVES, 25.0), events, idle=True)
    takes = [gestures.load_clip(path) for path in paths]
    assert [path.parent.name for path in paths] == ["rest", "rest"]
    assert [(round(t.time[0], 1), round(t.time[-1], 1)) for t in takes] == [(1.4, 2.9), (14.3, 23.5)]


def test_the_idle_mode_over_a_film_keeps_its_events(tmp_path, capsys):
    words = ["live", "--source", str(demo_until(3.5, tmp_path)), "--no-window", "--idle"]
    assert main(words) == 1
    assert "--corrections" in capsys.readouterr().err
    assert main([*words, "--corrections", str(tmp_path / "set")]) == 0
    out, err = capsys.readouterr()
    takes = gestures.load_set(tmp_path / "set")
    assert takes.labels == ()
    assert 1 <= len(takes.clips) <= out.count("began")
    assert err.count("kept as rest") == len(takes.clips)


def test_two_events_at_once_are_one_take_of_rest_and_end_nothing(tmp_path):
    both = [event("began", 2.3, 2.1), event("began", 2.5, 2.2), event("ended", 2.7, 2.1), event("ended", 2.8, 2.2)]
    _, paths = corrector(tmp_path, played(MOVES, 4.0), both, idle=True)
    assert [path.parent.name for path in paths] == ["rest"]
