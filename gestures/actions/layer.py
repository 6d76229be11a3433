"""The action layer: a plan, its modes, and a worker for each of its targets."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType

from gestures.errors import ActionError
from gestures.types import Event, Hand, Scores

from .calls import Command, Python, Webhook
from .keys import Keys
from .modes import Modes
from .mqtt import Mqtt
from .music import Midi, Osc
from .orders import Order, Target
from .plan import Plan
from .web import Web
from .workers import Worker

SAID_S = 0.5
"""A dry run tells of one action's values no oftener than this."""
PATIENCE_S = 3.0
"""How long all targets together may take to end."""


class Actions:
    """Does what `plan` says, while it is entered; on leaving, by whatever way, everything held is let go.

    `tell` gets sentences for the person, on any thread. `labels` are the model's, for web pages. `dry_run`: say what
    would be done, and do nothing. Raise `ActionError` on entering, when a library, a secret or a program is missing.

    ```python
    with Actions(load_plan("actions.toml"), print) as actions:
        for frame in camera:
            events = recognizer.push(landmarker.see(frame))
            actions.push(events, recognizer.hands, frame.time, recognizer.scores)
    ```
    """

    def __init__(
        self, plan: Plan, tell: Callable[[str], None], labels: Sequence[str] = (), *, dry_run: bool = False
    ) -> None:
        self._plan, self._tell, self._labels, self._dry_run = plan, tell, labels, dry_run
        self._modes = Modes(plan)
        self._state = self._modes.state
        self._workers: dict[str, Worker] = {}
        self._web: Web | None = None
        self._time = 0.0
        self._said: dict[str, float] = {}  # action -> when its value was last told, s

    def __enter__(self) -> "Actions":
        targets: dict[str, Target] = {}
        if not self._dry_run:
            for lack in self._plan.missing():
                raise ActionError(lack)
            with ExitStack() as opened:
                for name in dict.fromkeys(action.target for action in self._plan.actions):
                    target = self._open(name)
                    opened.callback(target.close)
                    targets[name] = target
                if self._plan.site is not None:
                    self._web = Web(self._plan.site, self._labels, self._tell)
                opened.pop_all()
            self._workers = {name: Worker(name, target, self._tell) for name, target in targets.items()}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give(self._modes.let_go(self._time))
        for worker in self._workers.values():
            worker.finish()
        until = time.monotonic() + PATIENCE_S
        for worker in self._workers.values():
            worker.join(until - time.monotonic())
        if self._web is not None:
            self._web.close()

    def push(
        self,
        events: Sequence[Event],
        hands: Mapping[int, Hand],
        time: float,
        scores: Mapping[int, Scores] | None = None,
    ) -> None:
        """Do what these events and the hands in sight, by track number, ask for at `time` (s). Never waits.

        `scores` are for web pages, with the hands' landmarks.
        """
        self._time = time
        if self._web is not None:
            self._web.show(events, hands, scores or {}, time)
        self._give(self._modes.push(events, hands, time))

    def pause(self) -> None:
        """Stop everything and let go, or go on."""
        self._give(self._modes.pause(self._time))

    def _give(self, orders: list[Order]) -> None:
        if self._modes.state != self._state:
            self._state = self._modes.state
            self._tell(f"actions: {self._state}")
        for order in orders:
            if self._dry_run:
                self._say(order)
            else:
                self._workers[order.action.target].put(order)

    def _say(self, order: Order) -> None:
        """Tell what would be done; of values, as many as one can read."""
        value = ""
        if order.does == "value":
            if order.time - self._said.get(order.action.name, -math.inf) < SAID_S:
                return
            self._said[order.action.name] = order.time
            value = f" {order.value:.3g}"
        self._tell(f"would {order.does}{value}: {order.action.says}")

    def _open(self, name: str) -> Target:
        plan = self._plan
        actions = plan.of(name)
        whats = [action.what for action in actions]
        targets: dict[str, Callable[[], Target]] = {
            "command": Command,
            "keys": lambda: Keys(plan.through),
            "midi": lambda: Midi(plan.midi),
            "mqtt": lambda: Mqtt(plan.broker, actions, self._tell),
            "osc": lambda: Osc(plan.osc),
            "python": lambda: Python(whats, plan.folder),
            "webhook": lambda: Webhook(plan.authorization, whats),
        }
        return targets[name]()
