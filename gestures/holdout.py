"""Whether takes can teach, and which are kept back to judge on."""

from collections import Counter
from dataclasses import replace

import numpy as np

from .clips import REST, ClipSet
from .errors import TrainingError
from .likeness import gesture_of

MOST_HELD_OUT = 40
"""People beyond these judge no better, and learn more."""


def check(takes: ClipSet) -> None:
    """Raise `TrainingError` when `takes` cannot teach a model."""
    if not takes.labels:
        raise TrainingError("the recordings hold no gesture, only rest: film at least one gesture and import it")
    if not any(clip.present.any() for clip in takes.clips):
        raise TrainingError("no recording shows a hand: film your hands in view of the camera, and import again")
    rest = any(not clip.spans for clip in takes.clips)
    if len(takes.labels) == 1 and not rest:
        raise TrainingError(
            f"the recordings hold one gesture only ({takes.labels[0]}) and no rest to tell it from:"
            " film another gesture, or a folder `rest` of hands that mean nothing, and import it"
        )
    for name, pair in takes.sequences.items():
        if unknown := [gesture for gesture in pair if gesture not in takes.labels]:
            raise TrainingError(f"{name} needs {unknown[0]}, of which there is no take: record it, or mend set.json")
        if name == REST or not rest:
            raise TrainingError(f"{name} needs hands that idle between {' and '.join(pair)}: record some rest")
    for label in takes.labels:
        count = sum(any(span.gesture == label for span in clip.spans) for clip in takes.clips)
        if count < 2:
            raise TrainingError(
                f"{label} has {count} take: film it three times or more, better ten times, and import again"
            )


def hold_out(takes: ClipSet, share: float = 0.2, seed: int = 0) -> tuple[ClipSet, ClipSet, str]:
    """(learn from, judge on, how it was split): by person where people can be spared, else by take.

    Nobody is held out without whom a gesture could not be learnt, and no idlers alone.
    """
    rng = np.random.default_rng(seed)
    people = takes.people
    count = min(max(1, round(share * len(people))), MOST_HELD_OUT)
    held: set[str] = set()
    busy = {clip.person for clip in takes.clips if clip.spans}
    for person in rng.permutation(list(people)).tolist():
        others = held | {person}
        left = [clip for clip in takes.clips if clip.person not in others]
        if len(held) < count and others & busy and _can_teach(replace(takes, clips=tuple(left), paths=())):
            held.add(person)
    if held:
        names = ", ".join(sorted(held)) if len(held) <= 12 else f"{len(held)}"
        once = max(Counter(clip.person for clip in takes.clips).values()) == 1
        doubt = "; each did one take only: if they are one person, expect live use to be worse" if once else ""
        how = f"people held out: {names} of {len(people)}{doubt}"
        return takes.only(lambda c: c.person not in held), takes.only(lambda c: c.person in held), how
    spared: set[int] = set()
    for label in (REST, *takes.labels):
        own = [i for i, clip in enumerate(takes.clips) if gesture_of(clip) == label]
        spared |= set(rng.permutation(own)[: max(round(share * len(own)), len(own) > 2)].tolist())
    order = {id(clip): i for i, clip in enumerate(takes.clips)}
    how = f"takes held out: {len(spared)} of {len(takes.clips)}, by people learnt from: expect others to do worse"
    return takes.only(lambda c: order[id(c)] not in spared), takes.only(lambda c: order[id(c)] in spared), how


def _can_teach(takes: ClipSet) -> bool:
    try:
        check(takes)
    except TrainingError:
        return False
    return True
