"""What this machine can do, what is missing, what to type."""

import argparse
import importlib.metadata
import importlib.util
import platform
from collections.abc import Iterator

from .camera import Camera
from .console import shipped, talk
from .errors import CameraError, GesturesError
from .landmarks import Landmarker, cached_model, fetch_hand_model, find_hand_model
from .model import load
from .overlay import has_screen


def examine(options: argparse.Namespace) -> None:
    """`gestures doctor`: a line a finding; raise `GesturesError` when one needs attention."""
    if options.fetch:
        talk(f"the hand model is now {fetch_hand_model(cached_model())}")
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
        with Camera(0, stale_s=2.0, patience_s=5.0) as camera:
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
