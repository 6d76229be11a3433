"""The main job: a camera, a clip or a URL watched live, its events told."""

import argparse
import json
import time
from contextlib import ExitStack

from .camera import Camera, open_source
from .console import shipped, talk, tell_faults
from .landmarks import Landmarker
from .model import load
from .overlay import Overlay, Window, has_screen
from .recognizer import Recognizer
from .types import Event
from .video import Video


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
    frames, last, shown, shape = 0, 0.0, began, None
    with ExitStack() as stack:
        stack.enter_context(source)
        landmarker = stack.enter_context(Landmarker())
        if window is not None:
            stack.enter_context(window)
        talk(f"{name}: watching for {', '.join(model.manifest.labels[1:])}")
        try:
            for frame in source:
                if frame.image.shape != shape:
                    # Pictures of another size are another stream: what goes on ends, memories begin afresh.
                    _tell(recognizer.finish(), options.json)
                    shape = frame.image.shape
                seen = landmarker.see(frame)
                events = recognizer.push(seen)
                if frames == 0:
                    shown = time.perf_counter() - frame.time
                    talk(f"first picture after {time.perf_counter() - began:.1f} s")
                frames, last = frames + 1, frame.time
                _tell(events, options.json)
                tell_faults(source)
                if window is not None:
                    # A file is shown at its own pace, a camera as it comes.
                    early_s = 0.0 if isinstance(source, Camera) else shown + frame.time - time.perf_counter()
                    if not window.show(overlay.draw(frame, seen, recognizer.scores, events), max(0.001, early_s)):
                        break
        finally:
            # Whatever ends it, Ctrl-C and a lost camera too: no gesture is left begun.
            _tell(recognizer.finish(), options.json)
            tell_faults(source)
            dropped = source.dropped if isinstance(source, Camera) else 0
            if options.stats:
                faults = dict(sorted(source.faults.counts.items()))
                talk(json.dumps({"pictures": frames, "seconds": round(last, 1), "dropped": dropped, "faults": faults}))
    talk(f"{frames} pictures, {last:.1f} s of video" + (f", {dropped} dropped" if isinstance(source, Camera) else ""))


def _tell(events: list[Event], as_json: bool) -> None:
    for event in events:
        if as_json:
            print(json.dumps(event.json()), flush=True)
        else:
            hand = f"{event.side} hand" if event.side != "both" else "both hands"
            print(f"{event.time:7.2f} s  {event.gesture} {event.phase}  ({hand}, {event.confidence:.2f})", flush=True)
