"""A process that has imported everything heavy, and forks the verbs of `gestures` from there: a trial costs no imports.

`python scripts/zygote.py MODULE …` imports those and MediaPipe. It reads a JSON list a line, the words of a verb and
last the file that what it tells goes to, and answers with the number of the child; when that has ended, with how,
when, and after how much work. The child ends as any Python program does, with its threads and exit handlers.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple


class End(NamedTuple):
    """How a child ended: its exit code, below zero the signal that killed it.

    `time` s on the monotonic clock; `worked_s` of the processor's time, all in all.
    """

    code: int
    time: float
    worked_s: float


class Zygote:
    """`with Zygote("keras") as zygote:`; `start` a verb, kill its process, and ask how it `ended`."""

    def __init__(self, *modules: str) -> None:
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
        environment = os.environ | dict.fromkeys(names, "1") | {"DISPLAY": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
        pipe = subprocess.PIPE
        command = [sys.executable, __file__, *modules]
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)

    def __enter__(self) -> "Zygote":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def start(self, *words: object, log: Path) -> int:
        """The process of `gestures WORDS`."""
        assert self._process.stdin is not None
        print(json.dumps([*map(str, words), str(log)]), file=self._process.stdin, flush=True)
        return int(self._answer())

    def ended(self) -> End:
        """Wait for the end of what was started last."""
        code, moment, worked_s = self._answer().split()
        return End(int(code), float(moment), float(worked_s))

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def main() -> int:
    """Fork and wait, for each line of stdin."""
    from gestures.cli import program
    from gestures.landmarks import load_mediapipe

    load_mediapipe()
    for name in sys.argv[1:]:
        importlib.import_module(name)

    assert threading.active_count() == 1
    for line in sys.stdin:
        *words, log = json.loads(line)
        number = os.fork()
        if number == 0:
            # A shell's background jobs do not hear Ctrl-C, and what they start does not either.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(told, 1)
            os.dup2(told, 2)
            program(words)
        print(number, flush=True)
        _, status, used = os.wait4(number, 0)
        print(os.waitstatus_to_exitcode(status), time.monotonic(), used.ru_utime + used.ru_stime, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
