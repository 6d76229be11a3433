"""Pictures from a webcam or URL (the newest) or a file (every one)."""

import itertools
import math
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import CameraError
from .types import Frame

PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""How long to wait before each attempt to reopen a camera that stopped; after the last it is given up."""


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


def open_source(source: str) -> "Camera | Video":
    """The camera of that number, the video file of that name, or the stream at that URL.

    Raise `CameraError` when it is none of them.
    """
    if source.isdecimal():
        return Camera(int(source))
    if source.startswith("file://"):
        from urllib.parse import urlsplit
        from urllib.request import url2pathname

        return Video(url2pathname(urlsplit(source).path))
    if "://" in source or source.startswith("/dev/"):
        return Camera(source)
    return Video(source)


class Video:
    """Every frame of a file, in order; runs repeat bit for bit. `refused` counts frames of another size."""

    def __init__(self, path: str | Path) -> None:
        """Raise `CameraError` for a file that is missing or no video."""
        self.path = Path(path)
        self.refused = 0
        try:
            str(path).encode()
        except UnicodeEncodeError as error:
            raise CameraError(f"{str(path)!a} has a name that is not UTF-8: rename it") from error
        if not self.path.is_file():
            raise CameraError(f"{path} is not there: name a video file, a camera number or a URL")
        self._capture = load_cv2().VideoCapture(str(self.path))
        if not self._capture.isOpened():
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
            rises = math.isfinite(stamp) and stamp > last
            last = stamp if rises else max(last, -step_s) + step_s
            shape = shape or bgr.shape
            if bgr.shape != shape:
                self.refused += 1
                continue
            yield Frame(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), last)
        if shape is None:
            raise CameraError(f"{self.path} holds no picture that can be read: try another file")


class _EndOfStreamError(Exception):
    """What the camera's thread leaves when there is no more to come."""


class Camera:
    """The newest frame of a webcam or URL; a slow reader skips frames, never lags.

    `with Camera(0) as camera: for frame in camera: ...`. One thread reads; a camera that stops is reopened after
    growing pauses. `dropped` counts frames nobody took, `refused` frames of another size, `reopened` the returns.
    """

    def __init__(self, device: int | str = 0, stale_s: float = 5.0) -> None:
        self._device, self._stale_s = device, stale_s
        self.dropped = self.refused = self.reopened = 0

    def __enter__(self) -> "Camera":
        """Open the camera; raise `CameraError` when it does not."""
        self._capture = self._open()
        # A URL that names a whole film has a length, and an end that is no failure.
        self._ends = isinstance(self._device, str) and self._capture.get(load_cv2().CAP_PROP_FRAME_COUNT) > 0
        self._news = threading.Condition()
        self._frame: Frame | None = None
        self._failure: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="camera", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with self._news:
            self._news.notify()
        self._thread.join(timeout=2.0)
        self._capture.release()

    def _open(self) -> Any:  # noqa: ANN401 - cv2 has no types
        cv2 = load_cv2()
        try:
            capture = cv2.VideoCapture(self._device)
        except (cv2.error, OverflowError) as error:
            raise CameraError(f"{self._device} is no camera: use --source 0, 1, 2, …") from error
        if not capture.isOpened():
            capture.release()
            raise CameraError(
                f"camera {self._device} did not open: is it plugged in, allowed, and free of other programs?"
                " Other numbers: --source 1, 2, …"
            )
        return capture

    def _read(self) -> None:
        start = time.monotonic()
        try:
            shape = None
            while not self._stop.is_set():
                good, bgr = self._capture.read()
                now = time.monotonic() - start
                if not good:
                    if self._ends:
                        raise _EndOfStreamError
                    self._reopen()
                    shape = None
                    continue
                shape = shape or bgr.shape
                if bgr.shape != shape:
                    self.refused += 1
                    continue
                frame = Frame(load_cv2().cvtColor(bgr, load_cv2().COLOR_BGR2RGB), now)
                with self._news:
                    self.dropped += self._frame is not None
                    self._frame = frame
                    self._news.notify()
        except Exception as error:  # noqa: BLE001 - whatever ends the thread is the reader's to know
            with self._news:
                self._failure = error
                self._news.notify()

    def _reopen(self) -> None:
        self._capture.release()
        for pause_s in PAUSES_S:
            if self._stop.wait(pause_s):
                return
            try:
                capture = self._open()
            except CameraError:
                continue
            # Some drivers open a camera that has gone; only a picture proves that it is back.
            if capture.read()[0]:
                self._capture = capture
                self.reopened += 1
                return
            capture.release()
        raise CameraError(f"camera {self._device} stopped giving pictures and did not come back: plug it in again")

    def __iter__(self) -> Iterator[Frame]:
        patience_s = self._stale_s + sum(PAUSES_S)
        while not self._stop.is_set():
            with self._news:
                if not self._news.wait_for(self._has_news, patience_s):
                    raise CameraError(f"camera {self._device} gave no picture for {patience_s:.0f} s: plug it in again")
                frame, self._frame = self._frame, None
                if frame is None:
                    if self._failure is None or isinstance(self._failure, _EndOfStreamError):
                        return
                    raise self._failure
            yield frame

    def _has_news(self) -> bool:
        return self._frame is not None or self._failure is not None or self._stop.is_set()


class Film:
    """A film of what a camera gave, at its own pace: `with Film(folder, "wave_ana") as film: film.add(frame)`."""

    RATE_HZ = 30.0

    def __init__(self, folder: Path, name: str) -> None:
        """`path` is the first free `NAME_NN.mp4` of the folder, which is there."""
        free = (folder / f"{name}_{number:02d}.mp4" for number in itertools.count())
        self.path = next(path for path in free if not path.exists())
        self._writer: Any = None
        self._began, self._count = 0.0, 0

    def __enter__(self) -> "Film":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.release()

    def add(self, frame: Frame) -> None:
        """Write as many copies of `frame` as its time asks for; raise `CameraError` where that is not allowed."""
        cv2 = load_cv2()
        if self._writer is None:
            size = frame.image.shape[1], frame.image.shape[0]
            self._writer = cv2.VideoWriter(str(self.path), cv2.VideoWriter.fourcc(*"mp4v"), self.RATE_HZ, size)
            self._began = frame.time
            if not self._writer.isOpened():
                raise CameraError(f"{self.path} cannot be written: choose a folder you may write to")
        picture = cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR)
        while self._count <= (frame.time - self._began) * self.RATE_HZ:
            self._writer.write(picture)
            self._count += 1
