"""Recording before the camera: what a person sees and types while takes are made."""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from .camera import open_source
from .clips import REST, load_set
from .coaching import Coach
from .console import open_window, talk, tell_faults, writable
from .errors import ClipError
from .facing import is_mirrored, recorded, turned
from .files import check_name
from .landmarks import Landmarker
from .likeness import ALIKE, distances, gesture_of, likest
from .overlay import Overlay, Window, has_screen
from .recording import Assignment, Recorder
from .types import Frame, Observation
from .video import Film

COMPARED = 10
"""So many takes a gesture are compared with each other: enough to tell, in a second."""


def record(options: argparse.Namespace) -> None:
    """`gestures record`: takes of one gesture, cut by movement."""
    for name in (options.gesture, options.person):
        check_name(name)
    writable(options.into)
    film = None
    if options.keep_video is not None:
        writable(options.keep_video)
        film = Film(options.keep_video, f"{options.gesture}_{options.person}")
    takes = options.takes if options.takes is not None else None if options.yes else 10
    plan = Assignment(
        options.gesture,
        options.person,
        options.into,
        takes,
        options.seconds,
        0.0 if options.yes else options.countdown,
        options.ask and not options.yes,
        recorded(options.source, "" if film is None else film.path.name),
    )
    recorder = Recorder(plan, ring)
    if plan.ask and (options.no_window or not has_screen()):
        raise ClipError("--ask needs a window for its keys: leave it out, or have a screen and no --no-window")
    window = None if options.no_window or options.yes else open_window("gestures record")
    if not options.yes:
        talk(how_to(recorder, window is not None, "ends"))
    if film is not None:
        talk(f"the pictures are kept in {film.path}")
    run(recorder, options.source, window, film)
    left_out = f", {recorder.refused} not kept" if recorder.refused else ""
    if not recorder.kept:
        raise ClipError(
            f"no take of {options.gesture} came of it{left_out}: {how_to(recorder, keys=False)}, and type it again"
        )
    print(f"{len(recorder.kept)} takes of {options.gesture} in {options.into}{left_out}")
    _advise(options.into, options.gesture)
    print(f"now another gesture or rest, then: gestures train {options.into} --into MODEL")


def how_to(recorder: Recorder, keys: bool, q: str = "") -> str:
    """What a person is to do for a take; with `keys` also what may be typed, and what `q` does."""
    do = "do what means nothing" if recorder.gesture == REST else f"do {recorder.gesture}"
    if recorder.length_s is None:
        told = f"hold a hand still in view, {do}, hold it still again"
    else:
        told = f"{do}, a hand in view: every {recorder.length_s:g} s are a take"
    return f"{told}; u takes a take back, q {q}" if keys else told


def _advise(into: Path, gesture: str) -> None:
    """Say which other gesture of the set this one is hard to tell from."""
    takes = load_set(into).clips
    names = [gesture_of(take) for take in takes]
    chosen = [i for i, name in enumerate(names) if name != REST and names[:i].count(name) < COMPARED]
    found = likest(distances([takes[i] for i in chosen]), np.array([names[i] for i in chosen]), gesture)
    if found is not None and found[1] >= ALIKE:
        talk(f"{gesture} is {found[1]:.2f} like {found[0]} (1: no more unlike than its own takes): record it wider")


def ring(line: str) -> None:
    """Say a line, with the bell where there is a terminal, for those who look at their hand."""
    talk(f"\a{line}" if sys.stderr.isatty() else line)


def run(recorder: Recorder, name: str, window: Window | None, film: Film | None = None) -> None:
    """Record from the source of that `name` until all takes are there, it ends, or the person has had enough."""
    overlay, coach = Overlay(()), Coach()
    told: set[str] = set()
    source = open_source(name)
    with ExitStack() as stack:
        stack.enter_context(source)
        landmarker = stack.enter_context(Landmarker())
        for other in (window, film):
            if other is not None:
                stack.enter_context(other)
        for frame in turned(source, is_mirrored(name)):
            if film is not None:
                film.add(frame)
            seen = landmarker.see(frame)
            recorder.push(seen)
            tell_faults(source)
            hint = coach.look(frame, seen)
            if window is None and hint.split(":")[0] not in told | {""}:
                told.add(hint.split(":")[0])
                talk(hint)
            if recorder.done or not _shown(window, overlay, frame, seen, recorder, hint):
                break
        recorder.finish()


def _shown(
    window: Window | None, overlay: Overlay, frame: Frame, seen: Observation, recorder: Recorder, hint: str
) -> bool:
    """Show the person how far it is; False when they have had enough."""
    if window is None:
        return True
    goes_on = window.show(overlay.draw(frame, seen, {}, [], f"{hint}\n{recorder.state}".strip()))
    recorder.key(window.key)
    return goes_on
