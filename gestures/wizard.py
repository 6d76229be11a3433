"""Ten seconds before a camera that tell whether it mirrors."""

import argparse
from contextlib import ExitStack

from .camera import open_source
from .clips import take_paths
from .console import open_window, talk
from .errors import CameraError
from .facing import Wizard, convert, remember
from .landmarks import Landmarker
from .overlay import Overlay

PATIENCE_S = 20.0


def mirror(options: argparse.Namespace) -> None:
    """`gestures mirror`: hold up the right hand; what is found is remembered, and older takes are made good."""
    wizard, overlay = Wizard(), Overlay((), mirrored=False)
    if options.convert is not None:
        take_paths(options.convert)  # now, not after the camera has been looked at
    window = None if options.no_window else open_window("gestures mirror")
    talk("hold up your right hand alone, palm to the camera, until it is told")
    source = open_source(options.source)
    with ExitStack() as stack:
        stack.enter_context(source)
        landmarker = stack.enter_context(Landmarker())
        if window is not None:
            stack.enter_context(window)
        for frame in source:
            seen = landmarker.see(frame)
            wizard.push(seen)
            shown = window is None or window.show(overlay.draw(frame, seen, {}, [], "hold up your right hand"))
            if not shown or wizard.mirrored is not None or frame.time > PATIENCE_S:
                break
    if wizard.mirrored is None:
        raise CameraError(f"source {options.source} did not show one hand clearly for a second: show it the right hand")
    remember(options.source, wizard.mirrored)
    print(
        f"source {options.source} gives {'mirrored pictures: they are turned' if wizard.mirrored else 'true pictures'}"
    )
    if options.convert is not None:
        changed = convert(options.convert, options.source, wizard.mirrored)
        print(f"{len(changed)} takes of {options.convert} turned over")
