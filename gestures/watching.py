"""The main job: a camera, a clip or a URL watched live, its events told."""

import argparse
import json
import time
from contextlib import ExitStack

from .camera import Camera, Video, open_source
from .console import shipped, talk
from .landmarks import Landmarker
from .model import load
from .overlay import Overlay, Window, has_screen
from .recognizer import Recognizer
from .types import Event


def demo(options: argparse.Namespace) -> None:
    """`gestures demo`: the clip that ships with the package."""
    _run(options, Video(shipped("data/demo/demo.mp4")), "the demo clip")


def live(options: argparse.Namespace) -> None:
    """`gestures live`: the person's own camera, file or URL."""
    _run(options, open_source(options.source), f"source {options.source}")


def _run(options: argparse.Namespace, source: Camera | Video, name: str) -> None:
    began = time.perf_counter()
    model = load(options.model)
    recognizer = Recognizer(model)
    window = None if options.no_window else Window()
    if window is not None and not has_screen():
        window = None
        talk("no screen here: going on without a window (--no-window says so beforehand)")
    overlay = Overlay(model.manifest.labels)
    frames, last, shown = 0, 0.0, began
    with ExitStack() as stack:
        stack.enter_context(source)
        landmarker = stack.enter_context(Landmarker())
        if window is not None:
            stack.enter_context(window)
        talk(f"{name}: watching for {', '.join(model.manifest.labels[1:])}")
        for frame in source:
            seen = landmarker.see(frame)
            events = recognizer.push(seen)
            if frames == 0:
                shown = time.perf_counter() - frame.time
                talk(f"first picture after {time.perf_counter() - began:.1f} s")
            frames, last = frames + 1, frame.time
            _tell(events, options.json)
            if window is not None:
                # A file is shown at its own pace, a camera as it comes.
                early_s = 0.0 if isinstance(source, Camera) else shown + frame.time - time.perf_counter()
                if not window.show(overlay.draw(frame, seen, recognizer.scores, events), max(0.001, early_s)):
                    break
        _tell(recognizer.finish(), options.json)
    dropped = f", {source.dropped} dropped" if isinstance(source, Camera) else ""
    talk(f"{frames} pictures, {last:.1f} s of video{dropped}")


def _tell(events: list[Event], as_json: bool) -> None:
    for event in events:
        if as_json:
            print(json.dumps(event.json()), flush=True)
        else:
            hand = f"{event.side} hand" if event.side != "both" else "both hands"
            print(f"{event.time:7.2f} s  {event.gesture} {event.phase}  ({hand}, {event.confidence:.2f})", flush=True)
