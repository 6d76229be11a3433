"""Public data sets as clips: each layout is mapped to the 21 landmarks here and nowhere else."""

import hashlib
import os
import sys
from pathlib import Path

from tqdm import tqdm

from gestures.clips import Clip, ClipSet, load_clip, save_clip
from gestures.errors import GesturesError
from gestures.landmarks import CONFIDENCE, MODEL_SHA256
from gestures.recording import find_videos, label, person_and_take, watch


def cache(name: str) -> Path:
    """Where what was read slowly is kept for the next time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gestures" / "benchmark" / name


def egogestar(folder: Path) -> tuple[ClipSet, list[str]]:
    """EgoGestAR's videos, one person a recording round, and the names of those in which no hand was found.

    The landmarks of each video are kept in the user's cache, by the video's bytes and the landmarker's settings.
    """
    clips, blind = [], []
    for gesture, path in tqdm(find_videos(folder), desc="hands", unit="video", file=sys.stderr):
        key = hashlib.sha256(path.read_bytes() + f"{MODEL_SHA256} {CONFIDENCE} 2 hands".encode()).hexdigest()[:24]
        kept = cache("landmarks") / f"{key}.npz"
        person = person_and_take(path.stem)[0]
        if not kept.exists():
            save_clip(watch(path, person), kept)
        seen = load_clip(kept)
        try:
            clips.append(label(Clip(seen.time, seen.image, seen.world, person, (), seen.aspect), gesture))
        except GesturesError:
            blind.append(f"{path.parent.name}/{path.name}")
    labels = tuple(sorted({span.gesture for clip in clips for span in clip.spans}))
    return ClipSet(labels, tuple(clips)), blind
