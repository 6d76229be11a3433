"""Silence for libraries that write to standard error from C++, where Python's own logging cannot reach."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the C++ libraries' chatter off standard error in this block; exceptions still rise."""
    sys.stderr.flush()
    try:
        keep = os.dup(2)
    except OSError:
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(keep, 2)
        os.close(keep)
