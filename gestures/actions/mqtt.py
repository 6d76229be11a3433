"""MQTT, and Home Assistant by it: events, switches and values as entities that it finds by itself."""

import contextlib
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gestures.errors import ActionError

from .fields import Table
from .needs import library
from .orders import Action, Mode, Order
from .outbox import Message, Outbox
from .secrets import Secret

ENTITY = {"tap": "event", "repeat": "event", "hold": "binary_sensor", "toggle": "binary_sensor", "analogue": "sensor"}
"""What Home Assistant shows for each mode."""
ONCE = 2
"""Quality of service: exactly once, whatever breaks in between."""


@dataclass(frozen=True, slots=True)
class Broker:
    """The `[mqtt]` table. `client` names this program to the broker, which keeps what it has not yet passed on."""

    host: str
    port: int
    client: str
    topic: str
    discovery: str
    user: str | None
    password: Secret | None
    tls: bool
    ca: Path | None


NEAR = Broker("localhost", 1883, "gestures", "gestures", "homeassistant", None, None, tls=False, ca=None)
"""A broker on this machine that asks for nothing."""


def read_entity(given: object, mode: Mode) -> tuple[str, str]:
    """The entity's name, for the topic; raise `ActionError` for what a topic cannot hold."""
    if not isinstance(given, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", given):
        raise ActionError(f'mqtt must be a name of letters, digits, _ and -, such as "lamp", not {given!r}')
    return given, f"MQTT {ENTITY[mode]} {given}"


def read_settings(table: Table, folder: Path) -> Broker:
    """The broker; raise `ActionError` for what cannot be one."""
    ca = table.text("ca")
    broker = Broker(
        host=table.text("host", "localhost") or "",
        port=table.whole("port", 1, 65535, 8883 if table.flag("tls") else 1883),
        client=table.text("client", "gestures") or "",
        topic=table.text("topic", "gestures") or "",
        discovery=table.text("discovery", "homeassistant") or "",
        user=table.text("user"),
        password=Secret.of("the mqtt password", table.any("password")) if table.has("password") else None,
        tls=table.flag("tls"),
        ca=None if ca is None else folder / ca,
    )
    for name in ("topic", "discovery", "client"):
        if not re.fullmatch(r"[A-Za-z0-9_/-]{1,64}", getattr(broker, name)):
            raise ActionError(f"mqtt: {name} must be letters, digits, _, - and /, not {getattr(broker, name)!r}")
    if broker.password is not None and broker.user is None:
        raise ActionError('mqtt: a password needs a user: add user = "…"')
    return broker


def missing(broker: Broker) -> list[str]:
    """What the broker needs and is not here, a line each."""
    lacks = [library("mqtt", "paho", "paho-mqtt")]
    if broker.ca is not None and not broker.ca.is_file():
        lacks.append(f"{broker.ca} is not there: name the certificate of the broker's authority")
    return [line for line in lacks if line is not None]


class Mqtt:
    """Publishes orders; the library's thread connects, and connects again.

    An event is a message of its own, delivered once. A switch or a value is a retained state: on each connection all
    of them are told anew, with the entities that Home Assistant is to know and that we are there.
    """

    def __init__(self, broker: Broker, actions: list[Action], tell: Callable[[str], None]) -> None:
        from paho.mqtt import client as paho

        self._broker, self._actions, self._tell = broker, actions, tell
        self._outbox = Outbox()
        self._number, self._run = 0, secrets.token_hex(4)
        self._away = False
        version = paho.CallbackAPIVersion.VERSION2
        # A session that the broker keeps: what was under way when the line broke is finished, not begun again.
        self._client = paho.Client(version, client_id=broker.client, clean_session=False)
        self._client.reconnect_delay_set(0.2, 10)
        self._client.will_set(f"{broker.topic}/availability", "offline", qos=1, retain=True)
        if broker.user is not None:
            self._client.username_pw_set(broker.user, broker.password.reveal() if broker.password else None)
        if broker.tls:
            try:
                self._client.tls_set(ca_certs=None if broker.ca is None else str(broker.ca))
            except OSError as error:
                raise ActionError(f"{broker.ca} is no certificate ({error}): name a PEM file") from error
        self._client.on_connect = self._connected
        self._client.on_connect_fail = lambda *_: self._missed("no answer")
        self._client.on_disconnect = lambda _c, _u, _f, reason, _p: self._missed(str(reason))
        self._client.on_message = lambda *_: self._introduce()
        self._client.on_publish = lambda *_: self._published()
        self._client.connect_async(broker.host, broker.port, keepalive=30)
        self._client.loop_start()

    def do(self, order: Order) -> None:
        """Have it published; raise `ActionError` when too much waits for the broker."""
        topic = f"{self._broker.topic}/{order.action.what}"
        if order.does == "value":
            self._outbox.put_value(topic, f"{order.value:g}")
        elif ENTITY[order.action.mode] == "event":
            self._number += 1
            told = order.json() | {"event_type": order.action.gesture, "id": f"{self._run}-{self._number}"}
            self._outbox.put_event(topic, json.dumps(told))
        else:
            self._outbox.put_state(topic, "ON" if order.does == "down" else "OFF")
        self._publish()

    def close(self) -> None:
        """Say that we are gone, once what waits has gone out, or two seconds have; tell of what did not."""
        lost = self._outbox.drain(2)
        if lost:
            self._tell(f"mqtt: {lost} messages had not reached the broker, and are lost")
        if self._client.is_connected():
            # The line may break meanwhile: then the broker says it for us.
            with contextlib.suppress(RuntimeError, ValueError):
                there = f"{self._broker.topic}/availability"
                self._client.publish(there, "offline", qos=ONCE, retain=True).wait_for_publish(1)
        self._client.on_disconnect = None
        self._client.disconnect()
        self._client.loop_stop()

    def _publish(self) -> None:
        """Send the next message, if it is time. No lock of ours is held: the library calls us back under its own."""
        message = self._outbox.take()
        if message is not None:
            self._client.publish(message.topic, message.text, qos=1 if message.retain else ONCE, retain=message.retain)

    def _published(self) -> None:
        self._outbox.taken()
        self._publish()

    def _connected(self, client: Any, _data: object, _flags: object, reason: Any, _properties: object) -> None:  # noqa: ANN401
        if reason.is_failure:
            self._missed(str(reason))
            return
        if self._away:
            self._tell("mqtt: the broker is back")
        self._away = False
        # Home Assistant says "online" when it has started, and has then to be told again.
        client.subscribe(f"{self._broker.discovery}/status", qos=1)
        self._introduce()

    def _introduce(self) -> None:
        """Tell Home Assistant of the entities, that we are there, and what the states are; all retained."""
        introductions: dict[str, Message] = {}  # by topic: several actions may be one entity
        for action in self._actions:
            component, about = self._about(action)
            path = f"{self._broker.discovery}/{component}/{self._broker.client}/{action.what}/config"
            introductions[path] = Message(path, json.dumps(about), retain=True)
        there = f"{self._broker.topic}/availability"
        self._outbox.open([*introductions.values(), Message(there, "online", retain=True)])
        self._publish()

    def _about(self, action: Action) -> tuple[str, dict[str, Any]]:
        """The kind of entity, and Home Assistant's discovery message for it."""
        same = [each for each in self._actions if each.what == action.what]
        about: dict[str, Any] = {
            "name": action.what.replace("_", " "),
            "unique_id": f"{self._broker.client}_{action.what}",
            "state_topic": f"{self._broker.topic}/{action.what}",
            "availability_topic": f"{self._broker.topic}/availability",
            "device": {"identifiers": [self._broker.client], "name": self._broker.client, "model": "hand gestures"},
            "origin": {"name": "gestures"},
        }
        component = ENTITY[action.mode]
        if component == "event":
            about["event_types"] = sorted({str(each.gesture) for each in same})
        elif component == "sensor":
            about["state_class"] = "measurement"
        return component, about

    def _missed(self, reason: str) -> None:
        self._outbox.shut()
        if not self._away:
            self._away = True
            self._tell(f"mqtt: no broker at {self._broker.host}:{self._broker.port} ({reason}); trying again")
