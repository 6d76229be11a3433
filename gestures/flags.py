"""What can be typed: the verbs, their flags, and what reads a flag's value."""

import argparse
import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from . import __version__
from .console import shipped


def _verb(module: str, function: str) -> Callable[[argparse.Namespace], None]:
    """What a verb does: a function of a module that is imported when it is called. Nobody waits for the others."""
    return partial(_call, module, function)


def _call(module: str, function: str, options: argparse.Namespace) -> None:
    getattr(importlib.import_module(f".{module}", __package__ or "gestures"), function)(options)


def parser() -> argparse.ArgumentParser:
    """The parser of all verbs: what it makes holds `run`, which does what was asked."""
    whole = argparse.ArgumentParser(prog="gestures", description="Hand gestures from a webcam, as they happen.")
    whole.add_argument("--version", action="version", version=f"gestures {__version__}")
    verbs = whole.add_subparsers(dest="verb", required=True, metavar="VERB")

    demo = verbs.add_parser("demo", help="recognise the gestures of the clip that ships with the package")
    demo.set_defaults(run=_verb("watching", "demo"), source="", corrections=None, idle=False)
    live = verbs.add_parser("live", help="recognise gestures from a camera, a video file or a URL")
    live.add_argument("--source", default="0", help="camera number, video file or URL (default: camera 0)")
    live.add_argument(
        "--do", type=Path, metavar="FILE", help="what gestures do: an actions file (gestures actions check)"
    )
    live.add_argument("--dry-run", action="store_true", help="with --do: say what would be done, and do nothing")
    _correction_flags(live)
    live.set_defaults(run=_verb("watching", "live"))
    for verb in (demo, live):
        verb.add_argument("--model", type=Path, default=shipped("trained/starter"), metavar="DIR", help="trained model")
        verb.add_argument("--no-window", action="store_true", help="open no window")
        verb.add_argument("--json", action="store_true", help="one JSON object a line for each event")
        verb.add_argument("--stats", action="store_true", help="at the end, a JSON object on stderr: pictures, faults")

    live.add_argument(
        "--ghost",
        type=_between(0.0, 1.0, " seconds"),
        nargs="?",
        const=0.1,
        metavar="S",
        help="draw where each hand will be so much later (0.1 s)",
    )
    live.add_argument("--trace", type=Path, metavar="FILE", help="keep the last 5 minutes for `gestures explain`")
    demo.set_defaults(trace=None, ghost=None)

    _add_actions(verbs)

    _add_teaching(verbs)
    _teach_flags(verbs.add_parser("teach", help="the whole loop: record gestures of your own, train, judge, go live"))

    _judging_verbs(verbs)

    _check_flags(verbs.add_parser("check", help="a set of recordings at a glance, and the takes that look wrong"))
    _data_verbs(verbs.add_parser("data", help="join, rename, thin out or deal sets of recordings"))

    _mirror_flags(verbs.add_parser("mirror", help="find out in ten seconds whether a camera mirrors, and remember it"))

    checkup = verbs.add_parser("doctor", help="what this machine can do, what is missing, what to type")
    checkup.add_argument("--fetch", action="store_true", help="download the official hand model into the user's cache")
    checkup.set_defaults(run=_verb("doctor", "examine"))
    return whole


def _judging_verbs(verbs: Any) -> None:  # noqa: ANN401 - argparse has no public type for it
    evaluate = verbs.add_parser("evaluate", help="replay recordings through the live engine and score it")
    evaluate.add_argument("model", type=Path, metavar="MODEL")
    evaluate.add_argument("data", type=Path, metavar="DATA")
    evaluate.add_argument("--json", action="store_true", help="the figures as one JSON object")
    evaluate.add_argument("--plots", type=Path, metavar="DIR", help="draw the confusion table into DIR")
    evaluate.set_defaults(run=_verb("workbench", "judge"))

    account = verbs.add_parser("explain", help="why it fired and why not: every event and near miss of a recording")
    account.add_argument("model", type=Path, metavar="MODEL")
    account.add_argument("clip", type=Path, metavar="CLIP", help="a recording, what `live --trace` wrote, or a video")
    account.add_argument("--plots", type=Path, metavar="DIR", help="draw scores, gates, memory and landmarks into DIR")
    account.set_defaults(run=_verb("workbench", "account"))


def _correction_flags(live: argparse.ArgumentParser) -> None:
    live.add_argument("--corrections", type=Path, metavar="DIR", help="keep mistakes there: w wrong, 1-9 missed")
    live.add_argument("--idle", action="store_true", help="nobody means anything: keep whatever fires, as rest")
    live.add_argument("--person", default="me", metavar="NAME", help="whose corrections (default: me)")


def _mirror_flags(mirror: argparse.ArgumentParser) -> None:
    mirror.add_argument("--source", default="0", help="camera number, video file or URL (default: camera 0)")
    mirror.add_argument(
        "--convert", type=Path, metavar="DATA", help="turn over what was recorded before that was known"
    )
    mirror.add_argument("--no-window", action="store_true", help="open no window")
    mirror.set_defaults(run=_verb("wizard", "mirror"))


def _check_flags(check: argparse.ArgumentParser) -> None:
    check.add_argument("data", type=Path, metavar="DATA")
    check.add_argument("--json", action="store_true", help="the figures as one JSON object")
    check.add_argument("--sheet", type=Path, metavar="PNG", help="draw every take's trajectory into a picture")
    check.set_defaults(run=_verb("library", "check"))


def _teach_flags(teach: argparse.ArgumentParser) -> None:
    teach.add_argument("gestures", nargs="+", metavar="NAME", help="a gesture")
    teach.add_argument("--into", type=Path, required=True, metavar="DIR", help="where the model goes")
    teach.add_argument("--data", type=Path, required=True, metavar="DIR", help="the set of recordings")
    teach.add_argument("--person", default="me", metavar="NAME", help="whose hands (default: me)")
    teach.add_argument("--takes", type=_whole(3), default=10, metavar="N", help="how many of each (default: 10)")
    teach.add_argument("--seed", type=_whole(0), default=0, metavar="N")
    teach.add_argument(
        "--source",
        nargs="+",
        action="extend",
        help="camera number, video file or URL: a camera for all, or one source a gesture (default: camera 0)",
    )
    teach.add_argument("--no-window", action="store_true", help="open no window")
    teach.set_defaults(run=_teach)


def _data_verbs(data: argparse.ArgumentParser) -> None:
    verbs = data.add_subparsers(dest="what", required=True, metavar="WHAT")
    merge = verbs.add_parser("merge", help="copy all takes of some sets into one")
    merge.add_argument("data", type=Path, nargs="+", metavar="DATA")
    merge.add_argument("--into", type=Path, required=True, metavar="DIR")
    merge.set_defaults(run=_verb("library", "merge"))
    rename = verbs.add_parser("rename", help="call a gesture otherwise")
    rename.add_argument("data", type=Path, metavar="DATA")
    rename.add_argument("old", metavar="OLD")
    rename.add_argument("new", metavar="NEW")
    rename.set_defaults(run=_verb("library", "rename"))
    remove = verbs.add_parser("remove", help="put gestures or single takes away, into DATA/.removed")
    remove.add_argument("data", type=Path, metavar="DATA")
    remove.add_argument("names", nargs="+", metavar="NAME", help="GESTURE, or GESTURE/PERSON_NN")
    remove.set_defaults(run=_verb("library", "remove"))
    split = verbs.add_parser("split", help="copy a set into two, by person")
    split.add_argument("data", type=Path, metavar="DATA")
    split.add_argument("--into", type=Path, nargs=2, required=True, metavar="DIR", help="the most of it, and the rest")
    split.add_argument("--people", nargs="+", default=[], metavar="NAME", help="who goes into the second")
    split.add_argument(
        "--share", type=_between(0.01, 0.5), default=0.2, metavar="S", help="else this share of them (default: 0.2)"
    )
    split.set_defaults(run=_verb("library", "split"))
    for verb in (merge, rename, remove, split):
        verb.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")


def _add_actions(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    acting = verbs.add_parser("actions", help="actions files: what gestures do").add_subparsers(
        dest="part", required=True, metavar="check"
    )
    check = acting.add_parser("check", help="say what an actions file would do, and what it lacks here")
    check.add_argument("file", type=Path, metavar="FILE")
    check.add_argument("--model", type=Path, default=shipped("trained/starter"), metavar="DIR", help="trained model")
    check.set_defaults(run=_verb("watching", "check_actions"))


def _add_teaching(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    record = verbs.add_parser("record", help="record takes of a gesture of your own, or of rest")
    record.add_argument("gesture", metavar="GESTURE", help="its name; `rest` for hands that mean nothing")
    record.add_argument("--into", type=Path, required=True, metavar="DIR", help="the set of recordings")
    record.add_argument("--person", default="me", metavar="NAME", help="whose hands (default: me)")
    record.add_argument(
        "--takes", type=_whole(1), metavar="N", help="how many (default: 10; with --yes, all there are)"
    )
    record.add_argument(
        "--seconds", type=_between(0.2, 600, " seconds"), metavar="S", help="takes of this length, not by movement"
    )
    record.add_argument(
        "--countdown", type=_between(0.2, 600, " seconds"), default=0.0, metavar="S", help="count down before each take"
    )
    record.add_argument("--ask", action="store_true", help="after each take: Enter keeps it, a again, d discards")
    record.add_argument("--yes", action="store_true", help="cut a whole video into takes: no window, no questions")
    record.add_argument("--keep-video", type=Path, metavar="DIR", help="keep the pictures as well, in DIR")
    record.add_argument("--source", default="0", help="camera number, video file or URL (default: camera 0)")
    record.add_argument("--no-window", action="store_true", help="open no window")
    record.set_defaults(run=_verb("studio", "record"))

    importing = verbs.add_parser("import", help="turn labelled videos, GESTURE/ANYTHING.mp4, into recordings")
    importing.add_argument("folder", type=Path, metavar="FOLDER")
    importing.add_argument("--into", type=Path, required=True, metavar="DIR")
    importing.set_defaults(run=_verb("workbench", "import_"))

    train = verbs.add_parser("train", help="learn gestures from recordings")
    train.add_argument("data", type=Path, metavar="DATA")
    train.add_argument("--into", type=Path, required=True, metavar="DIR")
    train.add_argument("--seed", type=_whole(0), default=0, metavar="N")
    train.add_argument(
        "--steps", type=_whole(1), metavar="N", help="how long to learn (default: by the size of the set)"
    )
    train.add_argument(
        "--pretrain",
        type=Path,
        metavar="DIR",
        help="first learn how hands move from the recordings there, labels or not",
    )
    train.add_argument(
        "--cell",
        type=_cell,
        default="lstm",
        metavar="CELL",
        help="what remembers: lstm, or gru, rnn, window, none to compare",
    )
    train.set_defaults(run=_verb("workbench", "train"))


def _whole(least: int) -> Callable[[str], int]:
    """Read a whole number of at least `least`, for argparse."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least or int(text) >= 1 << 31:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} on, not {text}")
        return int(text)

    return number


def _cell(text: str) -> str:
    """Read a cell's name, for argparse."""
    from .cells import CELLS

    if text not in CELLS:
        raise argparse.ArgumentTypeError(f"must be one of {', '.join(CELLS)}, not {text}")
    return text


def _between(least: float, most: float, unit: str = "") -> Callable[[str], float]:
    """Read a number from `least` to `most`, for argparse."""

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be {least:g} to {most:g}{unit}, not {text}")
        return value

    return number


def _teach(options: argparse.Namespace) -> None:
    options.source = options.source or ["0"]
    _call("lesson", "lesson", options)
    words = ["live", "--model", str(options.into), "--source", options.source[-1]]
    live = parser().parse_args([*words, "--no-window"] if options.no_window else words)
    live.run(live)
