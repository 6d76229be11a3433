"""What was seen in a live session, kept as a recording for `gestures explain`."""

from collections import deque
from pathlib import Path

from .clips import Clip, save_clip
from .console import talk, writable
from .errors import ClipError
from .types import Observation

TRACE_S = 300.0
"""As much of what was seen as a trace keeps: what `gestures explain` takes, and a few megabytes."""


class Trace:
    """The last that was seen, written to `path` however the watching ends; costs nothing where there is no `path`."""

    def __init__(self, path: Path | None) -> None:
        """Raise `ClipError` where `path` may not be written, or is no name for a recording."""
        if path is not None:
            if path.suffix != ".npz" or path.is_dir():
                raise ClipError(f"{path} is no name for a trace: end it in .npz")
            writable(path.parent)
        self._path, self._seen = path, deque[Observation]()
        self._aspect: float | None = None

    def __enter__(self) -> "Trace":
        return self

    def __exit__(self, *_: object) -> None:
        if self._path is not None and self._seen:
            save_clip(Clip.of(self._seen, "someone"), self._path)
            talk(f"what was seen is in {self._path}: gestures explain MODEL {self._path}")

    def push(self, seen: Observation) -> Observation:
        """Keep what was `seen`, and no more than the last `TRACE_S`; gives it back."""
        if self._path is None:
            return seen
        for hand in seen.hands[:1]:
            if self._aspect is not None and hand.aspect != self._aspect:
                self._seen.clear()  # a clip has pictures of one shape
            self._aspect = hand.aspect
        self._seen.append(seen)
        while seen.time - self._seen[0].time > TRACE_S:
            self._seen.popleft()
        return seen
