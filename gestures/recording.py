"""Observations -> labelled clips: what is imported from videos, and which take a clip becomes."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from .camera import Video
from .clips import REST, Clip, Span, check_name, save_clip, save_set_note
from .cutting import Cutter, fault
from .errors import ClipError, GesturesError
from .landmarks import Landmarker
from .types import Observation

REST_FOLDERS = frozenset({REST, "idle", "none", "background", "unclassified"})
"""Folders of videos whose hands mean nothing: they become rest."""
VIDEOS = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv"})
REST_TAKE_S = 30.0
"""Rest is kept in takes of this length, so that little is lost when the program is killed."""
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


def watch(path: Path, person: str, hands: int = 2) -> Clip:
    """What the landmarker sees in a video, as a clip without spans; raise `CameraError` where it cannot be read."""
    with Video(path) as video, Landmarker(hands) as landmarker:
        return Clip.of((landmarker.see(frame) for frame in video), person)


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


class Recorder:
    """Records `takes` takes of one gesture into the set `into`: `push` what the camera sees until `done`.

    Every take is on disk, whole, before the next begins. `say` is told of each in one sentence, and why one that
    cannot teach was not kept. `length_s` None: takes are cut by movement; rest always has a length.
    """

    def __init__(
        self, gesture: str, person: str, into: Path, takes: int, length_s: float | None, say: Callable[[str], None]
    ) -> None:
        """Raise `InputError` for a gesture or a person no file could be named after."""
        length_s = REST_TAKE_S if length_s is None and gesture == REST else length_s
        self.kept: list[Path] = []
        self.refused = 0
        self._gesture, self._into, self._takes, self._say = check_name(gesture), into, takes, say
        self._cutter = Cutter(gesture, check_name(person), length_s)

    @property
    def done(self) -> bool:
        """Whether all takes are there."""
        return len(self.kept) >= self._takes

    @property
    def state(self) -> str:
        """How far it is and what is awaited of the person, for the screen."""
        return f"{self._gesture} {len(self.kept)}/{self._takes}: {self._cutter.state}"

    def push(self, seen: Observation) -> None:
        """Take in what the camera sees; raise `ClipError` where a take cannot be written."""
        self._weigh(self._cutter.push(seen))

    def finish(self) -> None:
        """Keep what the end of the stream leaves."""
        self._weigh(self._cutter.finish())

    def undo(self) -> None:
        """Take the last take back; nothing when there is none."""
        if self.kept:
            self.kept[-1].unlink(missing_ok=True)
            self._say(f"taken back: {self.kept.pop()}")

    def _weigh(self, take: Clip | None) -> None:
        if take is None or self.done:
            return
        wrong = fault(take)
        if wrong is not None:
            self.refused += 1
            self._say(f"not kept: {wrong}")
            return
        self.kept.append(keep(take, self._gesture, self._into))
        self._say(f"take {len(self.kept)} of {self._takes}: {take.duration_s:.1f} s, {self.kept[-1]}")


def keep(take: Clip, gesture: str, into: Path) -> Path:
    """Save a recorded take under the next free number of its person, and name the gesture in the set's note.

    No take is ever overwritten, not even by a second recorder at work in the same set: a number is reserved by a file
    that only one can create. Raise `ClipError` where nothing may be written.
    """
    folder, number = into / gesture, 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            path = folder / f"{take.person}_{number:02d}.npz"
            reserved = path.with_suffix(".reserved")
            number += 1
            if path.exists():
                continue
            try:
                reserved.open("x").close()
            except FileExistsError:
                continue
            try:
                # Between the look and the reservation another recorder may have saved and let go.
                if not path.exists():
                    save_clip(take, path)
                    break
            finally:
                reserved.unlink()
    except OSError as error:
        raise ClipError(f"{folder} cannot be written ({error.strerror}): choose a folder you may write to") from error
    save_set_note(into, [gesture] if gesture != REST else [])
    return path


def _free(folder: Path, person: str, take: str, made: dict[Path, str]) -> Path:
    """The take's place, or the next number that this import has not given away yet."""
    number = int(take)
    while (target := folder / f"{person}_{number:0{len(take)}d}.npz") in made:
        number += 1
    return target
