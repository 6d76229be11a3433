"""What the action layer costs and keeps: from event to the target's receipt; events through a broker that is restarted.

scripts/measure_actions.py [--times N] [--only NAME …] [--events N] [--restarts N] [--kills N] [--json]

For each target a real receiver on this machine (tests/receivers.py). Milliseconds from just before the event is pushed
to the receipt. `broker`: events through mosquitto while it is stopped and started again. `kills`: `gestures live` ended
by each of three signals while it holds two keys, at a random moment. What cannot be had is said so.
"""

import argparse
import contextlib
import itertools
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path.insert(0, str(TESTS))  # the receivers are those of the tests

import receivers  # noqa: E402

from gestures import Actions, Event, load_plan  # noqa: E402
from gestures.console import shipped, talk  # noqa: E402

AT_ONCE = 8
"""So many programs are being killed at a time."""
GAP_S = 0.1
"""Between two events: each finds an idle target."""


def event(number: int, gesture: str = "go") -> Event:
    """The `number`th event."""
    return Event(gesture, "began", float(number), float(number), 0, "right", 0.9)


def latency(name: str, times: int, place: Path) -> dict[str, float]:
    """Median and p99, ms, of one target; raise `LookupError` where its receiver cannot be had."""
    with contextlib.ExitStack() as stack:
        text, listen = stack.enter_context(receivers.RECEIVERS[name](place))
        path = place / "actions.toml"
        path.write_text(text)
        actions = stack.enter_context(Actions(load_plan(path), talk))
        receipt = listen()
        took = [_once(actions, n, receipt) for n in range(times + 5)][5:]
    ordered = sorted(took)
    return {
        "median_ms": 1000 * statistics.median(took),
        "p99_ms": 1000 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))],
        "events": len(took),
    }


def _once(actions: Actions, number: int, receipt: Callable[[], float]) -> float:
    time.sleep(GAP_S)
    began = time.perf_counter()
    actions.push([event(number)], {}, float(number))
    return receipt() - began


def broker(events: int, restarts: int, place: Path) -> dict[str, int]:
    """Events through mosquitto, at about a thousand a second, restarted so many times."""
    from receivers import wait_until
    from test_actions_mqtt import Mosquitto, reader, settings

    mosquitto = Mosquitto(place)
    mosquitto.start()
    path = place / "actions.toml"
    path.write_text(settings(mosquitto.port))
    try:
        with reader(mosquitto.port, "gestures/blinds") as got:
            with Actions(load_plan(path), talk) as actions:
                for n in range(events):
                    actions.push([event(n)], {}, float(n))
                    time.sleep(0.0005)
                    if restarts and n % (events // restarts) == events // restarts // 2:
                        mosquitto.stop()
                        mosquitto.start()
                wait_until(lambda: len(got) >= events, 120)
            time.sleep(2)  # for what would come twice
            times = [json.loads(text)["time"] for _, text in got]
    finally:
        mosquitto.stop()
    return {
        "events": events,
        "restarts": restarts,
        "lost": events - len(set(times)),
        "doubled": len(times) - len(set(times)),
        "out of order": sum(b < a for a, b in itertools.pairwise(times)),
    }


def kills(times: int, place: Path) -> dict[str, int]:
    """`gestures live` holding ctrl+a on an X server, killed so many times by each signal: how often a key stuck."""
    path = place / "actions.toml"
    path.write_text('[keys]\nthrough = "pynput"\n[[action]]\ngesture = "wave"\nmode = "toggle"\nkeys = "ctrl+a"\n')
    figures: dict[str, int] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for name in ("TERM", "KILL", "SEGV"):
            stuck = list(pool.map(lambda _, name=name: _sticks(name, path), range(times)))
            figures |= {
                f"killed by {name}": len(stuck),
                "a key stuck after": figures.get("a key stuck after", 0) + sum(stuck),
            }
            talk(f"kills: {figures}")
    return figures


def _sticks(signal_name: str, path: Path) -> bool:
    """One `gestures live` killed at a random moment of the third of a second after its keys went down."""
    from Xlib import display

    words = [
        sys.executable,
        "-m",
        "gestures.cli",
        "live",
        "--no-window",
        "--source",
        str(shipped("data/demo/demo.mp4")),
    ]
    with receivers.x_server() as name:
        there = display.Display(name)

        def down() -> bool:
            return any(there.query_keymap())

        with subprocess.Popen(
            [*words, "--do", str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"DISPLAY": name},
        ) as live:
            assert live.stdout is not None
            live.stdout.readline()  # "wave began"
            if not receivers.wait_until(down, 60):
                raise LookupError("no key went down")
            time.sleep(random.random() / 3)  # noqa: S311 - any moment will do
            live.send_signal(getattr(signal, f"SIG{signal_name}"))
        stuck = not receivers.wait_until(lambda: not down(), 20)
        there.close()
    return stuck


def main() -> int:
    """Print a line a target, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=300, metavar="N", help="events a target (default: 300)")
    parser.add_argument("--events", type=int, default=10_000, metavar="N", help="events through the broker")
    parser.add_argument("--restarts", type=int, default=10, metavar="N", help="of the broker (default: 10)")
    parser.add_argument("--kills", type=int, default=20, metavar="N", help="by each signal (default: 20)")
    every = (*receivers.RECEIVERS, "broker", "kills")
    parser.add_argument("--only", nargs="+", choices=every, default=every, metavar="NAME")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures: dict[str, dict[str, float] | dict[str, int] | str] = {}
    for name in given.only:
        with tempfile.TemporaryDirectory() as place:
            try:
                if name == "broker":
                    figures[name] = broker(given.events, given.restarts, Path(place))
                elif name == "kills":
                    figures[name] = kills(given.kills, Path(place))
                else:
                    figures[name] = latency(name, given.times, Path(place))
            except LookupError as error:
                figures[name] = f"not measured: {error}"
        if not given.json:
            print(f"{name:10s}", _line(figures[name]), flush=True)
    if given.json:
        print(json.dumps(figures))
    return 0


def _line(figures: dict[str, float] | dict[str, int] | str) -> str:
    if isinstance(figures, str):
        return figures
    return "   ".join(
        f"{name} {value:.2f}" if isinstance(value, float) else f"{name} {value}" for name, value in figures.items()
    )


if __name__ == "__main__":
    sys.exit(main())
