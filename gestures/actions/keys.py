"""Keys and the mouse, pressed by a small process of its own, which lets go of everything however this one ends."""

import json
import os
import subprocess
import sys
import threading
import time
from typing import Any

from gestures.errors import ActionError

from .fields import Table, like
from .keynames import AXES, BUTTONS, KEYS, SIGNS, WHEEL
from .needs import library
from .orders import Mode, Order

START_S = 30.0
"""A helper that is not ready by then is ended; it takes about half a second."""
THROUGH = ("auto", "pynput", "uinput")


def read_keys(given: object, mode: Mode) -> tuple[tuple[str, tuple[str, ...]], str]:
    """The keys of "ctrl+shift+right", pressed in that order; raise `ActionError` for names unknown."""
    if mode == "analogue":
        raise ActionError("keys take no analogue values: take another mode")
    if not isinstance(given, str) or not given:
        raise ActionError(f'keys must be a text such as "ctrl+right", not {given!r}')
    names = tuple(given.split("+"))
    for name in names:
        if name not in KEYS and name not in SIGNS:
            shifted = f": write shift+{name.lower()}" if name.lower() in SIGNS else like(name, sorted(KEYS))
            raise ActionError(f"keys: {name!r} is no key{shifted}")
    return ("key", names), f"keys {given}"


def read_mouse(given: object, mode: Mode) -> tuple[tuple[str, tuple[str, ...]], str]:
    """A button, a turn of the wheel, or an axis for an analogue value; raise `ActionError` for anything else."""
    if mode == "analogue":
        if given not in AXES:
            raise ActionError(f"an analogue mouse is one of {', '.join(AXES)}, not {given!r}")
        return ("axis", (str(given),)), f"mouse {given}"
    if isinstance(given, str) and given in BUTTONS:
        return ("button", (str(given),)), f"mouse button {given}"
    if isinstance(given, str) and given in WHEEL and mode in ("tap", "repeat"):
        return ("wheel", (str(given),)), f"mouse {given}"
    choices = [*BUTTONS, *(WHEEL if mode in ("tap", "repeat") else ())]
    raise ActionError(f"mouse, mode {mode}: {given!r} is not one of {', '.join(choices)}")


def read_settings(table: Table) -> str:
    """Which library presses: "pynput" (X11, Windows, macOS) or "uinput" (Wayland, console); "auto" looks."""
    through = table.choice("through", THROUGH, "auto")
    if through != "auto" or not sys.platform.startswith("linux"):
        return "pynput" if through == "auto" else through
    bare = os.environ.get("WAYLAND_DISPLAY") or not os.environ.get("DISPLAY")
    return "uinput" if bare else "pynput"


def missing(through: str) -> list[str]:
    """What pressing needs and is not here, a line each: the library, a desktop or the kernel's uinput."""
    package = "evdev" if through == "uinput" else "pynput"
    lacks = [library("keys", package, package)]
    if through == "uinput" and not os.access("/dev/uinput", os.W_OK):
        lacks.append(
            "keys go through /dev/uinput here: sudo modprobe uinput, and let your user write that file (udev rule)"
        )
    elif through == "pynput" and sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        lacks.append('keys need a desktop, and DISPLAY is not set: start it there, or set [keys] through = "uinput"')
    return [line for line in lacks if line is not None]


class Keys:
    """Hands orders to the helper, and waits for its word on each."""

    def __init__(self, through: str) -> None:
        self._through = through
        self._started = 0.0
        self._helper = self._start()

    def do(self, order: Order) -> None:
        """Press; raise `ActionError` with the helper's reason where that failed."""
        if self._helper.poll() is not None:
            if time.monotonic() - self._started < 1:
                raise ActionError("the helper that presses keys has ended")
            self._helper = self._start()
        kind, names = order.action.what
        answer = self._ask({"does": order.does, "kind": kind, "names": names, "value": order.value})
        if answer != "done":
            raise ActionError(answer or "the helper that presses keys has ended")

    def close(self) -> None:
        """End the helper: it lets go of what is down."""
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        try:
            self._helper.stdin.close()
            self._helper.wait(2)
        except (OSError, subprocess.TimeoutExpired):
            self._helper.kill()
            self._helper.wait()
        self._helper.stdout.close()

    def _start(self) -> "subprocess.Popen[str]":
        self._started = time.monotonic()
        # A session of its own: what is sent to the whole group of this process does not reach it.
        self._helper = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "gestures.actions.keyboard", self._through],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        ending = threading.Timer(START_S, self._helper.kill)
        ending.start()
        answer = self._ask(None)
        ending.cancel()
        ending.join()
        if answer != "done":
            self.close()
            raise ActionError(answer or "the helper that presses keys did not start")
        return self._helper

    def _ask(self, message: dict[str, Any] | None) -> str:
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        try:
            if message is not None:
                self._helper.stdin.write(json.dumps(message) + "\n")
                self._helper.stdin.flush()
            return self._helper.stdout.readline().strip()
        except OSError:
            return ""
