"""What a user would run instead of ours: MediaPipe's own loop, and the same network asked the usual ways."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

import gestures
from gestures.landmarks import CONFIDENCE, find_hand_model, load_mediapipe
from gestures.network import load_keras


class Bare:
    """MediaPipe's hand landmarker asked for two hands in every picture, as its guide shows it."""

    def __init__(self) -> None:
        self._mediapipe = mp = load_mediapipe()
        vision = mp.tasks.vision
        options = vision.HandLandmarkerOptions(
            base_options=mp.tasks.BaseOptions(model_asset_buffer=find_hand_model().read_bytes()),
            running_mode=vision.RunningMode.VIDEO,
            num_hands=2,
            min_hand_detection_confidence=CONFIDENCE,
            min_hand_presence_confidence=CONFIDENCE,
            min_tracking_confidence=CONFIDENCE,
        )
        self._task = vision.HandLandmarker.create_from_options(options)

    def __enter__(self) -> "Bare":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.close()

    def see(self, frame: gestures.Frame) -> int:
        """How many hands are in the picture."""
        mp = self._mediapipe
        picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=frame.image)
        found: Any = self._task.detect_for_video(picture, round(frame.time * 1000))
        return len(found.hand_landmarks)


def alternatives(folder: Path) -> dict[str, Callable[[Any], Any]]:
    """The same network asked the usual ways, of a window (1, 30, SIZE); none without TensorFlow."""
    try:
        keras = load_keras()
    except gestures.ModelError:
        return {}
    import tensorflow as tf

    network = keras.models.load_model(folder / "model.keras", safe_mode=True)
    states = [np.zeros((1, each.shape[-1]), np.float32) for each in network.inputs[1:]]
    compiled = tf.function(lambda *inputs: network(list(inputs)))
    return {
        "predict on 30 frames": lambda window: network.predict([window, *states], verbose=0),
        "tf.function on one frame": lambda window: compiled(window[:, -1:], *states),
    }
