"""The action layer: a plan, its modes, and a worker for each of its targets."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType

from gestures.errors import ActionError
from gestures.types import Event, Hand

from .calls import Command, Python
from .modes import Modes
from .orders import Order, Target
from .plan import Plan
from .workers import Worker

PATIENCE_S = 3.0
"""How long all targets together may take to end."""


class Actions:
    """Does what `plan` says, while it is entered; on leaving, by whatever way, everything held is let go.

    `tell` gets sentences for the person, on any thread. `dry_run`: say what would be done, and do nothing. Raise
    `ActionError` on entering, when a library, a secret or a program is missing.

    ```python
    with Actions(load_plan("actions.toml"), print) as actions:
        for frame in camera:
            events = recognizer.push(landmarker.see(frame))
            actions.push(events, recognizer.hands, frame.time)
    ```
    """

    def __init__(self, plan: Plan, tell: Callable[[str], None], *, dry_run: bool = False) -> None:
        self._plan, self._tell, self._dry_run = plan, tell, dry_run
        self._modes = Modes(plan)
        self._state = self._modes.state
        self._workers: dict[str, Worker] = {}
        self._time = 0.0

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

    def push(self, events: Sequence[Event], hands: Mapping[int, Hand], time: float) -> None:
        """Do what these events and the hands in sight, by track number, ask for at `time` (s). Never waits."""
        self._time = time
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
                value = f" {order.value:.3f}" if order.does == "value" else ""
                self._tell(f"would {order.does}{value}: {order.action.says}")
            else:
                self._workers[order.action.target].put(order)

    def _open(self, name: str) -> Target:
        whats = [action.what for action in self._plan.of(name)]
        if name == "command":
            return Command()
        return Python(whats, self._plan.folder)
