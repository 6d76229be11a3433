"""The verbs that keep a set in order: look through it, join, rename, thin out, deal."""

import argparse
import importlib.util
import json

from . import curating
from .checking import inspect, sheet
from .clips import load_set
from .console import talk
from .errors import GesturesError


def check(options: argparse.Namespace) -> None:
    """`gestures check`: a set at a glance, and the takes that look wrong."""
    if options.sheet is not None and importlib.util.find_spec("matplotlib") is None:
        raise GesturesError("a contact sheet needs matplotlib, which is not installed: pip install matplotlib")
    seen = inspect(load_set(options.data))
    print(json.dumps(seen.json()) if options.json else seen.text())
    if options.sheet is not None:
        sheet(seen, options.sheet)
        talk(f"drawn: {options.sheet}")


def merge(options: argparse.Namespace) -> None:
    """`gestures data merge`."""
    _tell(curating.merge(options.data, options.into, options.dry_run), options.dry_run)


def rename(options: argparse.Namespace) -> None:
    """`gestures data rename`."""
    _tell(curating.rename(options.data, options.old, options.new, options.dry_run), options.dry_run)


def remove(options: argparse.Namespace) -> None:
    """`gestures data remove`."""
    _tell(curating.remove(options.data, options.names, options.dry_run), options.dry_run)


def split(options: argparse.Namespace) -> None:
    """`gestures data split`."""
    into = options.into[0], options.into[1]
    _tell(curating.split(options.data, into, options.people, options.share, options.dry_run), options.dry_run)


def _tell(steps: list[curating.Step], dry: bool) -> None:
    for step in steps:
        print(step)
    talk(f"{len(steps)} takes" + (": nothing was touched (--dry-run)" if dry else ""))
