"""What LiteRT believes of a step's file, and must not: read from the file itself before LiteRT gets it.

The file is a FlatBuffer of the schema `schema_v3` of LiteRT: tables whose fields are found by their numbers. LiteRT
verifies that all offsets lie within the file, and its plain kernels that shapes fit. Its faster ones (XNNPACK) go by
the number of parts that a SPLIT promises, and write beyond the memory where it gives fewer.
"""

import struct

SPLIT, SPLIT_OPTIONS = 49, 35
OPERATOR_CODES, SUBGRAPHS = 1, 2
OLD_CODE, CODE = 0, 3
OPERATORS = 3
CODE_INDEX, OUTPUTS, OPTIONS_TYPE, OPTIONS = 0, 2, 3, 4
PARTS = 0
"""Numbers of fields: of the model, an operator's code, a subgraph, an operator, and the options of a SPLIT."""


def check_step(content: bytes) -> None:
    """Raise `ValueError` where a SPLIT does not give as many parts as it promises, or the file is cut short."""
    try:
        model = _Table(content, _number("<I", content, 0))
        codes = [max(code.number(OLD_CODE, "<b"), code.number(CODE, "<i")) for code in model.tables(OPERATOR_CODES)]
        for graph in model.tables(SUBGRAPHS):
            for operator in graph.tables(OPERATORS):
                if codes[operator.number(CODE_INDEX, "<I")] != SPLIT:
                    continue
                given = operator.length(OUTPUTS)
                options = operator.table(OPTIONS) if operator.number(OPTIONS_TYPE, "<B") == SPLIT_OPTIONS else None
                promised = 0 if options is None else options.number(PARTS, "<i")
                if promised != given:
                    raise ValueError(f"it promises to split into {promised} parts and gives {given}")
    except (struct.error, IndexError) as error:
        raise ValueError("it is cut short") from error


class _Table:
    """A table at `at` of a FlatBuffer."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content, self._at = content, at
        self._fields = at - _number("<i", content, at)
        self._size = _number("<H", content, self._fields)

    def number(self, field: int, kind: str) -> int:
        """A field that is a number; 0 where it is left out."""
        at = self._place(field)
        return 0 if at is None else _number(kind, self._content, at)

    def table(self, field: int) -> "_Table | None":
        """A field that is a table; None where it is left out."""
        at = self._place(field)
        return None if at is None else _Table(self._content, at + _number("<I", self._content, at))

    def length(self, field: int) -> int:
        """How many a field that is a vector holds."""
        return self._vector(field)[1]

    def tables(self, field: int) -> "list[_Table]":
        """A field that is a vector of tables."""
        start, count = self._vector(field)
        places = range(start, start + 4 * count, 4)
        return [_Table(self._content, at + _number("<I", self._content, at)) for at in places]

    def _vector(self, field: int) -> tuple[int, int]:
        at = self._place(field)
        if at is None:
            return 0, 0
        start = at + _number("<I", self._content, at)
        return start + 4, _number("<I", self._content, start)

    def _place(self, field: int) -> int | None:
        entry = 4 + 2 * field
        offset = _number("<H", self._content, self._fields + entry) if entry < self._size else 0
        return self._at + offset if offset else None


def _number(kind: str, content: bytes, at: int) -> int:
    if at < 0:
        raise IndexError(at)  # struct would count from the end
    (number,) = struct.unpack_from(kind, content, at)
    return int(number)
