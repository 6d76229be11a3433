"""What a target needs of this machine, and what to do where it is missing."""

import importlib.util


def library(part: str, module: str, package: str, install: str | None = None) -> str | None:
    """What to do about a library that is not there, where `part` of the file needs it; None where it is."""
    if importlib.util.find_spec(module) is not None:
        return None
    wanted = f"'gestures[{part}]'" if install is None else install
    return f"{part} needs the library {package}: pip install {wanted}"
