"""MQTT against a real mosquitto: exactly once through restarts, discovery for Home Assistant, password, TLS."""

import gc
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from receivers import free_port, wait_until
from test_actions import event, plan

from gestures import ActionError, Actions

pytestmark = pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed: apt install it")
paho = pytest.importorskip("paho.mqtt.client", reason="needs: pip install paho-mqtt")
publish = pytest.importorskip("paho.mqtt.publish", reason="needs: pip install paho-mqtt")

ENTRIES = (
    '[[action]]\ngesture = "go"\nmqtt = "blinds"\n[[action]]\ngesture = "stop"\nmqtt = "blinds"\n'
    '[[action]]\ngesture = "grab"\nmode = "toggle"\nmqtt = "lamp"\n'
    '[[action]]\ngesture = "pinch"\nmode = "analogue"\nvalue = "x"\nmqtt = "level"\n'
)


class Mosquitto:
    """A broker as Debian sets it up: default settings, and it keeps what it has been given, unless told to forget."""

    def __init__(self, folder, *lines):
        self.port = free_port()
        self._process = None
        self._file = folder / "mosquitto.conf"
        text = [f"listener {self.port} 127.0.0.1", "user root", *lines]
        text += ["persistence true", f"persistence_location {folder}/"]
        if not any("allow_anonymous" in line for line in lines):
            text.append("allow_anonymous true")
        self._file.write_text("\n".join(text) + "\n")
        self._kept = folder / "mosquitto.db"

    def start(self):
        self._process = subprocess.Popen(["mosquitto", "-c", str(self._file)], stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError("mosquitto did not start")

    def stop(self, forget=False):
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None
        if forget:
            self._kept.unlink(missing_ok=True)


@contextmanager
def broker(folder, *lines):
    made = Mosquitto(folder, *lines)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def reader(port, *topics, **secured):
    """A client of the broker that keeps its session too, and a list of (topic, text) that it received."""
    got = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="reader", clean_session=False)
    client.reconnect_delay_set(0.05, 0.2)
    if secured:
        client.username_pw_set(secured["user"], secured["password"])
        client.tls_set(ca_certs=str(secured["ca"]))
    client.on_connect = lambda c, *_: [c.subscribe(topic, qos=2) for topic in topics]
    subscribed = threading.Event()
    client.on_subscribe = lambda *_: subscribed.set()

    def take(_client, _data, message):
        got.append((message.topic, message.payload.decode()))

    client.on_message = take
    client.connect("127.0.0.1" if not secured else "localhost", port)
    client.loop_start()
    assert subscribed.wait(20)
    try:
        yield got
    finally:
        client.disconnect()
        client.loop_stop()


def settings(port, more=""):
    return f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\n{more}' + ENTRIES


def test_events_come_exactly_once_and_in_order_though_the_broker_is_restarted(tmp_path):
    with broker(tmp_path) as mosquitto, reader(mosquitto.port, "gestures/blinds") as got:
        told = []
        with Actions(plan(tmp_path, settings(mosquitto.port)), told.append) as acting:
            for n in range(600):
                acting.push([event(n)], {}, float(n))
                time.sleep(0.001)
                if n in (200, 400):
                    mosquitto.stop()
                    mosquitto.start()
            assert wait_until(lambda: len(got) >= 600), len(got)
            time.sleep(0.3)  # for what would come twice
        messages = [json.loads(text) for _, text in got]
    assert [message["time"] for message in messages] == [float(n) for n in range(600)]
    assert len({message["id"] for message in messages}) == 600
    assert {message["event_type"] for message in messages} == {"go"}
    assert any("trying again" in line for line in told)
    assert any("is back" in line for line in told)


def test_home_assistant_finds_entities_and_states_again_though_the_broker_forgot(tmp_path):
    from conftest import hand

    wanted = ("homeassistant/#", "gestures/#")
    with broker(tmp_path) as mosquitto:
        with Actions(plan(tmp_path, settings(mosquitto.port)), lambda _: None) as acting:
            with reader(mosquitto.port, *wanted) as got:
                assert wait_until(lambda: ("gestures/availability", "online") in got)
                acting.push([event(1, gesture="grab")], {}, 1.0)
                assert wait_until(lambda: ("gestures/lamp", "ON") in got)
                acting.push([event(2, gesture="pinch")], {0: hand(at=(0.25, 0.5))}, 2.0)
                assert wait_until(lambda: any(topic == "gestures/level" for topic, _ in got))
            mosquitto.stop(forget=True)
            mosquitto.start()
            with reader(mosquitto.port, *wanted) as got:
                assert wait_until(lambda: len({topic for topic, _ in got}) >= 6), got
                told = dict(got)
                abouts = {topic: json.loads(text) for topic, text in told.items() if topic.endswith("/config")}
        assert told["gestures/lamp"] == "ON"
        assert float(told["gestures/level"]) == pytest.approx(0.75, abs=0.02)
        assert told["gestures/availability"] == "online"
        assert {topic.split("/")[1]: about["state_topic"] for topic, about in abouts.items()} == {
            "event": "gestures/blinds",
            "binary_sensor": "gestures/lamp",
            "sensor": "gestures/level",
        }
        blinds = next(about for about in abouts.values() if about["name"] == "blinds")
        assert blinds["event_types"] == ["go", "stop"]
        assert blinds["availability_topic"] == "gestures/availability"
        with reader(mosquitto.port, "gestures/availability") as got:
            assert wait_until(lambda: ("gestures/availability", "offline") in got), got


def test_home_assistant_that_starts_later_is_told_again(tmp_path):
    with (
        broker(tmp_path) as mosquitto,
        Actions(plan(tmp_path, settings(mosquitto.port)), print),
        reader(mosquitto.port, "homeassistant/+/+/+/config") as got,
    ):
        assert wait_until(lambda: len(got) >= 3)
        time.sleep(0.3)
        before = len(got)
        publish.single("homeassistant/status", "online", qos=1, hostname="127.0.0.1", port=mosquitto.port)
        assert wait_until(lambda: len(got) == before + 3)


def test_the_broker_says_that_we_are_gone_when_we_are_killed(tmp_path):
    with broker(tmp_path) as mosquitto, reader(mosquitto.port, "gestures/availability") as got:
        plan(tmp_path, settings(mosquitto.port))
        code = "import sys, time\nfrom gestures import *\nwith Actions(load_plan(sys.argv[1]), print): time.sleep(60)"
        with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "actions.toml")]) as process:
            assert wait_until(lambda: [text for _, text in got] == ["online"])
            process.kill()
            assert wait_until(lambda: [text for _, text in got] == ["online", "offline"])


def test_a_broker_that_is_not_there_is_told_once_and_delays_nothing(tmp_path):
    told = []
    with Actions(plan(tmp_path, settings(free_port())), told.append) as acting:
        acting.push([event(1)], {}, 1.0)
        assert wait_until(lambda: bool(told))
        time.sleep(1.0)  # it is tried again after 0.2 and 0.4 s
    assert "no broker at 127.0.0.1" in told[0]
    assert len(told) == 2  # the other: what is lost


def test_what_never_reached_the_broker_is_told_at_the_end(tmp_path):
    told = []
    with broker(tmp_path) as mosquitto, Actions(plan(tmp_path, settings(mosquitto.port)), told.append) as acting:
        mosquitto.stop()
        assert wait_until(lambda: len(told) == 1), told
        for n in range(3):
            acting.push([event(n)], {}, float(n))
    assert told[1:] == ["mqtt: 3 messages had not reached the broker, and are lost"]


def test_events_go_on_though_the_broker_forgot_everything(tmp_path):
    with broker(tmp_path) as mosquitto, Actions(plan(tmp_path, settings(mosquitto.port)), lambda _: None) as acting:
        for n in range(300):
            acting.push([event(n)], {}, float(n))
            time.sleep(0.001)
            if n == 150:
                mosquitto.stop(forget=True)
                mosquitto.start()
        with reader(mosquitto.port, "gestures/blinds") as got:
            acting.push([event(300)], {}, 300.0)
            assert wait_until(lambda: any(json.loads(text)["time"] == 300 for _, text in got)), got[-1:]


def test_the_newest_state_is_the_last_though_the_broker_went_while_an_older_was_under_way(tmp_path):
    with broker(tmp_path) as mosquitto:
        with Actions(plan(tmp_path, settings(mosquitto.port)), lambda _: None) as acting:
            for n in range(1, 30):  # the last is ON
                acting.push([event(n, gesture="grab")], {}, float(n))
                if n in (10, 20):
                    mosquitto.stop()
                elif n in (11, 22):
                    mosquitto.start()
            with reader(mosquitto.port, "gestures/lamp") as got:
                assert wait_until(lambda: got[-1:] == [("gestures/lamp", "ON")]), got
            time.sleep(0.3)
        # A busy broker may still be taking in what was sent before the end.
        with reader(mosquitto.port, "gestures/lamp") as got:
            assert wait_until(lambda: got[-1:] == [("gestures/lamp", "ON")]), got
            time.sleep(0.3)
            assert got[-1:] == [("gestures/lamp", "ON")], got


def certificates(folder):
    """An authority, and a certificate of it for localhost; skips without openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    words += [
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        str(folder / "key.pem"),
        "-out",
        str(folder / "ca.pem"),
    ]
    subprocess.run(words, check=True, capture_output=True)


def test_password_and_tls(tmp_path, monkeypatch):
    certificates(tmp_path)
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "ana", "hunter2"], check=True, capture_output=True)
    passwords.chmod(0o644)
    lines = ["allow_anonymous false", f"password_file {passwords}"]
    lines += [f"certfile {tmp_path / 'ca.pem'}", f"keyfile {tmp_path / 'key.pem'}"]
    secured = 'user = "ana"\npassword = { env = "TEST_MQTT" }\ntls = true\nca = "ca.pem"\n'
    text = settings(1, secured).replace("127.0.0.1", "localhost")
    with pytest.raises(ActionError, match="TEST_MQTT is not set"), Actions(plan(tmp_path, text), print):
        pass
    with broker(tmp_path, *lines) as mosquitto:
        text = settings(mosquitto.port, secured).replace("127.0.0.1", "localhost")
        told = []
        monkeypatch.setenv("TEST_MQTT", "wrong")
        with Actions(plan(tmp_path, text), told.append):
            assert wait_until(lambda: bool(told))
        assert "Not authorized" in told[0]
        assert "wrong" not in told[0]
        told.clear()
        monkeypatch.setenv("TEST_MQTT", "hunter2")
        who = {"user": "ana", "password": "hunter2", "ca": tmp_path / "ca.pem"}
        with (
            Actions(plan(tmp_path, text), told.append) as acting,
            reader(mosquitto.port, "gestures/blinds", **who) as got,
        ):
            acting.push([event(1)], {}, 1.0)
            assert wait_until(lambda: len(got) == 1)
        assert told == []


# Where a certificate is refused paho leaves its socket to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_of_another_authority_is_not_trusted(tmp_path):
    certificates(tmp_path)
    (tmp_path / "other").mkdir()
    certificates(tmp_path / "other")
    lines = [f"certfile {tmp_path / 'ca.pem'}", f"keyfile {tmp_path / 'key.pem'}"]
    told = []
    with broker(tmp_path, *lines) as mosquitto:
        text = settings(mosquitto.port, 'tls = true\nca = "other/ca.pem"\n').replace("127.0.0.1", "localhost")
        with Actions(plan(tmp_path, text), told.append):
            assert wait_until(lambda: bool(told))
            gc.collect()
    assert "no broker at localhost" in told[0]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('password = "hunter2"\nuser = "a"\n', "must not stand in the file"),
        ('password = { env = "A" }\n', "needs a user"),
        ('topic = "a/#"\n', "must be letters"),
        ("port = 0\n", "from 1 to 65535"),
        ('hots = "a"\n', "perhaps host"),
    ],
)
def test_an_unclear_broker_is_one_sentence(tmp_path, table, told):
    with pytest.raises(ActionError, match=told) as caught:
        plan(tmp_path, "[mqtt]\n" + table + ENTRIES)
    assert "hunter2" not in str(caught.value)
