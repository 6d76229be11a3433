"""Every picture of a video file; OpenCV, quiet, and what it gives turned into RGB."""

import itertools
import math
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import CameraError
from .faults import Faults
from .types import Frame

MOST_PIXELS = 1 << 25
"""A larger picture is refused (8K has 33 million): one would fill the memory."""
FARTHEST_S = 3600.0
"""A time stamp that jumps ahead by more is a lie, and so is all that follows it."""


def load_cv2() -> ModuleType:
    """OpenCV, quiet; raise `CameraError` with the package to install where a system library is missing."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        import cv2
    except ImportError as error:
        hint = "apt install libgl1 libglib2.0-0" if sys.platform.startswith("linux") else "pip install opencv-python"
        raise CameraError(f"OpenCV does not load ({error}): {hint}") from error
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


def to_rgb(picture: Any) -> npt.NDArray[np.uint8] | None:  # noqa: ANN401 - cv2 has no types
    """(H, W, 3) uint8 RGB of whatever a driver gives: BGR, BGRA or grey, of 8 or 16 bits; None where it is none."""
    cv2 = load_cv2()
    if picture.dtype == np.uint16:
        picture = (picture >> 8).astype(np.uint8)
    channels = picture.shape[2] if picture.ndim == 3 else 1
    turn = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}
    if picture.dtype != np.uint8 or channels not in turn or not 0 < math.prod(picture.shape[:2]) <= MOST_PIXELS:
        return None
    image: npt.NDArray[np.uint8] = cv2.cvtColor(picture, turn[channels])
    return image


class Video:
    """Every frame of a file, in order; runs repeat bit for bit. `faults` counts what it did wrong."""

    def __init__(self, path: str | Path) -> None:
        """Raise `CameraError` for a file that is missing or no video."""
        self.path = Path(path)
        self.faults = Faults()
        try:
            str(path).encode()
        except UnicodeEncodeError as error:
            raise CameraError(f"{str(path)!a} has a name that is not UTF-8: rename it") from error
        if re.search(r"%\d*d", self.path.name):
            # FFmpeg would read a_00.png, a_01.png, … in place of a file called a_%02d.png.
            raise CameraError(f"{path} has a name that is taken for a pattern of names: rename it")
        if not self.path.is_file():
            raise CameraError(f"{path} is not there: name a video file, a camera number or a URL")
        cv2 = load_cv2()
        # FFmpeg alone: what other readers make of a file is not known here.
        self._capture = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        size = self._capture.get(cv2.CAP_PROP_FRAME_WIDTH) * self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        if not self._capture.isOpened() or not size <= MOST_PIXELS:
            self._capture.release()
            raise CameraError(f"{path} is not a video that can be read: try another file, or convert it to .mp4")

    def __enter__(self) -> "Video":
        return self

    def __exit__(self, *_: object) -> None:
        self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        cv2 = load_cv2()
        rate_hz = self._capture.get(cv2.CAP_PROP_FPS)
        step_s = 1 / rate_hz if math.isfinite(rate_hz) and 1 <= rate_hz <= 1000 else 1 / 30
        last, shape = -math.inf, None
        while True:
            good, bgr = self._capture.read()
            if not good:
                break
            stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            # Files lie about time: a stamp that does not rise is replaced by one frame's length after the last.
            if last < stamp <= max(last, 0.0) + FARTHEST_S:
                last = stamp
            else:
                last = max(last, -step_s) + step_s
                self.faults.note("time", f"{self.path} has time stamps that fall, repeat or jump: frames are counted")
            image = to_rgb(bgr)
            shape = shape or bgr.shape
            if bgr.shape != shape or image is None:
                self.faults.note("size", f"{self.path} has pictures of another size: they are left out")
                continue
            yield Frame(image, last)
        if shape is None:
            raise CameraError(f"{self.path} holds no picture that can be read: try another file")


class Film:
    """A film of what a camera gave, at its own pace: `with Film(folder, "wave_ana") as film: film.add(frame)`."""

    RATE_HZ = 30.0

    def __init__(self, folder: Path, name: str) -> None:
        """`path` is the first free `NAME_NN.mp4` of the folder, which is there; until its end the film is hidden."""
        free = (folder / f"{name}_{number:02d}.mp4" for number in itertools.count())
        self.path = next(path for path in free if not path.exists())
        self._part = self.path.with_name(f".{self.path.stem}.{os.getpid()}.part.mp4")
        self._writer: Any = None
        self._size = 0, 0
        self._began, self._count = 0.0, 0

    def __enter__(self) -> "Film":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is None:
            return
        self._writer.release()
        try:
            with self._part.open("r+b") as whole:  # Windows flushes none that is only read
                os.fsync(whole.fileno())
            self._part.replace(self.path)
        except OSError as error:
            raise CameraError(f"{self.path} cannot be written ({error.strerror}): choose another folder") from error

    def add(self, frame: Frame) -> None:
        """Write as many copies of `frame` as its time asks for; raise `CameraError` where that is not allowed."""
        cv2 = load_cv2()
        if self._writer is None:
            self._size = frame.image.shape[1], frame.image.shape[0]
            self._writer = cv2.VideoWriter(str(self._part), cv2.VideoWriter.fourcc(*"mp4v"), self.RATE_HZ, self._size)
            self._began = frame.time
            if not self._writer.isOpened():
                raise CameraError(f"{self.path} cannot be written: choose a folder you may write to")
        # OpenCV silently leaves out a picture of another size, such as a camera gives when it has been reopened.
        picture = cv2.resize(cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR), self._size)
        while self._count <= (frame.time - self._began) * self.RATE_HZ:
            self._writer.write(picture)
            self._count += 1
