"""An explanation drawn: scores and decisions, gates, reach of the memory, and the landmarks that counted."""

from pathlib import Path
from typing import Any

import numpy as np

from .errors import GesturesError
from .explanation import LAGS, Explanation, Line, Moment
from .features import NAMES
from .files import write_whole
from .gates import Passage
from .posture import BONES
from .types import JOINTS, Floats

PAGE_S = 20.0
"""As much time as one picture holds and the eye still tells apart."""
HANDS = 6
"""Hands drawn at the foot of a picture, of the events first."""
DRAWN, LOWEST = 8, 0.1
"""Gestures of which the scores are drawn: so many that came highest, if they came so high."""


GATES = {"input": "input gate: written", "forget": "forget gate: kept", "output": "output gate: told"}


def draw(explained: Explanation, folder: Path, title: str) -> list[Path]:
    """Draw into `folder` one picture a hand for each 20 s of it; the paths of the pictures.

    Hands of which there is nothing to tell are left out, unless there is nothing to tell at all.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    paths = []
    told = {moment.hand for moment in explained.moments}
    for line in (line for line in explained.lines if not told or line.hand in told):
        for page in range(int((line.times[-1] - line.times[0]) // PAGE_S) + 1):
            start = float(line.times[0]) + page * PAGE_S
            rows = np.flatnonzero((line.times >= start) & (line.times < start + PAGE_S))
            if len(rows) < 2:
                continue
            figure = plt.figure(figsize=(11, 8.5), layout="constrained")
            figure.suptitle(f"{title}: {line.side} hand, {line.times[rows[0]]:.1f} to {line.times[rows[-1]]:.1f} s")
            _page(figure, explained, line, rows)
            path = folder / f"hand_{line.hand}_{line.side}_{page}.png"
            write_whole(path, lambda file, figure=figure: figure.savefig(file, dpi=110, format="png"), GesturesError)  # type: ignore[misc]
            plt.close(figure)
            paths.append(path)
    return paths


def _page(figure: Any, explained: Explanation, line: Line, rows: Any) -> None:  # noqa: ANN401 - matplotlib has no types
    grid = figure.add_gridspec(4, HANDS, height_ratios=(3, 1.6, 1.6, 2))
    times = line.times[rows]
    scores = figure.add_subplot(grid[0, :])
    scores.set_xlim(times[0], times[-1])
    shown = [m for m in explained.moments if m.hand == line.hand and times[0] <= m.time <= times[-1]]
    _scores(scores, explained, line, rows, shown)
    if line.inside is None or line.lost is None:
        return
    gates, reach = (figure.add_subplot(grid[row, :], sharex=scores) for row in (1, 2))
    for axes in (scores, gates):
        axes.tick_params(labelbottom=False)
    _gates(gates, line.inside, times, rows)
    _reach(reach, line.lost[:, rows], times)
    most = sorted(sorted(shown, key=lambda moment: not moment.fired)[:HANDS], key=lambda moment: moment.time)
    for column, moment in enumerate(most):
        _hand(figure.add_subplot(grid[3, column]), line.vectors[line.at(moment.time)], moment)


def _scores(axes: Any, explained: Explanation, line: Line, rows: Any, shown: list[Moment]) -> None:  # noqa: ANN401
    p, times, rules = line.said[rows], line.times[rows], explained.rules
    highest = [int(label) for label in np.argsort(-p[:, 1:].max(0))[:DRAWN] + 1 if p[:, label].max() > LOWEST]
    axes.plot(times, p[:, 0], color="0.75", lw=1, label=explained.labels[0])
    colours = {label: f"C{k}" for k, label in enumerate(highest)}
    for label in highest:
        axes.plot(times, p[:, label], color=colours[label], lw=1.4, label=explained.labels[label])
    axes.axhline(rules.on, color="k", ls="--", lw=0.8)
    for label in highest:
        if (own := rules.on_for(explained.labels[label])) != rules.on:
            axes.axhline(own, color=colours[label], ls="--", lw=0.8)
    axes.axhline(rules.off, color="k", ls=":", lw=0.8)
    axes.annotate(" on", (times[0], rules.on), va="bottom", fontsize=8)
    axes.annotate(" off", (times[0], rules.off), va="bottom", fontsize=8)
    began: dict[str, float] = {}
    for event in explained.events:
        if event.hand != line.hand and event.side != "both":
            continue
        if event.phase == "began":
            began[event.gesture] = event.time
        elif event.gesture in began:
            colour = colours.get(explained.labels.index(event.gesture), "0.5")
            axes.axvspan(began.pop(event.gesture), event.time, color=colour, alpha=0.18, lw=0)
    for span in explained.spans:
        axes.plot([span.start, span.end], [1.04, 1.04], color="k", lw=3, solid_capstyle="butt", clip_on=True)
    for k, moment in enumerate(shown):
        colour, at = "k" if moment.fired else "0.45", (moment.time, 1.1 + 0.09 * (k % 3))
        axes.plot(*at, marker="v" if moment.fired else "o", ms=5, mec=colour, mfc=colour if moment.fired else "w", lw=0)
        late = moment.time > times[0] + 0.85 * (times[-1] - times[0])
        axes.annotate(
            moment.gesture.replace("_", " "),
            at,
            (-5 if late else 5, 0),
            textcoords="offset points",
            fontsize=8,
            color=colour,
            ha="right" if late else "left",
            va="center",
        )
    axes.set_ylim(-0.02, 1.38)
    axes.set_yticks((0, 0.25, 0.5, 0.75, 1))
    axes.set_ylabel("score")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False, title="▼ began  ○ nearly")


def _gates(axes: Any, inside: Passage, times: Floats, rows: Any) -> None:  # noqa: ANN401
    for name, colour in zip(GATES, ("C0", "C3", "C2"), strict=True):
        gate: Floats = getattr(inside, name)[rows]
        axes.plot(times, gate.mean(1), color=colour, lw=1.4, label=GATES[name])
    axes.set_ylim(0, 1)
    axes.set_ylabel("how far open\n(mean of units)")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)


def _reach(axes: Any, lost: Floats, times: Floats) -> None:  # noqa: ANN401
    step = float(np.median(np.diff(times)))
    picture = axes.pcolormesh(times, np.arange(len(LAGS)), lost, cmap="magma_r", vmin=0, vmax=1, shading="nearest")
    axes.set_yticks(range(len(LAGS)), [f"{lag * step:.2f}" for lag in LAGS], fontsize=7)
    axes.set_ylabel("memory of\nonly … s")
    axes.set_xlabel("s")
    scale = axes.figure.colorbar(picture, cax=axes.inset_axes((1.015, 0, 0.015, 1)))
    scale.set_label("answer lost", fontsize=8)


def _hand(axes: Any, vector: Floats, moment: Moment) -> None:  # noqa: ANN401
    joints = np.zeros((JOINTS, 2), np.float32)
    for joint in range(1, JOINTS):
        joints[joint] = [vector[NAMES.index(f"joint_{joint}_{axis}")] for axis in "xy"]
    for a, b in BONES:
        axes.plot(*joints[[a, b]].T, color="0.8", lw=2, zorder=1)
    size = 12 + 900 * moment.joints
    axes.scatter(*joints.T, s=size, c=moment.joints, cmap="magma_r", vmin=0, edgecolors="0.4", lw=0.5, zorder=2)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.25)
    axes.invert_yaxis()
    axes.axis("off")
    name, share = moment.parts[0]
    mark = "▼" if moment.fired else "○"
    axes.set_title(f"{mark} {moment.gesture.replace('_', ' ')}, {moment.time:.2f} s\n{name} {share:.0%}", fontsize=8)
