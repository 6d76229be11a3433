"""Where a training stands, kept in a file every few seconds: one that was broken off goes on from there."""

import hashlib
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from .errors import TrainingError
from .files import write_whole
from .types import Floats

EVERY_S = 15.0
"""So much of the work is lost at most."""


class Checkpoint:
    """One part of a training, in a folder that is thrown away with `forget` when the model is saved.

    Its file is named after all that decides how the part ends: what it learns from, how, from which weights, by which
    version of this package. Whatever is another training is not found, and a file that is broken counts as none.
    """

    def __init__(self, folder: Path | None, *names: str, begun: Sequence[Floats] = ()) -> None:
        """`names` tell what is learnt from and how, `begun` the weights it begins with; folder None keeps nothing."""
        self._path: Path | None = None
        self._kept = time.monotonic()
        if folder is None:
            return
        whole = hashlib.sha256(repr(names).encode())
        for source in sorted(Path(__file__).parent.glob("*.py")):
            whole.update(source.read_bytes())
        for weights in begun:
            whole.update(np.ascontiguousarray(weights).tobytes())
        self._path = folder / f"{whole.hexdigest()[:24]}.npy"

    def load(self, like: Sequence[Floats]) -> tuple[int, list[Floats]]:
        """The step it stands at, and its arrays, in shape as `like`; 0 and none where nothing is kept."""
        if self._path is None or not self._path.exists():
            return 0, []
        try:
            with self._path.open("rb") as file:
                step, *arrays = [np.load(file, allow_pickle=False) for _ in range(1 + len(like))]
        except (OSError, ValueError, EOFError, MemoryError):
            return 0, []
        if [array.shape for array in arrays] != [np.shape(each) for each in like]:
            return 0, []
        return int(step), arrays

    @property
    def due(self) -> bool:
        """Whether nothing has been kept for `EVERY_S`."""
        return self._path is not None and time.monotonic() - self._kept >= EVERY_S

    def save(self, step: int, arrays: Sequence[Floats]) -> None:
        """Keep `arrays`; raise `TrainingError` where nothing may be written."""
        if self._path is None:
            return

        def write(file: IO[bytes]) -> None:
            for part in (np.array(step), *arrays):
                np.save(file, part)

        write_whole(self._path, write, TrainingError)
        self._kept = time.monotonic()


def forget(folder: Path) -> None:
    """Throw away what was kept in `folder`: the model it was for is saved."""
    shutil.rmtree(folder, ignore_errors=True)
