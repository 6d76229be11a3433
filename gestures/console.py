"""What every verb shares: talk and progress on stderr, the files that come with the package, folders to write to."""

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ClipError

if TYPE_CHECKING:  # a line of help needs neither cameras nor NumPy
    from .camera import Camera
    from .overlay import Window
    from .video import Video

LONGEST = 2000
"""Characters of a line that is told."""
STRUCK = threading.Event()
"""Set by Ctrl-C for the rest of a verb: a library struck in midst of a call may lose the exception, but not this."""


def talk(line: str) -> None:
    """Say a line to the person, where it does not mix with the answers."""
    print(printable(line), file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """`text` without what would steer a terminal (but for line ends, tabs and the bell), and cut where it is endless.

    Names of files and words of notes may come from strangers.
    """
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    return "".join(c if c.isprintable() or c in "\n\t\a" else ascii(c)[1:-1] for c in cut)


def open_window(title: str) -> "Window | None":
    """A window; None, and that is said, where there is no screen for it."""
    from .overlay import Window, has_screen

    if has_screen():
        return Window(title)
    talk("no screen here: going on without a window, and without its keys (--no-window says so beforehand)")
    return None


def tell_faults(source: "Camera | Video") -> None:
    """Say what has gone wrong with a source of pictures since this was last asked."""
    for line in source.faults.news():
        talk(line)


def shipped(name: str) -> Path:
    """A file or folder that comes with the package: inside an installed one, at the top of a checkout."""
    inside = Path(__file__).parent / "shipped" / name
    return inside if inside.exists() else Path(__file__).parents[1] / name


def writable(folder: Path) -> None:
    """Find out before the work, not after it, that nothing may be written."""
    probe = folder / f".{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ClipError(f"{folder} cannot be written ({error.strerror}): choose a folder you may write to") from error


class Bar:
    """One progress bar a part of the work, on stderr; where Ctrl-C was lost, work ends at the bar's next move."""

    def __init__(self, title: str = "") -> None:
        self._bar: Any = None
        self._title, self._part = title, ""

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, kind: type[BaseException] | None = None, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
        if kind is None and STRUCK.is_set():
            raise KeyboardInterrupt

    def tell(self, part: str, at: int, of: int, loss: float) -> None:
        """As `teach` tells how far it is."""
        from tqdm import tqdm

        if part != self._part or STRUCK.is_set():
            self.__exit__()
            self._part, self._bar = part, tqdm(total=of, desc=f"{self._title} {part}".strip(), file=sys.stderr)
        self._bar.update(at - self._bar.n)
        if loss == loss:  # not NaN  # noqa: PLR0124
            self._bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
