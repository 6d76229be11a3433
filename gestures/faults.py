"""What goes wrong with a source of pictures: counted every time, told in one sentence, never twice a minute."""

import time
from collections import Counter, deque

AGAIN_S = 60.0
"""A fault that is told is not told again for so long; it is counted all the same."""


class Faults:
    """The faults of one source. `counts` says how often each kind came; `news` gives what is still to be told."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._told: dict[str, float] = {}
        self._news: deque[str] = deque()

    def note(self, kind: str, sentence: str) -> None:
        """Count one more of its `kind`."""
        now = time.monotonic()
        self.counts[kind] += 1
        if kind not in self._told or now - self._told[kind] >= AGAIN_S:
            self._told[kind] = now
            self._news.append(sentence)

    def news(self) -> list[str]:
        """The sentences not yet told, in order; each is given once."""
        return [self._news.popleft() for _ in range(len(self._news))]
