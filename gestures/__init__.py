"""Real-time hand gesture recognition: webcam -> landmarks -> a recurrent network with a memory -> events.

```python
import gestures

model = gestures.load("trained/starter")
with gestures.Camera() as camera, gestures.Landmarker() as landmarker:
    recognizer = gestures.Recognizer(model)
    for frame in camera:
        for event in recognizer.push(landmarker.see(frame)):
            print(f"{event.time:6.2f} s  {event.gesture} {event.phase}")
```
"""

__version__ = "0.1.0"

import importlib
import typing

if typing.TYPE_CHECKING:
    from .actions import Actions, load_plan
    from .camera import Camera, open_source
    from .clips import Clip, ClipSet, Span, load_clip, load_set, save_clip
    from .errors import (
        ActionError,
        CameraError,
        ClipError,
        GesturesError,
        InputError,
        LandmarkerError,
        ModelError,
        TrainingError,
    )
    from .landmarks import Landmarker
    from .model import Manifest, Model, load
    from .recognizer import Recognizer
    from .types import DecisionRules, Event, Frame, Hand, Observation, Scores
    from .video import Video

__all__ = [
    "ActionError",
    "Actions",
    "Camera",
    "CameraError",
    "Clip",
    "ClipError",
    "ClipSet",
    "DecisionRules",
    "Event",
    "Frame",
    "GesturesError",
    "Hand",
    "InputError",
    "Landmarker",
    "LandmarkerError",
    "Manifest",
    "Model",
    "ModelError",
    "Observation",
    "Recognizer",
    "Scores",
    "Span",
    "TrainingError",
    "Video",
    "load",
    "load_clip",
    "load_plan",
    "load_set",
    "open_source",
    "save_clip",
]

_HOMES = {
    "actions": ("Actions", "load_plan"),
    "camera": ("Camera", "open_source"),
    "clips": ("Clip", "ClipSet", "Span", "load_clip", "load_set", "save_clip"),
    "errors": (
        "ActionError",
        "CameraError",
        "ClipError",
        "GesturesError",
        "InputError",
        "LandmarkerError",
        "ModelError",
        "TrainingError",
    ),
    "landmarks": ("Landmarker",),
    "model": ("Manifest", "Model", "load"),
    "recognizer": ("Recognizer",),
    "types": ("DecisionRules", "Event", "Frame", "Hand", "Observation", "Scores"),
    "video": ("Video",),
}
"""Where each public name lives. Its module is imported when the name is first asked for: NumPy alone takes 0.1 s."""

if not typing.TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        for module, names in _HOMES.items():
            if name in names:
                value = globals()[name] = getattr(importlib.import_module(f".{module}", __name__), name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
