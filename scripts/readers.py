"""Public data sets as clips: each layout is mapped to the 21 landmarks here and nowhere else."""

import csv
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from gestures import glances, landmarks
from gestures.clips import Clip, ClipSet, Span, load_clip, save_clip
from gestures.errors import GesturesError
from gestures.importing import find_videos, label, person_and_take, watch
from gestures.landmarks import MODEL_SHA256
from gestures.types import Floats

LEAP = (0, None, 1, 2, 3, *range(4, 20))
"""SFINGE3D's joint for each landmark. It has no thumb CMC: that is put on the way from the wrist to the thumb's MCP."""
THUMB_CMC = 0.4
FPHA = (0, 1, 6, 7, 8, 2, 9, 10, 11, 3, 12, 13, 14, 4, 15, 16, 17, 5, 18, 19, 20)
"""FPHA's joint for each landmark: it lists the MCPs of all fingers first."""
PALM_M = 0.09
"""From wrist to middle MCP, m: the scale of hands known in picture coordinates only."""
FOCAL = 0.8
"""Of the camera that films SFINGE3D's hands, in picture widths."""
OPPOSITE_M = 0.9
"""How far before that camera is one that looks back at it: 0.55 m from the middle of the space."""
SFINGE3D = dict(
    enumerate(
        "one two three four ok pinch grab expand tap swipe_left swipe_right swipe_v swipe_o".split(),  # noqa: SIM905
        start=1,
    )
)


def cache(name: str) -> Path:
    """Where what was read slowly is kept for the next time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gestures" / "benchmark" / name


def watched(path: Path) -> Clip:
    """The hands in a video, kept in the user's cache by the video's bytes and the landmarker's source."""
    eye = b"".join(Path(module.__file__).read_bytes() for module in (landmarks, glances)) + MODEL_SHA256.encode()
    key = hashlib.sha256(path.read_bytes() + eye).hexdigest()[:24]
    kept, person = cache("landmarks") / f"{key}.npz", person_and_take(path.stem)[0]
    if not kept.exists():
        save_clip(watch(path, person), kept)
    seen = load_clip(kept)
    return Clip(seen.time, seen.image, seen.world, person, (), seen.aspect)


def egogestar(folder: Path) -> tuple[ClipSet, list[str]]:
    """EgoGestAR's videos, one person a recording round, and the names of those in which no hand was found."""
    clips, blind = [], []
    for gesture, path in tqdm(find_videos(folder), desc="hands", unit="video", file=sys.stderr):
        try:
            clips.append(label(watched(path), gesture))
        except GesturesError:
            blind.append(f"{path.parent.name}/{path.name}")
    labels = tuple(sorted({span.gesture for clip in clips for span in clip.spans}))
    return ClipSet(labels, tuple(clips)), blind


def sfinge3d(folder: Path, *, opposite: bool = False) -> tuple[ClipSet, ClipSet]:
    """SFINGE3D's single gestures and its streams, 20 Hz; a person is a take's or a stream's number.

    `opposite` films them as a webcam would, from where the hands point to, in place of from behind.
    """
    takes = []
    for key, joints in arrays(folder / "isolated.npz"):
        gesture, take = key.split("/")
        clip = _leap(joints, f"take {take}", opposite)
        takes.append(label(clip, SFINGE3D[int(gesture)]))
    spans: dict[str, list[Span]] = {}
    if (folder / "streams.csv").exists():
        with (folder / "streams.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                start, end = int(row["start_frame"]) / 20, int(row["end_frame"]) / 20
                spans.setdefault(f"{int(row['stream']):02d}", []).append(
                    Span(SFINGE3D[int(row["gesture"])], start, end)
                )
    streams = [
        _leap(joints, f"stream {key}", opposite, spans.get(f"{int(key):02d}", []))
        for key, joints in arrays(folder / "streams.npz")
    ]
    labels = tuple(sorted(SFINGE3D.values()))
    return ClipSet(labels, tuple(takes)), ClipSet(labels, tuple(streams))


def _leap(joints: Floats, person: str, opposite: bool, spans: list[Span] | None = None) -> Clip:
    """A clip of a Leap Motion's right hand (T, 20, 7)."""
    hand = leap_metres(joints)
    if opposite:
        hand = hand * np.array([-1, 1, -1], np.float32) + np.array([0, 0, OPPOSITE_M], np.float32)
    return filmed(hand, 20, person, spans or [], focal=FOCAL, aspect=4 / 3)


def leap_metres(joints: Floats) -> Floats:
    """(T, 21, 3) a Leap Motion's hand (T, 20, 7) before our camera: its y axis points up, MediaPipe's down."""
    metres = joints[:, :, :3] * np.array([1, -1, 1], np.float32)
    cmc = metres[:, 0] + THUMB_CMC * (metres[:, 1] - metres[:, 0])
    hand = np.stack([cmc if source is None else metres[:, source] for source in LEAP], 1)
    # As a camera would see it from 0.35 m behind the middle of the space in which the gestures were made.
    placed: Floats = hand - np.array([0.26, -2.41, -0.02], np.float32)
    return placed


def fpha(folder: Path) -> ClipSet:
    """FPHA's actions, 30 Hz, seen through its own camera; a person is a subject."""
    clips = []
    for path in sorted(folder.glob("*.npz")):
        for key, joints in arrays(path):
            subject, action, _ = key.split("/")
            metres = (joints[:, FPHA] / 1000).astype(np.float32)
            clip = filmed(metres, 30, subject, [], focal=0.73, aspect=16 / 9)
            clips.append(label(clip, action))
    return ClipSet(tuple(sorted({span.gesture for clip in clips for span in clip.spans})), tuple(clips))


def mp_data(folder: Path) -> ClipSet:
    """The MP_Data words, 30 frames of two hands in picture coordinates; a person is a recorder."""
    clips = []
    for path in sorted(folder.glob("*.npz")):
        for key, image in arrays(path):
            seen = np.where((image == 0).all((2, 3), keepdims=True), np.nan, image).astype(np.float32)
            world = _upright(seen, 4 / 3)
            clip = Clip(np.arange(len(seen)) / 30, seen, world, path.stem, (), 4 / 3)
            if clip.present.sum() > 1:
                clips.append(label(clip, key.split("/")[0]))
    labels = tuple(sorted({span.gesture for clip in clips for span in clip.spans}))
    return ClipSet(labels, tuple(clips), mirror={})


def arrays(path: Path) -> Iterator[tuple[str, Floats]]:
    """The named arrays of a file; none when there is no such file."""
    if path.exists():
        with np.load(path, allow_pickle=False) as file:
            for key in sorted(file.files):
                yield key, file[key]


def filmed(hand: Floats, rate_hz: float, person: str, spans: list[Span], focal: float, aspect: float) -> Clip:
    """A right hand (T, 21, 3) in metres (x right, y down, z away) as a camera of `focal` widths at zero sees it."""
    depth = np.maximum(hand[:, :, 2:], 0.05)
    image = np.full((len(hand), 2, 21, 3), np.nan, np.float32)
    world = image.copy()
    image[:, 1, :, :2] = 0.5 + focal * hand[:, :, :2] / depth * np.array([1, aspect])
    image[:, 1, :, 2] = (focal * (hand[:, :, 2:] - hand[:, :1, 2:]) / depth[:, :1])[:, :, 0]
    world[:, 1] = hand - hand.mean(1, keepdims=True)
    time: npt.NDArray[np.float64] = np.arange(len(hand)) / rate_hz
    # One annotation ends past the end of its stream.
    kept = tuple(Span(s.gesture, s.start, min(s.end, float(time[-1]))) for s in spans)
    return Clip(time, image, world, person, kept, aspect)


def _upright(image: Floats, aspect: float) -> Floats:
    """Hands in metres from hands in the picture, as if each palm were `PALM_M` long."""
    level = image * np.array([1, 1 / aspect, 1], np.float32)
    palm = np.linalg.norm(level[:, :, 9] - level[:, :, 0], axis=-1)[:, :, None, None]
    metres: Floats = (level - level.mean(2, keepdims=True)) * np.float32(PALM_M) / np.maximum(palm, 1e-4)
    return metres
