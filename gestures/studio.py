"""Recording before the camera: what a person sees and types while takes are made."""

import argparse
from contextlib import ExitStack

from .camera import open_source
from .console import talk, writable
from .errors import ClipError
from .landmarks import Landmarker
from .overlay import Overlay, Window, has_screen
from .recording import Recorder
from .types import Frame, Observation


def record(options: argparse.Namespace) -> None:
    """`gestures record`: takes of one gesture, cut by movement."""
    writable(options.into)
    recorder = Recorder(
        options.gesture,
        options.person,
        options.into,
        options.takes,
        options.seconds,
        lambda line: talk(f"\a{line}"),  # the bell, for those who look at their hand
    )
    window = None if options.no_window or not has_screen() else Window("gestures record")
    talk(f"hold a hand still in view, do {options.gesture}, hold it still again; u takes the last one back, q ends")
    overlay = Overlay(())
    source = open_source(options.source)
    with ExitStack() as stack:
        stack.enter_context(source)
        landmarker = stack.enter_context(Landmarker())
        if window is not None:
            stack.enter_context(window)
        for frame in source:
            seen = landmarker.see(frame)
            recorder.push(seen)
            if recorder.done or not _shown(window, overlay, frame, seen, recorder):
                break
        recorder.finish()
    left_out = f", {recorder.refused} not kept" if recorder.refused else ""
    if not recorder.kept:
        raise ClipError(
            f"no take of {options.gesture} came of it{left_out}: hold a hand still in view, move, hold it still again"
        )
    print(f"{len(recorder.kept)} takes of {options.gesture} in {options.into}{left_out}")
    print(f"now another gesture or rest, then: gestures train {options.into} --into MODEL")


def _shown(window: Window | None, overlay: Overlay, frame: Frame, seen: Observation, recorder: Recorder) -> bool:
    """Show the person how far it is; False when they have had enough."""
    if window is None:
        return True
    goes_on = window.show(overlay.draw(frame, seen, {}, [], recorder.state))
    if window.key == "u":
        recorder.undo()
    return goes_on
