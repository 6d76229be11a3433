"""Recorded hands on disk: one .npz a clip, arrays and a JSON note, nothing executable.

`data/<set>/<gesture>/<person>_<nn>.npz`. A take belongs to the gesture its folder is named after, so renaming a
gesture is renaming a folder and deleting a take is deleting a file. The folder `rest` holds hands that mean nothing.
"""

import io
import json
import math
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import ClipError, InputError
from .files import MAX_NOTE, check_name, read_within, write_whole
from .setnote import load_set_note
from .types import FARTHEST, JOINTS, LATEST_S, WIDEST, Floats, Hand, Observation, Side

FORMAT = 1
REST = "rest"
SIDES: tuple[Side, Side] = ("left", "right")
MAX_BYTES = 1 << 29
"""A clip that unpacks to more is refused: an hour of two hands at 60 fps is 220 MB."""
MAX_LISTING = 1 << 16
KINDS = {"note": "U", "time": "f", "image": "f", "world": "f"}
"""The arrays in the file: text, or numbers of whatever precision."""


@dataclass(frozen=True, slots=True)
class Span:
    """One annotated gesture: from `start` to `end`, s on its clip's clock."""

    gesture: str
    start: float
    end: float

    def __post_init__(self) -> None:
        """Raise `InputError` for a name no folder could have, or an end before its start."""
        check_name(self.gesture)
        if not (math.isfinite(self.start) and math.isfinite(self.end) and self.start < self.end):
            raise InputError(f"Span of {self.gesture} must end after it starts, not {self.start} to {self.end} s")


@dataclass(frozen=True, slots=True)
class Recorded:
    """How a take was made, as its note says under `recorded`.

    `by` the program and its version; `source` the camera, file or URL; `turned`: its pictures came mirrored, and were
    turned before a hand was looked for; `video` the name of the film that was kept of it. Empty where nobody said.
    """

    by: str = ""
    source: str = ""
    turned: bool = False
    video: str = ""

    @classmethod
    def read(cls, raw: object) -> "Recorded":
        """From a note, whatever it holds; raise `TypeError` when that is something else."""
        if not isinstance(raw, dict):
            raise TypeError(f"`recorded` must be an object, not {str(raw)[:40]}")
        words = {name: str(raw.get(name, ""))[:200] for name in ("by", "source", "video")}
        return cls(turned=raw.get("turned") is True, **words)


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A recording: what the landmarker saw, and which gestures were meant.

    `time` (T,) float64 s, rising. `image`, `world` (T, 2, 21, 3) float32 as in `Hand`; slot 0 the left hand, 1 the
    right, NaN where there was none. `spans` are the gestures in it, none for rest. `aspect` is the picture's width /
    height. `recorded` is how it was made.
    """

    time: npt.NDArray[np.float64]
    image: Floats
    world: Floats
    person: str
    spans: tuple[Span, ...] = ()
    aspect: float = 4 / 3
    recorded: Recorded = Recorded()

    def __post_init__(self) -> None:
        """Raise `InputError` for arrays that do not fit each other, or a time that does not rise."""
        want = (len(self.time), 2, JOINTS, 3)
        for name in ("image", "world"):
            joints = getattr(self, name)
            if joints.shape != want:
                raise InputError(f"Clip.{name} must be {want}, not {joints.shape}")
            if (np.abs(joints) > FARTHEST).any():
                raise InputError(f"Clip.{name} must hold numbers within ±{FARTHEST:.0f}, or NaN for no hand")
        if self.time.ndim != 1 or not (np.abs(self.time) <= LATEST_S).all() or (np.diff(self.time) <= 0).any():
            raise InputError("Clip.time must be finite and rise from frame to frame")
        if not 1 / WIDEST <= self.aspect <= WIDEST:
            raise InputError(f"Clip.aspect must be a number within 1/{WIDEST} to {WIDEST}, not {self.aspect}")
        for span in self.spans:
            if not len(self.time) or span.end <= self.time[0] or span.start >= self.time[-1]:
                raise InputError(f"the span of {span.gesture} at {span.start} to {span.end} s must lie in its clip")
        check_name(self.person)

    @classmethod
    def of(cls, seen: Iterable[Observation], person: str, spans: tuple[Span, ...] = ()) -> "Clip":
        """The clip that holds these observations. Of two hands called the same side, one takes the free slot."""
        rows = list(seen)
        image = np.full((len(rows), 2, JOINTS, 3), np.nan, np.float32)
        world = image.copy()
        aspect = 4 / 3
        for row, observation in enumerate(rows):
            for hand in observation.hands[:2]:
                slot = SIDES.index(hand.side)
                slot = slot if np.isnan(image[row, slot, 0, 0]) else 1 - slot
                image[row, slot], world[row, slot] = hand.image, hand.world
                aspect = hand.aspect
        return cls(np.array([o.time for o in rows], np.float64), image, world, person, spans, aspect)

    def observations(self) -> Iterator[Observation]:
        """Give what was seen, frame by frame, as the landmarker gave it."""
        present = self.present
        for t, image, world, there in zip(self.time, self.image, self.world, present, strict=True):
            hands = (Hand(image[s], world[s], SIDES[s], 1.0, self.aspect) for s in (0, 1) if there[s])
            yield Observation(float(t), tuple(hands))

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """(T, 2) bool: whether the left and the right hand were seen."""
        whole = np.isfinite(self.image) & np.isfinite(self.world)
        return np.asarray(whole.all((2, 3)))

    @property
    def duration_s(self) -> float:
        """From the first frame to the last, s; 0 for a clip of one frame or none."""
        return float(self.time[-1] - self.time[0]) if len(self.time) else 0.0

    @property
    def rate_hz(self) -> float:
        """Pictures a second, as the camera truly gave them; 0 for a clip of one frame or none."""
        return float(1 / np.median(np.diff(self.time))) if len(self.time) > 1 else 0.0

    @property
    def side(self) -> str:
        """Whose hand it shows: left, right, both (each in half as many pictures as the other, or more), or none."""
        left, right = self.present.sum(0).tolist()
        if min(left, right) * 2 > max(left, right):
            return "both"
        return "none" if left == right else "left" if left > right else "right"


@dataclass(frozen=True, slots=True, eq=False)
class ClipSet:
    """All clips of a folder. `labels` are its gestures in order, without rest.

    `mirror` names the gestures that become each other in a mirror (swipe_left: swipe_right); None means that nobody
    has said whether the others stay what they are. `sequences` are commands of two gestures (fire_armed: (arm, fire)).
    """

    labels: tuple[str, ...]
    clips: tuple[Clip, ...]
    paths: tuple[Path, ...] = ()
    mirror: dict[str, str] | None = None
    sequences: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def people(self) -> tuple[str, ...]:
        """Who is in it, sorted."""
        return tuple(sorted({clip.person for clip in self.clips}))

    @property
    def said(self) -> tuple[str, ...]:
        """What a model that learns from it may say: rest first, commands last."""
        return tuple(dict.fromkeys((REST, *self.labels, *self.sequences)))

    def only(self, keep: Callable[[Clip], bool]) -> "ClipSet":
        """The set of the clips for which `keep` is true; labels stay as they are."""
        chosen = [i for i, clip in enumerate(self.clips) if keep(clip)]
        paths = tuple(self.paths[i] for i in chosen) if self.paths else ()
        return replace(self, clips=tuple(self.clips[i] for i in chosen), paths=paths)


def save_clip(clip: Clip, path: Path) -> None:
    """Write `clip` to `path` (.npz); raise `ClipError` where that is not allowed."""
    note = {
        "format": FORMAT,
        "person": clip.person,
        "aspect": clip.aspect,
        "folder": path.parent.name,
        "spans": [asdict(span) for span in clip.spans],
        "recorded": {**asdict(clip.recorded), "rate_hz": round(clip.rate_hz, 2), "side": clip.side},
    }
    arrays = {"time": clip.time, "image": clip.image, "world": clip.world, "note": np.array(json.dumps(note))}
    write_whole(path, lambda file: np.savez_compressed(file, **arrays), ClipError)  # type: ignore[arg-type]


def load_clip(path: Path) -> Clip:
    """Read a clip; its spans follow the name of its folder. Raise `ClipError` for anything that is not a clip."""
    try:
        arrays = _unpack(read_within(path, MAX_BYTES))
        note = json.loads(str(arrays["note"]))
        if note["format"] != FORMAT:
            raise ClipError(f"{path} is clip format {note['format']}, this version reads {FORMAT}: update gestures")
        spans = tuple(_span(span, note["folder"], path.parent.name) for span in note["spans"])
        spans = tuple(span for span in spans if span.gesture != REST)
        with np.errstate(over="ignore"):  # what overflows is infinite, and refused as such
            image, world = (arrays[name].astype(np.float32) for name in ("image", "world"))
        time, aspect = arrays["time"].astype(np.float64), float(note["aspect"])
        return Clip(time, image, world, note["person"], spans, aspect, Recorded.read(note.get("recorded", {})))
    except ClipError:
        raise
    except FileNotFoundError as error:
        raise ClipError(f"{path} is not there: name a clip that is") from error
    except Exception as error:
        why = getattr(error, "strerror", None) or error
        raise ClipError(f"{path} is not a whole clip ({why}): delete it or record it again") from error


def _unpack(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a clip's archive. Nothing is believed of its size before that is bounded; raise `ValueError`."""
    # numpy ends an archive with this record and no comment; a longer listing could hold millions of names.
    end = content[-22:]
    if end[:4] != b"PK\5\6" or content[-42:-38] == b"PK\6\7" or int.from_bytes(end[12:16], "little") > MAX_LISTING:
        raise ValueError("it is no archive of a few arrays")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        entries = {name: packed.getinfo(f"{name}.npy") for name in KINDS}
        size = sum(entry.file_size for entry in entries.values())
        if size > MAX_BYTES or entries["note"].file_size > MAX_NOTE:
            raise ValueError(f"it unpacks to {size} bytes, more than a clip may have")
        if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries.values()):
            raise ValueError("it is packed in a way that numpy never does")
        return {name: _array(packed, entry, KINDS[name]) for name, entry in entries.items()}


def _array(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, kind: str) -> npt.NDArray[Any]:
    with packed.open(entry) as file:
        # Asked for all of it, zipfile unpacks what is there; asked for so much, no more than was said.
        content = io.BytesIO(file.read(entry.file_size))
    if np.lib.format.read_magic(content) != (1, 0):
        raise ValueError(f"{entry.filename} is no array that numpy writes")
    shape, _, dtype = np.lib.format.read_array_header_1_0(content)
    if dtype.kind != kind or math.prod(shape) * dtype.itemsize != entry.file_size - content.tell():
        raise ValueError(f"{entry.filename} does not hold {shape} of {dtype}")
    content.seek(0)
    return np.lib.format.read_array(content, allow_pickle=False)


def _span(raw: dict[str, Any], recorded_as: str, folder: str) -> Span:
    gesture = folder if raw["gesture"] == recorded_as else raw["gesture"]
    return Span(gesture, float(raw["start"]), float(raw["end"]))


def take_paths(folder: Path) -> list[Path]:
    """The files of a set's takes, sorted, none that is hidden; raise `ClipError` if there is none."""
    paths = sorted(path for path in folder.glob("*/*.npz") if not path.name.startswith("."))
    if not paths:
        raise ClipError(
            f"{folder} holds no clips (GESTURE/PERSON_NN.npz): record or import some into it first, or name another set"
        )
    return paths


def load_set(folder: str | Path) -> ClipSet:
    """Read every clip below `folder`; `set.json` gives the order of the labels. Raise `ClipError` if there is none."""
    folder = Path(folder)
    paths = take_paths(folder)
    clips = tuple(load_clip(path) for path in paths)
    note = load_set_note(folder)
    listed = note["labels"]
    found = {span.gesture for clip in clips for span in clip.spans}
    labels = tuple([label for label in listed if label in found] + sorted(found - set(listed)))
    return ClipSet(labels, clips, tuple(paths), note["mirror"], note["sequences"])


def load_below(folder: Path) -> tuple[Clip, ...]:
    """Every clip in `folder` and below it, however it is laid out, but what is hidden, as takes put away are.

    Raise `ClipError` if there is none.
    """
    every = ((path, path.relative_to(folder).parts) for path in folder.rglob("*.npz"))
    paths = sorted(path for path, parts in every if not any(part.startswith(".") for part in parts))
    if not paths:
        raise ClipError(f"{folder} holds no recordings (*.npz): record or import some into it first")
    return tuple(load_clip(path) for path in paths)


def folds(people: Sequence[str], count: int, seed: int = 0) -> list[tuple[str, ...]]:
    """Deal `people` into `count` groups (fewer when there are fewer people), each once the held-out part."""
    order = np.random.default_rng(seed).permutation(sorted(set(people))).tolist()
    count = min(count, len(order))
    return [tuple(order[i::count]) for i in range(count)]
