"""A queue and a thread for each target: whatever a target does, the pipeline goes on."""

import threading
import time
from collections import deque
from collections.abc import Callable

from .orders import Order, Target

ROOM = 256
"""Orders that may wait for one target; at ten gestures a minute, nearly half an hour's. What comes beyond is lost."""
TELL_S = 10.0
"""A target that goes on failing is told of once in this time."""


class Worker:
    """Hands orders to `target`, in order, on a thread of its own.

    Of the values of one action only the newest waits. When `ROOM` is taken, what comes is lost, and counted; but what
    was pressed down is always let up. `tell` gets a sentence now and then; it is called on any thread.
    """

    def __init__(self, name: str, target: Target, tell: Callable[[str], None]) -> None:
        self._name, self._target, self._tell = name, target, tell
        self._queue: deque[Order] = deque()
        self._values: dict[str, Order] = {}
        self._skipped: set[str] = set()  # actions whose press was lost, so that their letting up is too
        self._ready = threading.Condition()
        self._closing = False
        self._told: float | None = None
        self.done = 0
        self.lost = 0
        self._thread = threading.Thread(target=self._work, name=f"action {name}", daemon=True)
        self._thread.start()

    def put(self, order: Order) -> None:
        """Take an order; never waits for the target."""
        with self._ready:
            name = order.action.name
            if order.does == "value":
                self._values[name] = order
            elif order.does == "up" and name in self._skipped:
                self._skipped.discard(name)
                self.lost += 1
            elif order.does != "up" and len(self._queue) >= ROOM:
                if order.does == "down":
                    self._skipped.add(name)
                self._lose(f"{ROOM} orders are waiting")
            else:
                self._queue.append(order)
            self._ready.notify()

    def finish(self) -> None:
        """Take no more time than what waits needs; see `join`."""
        with self._ready:
            self._closing = True
            self._ready.notify()

    def join(self, patience_s: float) -> None:
        """Wait for what was ordered before `finish`, but not longer than `patience_s`; then tell of losses."""
        self._thread.join(max(0.0, patience_s))
        with self._ready:
            waiting = len(self._queue)
            self._queue.clear()
        if self._thread.is_alive():
            self._tell(f"{self._name} did not end in time")
        if self.lost + waiting:
            self._tell(f"{self._name}: {self.done} orders done, {self.lost + waiting} lost")

    def _lose(self, why: str) -> None:
        self.lost += 1
        now = time.monotonic()
        if self._told is None or now - self._told >= TELL_S:
            self._told = now
            self._tell(f"{self._name}: an order is lost, {self.lost} so far ({why})")

    def _next(self) -> Order | None:
        with self._ready:
            self._ready.wait_for(lambda: self._queue or self._values or self._closing)
            if self._queue:
                return self._queue.popleft()
            if self._values and not self._closing:
                return self._values.pop(next(iter(self._values)))
            return None

    def _work(self) -> None:
        while (order := self._next()) is not None:
            try:
                self._target.do(order)
            except Exception as error:  # noqa: BLE001 - a target may fail in any way, and must not end the thread
                with self._ready:
                    self._lose(_short(error))
            else:
                self.done += 1
        try:
            self._target.close()
        except Exception as error:  # noqa: BLE001 - as above
            self._tell(f"{self._name} did not close: {_short(error)}")


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())[:200]
    return text if type(error).__name__ == "ActionError" else f"{type(error).__name__}: {text}"
