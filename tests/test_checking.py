"""A set at a glance: what is wrong in it is found, what is right is left alone."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import clip, hand

import gestures
from gestures import checking, likeness
from gestures.cli import main


def drawn(gesture, person="ana", seed=0, long=1.0, still_s=0.5):
    """A hand that rests, goes right and back (`line`), or round (`ring`), and rests: each time a little otherwise."""
    rng = np.random.default_rng(seed)
    size, turn = rng.uniform(0.9, 1.1), rng.normal(0, 0.05)
    seen = []
    for time in np.arange(0, 1.0 + 2 * still_s, 1 / 30):
        share = float(np.clip((time - still_s) / 1.0, 0, 1))
        angle = 2 * np.pi * share + turn
        x, y = np.sin(angle / 2) ** 2 * 2, 0.0
        if gesture == "ring":
            x, y = np.sin(angle), 1 - np.cos(angle)
        at = 0.3 + 0.12 * size * long * x, 0.4 + 0.12 * size * y
        still = hand(0.0)
        image = still.image - still.image[0] + np.array([*at, 0]) + rng.normal(0, 0.001, (21, 3))
        seen.append(gestures.Observation(float(time), (replace(still, image=image.astype(np.float32)),)))
    return gestures.Clip.of(seen, person, (gestures.Span(gesture, still_s + 0.01, still_s + 0.99),))


@pytest.fixture
def data(tmp_path):
    for n in range(6):
        gestures.save_clip(drawn("line", seed=n), tmp_path / "line" / f"ana_{n:02d}.npz")
        gestures.save_clip(drawn("ring", "bo", seed=n), tmp_path / "ring" / f"bo_{n:02d}.npz")
    return tmp_path


def findings(data):
    return {(each.path.name, each.what) for each in checking.inspect(gestures.load_set(data)).findings}


def test_a_good_set_has_nothing_wrong(data):
    seen = checking.inspect(gestures.load_set(data))
    assert seen.findings == ()
    assert seen.alike == ()
    figures = seen.json()
    assert figures["gestures"] == {"line": 6, "ring": 6, "rest": 0}
    assert figures["people"] == {"ana": 6, "bo": 6}
    assert figures["rate_hz"][1] == pytest.approx(30)
    assert figures["hand_share"] == 1
    assert figures["sides"]["right"] == 12
    assert "no rest" in seen.text()


def test_a_take_of_another_gesture_is_mislabelled(data):
    gestures.save_clip(replace(drawn("ring", seed=9), spans=drawn("line").spans), data / "line" / "x_00.npz")
    assert findings(data) == {("x_00.npz", "mislabelled")}


def test_the_same_take_twice_is_duplicated(data):
    again = gestures.load_clip(data / "line" / "ana_03.npz")
    gestures.save_clip(replace(again, person="eve"), data / "line" / "eve_00.npz")
    assert findings(data) == {("eve_00.npz", "duplicated")}


@pytest.mark.parametrize(("rows", "name"), [(slice(0, 24), "last"), (slice(26, 99), "first")])
def test_a_take_that_begins_or_ends_on_the_way_is_cut_off(rows, name):
    whole = drawn("line", seed=9)
    time = whole.time[rows]
    span = gestures.Span("line", float(time[0]), float(time[-1]))
    cut = replace(whole, time=time, image=whole.image[rows], world=whole.world[rows], spans=(span,))
    assert checking._cut_off(cut) == name
    assert checking._cut_off(whole) == ""


def test_a_take_unlike_all_others_is_told(data):
    gestures.save_clip(drawn("line", seed=9, long=3.0), data / "line" / "odd_00.npz")
    assert findings(data) == {("odd_00.npz", "unlike")}


def test_takes_that_are_there_twice_make_no_other_unlike(data):
    for n in range(4):
        take = gestures.load_clip(data / "line" / f"ana_{n:02d}.npz")
        gestures.save_clip(replace(take, person="eve"), data / "line" / f"eve_{n:02d}.npz")
    assert findings(data) == {(f"eve_{n:02d}.npz", "duplicated") for n in range(4)}
    gestures.save_clip(drawn("line", seed=9, long=3.0), data / "line" / "odd_00.npz")
    assert ("odd_00.npz", "unlike") in findings(data)


def test_gestures_that_are_the_same_movement_are_told_with_how_much(data):
    for n in range(6):
        take = drawn("ring", "bo", seed=10 + n)
        gestures.save_clip(replace(take, spans=drawn("round").spans), data / "round" / f"bo_{n:02d}.npz")
    alike = {(a, b): share for a, b, share in checking.inspect(gestures.load_set(data)).alike}
    assert set(alike) == {("ring", "round"), ("round", "ring")}
    assert min(alike.values()) > 0.8


def test_warping_agrees_with_its_definition():
    rng = np.random.default_rng(0)
    one, others = rng.normal(size=(7, 3)), rng.normal(size=(4, 7, 3))
    for other, told in zip(others, likeness.warped(one, others), strict=True):
        total = np.full((8, 8), np.inf)
        total[0, 0] = 0
        for i in range(7):
            for j in range(7):
                step = min(total[i, j], total[i, j + 1], total[i + 1, j])
                total[i + 1, j + 1] = step + np.linalg.norm(one[i] - other[j])
        assert told == pytest.approx(total[7, 7] / 7)


def test_likeness_knows_no_place_distance_or_speed():
    take = drawn("ring")
    moved = replace(take, image=((take.image - 0.5) * 0.7 + 0.5 + np.array([0.1, -0.1, 0])).astype(np.float32))
    slow = replace(take, time=take.time * 2, spans=(gestures.Span("ring", 1.02, 2.98),))
    for other in (moved, slow):
        assert likeness.distances([take, other])[0, 1] < 0.05
    assert likeness.distances([take, drawn("line")])[0, 1] > 0.5


def test_takes_without_a_hand_or_at_rest_are_no_trouble(data):
    gestures.save_clip(clip("rest"), data / "rest" / "ana_00.npz")
    blind = gestures.Clip.of([gestures.Observation(t) for t in np.arange(0, 1, 0.1)], "ana")
    gestures.save_clip(blind, data / "rest" / "ana_01.npz")
    assert findings(data) == set()


def test_the_verb_prints_and_draws(data, capsys, tmp_path):
    gestures.save_clip(drawn("line", seed=9, long=3.0), data / "line" / "odd_00.npz")
    assert main(["check", str(data), "--json", "--sheet", str(tmp_path / "sheet.png")]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert [Path(each["path"]).name for each in figures["findings"]] == ["odd_00.npz"]
    assert (tmp_path / "sheet.png").read_bytes()[:4] == b"\x89PNG"
    assert main(["check", str(data)]) == 0
    assert "odd_00.npz: unlike" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "nowhere")]) == 1
