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
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from verbs import VERBS, interrupted, of_verb, take

from gestures import GesturesError, load, load_set, save_clip
from gestures.console import shipped
from gestures.files import write_together
from gestures.model import FILES, model_files

STARTER = shipped("trained/starter")
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
    figures: dict[str, dict[str, float]] = {}
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


if __name__ == "__main__":
    sys.exit(main())
