"""What the program sees, drawn on the picture; the only window."""

import os
import sys
from collections.abc import Iterable
from types import ModuleType, TracebackType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .types import Event, Floats, Frame, Observation, Scores
from .video import load_cv2

Picture: TypeAlias = npt.NDArray[np.uint8]

BONES = (
    *((0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 7), (7, 8), (5, 9), (9, 10), (10, 11), (11, 12)),
    *((9, 13), (13, 14), (14, 15), (15, 16), (13, 17), (17, 18), (18, 19), (19, 20), (0, 17)),
)
GHOST = (200, 200, 200)
COLOURS = {"left": (255, 176, 64), "right": (80, 200, 80)}  # BGR
BANNER_S = 1.0
"""How long the name of a gesture stays on the picture after it has ended."""
QUIT_KEYS = frozenset({27, ord("q"), ord("Q")})


def has_screen() -> bool:
    """Whether a window can be opened here; OpenCV ends the whole program when it tries where none can."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


class Overlay:
    """Draws hands, scores and the newest gesture; remembers which gestures are going on."""

    def __init__(self, labels: tuple[str, ...], mirrored: bool = True) -> None:
        """`mirrored`: show the picture as a mirror would, as people expect of themselves."""
        self._labels, self._mirrored = labels, mirrored
        self._banner: Event | None = None

    def draw(
        self,
        frame: Frame,
        seen: Observation,
        scores: dict[int, Scores],
        events: list[Event],
        note: str = "",
        ghosts: Iterable[Floats] = (),
    ) -> Picture:
        """A new picture (H, W, 3) uint8 BGR, as `cv2.imshow` takes it; the lines of `note` stand along its foot.

        `ghosts` are hands that are not there yet: landmarks (21, 3) as `Hand.image`, drawn thin.
        """
        cv2 = load_cv2()
        picture: Any = cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR)
        height, width = picture.shape[:2]
        for ghost in ghosts:
            points = [tuple(int(v) for v in p) for p in ghost[:, :2] * (width, height)]
            for a, b in BONES:
                cv2.line(picture, points[a], points[b], GHOST, 1)
        for hand in seen.hands:
            points = [tuple(int(v) for v in p) for p in hand.image[:, :2] * (width, height)]
            for a, b in BONES:
                cv2.line(picture, points[a], points[b], COLOURS[hand.side], 2, cv2.LINE_AA)
            for point in points:
                cv2.circle(picture, point, 3, (255, 255, 255), -1, cv2.LINE_AA)
        if self._mirrored:
            picture = cv2.flip(picture, 1)
        for event in events:
            self._banner = event
        self._bars(cv2, picture, scores)
        if self._banner is not None and (self._banner.phase == "began" or frame.time - self._banner.time < BANNER_S):
            foot = height - 20 - 32 * len(note.split("\n")) * bool(note)
            self._write(cv2, picture, self._banner.gesture.replace("_", " "), (16, foot), 1.2)
        for row, line in enumerate(reversed(note.split("\n"))):
            wide = cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, 0.9, 1)[0][0]
            self._write(cv2, picture, line, (16, height - 20 - 32 * row), 0.9 * min(1.0, (width - 32) / max(wide, 1)))
        result: Picture = picture
        return result

    def _bars(self, cv2: ModuleType, picture: Any, scores: dict[int, Scores]) -> None:  # noqa: ANN401 - cv2 array
        y = 24
        for each in scores.values():
            best = np.argsort(-each.probabilities[1:])[:3] + 1
            for label in best:
                p = float(each.probabilities[label])
                cv2.rectangle(picture, (12, y - 12), (12 + int(120 * p), y + 2), COLOURS[each.side], -1)
                self._write(cv2, picture, f"{self._labels[label].replace('_', ' ')} {p:.2f}", (16, y), 0.45)
                y += 20

    @staticmethod
    def _write(cv2: ModuleType, picture: Any, text: str, at: tuple[int, int], size: float) -> None:  # noqa: ANN401
        for colour, thick in (((0, 0, 0), 4), ((255, 255, 255), 1 if size < 1 else 2)):
            cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, thick, cv2.LINE_AA)


class Window:
    """A window that shows pictures; `show` says whether the user wants to go on."""

    def __init__(self, title: str = "gestures") -> None:
        self._title = title
        self._shown = False
        self.key = ""
        """The key pressed while the last picture was shown; empty when none was."""

    def __enter__(self) -> "Window":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            load_cv2().destroyAllWindows()

    def show(self, picture: Picture, wait_s: float = 0.001) -> bool:
        """Show `picture` for at least `wait_s`; False once the window was closed, or q or Escape pressed."""
        cv2 = load_cv2()
        if not self._shown:
            cv2.namedWindow(self._title, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
        closed = self._shown and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        if closed:
            return False
        cv2.imshow(self._title, picture)
        self._shown = True
        code = cv2.waitKey(max(1, round(wait_s * 1000)))
        self.key = "" if code < 0 else chr(code & 0xFF)
        return code & 0xFF not in QUIT_KEYS
