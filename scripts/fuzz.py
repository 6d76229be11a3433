"""Feed the loaders what nobody would write, and see that only a `GesturesError` comes out.

uv run --with atheris scripts/fuzz.py [--only NAME …] [--runs N] [--seed N] [--keep DIR]

clip, set note, manifest, actions file, model's step and video are read from files whose bytes are mutations of whole
ones; of the clip also its parts, packed anew with right check sums, and of JSON and TOML whole files with single values
replaced. Runs with other seeds try other inputs: their counts add up. Where atheris is installed it is led by the
coverage of our code and of what reads for us (zipfile, json, tomllib, numpy's headers); elsewhere mutations are random,
and it says so. What was found is kept under DIR as NAME-HASH (tests/corpus is replayed by the tests). Each loader runs
in a process of its own, under a limit of memory and time: a crash, a hang and a flood are findings as well.
"""

import argparse
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from loaders import LOADERS, TOKENS, loader, mutated, seeds

MEMORY = 3 << 30
SLOWEST_S = 20.0
"""Of the processor's time; whoever waits for ever is found by libFuzzer."""
MOST_DEATHS = 20
LONGEST = 1 << 16
"""Bytes of an input; libFuzzer grows them slowly."""


def main() -> int:
    """Fuzz each loader in turn; 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=LOADERS, default=LOADERS)
    parser.add_argument("--runs", type=float, default=1e6, metavar="N", help="inputs for each (default: a million)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another gives other inputs (default: 1)")
    parser.add_argument("--keep", type=Path, default=Path("found"), metavar="DIR", help="where findings go")
    parser.add_argument(
        "--minutes", type=float, default=1e9, metavar="M", help="end each after M minutes at the latest"
    )
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    if given.inside is not None:
        return fuzz(given.only[0], int(given.runs), given.minutes * 60, given.keep, given.inside, given.seed)
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - quicker than a disk, and spares it
    worst = 0
    for name in given.only:
        with tempfile.TemporaryDirectory(dir=memory) as scratch:
            worst |= survive(given, name, Path(scratch))
    return worst


def survive(given: argparse.Namespace, name: str, scratch: Path) -> int:
    """Fuzz one loader; where an input kills the process it is kept, and another process goes on."""
    count = deaths = worst = 0
    until = time.monotonic() + given.minutes * 60
    while count < given.runs and deaths < MOST_DEATHS and time.monotonic() < until:
        command = [
            sys.executable,
            __file__,
            "--only",
            name,
            "--runs",
            str(given.runs - count),
            "--inside",
            str(scratch),
        ]
        command += ["--minutes", str((until - time.monotonic()) / 60), "--seed", str(given.seed + 1000 * deaths)]
        done = subprocess.run([*command, "--keep", str(given.keep)], check=False, capture_output=True, text=True)
        told = [line for line in done.stdout.splitlines() if line.startswith(f"{name}: ")]
        if told:
            print(told[-1] + (f"; with those before, {count:,} more" if deaths else ""), flush=True)
            return worst | int(done.returncode != 0)
        counted = [line for line in done.stdout.splitlines() if line.isdecimal()]
        count, deaths, worst = count + int(counted[-1] if counted else 0), deaths + 1, 1
        last = scratch / "last"
        kept = given.keep / f"{name}-{_hash(last.read_bytes())}" if last.exists() else "nothing"
        if last.exists():
            shutil.move(last, kept)
        print(f"{name}: died ({done.returncode}) after {count:,} inputs, of {kept}: {done.stderr[-300:]}", flush=True)
    return worst


def fuzz(name: str, runs: int, limit_s: float, keep: Path, scratch: Path, seed: int) -> int:
    """Feed one loader; how often, and what came of it, on the last line."""
    try:
        import atheris
    except ImportError:
        atheris = None
    else:
        with atheris.instrument_imports(
            include=["gestures", "zipfile", "json", "tomllib", "numpy.lib"], enable_loader_override=False
        ):
            import gestures.actions
            import gestures.clips
            import gestures.model  # noqa: F401
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        taste = Taste(name, loader(name, Path(folder)), keep, scratch / "last")
        whole = seeds(name)
        if atheris is None:
            chance = random.Random(seed)  # noqa: S311 - mutations, not secrets
            while taste.count < runs and taste.took_s < limit_s:
                taste(mutated(chance.choice(whole), chance))
            taste.tell("random mutations, atheris is not installed")
            return int(bool(taste.found))
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, content in enumerate(whole):
            (corpus / str(number)).write_bytes(content)
        words = Path(folder) / "words"
        words.write_text("".join(f'"{_escaped(token)}"\n' for token in TOKENS))

        def one(data: bytes) -> None:
            taste(data)
            if taste.count == runs or taste.took_s > limit_s:
                taste.tell("led by coverage")
                os._exit(int(bool(taste.found)))

        flags = [f"-runs={runs + 10}", f"-max_len={LONGEST}", "-len_control=0", f"-rss_limit_mb={MEMORY >> 20}"]
        flags += [f"-seed={seed}", f"-dict={words}", f"-artifact_prefix={folder}/", "-verbosity=0"]
        atheris.Setup([sys.argv[0], *flags, str(corpus)], one)
        atheris.Fuzz()
    return 0


class Taste:
    """One loader, tried on many inputs; keeps the first of each kind of what comes out wrong."""

    def __init__(self, name: str, load: Callable[[bytes], object], keep: Path, last: Path | None = None) -> None:
        """A crash of the process leaves the input behind as `last`."""
        self.name, self._load, self._keep, self._last = name, load, keep, last
        self.count = self.loaded = 0
        self.found: dict[str, bytes] = {}
        self._began = time.monotonic()
        signal.signal(signal.SIGPROF, _too_slow)

    @property
    def took_s(self) -> float:
        """Since the first."""
        return time.monotonic() - self._began

    def __call__(self, data: bytes) -> None:
        """Try `data`."""
        from gestures import GesturesError

        self.count += 1
        if self._last is not None and self.name in ("model", "video"):  # native code: it may not come back
            self._last.write_bytes(data)
            if self.count % 100 == 0:
                print(self.count, flush=True)
        signal.setitimer(signal.ITIMER_PROF, SLOWEST_S)
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
                (self._keep / f"{self.name}-{_hash(data)}").write_bytes(data)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def tell(self, how: str) -> None:
        """Say what came of it."""
        wrong = "; ".join(self.found) or "nothing but GesturesError"
        print(
            f"{self.name}: {self.count:,} inputs ({how}), {self.loaded:,} loaded, {self.took_s:.0f} s: {wrong}",
            flush=True,
        )


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def _escaped(data: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in data)


def _too_slow(*_: object) -> None:
    raise TimeoutError


if __name__ == "__main__":
    sys.exit(main())
