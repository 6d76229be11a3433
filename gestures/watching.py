"""The main job: a camera, a clip or a URL watched live, its events told."""

import argparse
import json
import signal
import threading
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .actions import Actions, Plan, load_plan
from .camera import Camera, open_source
from .console import open_window, shipped, talk, tell_faults, writable
from .correcting import Corrector
from .errors import ActionError, ClipError, InputError
from .facing import is_mirrored, recorded, turned
from .files import check_name
from .landmarks import Landmarker
from .model import Model, load
from .overlay import Overlay
from .recognizer import Recognizer
from .trace import Trace
from .types import Event, Floats, Observation
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
    plan.fit(load(options.model).manifest.labels, options.model.resolve().name)
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
    model = _load(options)
    plan.fit(model.manifest.labels, options.model.resolve().name)
    recognizer = Recognizer(model)
    window = None if options.no_window else open_window("gestures")
    corrector = _corrector(options)
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
        actions = stack.enter_context(Actions(plan, talk, model.manifest.labels, dry_run=dry_run))

        def react(events: list[Event], time_s: float) -> None:
            _tell(events, options.json)
            actions.push(events, recognizer.hands, time_s, recognizer.scores)

        talk(f"{name}: watching for {', '.join(model.manifest.labels[1:])}")
        try:
            for frame in turned(source, is_mirrored(options.source)):
                if fresh := frame.image.shape != shape:
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
                _remember(corrector, fresh, seen, events)
                if window is not None and not _hurries(source, frame.time - drawn):
                    drawn = frame.time
                    # A file is shown at its own pace, a camera as it comes.
                    early_s = 0.0 if isinstance(source, Camera) else shown + frame.time - time.perf_counter()
                    more = _keys(options, model.manifest.labels), _ghosts(options, recognizer)
                    if not window.show(
                        overlay.draw(frame, seen, recognizer.scores, events, *more), max(0.001, early_s)
                    ):
                        break
                    _correct(corrector, window.key, model.manifest.labels)
        finally:
            # Whatever ends it, Ctrl-C and a lost camera too: no gesture is left begun.
            react(recognizer.finish(), last)
            tell_faults(source)
            if options.stats:
                talk(_stats(source, frames, last, ages))
    talk(f"{frames} pictures, {last:.1f} s of video" + _dropped(source))


def _dropped(source: Camera | Video) -> str:
    return f", {source.dropped} dropped" if isinstance(source, Camera) else ""


def _stats(source: Camera | Video, frames: int, last: float, ages: Collection[float]) -> str:
    faults = dict(sorted(source.faults.counts.items()))
    dropped = source.dropped if isinstance(source, Camera) else 0
    figures = {"pictures": frames, "seconds": round(last, 1), "dropped": dropped, "faults": faults}
    return json.dumps(figures | {"age_ms": _spread_ms(ages)})


def _load(options: argparse.Namespace) -> Model:
    """The model to run; raise `InputError` where it cannot draw the ghosts that are asked for."""
    model = load(options.model)
    horizons_s = model.manifest.horizons_s
    if options.ghost is not None and not (horizons_s and options.ghost <= horizons_s[-1]):
        raise InputError(
            f"{options.model} does not forecast {options.ghost:g} s ahead: train it again, or leave out --ghost"
        )
    return model


def _ghosts(options: argparse.Namespace, recognizer: Recognizer) -> Collection[Floats]:
    """Where hands will be, for `--ghost`."""
    return () if options.ghost is None else recognizer.forecast(options.ghost).values()


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


def _corrector(options: argparse.Namespace) -> Corrector | None:
    if options.corrections is None:
        if options.idle:
            raise InputError("--idle keeps what fires wrongly: say where with --corrections DIR")
        return None
    writable(options.corrections)
    return Corrector(options.corrections, check_name(options.person), recorded(options.source), options.idle)


def _keys(options: argparse.Namespace, labels: tuple[str, ...]) -> str:
    """What may be typed to correct, for the foot of the picture."""
    if options.corrections is None or options.idle:
        return ""
    return "w wrong; missed: " + " ".join(f"{n} {label}" for n, label in enumerate(labels[1:10], start=1))


def _remember(corrector: Corrector | None, fresh: bool, seen: Observation, events: list[Event]) -> None:
    if corrector is not None:
        if fresh:
            corrector.forget()
        _kept(corrector.push(seen, events))


def _correct(corrector: Corrector | None, key: str, labels: tuple[str, ...]) -> None:
    """w: that was wrong. 1 to 9: I did that gesture and you missed it."""
    if corrector is None:
        return
    try:
        if key == "w":
            _kept(corrector.wrong())
        elif key.isdecimal() and 0 < int(key) < len(labels):
            _kept(corrector.missed(labels[int(key)]))
    except ClipError as error:
        talk(str(error))


def _kept(path: Path | None) -> None:
    if path is not None:
        talk(f"kept as {path.parent.name}: {path}")


def _tell(events: list[Event], as_json: bool) -> None:
    for event in events:
        if as_json:
            print(json.dumps(event.json()), flush=True)
        else:
            hand = f"{event.side} hand" if event.side != "both" else "both hands"
            print(f"{event.time:7.2f} s  {event.gesture} {event.phase}  ({hand}, {event.confidence:.2f})", flush=True)
