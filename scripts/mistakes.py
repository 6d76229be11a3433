"""What was mistaken for what, and whose: the analysis behind a benchmark's figures."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from gestures.errors import GesturesError
from gestures.evaluation import Verdict
from gestures.files import write_whole
from gestures.scoring import Rule, detections, match

NOTHING = "nothing"
Pair: TypeAlias = tuple[str, str]
"""What was said, what was meant; `NOTHING` where nothing was."""


def mistakes(verdicts: Sequence[Verdict], rule: Rule | None) -> dict[str, Any]:
    """The pairs that were mistaken, the commonest first, and how much of each person's was right and of each gesture's.

    Counted are annotations that no event fits by `rule`, and events that fit none; None: labels at the end of a clip.
    """
    wrong = Counter[Pair]()
    right: dict[str, Counter[str]] = {"people": Counter(), "gestures": Counter()}
    meant: dict[str, Counter[str]] = {"people": Counter(), "gestures": Counter()}
    for verdict in verdicts:
        for said, gesture in _labels(verdict) if rule is None else _events(verdict, rule):
            for key, whose in (("people", verdict.clip.person), ("gestures", gesture)):
                if gesture != NOTHING:
                    meant[key][whose] += 1
                    right[key][whose] += said == gesture
            wrong[said, gesture] += said != gesture
    pairs = [[*pair, count] for pair, count in wrong.most_common() if count]
    return {"pairs": pairs, **{key: {who: right[key][who] / n for who, n in meant[key].items()} for key in meant}}


def _labels(verdict: Verdict) -> Iterator[Pair]:
    for span in verdict.clip.spans:
        yield verdict.guesses["100%"], span.gesture


def _events(verdict: Verdict, rule: Rule) -> Iterator[Pair]:
    found = detections(verdict.events)
    matched = match(verdict.clip.spans, found, rule)
    free = [each for each in found if all(each is not pair[0] for pair in matched)]
    for span in verdict.clip.spans:
        if any(span is pair[1] for pair in matched):
            yield span.gesture, span.gesture
            continue
        over = [each for each in free if min(each.end, span.end) > max(each.start, span.start)]
        instead = max(over, key=lambda each: min(each.end, span.end) - max(each.start, span.start), default=None)
        free = [each for each in free if each is not instead]
        # An event of the right gesture that does not fit it came at the wrong time.
        yield (NOTHING if instead is None or instead.gesture == span.gesture else instead.gesture), span.gesture
    for each in free:
        yield each.gesture, NOTHING


def draw(found: dict[str, dict[str, Any]], title: str, path: Path) -> None:
    """For each part of a benchmark: how much of every gesture was right, the worst above, and of the people."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rows = [max(len(part[key]) for part in found.values()) for key in ("gestures", "people")]
    size, heights = (5 * len(found), 2.6 + 0.16 * sum(rows)), [3 + each for each in rows]
    figure, axes = plt.subplots(2, len(found), figsize=size, layout="constrained", squeeze=False, height_ratios=heights)
    for column, (name, part) in enumerate(found.items()):
        for row, key in enumerate(("gestures", "people")):
            shown = sorted(part[key].items(), key=lambda each: -each[1])
            axis = axes[row, column]
            axis.barh([who for who, _ in shown], [100 * share for _, share in shown], color="tab:blue", height=0.7)
            axis.set(xlim=(0, 100), title=f"{title}, {name}" if row == 0 else "", xlabel="right, %" if row else "")
            axis.tick_params(labelsize=7)
            for place, (who, share) in enumerate(shown):
                others = [f"{said} {n}" for said, meant, n in part["pairs"] if meant == who][:2]
                if key == "gestures" and others:
                    axis.text(100 * share + 1, place, ", ".join(others), va="center", fontsize=6)
    write_whole(path, lambda file: figure.savefig(file, dpi=110, format="png"), GesturesError)
    plt.close(figure)
