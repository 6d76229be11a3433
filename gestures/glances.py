"""What a picture tells without landmarks, for little: whether something in it moved, and where palms are."""

import zipfile
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import LandmarkerError
from .litert import load_litert
from .quiet import quiet
from .types import Floats, Hand

COLUMNS, ROWS = 32, 18
"""Blocks of a sketch. A hand at arm's length covers a dozen, one across the room still one."""
DENSITY = 5
"""Pixels of each block that are looked at, in both directions: their mean is a fifth as noisy as one."""
LEVELS = 8.0
"""A block has changed when its brightness has, by more than this of 255 and apart from the whole picture's."""
AROUND = 0.5
"""How far around a hand, in sizes of the hand, movement is still its own: fingers, shadow, wrist."""
FOREARM = (0.7, 0.5)
"""A forearm leaves the wrist away from the fingers, within so many palm lengths of their line and as much more for each
palm length down the arm, for wrists bend: what moves there is the hand's own."""
PALM = (0, 5, 9, 13, 17)
APART = 0.6
"""Palms this far from a hand's own palm, in palm lengths, are another hand's. What is found of one palm lies closer."""
SIDE = 192
"""The palm detector reads squares of so many pixels."""
_BLOCKS = np.stack(np.meshgrid((np.arange(COLUMNS) + 0.5) / COLUMNS, (np.arange(ROWS) + 0.5) / ROWS), -1)

Mask: TypeAlias = npt.NDArray[np.bool_]


def sketch(image: npt.NDArray[np.uint8]) -> Floats:
    """(ROWS, COLUMNS) float32 brightness of a picture's blocks, 0..255: its green, which carries most of the light."""
    import cv2

    height, width = image.shape[:2]
    down, across = max(1, height // (ROWS * DENSITY)), max(1, width // (COLUMNS * DENSITY))
    green = np.ascontiguousarray(image[down // 2 :: down, across // 2 :: across, 1])
    blocks: Floats = cv2.resize(green, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA).astype(np.float32)
    return blocks


def changed(before: Floats, now: Floats) -> Mask:
    """(ROWS, COLUMNS) where something moved between two sketches; a camera that only adjusts to the light moves not."""
    difference = now - before
    mask: Mask = np.abs(difference - np.median(difference)) > LEVELS
    return mask


def away_from(hand: Hand) -> Mask:
    """(ROWS, COLUMNS) the blocks that movement of this hand, and of the arm it is on, leaves alone."""
    low, high = hand.image[:, :2].min(0), hand.image[:, :2].max(0)
    margin = AROUND * (high - low)
    own = ((low - margin <= _BLOCKS) & (high + margin >= _BLOCKS)).all(-1)
    to_widths = np.array([1, 1 / hand.aspect])
    wrist, knuckle = hand.image[0, :2] * to_widths, hand.image[9, :2] * to_widths
    palm = max(float(np.linalg.norm(wrist - knuckle)), 1e-6)
    down_x, down_y = (wrist - knuckle) / palm
    apart = (_BLOCKS * to_widths - wrist) / palm
    down = apart @ (down_x, down_y)
    beside = np.abs(apart @ (-down_y, down_x))
    arm = (down > 0) & (beside < FOREARM[0] + FOREARM[1] * down)
    mask: Mask = ~(own | arm)
    return mask


def _anchors() -> Floats:
    """(2016, 2) centres that the detector's boxes refer to: two a cell of 8 pixels, then six a cell of 16."""
    grids = []
    for cells, each in ((SIDE // 8, 2), (SIDE // 16, 6)):
        middle = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        grid = np.stack(np.meshgrid(middle, middle), -1).reshape(-1, 2)
        grids.append(np.repeat(grid, each, 0))
    return np.concatenate(grids)


class Palms:
    """The hand model's palm detector alone, on one thread: half the price of asking for a second hand's landmarks."""

    def __init__(self, hand_model: Path, confidence: float) -> None:
        """`hand_model` is the whole `.task` file; raise `LandmarkerError` when the detector in it does not load."""
        litert = load_litert(LandmarkerError)
        try:
            with quiet(), zipfile.ZipFile(hand_model) as archive:
                content = archive.read("hand_detector.tflite")
                self._interpreter = litert.Interpreter(model_content=content, num_threads=1)
                self._interpreter.allocate_tensors()
        except (KeyError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
            raise LandmarkerError(f"the palm detector does not load ({error}): pip install ai-edge-litert") from error
        self._takes = self._interpreter.get_input_details()[0]["index"]
        boxes, scores = sorted(self._interpreter.get_output_details(), key=lambda d: -int(d["shape"][-1]))
        self._boxes, self._scores = boxes["index"], scores["index"]
        self._anchors = _anchors()
        # The network gives the logarithm of the odds.
        self._least = float(np.log(confidence / (1 - confidence)))

    def besides(self, hand: Hand, image: npt.NDArray[np.uint8]) -> bool:
        """Whether there is a palm in the picture that is not this hand's."""
        centres, sizes = self.find(image)
        to_widths = np.array([1, 1 / hand.aspect], np.float32)
        own = hand.image[list(PALM), :2] * to_widths
        length = float(np.linalg.norm(own[2] - own[0]))
        distance = np.linalg.norm(centres * to_widths - own.mean(0), axis=1)
        return bool((distance > APART * np.maximum(sizes, length)).any())

    def find(self, image: npt.NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Centres (n, 2) in 0..1 of width and height, and sizes (n,) in widths; one palm may be found many times."""
        import cv2

        height, width = image.shape[:2]
        scale = SIDE / max(height, width)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        left, top = (SIDE - inner[0]) // 2, (SIDE - inner[1]) // 2
        square = np.zeros((1, SIDE, SIDE, 3), np.float32)
        square[0, top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner)
        square /= 255
        run = self._interpreter
        run.set_tensor(self._takes, square)
        run.invoke()
        sure = run.get_tensor(self._scores)[0, :, 0] >= self._least
        boxes = run.get_tensor(self._boxes)[0, sure]
        centres = (boxes[:, :2] / SIDE + self._anchors[sure]) * SIDE - (left, top)
        return (centres / inner).astype(np.float32), boxes[:, 2] / inner[0]
