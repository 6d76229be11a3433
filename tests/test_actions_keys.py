"""Keys and the mouse: a real X server and a real client of it receive them; nothing stays down, however we end."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from receivers import wait_until, x_server, x_window
from test_actions import event, plan

from gestures import ActionError, Actions
from gestures.actions.keyboard import Hands
from gestures.actions.keys import Keys, missing
from gestures.console import shipped

HOLD = '[[action]]\ngesture = "wave"\nmode = "toggle"\nkeys = "ctrl+a"\n'


@pytest.fixture(scope="module")
def display():
    """An X server of our own; skips where there is none to start."""
    with contextlib.ExitStack() as opened:
        try:
            name = opened.enter_context(x_server())
        except LookupError as error:
            pytest.skip(f"{error}: apt install xvfb, pip install pynput")
        yield name


@pytest.fixture
def client(display, monkeypatch):
    """A window that has the keyboard, and a function that gives the next `n` things the X server tells it."""
    from Xlib import XK, X
    from Xlib import display as xdisplay

    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    connection = xdisplay.Display(display)
    names = {X.KeyPress: "+", X.KeyRelease: "-", X.ButtonPress: "+button", X.ButtonRelease: "-button"}
    keys = {symbol: name[3:] for name, symbol in vars(XK).items() if name.startswith("XK_")}
    root = connection.screen().root
    x_window(connection)

    class Client:
        def told(self, number, timeout_s=20):
            out, until = [], time.monotonic() + timeout_s
            while len(out) < number and time.monotonic() < until:
                if not connection.pending_events():
                    time.sleep(0.005)
                    continue
                got = connection.next_event()
                if got.send_event:
                    continue  # not from the keyboard: terminals and games ignore it
                if got.type in (X.KeyPress, X.KeyRelease):
                    out.append(names[got.type] + keys[connection.keycode_to_keysym(got.detail, 0)])
                elif got.type in names:
                    out.append(f"{names[got.type]}{got.detail}")
            return out

        def down(self):
            """The keys and buttons that the X server holds for down."""
            keys = {
                8 * n + bit for n, byte in enumerate(connection.query_keymap()) for bit in range(8) if byte >> bit & 1
            }
            return keys | {f"mask {root.query_pointer().mask}"} - {"mask 0"}

        def pointer(self):
            at = root.query_pointer()
            return at.root_x, at.root_y

    yield Client()
    connection.close()


def test_a_window_receives_the_keys_in_order(client, tmp_path):
    text = (
        '[[action]]\ngesture = "go"\nkeys = "a"\n[[action]]\ngesture = "hold"\nmode = "hold"\nkeys = "b"\n'
        '[[action]]\ngesture = "click"\nmouse = "left"\n[[action]]\ngesture = "turn"\nmouse = "scroll_up"\n'
    )
    with Actions(plan(tmp_path, text), print) as acting:
        for n, (gesture, phase) in enumerate(
            [("hold", "began"), ("go", "began"), ("hold", "ended"), ("click", "began"), ("turn", "began")]
        ):
            acting.push([event(n, phase, gesture)], {}, n)
        assert client.told(8) == ["+b", "+a", "-a", "-b", "+button1", "-button1", "+button4", "-button4"]
    assert client.down() == set()


def test_a_key_that_two_actions_hold_comes_up_with_the_last(client, tmp_path):
    text = "".join(f'[[action]]\ngesture = "{gesture}"\nmode = "hold"\nkeys = "a"\n' for gesture in ("one", "two"))
    with Actions(plan(tmp_path, text), print) as acting:
        for n, (gesture, phase) in enumerate([("one", "began"), ("two", "began"), ("one", "ended")]):
            acting.push([event(n, phase, gesture)], {}, n)
        assert client.told(1) == ["+a"]
        assert len(client.down()) == 1
        assert client.told(1, timeout_s=0.3) == []
        acting.push([event(4, "ended", "two")], {}, 4)
        assert client.told(1) == ["-a"]


def test_the_pointer_follows_the_hand(client, tmp_path):
    from conftest import hand

    text = "".join(f'[[action]]\nmode = "analogue"\nvalue = "{axis}"\nmouse = "{axis}"\n' for axis in "xy")
    with Actions(plan(tmp_path, text), print) as acting:
        acting.push([], {0: hand(at=(0.25, 0.25))}, 0.0)
        # A quarter from the camera's left is a quarter from the person's right; the palm is a little above.
        assert wait_until(lambda: abs(client.pointer()[0] - 600) < 10 and client.pointer()[1] < 150), client.pointer()


def test_pause_and_leaving_let_go(client, tmp_path):
    text = 'pause = "stop"\n[[action]]\ngesture = "go"\nmode = "toggle"\nkeys = "shift+f5"\n'
    with Actions(plan(tmp_path, text), lambda _: None) as acting:
        acting.push([event(1)], {}, 1)
        assert client.told(2) == ["+Shift_L", "+F5"]
        acting.push([event(2, gesture="stop")], {}, 2)
        assert client.told(2) == ["-F5", "-Shift_L"]
        acting.push([event(3, gesture="stop"), event(3)], {}, 3)
        assert client.told(2) == ["+Shift_L", "+F5"]
    assert client.told(2) == ["-F5", "-Shift_L"]
    assert client.down() == set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["TERM", "KILL"])
def test_no_key_stays_down_when_live_is_killed(client, tmp_path, number):
    plan(tmp_path, HOLD)
    words = [
        "live",
        "--source",
        str(shipped("data/demo/demo.mp4")),
        "--no-window",
        "--do",
        str(tmp_path / "actions.toml"),
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "gestures.cli", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as live:
        assert "wave began" in live.stdout.readline()
        assert wait_until(lambda: len(client.down()) == 3), client.down()  # two keys and Control's mask
        live.send_signal(number)
        assert wait_until(lambda: client.down() == set()), client.down()
    assert live.returncode == (143 if number == signal.SIGTERM else -9)


def test_no_desktop_is_one_sentence(monkeypatch, tmp_path):
    pytest.importorskip("evdev", reason="needs: pip install evdev")
    monkeypatch.setenv("DISPLAY", ":4242")
    through = '[keys]\nthrough = "{}"\n' + HOLD
    with (
        pytest.raises(ActionError, match="no desktop to press keys on"),
        Actions(plan(tmp_path, through.format("pynput")), print),
    ):
        pass
    if not Path("/dev/uinput").exists():
        with (
            pytest.raises(ActionError, match="sudo modprobe uinput"),
            Actions(plan(tmp_path, through.format("uinput")), print),
        ):
            pass
        with pytest.raises(ActionError, match="uinput did not open"):
            Keys("uinput")
    assert missing("pynput") == []
    monkeypatch.setenv("DISPLAY", "")
    assert ["DISPLAY is not set" in line for line in missing("pynput")] == [True]


@pytest.fixture
def kernel():
    """A function that finds, by name, a device that the kernel has made; skips where it makes none."""
    evdev = pytest.importorskip("evdev", reason="needs: pip install evdev")
    if not os.access("/dev/uinput", os.W_OK):
        pytest.skip("/dev/uinput is not here or may not be written: modprobe uinput")
    opened = []

    def find(name):
        found = [device for device in map(evdev.InputDevice, evdev.list_devices()) if device.name == f"gestures {name}"]
        opened.extend(found)
        return found[-1] if found else None

    yield find
    for device in opened:
        device.close()


def happened(device, number, timeout_s=20):
    """The next `number` things that a device of the kernel says, by the kernel's own names."""
    from evdev import ecodes

    out, until = [], time.monotonic() + timeout_s
    while len(out) < number and time.monotonic() < until:
        for got in iter(device.read_one, None):
            if got.type != ecodes.EV_SYN:
                name = ecodes.bytype[got.type][got.code]
                out.append((name if isinstance(name, str) else name[0], got.value))
        time.sleep(0.01)
    return out


def test_the_kernel_gets_keys_buttons_wheel_and_places_in_order(kernel, tmp_path):
    """Through uinput, and read back from the devices that the kernel makes of it."""
    from conftest import hand
    from evdev import ecodes

    text = (
        '[keys]\nthrough = "uinput"\n[[action]]\ngesture = "go"\nkeys = "ctrl+a"\n'
        '[[action]]\ngesture = "hold"\nmode = "hold"\nkeys = "f5"\n[[action]]\ngesture = "click"\nmouse = "right"\n'
        '[[action]]\ngesture = "turn"\nmouse = "scroll_down"\n'
        '[[action]]\ngesture = "point"\nmode = "analogue"\nvalue = "x"\nmouse = "x"\n'
    )
    with Actions(plan(tmp_path, text), print) as acting:
        board, pointer = kernel("keyboard"), kernel("pointer")
        acting.push([event(1, gesture="hold")], {}, 1)
        acting.push([event(2)], {}, 2)
        keys = [("KEY_F5", 1), ("KEY_LEFTCTRL", 1), ("KEY_A", 1), ("KEY_A", 0), ("KEY_LEFTCTRL", 0)]
        assert happened(board, 5) == keys
        assert board.active_keys() == [ecodes.KEY_F5]
        acting.push([event(3, gesture="click"), event(3, gesture="turn")], {}, 3)
        right = next(name for name, code in ecodes.ecodes.items() if code == ecodes.BTN_RIGHT and name == "BTN_RIGHT")
        assert happened(pointer, 3) == [(right, 1), (right, 0), ("REL_WHEEL", -1)]
        acting.push([event(4, gesture="point")], {0: hand(at=(0.25, 0.5))}, 4)
        ((axis, place),) = happened(pointer, 1)
        assert (axis, place / 65535) == ("ABS_X", pytest.approx(0.75, abs=0.02))
    # The helper lets go and ends; with the device the kernel lets go of what is left.
    assert wait_until(lambda: kernel("keyboard") is None)


def test_the_kernel_keeps_no_key_down_when_we_are_killed(kernel, tmp_path):
    plan(tmp_path, '[keys]\nthrough = "uinput"\n' + HOLD)
    code = (
        "import sys, time\nfrom gestures import *\nwith Actions(load_plan(sys.argv[1]), print) as actions:\n"
        "    actions.push([Event('wave', 'began', 1.0, 1.0, 0, 'left', 0.9)], {}, 1.0)\n    time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "actions.toml")]) as process:
        assert wait_until(lambda: kernel("keyboard") is not None, 60)
        board = kernel("keyboard")
        assert wait_until(lambda: len(board.active_keys()) == 2)
        process.kill()
        assert wait_until(lambda: kernel("keyboard") is None)


def test_every_name_of_a_key_is_known_to_both_libraries(display):
    """pynput's names under X11, evdev's as the kernel's headers give them."""
    ecodes = pytest.importorskip("evdev", reason="needs: pip install evdev").ecodes
    from gestures.actions.keynames import BUTTONS, KEYS, SIGNS

    assert [code for code in {**KEYS, **SIGNS, **BUTTONS}.values() if not hasattr(ecodes, code)] == []
    code = "from pynput import keyboard, mouse; print(*keyboard.Key.__members__, *mouse.Button.__members__)"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | {"DISPLAY": display}
    )
    assert set(KEYS) | set(BUTTONS) <= set(told.stdout.split())


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('keys = "ctrl+A"', "write shift\\+a"),
        ('keys = "ctrll"', "perhaps ctrl"),
        ('keys = ""', "must be a text"),
        ('keys = "a"\nmode = "analogue"', "no analogue values"),
        ('mouse = "x"', "is not one of left"),
        ('mouse = "scroll_up"\nmode = "hold"', "is not one of left"),
        ('mouse = "left"\nmode = "analogue"', "one of x, y"),
    ],
)
def test_unclear_keys_are_one_sentence(tmp_path, line, told):
    with pytest.raises(ActionError, match=told):
        plan(tmp_path, f'[[action]]\ngesture = "go"\n{line}\n')


class Broken:
    """A device that has no `lacking` key: it raises on it. `down` is what it holds."""

    def __init__(self, lacking):
        self.lacking, self.down = lacking, []

    def press(self, _kind, name, down):
        if name == self.lacking:
            raise ValueError(name)
        (self.down.append if down else self.down.remove)(name)


@pytest.mark.parametrize("ends", [["tap"], ["down", "up"], ["down", None]])
@pytest.mark.parametrize("names", [["ctrl", "media_next"], ["media_next", "ctrl"], ["ctrl", "media_next", "a"]])
def test_a_key_that_raises_leaves_no_other_down(names, ends):
    device = Broken("media_next")
    hands = Hands(device)
    for does in ends:
        with contextlib.suppress(ValueError):
            hands.let_go() if does is None else hands.do(does, "key", names, 1.0)
    assert device.down == []
    device.lacking = None
    hands.do("down", "key", ["media_next"], 1.0)
    assert device.down == ["media_next"], "that it once raised is not taken for its being down"


@pytest.mark.parametrize("end", ["up", None])
def test_a_key_that_does_not_come_up_keeps_no_other_down(end):
    device = Broken(None)
    hands = Hands(device)
    hands.do("down", "key", ["ctrl", "a"], 1.0)
    device.lacking = "a"
    with pytest.raises(ValueError, match="a"):
        hands.let_go() if end is None else hands.do(end, "key", ["ctrl", "a"], 0.0)
    assert device.down == ["a"]
