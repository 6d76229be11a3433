"""Labelled videos -> takes."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from .clips import REST, Clip, Span, load_clip, save_clip
from .errors import ClipError, GesturesError
from .files import check_name
from .landmarks import Landmarker
from .setnote import save_set_note
from .types import Observation
from .video import Video

REST_FOLDERS = frozenset({REST, "idle", "none", "background", "unclassified"})
"""Folders of videos whose hands mean nothing: they become rest."""
VIDEOS = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv"})
MOST_FRAMES = 200_000
"""An hour at 60 a second; a video that never ends would fill the memory."""
FEWEST = 3
"""A video that shows a hand in fewer frames than this is listed and left out."""


def find_videos(folder: Path) -> list[tuple[str, Path]]:
    """(gesture, video) of every `<gesture>/<anything>.mp4` below `folder`, sorted.

    Raise `ClipError` when there is none, or a folder's name cannot be a gesture's.
    """
    if not folder.is_dir():
        raise ClipError(f"{folder} is no folder: name one that holds GESTURE/ANYTHING.mp4")
    seen = (path for path in folder.glob("*/*") if path.suffix.lower() in VIDEOS)
    paths = sorted(path for path in seen if not path.name.startswith(".") and not path.parent.name.startswith("."))
    if not paths:
        raise ClipError(f"{folder} holds no videos: put them in as GESTURE/ANYTHING.mp4")
    named = [(path.parent.name, path) for path in paths]
    return [(REST if name.lower() in REST_FOLDERS else check_name(name), path) for name, path in named]


def person_and_take(stem: str) -> tuple[str, str]:
    """Who and which take a file's name says: `ana_03` is ana's 03; any other name is a person, or round, of its own."""
    named = re.fullmatch(r"(.+)_(\d+)", stem)
    person, take = named.groups() if named else (stem, "00")
    return check_name(re.sub(r"[^\w .+-]", "-", person)[:60]), take


def watch(path: Path, person: str, hands: int = 2, longest_s: float = math.inf) -> Clip:
    """What the landmarker sees in a video, as a clip without spans.

    Raise `CameraError` where it cannot be read, `ClipError` as soon as it turns out to be longer than `longest_s`.
    """
    seen: list[Observation] = []
    with Video(path) as video, Landmarker(hands) as landmarker:
        for frame in video:
            if len(seen) == MOST_FRAMES:
                raise ClipError(f"it has more than {MOST_FRAMES} frames: cut it, a take is seconds long")
            if seen and frame.time - seen[0].time > longest_s:
                raise ClipError(f"{path} is longer than {longest_s:.0f} s: cut it")
            seen.append(landmarker.see(frame))
    return Clip.of(seen, person)


def label(clip: Clip, gesture: str) -> Clip:
    """`clip` as a take of `gesture`: one span from the first sight of a hand to the last; rest has none.

    Raise `ClipError` when a hand is seen in fewer than three frames.
    """
    seen = clip.time[clip.present.any(1)]
    if len(seen) < FEWEST:
        raise ClipError(f"a hand is seen in {len(seen)} of {len(clip.time)} frames")
    spans = () if gesture == REST else (Span(gesture, float(seen[0]), float(seen[-1])),)
    return replace(clip, spans=spans)


def import_videos(
    folder: Path, into: Path, say: Callable[[str], None], hands: int = 2
) -> Iterator[tuple[Path, Clip | None]]:
    """Turn labelled videos into takes below `into`, one after another: each with its clip, None where none came of it.

    What is left out is told to `say` in one sentence, and so is a take of an earlier import that is replaced. Raise
    `ClipError` when nothing can be read or written.
    """
    videos = find_videos(folder)
    made: dict[Path, str] = {}
    for gesture, path in videos:
        try:
            person, take = person_and_take(path.stem)
            clip = label(watch(path, person, hands), gesture)
        except GesturesError as error:
            say(f"{path} is left out: {error}")
            yield path, None
            continue
        target = _free(into / gesture, person, take, made)
        if target.exists():
            say(f"{target} is replaced by {path}")
        save_clip(clip, target)
        made[target] = gesture
        yield path, clip
    if not made:
        raise ClipError(f"{folder} gave no take: no hand was found in any of {len(videos)} videos")
    save_set_note(into, sorted(set(made.values()) - {REST}))


def _free(folder: Path, person: str, take: str, made: dict[Path, str]) -> Path:
    """The take's place, or the next number that this import has not given away, and that holds nothing recorded."""
    number = int(take)
    while (target := folder / f"{person}_{number:0{len(take)}d}.npz") in made or _recorded(target):
        number += 1
    return target


def _recorded(path: Path) -> bool:
    """Whether a take is there that no video gives again, or a file that is none."""
    try:
        return path.exists() and load_clip(path).recorded.by != ""
    except ClipError:
        return True
