"""Which cameras give mirrored pictures, found once, remembered, and made good in what was recorded before."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__
from .augmentation import mirror
from .clips import Recorded, load_clip, save_clip, take_paths
from .errors import CameraError
from .files import read_within, write_whole
from .types import Frame, Observation

MAX_BYTES = 1 << 20
SIGHTS = 30
"""So many pictures of one hand alone decide."""
AGREED = 0.9
"""And so much of their votes must agree: MediaPipe calls one hand in twenty by the wrong side."""


def remembered() -> Path:
    """The file that says which cameras give mirrored pictures."""
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "gestures" / "cameras.json"


def _cameras() -> dict[str, Any]:
    try:
        raw = json.loads(read_within(remembered(), MAX_BYTES))
        return dict(raw["mirrored"])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CameraError(f"{remembered()} cannot be read ({error}): delete it, and run gestures mirror") from error


def is_mirrored(source: str) -> bool:
    """Whether the pictures of `source`, as given to --source, are known to come mirrored."""
    return _cameras().get(source) is True


def recorded(source: str, video: str = "") -> Recorded:
    """What a take from `source` says of how it was recorded; `video` is kept of it."""
    return Recorded(f"gestures {__version__}", source, is_mirrored(source), video)


def remember(source: str, mirrored: bool) -> None:
    """Keep what was found of a camera; raise `CameraError` where that is not allowed."""
    text = json.dumps({"mirrored": {**_cameras(), source: mirrored}}, indent=2).encode() + b"\n"
    write_whole(remembered(), lambda file: file.write(text), CameraError)


def turned(frames: Iterable[Frame], mirrored: bool) -> Iterator[Frame]:
    """Pictures as they would come from a camera that does not mirror."""
    for frame in frames:
        yield Frame(np.ascontiguousarray(frame.image[:, ::-1]), frame.time) if mirrored else frame


class Wizard:
    """Holds up to a camera's pictures what everybody knows: this is my right hand. `push` until `mirrored` is known."""

    def __init__(self) -> None:
        self._votes: list[float] = []

    @property
    def mirrored(self) -> bool | None:
        """Whether the pictures come mirrored; None while it is not sure."""
        if len(self._votes) < SIGHTS:
            return None
        left = sum(vote for vote in self._votes if vote > 0)
        share = left / max(sum(map(abs, self._votes)), 1e-6)
        return True if share >= AGREED else False if share <= 1 - AGREED else None

    def push(self, seen: Observation) -> None:
        """Take in a picture's hands; it counts when there is one alone."""
        if len(seen.hands) == 1:
            (hand,) = seen.hands
            self._votes.append(hand.score if hand.side == "left" else -hand.score)
            del self._votes[: -2 * SIGHTS]


def convert(data: Path, source: str, mirrored: bool) -> list[Path]:
    """Turn over the takes that were recorded from `source` while it was believed otherwise; which those were.

    Each take says of itself whether its pictures were turned, so that nothing is turned twice, whenever this is broken
    off. Gestures keep their names: they are what the person meant. Raise `ClipError` where there are no takes, or one
    cannot be read or written.
    """
    changed = []
    for path in take_paths(data):
        clip = load_clip(path)
        if clip.recorded.source != source or clip.recorded.turned == mirrored:
            continue
        save_clip(replace(mirror(clip, {}), recorded=replace(clip.recorded, turned=mirrored)), path)
        changed.append(path)
    return changed
