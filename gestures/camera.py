"""The newest picture of a webcam or URL, whatever the camera does."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import CameraError
from .faults import Faults
from .types import Frame
from .video import Video, load_cv2, to_rgb

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 8.0
"""How long to wait before a camera that stopped is opened again: the first time, and at most; doubled in between."""
BLANK_AFTER_S, BLANK_EVERY_S = 0.5, 0.2
"""After so long without a picture a camera gives black ones, so often: its watchers see the hands go, and live."""
OPENING_S = 8.0
"""So long a URL may take to answer, and to go on, before it counts as gone."""
LEAVING_S = 0.5
"""So long the reading thread is waited for; if it hangs in the driver, it ends with the program."""
DARK, DARK_S = 16, 1.0
"""A picture without a value above `DARK` of 255, for so long, shows nothing: a lens cap, a shutter, a fault."""
SLOW_HZ, SLOW_S = 10.0, 3.0
"""Fewer pictures a second than this, over so long, and gestures are missed."""


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


class Camera:
    """The newest frame of a webcam or URL; a slow reader skips frames, never lags.

    `with Camera(0) as camera: for frame in camera: ...`. One thread reads; a camera that stops is opened again after
    growing pauses, for `patience_s`; meanwhile it gives black pictures. `dropped` counts frames nobody took, `faults`
    what went wrong.
    """

    def __init__(self, device: int | str = 0, stale_s: float = 5.0, patience_s: float = 600.0) -> None:
        self._device, self._stale_s, self._patience_s = device, stale_s, patience_s
        self.dropped = 0
        self.faults = Faults()

    def __enter__(self) -> "Camera":
        """Open the camera; raise `CameraError` when it does not."""
        self._news = threading.Condition()
        self._open = self._ended = False
        self._frame: Frame | None = None
        self._failure: Exception | None = None
        self._stop = threading.Event()
        self._start = time.monotonic()
        self._shape: tuple[int, ...] | None = None
        self._seen, self._last = 0.0, -math.inf  # s: when the last picture was taken; that of the last frame given
        self._hangs = self._lost = False
        # Opening may hang as well as reading, and Ctrl-C is heard in this thread only.
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()
        try:
            with self._news:
                while not (self._open or self._failure):
                    self._news.wait(BLANK_EVERY_S)
            if not self._open and self._failure is not None:
                raise self._failure
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with self._news:
            self._news.notify()
        self._thread.join(timeout=LEAVING_S)

    @property
    def waiting(self) -> bool:
        """Whether a newer frame than the last one given is there already: whoever reads is slower than the camera."""
        return self._frame is not None

    def now(self) -> float:
        """S since the stream began, on the clock of the frames: a frame is `now() - frame.time` old."""
        return time.monotonic() - self._start

    def _run(self) -> None:
        try:
            with closing(_Capture(self._device)) as capture:
                self._tell(open_=True)
                self._read(capture)
        except Exception as error:  # noqa: BLE001 - whatever ends the thread is the reader's to know
            self._tell(failure=error)

    def _tell(self, frame: Frame | None = None, failure: Exception | None = None, open_: bool = False) -> None:
        with self._news:
            if frame is not None:
                self.dropped += self._frame is not None
                self._frame = frame
            self._failure = failure or self._failure
            self._open = open_ or self._open
            self._news.notify()

    def _read(self, capture: "_Capture") -> None:
        judge = _Judge(self.faults, f"camera {self._device}")
        while not self._stop.is_set():
            bgr = capture.read()
            if bgr is None and capture.ends:
                raise _EndOfStreamError
            if bgr is None:
                bgr = self._reopen(capture)
                judge = _Judge(self.faults, judge.name)
            if bgr is None:
                return
            now = self.now()
            image = judge.see(bgr, now)
            if image is not None:
                self._tell(Frame(image, now))

    def _reopen(self, capture: "_Capture") -> Any:  # noqa: ANN401 - cv2 has no types
        """The first picture of the camera that is back; None when nobody waits for it any more."""
        self.faults.note("lost", f"camera {self._device} stopped giving pictures: waiting for it to come back")
        self._lost, gone, pause_s = True, self.now(), FIRST_PAUSE_S
        while self.now() - gone < self._patience_s:
            if self._stop.wait(pause_s):
                return None
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            # Some drivers open a camera that has gone; only a picture proves that it is back.
            bgr = capture.again()
            if bgr is not None:
                self._lost = False
                self.faults.note("back", f"camera {self._device} is back after {self.now() - gone:.0f} s")
                return bgr
        raise CameraError(f"camera {self._device} stopped giving pictures and did not come back: plug it in again")

    def __iter__(self) -> Iterator[Frame]:
        while not self._stop.is_set():
            wait_s = BLANK_EVERY_S if self._last > self._seen else BLANK_AFTER_S
            with self._news:
                self._news.wait_for(self._has_news, wait_s)
                frame, self._frame = self._frame, None
                failure = self._failure
            if frame is not None:
                self._seen, self._shape, self._hangs = self.now(), frame.image.shape, False
            elif failure is not None:
                if isinstance(failure, _EndOfStreamError):
                    return
                raise failure
            else:
                frame = self._blank()
            # A picture that was on its way while a black one was given is too old.
            if frame is not None and frame.time > self._last:
                self._last = frame.time
                yield frame

    def _blank(self) -> Frame | None:
        """What is given while the camera gives nothing; None where no picture has told its size yet."""
        now = self.now()
        silent_s = now - self._seen
        if silent_s > self._patience_s:
            raise CameraError(f"camera {self._device} gave no picture for {silent_s:.0f} s: plug it in again")
        if silent_s > self._stale_s and not (self._hangs or self._lost):
            self._hangs = True
            self.faults.note("stalled", f"camera {self._device} has given no picture for {silent_s:.0f} s: is it busy?")
        return None if self._shape is None or self._stop.is_set() else Frame(np.zeros(self._shape, np.uint8), now)

    def _has_news(self) -> bool:
        return self._frame is not None or self._failure is not None or self._stop.is_set()


class _EndOfStreamError(Exception):
    """What the camera's thread leaves when there is no more to come."""


class _Capture:
    """OpenCV's hold on a camera or URL. `ends`: it is a whole film, whose end is no failure."""

    def __init__(self, device: int | str) -> None:
        self._device = device
        self._capture = self._opened()
        if self._capture is None:
            raise CameraError(
                f"camera {device} did not open: is it plugged in, allowed, and free of other programs?"
                " Other numbers: --source 1, 2, …"
            )
        # A URL that names a whole film has a length.
        self.ends = isinstance(device, str) and self._capture.get(load_cv2().CAP_PROP_FRAME_COUNT) > 0

    def _opened(self) -> Any:  # noqa: ANN401 - cv2 has no types
        cv2 = load_cv2()
        try:
            if isinstance(self._device, str) and "://" in self._device:
                limit = round(OPENING_S * 1000)
                limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit]
                capture = cv2.VideoCapture(self._device, cv2.CAP_FFMPEG, limits)
            else:
                capture = cv2.VideoCapture(self._device)
        except (cv2.error, OverflowError) as error:
            raise CameraError(f"{self._device} is no camera: use --source 0, 1, 2, …") from error
        if capture.isOpened():
            return capture
        capture.release()
        return None

    def read(self) -> Any:  # noqa: ANN401 - cv2 has no types
        """The next picture as OpenCV gives it; None when there is none."""
        good, bgr = self._capture.read()
        return bgr if good else None

    def again(self) -> Any:  # noqa: ANN401 - cv2 has no types
        """Open it anew, and read; None when that fails."""
        self._capture.release()
        capture = self._opened()
        if capture is None:
            return None
        self._capture = capture
        return self.read()

    def close(self) -> None:
        """Let go of it."""
        self._capture.release()


class _Judge:
    """Looks at every picture of a camera: what can be used is given on as RGB, what is wrong is noted."""

    def __init__(self, faults: Faults, name: str) -> None:
        self.name, self._faults = name, faults
        self._shape: tuple[int, ...] | None = None
        self._dark: float | None = None  # s: since when it has been dark; infinite once that is told
        self._since, self._count = 0.0, 0

    def see(self, picture: Any, now: float) -> npt.NDArray[np.uint8] | None:  # noqa: ANN401 - cv2 has no types
        """The picture at `now` (s) as RGB; None where it is none."""
        image = to_rgb(picture)
        if image is None:
            self._faults.note("refused", f"{self.name} gave a picture of {picture.shape} {picture.dtype}: left out")
            return None
        if self._shape is not None and picture.shape != self._shape:
            sizes = f"from {self._shape} to {picture.shape}"
            self._faults.note("changed", f"{self.name} changed its pictures {sizes}: starting afresh")
        if self._shape is None:
            self._since = now
        self._shape = picture.shape
        self._weigh_light(image, now)
        self._weigh_rate(now)
        return image

    def _weigh_light(self, image: npt.NDArray[np.uint8], now: float) -> None:
        if image[::8, ::8].max() > DARK:
            self._dark = None
        elif self._dark is None:
            self._dark = now
        elif now - self._dark >= DARK_S:
            self._dark = math.inf
            self._faults.note("black", f"{self.name} gives black pictures: open its shutter, or make light")

    def _weigh_rate(self, now: float) -> None:
        self._count += 1
        if now - self._since < SLOW_S:
            return
        rate_hz = (self._count - 1) / (now - self._since)
        if rate_hz < SLOW_HZ:
            self._faults.note(
                "slow", f"{self.name} gives {rate_hz:.0f} pictures a second, gestures need 15: more light may help"
            )
        self._since, self._count = now, 1
