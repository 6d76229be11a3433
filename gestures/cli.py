"""The command line: one verb is run, and ends as it should. Answers on stdout, talk on stderr."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from .console import STRUCK, talk
from .errors import GesturesError
from .flags import parser


def program(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one verb as `main` does, and end; after Ctrl-C at once, since TensorFlow's farewell takes a second."""
    code = main(arguments)
    if STRUCK.is_set():
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; 0, or 1 after a `GesturesError` told in its one sentence, or 2 for wrong usage."""
    options = parser().parse_args(arguments)
    STRUCK.clear()

    def strike(number: int, frame: FrameType | None) -> None:
        STRUCK.set()
        signal.default_int_handler(number, frame)

    # Whoever started us deaf to Ctrl-C keeps us so; other threads hear none.
    hears = threading.current_thread() is threading.main_thread()
    if hears and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, strike)
    # What a library was making when it was struck may not be able to say goodbye: nobody wants to read of that.
    told, sys.unraisablehook = sys.unraisablehook, lambda wrong: None if STRUCK.is_set() else told(wrong)
    try:
        return _run(options)
    except KeyboardInterrupt:
        return 130
    except Exception:
        # A library struck in midst of its import makes an error of its own of that.
        if STRUCK.is_set():
            return 130
        raise
    finally:
        sys.unraisablehook = told
        if hears and signal.getsignal(signal.SIGINT) is strike:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _run(options: argparse.Namespace) -> int:
    """Do what was asked; 1 where it could not be done, after one sentence that says why."""
    try:
        options.run(options)
    except GesturesError as error:
        if STRUCK.is_set():
            raise  # of a library that was struck while it was loading
        talk(f"gestures: {error}")
        return 1
    except BrokenPipeError:
        _hush()
    except OSError as error:
        talk(f"gestures: {error}")
        _hush()
        return 1
    return 0


def _hush() -> None:
    """Whoever read our lines has gone, or has no room: Python would complain once more when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
