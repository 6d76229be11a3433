"""The command line: flags in, values joined, lines out. Answers on stdout, talk on stderr."""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__
from .camera import Camera, Video, open_source
from .errors import CameraError, ClipError, GesturesError
from .landmarks import Landmarker, cached_model, fetch_hand_model, find_hand_model
from .model import load
from .overlay import Overlay, Window, has_screen
from .recognizer import Recognizer
from .types import Event, Frame, Observation

if TYPE_CHECKING:
    from .recording import Recorder


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; 0, or 1 after a `GesturesError` told in its one sentence, or 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except GesturesError as error:
        print(f"gestures: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our lines has gone; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def shipped(name: str) -> Path:
    """A file or folder that comes with the package: inside an installed one, at the top of a checkout."""
    inside = Path(__file__).parent / "shipped" / name
    return inside if inside.exists() else Path(__file__).parents[1] / name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gestures", description="Hand gestures from a webcam, as they happen.")
    parser.add_argument("--version", action="version", version=f"gestures {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    demo = verbs.add_parser("demo", help="recognise the gestures of the clip that ships with the package")
    demo.set_defaults(run=_demo)
    live = verbs.add_parser("live", help="recognise gestures from a camera, a video file or a URL")
    live.add_argument("--source", default="0", help="camera number, video file or URL (default: camera 0)")
    live.set_defaults(run=_live)
    for verb in (demo, live):
        verb.add_argument("--model", type=Path, default=shipped("trained/starter"), metavar="DIR", help="trained model")
        verb.add_argument("--no-window", action="store_true", help="open no window")
        verb.add_argument("--json", action="store_true", help="one JSON object a line for each event")

    record = verbs.add_parser("record", help="record takes of a gesture of your own, or of rest")
    record.add_argument("gesture", metavar="GESTURE", help="its name; `rest` for hands that mean nothing")
    record.add_argument("--into", type=Path, required=True, metavar="DIR", help="the set of recordings")
    record.add_argument("--person", default="me", metavar="NAME", help="whose hands (default: me)")
    record.add_argument("--takes", type=_whole(1), default=10, metavar="N", help="how many (default: 10)")
    record.add_argument("--seconds", type=_seconds, metavar="S", help="takes of this length, not by movement")
    record.add_argument("--source", default="0", help="camera number, video file or URL (default: camera 0)")
    record.add_argument("--no-window", action="store_true", help="open no window")
    record.set_defaults(run=_record)

    importing = verbs.add_parser("import", help="turn labelled videos, GESTURE/ANYTHING.mp4, into recordings")
    importing.add_argument("folder", type=Path, metavar="FOLDER")
    importing.add_argument("--into", type=Path, required=True, metavar="DIR")
    importing.set_defaults(run=_import)

    train = verbs.add_parser("train", help="learn gestures from recordings")
    train.add_argument("data", type=Path, metavar="DATA")
    train.add_argument("--into", type=Path, required=True, metavar="DIR")
    train.add_argument("--seed", type=_whole(0), default=0, metavar="N")
    train.add_argument(
        "--steps", type=_whole(1), metavar="N", help="how long to learn (default: by the size of the set)"
    )
    train.set_defaults(run=_train)

    evaluate = verbs.add_parser("evaluate", help="replay recordings through the live engine and score it")
    evaluate.add_argument("model", type=Path, metavar="MODEL")
    evaluate.add_argument("data", type=Path, metavar="DATA")
    evaluate.add_argument("--json", action="store_true", help="the figures as one JSON object")
    evaluate.add_argument("--plots", type=Path, metavar="DIR", help="draw the confusion table into DIR")
    evaluate.set_defaults(run=_evaluate)

    doctor = verbs.add_parser("doctor", help="what this machine can do, what is missing, what to type")
    doctor.add_argument("--fetch", action="store_true", help="download the official hand model into the user's cache")
    doctor.set_defaults(run=_doctor)
    return parser


def _whole(least: int) -> Callable[[str], int]:
    """Read a whole number of at least `least`, for argparse."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least or int(text) >= 1 << 31:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} on, not {text}")
        return int(text)

    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.2 <= seconds <= 600:
        raise argparse.ArgumentTypeError(f"must be 0.2 to 600 seconds, not {text}")
    return seconds


def _demo(options: argparse.Namespace) -> None:
    _run(options, Video(shipped("data/demo/demo.mp4")), "the demo clip")


def _live(options: argparse.Namespace) -> None:
    _run(options, open_source(options.source), f"source {options.source}")


def _run(options: argparse.Namespace, source: Camera | Video, name: str) -> None:
    began = time.perf_counter()
    model = load(options.model)
    recognizer = Recognizer(model)
    window = None if options.no_window else Window()
    if window is not None and not has_screen():
        window = None
        _talk("no screen here: going on without a window (--no-window says so beforehand)")
    overlay = Overlay(model.manifest.labels)
    frames, last, shown = 0, 0.0, began
    with ExitStack() as stack:
        stack.enter_context(source)
        landmarker = stack.enter_context(Landmarker())
        if window is not None:
            stack.enter_context(window)
        _talk(f"{name}: watching for {', '.join(model.manifest.labels[1:])}")
        for frame in source:
            seen = landmarker.see(frame)
            events = recognizer.push(seen)
            if frames == 0:
                shown = time.perf_counter() - frame.time
                _talk(f"first picture after {time.perf_counter() - began:.1f} s")
            frames, last = frames + 1, frame.time
            _tell(events, options.json)
            if window is not None:
                # A file is shown at its own pace, a camera as it comes.
                early_s = 0.0 if isinstance(source, Camera) else shown + frame.time - time.perf_counter()
                if not window.show(overlay.draw(frame, seen, recognizer.scores, events), max(0.001, early_s)):
                    break
        _tell(recognizer.finish(), options.json)
    dropped = f", {source.dropped} dropped" if isinstance(source, Camera) else ""
    _talk(f"{frames} pictures, {last:.1f} s of video{dropped}")


def _record(options: argparse.Namespace) -> None:
    from .recording import Recorder

    _writable(options.into)
    recorder = Recorder(
        options.gesture,
        options.person,
        options.into,
        options.takes,
        options.seconds,
        lambda line: _talk(f"\a{line}"),  # the bell, for those who look at their hand
    )
    window = None if options.no_window or not has_screen() else Window("gestures record")
    _talk(f"hold a hand still in view, do {options.gesture}, hold it still again; u takes the last one back, q ends")
    overlay = Overlay(())
    source = open_source(options.source)
    with ExitStack() as stack:
        stack.enter_context(source)
        landmarker = stack.enter_context(Landmarker())
        if window is not None:
            stack.enter_context(window)
        for frame in source:
            seen = landmarker.see(frame)
            recorder.push(seen)
            if recorder.done or not _shown(window, overlay, frame, seen, recorder):
                break
        recorder.finish()
    left_out = f", {recorder.refused} not kept" if recorder.refused else ""
    if not recorder.kept:
        raise ClipError(
            f"no take of {options.gesture} came of it{left_out}: hold a hand still in view, move, hold it still again"
        )
    print(f"{len(recorder.kept)} takes of {options.gesture} in {options.into}{left_out}")
    print(f"now another gesture or rest, then: gestures train {options.into} --into MODEL")


def _shown(window: Window | None, overlay: Overlay, frame: Frame, seen: Observation, recorder: "Recorder") -> bool:
    """Show the person how far it is; False when they have had enough."""
    if window is None:
        return True
    goes_on = window.show(overlay.draw(frame, seen, {}, [], recorder.state))
    if window.key == "u":
        recorder.undo()
    return goes_on


def _tell(events: list[Event], as_json: bool) -> None:
    for event in events:
        if as_json:
            print(json.dumps(event.json()), flush=True)
        else:
            hand = f"{event.side} hand" if event.side != "both" else "both hands"
            print(f"{event.time:7.2f} s  {event.gesture} {event.phase}  ({hand}, {event.confidence:.2f})", flush=True)


def _import(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from .recording import find_videos, import_videos

    _writable(options.into)
    total = len(find_videos(options.folder))
    taken = 0
    with tqdm(total=total, unit="video", file=sys.stderr) as bar:
        for path, clip in import_videos(options.folder, options.into, lambda line: bar.write(line, file=sys.stderr)):
            bar.set_description(f"{path.parent.name}/{path.name}"[-30:])
            bar.update()
            taken += clip is not None
    print(f"{taken} of {total} videos are now takes in {options.into}: gestures train {options.into} --into MODEL")


def _train(options: argparse.Namespace) -> None:
    from .clips import load_set
    from .teaching import teach
    from .training import Recipe, steps_for

    takes = load_set(options.data)
    _writable(options.into)
    people = ", ".join(takes.people[:12]) + (" …" if len(takes.people) > 12 else "")
    _talk(f"{len(takes.clips)} takes of {len(takes.labels)} gestures by {len(takes.people)} people or rounds: {people}")
    recipe = Recipe(steps=steps_for(takes) if options.steps is None else options.steps, seed=options.seed)
    with Bar() as bar:
        taught = teach(takes, recipe, bar.tell)
    taught.save(options.into, options.into.name)
    print(f"{taught.how}\n{taught.report.text()}")
    print(f"saved to {options.into}: gestures live --model {options.into}")


def _evaluate(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from .clips import load_set
    from .evaluation import evaluate, plot

    model, clips = load(options.model), load_set(options.data)
    if options.plots is not None:
        _writable(options.plots)
        if importlib.util.find_spec("matplotlib") is None:
            raise GesturesError("plots need matplotlib, which is not installed: pip install matplotlib")
    strange = sorted(set(clips.labels) - set(model.manifest.labels))
    if strange:
        _talk(f"not known to this model, and not scored: {', '.join(strange)}")
    with tqdm(total=len(clips.clips), unit="clip", file=sys.stderr) as bar:
        report, _ = evaluate(model, clips.clips, lambda _: bar.update())
    print(json.dumps(report.json()) if options.json else report.text())
    if options.plots is not None:
        _talk(f"drawn: {plot(report, options.plots)}")


def _doctor(options: argparse.Namespace) -> None:
    if options.fetch:
        _talk(f"the hand model is now {fetch_hand_model(cached_model())}")
    wrong = 0
    for name, finding, good in _findings():
        wrong += not good
        print(f"{'ok ' if good else 'NO '} {name:14s} {finding}")
    if wrong:
        raise GesturesError(f"{wrong} of the above need attention")


def _findings() -> Iterator[tuple[str, str, bool]]:
    yield "python", f"{platform.python_version()} on {platform.platform(terse=True)}", True
    for package in ("mediapipe", "opencv-python", "ai-edge-litert", "numpy"):
        try:
            yield package, importlib.metadata.version(package), True
        except importlib.metadata.PackageNotFoundError:
            yield package, f"not installed: pip install {package}", False
    contrib = _version("opencv-contrib-python")
    if contrib is not None and contrib != _version("opencv-python"):
        same = f"pip install opencv-contrib-python=={_version('opencv-python')}"
        yield "one OpenCV", f"opencv-contrib-python {contrib} differs from opencv-python: {same}", False
    for name, probe in (("hand model", find_hand_model), ("landmarker", _landmarker), ("model", _starter)):
        try:
            yield name, str(probe()), True
        except GesturesError as error:
            yield name, str(error), False
    trains = importlib.util.find_spec("tensorflow") is not None
    yield "training", "TensorFlow is there" if trains else "not here; to train: pip install 'gestures[train]'", True
    yield "screen", "there" if has_screen() else "none: verbs run with --no-window", True
    try:
        with Camera(0) as camera:
            frame = next(iter(camera))
        yield "camera 0", f"gives {frame.image.shape[1]}x{frame.image.shape[0]}", True
    except CameraError as error:
        yield "camera 0", f"{error} (video files work without)", True


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _landmarker() -> str:
    Landmarker().close()
    return "starts"


def _starter() -> str:
    return ", ".join(load(shipped("trained/starter")).manifest.labels[1:])


def _writable(folder: Path) -> None:
    """Find out before the work, not after it, that nothing may be written."""
    probe = folder / f".{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ClipError(f"{folder} cannot be written ({error.strerror}): choose a folder you may write to") from error


class Bar:
    """One progress bar a part of the work, on stderr."""

    def __init__(self, title: str = "") -> None:
        self._bar: Any = None
        self._title, self._part = title, ""

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def tell(self, part: str, at: int, of: int, loss: float) -> None:
        """As `teach` tells how far it is."""
        from tqdm import tqdm

        if part != self._part:
            self.__exit__()
            self._part, self._bar = part, tqdm(total=of, desc=f"{self._title} {part}".strip(), file=sys.stderr)
        self._bar.update(at - self._bar.n)
        if loss == loss:  # not NaN  # noqa: PLR0124
            self._bar.set_postfix(loss=f"{loss:.3f}", refresh=False)


def _talk(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
