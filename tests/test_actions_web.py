"""Web pages, a browser among them, and webhooks: real clients and servers, on this machine only."""

import asyncio
import contextlib
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, hand
from receivers import free_port
from test_actions import event, plan

from gestures import ActionError, Actions, Scores
from gestures.actions import calls
from gestures.actions.web import ROOM

LABELS = ("rest", "go")


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A running site: its port, and a function that pushes an event and a hand."""
    pytest.importorskip("aiohttp", reason="needs: pip install aiohttp")
    monkeypatch.setenv("TEST_TOKEN", "s3cret")
    port, told = free_port(), []
    page = tmp_path / "page.html"
    page.write_text((REPOSITORY / "examples" / "page.html").read_text("utf-8"))
    text = f'[web]\nport = {port}\ntoken = {{ env = "TEST_TOKEN" }}\npage = "page.html"\n'
    text += 'origins = ["http://good.example"]\n'
    with Actions(plan(tmp_path, text), told.append, LABELS) as acting:

        def push(n, times=1):
            scores = {0: Scores(n, np.array([0.25, 0.75], np.float32))}
            acting.push([event(n)] * times, {0: hand()}, float(n), scores)

        yield port, push, told
    assert "s3cret" not in "".join(told)


def get(port, path="/", host="127.0.0.1", **headers):
    """The answer's code and its first bytes."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": f"{host}:{port}", **headers})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read(100).decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_wrong_tokens_foreign_origins_and_other_names_are_refused(site):
    port, _, _ = site
    good = "?token=s3cret"
    assert get(port, "/" + good)[0] == 200
    assert get(port, "/", Authorization="Bearer s3cret")[0] == 200
    assert get(port, "/" + good, host="localhost")[0] == 200
    assert get(port, "/" + good, Origin="http://good.example")[0] == 200
    for path in ("/", "/events", "/ws"):
        assert get(port, path) == (401, "wrong token")
        assert get(port, path + "?token=s3cret2") == (401, "wrong token")
        assert get(port, path + "?token=s3cre%C3%9F") == (401, "wrong token")
        assert get(port, path + good, Origin="http://evil.example") == (403, "foreign origin")
        assert get(port, path + good, Origin="null") == (403, "foreign origin")
        assert get(port, path + good, host="evil.example") == (403, "wrong host")


def test_a_part_of_the_token_and_an_origin_that_begins_alike_are_refused(site):
    port, _, _ = site
    for token in ("s", "s3cre", "", "S3CRET", "s3cret%00"):
        assert get(port, f"/?token={token}") == (401, "wrong token")
    good = "/?token=s3cret"
    for origin in (
        "http://good.example.evil",
        "http://good.example:81",
        "https://good.example",
        f"http://127.0.0.1:{port}1",
    ):
        assert get(port, good, Origin=origin) == (403, "foreign origin")
    assert get(port, good, Origin=f"http://127.0.0.1:{port}")[0] == 200
    assert get(port, good, Origin=f"http://localhost:{port}")[0] == 200


def headers(port, path, **sent):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}?token=s3cret", headers=sent)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.headers


def test_only_the_origins_named_may_read_and_nobody_keeps_the_page(site):
    port, _, _ = site
    for path in ("/", "/events"):
        told = headers(port, path, Origin="http://good.example")
        assert told["Access-Control-Allow-Origin"] == "http://good.example"
        assert headers(port, path)["Access-Control-Allow-Origin"] is None
    assert headers(port, "/")["Referrer-Policy"] == "no-referrer"  # the address holds the token
    assert headers(port, "/")["Cache-Control"] == "no-store"


def test_a_burst_comes_whole_and_in_order_and_of_pictures_the_newest(site):
    port, push, _ = site
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/events?token=s3cret", timeout=20) as answer:
        answer.readline()
        for n in range(100):
            push(n)
        told = []
        while not told or told[-1] != {"frame": 99.0}:
            line = answer.readline()
            if line.startswith(b"data"):
                about = json.loads(line[6:])
                told.append({about["type"]: about["time"]})
    assert [each["event"] for each in told if "event" in each] == [float(n) for n in range(100)]
    frames = [each["frame"] for each in told if "frame" in each]
    assert frames == sorted(frames)


def test_what_was_not_asked_for_is_not_sent(tmp_path, monkeypatch):
    pytest.importorskip("aiohttp", reason="needs: pip install aiohttp")
    monkeypatch.setenv("TEST_TOKEN", "s3cret")
    scores = {0: Scores(1.0, np.array([0.25, 0.75], np.float32))}
    for sends, types, keys in (
        (["events"], ["hello", "event", "event"], set()),
        (["scores"], ["hello", "frame", "frame"], {"hand", "side", "scores"}),
        (["landmarks"], ["hello", "frame", "frame"], {"hand", "side", "image"}),
    ):
        port = free_port()
        text = f'[web]\nport = {port}\ntoken = {{ env = "TEST_TOKEN" }}\nsend = {json.dumps(sends)}\n'
        with Actions(plan(tmp_path, text), lambda _: None, LABELS) as acting:
            address = f"http://127.0.0.1:{port}/events?token=s3cret"
            with urllib.request.urlopen(address, timeout=20) as answer:
                told = []
                while len(told) < len(types):
                    line = answer.readline()
                    if line.startswith(b"data"):
                        told.append(json.loads(line[6:]))
                        acting.push([event(1)], {0: hand()}, 1.0, scores)
        assert [each["type"] for each in told] == types
        assert {key for each in told for seen in each.get("hands", []) for key in seen} == keys


def test_only_this_machine_is_served(site):
    port, _, _ = site
    if not Path("/proc/net/tcp").exists():
        pytest.skip("the system's list of listeners is read from /proc")
    lines = Path("/proc/net/tcp").read_text().splitlines()
    listening = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    assert [place for place in listening if place.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]


def test_a_websocket_is_told_events_landmarks_and_scores(site):
    import aiohttp

    port, push, _ = site

    async def listen():
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"ws://127.0.0.1:{port}/ws?token=s3cret") as ws,
        ):
            told = [json.loads((await ws.receive(20)).data)]
            push(1)
            told += [json.loads((await ws.receive(20)).data) for _ in range(2)]
            return told

    hello, happened, frame = asyncio.run(listen())
    assert hello == {"type": "hello", "labels": list(LABELS)}
    assert happened == {"type": "event"} | event(1.0).json()
    (seen,) = frame["hands"]
    assert (seen["hand"], seen["side"], seen["scores"]) == (0, "right", [0.25, 0.75])
    assert np.allclose(seen["image"], hand().image, atol=1e-4)


def test_server_sent_events_tell_the_same(site):
    port, push, _ = site
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/events?token=s3cret", timeout=20) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        lines = [answer.readline(), answer.readline()]
        push(1)
        lines += [answer.readline() for _ in range(4)]
    assert [json.loads(line[6:])["type"] for line in lines[::2]] == ["hello", "event", "frame"]
    assert lines[1::2] == [b"\n"] * 3


def test_a_page_that_does_not_listen_delays_nobody_and_is_cut_off(site):
    port, push, told = site
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", port))
        deaf.sendall(f"GET /events?token=s3cret HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        until, n = time.monotonic() + 60, 0
        while not any("cut off" in line for line in told) and time.monotonic() < until:
            push(n, ROOM // 2)
            n += 1
            time.sleep(0.01)
        assert any("cut off" in line for line in told)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/events?token=s3cret", timeout=20) as answer:
        assert b"hello" in answer.readline()


@contextlib.contextmanager
def browsing(browser, address, log):
    """A headless browser at an address, and where its debugger listens."""
    words = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", address]
    with log.open("wb") as out, subprocess.Popen(words, stderr=out, start_new_session=True) as process:
        try:
            found, until = None, time.monotonic() + 60
            while found is None and process.poll() is None and time.monotonic() < until:
                time.sleep(0.05)
                found = re.search(r"DevTools listening on ws://([^/]+)/", log.read_text("utf-8", "replace"))
            assert found, log.read_text("utf-8", "replace")[-1000:]
            yield found[1]
        finally:
            os.killpg(process.pid, signal.SIGKILL)


async def seen_by(debugger, address, script, wanted):
    """What `script` gives in the browser's page, as soon as it holds `wanted`, or at last."""
    import aiohttp

    text = ""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60)) as session:
        pages = await (await session.get(f"http://{debugger}/json")).json()
        (page,) = (each for each in pages if each["url"] == address)
        async with session.ws_connect(page["webSocketDebuggerUrl"]) as tools:
            for n in range(200):
                await tools.send_json({"id": n, "method": "Runtime.evaluate", "params": {"expression": script}})
                text = (await tools.receive_json(timeout=60))["result"]["result"].get("value", "")
                if wanted in text:
                    break
                await asyncio.sleep(0.1)
    return text


def test_the_example_page_in_a_browser(site, tmp_path):
    names = ("chromium-headless-shell", "chromium", "google-chrome")
    browser = next((found for found in map(shutil.which, names) if found), None)
    if browser is None:
        pytest.skip("no headless Chromium is installed: apt install chromium-headless-shell")
    port, push, _ = site
    assert len((REPOSITORY / "examples" / "page.html").read_text("utf-8").splitlines()) == 30
    ending = threading.Event()

    def feed():
        n = 0
        while not ending.wait(0.05):
            push(n)
            n += 1

    thread = threading.Thread(target=feed)
    thread.start()
    # The words of the page, and how many points of the canvas are painted.
    script = (
        "document.body.innerText + ' ' + document.querySelector('canvas').getContext('2d')"
        ".getImageData(0, 0, 480, 360).data.filter((v, i) => i % 4 === 3 && v).length"
    )
    try:
        address = f"http://127.0.0.1:{port}/?token=s3cret"
        with browsing(browser, address, tmp_path / "log") as debugger:
            text = asyncio.run(seen_by(debugger, address, script, "right hand"))
    finally:
        ending.set()
        thread.join()
    assert "go began (right)" in text
    assert "right hand: go 0.75" in text
    assert int(text.split()[-1]) > 100


def test_a_port_that_is_taken_is_one_sentence(tmp_path, monkeypatch):
    pytest.importorskip("aiohttp", reason="needs: pip install aiohttp")
    monkeypatch.setenv("TEST_TOKEN", "s3cret")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = f'[web]\nport = {port}\ntoken = {{ env = "TEST_TOKEN" }}\n'
        with pytest.raises(ActionError, match="is taken"), Actions(plan(tmp_path, text), print):
            pass


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("", "must not stand in the file"),
        ('token = "s3cret"\n', "must not stand in the file"),
        ('token = { env = "A" }\nsend = ["all"]\n', "may hold events"),
        ('token = { env = "A" }\nhost = "0.0.0.0"\n', "means nothing here"),
    ],
)
def test_an_unclear_site_is_one_sentence(tmp_path, table, told):
    with pytest.raises(ActionError, match=told) as caught:
        plan(tmp_path, "[web]\n" + table)
    assert "s3cret" not in str(caught.value)


@contextlib.contextmanager
def receiver(answer=200, location=None):
    """An HTTP server: its port, and the POSTs that it got as (path, headers, body)."""
    got = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, dict(self.headers), json.loads(body)))
            self.send_response(answer)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the library's name

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1], got
        finally:
            server.shutdown()
            thread.join()


def test_a_webhook_is_posted_with_its_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_TOKEN", "Bearer s3cret")
    with receiver() as (port, got):
        monkeypatch.setenv("TEST_HOOK", f"http://127.0.0.1:{port}/secret-path")
        text = (
            '[webhook]\nauthorization = { env = "TEST_TOKEN" }\n'
            f'[[action]]\ngesture = "go"\nname = "n"\nwebhook = "http://127.0.0.1:{port}/a?b=c"\n'
            '[[action]]\ngesture = "go"\nmode = "hold"\nwebhook = { env = "TEST_HOOK" }\n'
        )
        actions = plan(tmp_path, text)
        with Actions(actions, print) as acting:
            acting.push([event(1.0)], {}, 1.0)
    assert [path for path, _, _ in got] == ["/a?b=c", "/secret-path", "/secret-path"]
    assert [body["does"] for _, _, body in got] == ["tap", "down", "up"]
    assert got[0][1]["Authorization"] == "Bearer s3cret"
    assert got[0][1]["Content-Type"] == "application/json"
    assert got[0][2] == {"name": "n", "does": "tap", "value": 1.0, "time": 1.0, "event": event(1.0).json()}
    assert "secret-path" not in "".join(actions.sentences())


@pytest.mark.parametrize("answer", [302, 307, 404, 500])
def test_a_webhook_that_is_not_taken_is_lost_and_followed_nowhere(tmp_path, answer):
    told = []
    with receiver() as (other, elsewhere), receiver(answer, f"http://127.0.0.1:{other}/") as (port, got):
        text = f'[[action]]\ngesture = "go"\nwebhook = "http://127.0.0.1:{port}/hidden"\n'
        with Actions(plan(tmp_path, text), told.append) as acting:
            acting.push([event(1.0)], {}, 1.0)
    assert (len(got), elsewhere) == (1, [])
    assert f"answered {answer}" in told[0]
    assert "hidden" not in told[0]


def test_a_webhook_that_never_answers_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(calls, "WEBHOOK_S", 0.2)
    told = []
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        text = f'[[action]]\ngesture = "go"\nwebhook = "http://127.0.0.1:{deaf.getsockname()[1]}/"\n'
        with Actions(plan(tmp_path, text), told.append) as acting:
            acting.push([event(1.0)], {}, 1.0)
    assert "did not answer" in told[0]


def test_a_webhook_to_nobody_is_lost(tmp_path):
    told = []
    text = f'[[action]]\ngesture = "go"\nwebhook = "http://127.0.0.1:{free_port()}/hidden"\n'
    with Actions(plan(tmp_path, text), told.append) as acting:
        acting.push([event(1.0)], {}, 1.0)
    assert "did not answer (ConnectionRefusedError)" in told[0]


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "ftp://a/b", "http://", "http://a:b@c/", "localhost:80", 3, "http://[x/"]
)
def test_an_unclear_webhook_is_one_sentence(tmp_path, address):
    with pytest.raises(ActionError, match="webhook must"):
        plan(tmp_path, f'[[action]]\ngesture = "go"\nwebhook = {json.dumps(address)}\n')
