"""Real receivers of what gestures do, for scripts/measure_actions.py: each gives an actions file, and waits.

A receiver is entered with a folder; it gives the text of an actions file, and a function that returns the moment
(`time.perf_counter`) at which the next order was received. `LookupError` says what is missing.
"""

import contextlib
import http.server
import os
import queue
import shutil
import socket
import subprocess
import sys
import threading
import time


def _entry(words):
    return f'[[action]]\ngesture = "go"\n{words}\n'


def _waiting(got):
    return lambda: got.get(timeout=20)


@contextlib.contextmanager
def command(place):
    """A program that sends a datagram as soon as it runs."""
    with socket.socket(type=socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(20)
        script = place / "say.py"
        script.write_text(f"import socket\nsocket.socket(type=socket.SOCK_DGRAM).sendto(b'x', {ear.getsockname()!r})\n")

        def receipt():
            ear.recv(1)
            return time.perf_counter()

        yield _entry(f'command = ["{sys.executable}", "-S", "-E", "{script}"]'), receipt


@contextlib.contextmanager
def python(place):
    """A function that is called."""
    (place / "take.py").write_text(
        "import queue, time\ngot = queue.Queue()\ndef take(_):\n    got.put(time.perf_counter())\n"
        "import sys\nsys.modules['gestures_receiver'] = sys.modules.get('gestures_receiver') or type(sys)('r')\n"
        "sys.modules['gestures_receiver'].got = got\n"
    )
    yield _entry('python = "take.py:take"'), lambda: sys.modules["gestures_receiver"].got.get(timeout=20)


@contextlib.contextmanager
def webhook(_place):
    """An HTTP server."""
    got = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.put(time.perf_counter())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield _entry(f'webhook = "http://127.0.0.1:{server.server_address[1]}/"'), _waiting(got)
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def osc(_place):
    """A socket that hears OSC's datagrams."""
    with socket.socket(type=socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(20)

        def receipt():
            ear.recv(100)
            return time.perf_counter()

        yield f"[osc]\nport = {ear.getsockname()[1]}\n" + _entry('osc = "/go"'), receipt


@contextlib.contextmanager
def mqtt(place):
    """A reader at a mosquitto of our own."""
    if shutil.which("mosquitto") is None:
        raise LookupError("mosquitto is not installed")
    from test_actions_mqtt import broker, reader, settings

    with broker(place) as made, reader(made.port, "gestures/blinds") as got:

        def receipt():
            while not got:
                time.sleep(0.0001)
            got.clear()
            return time.perf_counter()

        yield settings(made.port), receipt


@contextlib.contextmanager
def keys(_place):
    """A client of an X server of our own, whose window has the keyboard."""
    if shutil.which("Xvfb") is None:
        raise LookupError("Xvfb is not installed")
    from Xlib import X, display

    words = ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            name = f":{server.stdout.readline().strip()}"
            there = display.Display(name)
            root = there.screen().root
            mask = X.KeyPressMask | X.StructureNotifyMask
            window = root.create_window(0, 0, 640, 480, 0, there.screen().root_depth, event_mask=mask)
            window.map()
            while there.next_event().type != X.MapNotify:
                pass
            window.set_input_focus(X.RevertToParent, X.CurrentTime)
            there.sync()

            def receipt():
                while there.next_event().type != X.KeyPress:
                    pass
                return time.perf_counter()

            with _environment("DISPLAY", name):
                yield '[keys]\nthrough = "pynput"\n' + _entry('keys = "a"'), receipt
        finally:
            server.terminate()


@contextlib.contextmanager
def _environment(name, value):
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


RECEIVERS = {"keys": keys, "mqtt": mqtt, "osc": osc, "webhook": webhook, "command": command, "python": python}
"""Each receiver, by the target it receives from."""
