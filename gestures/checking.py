"""A set of takes at a glance: what is in it, and which takes look wrong."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .clips import REST, Clip, ClipSet
from .cutting import LOOK_BACK_S, MOVING, fault
from .errors import GesturesError
from .files import write_whole
from .likeness import ALIKE, distances, gesture_of, likest

COMPARED = 400
"""At most so many takes, dealt evenly, are compared with each other: the work grows with their square."""
MISLABELLED = 1.25
"""A take so much farther from its own gesture's nearest take than from another's is likely the other's."""
UNLIKE = 3.0
"""A take so many times farther from its gesture's nearest take than is usual there is unlike it."""
COLUMNS = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """A take that looks wrong: its file, `what` is wrong in one word, and `why`."""

    path: Path
    what: str
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """What a set holds. `alike` are gestures hard to tell apart, each with how much, 0 to 1."""

    takes: ClipSet
    findings: tuple[Finding, ...]
    alike: tuple[tuple[str, str, float], ...]

    def json(self) -> dict[str, Any]:
        """Every figure under its stable key."""
        clips = self.takes.clips
        rates = [clip.rate_hz for clip in clips if clip.rate_hz]
        sides = [clip.side for clip in clips]
        seen = sum(int(clip.present.any(1).sum()) for clip in clips)
        return {
            "takes": len(clips),
            "people": {person: sum(clip.person == person for clip in clips) for person in self.takes.people},
            "gestures": {
                label: sum(gesture_of(clip) == label for clip in clips) for label in (*self.takes.labels, REST)
            },
            "hours": sum(clip.duration_s for clip in clips) / 3600,
            "rate_hz": [float(np.quantile(rates, share)) for share in (0, 0.5, 1)] if rates else None,
            "hand_share": seen / max(sum(len(clip.time) for clip in clips), 1),
            "sides": {side: sides.count(side) for side in ("left", "right", "both", "none")},
            "findings": [{"path": str(each.path), "what": each.what, "why": each.why} for each in self.findings],
            "alike": [list(each) for each in self.alike],
        }

    def text(self) -> str:
        """The same as people read it."""
        figures = self.json()
        rate = figures["rate_hz"]
        lines = [
            f"{figures['takes']} takes, {figures['hours'] * 60:.1f} min, a hand in {figures['hand_share']:.0%} of the"
            " pictures; hands: " + ", ".join(f"{side} {count}" for side, count in figures["sides"].items() if count),
            "pictures a second: " + (" to ".join(f"{each:.0f}" for each in rate[::2]) if rate else "none"),
            "people: " + ", ".join(f"{name} {count}" for name, count in list(figures["people"].items())[:20]),
            "gestures: " + ", ".join(f"{name} {count}" for name, count in figures["gestures"].items()),
        ]
        if not figures["gestures"][REST]:
            lines.append("no rest: record some, or the model will name whatever hands do")
        lines += [f"{a} is {share:.2f} like {b}: record it wider" for a, b, share in self.alike]
        lines += [f"{each.path}: {each.what}: {each.why}" for each in self.findings]
        return "\n".join([*lines, f"{len(self.findings)} takes look wrong" if self.findings else "no take looks wrong"])


def inspect(takes: ClipSet) -> Inspection:
    """Look through a loaded set, whose `paths` name its files."""
    count = len(takes.clips)
    chosen = np.unique(np.linspace(0, count - 1, min(count, COMPARED)).astype(int)).tolist()
    single = [i for i in chosen if len(takes.clips[i].spans) < 2]
    table = distances([takes.clips[i] for i in single])
    names = [gesture_of(takes.clips[i]) for i in single]
    findings = [*_duplicates(takes), *_faults(takes), *_strangers(table, names, [takes.paths[i] for i in single])]
    return Inspection(takes, tuple(sorted(findings, key=lambda each: str(each.path))), _alike(table, names))


def _duplicates(takes: ClipSet) -> list[Finding]:
    first: dict[bytes, Path] = {}
    found = []
    for clip, path in zip(takes.clips, takes.paths, strict=True):
        key = hashlib.sha256(np.ascontiguousarray(clip.image).tobytes()).digest()
        if key in first:
            found.append(Finding(path, "duplicated", f"the same movement as {first[key]}"))
        first.setdefault(key, path)
    return found


def _faults(takes: ClipSet) -> list[Finding]:
    found = []
    for clip, path in zip(takes.clips, takes.paths, strict=True):
        wrong = fault(clip) if len(clip.spans) == 1 else None
        if wrong is not None:
            found.append(Finding(path, "weak", wrong))
        cut = _cut_off(clip) if len(clip.spans) == 1 else ""
        if cut:
            found.append(Finding(path, "cut off", f"the hand moves at its {cut} picture"))
    return found


def _cut_off(clip: Clip) -> str:
    """At which end of the clip, where the gesture reaches it, the hand is on its way: first, last or neither."""
    slot = int(clip.present.sum(0).argmax())
    there = clip.present[:, slot]
    time, joints = clip.time[there], clip.image[there, slot][:, :, :2] * np.array([1, 1 / clip.aspect])
    if len(time) < 3:
        return ""
    palm = max(float(np.median(np.linalg.norm(joints[:, 9] - joints[:, 0], axis=1))), 0.02)
    frame_s = 1.5 / max(clip.rate_hz, 1)
    for word, edge, within in (
        ("first", 0, clip.spans[0].start - time[0] < frame_s),
        ("last", -1, time[-1] - clip.spans[0].end < frame_s),
    ):
        near = np.abs(time - time[edge]) <= LOOK_BACK_S + 1e-6
        ends = joints[near][[0, -1]]
        passed = float(time[near][-1] - time[near][0])
        speed = np.linalg.norm(ends[1] - ends[0], axis=1).mean() / palm / max(passed, 1e-6)
        if within and speed >= 2 * MOVING:
            return word
    return ""


def _strangers(table: npt.NDArray[np.float64], names: Sequence[str], paths: Sequence[Path]) -> list[Finding]:
    """Takes nearer to another gesture than to their own, or far from everything of their own."""
    found, label = [], np.array(names)
    own_nearest = np.array([table[i, label == label[i]].min() for i in range(len(names))])
    for i, name in enumerate(names):
        if name == REST or not np.isfinite(table[i]).any():
            continue
        others = np.where((label != name) & (label != REST), table[i], np.inf)
        rival = int(others.argmin())
        nearest = label[np.argsort(table[i])[:3]]
        own = own_nearest[label == name]
        apart = own[np.isfinite(own) & (own > 0)]  # of takes that are there twice it says nothing
        usual = float(np.median(apart)) if len(apart) else np.inf
        if own_nearest[i] > MISLABELLED * others[rival] and (nearest == label[rival]).sum() > 1:
            found.append(Finding(paths[i], "mislabelled", f"more like {label[rival]} than like {name}"))
        elif len(own) > 4 and own_nearest[i] > UNLIKE * usual:
            found.append(
                Finding(paths[i], "unlike", f"{own_nearest[i] / usual:.1f} times farther from {name} than usual")
            )
    return found


def _alike(table: npt.NDArray[np.float64], names: Sequence[str]) -> tuple[tuple[str, str, float], ...]:
    label = np.array(names)
    gestures = sorted(set(names) - {REST})
    found = []
    for name in gestures:
        likeness = likest(table, label, name)
        if likeness is not None and likeness[1] >= ALIKE:
            found.append((name, *likeness))
    return tuple(found)


def sheet(seen: Inspection, path: Path) -> None:
    """Draw every gesture's takes as trajectories into a picture: index tip and wrist, dark where they end.

    What looks wrong comes first, in red. Raise `GesturesError` where it may not be written.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    takes, wrong = seen.takes, {each.path: each.what for each in seen.findings}
    rows = {
        label: sorted(
            (i for i, clip in enumerate(takes.clips) if gesture_of(clip) == label),
            key=lambda i: takes.paths[i] not in wrong,
        )[:COLUMNS]
        for label in (*takes.labels, REST)
    }
    rows = {label: chosen for label, chosen in rows.items() if chosen}
    figure, axes = plt.subplots(len(rows), COLUMNS, figsize=(COLUMNS * 1.1, len(rows) * 1.2), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for row, (label, chosen) in zip(axes, rows.items(), strict=True):
        row[0].text(-0.1, 0.5, label, rotation=90, ha="right", va="center", transform=row[0].transAxes, fontsize=7)
        for ax, i in zip(row, chosen, strict=False):
            clip, what = takes.clips[i], wrong.get(takes.paths[i], "")
            for slot, colour in ((0, "Oranges"), (1, "Greens")):
                shown = clip.image[clip.present[:, slot], slot]
                for joint, size in ((8, 3.0), (0, 0.5)):
                    if len(shown):
                        shade = np.linspace(0.3, 1.0, len(shown))
                        ax.scatter(shown[:, joint, 0], shown[:, joint, 1], c=shade, cmap=colour, s=size, vmin=0, vmax=1)
            ax.set(xlim=(1, 0), ylim=(1, 0), aspect=1 / clip.aspect)
            ax.set_title(f"{takes.paths[i].stem} {what}".strip()[:22], fontsize=5, color="red" if what else "black")
            ax.add_patch(mpl.patches.Rectangle((0, 0), 1, 1, fill=False, lw=0.5, ec="red" if what else "0.8"))
    write_whole(path, lambda file: figure.savefig(file, dpi=150, format="png"), GesturesError)
    plt.close(figure)
