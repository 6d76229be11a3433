"""Replay recordings through the live engine and score what it says."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .clips import REST, Clip
from .decisions import Decisions
from .errors import GesturesError
from .files import write_whole
from .model import Model
from .recognizer import Follower
from .scoring import Stream, Tally, detections, score
from .types import DecisionRules, Event, Floats, Scores

SHARES = (0.25, 0.5, 0.75, 1.0)
"""The parts of a clip after which its label is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """One clip through tracks, features and network: everything but the decisions, which may be taken again."""

    clip: Clip
    steps: tuple[tuple[float, list[Scores], list[int]], ...]

    def events(self, labels: tuple[str, ...], rules: DecisionRules) -> list[Event]:
        """What the recognizer says of it by `rules`."""
        decisions = Decisions(labels, rules)
        told = [event for time, ticks, gone in self.steps for event in decisions.push(ticks, gone, time)]
        return told + (decisions.finish(self.steps[-1][0]) if self.steps else [])

    def stream(self, labels: tuple[str, ...], rules: DecisionRules) -> Stream:
        """What was meant in it and what is said of it by `rules`, ready to be counted."""
        return Stream(self.clip.spans, detections(self.events(labels, rules)), self.clip.duration_s)

    def judge(self, labels: tuple[str, ...], rules: DecisionRules) -> "Verdict":
        """What is said of it by `rules`, ready to be scored."""
        guesses = {f"{share:.0%}": self.label_at(labels, share) for share in SHARES}
        return Verdict(self.clip, tuple(self.events(labels, rules)), guesses)

    def label_at(self, labels: tuple[str, ...], share: float) -> str:
        """The likeliest gesture after `share` of the clip, of the hand that is least at rest; rest if none was seen."""
        until = self.clip.time[0] + share * self.clip.duration_s + 1e-6 if len(self.clip.time) else 0.0
        newest: dict[int, Floats] = {}
        for _, ticks, _ in self.steps:
            newest.update({scores.hand: scores.probabilities for scores in ticks if scores.time <= until})
        if not newest:
            return REST
        return labels[1 + int(min(newest.values(), key=lambda p: float(p[0]))[1:].argmax())]


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """One clip and what was said of it: its `events`, and its likeliest gesture after each share of it."""

    clip: Clip
    events: tuple[Event, ...]
    guesses: dict[str, str]


def replay(model: Model, clip: Clip) -> Replay:
    """Feed a clip to the live engine."""
    follower, steps = Follower(model), []
    for seen in clip.observations():
        steps.append((seen.time, *follower.push(seen)))
    return Replay(clip, tuple(steps))


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """How a model does on clips. `confusion` (labels, labels) counts clips: row meant, column said last."""

    labels: tuple[str, ...]
    tally: Tally
    isolated: dict[str, float]
    video_accuracy: float
    videos: int
    rest_silent: int
    rest_videos: int
    confusion: npt.NDArray[np.int64]
    people: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        """Every figure under its stable key."""
        return {
            **self.tally.json(),
            "isolated": self.isolated,
            "video_accuracy": self.video_accuracy,
            "videos": self.videos,
            "rest_silent": self.rest_silent,
            "rest_videos": self.rest_videos,
            "people": list(self.people),
            "labels": list(self.labels),
            "confusion": self.confusion.tolist(),
        }

    def text(self) -> str:
        """The report as people read it."""
        tally = self.tally.json()
        pooled = tally["pooled"]
        lines = [
            f"judged on {self.videos} clips of {len(self.people)} people or rounds: {', '.join(self.people[:12])}"
            + (" …" if len(self.people) > 12 else ""),
            f"  exactly the right event   {_percent(self.video_accuracy)} of clips"
            f"   (rest stayed silent: {self.rest_silent} of {self.rest_videos})",
            f"  detection rate            {_percent(pooled['DR'])}   false {_percent(pooled['FP'])} of gestures"
            f"   Jaccard {_percent(pooled['JI'])}",
            "  label right after         "
            + "   ".join(f"{share} of the clip: {_percent(value)}" for share, value in self.isolated.items()),
            f"  decided after             {_percent(tally['NTtD'])} of the gesture (true detections, mean)",
            f"  false accepts             {tally['false_accepts']} in {tally['hours'] * 60:.1f} min of rest",
            f"  {'gesture':20s} clips  right  said instead",
        ]
        for row, label in enumerate(self.labels):
            total = int(self.confusion[row].sum())
            if total:
                others = [
                    f"{self.labels[c]} {self.confusion[row, c]}"
                    for c in np.argsort(-self.confusion[row])
                    if c != row and self.confusion[row, c]
                ]
                lines.append(f"  {label:20s} {total:5d}  {self.confusion[row, row]:5d}  {', '.join(others)}")
        return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "   –  " if value is None else f"{100 * value:5.1f} %"


def report(verdicts: Sequence[Verdict], labels: tuple[str, ...]) -> Report:
    """Score what was said. In the confusion table a clip counts by its first event, rest where there is none."""
    streams, right, silent = [], 0, 0
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    for each in verdicts:
        said = [event.gesture for event in each.events if event.phase == "began"]
        meant = [span.gesture for span in each.clip.spans]
        right += said == meant
        silent += not meant and not said
        confusion[labels.index((meant or [REST])[0]), labels.index((said or [REST])[0])] += 1
        streams.append(Stream(each.clip.spans, detections(each.events), each.clip.duration_s))
    single = [each for each in verdicts if len(each.clip.spans) == 1]
    shares = single[0].guesses if single else ()
    isolated = {s: float(np.mean([v.guesses[s] == v.clip.spans[0].gesture for v in single])) for s in shares}
    rest = sum(not each.clip.spans for each in verdicts)
    people = tuple(sorted({each.clip.person for each in verdicts}))
    accuracy = right / len(verdicts) if verdicts else 0.0
    return Report(labels, score(streams), isolated, accuracy, len(verdicts), silent, rest, confusion, people)


def evaluate(
    model: Model, clips: Iterable[Clip], progress: Callable[[Clip], None] | None = None
) -> tuple[Report, list[Replay]]:
    """Replay `clips` and score them by the model's own rules; a clip of gestures it does not know is left out."""
    known = set(model.manifest.labels)
    replays = []
    for clip in clips:
        spans = tuple(span for span in clip.spans if span.gesture in known)
        if spans or not clip.spans:
            replays.append(replay(model, replace(clip, spans=spans)))
        if progress is not None:
            progress(clip)
    labels, rules = model.manifest.labels, model.manifest.rules
    return report([each.judge(labels, rules) for each in replays], labels), replays


def plot(result: Report, folder: Path) -> Path:
    """Draw the confusion table into `folder` as confusion.png; the path of the picture."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    size = 2.5 + 0.35 * len(result.labels)
    figure, axes = plt.subplots(figsize=(size, size), layout="constrained")
    share = result.confusion / np.maximum(result.confusion.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(result.confusion):
        if count:
            axes.text(column, row, str(count), ha="center", va="center", color="w" if share[row, column] > 0.5 else "k")
    axes.set_xticks(range(len(result.labels)), result.labels, rotation=90)
    axes.set_yticks(range(len(result.labels)), result.labels)
    axes.set_xlabel("first event said")
    axes.set_ylabel("meant")
    path = folder / "confusion.png"
    write_whole(path, lambda file: figure.savefig(file, dpi=120, format="png"), GesturesError)
    plt.close(figure)
    return path
