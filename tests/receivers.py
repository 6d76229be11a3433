"""Real receivers of what gestures do: for the tests, and for scripts/measure_actions.py.

Each of `RECEIVERS` is entered with a folder; it gives the text of an actions file, and a function to call once that
file is at work. This gives another, which waits for the next order and returns the moment (`time.perf_counter`) of its
receipt. `LookupError` says what is missing.
"""

import asyncio
import contextlib
import http.client
import http.server
import importlib.util
import json
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
    return lambda: lambda: got.get(timeout=20)


def _needs(library, *programs):
    for program in programs:
        if shutil.which(program) is None:
            raise LookupError(f"{program} is not installed")
    if importlib.util.find_spec(library) is None:
        raise LookupError(f"the library {library} is not installed")


def free_port():
    """A TCP port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(true, timeout_s=20):
    """What `true` gives, as soon as that is true, or at last."""
    until = time.monotonic() + timeout_s
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()


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

        yield _entry(f'command = ["{sys.executable}", "-S", "-E", "{script}"]'), lambda: receipt


@contextlib.contextmanager
def python(place):
    """A function that is called."""
    (place / "take.py").write_text(
        "import queue, time\ngot = queue.Queue()\ndef take(_):\n    got.put(time.perf_counter())\n"
        "import sys\nsys.modules['gestures_receiver'] = sys.modules.get('gestures_receiver') or type(sys)('r')\n"
        "sys.modules['gestures_receiver'].got = got\n"
    )
    yield _entry('python = "take.py:take"'), lambda: lambda: sys.modules["gestures_receiver"].got.get(timeout=20)


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

        yield f"[osc]\nport = {ear.getsockname()[1]}\n" + _entry('osc = "/go"'), lambda: receipt


@contextlib.contextmanager
def jack():
    """A JACK without a sound card, as this machine's MIDI; it looks every 256 / 48,000 s."""
    _needs("rtmidi", "jackd", "jack_lsp")
    words = ["jackd", "--no-realtime", "-d", "dummy", "-r", "48000", "-p", "256"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            if not wait_until(lambda: subprocess.run(["jack_lsp"], capture_output=True, check=False).returncode == 0):
                raise LookupError("jackd did not start")
            yield
        finally:
            server.terminate()


@contextlib.contextmanager
def midi(_place):
    """A MIDI port of JACK."""
    with jack():
        import mido

        got = queue.Queue()
        ear = mido.Backend("mido.backends.rtmidi/UNIX_JACK").open_input("ear", virtual=True)
        ear.callback = lambda message: got.put(time.perf_counter()) if message.type == "note_on" else None
        yield '[midi]\nport = "ear"\nthrough = "jack"\n' + _entry("midi = { note = 60 }"), _waiting(got)
        ear.close()


@contextlib.contextmanager
def mqtt(place):
    """A reader at a mosquitto of our own."""
    _needs("paho", "mosquitto")
    from test_actions_mqtt import broker, reader, settings

    with broker(place) as made, reader(made.port, "gestures/blinds") as got:

        def receipt():
            while not got:
                time.sleep(0.0001)
            got.clear()
            return time.perf_counter()

        yield settings(made.port), lambda: receipt


@contextlib.contextmanager
def x_server(size="800x600"):
    """An X server of our own: its name."""
    _needs("Xlib", "Xvfb")
    words = ["Xvfb", "-displayfd", "1", "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            yield f":{server.stdout.readline().strip()}"
        finally:
            server.terminate()


def x_window(there, size=(800, 600)):
    """A window of the X connection `there` that has the keyboard, and hears keys and buttons."""
    from Xlib import X

    mask = X.KeyPressMask | X.KeyReleaseMask | X.ButtonPressMask | X.ButtonReleaseMask | X.StructureNotifyMask
    window = there.screen().root.create_window(0, 0, *size, 0, there.screen().root_depth, event_mask=mask)
    window.map()
    while there.next_event().type != X.MapNotify:
        pass
    window.set_input_focus(X.RevertToParent, X.CurrentTime)
    there.sync()
    return window


@contextlib.contextmanager
def _pressed(words, name_of_type):
    """A client of an X server, that waits for one type of X events."""
    with x_server() as name:
        from Xlib import X, display

        there = display.Display(name)
        x_window(there)

        def receipt():
            while there.next_event().type != getattr(X, name_of_type):
                pass
            return time.perf_counter()

        with _environment("DISPLAY", name):
            yield '[keys]\nthrough = "pynput"\n' + _entry(words), lambda: receipt
        there.close()


def keys(_place):
    """A window that has the keyboard."""
    return _pressed('keys = "a"', "KeyPress")


def mouse(_place):
    """A window that the pointer is over."""
    return _pressed('mouse = "left"', "ButtonPress")


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


@contextlib.contextmanager
def sse(_place):
    """A reader of server-sent events."""
    _needs("aiohttp")
    port, opened = free_port(), contextlib.ExitStack()

    def listen():
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        opened.callback(line.close)
        line.request("GET", "/events?token=s3cret")
        answer = line.getresponse()
        answer.readline()  # hello

        def receipt():
            while b'"event"' not in answer.readline():
                pass
            return time.perf_counter()

        return receipt

    with _environment("GESTURES_TEST_TOKEN", "s3cret"), opened:
        yield _site(port), listen


@contextlib.contextmanager
def websocket(_place):
    """A client of the WebSocket, on a thread of its own."""
    _needs("aiohttp")
    port, got, threads = free_port(), queue.Queue(), []

    async def hear():
        import aiohttp

        address = f"ws://127.0.0.1:{port}/ws?token=s3cret"
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as line:
            async for message in line:
                got.put((json.loads(message.data)["type"], time.perf_counter()))

    def listen():
        threads.append(threading.Thread(target=lambda: asyncio.run(hear())))
        threads[0].start()
        assert got.get(timeout=20)[0] == "hello"
        return lambda: got.get(timeout=20)[1]

    with _environment("GESTURES_TEST_TOKEN", "s3cret"):
        yield _site(port), listen
    for thread in threads:
        thread.join(20)  # the layer has closed the line


def _site(port):
    return f'[web]\nport = {port}\ntoken = {{ env = "GESTURES_TEST_TOKEN" }}\nsend = ["events"]\n'


RECEIVERS = {
    "keys": keys,
    "mouse": mouse,
    "mqtt": mqtt,
    "osc": osc,
    "midi": midi,
    "websocket": websocket,
    "sse": sse,
    "webhook": webhook,
    "command": command,
    "python": python,
}
"""Each receiver, by the target it receives from."""
