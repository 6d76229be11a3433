"""A benchmark's figures as the README shows them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from gestures.errors import GesturesError
from gestures.files import write_whole

Figures: TypeAlias = dict[str, Any]
Row: TypeAlias = tuple[str, str, dict[str, str]]
"""What is counted, as recorded, and by each disturbance: all as they are shown."""

WORST = 6
"""So many of the commonest mistakes, and of the people served worst, are named."""


def percent(share: float | None) -> str:
    """A share as it is shown; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.1f} %"


def shares(isolated: dict[str, float]) -> str:
    """The label after each part of a clip, in one cell."""
    return " / ".join(f"{100 * share:.1f}" for share in isolated.values()) + " %"


def disturbed(figures: Figures, key: str, of: float = 1.0) -> dict[str, str]:
    """One figure by each disturbance; a count is a share `of` so many."""
    return {name: percent(None if (value := each[key]) is None else value / of) for name, each in figures.items()}


def egogestar(figures: Figures) -> Iterator[Row]:
    """Whole videos through the live engine."""
    found, end = figures["videos_hand_found"], figures["isolated"]["100%"]
    each = figures["disturbed"]
    yield (
        f"exactly the one right event, of {found}",
        percent(figures["video_accuracy_hand_found"]),
        disturbed(each, "right", found),
    )
    yield "the right label at the end", percent(end), disturbed(each, "label at the end")
    yield "the right label after 25 / 50 / 75 / 100 % of the film", shares(figures["isolated"]), {}
    yield f"exactly right, of all {figures['videos']}, hands found or not", percent(figures["video_accuracy"]), {}
    yield "`unclassified` stays silent", f"{figures['unclassified_silent']} of {figures['unclassified']}", {}
    yield "decided after, of the gesture", percent(figures["NTtD"]), {}


def sfinge3d(figures: Figures) -> Iterator[Row]:
    """Single gestures, and streams with and without other streams learnt from."""
    if "single" in figures:
        end, each = figures["isolated"]["100%"], figures["single"]["disturbed"]
        yield (
            f"single gestures, {figures['clips']}: the right label at the end",
            percent(end),
            disturbed(each, "label at the end"),
        )
        yield "the same after 25 / 50 / 75 / 100 %", shares(figures["isolated"]), {}
    for name, title in (("online", "streams"), ("dictionary_only", "streams, of which none was learnt from")):
        if name in figures:
            told = figures[name]
            count = told["pooled"]["annotated"]
            yield (
                f"{title}, {count} gestures: Jaccard, class mean",
                percent(told["JI"]),
                disturbed(told["disturbed"], "JI"),
            )
            for key, what in (("DR", "found"), ("FP", "false")):
                yield f"– {what}, class mean (pooled)", f"{percent(told[key])} ({percent(told['pooled'][key])})", {}
            yield "– Levenshtein accuracy", percent(told["levenshtein"]), {}
            yield "– decided after, of the gesture", percent(told["NTtD"]), {}


def mp_data(figures: Figures) -> Iterator[Row]:
    """Single words by people left out."""
    yield from _single(f"the right label at the end, of {figures['clips']}", figures["isolated"], figures["disturbed"])


def fpha(figures: Figures) -> Iterator[Row]:
    """Single actions, by trial and by person; or those of the test folder."""
    of, each = f"the right label at the end, of {figures['clips']}", figures["disturbed"]
    if "isolated" in figures:
        yield from _single(of, figures["isolated"], each)
    else:
        yield from _single(f"by trial: {of}", figures["isolated_by_trial"], each)
        yield from _single(f"by person: {of}", figures["isolated_by_person"], {})


def _single(what: str, isolated: dict[str, float], each: Figures) -> Iterator[Row]:
    yield what, percent(isolated["100%"]), disturbed(each, "label at the end")
    yield "– after 25 / 50 / 75 / 100 %", shares(isolated), {}


ROWS = {"egogestar": egogestar, "sfinge3d": sfinge3d, "mp_data": mp_data, "fpha": fpha}


def markdown(figures: Figures, command: str) -> str:
    """The table of one data set, with the `command` that made it, and what was mistaken."""
    rows = list(ROWS[figures["set"]](figures))
    names = list(dict.fromkeys(name for *_, each in rows for name in each))
    lines = [
        f"`{command}`, {figures['split']}, seed {figures['seed']}:",
        "",
        _line("", "as recorded", *names),
        _line(*["---"] * (2 + len(names))),
        *(_line(what, value, *(each.get(name, "") for name in names)) for what, value, each in rows),
    ]
    told = [f"{what}: {', '.join(said)}." for what, said in _mistakes(figures) if said]
    return "\n".join([*lines, *(f"\n{each}" for each in told)])


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _mistakes(figures: Figures) -> Iterator[tuple[str, list[str]]]:
    for part, found in figures["mistakes"].items():
        people = sorted(found["people"].items(), key=lambda each: each[1])
        told = [f"{name} {percent(share)}" for name, share in people[:WORST]]
        if people[WORST:]:
            least = people[WORST][1]
            told.append(f"{len(people) - WORST} others {percent(least)}{' or more' * (least < 1)}")
        yield f"Right, {part}", told
        yield f"Mistaken most often, {part}", [f"{a} for {b} {n}" for a, b, n in found["pairs"][:WORST]]


def around(path: Path, name: str) -> tuple[str, str]:
    """What stands before and after a table's place: the marks `<!-- name -->` and `<!-- /name -->`, a line each.

    Raise `GesturesError` where the document cannot be read, or has no such place.
    """
    first, last = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    try:
        document = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GesturesError(f"{path} cannot be read ({error}): name the document that has the tables") from error
    before, mark, rest = document.partition(first)
    _, end, after = rest.partition(last)
    if not mark or not end:
        raise GesturesError(f"{path} has no place for {name}: write {first.strip()} and {last} into it, a line each")
    return before + first, last + after


def write(path: Path, name: str, text: str) -> None:
    """Put `text` into its place, in midst of what is around it; raise `GesturesError` where it has none."""
    before, after = around(path, name)
    write_whole(path, lambda file: file.write(f"{before}{text}\n{after}".encode()), GesturesError)
