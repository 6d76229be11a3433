"""The process that presses keys: orders come on stdin, a line each; when stdin ends, everything is let go.

A pipe ends however the other side dies, by SIGKILL or a crash in C++ as well, so no key stays down. This process
hears no SIGINT, SIGTERM or SIGHUP: it ends when its pipe does.
"""

import json
import signal
import sys
import time
from collections import Counter
from contextlib import ExitStack
from typing import Any, Protocol

from gestures.errors import ActionError

from .keynames import BUTTONS, KEYS, SIGNS, WHEEL

TAP_S = 0.02
"""How long a tapped key is down: programs that look once a picture must see it."""
STEPS = 65535
"""Places of a pointer along one side of the screen, as uinput counts them."""


class Device(Protocol):
    """What presses."""

    def press(self, kind: str, name: str, down: bool) -> None:
        """A key or a button goes down or up."""

    def turn(self, right: int, up: int) -> None:
        """The wheel turns by so many notches."""

    def point(self, axis: str, value: float) -> None:
        """The pointer goes to `value`, 0 left or bottom, 1 right or top, along an axis of the screen."""


class Desktop:
    """X11, Windows and macOS, through pynput."""

    def __init__(self) -> None:
        try:
            from pynput import keyboard, mouse

            self._keyboard, self._mouse = keyboard.Controller(), mouse.Controller()
        except Exception as error:
            reason = str(error).partition("\n")[0][:120]
            raise ActionError(f'no desktop to press keys on ({reason}): on Wayland set through = "uinput"') from error
        self._keys, self._code, self._buttons = keyboard.Key, keyboard.KeyCode, mouse.Button
        self._size = _screen()

    def press(self, kind: str, name: str, down: bool) -> None:
        """A key or a button goes down or up."""
        if kind == "button":
            button = self._buttons[name]
            (self._mouse.press if down else self._mouse.release)(button)
        else:
            key = self._keys[name] if name in KEYS else self._character(name)
            (self._keyboard.press if down else self._keyboard.release)(key)

    def _character(self, sign: str) -> Any:  # noqa: ANN401 - pynput's own
        """The key that bears a sign. Under X11 pynput only tells windows of it, which terminals and games ignore."""
        if not sys.platform.startswith("linux"):
            return sign
        # A letter's number in X11 is that of ASCII. A sign that needs Shift on this keyboard is left to pynput.
        code, shifted = self._keyboard.keyboard_mapping.get(ord(sign), (0, 1))
        return self._code.from_vk(ord(sign)) if code and not shifted else sign

    def turn(self, right: int, up: int) -> None:
        """The wheel turns by so many notches."""
        self._mouse.scroll(right, up)

    def point(self, axis: str, value: float) -> None:
        """The pointer goes there."""
        x, y = self._mouse.position
        width, height = self._size
        there = (round(value * (width - 1)), y) if axis == "x" else (x, round((1 - value) * (height - 1)))
        self._mouse.position = there


def _screen() -> tuple[int, int]:
    """Width and height of the main screen, pixels."""
    if sys.platform == "win32":
        import ctypes

        metrics = ctypes.windll.user32.GetSystemMetrics
        return metrics(0), metrics(1)
    if sys.platform == "darwin":
        import Quartz

        size = Quartz.CGDisplayBounds(Quartz.CGMainDisplayID()).size
        return int(size.width), int(size.height)
    from Xlib import display

    connection = display.Display()
    screen = connection.screen()
    connection.close()
    return screen.width_in_pixels, screen.height_in_pixels


class Kernel:
    """Wayland and the console, through the kernel's uinput: a keyboard and a pointer that look like real ones."""

    def __init__(self) -> None:
        try:
            from evdev import AbsInfo, UInput, ecodes

            self._codes = {name: getattr(ecodes, code) for name, code in {**KEYS, **SIGNS}.items()}
            self._buttons = {name: getattr(ecodes, code) for name, code in BUTTONS.items()}
            place = AbsInfo(value=0, min=0, max=STEPS, fuzz=0, flat=0, resolution=0)
            self._keyboard = UInput({ecodes.EV_KEY: list(self._codes.values())}, name="gestures keyboard")
            self._pointer = UInput(
                {
                    ecodes.EV_KEY: list(self._buttons.values()),
                    ecodes.EV_REL: [ecodes.REL_WHEEL, ecodes.REL_HWHEEL],
                    ecodes.EV_ABS: [(ecodes.ABS_X, place), (ecodes.ABS_Y, place)],
                },
                name="gestures pointer",
            )
        except Exception as error:
            raise ActionError(
                f"uinput did not open ({' '.join(str(error).split())[:120]}): modprobe uinput, and let your user write "
                "/dev/uinput (a udev rule, or the group input)"
            ) from error
        self._e = ecodes
        time.sleep(0.5)  # until the desktop has found the new devices

    def press(self, kind: str, name: str, down: bool) -> None:
        """A key or a button goes down or up."""
        device, codes = (self._pointer, self._buttons) if kind == "button" else (self._keyboard, self._codes)
        device.write(self._e.EV_KEY, codes[name], int(down))
        device.syn()

    def turn(self, right: int, up: int) -> None:
        """The wheel turns by so many notches."""
        for code, notches in ((self._e.REL_HWHEEL, right), (self._e.REL_WHEEL, up)):
            if notches:
                self._pointer.write(self._e.EV_REL, code, notches)
        self._pointer.syn()

    def point(self, axis: str, value: float) -> None:
        """The pointer goes there."""
        code = self._e.ABS_X if axis == "x" else self._e.ABS_Y
        self._pointer.write(self._e.EV_ABS, code, round((value if axis == "x" else 1 - value) * STEPS))
        self._pointer.syn()


class Hands:
    """Presses for several actions at once: a key that two of them hold comes up when the last lets go."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._held: Counter[tuple[str, str]] = Counter()

    def do(self, does: str, kind: str, names: list[str], value: float) -> None:
        """Carry out one order."""
        if kind == "axis":
            self._device.point(names[0], min(1.0, max(0.0, value)))
        elif kind == "wheel":
            self._device.turn(*WHEEL[names[0]])
        else:
            with ExitStack() as up:  # whatever a key raises, those that went down come up
                for name in names:
                    if does in ("tap", "down"):
                        self._down(kind, name)
                    if does in ("tap", "up"):
                        up.callback(self._up, kind, name)
                if does == "tap":
                    time.sleep(TAP_S)

    def let_go(self) -> None:
        """Everything comes up."""
        with ExitStack() as up:
            for kind, name in self._held:
                up.callback(self._device.press, kind, name, down=False)
        self._held.clear()

    def _down(self, kind: str, name: str) -> None:
        if not self._held[kind, name]:
            self._device.press(kind, name, down=True)
        self._held[kind, name] += 1

    def _up(self, kind: str, name: str) -> None:
        self._held[kind, name] -= 1
        if self._held[kind, name] <= 0:
            del self._held[kind, name]
            self._device.press(kind, name, down=False)


def main(through: str) -> None:
    """Answer each line of stdin with a line: "done", or what went wrong."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        hands = Hands(Kernel() if through == "uinput" else Desktop())
    except ActionError as error:
        _answer(str(error))
        return
    try:
        _answer("done")
        for line in sys.stdin:
            order: dict[str, Any] = json.loads(line)
            try:
                hands.do(**order)
            except Exception as error:  # noqa: BLE001 - whatever the desktop raises goes to the one who asked
                _answer(f"{type(error).__name__}: {' '.join(str(error).split())[:120]}")
            else:
                _answer("done")
    except OSError:
        pass  # nobody is left to answer
    finally:
        hands.let_go()


def _answer(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
