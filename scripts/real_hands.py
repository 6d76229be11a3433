"""What a model learnt from the synthetic hand says to films of real ones, laid out as the readers expect."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from readers import egogestar, mp_data, watched

from gestures.clips import Clip
from gestures.evaluation import replay
from gestures.model import Model
from gestures.synthetic import MIRROR

DRAWN = {
    "left": "swipe_left",
    "right": "swipe_right",
    "up": "swipe_up",
    "down": "swipe_down",
    "circlecc": "circle_ccw",
}
"""EgoGestAR's movements that the starter set has, as the performer names them."""


def began(model: Model, clip: Clip) -> list[str]:
    """The gestures that a model says begin in a clip."""
    events = replay(model, clip).events(model.manifest.labels, model.manifest.rules)
    return [event.gesture for event in events if event.phase == "began"]


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
    return "\n".join(lines)


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
