"""Pictures to measure on, made of one clip."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

import gestures

HANDS = {"none": 0, "one": 1, "two": 2}
NOISE = 3.0
"""Standard deviation of a webcam's noise, of 255: a room without hands is still, not frozen."""

Picture = npt.NDArray[np.uint8]


class Scenes:
    """The demo clip, or parts of it: both hands, only what its left part shows, or the room when nobody moves."""

    def __init__(self, source: Path) -> None:
        with gestures.Video(source) as video:
            self.pictures: Sequence[Picture] = [frame.image for frame in video]
        # Hands are nowhere for long: the middle of all pictures shows what is behind them.
        self.empty: Picture = np.median(self.pictures[::6], axis=0).astype(np.uint8)
        rng = np.random.default_rng(0)
        shape = (8, *self.pictures[0].shape)
        self._noise = rng.normal(0, NOISE, shape).astype(np.float32)

    def picture(self, kind: str, number: int) -> Picture:
        """Picture `number` of the scene `kind`, from the beginning again after the last."""
        empty, now = self.empty, self.pictures[number % len(self.pictures)]
        if kind == "two":
            return now
        if kind == "one":
            # The performer's face is left whole: half a face may look like a palm.
            cut = round(0.62 * now.shape[1])
            return np.concatenate([now[:, :cut], empty[:, cut:]], 1)
        noisy = empty + self._noise[number % len(self._noise)]
        return np.clip(noisy, 0, 255).astype(np.uint8)

    def frames(self, kind: str, height: int, rate_hz: int, start: int = 0) -> Iterator[gestures.Frame]:
        """Frames without end, 16:9, as a camera of that height and rate gives them."""
        for count in itertools.count():
            picture = self.picture(kind, start + count * 30 // rate_hz)
            image = cv2.resize(picture, (height * 16 // 9, height))
            yield gestures.Frame(np.asarray(image, np.uint8), count / rate_hz)
