"""What a model learnt from the synthetic hand says to films of real ones, laid out as the readers expect."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from readers import egogestar, mp_data, sfinge3d, watched

from gestures.clips import Clip
from gestures.evaluation import replay
from gestures.model import Model
from gestures.synthetic import MIRROR
from gestures.types import Event

DRAWN = {
    "left": "swipe_left",
    "right": "swipe_right",
    "up": "swipe_up",
    "down": "swipe_down",
    "circlecc": "circle_ccw",
}
"""EgoGestAR's movements that the starter set has, as the performer names them."""

MOVED = {
    "swipe_left": ("swipe_left",),
    "swipe_right": ("swipe_right",),
    "grab": ("grab",),
    "expand": ("open",),
    "tap": ("tap",),
    "pinch": ("pinch", "zoom_out"),
    "swipe_o": ("circle_cw", "circle_ccw"),
    "one": ("thumb_up",),
}
"""SFINGE3D's movements that the starter set has, and what it may call them: its "one" is a raised thumb, and fingers
that come together zoom out as well."""
EARLY_S, LATE_S = 0.25, 0.5
"""How long before and after an annotated gesture an event may begin that names it."""


def began(model: Model, clip: Clip) -> list[str]:
    """The gestures that a model says begin in a clip."""
    return [event.gesture for event in onsets(model, clip)]


def onsets(model: Model, clip: Clip) -> list[Event]:
    """The events that a model says begin in a clip."""
    events = replay(model, clip).events(model.manifest.labels, model.manifest.rules)
    return [event for event in events if event.phase == "began"]


def listed(said: Counter[str]) -> str:
    """What was said how often, the most frequent first."""
    return ", ".join(f"{gesture} {count}" for gesture, count in said.most_common()) or "nothing"


def report(model: Model, folder: Path) -> str:
    """False accepts on films that show none of the gestures, and what is said to those that show one.

    EgoGestAR's camera looks along with the performer, the webcam at them: where a webcam sees a swipe to the left,
    it sees one to the right. Both names are counted.
    """
    lines = []
    moves = _moves(folder)
    silent: dict[str, list[Clip]] = {
        "webcam/open_palm.mp4": _film(folder / "webcam" / "open_palm.mp4"),
        "egogestar/unclassified": moves.get("", []),
    }
    for clip in mp_data(folder / "mp_data").clips:
        silent.setdefault(f"mp_data/{clip.spans[0].gesture}", []).append(clip)
    total, hours = 0, 0.0
    for name, clips in silent.items():
        said = _said(model, clips)
        hours += (film_h := sum(clip.duration_s for clip in clips) / 3600)
        total += said.total()
        lines.append(f"  {name:26s} {said.total():4d} in {film_h:.4f} h of {len(clips)} films: {listed(said)}")
    for clip in _film(folder / "webcam" / "thumb_up.mp4"):
        said = _said(model, [clip])
        others = said.total() - min(1, said["thumb_up"])
        hours, total = hours + clip.duration_s / 3600, total + others
        lines.append(f"  webcam/thumb_up.mp4        {others:4d} besides one thumb_up: {listed(said)}")
    lines.insert(0, f"{total} false accepts in {hours:.3f} h of real hands that do none of the gestures")
    lines.append("EgoGestAR, a head camera; films with: its gesture said; its mirror image; nothing; all that was said")
    for move, gesture in DRAWN.items():
        told = [began(model, clip) for clip in moves.get(move, [])]
        own, mirrored = (sum(name in said for said in told) for name in (gesture, MIRROR.get(gesture, gesture)))
        mute = sum(not said for said in told)
        every = listed(Counter(name for said in told for name in said))
        lines.append(f"  {move:9s} {len(told):3d} films: {own:3d} {mirrored:3d} {mute:3d}   {every}")
    return "\n".join([*lines, *_moved(model, folder / "sfinge3d")])


def _moved(model: Model, folder: Path) -> list[str]:
    """What is said to hands that a Leap Motion has followed, as a camera opposite would have seen them."""
    streams = sfinge3d(folder, opposite=True)[1].clips if folder.is_dir() else ()
    shown, found, else_said = Counter[str](), Counter[str](), Counter[str]()
    for clip in streams:
        said = onsets(model, clip)
        for span in clip.spans:
            names = MOVED.get(span.gesture, ())
            own = [e for e in said if e.gesture in names and span.start - EARLY_S <= e.time <= span.end + LATE_S]
            shown[span.gesture] += bool(names)
            found[span.gesture] += bool(own)
            said = [event for event in said if event not in own]
        else_said.update(event.gesture for event in said)
    minutes = sum(clip.duration_s for clip in streams) / 60
    return [
        f"SFINGE3D, real hands followed by a Leap Motion, as a webcam opposite sees them; {len(streams)} streams: "
        f"{found.total()} of {shown.total()} named, {else_said.total()} other events in {minutes:.0f} min: "
        f"{listed(else_said)}",
        *(f"  {move:12s} {found[move]:3d} of {shown[move]:3d}" for move in MOVED),
    ]


def _said(model: Model, clips: Iterable[Clip]) -> Counter[str]:
    return Counter(gesture for clip in clips for gesture in began(model, clip))


def _film(path: Path) -> list[Clip]:
    return [watched(path)] if path.exists() else []


def _moves(folder: Path) -> dict[str, list[Clip]]:
    """EgoGestAR's clips by their movement; "" has those that do none of the set's."""
    moves: dict[str, list[Clip]] = {}
    if (folder / "egogestar").is_dir():
        for clip in egogestar(folder / "egogestar")[0].clips:
            moves.setdefault(clip.spans[0].gesture if clip.spans else "", []).append(clip)
    return moves
