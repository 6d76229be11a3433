"""Two-step commands: what a gesture means depends on one done before, however long ago, which only a memory can know.

`{"fire_armed": ("arm", "fire")}`: fire after arm means fire_armed, once; a fire of its own stays what it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from .clips import Span

Sequences: TypeAlias = Mapping[str, tuple[str, str]]
"""Each command's name, the gesture that must have come before it, and the gesture that then means it."""


def firsts(sequences: Sequences) -> tuple[str, ...]:
    """The gestures that begin a command, each once: what a memory has to keep."""
    return tuple(dict.fromkeys(first for first, _ in sequences.values()))


class Commands(NamedTuple):
    """What a network keeps in mind: so many first gestures, and of each command its label and that of its second."""

    kept: int = 0
    ends: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, labels: Sequence[str], sequences: Sequences) -> "Commands":
        """Of the commands `sequences`, named among the `labels`."""
        ends = ((labels.index(name), labels.index(second)) for name, (_, second) in sequences.items())
        return cls(len(firsts(sequences)), tuple(ends))


def follow(spans: Sequence[Span], sequences: Sequences) -> list[tuple[Span, str | None]]:
    """Each of one hand's spans, named by what it means, and what is kept in mind from its end on.

    That is the last gesture that begins a command; None when there was none, or its command has been given.
    """
    begin = firsts(sequences)
    meant: list[tuple[Span, str | None]] = []
    kept: str | None = None
    for span in sorted(spans, key=lambda span: span.start):
        name = next((name for name, pair in sequences.items() if pair == (kept, span.gesture)), span.gesture)
        if name in sequences:
            kept = None
        elif name in begin:
            kept = name
        meant.append((replace(span, gesture=name), kept))
    return meant
