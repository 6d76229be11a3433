"""The action layer: files, modes, values, queues; each target has a file of tests of its own."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from conftest import REPOSITORY, hand
from hypothesis import given

from gestures import ActionError, Actions, Event, Hand, load_plan
from gestures.actions import calls, workers
from gestures.actions.modes import Modes
from gestures.actions.orders import Action, Order
from gestures.actions.plan import Plan
from gestures.actions.secrets import Secret
from gestures.actions.values import VALUES, Ease
from gestures.actions.workers import Worker
from gestures.cli import main
from gestures.console import shipped

EXAMPLES = REPOSITORY / "examples"


def plan(tmp_path, text):
    path = tmp_path / "actions.toml"
    path.write_text(text)
    return load_plan(path)


def entry(mode="tap", gesture="go", **fields):
    return Action(f"{gesture}_{mode}", gesture, "keys", ("key", ("a",)), "keys a", mode, **fields)


def event(time, phase="began", gesture="go", number=0, side="right", confidence=0.9):
    return Event(gesture, phase, time, time, number, side, confidence)


def orders(modes, *pushed, hands=None):
    """What a row of (time, event or None) gives: (time, does)."""
    out = []
    for moment, happened in pushed:
        events = [] if happened is None else [happened]
        out += [(round(o.time, 2), o.does) for o in modes.push(events, hands or {}, moment)]
    return out


def test_tap_acts_once_and_cools_down():
    modes = Modes(Plan((entry(cooldown_s=2.0),)))
    pushed = [(t, event(t, phase)) for t in (1.0, 2.0, 3.5) for phase in ("began", "ended")]
    assert orders(modes, *pushed) == [(1.0, "tap"), (3.5, "tap")]


def test_hold_is_down_until_the_last_hand_ends():
    modes = Modes(Plan((entry("hold"),)))
    rows = [
        (1, event(1)),
        (2, event(2, number=1, side="left")),
        (3, event(3, "ended")),
        (4, event(4, "ended", number=1)),
        (5, event(5, "ended")),
    ]
    assert orders(modes, *rows) == [(1, "down"), (4, "up")]


def test_repeat_keeps_its_own_time_whatever_the_frames():
    modes = Modes(Plan((entry("repeat", every_s=0.5),)))
    rows = [(0.1 * n, event(0.0) if n == 0 else event(1.2, "ended") if n == 12 else None) for n in range(20)]
    assert orders(modes, *rows) == [(0.0, "tap"), (0.5, "tap"), (1.0, "tap")]


def test_a_second_hand_changes_nothing_about_the_pace_of_repeats():
    modes = Modes(Plan((entry("repeat", every_s=0.5),)))
    rows = [(0.0, event(0)), (0.2, event(0.2, number=1, side="left")), (0.3, event(0.3, "ended")), (0.5, None)]
    assert orders(modes, *rows) == [(0.0, "tap"), (0.5, "tap")]


def test_toggle_is_on_and_off():
    modes = Modes(Plan((entry("toggle"),)))
    rows = [(t, event(t, phase)) for t in (1, 2, 3) for phase in ("began", "ended")]
    assert orders(modes, *rows) == [(1, "down"), (2, "up"), (3, "down")]
    assert [o.does for o in modes.let_go(4)] == ["up"]
    lamp = Modes(Plan((replace(entry("toggle"), target="mqtt"),)))
    assert orders(lamp, *rows) == [(1, "down"), (2, "up"), (3, "down")]
    assert lamp.let_go(4) == []
    assert orders(lamp, (5, event(5))) == [(5, "up")]


def test_hand_and_confidence_are_asked():
    modes = Modes(Plan((entry(hand="left", confidence=0.8), entry("hold", hand="both"))))
    rows = [
        (1, event(1)),
        (2, event(2, side="left", confidence=0.7)),
        (3, event(3, side="left")),
        (4, event(4, side="both")),
    ]
    assert orders(modes, *rows) == [(3, "tap"), (4, "down")]


def test_nothing_acts_until_armed_and_again_after_the_time_out():
    modes = Modes(Plan((entry(), entry("hold", "grab")), arm="arm", arm_s=2.0))
    assert modes.state == "waiting to be armed"
    rows = [
        (0, event(0)),
        (1, event(1, gesture="arm")),
        (2.5, event(2.5)),  # acts, and so arms for two seconds more
        (4, event(4)),
        (6.5, event(6.5)),  # too late
        (7, event(7, gesture="arm")),
        (8, event(8, gesture="grab")),
        (9.5, None),
        (11, None),  # what is held keeps it armed
        (12, event(12, "ended", gesture="grab")),
        (14.5, event(14.5)),
    ]
    assert orders(modes, *rows) == [(2.5, "tap"), (4, "tap"), (8, "down"), (12, "up")]


def test_while_paused_or_unarmed_no_value_is_told_and_nobody_arms():
    modes = Modes(Plan((entry("analogue", None, value="x"),), arm="arm", pause="stop"))
    hands = {0: hand()}
    assert modes.push([], hands, 0.0) == []
    assert len(modes.push([event(1, gesture="arm")], hands, 1.0)) == 1
    assert modes.push([event(2, gesture="stop")], hands, 2.0) == []
    assert modes.push([], hands, 2.1) == []
    assert modes.push([event(20, gesture="arm")], hands, 20.0) == []
    assert modes.push([event(21, gesture="stop")], hands, 21.0) == []
    assert modes.state == "waiting to be armed"


def test_a_lamp_left_on_keeps_nothing_armed_and_a_key_held_does():
    for target, state in (("mqtt", "waiting to be armed"), ("keys", "acting")):
        modes = Modes(Plan((replace(entry("toggle"), target=target),), arm="arm", arm_s=2.0))
        rows = [(0, event(0, gesture="arm")), (1, event(1)), (1.5, event(1.5, "ended")), (3, None), (4.5, None)]
        assert orders(modes, *rows) == [(1, "down")]
        assert modes.state == state


def test_what_is_refused_keeps_nothing_armed_and_disarming_lets_go():
    modes = Modes(Plan((entry("hold", hand="left"),), arm="arm", arm_s=2.0))
    rows = [
        (0, event(0, gesture="arm")),
        (1.5, event(1.5)),
        (2.5, event(2.5, side="left")),
        (3, event(3, gesture="arm")),
        (4, event(4, side="left")),
        (9, None),  # no picture came for five seconds
    ]
    assert orders(modes, *rows) == [(4, "down"), (9, "up")]


def test_pause_lets_go_and_nothing_acts_until_it_comes_again():
    modes = Modes(Plan((entry("hold"), entry("repeat", "again", every_s=0.5)), pause="stop"))
    rows = [
        (1, event(1)),
        (1.8, event(1.8, gesture="again", number=1)),
        (2, event(2, gesture="stop")),
        (2.1, event(2.1, "ended", gesture="stop")),
        (3, event(3, gesture="again")),
        (4, None),
        (5, event(5, gesture="stop")),
        (6, None),
        (7, event(7)),
    ]
    assert orders(modes, *rows) == [(1, "down"), (1.8, "tap"), (2, "up"), (7, "down")]


def test_analogue_follows_the_hand_that_does_it_within_its_range():
    action = entry("analogue", value="x", low=100.0, high=0.0, ease_s=0.0, every_s=0.2)
    modes = Modes(Plan((action,)))
    hands = {3: hand(at=(0.25, 0.5)), 4: hand(at=(0.75, 0.5))}
    told = []
    for n in range(11):
        events = [event(0.0, number=4)] if n == 0 else [event(1.0, "ended", number=4)] if n == 10 else []
        told += modes.push(events, hands, n / 10)
    assert [o.time for o in told] == [0.0, 0.2, 0.4, 0.6, 0.8]
    # A hand at 3/4 of the picture is at 1/4 for the person, whose range runs from 100 down.
    assert np.allclose([o.value for o in told], 75, atol=2)
    assert modes.push([event(2.0, number=9)], hands, 2.0) == []  # that hand is out of sight


def test_analogue_without_a_gesture_follows_one_hand_in_view():
    modes = Modes(Plan((entry("analogue", None, value="x", hand="left", ease_s=10.0),)))
    hands = {1: hand(side="right"), 2: hand(side="left", at=(0.75, 0.5)), 5: hand(side="left")}
    (order,) = modes.push([], hands, 0.0)
    assert order.event is None
    assert order.value == pytest.approx(0.25, abs=0.02)
    assert modes.push([], {1: hands[1]}, 0.1) == []
    # Another hand begins anew: its value is not eased from where the last one was.
    (order,) = modes.push([], {1: hands[1], 7: hand(side="left", at=(0.25, 0.5))}, 0.2)
    assert order.value == pytest.approx(0.75, abs=0.02)


happenings = st.lists(
    st.tuples(
        st.sampled_from(["go", "stop", "arm", "grab"]),
        st.sampled_from(["began", "ended"]),
        st.integers(0, 2),
        st.sampled_from(["left", "right", "both"]),
        st.floats(0, 3),
    ),
    max_size=40,
)


@given(happenings, st.booleans())
def test_whatever_happens_down_and_up_take_turns_and_letting_go_lets_all_go(rows, armed):
    actions = (
        entry("hold"),
        entry("toggle"),
        entry("hold", "grab", hand="left", cooldown_s=0.5),
        entry("repeat", every_s=1),
    )
    modes = Modes(Plan(actions, arm="arm" if armed else None, arm_s=2.0, pause="stop"))
    now, given_orders = 0.0, []
    for gesture, phase, number, side, gap in rows:
        now += gap
        before = modes.state
        new = modes.push([event(now, phase, gesture, number, side)], {}, now)
        assert before == "acting" or modes.state == "acting" or {o.does for o in new} <= {"up"}
        if modes.state == "paused":
            assert {o.does for o in new} <= {"up"}
        given_orders += new
    given_orders += modes.let_go(now)
    for action in actions:
        presses = [o.does for o in given_orders if o.action is action and o.does != "tap"]
        assert presses == ["down", "up"] * (len(presses) // 2)


def upright():
    joints = np.zeros((21, 3), np.float32)
    joints[9] = (0, -0.1, 0)
    joints[8] = (0.02, -0.18, 0)
    joints[4] = (0.02, -0.06, 0)
    return joints


def test_values_of_a_known_hand():
    world = upright()
    image = world * (1, 4 / 3, 1) + (0.25, 0.75, 0)
    known = Hand(image.astype(np.float32), world, "right", 1.0)
    at = {name: value(known) for name, value in VALUES.items()}
    assert at["x"] == pytest.approx(0.75)
    assert at["y"] == pytest.approx(0.25 + 0.1 * 4 / 3 / 2, abs=1e-4)
    assert at["rotation"] == pytest.approx(0.5)
    assert at["pinch"] == pytest.approx(1.0)  # 0.12 m is 1.2 palms of 0.1 m
    assert at["near"] == pytest.approx((0.1 - 0.05) / 0.35, abs=1e-4)
    # Fingers to the camera's left are to the person's right; a third of the way over is 2/3.
    angle = np.pi / 6
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    turned = (world @ turn) * (1, 4 / 3, 1) + (0.5, 0.5, 0)
    assert turned[9, 0] < turned[0, 0]
    assert VALUES["rotation"](Hand(turned.astype(np.float32), world, "right", 1.0)) == pytest.approx(2 / 3, abs=1e-4)
    world[4] = world[8]
    assert VALUES["pinch"](Hand(image.astype(np.float32), world, "right", 1.0)) == 0


@given(st.lists(st.floats(0.01, 0.5), min_size=1, max_size=30))
def test_easing_depends_on_time_not_on_frames(gaps):
    often, seldom = Ease(0.3), Ease(0.3)
    often.push(0.0, 0.0)
    seldom.push(0.0, 0.0)
    now = 0.0
    for gap in gaps:
        now += gap
        last = often.push(1.0, now)
    assert last == pytest.approx(1 - np.exp(-now / 0.3))
    assert seldom.push(1.0, now) == pytest.approx(last)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no actions"),
        ("[[action]]\n", "must do one thing, not nothing"),
        ('[[action]]\ngesture = "go"\nkey = "a"\n', "action 1 (go): 'key' means nothing here: perhaps keys?"),
        (
            '[[action]]\ngesture = "go"\nkeys = "a"\nvalue = "x"\n',
            "value goes with mode = \"analogue\", not with 'tap'",
        ),
        ('[[action]]\ngesture = "go"\nkeys = "a"\nmode = "hold"\nevery_s = 1\n', 'every_s goes with mode = "repeat"'),
        ("[[action]]\ngesture = go\n", "texts stand in quotes"),
        ('[[action]]\ncommand = ["a"]\n', "names no gesture"),
        ('[[action]]\ngesture = "go"\ncommand = "rm -rf /"\n', "must be a list of arguments"),
        ('[[action]]\ngesture = "go"\ncommand = []\n', "must be a list of arguments"),
        ('[[action]]\ngesture = "go"\ncommand = ["a"]\npython = "a.py:b"\n', "not command and python"),
        ('[[action]]\ngesture = "go"\ncommand = ["a"]\nmode = "holt"\n', "perhaps hold?"),
        ('[[action]]\ngesture = "go"\ncommand = ["a"]\ncooldown = 2\n', "perhaps cooldown_s?"),
        ('[[action]]\ngesture = "go"\ncommand = ["a"]\ncooldown_s = -1\n', "from 0 to 3600, not -1"),
        ('[[action]]\ngesture = "go"\ncommand = ["a"]\ncooldown_s = true\n', "not True"),
        ('[[action]]\ngesture = "go"\ncommand = ["a"]\nconfidence = nan\n', "from 0 to 1, not nan"),
        ('[[action]]\ngesture = "go"\ncommand = ["a"]\nmode = "analogue"\n', "takes no analogue values"),
        ('[[action]]\nmode = "analogue"\nosc = "/x"\nhand = "both"\n', "a value is of one hand, not of both"),
        ('[[action]]\ngesture = "go"\npython = "os.system"\n', "must name a file and a function"),
        ('[[action]]\ngesture = "go"\npython = "a.py:b"\nmode = "analogue"\nrange = [1]\n', "two numbers"),
        ('arm = "go"\n[[action]]\ngesture = "go"\ncommand = ["a"]\n', "can do nothing else"),
        ('arm = "a"\npause = "a"\n[[action]]\ngesture = "go"\ncommand = ["a"]\n', "can do nothing else"),
        ("action = 3\n", "has no actions"),
        ("action = [3]\n", "must be a table"),
        ("[[action]\n", "is no TOML"),
        ("a = " + "[" * 5000, "is no TOML"),
        ('[[action]]\ngesture="a"\nname="n"\ncommand=["a"]\n' * 2, "name of its own"),
    ],
)
def test_an_unclear_file_is_one_sentence(tmp_path, text, told):
    with pytest.raises(ActionError) as caught:
        plan(tmp_path, text)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_file_from_a_model_or_from_others_is_read(tmp_path):
    text = '[[action]]\ngesture = "go"\ncommand = ["true"]\n'
    assert len(plan(tmp_path, text).actions) == 1
    (tmp_path / "actions.toml").chmod(0o666)
    with pytest.raises(ActionError, match="written by others"):
        load_plan(tmp_path / "actions.toml")
    (tmp_path / "actions.toml").chmod(0o600)
    deep = tmp_path / "model" / "for" / "you"
    deep.mkdir(parents=True)
    (tmp_path / "model" / "manifest.json").write_text("{}")
    (tmp_path / "model" / "step.tflite").write_text("")
    for folder in (tmp_path / "model", deep):
        (folder / "actions.toml").write_text(text)
        with pytest.raises(ActionError, match="model's folder"):
            load_plan(folder / "actions.toml")
    (tmp_path / "link.toml").symlink_to(deep / "actions.toml")
    with pytest.raises(ActionError, match="model's folder"):
        load_plan(tmp_path / "link.toml")
    with pytest.raises(ActionError, match="cannot be read"):
        load_plan(tmp_path / "none.toml")
    with pytest.raises(ActionError, match="is larger than"):
        plan(tmp_path, text + "#" * (1 << 20))


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give files away")
def test_no_file_of_another_user_is_read(tmp_path):
    path = tmp_path / "actions.toml"
    path.write_text('[[action]]\ngesture = "go"\ncommand = ["true"]\n')
    os.chown(path, 12345, 12345)
    with pytest.raises(ActionError, match="belongs to"):
        load_plan(path)


def test_a_secret_is_named_never_written_and_never_shown(monkeypatch):
    for wrong in ("hunter2", {"env": ""}, {"env": "A", "keyring": "b/c"}, {"keyring": "b"}, {"file": "x"}, 3):
        with pytest.raises(ActionError) as caught:
            Secret.of("password", wrong)
        assert "hunter2" not in str(caught.value)
    secret = Secret.of("password", {"env": "GESTURES_TEST_SECRET"})
    with pytest.raises(ActionError, match="GESTURES_TEST_SECRET is not set"):
        secret.reveal()
    monkeypatch.setenv("GESTURES_TEST_SECRET", "")
    assert "is not set" in secret.missing()
    monkeypatch.setenv("GESTURES_TEST_SECRET", "hunter2")
    assert secret.reveal() == "hunter2"
    assert "hunter2" not in f"{secret} {secret!r}"


def test_a_secret_comes_from_the_keyring():
    keyring = pytest.importorskip("keyring", reason="needs: pip install keyring")
    from keyring.backends.null import Keyring

    class Kept(Keyring):
        def get_password(self, service, username):
            return {("broker", "me"): "hunter2"}.get((service, username))

    before = keyring.get_keyring()
    keyring.set_keyring(Kept())
    try:
        assert Secret("keyring", "broker/me").reveal() == "hunter2"
        with pytest.raises(ActionError, match="keyring set broker you"):
            Secret("keyring", "broker/you").reveal()
    finally:
        keyring.set_keyring(before)


class Slow:
    """A target that waits to be let on, and remembers."""

    def __init__(self):
        self.on, self.did, self.closed = threading.Event(), [], False

    def do(self, order):
        self.on.wait(20)
        self.did.append(order)
        if order.event is not None and order.event.gesture == "fails":
            raise ValueError("no\nsuch thing")

    def close(self):
        self.closed = True


def finished(worker):
    worker.finish()
    worker.join(20)


def test_a_dead_target_delays_nobody_and_its_losses_are_counted():
    target, told = Slow(), []
    worker = Worker("slow", target, told.append)
    for n in range(3000):
        worker.put(Order(entry(), "tap", float(n), 1.0, event(n)))
        worker.put(Order(entry("analogue", "b"), "value", float(n), float(n)))
    target.on.set()
    finished(worker)
    taps = [order.time for order in target.did if order.does == "tap"]
    assert taps == sorted(set(taps))
    # One may be in the target's hands while as many as there is room for wait.
    assert workers.ROOM <= len(taps) <= workers.ROOM + 1
    assert worker.done + worker.lost == len(target.did) + worker.lost
    assert worker.lost == 3000 - len(taps)
    assert len(told) == 2
    assert f"{worker.lost} lost" in told[-1]
    assert target.closed


def test_of_values_the_newest_wins_and_events_go_first():
    target = Slow()
    worker = Worker("slow", target, print)
    worker.put(Order(entry("tap", "first"), "tap", 0.0, 1.0, event(0)))
    for n in range(50):
        worker.put(Order(entry("analogue", "a"), "value", n, float(n)))
        worker.put(Order(entry("analogue", "b"), "value", n, -float(n)))
    worker.put(Order(entry(), "tap", 1.0, 1.0, event(0)))
    target.on.set()
    until = time.monotonic() + 20
    while len(target.did) < 4 and time.monotonic() < until:
        time.sleep(0.01)
    finished(worker)
    assert [(o.action.gesture, o.value) for o in target.did] == [("first", 1), ("go", 1), ("a", 49), ("b", -49)]


def test_what_went_down_comes_up_even_when_there_is_no_room():
    target = Slow()
    worker = Worker("slow", target, lambda _: None)
    held, late = entry("hold"), entry("hold", "late")
    worker.put(Order(held, "down", 0.0, 1.0, event(0)))
    for _ in range(workers.ROOM + 5):
        worker.put(Order(entry(), "tap", 0.0, 1.0, event(0)))
    worker.put(Order(late, "down", 0.0, 1.0, event(0)))
    worker.put(Order(late, "up", 0.0, 0.0, event(0)))
    worker.put(Order(held, "up", 0.0, 0.0, event(0)))
    target.on.set()
    finished(worker)
    assert [(o.action, o.does) for o in target.did if o.does != "tap"] == [(held, "down"), (held, "up")]


def test_a_target_that_fails_goes_on_and_is_told_of_in_one_line():
    target, told = Slow(), []
    target.on.set()
    worker = Worker("slow", target, told.append)
    for gesture in ("fails", "go", "fails", "go"):
        worker.put(Order(entry(), "tap", 0.0, 1.0, event(0, gesture=gesture)))
    finished(worker)
    assert (worker.done, worker.lost) == (2, 2)
    assert told == ["slow: an order is lost, 1 so far (ValueError: no such thing)", "slow: 2 orders done, 2 lost"]


def test_a_command_gets_its_arguments_and_no_shell(tmp_path):
    script = tmp_path / "note.py"
    script.write_text("import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(repr(sys.argv[2:]))")
    words = [
        sys.executable,
        str(script),
        str(tmp_path / "out"),
        "{gesture} $HOME; `id`",
        "{does}={value}",
        "{side}{name}",
    ]
    actions = plan(tmp_path, f'[[action]]\ngesture = "go"\nname = "n"\ncommand = {json.dumps(words)}\n')
    with Actions(actions, print) as acting:
        acting.push([event(1.0, side="both")], {}, 1.0)
    assert (tmp_path / "out").read_text() == repr(["go $HOME; `id`", "tap=1", "bothn"])


def test_a_command_that_fails_or_is_missing_is_told(tmp_path):
    told = []
    fails = plan(
        tmp_path, f'[[action]]\ngesture = "go"\ncommand = [{json.dumps(sys.executable)}, "-c", "raise SystemExit(3)"]\n'
    )
    with Actions(fails, told.append) as acting:
        acting.push([event(1.0)], {}, 1.0)
    assert "ended with 3" in told[0]
    missing = plan(tmp_path, '[[action]]\ngesture = "go"\ncommand = ["no-such-program"]\n')
    with pytest.raises(ActionError, match="'no-such-program' is not found"), Actions(missing, told.append):
        pass


def test_a_command_that_takes_too_long_is_ended_and_none_speaks_among_the_events(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(calls, "COMMAND_S", 3.0)
    words = [
        json.dumps([sys.executable, "-S", "-c", code]) for code in ("print('noise')", "import time; time.sleep(60)")
    ]
    text = "".join(f'[[action]]\ngesture = "go"\ncommand = {each}\n' for each in words)
    told = []
    with Actions(plan(tmp_path, text), told.append) as acting:
        acting.push([event(1.0)], {}, 1.0)
        until = time.monotonic() + 40
        while not told and time.monotonic() < until:
            time.sleep(0.05)
    assert "TimeoutExpired" in told[0]
    assert "noise" not in capfd.readouterr().out


def test_a_python_function_gets_orders_in_turn(tmp_path):
    (tmp_path / "mine.py").write_text(
        "got = []\ndef take(order):\n    got.append(order)\n    print(order.does, order.event.gesture)\n"
    )
    text = '[[action]]\ngesture = "go"\nmode = "hold"\npython = "mine.py:take"\n'
    code = (
        "import sys\nfrom gestures import Actions, Event, load_plan\n"
        "with Actions(load_plan(sys.argv[1]), print) as actions:\n"
        "    actions.push([Event('go', 'began', 1.0, 1.0, 0, 'left', 0.9)], {}, 1.0)\n    raise SystemExit(5)\n"
    )
    plan(tmp_path, text)
    command = [sys.executable, "-c", code, str(tmp_path / "actions.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # However the program ends, what is down comes up.
    assert (done.returncode, done.stdout) == (5, "down go\nup go\n"), done.stderr
    (tmp_path / "mine.py").write_text("raise RuntimeError\n")
    with pytest.raises(ActionError, match="mend that file"), Actions(plan(tmp_path, text), print):
        pass


def test_pausing_by_hand_lets_go(tmp_path):
    text = '[[action]]\ngesture = "go"\nmode = "hold"\ncommand = ["true"]\n'
    told = []
    with Actions(plan(tmp_path, text), told.append, dry_run=True) as acting:
        acting.push([event(1.0)], {}, 1.0)
        acting.pause()
        acting.push([event(2.0)], {}, 2.0)
        acting.pause()
    assert told == ["would down: command true", "actions: paused", "would up: command true", "actions: acting"]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_example_is_good_for_the_starter_model(path, capsys, monkeypatch):
    for name in ("GESTURES_TOKEN", "MQTT_PASSWORD", "WEBHOOK_TOKEN", "DISPLAY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    code = main(["actions", "check", str(path)])
    out, err = capsys.readouterr()
    assert code == 0, err
    assert len(out.splitlines()) >= max(1, path.read_text("utf-8").count("[[action]]"))


def test_check_says_what_is_missing(tmp_path, capsys):
    words = ["actions", "check", str(tmp_path / "actions.toml")]
    plan(tmp_path, '[[action]]\ngesture = "wave"\ncommand = ["no-such-program"]\n')
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert out == "wave (either hand): command no-such-program, once\n"
    assert "'no-such-program' is not found" in err
    for line, told in (
        ('gesture = "wvae"', "the model starter knows no gesture 'wvae': perhaps wave?"),
        ('gesture = "rest"', "knows no gesture 'rest'"),
        ('gesture = "wave"\npython = "lamp.py:dimm"', "lamp.py has no function 'dimm': perhaps dim?"),
        ('gesture = "wave"\npython = "none.py:dim"', "none.py is not there"),
        ('gesture = "wave"\npython = "broken.py:dim"', "broken.py is no Python"),
    ):
        (tmp_path / "lamp.py").write_text("import sys\n\ndef dim(order):\n    raise SystemExit\n")
        (tmp_path / "broken.py").write_text("def dim(:\n")
        plan(tmp_path, f"[[action]]\n{line}\n" + ("" if "python" in line else 'command = ["true"]\n'))
        assert main(words) == 1
        assert told in capsys.readouterr().err
    for gesture, switch in (("wvae", "arm"), ("wvae", "pause")):
        plan(tmp_path, f'{switch} = "{gesture}"\n[[action]]\ngesture = "wave"\ncommand = ["true"]\n')
        assert main(words) == 1
        assert "perhaps wave?" in capsys.readouterr().err


def test_live_refuses_a_gesture_that_the_model_does_not_know(tmp_path, capsys):
    plan(tmp_path, '[[action]]\ngesture = "wvae"\ncommand = ["true"]\n')
    words = ["live", "--no-window", "--source", str(shipped("data/demo/demo.mp4"))]
    assert main([*words, "--do", str(tmp_path / "actions.toml")]) == 1
    assert "perhaps wave?" in capsys.readouterr().err
    assert main([*words, "--dry-run"]) == 1
    assert "add --do FILE" in capsys.readouterr().err


@pytest.fixture(scope="module")
def waving(tmp_path_factory):
    """The demo clip's first three seconds, in which a hand waves."""
    import cv2

    path = tmp_path_factory.mktemp("video") / "wave.mp4"
    film = cv2.VideoCapture(str(shipped("data/demo/demo.mp4")))
    size = int(film.get(cv2.CAP_PROP_FRAME_WIDTH)), int(film.get(cv2.CAP_PROP_FRAME_HEIGHT))
    out = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, size)
    for _ in range(90):
        out.write(film.read()[1])
    film.release()
    out.release()
    return path


def test_live_does_what_the_file_says_and_a_dry_run_only_says_it(tmp_path, waving):
    done = tmp_path / "done"
    script = f"import sys; open({str(done)!r}, 'a').write(sys.argv[1])"
    words = json.dumps([sys.executable, "-c", script, "{gesture} {does};"])
    plan(tmp_path, f'[[action]]\ngesture = "wave"\nmode = "hold"\ncommand = {words}\n')
    words = ["-m", "gestures.cli", "live", "--source", str(waving), "--no-window", "--json"]
    for flag in ("--dry-run", "--no-window"):
        command = [sys.executable, *words, "--do", str(tmp_path / "actions.toml"), flag]
        ran = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"DISPLAY": ""})
        assert [json.loads(line)["gesture"] for line in ran.stdout.splitlines()] == ["wave", "wave"]
        if flag == "--dry-run":
            assert not done.exists()
            assert ran.stderr.count("would down: command") == ran.stderr.count("would up: command") == 1
    assert done.read_text() == "wave down;wave up;"
