"""Sets joined, renamed, thinned out and dealt: every step planned first, none of which can lose a take."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .clips import MAX_BYTES, REST, Span, folds, load_clip, save_clip, take_paths
from .errors import ClipError
from .files import check_name, read_within, write_whole
from .recording import free_place, put_away
from .setnote import load_set_note, replace_set_note, save_set_note


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done with one take: `verb` copy, move, put away or relabel; `to` the folder it goes into."""

    verb: str
    path: Path
    to: Path | None = None

    def __str__(self) -> str:
        return f"{self.verb} {self.path}" + ("" if self.to is None else f" -> {self.to}")


def merge(sets: Sequence[Path], into: Path, dry: bool) -> list[Step]:
    """Copy every take of `sets` into `into`, but for those whose very bytes are there already."""
    sources = [path for data in sets for path in take_paths(data)]
    there = {_digest(path) for path in into.glob("*/*.npz")}
    steps = []
    for path in sources:
        digest = _digest(path)
        if digest not in there:
            there.add(digest)
            steps.append(Step("copy", path, into / path.parent.name))
    if not dry:
        _carry_out(steps)
        for data in sets:
            note = load_set_note(data)
            save_set_note(
                into, note["labels"], _agreed(load_set_note(into)["mirror"], note["mirror"]), note["sequences"]
            )
    return steps


def _agreed(one: dict[str, str] | None, other: dict[str, str] | None) -> dict[str, str] | None:
    """What both say of mirrors; None as long as one has said nothing at all."""
    return one if other is None else other if one is None else {**other, **one}


def rename(data: Path, old: str, new: str, dry: bool) -> list[Step]:
    """Call a gesture otherwise; where `new` is there already, the two become one.

    Raise `ClipError` when no take shows `old`, or either is rest, whose takes say of no moment what it shows.
    """
    check_name(new)
    if REST in (old, new) or old == new:
        raise ClipError(f"{old} cannot become {new}: name two gestures, neither of them {REST}")
    everything = take_paths(data)
    moves = [Step("move", path, data / new) for path in everything if path.parent.name == old]
    named = [
        Step("relabel", path)
        for path in everything
        if path.parent.name != old and any(span.gesture == old for span in load_clip(path).spans)
    ]
    if not moves + named:
        raise ClipError(f"no take of {data} shows {old}: gestures check {data} lists what is there")
    if not dry:
        for step in named:
            clip = load_clip(step.path)
            spans = tuple(Span(new, s.start, s.end) if s.gesture == old else s for s in clip.spans)
            save_clip(replace(clip, spans=spans), step.path)
        _carry_out(moves)
        note = load_set_note(data)
        called = {old: new}
        note["labels"] = list(dict.fromkeys(called.get(label, label) for label in note["labels"]))
        if note["mirror"] is not None:
            note["mirror"] = {called.get(a, a): called.get(b, b) for a, b in note["mirror"].items()}
        note["sequences"] = {n: (called.get(a, a), called.get(b, b)) for n, (a, b) in note["sequences"].items()}
        replace_set_note(data, note)
        _drop_empty(data / old)
    return named + moves


def remove(data: Path, names: Sequence[str], dry: bool) -> list[Step]:
    """Take gestures (GESTURE) or takes (GESTURE/PERSON_NN) out of a set, into its `.removed/`, whence they may return.

    Raise `ClipError` when one of them is not there, before any is touched.
    """
    everything, steps = take_paths(data), []
    for name in names:
        whole = name.removesuffix(".npz")
        found = [p for p in everything if whole in (p.parent.name, f"{p.parent.name}/{p.stem}")]
        if not found:
            raise ClipError(f"{data} holds no {name}: name a gesture, or a take as GESTURE/PERSON_NN")
        steps += [Step("put away", path) for path in found]
    steps = list(dict.fromkeys(steps))
    if not dry:
        for step in steps:
            put_away(step.path)
        for folder in {step.path.parent for step in steps}:
            _drop_empty(folder)
    return steps


def split(data: Path, into: tuple[Path, Path], people: Sequence[str], share: float, dry: bool) -> list[Step]:
    """Copy a set into two: the takes of `people` into the second, of all others into the first.

    Without `people` a `share` of them is drawn. Raise `ClipError` when one of the two would be empty, or is not now.
    """
    owner = {path: load_clip(path).person for path in take_paths(data)}
    everybody = sorted(set(owner.values()))
    strange = sorted(set(people) - set(everybody))
    if strange:
        raise ClipError(f"nobody in {data} is called {strange[0]}: there are {', '.join(everybody[:12])}")
    if len(everybody) < 2 or set(people) == set(everybody):
        raise ClipError(f"{data} cannot be split by person: it would leave nobody in {into[0]}")
    second = set(people) or set(folds(everybody, max(2, round(1 / share)))[0])
    steps = [Step("copy", path, into[owner[path] in second] / path.parent.name) for path in owner]
    if into[0].resolve() == into[1].resolve():
        raise ClipError(f"{into[1]} is named for both parts: name two folders")
    for folder in into:
        if any(not path.name.startswith(".") for path in folder.glob("*/*.npz")):
            raise ClipError(f"{folder} holds takes already: name a folder that is empty or not there")
    if not dry:
        _carry_out(steps)
        for folder in into:
            replace_set_note(folder, load_set_note(data))
    return steps


def _carry_out(steps: Sequence[Step]) -> None:
    """Copy or move each take under a free number of its person, its own where that is free."""
    for step in steps:
        assert step.to is not None
        person = step.path.stem.rpartition("_")[0] or step.path.stem
        with free_place(step.to, person, step.path.name) as target:
            content = _content(step.path)
            write_whole(target, lambda file, content=content: file.write(content), ClipError)  # type: ignore[misc]
        if step.verb == "move":
            step.path.unlink()


def _content(path: Path) -> bytes:
    """The bytes of a take's file; raise `ClipError` where they cannot be read."""
    try:
        return read_within(path, MAX_BYTES)
    except OSError as error:
        why = error.strerror or error
        raise ClipError(f"{path} cannot be read ({why}): delete it or record it again") from error


def _digest(path: Path) -> bytes:
    return hashlib.sha256(_content(path)).digest()


def _drop_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
