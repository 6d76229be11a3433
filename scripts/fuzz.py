"""Feed the loaders what nobody would write, and see that only a `GesturesError` comes out.

uv run --with atheris scripts/fuzz.py [--only NAME …] [--runs N] [--keep DIR]

clip, set note, manifest, model and video are read from files whose bytes are mutations of whole ones; of the clip also
its parts, packed anew with right check sums. Where atheris is installed it is led by the coverage of our code and of
what reads for us (zipfile, json, numpy's headers); elsewhere mutations are random, and it says so. What was found is
kept under DIR as NAME-HASH (tests/corpus is replayed by the tests). Each loader runs in a process of its own, under a
limit of memory and time: a crash, a hang and a flood are findings as well.
"""

import argparse
import hashlib
import io
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

FORMATS = Path(__file__).parents[1] / "tests" / "formats"
LOADERS = ("clip", "note", "manifest", "model", "video")
MEMORY = 3 << 30
SLOWEST_S = 20
LONGEST = 1 << 16
"""Bytes of an input; libFuzzer grows them slowly."""


def main() -> int:
    """Fuzz each loader in turn; 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=LOADERS, default=LOADERS)
    parser.add_argument("--runs", type=float, default=1e6, metavar="N", help="inputs for each (default: a million)")
    parser.add_argument("--keep", type=Path, default=Path("found"), metavar="DIR", help="where findings go")
    parser.add_argument(
        "--minutes", type=float, default=1e9, metavar="M", help="end each after M minutes at the latest"
    )
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    if given.inside:
        return fuzz(given.only[0], int(given.runs), given.minutes * 60, given.keep)
    worst = 0
    for name in given.only:
        command = [sys.executable, __file__, "--inside", "--only", name, "--runs", str(given.runs)]
        command += ["--minutes", str(given.minutes)]
        done = subprocess.run([*command, "--keep", str(given.keep)], check=False, capture_output=True, text=True)
        told = [line for line in done.stdout.splitlines() if line.startswith(name)]
        print(told[-1] if told else f"{name}: died ({done.returncode}): {done.stderr[-300:]}", flush=True)
        worst |= done.returncode != 0 or not told
    return worst


def fuzz(name: str, runs: int, limit_s: float, keep: Path) -> int:
    """Feed one loader; how often, and what came of it, on the last line."""
    try:
        import atheris
    except ImportError:
        atheris = None
    else:
        with atheris.instrument_imports(
            include=["gestures", "zipfile", "json", "numpy.lib"], enable_loader_override=False
        ):
            import gestures
            import gestures.clips
            import gestures.model  # noqa: F401
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - quicker than a disk, and spares it
    with tempfile.TemporaryDirectory(dir=memory) as scratch:
        load = loader(name, Path(scratch))
        taste = Taste(name, load, keep)
        whole = seeds(name)
        if atheris is None:
            chance = random.Random(0)  # noqa: S311 - mutations, not secrets
            while taste.count < runs and taste.took_s < limit_s:
                taste(mutated(chance.choice(whole), chance))
            taste.tell("random mutations, atheris is not installed")
            return int(bool(taste.found))
        corpus = Path(scratch) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(whole):
            (corpus / str(number)).write_bytes(seed)

        def one(data: bytes) -> None:
            taste(data)
            if taste.count == runs or taste.took_s > limit_s:
                taste.tell("led by coverage")
                os._exit(int(bool(taste.found)))

        words = [
            sys.argv[0],
            f"-runs={runs + 10}",
            f"-max_len={LONGEST}",
            "-len_control=0",
            f"-rss_limit_mb={MEMORY >> 20}",
        ]
        atheris.Setup([*words, "-verbosity=0", str(corpus)], one)
        atheris.Fuzz()
    return 0


class Taste:
    """One loader, tried on many inputs; keeps the first of each kind of what comes out wrong."""

    def __init__(self, name: str, load: Callable[[bytes], object], keep: Path) -> None:
        self.name, self._load, self._keep = name, load, keep
        self.count = self.loaded = 0
        self.found: dict[str, bytes] = {}
        self._began = time.monotonic()
        signal.signal(signal.SIGALRM, _too_slow)

    @property
    def took_s(self) -> float:
        """Since the first."""
        return time.monotonic() - self._began

    def __call__(self, data: bytes) -> None:
        """Try `data`; a crash of the process leaves it behind as NAME-last."""
        from gestures import GesturesError

        self.count += 1
        if self.name in ("model", "video"):  # native code: it may not come back
            (self._keep / f"{self.name}-last").write_bytes(data)
        signal.alarm(SLOWEST_S)
        try:
            self._load(data)
            self.loaded += 1
        except GesturesError:
            pass
        except BaseException as wrong:  # noqa: BLE001 - whatever it is, it is what is looked for
            trace, kind = wrong.__traceback__, type(wrong).__name__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            place = f"{kind} at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else kind
            if place not in self.found:
                self.found[place] = data
                (self._keep / f"{self.name}-{hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)
        finally:
            signal.alarm(0)

    def tell(self, how: str) -> None:
        """Say what came of it."""
        (self._keep / f"{self.name}-last").unlink(missing_ok=True)
        wrong = "; ".join(self.found) or "nothing but GesturesError"
        print(
            f"{self.name}: {self.count:,} inputs ({how}), {self.loaded:,} loaded, {self.took_s:.0f} s: {wrong}",
            flush=True,
        )


def _too_slow(*_: object) -> None:
    raise TimeoutError


def loader(name: str, folder: Path) -> Callable[[bytes], object]:
    """What writes an input to where the loader of that name looks, and loads it."""
    from gestures import Video, load_clip
    from gestures.clips import load_set_note
    from gestures.model import load, load_manifest

    def clip(data: bytes) -> object:
        path = folder / "swipe" / "ana_00.npz"
        path.write_bytes(packed(data))
        return load_clip(path)

    def note(data: bytes) -> object:
        (folder / "set.json").write_bytes(data)
        return load_set_note(folder)

    def manifest(data: bytes) -> object:
        (folder / "manifest.json").write_bytes(data)
        return load_manifest(folder)

    raw = json.loads((FORMATS / "model-1" / "manifest.json").read_text())

    def model(data: bytes) -> object:
        raw["sha256"] = {name: hashlib.sha256(data).hexdigest() for name in ("model.keras", "step.tflite")}
        (folder / "manifest.json").write_text(json.dumps(raw))
        for file in ("model.keras", "step.tflite"):
            (folder / file).write_bytes(data)
        return load(folder)

    def video(data: bytes) -> object:
        (folder / "a.mp4").write_bytes(data)
        with Video(folder / "a.mp4") as opened:
            return [frame.time for _, frame in zip(range(50), opened, strict=False)]

    (folder / "swipe").mkdir()
    return {"clip": clip, "note": note, "manifest": manifest, "model": model, "video": video}[name]


PARTS = ("note", "time", "image", "world")


def packed(data: bytes) -> bytes:
    """An archive: the bytes themselves, or, where they begin with 1, 2, 3 or 4, a whole one with that part replaced."""
    if not data or data[0] not in (1, 2, 3, 4):
        return data
    part = PARTS[data[0] - 1]
    content = dict(whole_clip())
    content[part] = array(data[1:].decode("utf-8", "replace")) if part == "note" and data[1:2] == b"{" else data[1:]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in PARTS:
            archive.writestr(f"{name}.npy", content[name])
    return file.getvalue()


def whole_clip() -> dict[str, bytes]:
    """The members of a small whole clip."""
    if not _WHOLE:
        with np.load(FORMATS / "set-1" / "swipe" / "ana_00.npz") as file:
            for name in PARTS:
                value = file[name] if name == "note" else file[name][:15]
                _WHOLE[name] = array(value)
    return _WHOLE


_WHOLE: dict[str, bytes] = {}


def array(value: object) -> bytes:
    """As numpy writes it."""
    file = io.BytesIO()
    np.save(file, np.asarray(value))
    return file.getvalue()


def seeds(name: str) -> list[bytes]:
    """Whole inputs to begin with."""
    folder = FORMATS / "model-1"
    if name == "clip":
        members = whole_clip()
        note = str(np.load(io.BytesIO(members["note"])))
        parts = [bytes([number + 1]) + members[part] for number, part in enumerate(PARTS)]
        return [(FORMATS / "set-1" / "swipe" / "ana_00.npz").read_bytes(), b"\1" + note.encode(), *parts]
    if name == "video":
        return [small_video()]
    files = {
        "note": [FORMATS / "set-1" / "set.json"],
        "manifest": [folder / "manifest.json"],
        "model": [folder / "step.tflite"],
    }
    more = [b'{"labels": ["a", "b"], "mirror": {"a": "b"}, "format": 1}'] if name == "note" else []
    return [path.read_bytes() for path in files[name]] + more


def small_video() -> bytes:
    """Ten pictures of noise."""
    import cv2

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.mp4"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30.0, (64, 48))
        rng = np.random.default_rng(0)
        for _ in range(10):
            writer.write(rng.integers(0, 255, (48, 64, 3), np.uint8))
        writer.release()
        return path.read_bytes()


TOKENS = [b"null", b"[]", b"{}", b"-1", b"1e999", b"NaN", b"true", b'""', b'"\\u001b[2J"', b"9" * 40, b"[" * 2000]
TOKENS += [b"\xff" * 4, b"\0" * 8, b"\x7f\xff\xff\xff", b"PK\5\6", b"PK\1\2", b"<f8", b"|O", b"<U9", b"(1000000000,)"]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """`data` with a few bytes changed, cut, doubled, or replaced by words that mean something."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at = chance.randrange(len(out) + 1)
        end = min(len(out), at + chance.choice((1, 2, 4, 16, 200)))
        kind = chance.randrange(5)
        if kind == 0:
            out[at:end] = bytes(chance.randrange(256) for _ in range(end - at))
        elif kind == 1:
            del out[at:end]
        elif kind == 2:
            out[at:at] = out[at:end]
        elif kind == 3:
            out[at:end] = chance.choice(TOKENS)
        elif at < len(out):
            out[at] ^= 1 << chance.randrange(8)
    return bytes(out)


if __name__ == "__main__":
    sys.exit(main())
