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
