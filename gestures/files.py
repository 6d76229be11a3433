"""Files that are there whole or not at all, whenever the program is killed, and that are read within bounds."""

import os
import re
import stat
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from .errors import GesturesError, InputError

NEXT = ".next"
"""Inside a folder, what replaces its files of the same names: whole from the moment this name is there."""
TRIES = 100
"""How often two writers may get in each other's way before one gives up."""
NAME = re.compile(r"[\w][\w .+-]{0,63}")
"""What a gesture or a person may be called: it becomes a folder or a file on any system."""
DEVICE = re.compile(r"con|nul|aux|prn|com[0-9]|lpt[0-9]", re.IGNORECASE)
"""Names that Windows keeps for its devices."""
MAX_NOTE = 1 << 22
"""Bytes of a note, a clip's or its set's, beyond which it is refused: ten thousand spans take less."""


def write_whole(path: Path, write: Callable[[IO[bytes]], object], error: type[GesturesError]) -> None:
    """Write a file so that it is there whole or not at all: temporary name, flush, rename.

    `error` is raised, in one sentence, where nothing may be written.
    """
    temporary = path.with_name(f".{path.name}.{_writer()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _flushed(temporary, write)
        temporary.replace(path)
    except BaseException as wrong:
        with suppress(OSError):
            temporary.unlink()
        if not isinstance(wrong, OSError):
            raise
        raise _cannot(path, wrong, error) from wrong


def write_together(folder: Path, contents: Mapping[str, bytes], error: type[GesturesError]) -> None:
    """Replace files of `folder` by `contents`, all at one moment: whoever reads by `read_together` sees all or none.

    They are written into a folder of a temporary name, which is then renamed to `NEXT`: that is the moment. What is in
    `NEXT` counts before what lies beside it, and then takes its place, file by file. A writer that finds the `NEXT` of
    another, living or killed, first puts that in place. Raise `error` where nothing may be written.
    """
    part = folder / f".{_writer()}.part"
    try:
        part.mkdir(parents=True)
        for name, content in contents.items():
            _flushed(part / name, lambda file, content=content: file.write(content))  # type: ignore[misc]
        for left in reversed(range(TRIES)):
            _settle(folder)
            try:
                part.rename(folder / NEXT)
                break
            except OSError:
                if not left or not (folder / NEXT).is_dir():
                    raise
        _settle(folder)
    except BaseException as wrong:
        with suppress(OSError):
            for name in contents:
                (part / name).unlink(missing_ok=True)
            part.rmdir()
        if not isinstance(wrong, OSError):
            raise
        raise _cannot(folder, wrong, error) from wrong


def read_together(folder: Path, name: str, most: int) -> bytes:
    """A file of a folder that `write_together` writes; raise `OSError` as `read_within`."""
    try:
        return read_within(folder / NEXT / name, most)
    except FileNotFoundError:
        return read_within(folder / name, most)


def read_within(path: Path, most: int) -> bytes:
    """The bytes of a plain file; raise `OSError` when it is none, cannot be read, or holds more than `most` bytes."""
    # Opening a pipe would wait for its writer, so it is opened without waiting.
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(number, "rb") as file:
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "it is no plain file")
        if status.st_size > most:
            raise OSError(0, f"it is larger than {most} bytes")
        return file.read(status.st_size)


def _settle(folder: Path) -> None:
    """Put what stands in `NEXT` in its place; several may do so at once."""
    waiting = folder / NEXT
    with suppress(FileNotFoundError):
        for name in os.listdir(waiting):  # noqa: PTH208 - names, and all of them before the first is moved
            with suppress(FileNotFoundError):
                (waiting / name).replace(folder / name)
        # Not empty: another writer's has taken its place meanwhile, and that writer sees to it.
        with suppress(OSError):
            waiting.rmdir()


def _flushed(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    with path.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())


def _writer() -> str:
    return f"{os.getpid()}-{threading.get_ident()}"


def _cannot(path: Path, wrong: OSError, error: type[GesturesError]) -> GesturesError:
    return error(f"{path} cannot be written ({wrong.strerror or wrong}): choose a folder you may write to")


def check_name(name: str) -> str:
    """Give `name` back, or raise `InputError` when no folder of that name can be on every system."""
    if (
        not isinstance(name, str)
        or not NAME.fullmatch(name)
        or name != name.strip(" .")
        or DEVICE.fullmatch(name.split(".", maxsplit=1)[0])
    ):
        raise InputError(f"{str(name)[:80]!r} is no name: use up to 64 letters, digits, '_', '-', '+', '.' or spaces")
    return name
