"""What a broker is still to be told: one message at a time, in order, whatever the line does meanwhile."""

import threading
from collections import deque
from typing import NamedTuple

from gestures.errors import ActionError

QUEUED = 20_000
"""Events that wait while the broker is away; beyond them orders are lost, and counted."""


class Message(NamedTuple):
    """What is published; `retain`: the broker keeps it for whoever comes later."""

    topic: str
    text: str
    retain: bool


class Outbox:
    """What the broker is still to be told, one message after the other; any thread may call.

    `take` gives the next, and then none until `taken`: a client that has several under way begins them anew in another
    order after a break, and mosquitto forgets those beyond its 20. Introductions go first, then events and states in
    order, then the newest of each value.
    """

    def __init__(self) -> None:
        self._states: dict[str, str] = {}  # the newest of every state and value: topic -> text
        self._lock = threading.Lock()
        self._ready = threading.Condition(self._lock)
        self._introductions: deque[Message] = deque()
        self._events: deque[Message] = deque()
        self._values: dict[str, None] = {}
        self._under_way: Message | None = None
        self._open = False

    def put_event(self, topic: str, text: str) -> None:
        """Keep an event until it is told; raise `ActionError` when too many wait."""
        with self._lock:
            if len(self._events) >= QUEUED:
                raise ActionError(f"{QUEUED} messages wait for the MQTT broker")
            self._events.append(Message(topic, text, retain=False))

    def put_state(self, topic: str, text: str) -> None:
        """Keep a state; while the broker is away no states pile up, the newest is told on connection."""
        with self._lock:
            self._states[topic] = text
            if self._open:
                self._events.append(Message(topic, text, retain=True))

    def put_value(self, topic: str, text: str) -> None:
        """Keep the newest value."""
        with self._lock:
            self._states[topic] = text
            self._values[topic] = None

    def open(self, introductions: list[Message]) -> None:
        """The broker is there: `introductions` and all states are told before anything else."""
        with self._lock:
            self._open = True
            self._values.clear()
            self._introductions = deque(introductions)
            self._introductions += [Message(topic, text, retain=True) for topic, text in self._states.items()]

    def shut(self) -> None:
        """The broker has gone: what is under way stays so, and waiting states are told by the next `open`."""
        with self._lock:
            self._open = False
            self._introductions.clear()
            self._values.clear()
            self._events = deque(message for message in self._events if not message.retain)
            self._ready.notify_all()

    def take(self) -> Message | None:
        """The next message; None while one is under way, nothing waits, or the broker is away."""
        with self._lock:
            if self._under_way is not None or not self._open:
                return None
            if self._introductions:
                message = self._introductions.popleft()
            elif self._events:
                message = self._events.popleft()
            elif self._values:
                topic = next(iter(self._values))
                del self._values[topic]
                message = Message(topic, self._states[topic], retain=True)
            else:
                return None
            self._under_way = message
            return message

    def taken(self) -> None:
        """The broker has taken what was under way."""
        with self._lock:
            self._under_way = None
            self._ready.notify_all()

    def drain(self, patience_s: float) -> int:
        """Wait until all has been told, the broker goes, or `patience_s` have passed; how many events are left over."""
        with self._ready:
            self._ready.wait_for(lambda: not (self._open and self._waiting()), patience_s)
            left = [*self._events, *([] if self._under_way is None else [self._under_way])]
            return sum(not message.retain for message in left)

    def _waiting(self) -> bool:
        return bool(self._under_way is not None or self._introductions or self._events or self._values)
