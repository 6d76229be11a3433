"""Kill the program while it writes, and count what is still whole.

scripts/kill.py [--times N] [--seed N] [--minutes M] [--only NAME …] [--json]

* steps: the saving of a clip and of a model is killed before each of its calls to the file system, one after another,
  and by the kernel when so many bytes are written.
* saves: two processes replace one model folder in turn; both are killed at a random moment.
* record, import, train: the verbs themselves, into one set and one model folder, killed at random moments of all they
  do after their imports, by the processor's time.
* interrupt: live, record, import, train and teach are sent Ctrl-C at such moments, and timed until they have ended.

After every kill each recording is loaded, each take that was told of is looked for, and the model is loaded: it must be
the one before or the one after. Kills are SIGKILL. Runs with other seeds kill at other moments: their counts add up.
Needs a system with fork and /proc.
"""

import argparse
import json
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from zygote import Zygote

from gestures import Clip, GesturesError, Hand, Observation, Span, load, load_clip, load_set, save_clip
from gestures.console import shipped
from gestures.files import write_together
from gestures.model import FILES, model_files

STARTER, DEMO = shipped("trained/starter"), shipped("data/demo/demo.mp4")
VERBS = ("record", "import", "train")
INTERRUPTED = 130
TEACH_S = 12.0
SOON_S = 1.0
"""Ctrl-C ends the program within this time."""
WRITTEN = (0, 1, 30, 1000, 4000, 700_000)
"""Bytes after which a write is broken off; the last is within the model's weights."""


def main() -> int:
    """Print what was killed and what was lost; 1 where anything was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=67, metavar="N", help="kills of each but `steps` (default: 67)")
    every = ("steps", "saves", *VERBS, "interrupt")
    parser.add_argument("--only", nargs="+", choices=every, default=every)
    parser.add_argument("--minutes", type=float, default=1e9, metavar="M", help="end each verb after M minutes at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    chance = random.Random(given.seed)  # noqa: S311 - moments, not secrets
    figures: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        for name in given.only:
            if name == "steps":
                figures["steps of a clip"] = at_every_step(place / "clip", old_clip, new_clip, clip_is_whole)
                figures["steps of a model"] = at_every_step(place / "model", old_model, new_model, model_is_whole)
            elif name == "saves":
                figures["saves"] = two_writers(place / "saves", given.times, chance)
            elif name == "interrupt":
                for verb in ("live", *VERBS, "teach"):
                    figures[f"Ctrl-C {verb}"] = interrupted(verb, place / verb, given.times, given.minutes * 60, chance)
            else:
                figures[name] = of_verb(name, place / name, given.times, given.minutes * 60, chance)
    if given.json:
        print(json.dumps(figures))
    else:
        for name, counts in figures.items():
            print(f"{name:16s}", "   ".join(f"{what} {count}" for what, count in counts.items()))
    return int(any(counts["lost"] for counts in figures.values()))


def child(work: Callable[[], object]) -> int:
    """Run `work` in a process of its own; its number."""
    number = os.fork()
    if number:
        return number
    try:
        work()
    finally:
        os._exit(0)


def at_every_step(
    folder: Path, old: Callable[[Path], object], new: Callable[[Path], object], whole: Callable[[Path], bool]
) -> dict[str, int]:
    """Kill `new` before its first, second, third … call that touches the file system, and in midst of its writes."""
    counts = {"kills": 0, "lost": 0}

    def killed(prepare: Callable[[], None]) -> bool:
        shutil.rmtree(folder, ignore_errors=True)
        old(folder)
        _, status = os.waitpid(child(lambda: (prepare(), new(folder))), 0)
        if os.WIFSIGNALED(status):
            counts["kills"] += 1
            survived = whole(folder)
            new(folder)  # whatever the kill has left behind must not be in the way
            counts["lost"] += not (survived and whole(folder))
        return os.WIFSIGNALED(status)

    step = 1
    while killed(lambda: die_before(step)):  # noqa: B023 - called before the next
        step += 1
    for size in WRITTEN:
        killed(lambda: die_after(size))  # noqa: B023 - called before the next
    return counts


def die_before(step: int) -> None:
    """From here on the process is killed before its `step`-th call that touches the file system."""
    count = 0

    def stop(event: str, _: object) -> None:
        nonlocal count
        count += event == "open" or event.startswith("os.")
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(stop)


def die_after(size: int) -> None:
    """From here on the kernel kills the process as soon as it has written `size` bytes to a file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


def take(person: str, seconds: float = 1.0) -> Clip:
    """A take of one hand that moves; who records is who can be told apart."""
    rng = np.random.default_rng(len(person))
    shape = rng.uniform(0.3, 0.7, (21, 3)).astype(np.float32)
    seen = [
        Observation(t, (Hand(shape + np.float32(t / 9), shape / 5, "right", 1.0),)) for t in np.arange(0, seconds, 0.03)
    ]
    return Clip.of(seen, person, (Span("wave", 0.1, seconds - 0.1),))


def old_clip(folder: Path) -> None:
    """A take is there."""
    save_clip(take("old"), folder / "wave" / "take_00.npz")


def new_clip(folder: Path) -> None:
    """Another takes its place."""
    save_clip(take("newer"), folder / "wave" / "take_00.npz")


def clip_is_whole(folder: Path) -> bool:
    """Whether one of the two is there, and nothing else is taken for one."""
    try:
        (clip,) = load_set(folder).clips
    except (GesturesError, ValueError) as error:
        print(error, file=sys.stderr)
        return False
    return any(
        np.array_equal(clip.image, take(name).image, equal_nan=True) and clip.person == name
        for name in ("old", "newer")
    )


def save_version(folder: Path, version: int) -> None:
    """Save the starter model under one of its names: its files end in so many more bytes, which LiteRT skips."""
    model = load(STARTER)
    contents = {name: (STARTER / name).read_bytes() + bytes(4 * version) for name in FILES}
    model.manifest = replace(model.manifest, made_from={"version": version})
    write_together(folder, model_files(model, contents, f"# {version}\n"), GesturesError)


def old_model(folder: Path) -> None:
    """A model is there, and something of the user's beside it."""
    save_version(folder, 1)
    (folder / "notes.txt").write_text("mine")


def new_model(folder: Path) -> None:
    """Another takes its place."""
    save_version(folder, 2)


def model_is_whole(folder: Path) -> bool:
    """Whether a model loads (its hashes hold it together), and nothing of the user's has gone."""
    try:
        version = load(folder).manifest.made_from["version"]
    except GesturesError as error:
        print(error, file=sys.stderr)
        return False
    return version in (1, 2) and ((folder / "notes.txt").exists() or "saves" in folder.name)


def two_writers(folder: Path, times: int, chance: random.Random) -> dict[str, int]:
    """Two writers replace a model in turn, as fast as they can, and are killed; meanwhile it is read."""
    save_version(folder, 1)
    kills = lost = reads = 0
    model = load(STARTER)
    raw = {name: (STARTER / name).read_bytes() for name in FILES}

    def write(version: int) -> None:
        contents = {name: content + bytes(4 * version) for name, content in raw.items()}
        model.manifest = replace(model.manifest, made_from={"version": version})
        files = model_files(model, contents, "# card\n")
        while True:
            write_together(folder, files, GesturesError)

    for _ in range(times):
        writers = [child(lambda version=version: write(version)) for version in (1, 2)]  # type: ignore[misc]
        until = time.monotonic() + chance.uniform(0.01, 0.15)
        while time.monotonic() < until:
            reads += 1
            lost += not model_is_whole(folder)
        for writer in writers:
            os.kill(writer, signal.SIGKILL)
            _, status = os.waitpid(writer, 0)
            kills += os.WIFSIGNALED(status)
            lost += not os.WIFSIGNALED(status)  # it gave up
        lost += not model_is_whole(folder)
    return {"kills": kills, "read meanwhile": reads, "lost": lost}


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
    """Send Ctrl-C at random moments; whoever has not ended within `SOON_S`, or says more than it should, is lost."""
    takes, model, log = place / "takes", place / "model", place / "log"
    words = prepare(verb, place)
    began = time.monotonic()
    counts: dict[str, float] = {"kills": 0, "ended before": 0, "lost": 0}
    waits = []
    with warm(verb) as zygote:
        usual_s = TEACH_S if verb == "teach" else usual(zygote, words, log)
        while counts["kills"] < times and time.monotonic() - began < limit_s:
            number = zygote.start(*words, log=log)
            struck = strike(number, chance.uniform(0, 1) * usual_s, signal.SIGINT)
            end = zygote.ended()
            counts["kills" if end.code == INTERRUPTED else "ended before"] += 1
            waits.append(end.time - struck)
            whole, _ = survivors(verb, takes, model, log) if verb in VERBS else ([], 0)
            quiet = "Traceback" not in log.read_text(errors="replace")
            good = end.code in (0, INTERRUPTED) and waits[-1] <= SOON_S and quiet and all(whole)
            if not good:
                print(f"{verb}: code {end.code}, {waits[-1]:.2f} s, {log.read_text()[-300:]}", file=sys.stderr)
            counts["lost"] += not good
    return counts | {"median s": round(sorted(waits)[len(waits) // 2], 3), "longest s": round(max(waits), 3)}


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


if __name__ == "__main__":
    sys.exit(main())
