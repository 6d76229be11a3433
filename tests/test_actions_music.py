"""OSC and MIDI against real receivers: a UDP server of python-osc, a port of a running JACK."""

import contextlib
import socket
import subprocess
import sys
import threading

import pytest
import receivers
from conftest import hand
from receivers import wait_until
from test_actions import event, plan

from gestures import ActionError, Actions


@pytest.fixture
def listener():
    """The port of an OSC server, and what it has received."""
    pytest.importorskip("pythonosc", reason="needs: pip install python-osc")
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_server import ThreadingOSCUDPServer

    got, dispatcher = [], Dispatcher()
    dispatcher.set_default_handler(lambda address, *values: got.append((address, *values)))
    with ThreadingOSCUDPServer(("127.0.0.1", 0), dispatcher) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_address[1], got
        server.shutdown()
        thread.join()


def test_osc_addresses_and_values_at_frame_rate(tmp_path, listener):
    port, got = listener
    text = (
        f'[osc]\nport = {port}\n[[action]]\ngesture = "go"\nmode = "hold"\nosc = "/go"\n'
        '[[action]]\nmode = "analogue"\nvalue = "x"\nease_s = 0\nrange = [0, 100]\nosc = "/hand/x"\n'
    )
    with Actions(plan(tmp_path, text), print) as acting:
        for n in range(30):
            before = len(got)
            acting.push([], {0: hand(at=(n / 30, 0.5))}, n / 30)
            assert wait_until(lambda before=before: len(got) > before)
        acting.push([event(1.0)], {}, 1.0)
        acting.push([event(2.0, "ended")], {}, 2.0)
        assert wait_until(lambda: len(got) == 32)
    values = [value for address, value in got if address == "/hand/x"]
    assert len(values) == 30
    # The hand goes to the camera's right, which is to the person's left.
    assert values == sorted(values, reverse=True)
    assert values[0] - values[-1] == pytest.approx(97, abs=8)
    assert sorted(got[-2:]) == [("/go", 0.0), ("/go", 1.0)]


@pytest.fixture(scope="module")
def jack():
    """A JACK of our own; skips where there is none to start."""
    with contextlib.ExitStack() as opened:
        try:
            opened.enter_context(receivers.jack())
        except LookupError as error:
            pytest.skip(f"{error}: apt install jackd2, pip install python-rtmidi")
        yield


@pytest.mark.usefixtures("jack")
def test_notes_and_controllers_on_a_virtual_port(tmp_path):
    import mido

    text = (
        '[midi]\nthrough = "jack"\n[[action]]\ngesture = "go"\nmode = "hold"\nmidi = { note = 60, velocity = 90 }\n'
        '[[action]]\ngesture = "tap"\nmidi = { note = 36, channel = 10 }\n'
        '[[action]]\ngesture = "pinch"\nmode = "analogue"\nvalue = "x"\nease_s = 0\nmidi = { control = 7 }\n'
    )
    backend, got = mido.Backend("mido.backends.rtmidi/UNIX_JACK"), []
    with Actions(plan(tmp_path, text), print) as acting:
        name = next(each for each in backend.get_input_names() if "gestures" in each)
        heard = backend.open_input(name, callback=got.append)
        acting.push([event(1.0, gesture="pinch", number=3)], {3: hand(at=(0.25, 0.5))}, 1.0)
        assert wait_until(lambda: len(got) == 1)
        acting.push([event(2.0)], {}, 2.0)
        acting.push([event(3.0, gesture="tap")], {}, 3.0)
        assert wait_until(lambda: len(got) == 4), got
    # What still sounds when we go is ended.
    wait_until(lambda: len(got) == 5)
    heard.close()
    assert got[0].type == "control_change"
    assert (got[0].control, got[0].channel) == (7, 0)
    assert got[0].value == pytest.approx(0.75 * 127, abs=3)
    notes = [(message.type, message.note, message.channel) for message in got[1:]]
    assert notes == [("note_on", 60, 0), ("note_on", 36, 9), ("note_off", 36, 9), ("note_off", 60, 0)]
    assert got[1].velocity == 90


def test_no_midi_is_one_sentence(tmp_path):
    pytest.importorskip("rtmidi", reason="needs: pip install python-rtmidi")
    text = '[midi]\nport = "no such port"\nthrough = "{}"\n[[action]]\ngesture = "go"\nmidi = {{ note = 60 }}\n'
    code = (
        "import sys\nfrom gestures import *\n"
        "try:\n  Actions(load_plan(sys.argv[1]), print).__enter__()\nexcept ActionError as e: print(e)"
    )
    plan(tmp_path, text.format("alsa" if sys.platform.startswith("linux") else "auto"))
    words = [sys.executable, "-c", code, str(tmp_path / "actions.toml")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "MIDI port" in done.stdout
    assert done.stdout.count("\n") == 1


def test_osc_to_nowhere_is_one_sentence(tmp_path):
    pytest.importorskip("pythonosc", reason="needs: pip install python-osc")
    text = '[osc]\nhost = "no such host"\n[[action]]\ngesture = "go"\nosc = "/go"\n'
    with pytest.raises(ActionError, match="mend \\[osc\\]"), Actions(plan(tmp_path, text), print):
        pass
    with socket.socket(type=socket.SOCK_DGRAM) as probe:  # nobody listens there, and nobody minds
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Actions(plan(tmp_path, text.replace('host = "no such host"', f"port = {port}")), print) as acting:
        acting.push([event(1)], {}, 1.0)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('osc = "hand"', "must be an address"),
        ('osc = "/hand/*"', "must be an address"),
        ("midi = { note = 128 }", "from 0 to 127"),
        ("midi = { note = 60, control = 7 }", "a note or a control"),
        ("midi = { note = 60, canal = 1 }", "perhaps channel"),
        ('midi = { note = 60 }\nmode = "analogue"', "no analogue values"),
        ("midi = 60", "such as { note = 60 }"),
    ],
)
def test_unclear_music_is_one_sentence(tmp_path, line, told):
    with pytest.raises(ActionError, match=told):
        plan(tmp_path, f'[[action]]\ngesture = "go"\n{line}\n')
