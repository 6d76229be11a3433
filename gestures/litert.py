"""The library that runs small networks, asked for when it is needed."""

from typing import Any

from .errors import GesturesError


def load_litert(error: type[GesturesError]) -> Any:  # noqa: ANN401 - LiteRT has no types
    """LiteRT's module of interpreters; raise `error` with what to install where it is missing or does not load."""
    try:
        from ai_edge_litert import interpreter
    except (ImportError, OSError) as wrong:
        raise error(f"LiteRT does not load ({wrong}): pip install ai-edge-litert") from wrong
    return interpreter
