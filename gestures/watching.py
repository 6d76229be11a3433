"""The main job: a camera, a clip or a URL watched live, its events told."""

import argparse
import json
import signal
import threading
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager

from .actions import Actions, Plan, load_plan
from .camera import Camera, open_source
from .console import shipped, talk, tell_faults
from .errors import ActionError
from .landmarks import Landmarker
from .model import load
from .overlay import Overlay, Window, has_screen
from .recognizer import Recognizer
from .trace import Trace
from .types import Event
from .video import Video

AGES = 10_000
"""Of so many of the newest pictures the age at decision is kept for `--stats`: five minutes."""

DRAWN_S = 0.1
"""A machine slower than its camera draws no oftener than this."""


def demo(options: argparse.Namespace) -> None:
    """`gestures demo`: the clip that ships with the package."""
    _run(options, Video(shipped("data/demo/demo.mp4")), "the demo clip", Plan())


def live(options: argparse.Namespace) -> None:
    """`gestures live`: the person's own camera, file or URL."""
    if options.dry_run and options.do is None:
        raise ActionError("--dry-run shows what actions would do: add --do FILE")
    plan = Plan() if options.do is None else load_plan(options.do)
    _run(options, open_source(options.source), f"source {options.source}", plan, dry_run=options.dry_run)


def check_actions(options: argparse.Namespace) -> None:
    """`gestures actions check`: what a file would do, a line an action."""
    plan = load_plan(options.file)
    if options.model is not None:
        plan.fit(load(options.model).manifest.labels)
    print("\n".join(plan.sentences()))
    missing = plan.missing()
    for line in missing:
        talk(f"NO  {line}")
    if missing:
        raise ActionError(f"{len(missing)} of the above need attention")


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """While entered, SIGTERM and SIGHUP end the program as an exception does, so that held keys are let go."""

    def end(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears signals
        return
    names = [signal.SIGTERM] + ([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])
    before = {name: signal.signal(name, end) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _run(options: argparse.Namespace, source: Camera | Video, name: str, plan: Plan, *, dry_run: bool = False) -> None:
    began = time.perf_counter()
    model = load(options.model)
    plan.fit(model.manifest.labels)
    recognizer = Recognizer(model)
    window = None if options.no_window else _window()
    overlay = Overlay(model.manifest.labels)
    frames, last, shown, shape, drawn = 0, 0.0, began, None, -DRAWN_S
    ages: deque[float] = deque(maxlen=AGES)
    with ExitStack() as stack:
        stack.enter_context(source)
        trace = stack.enter_context(Trace(options.trace))
        landmarker = stack.enter_context(Landmarker())
        if window is not None:
            stack.enter_context(window)
        stack.enter_context(_ended_by_signal())
        actions = stack.enter_context(Actions(plan, talk, dry_run=dry_run))

        def react(events: list[Event], time_s: float) -> None:
            _tell(events, options.json)
            actions.push(events, recognizer.hands, time_s)

        talk(f"{name}: watching for {', '.join(model.manifest.labels[1:])}")
        try:
            for frame in source:
                if frame.image.shape != shape:
                    # Pictures of another size are another stream: what goes on ends, memories begin afresh.
                    react(recognizer.finish(), last)
                    shape = frame.image.shape
                seen = trace.push(landmarker.see(frame))
                events = recognizer.push(seen)
                if frames == 0:
                    shown = time.perf_counter() - frame.time
                    talk(f"first picture after {time.perf_counter() - began:.1f} s")
                frames, last = frames + 1, frame.time
                if isinstance(source, Camera):
                    ages.append(source.now() - frame.time)
                react(events, last)
                tell_faults(source)
                if window is not None and not _hurries(source, frame.time - drawn):
                    drawn = frame.time
                    # A file is shown at its own pace, a camera as it comes.
                    early_s = 0.0 if isinstance(source, Camera) else shown + frame.time - time.perf_counter()
                    if not window.show(overlay.draw(frame, seen, recognizer.scores, events), max(0.001, early_s)):
                        break
        finally:
            # Whatever ends it, Ctrl-C and a lost camera too: no gesture is left begun.
            react(recognizer.finish(), last)
            tell_faults(source)
            dropped = source.dropped if isinstance(source, Camera) else 0
            if options.stats:
                faults = dict(sorted(source.faults.counts.items()))
                figures = {"pictures": frames, "seconds": round(last, 1), "dropped": dropped, "faults": faults}
                talk(json.dumps(figures | {"age_ms": _spread_ms(ages)}))
    talk(f"{frames} pictures, {last:.1f} s of video" + (f", {dropped} dropped" if isinstance(source, Camera) else ""))


def _window() -> Window | None:
    """A window; None where there is no screen for it."""
    if has_screen():
        return Window()
    talk("no screen here: going on without a window (--no-window says so beforehand)")
    return None


def _hurries(source: Camera | Video, drawn_ago_s: float) -> bool:
    """Whether a picture is not worth drawing, because a newer one is there to be recognised."""
    return isinstance(source, Camera) and source.waiting and drawn_ago_s < DRAWN_S


def _spread_ms(ages: Collection[float]) -> dict[str, float] | None:
    """Median, 99th percentile and greatest of ages (s), in ms; None when there is none: a file's frames do not age."""
    if not ages:
        return None
    ordered = sorted(1000 * age for age in ages)
    place = {"median": len(ordered) // 2, "p99": int(0.99 * len(ordered)), "max": -1}
    return {name: round(ordered[index], 1) for name, index in place.items()}


def _tell(events: list[Event], as_json: bool) -> None:
    for event in events:
        if as_json:
            print(json.dumps(event.json()), flush=True)
        else:
            hand = f"{event.side} hand" if event.side != "both" else "both hands"
            print(f"{event.time:7.2f} s  {event.gesture} {event.phase}  ({hand}, {event.confidence:.2f})", flush=True)
