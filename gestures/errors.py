"""Every error a user may want to catch.

* GesturesError
  - CameraError      a source of pictures did not open, or stopped giving them
  - LandmarkerError  the hand model is missing, changed, or cannot run on this machine
  - ClipError        a recording cannot be read or written
  - ModelError       a trained model is missing a part, or does not fit this version
  - TrainingError    the recordings given cannot teach a model
  - ActionError      an actions file is unclear, or what it asks for is not to be had here
  - InputError       a value handed to the library is not what it must be (also a ValueError)

Each message is one sentence: what happened, with the value, and what to do next.
"""


class GesturesError(Exception):
    """Base of everything this package raises on purpose."""


class CameraError(GesturesError):
    """A source of pictures did not open, or stopped giving them."""


class LandmarkerError(GesturesError):
    """The hand model is missing, changed, or cannot run on this machine."""


class ClipError(GesturesError):
    """A recording cannot be read or written."""


class ModelError(GesturesError):
    """A trained model is missing a part, or does not fit this version."""


class TrainingError(GesturesError):
    """The recordings given cannot teach a model."""


class ActionError(GesturesError):
    """An actions file is unclear, or what it asks for is not to be had here."""


class InputError(GesturesError, ValueError):
    """A value handed to the library is not what it must be."""
