"""The verbs of `gestures`, stopped at random moments of their run: by SIGKILL, and by Ctrl-C."""

import os
import random
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from zygote import Zygote

from gestures import Clip, GesturesError, Hand, Observation, Span, load, load_clip, load_set, save_clip
from gestures.console import shipped

DEMO = shipped("data/demo/demo.mp4")
VERBS = ("record", "import", "train")
INTERRUPTED = 130, -signal.SIGINT
TEACH_S = 12.0
SOON_S = 1.0
"""Ctrl-C ends the program within this time: of the processor's, since a busy machine makes every other longer."""


def take(person: str, seconds: float = 1.0) -> Clip:
    """A take of one hand that moves; who records is who can be told apart."""
    rng = np.random.default_rng(len(person))
    shape = rng.uniform(0.3, 0.7, (21, 3)).astype(np.float32)
    seen = [
        Observation(t, (Hand(shape + np.float32(t / 9), shape / 5, "right", 1.0),)) for t in np.arange(0, seconds, 0.03)
    ]
    return Clip.of(seen, person, (Span("wave", 0.1, seconds - 0.1),))


def warm(verb: str) -> Zygote:
    """What starts a verb without its imports."""
    return Zygote("gestures.studio", *(("tensorflow", "keras") if verb in ("train", "teach") else ()))


def usual(zygote: Zygote, words: tuple[object, ...], log: Path) -> float:
    """S of the processor's time of a whole run of `words`, the first of all."""
    number = zygote.start(*words, log=log)
    worked_s = 0.0
    while (more := worked(number)) is not None:
        worked_s = more
        time.sleep(0.005)
    if zygote.ended().code != 0:
        raise SystemExit(log.read_text())
    return worked_s


def worked(number: int) -> float | None:
    """S of the processor's time that a process has had; None when it has ended."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def strike(number: int, after_s: float, blow: signal.Signals) -> float:
    """Send a process `blow` once it has worked for so long, or at its end; when that was (s, monotonic clock)."""
    while (done := worked(number)) is not None and done < after_s:
        time.sleep(0.002)
    now = time.monotonic()
    with suppress(ProcessLookupError):
        os.kill(number, blow)
    return now


def of_verb(verb: str, place: Path, times: int, limit_s: float, chance: random.Random) -> dict[str, int]:
    """Kill a verb at random moments of its run; the first run is let through, and says how long one takes."""
    takes, model, log = place / "takes", place / "model", place / "log"
    words = prepare(verb, place)
    began = time.monotonic()
    counts = {"kills": 0, "ended before": 0, "loaded": 0, "lost": 0}
    with warm(verb) as zygote:
        usual_s = usual(zygote, words, log)
        while counts["kills"] < times and time.monotonic() - began < limit_s:
            number = zygote.start(*words, log=log)
            strike(number, chance.uniform(0, 1) * usual_s, signal.SIGKILL)
            counts["kills" if zygote.ended().code == -signal.SIGKILL else "ended before"] += 1
            whole, there = survivors(verb, takes, model, log)
            counts["loaded"] += sum(whole)
            counts["lost"] += len(whole) - sum(whole)
            print(f"\r{verb}: {counts}", end="", file=sys.stderr, flush=True)
            if there > 200:  # enough to show it; do not load thousands each time
                shutil.rmtree(takes)
    return counts


def survivors(verb: str, takes: Path, model: Path, log: Path) -> tuple[list[bool], int]:
    """Of each take, of the set as a whole and of the model, whether it loads; how many takes there are."""
    told = re.findall(r"take \d+ of \d+: .* s, (\S+\.npz)", log.read_text(errors="replace"))
    there = {*map(Path, told), *takes.glob("*/[!.]*.npz")}
    if verb == "train":
        return [loads(model, load)], 0
    whole = [loads(path, load_clip) for path in there]
    return whole + ([loads(takes, load_set)] if takes.exists() else []), len(there)


def interrupted(verb: str, place: Path, times: int, limit_s: float, chance: random.Random) -> dict[str, float]:
    """Send Ctrl-C at random moments; who works on for longer than `SOON_S`, or says too much, is lost."""
    takes, model, log = place / "takes", place / "model", place / "log"
    words = prepare(verb, place)
    began = time.monotonic()
    counts: dict[str, float] = {"kills": 0, "ended before": 0, "lost": 0}
    waits, works = [], []
    with warm(verb) as zygote:
        usual_s = TEACH_S if verb == "teach" else usual(zygote, words, log)
        while counts["kills"] < times and time.monotonic() - began < limit_s:
            number = zygote.start(*words, log=log)
            moment_s = chance.uniform(0, 1) * usual_s
            struck = strike(number, moment_s, signal.SIGINT)
            end = zygote.ended()
            counts["kills" if end.code in INTERRUPTED else "ended before"] += 1
            waits.append(end.time - struck)
            works.append(max(0.0, end.worked_s - moment_s))
            whole, _ = survivors(verb, takes, model, log) if verb in VERBS else ([], 0)
            quiet = "Traceback" not in log.read_text(errors="replace")
            good = end.code in (0, *INTERRUPTED) and works[-1] <= SOON_S and quiet and all(whole)
            if not good:
                print(f"{verb}: code {end.code}, {works[-1]:.2f} s, {log.read_text()[-300:]}", file=sys.stderr)
            counts["lost"] += not good
            print(f"\r{verb}: {counts}, longest {max(works):.2f} s", end="", file=sys.stderr, flush=True)
    return counts | {
        "longest work s": round(max(works, default=0), 3),
        "longest wait s": round(max(waits, default=0), 3),
    }


def prepare(verb: str, place: Path) -> tuple[object, ...]:
    """What a verb needs, and the words that start it."""
    scene = place / "videos" / "wave"
    if verb in ("live", "record"):
        cut(DEMO, scene, 1, 24)
        if verb == "live":
            return ("live", "--source", scene / "ana_00.mp4", "--no-window", "--json")
        how = ("--source", scene / "ana_00.mp4", "--seconds", 0.2, "--takes", 99, "--no-window")
        return ("record", "wave", *how, "--into", place / "takes")
    if verb == "import":
        cut(DEMO, scene, 3, 6)
        return ("import", place / "videos", "--into", place / "takes")
    for n in range(6):
        wave = take(f"p{n}")
        save_clip(wave, place / "lesson" / "wave" / f"p{n}_00.npz")
        save_clip(replace(wave, spans=()), place / "lesson" / "rest" / f"p{n}_00.npz")
    if verb == "teach":
        where = ("--data", place / "lesson", "--into", place / "model", "--person", "p0", "--takes", 5)
        return ("teach", "wave", *where, "--source", DEMO, "--no-window")
    return ("train", place / "lesson", "--into", place / "model", "--steps", 2)


def loads(path: Path, how: Callable[[Path], object]) -> bool:
    """Whether it can be loaded."""
    try:
        how(path)
    except GesturesError as error:
        print(error, file=sys.stderr)
        return False
    return True


def cut(video: Path, into: Path, pieces: int, frames: int) -> None:
    """Cut so many pieces of so many frames out of the beginning of a video."""
    import cv2

    into.mkdir(parents=True)
    source = cv2.VideoCapture(str(video))
    source.set(cv2.CAP_PROP_POS_FRAMES, 30)
    size = int(source.get(cv2.CAP_PROP_FRAME_WIDTH)), int(source.get(cv2.CAP_PROP_FRAME_HEIGHT))
    for piece in range(pieces):
        path = into / f"ana_{piece:02d}.mp4"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), source.get(cv2.CAP_PROP_FPS), size)
        for _ in range(frames):
            writer.write(source.read()[1])
        writer.release()
    source.release()
