"""Sound: OSC messages, MIDI notes and controllers."""

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from gestures.errors import ActionError

from .fields import Table
from .orders import Mode, Order

LENGTH_S = 0.05
"""How long a tapped note sounds: shorter, and some synthesisers say nothing."""
CYCLE_S = 0.6
"""JACK takes what was sent at its next cycle; a port closed before that takes it along, and the note goes on."""
APIS = {"auto": None, "alsa": "LINUX_ALSA", "jack": "UNIX_JACK", "coremidi": "MACOSX_CORE", "windows": "WINDOWS_MM"}
"""Where MIDI ports are: our names -> rtmidi's."""


@dataclass(frozen=True, slots=True)
class Note:
    """A MIDI note, or a controller; `channel` 0 to 15, `velocity` of a note."""

    kind: str
    number: int
    channel: int
    velocity: int


@dataclass(frozen=True, slots=True)
class Port:
    """Where notes go: the port called `name`, or, None, a virtual one of our own; `through` is a key of `APIS`."""

    name: str | None
    through: str


VIRTUAL = Port(None, "auto")
"""A port of our own, wherever ports are."""


def read_osc(given: object, _mode: Mode) -> tuple[str, str]:
    """An OSC address; raise `ActionError` for what is none."""
    if not isinstance(given, str) or not given.startswith("/") or any(sign in given for sign in " #*,?[]{}"):
        raise ActionError(f'osc must be an address such as "/hand/height", not {given!r}')
    return given, f"OSC {given}"


def read_osc_settings(table: Table) -> tuple[str, int]:
    """Host and port that listen for OSC."""
    return table.text("host", "127.0.0.1") or "", table.whole("port", 1, 65535, 9000)


def read_midi(given: object, mode: Mode) -> tuple[Note, str]:
    """A note or a controller; raise `ActionError` for anything else."""
    table = Table("midi", given if isinstance(given, dict) else {})
    kinds = [kind for kind in ("note", "control") if table.has(kind)]
    if len(kinds) != 1:
        raise ActionError("midi must be a note or a control, such as { note = 60 } or { control = 7, channel = 2 }")
    if mode == "analogue" and kinds != ["control"]:
        raise ActionError("a midi note takes no analogue values: take { control = 7 }")
    number = table.whole(kinds[0], 0, 127, 0)
    note = Note(kinds[0], number, table.whole("channel", 1, 16, 1) - 1, table.whole("velocity", 1, 127, 100))
    table.done()
    return note, f"MIDI {note.kind} {note.number} on channel {note.channel + 1}"


def read_midi_settings(table: Table) -> Port:
    """The port."""
    return Port(table.text("port"), table.choice("through", tuple(APIS), "auto"))


class Osc:
    """Sends each order as one float: 1 for tap and down, 0 for up, else the value. UDP: nobody says that it arrived."""

    def __init__(self, place: tuple[str, int]) -> None:
        from pythonosc.udp_client import SimpleUDPClient

        self._opened = ExitStack()
        try:
            self._client = self._opened.enter_context(SimpleUDPClient(*place))
        except OSError as error:
            raise ActionError(f"OSC has no way to {place[0]}:{place[1]} ({error.strerror}): mend [osc]") from error

    def do(self, order: Order) -> None:
        """Send it."""
        self._client.send_message(order.action.what, order.value)

    def close(self) -> None:
        """Close the socket."""
        self._opened.close()


class Midi:
    """Plays notes and turns controllers; a tapped note ends by itself, and what still sounds ends with it all."""

    def __init__(self, port: Port) -> None:
        import mido

        api = APIS[port.through]
        backend = mido.Backend("mido.backends.rtmidi" + (f"/{api}" if api else ""))
        self._message = mido.Message
        try:
            names = [] if port.name is None else backend.get_output_names()
            name = next((each for each in names if port.name is not None and port.name in each), "gestures")
            if port.name is not None and name not in names:
                raise ActionError(f"there is no MIDI port {port.name!r}: {', '.join(names) or 'none at all'}")
            self._port: Any = backend.open_output(name, virtual=port.name is None)
        except ActionError:
            raise
        except Exception as error:
            reason = " ".join(str(error).split())[:100]
            raise ActionError(
                f"no MIDI port opened ({reason}): name one in [midi] port, or start the sound system"
            ) from error
        self._lock = threading.RLock()
        self._sounding: set[Note] = set()
        self._ends: dict[Note, threading.Timer] = {}

    def do(self, order: Order) -> None:
        """Play it. Never waits: a tap is over after `LENGTH_S`, and other notes may begin meanwhile."""
        note: Note = order.action.what
        with self._lock:
            if order.does == "value":
                self._control(note, round(min(127.0, max(0.0, order.value))))
                return
            self._release(note)
            if order.does in ("tap", "down"):
                self._press(note)
            if order.does == "tap":
                self._ends[note] = threading.Timer(LENGTH_S, self._release, (note,))
                self._ends[note].start()

    def close(self) -> None:
        """End the notes, then the port."""
        with self._lock:
            ends, sounding = list(self._ends.values()), list(self._sounding)
            for note in sounding:
                self._release(note)
        for end in ends:
            end.join()
        if sounding:
            time.sleep(CYCLE_S)
        self._port.close()

    def _control(self, note: Note, value: int) -> None:
        self._port.send(self._message("control_change", channel=note.channel, control=note.number, value=value))

    def _press(self, note: Note) -> None:
        self._sounding.add(note)
        if note.kind == "control":
            self._control(note, 127)
        else:
            self._port.send(self._message("note_on", channel=note.channel, note=note.number, velocity=note.velocity))

    def _release(self, note: Note) -> None:
        """End it, if it sounds."""
        with self._lock:
            end = self._ends.pop(note, None)
            if end is not None:
                end.cancel()
            if note not in self._sounding:
                return
            self._sounding.discard(note)
            if note.kind == "control":
                self._control(note, 0)
            else:
                self._port.send(self._message("note_off", channel=note.channel, note=note.number))
