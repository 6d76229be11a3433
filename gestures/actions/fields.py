"""A table of the actions file, read field by field: each of its kind and within bounds, none left over."""

import difflib
import sys
from collections.abc import Sequence
from typing import Any

from gestures.errors import ActionError


class Table:
    """The fields of one table; `where` names it in errors. Raise `ActionError` where it is no table."""

    def __init__(self, where: str, given: object) -> None:
        if not isinstance(given, dict):
            raise ActionError(f"{where} must be a table, not {given!r}")
        self._where, self._given = where, dict(given)
        self._known: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether the field is there."""
        self._known.add(name)
        return name in self._given

    def any(self, name: str) -> Any:  # noqa: ANN401 - whatever TOML holds
        """The field as it stands; None where it is missing."""
        self._known.add(name)
        return self._given.get(name)

    def text(self, name: str, default: str | None = None) -> str | None:
        """A text of at least one letter."""
        given = self.any(name)
        if given is None:
            return default
        if not isinstance(given, str) or not given.strip():
            raise ActionError(f'{self._where}: {name} must be a text in quotes, such as "abc", not {given!r}')
        return given

    def number(self, name: str, low: float, high: float, default: float) -> float:
        """A number from `low` to `high`."""
        given = self.any(name)
        if given is None:
            return default
        if not _is_number(given) or not low <= given <= high:
            raise ActionError(f"{self._where}: {name} must be a number from {low:g} to {high:g}, not {given!r}")
        return float(given)

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        """A whole number from `low` to `high`."""
        number = self.number(name, low, high, default)
        if number != int(number):
            raise ActionError(f"{self._where}: {name} must be a whole number, not {number:g}")
        return int(number)

    def pair(self, name: str, default: tuple[float, float]) -> tuple[float, float]:
        """Two numbers, as in [0, 127]."""
        given = self.any(name)
        if given is None:
            return default
        if not isinstance(given, list) or len(given) != 2 or not all(_is_number(each) for each in given):
            raise ActionError(f"{self._where}: {name} must be two numbers, such as [0, 127], not {given!r}")
        return float(given[0]), float(given[1])

    def flag(self, name: str) -> bool:
        """True or false; false where it is missing."""
        given = self.any(name)
        if given not in (None, True, False):
            raise ActionError(f"{self._where}: {name} must be true or false, not {given!r}")
        return bool(given)

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """One of `choices`."""
        given = self.any(name)
        if given is None:
            return default
        if given not in choices:
            raise ActionError(
                f"{self._where}: {name} must be {' or '.join(choices)}, not {given!r}{like(given, choices)}"
            )
        return str(given)

    def words(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty where it is missing."""
        given = self.any(name)
        if given is None:
            return ()
        if not isinstance(given, list) or not all(isinstance(word, str) for word in given):
            raise ActionError(f'{self._where}: {name} must be a list of texts, such as ["a", "b"], not {given!r}')
        return tuple(given)

    def done(self) -> None:
        """Raise `ActionError` for a field that nobody asked for."""
        self.only(sorted(self._known))

    def only(self, names: Sequence[str]) -> None:
        """Raise `ActionError` for a field that is none of `names`."""
        for name in self._given:
            if name not in names:
                raise ActionError(f"{self._where}: {name!r} means nothing here{like(name, names)}")


def _is_number(given: object) -> bool:
    """Whether it is one that a float can hold: a whole number in a file may have thousands of digits."""
    return isinstance(given, int | float) and not isinstance(given, bool) and abs(given) <= sys.float_info.max


def like(given: object, choices: Sequence[str]) -> str:
    """What was probably meant, to end an error with; the choices where nothing is near."""
    near = difflib.get_close_matches(str(given), choices, n=1)
    return f": perhaps {near[0]}?" if near else f": it may be {', '.join(choices)}"
