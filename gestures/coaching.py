"""What a recording lacks, told while it can still be mended: at each picture, and after some takes."""

import itertools
from collections import deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .clips import Clip
from .features import RATE_HZ
from .tracks import place
from .types import Floats, Frame, Hand, Observation

FAR, NEAR = 0.06, 0.36
"""Palm length over picture width. Below the first MediaPipe's fingers come to be guesses; a hand is 2.1 palms long, and
at the second it fills the height of a 4:3 picture."""
DARK = 30.0
"""Mean brightness of a hand, 0..255; real head-camera films in which hands are found well lie from 40 on."""
BLURRED = 0.07
"""Spread of the finest detail of a hand shrunk to 32 x 32, over the spread of all of it: 0.16 to 0.23 on sharp webcam
and head-camera films, 0.04 to 0.13 on the same smeared by 4 pixels, and at 0.04 MediaPipe loses half the hands."""
SLOW_HZ = 20.0
"""Two pictures for every three ticks of the model."""
SMALL = 32
OUTSIDE = 3
"""So many joints beyond the picture's edge make a hand cut off."""
LISTENED_S = 2.0
"""Over so long the camera's rate is taken, and hints have to hold before they are told."""
ENOUGH = 4
"""Takes from which it is told what they lack."""


class Coach:
    """Watches how a person is seen; `look` at every picture."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._sides: deque[tuple[float, str]] = deque()

    def look(self, frame: Frame, seen: Observation) -> str:
        """What to change now, the gravest first; empty when all is well."""
        self._times.append(frame.time)
        self._sides.extend((frame.time, hand.side) for hand in seen.hands if len(seen.hands) == 1)
        while self._times[0] < frame.time - LISTENED_S:
            self._times.popleft()
        while self._sides and self._sides[0][0] < frame.time - LISTENED_S:
            self._sides.popleft()
        if not seen.hands:
            return "too dark: more light" if float(frame.image[::8, ::8].mean()) < DARK / 2 else ""
        for hand in seen.hands:
            told = self._of(frame, hand)
            if told:
                return told
        return self._rate() or self._swapping()

    def _of(self, frame: Frame, hand: Hand) -> str:
        palm = place(hand)[2]
        outside = int(((hand.image[:, :2] < 0) | (hand.image[:, :2] > 1)).any(1).sum())
        if palm < FAR:
            return "too far away: come nearer"
        if palm > NEAR:
            return "too near: go back a little"
        if outside >= OUTSIDE:
            return "out of the picture: stay within it"
        crop = _crop(frame.image, hand)
        if crop is None:
            return ""
        if float(crop.mean()) < DARK:
            return "too dark: more light on your hand"
        return "blurred: clean the lens, or more light" if _detail(crop) < BLURRED else ""

    def _rate(self) -> str:
        length_s = self._times[-1] - self._times[0]
        if length_s < LISTENED_S / 2 or (len(self._times) - 1) / length_s >= SLOW_HZ:
            return ""
        rate_hz = (len(self._times) - 1) / length_s
        return f"slow camera: {rate_hz:.0f} pictures a second, {RATE_HZ:.0f} are wanted: more light helps"

    def _swapping(self) -> str:
        sides = [side for _, side in self._sides]
        changes = sum(a != b for a, b in itertools.pairwise(sides))
        return "left or right? turn your palm to the camera" if changes >= OUTSIDE else ""


def _crop(image: npt.NDArray[np.uint8], hand: Hand) -> Floats | None:
    """The hand's box shrunk to (SMALL, SMALL) grey; None when it has fewer pixels than that."""
    size = np.array([image.shape[1], image.shape[0]])
    corners = np.stack([hand.image[:, :2].min(0), hand.image[:, :2].max(0)]) * size
    (x0, y0), (x1, y1) = np.clip(corners, 0, size).astype(int)
    across, down = (x1 - x0) // SMALL, (y1 - y0) // SMALL
    if min(across, down) < 1:
        return None
    green = image[y0 : y0 + down * SMALL, x0 : x0 + across * SMALL, 1].astype(np.float32)
    shrunk: Floats = green.reshape(SMALL, down, SMALL, across).mean((1, 3))
    return shrunk


def _detail(crop: Floats) -> float:
    """The share of a picture's spread that a mean over 3 x 3 takes away."""
    smooth = sum(crop[r : r + SMALL - 2, c : c + SMALL - 2] for r in range(3) for c in range(3)) / 9
    return float((crop[1:-1, 1:-1] - smooth).std() / max(float(crop.std()), 1e-6))


def missing(takes: Sequence[Clip]) -> list[str]:
    """What takes of one gesture have too little of, so that the next may bring it; empty when nothing, or too few.

    Speeds, places and distances should differ about as much as they will in use; the bounds are half of what training
    itself adds to every take (`augmentation`).
    """
    stated = [take for take in takes if take.spans and take.present.any()]
    if len(stated) < ENOUGH:
        return []
    lengths = np.array([take.spans[0].end - take.spans[0].start for take in stated])
    spots, palms, sides = [], [], set()
    for take in stated:
        slot = int(take.present.sum(0).argmax())
        joints = take.image[take.present[:, slot], slot][:, (0, 9), :2] * np.array([1, 1 / take.aspect])
        spots.append(np.median(joints.mean(1), 0))
        palms.append(float(np.median(np.linalg.norm(joints[:, 1] - joints[:, 0], axis=1))))
        sides.add(take.side)
    told = []
    if _spread(lengths) < 1.25:
        told.append("speed: do some faster, some slower")
    if np.ptp(np.array(spots), axis=0).max() < 0.15:
        told.append("place: do some to the left, right, higher, lower")
    if _spread(np.array(palms)) < 1.2:
        told.append("distance: do some nearer, some farther away")
    if len(sides) == 1 and "both" not in sides:
        told.append("the other hand, if it shall count as well")
    return told


def _spread(values: npt.NDArray[np.float64]) -> float:
    """The largest over the smallest but for the tenth at either end."""
    low, high = np.quantile(values, (0.1, 0.9))
    return float(high / max(low, 1e-6))
