"""What is said of a set as a whole, in its `set.json`: labels in order, mirrored pairs, two-step commands, licence."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .errors import ClipError
from .files import MAX_NOTE, check_name, read_within, write_whole

FORMAT = 1


def load_set_note(folder: Path) -> dict[str, Any]:
    """What `set.json` says, and the defaults where there is none; raise `ClipError` when it cannot be read.

    `labels` are names, each once; `mirror` maps names to names, or is None; `sequences` maps names to pairs of names.
    """
    path = folder / "set.json"
    note: dict[str, Any] = {"format": FORMAT, "labels": [], "mirror": None, "licence": None, "consent": None}
    note["sequences"] = {}
    try:
        note |= dict(json.loads(read_within(path, MAX_NOTE)))
        if note["format"] != FORMAT:
            raise ClipError(f"{path} is set format {note['format']}, this version reads {FORMAT}: update gestures")
        if not all(isinstance(each, list) for each in (note["labels"], *note["sequences"].values())):
            raise TypeError("labels, and each command of sequences, must be lists")
        note["labels"] = list(dict.fromkeys(check_name(label) for label in note["labels"]))
        mirror = note["mirror"]
        note["mirror"] = None if mirror is None else {check_name(a): check_name(b) for a, b in mirror.items()}
        pairs = {check_name(name): (check_name(a), check_name(b)) for name, (a, b) in note["sequences"].items()}
        note["sequences"] = pairs
    except FileNotFoundError:
        return note
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ClipError(f"{path} cannot be read ({error}): mend or delete it") from error
    return note


def save_set_note(
    folder: Path,
    labels: Sequence[str],
    mirror: dict[str, str] | None = None,
    sequences: dict[str, tuple[str, str]] | None = None,
) -> None:
    """Write `set.json`: the order of the labels, pairs that mirror each other, sequences, licence and consent.

    What stands there already stays: labels are added to, and nothing that somebody has said is taken back.
    """
    before = load_set_note(folder)
    added = list(dict.fromkeys([*before["labels"], *labels]))
    note = {**before, "labels": added, "mirror": before["mirror"] if mirror is None else mirror}
    note["sequences"] = {**before["sequences"], **(sequences or {})}
    if note != before or not (folder / "set.json").exists():
        replace_set_note(folder, note)


def replace_set_note(folder: Path, note: dict[str, Any]) -> None:
    """Write `set.json` anew; raise `ClipError` where that is not allowed."""
    text = json.dumps(note, indent=2).encode() + b"\n"
    write_whole(folder / "set.json", lambda file: file.write(text), ClipError)
