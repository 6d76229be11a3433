"""Observations -> takes on disk: one after another, counted down, judged, asked about, taken back."""

import itertools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from .clips import REST, Clip, Recorded, save_clip
from .coaching import missing
from .cutting import Cutter, fault
from .errors import ClipError
from .files import check_name
from .setnote import save_set_note
from .types import Observation

REST_TAKE_S = 30.0
"""Rest is kept in takes of this length, so that little is lost when the program is killed."""
LONGEST_BAR = 20
"""More takes than these are counted, not drawn."""
ADVISED_EVERY = 4
"""After so many takes it is told what they lack."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is to be recorded.

    `takes` of one `gesture` by one `person` into the set `into`; None takes as many as there are. `length_s` None:
    takes are cut by movement; rest always has a length. `countdown_s` passes before each. `ask`: each is kept only
    when the person says so. `recorded` goes into every take's note.
    """

    gesture: str
    person: str
    into: Path
    takes: int | None = 10
    length_s: float | None = None
    countdown_s: float = 0.0
    ask: bool = False
    recorded: Recorded = field(default_factory=Recorded)


class Recorder:
    """Records takes of one gesture into a set: `push` what the camera sees until `done`, and every `key` typed.

    Every take is on disk, whole, before the next begins. `plan` says what is wanted; `say` is told of each step in
    one sentence, and why a take that cannot teach was not kept.
    """

    def __init__(self, plan: Assignment, say: Callable[[str], None]) -> None:
        """Raise `InputError` for a gesture or a person no file could be named after."""
        check_name(plan.gesture)
        check_name(plan.person)
        length_s = REST_TAKE_S if plan.length_s is None and plan.gesture == REST else plan.length_s
        self._plan, self._say = replace(plan, length_s=length_s), say
        self.kept: list[Path] = []
        self.refused = 0
        self.chosen = -1
        """Which of `kept` is taken back next; counted from the end, -1 the last."""
        self._takes: list[Clip] = []
        self._asked: Clip | None = None
        self._now: float | None = None
        self._aspect: float | None = None
        self._begin()

    @property
    def gesture(self) -> str:
        """Of which takes are made."""
        return self._plan.gesture

    @property
    def length_s(self) -> float | None:
        """How long a take is, s; None: as long as the movement."""
        return self._plan.length_s

    @property
    def done(self) -> bool:
        """Whether all takes are there and nothing is being asked."""
        return self._plan.takes is not None and len(self.kept) >= self._plan.takes

    @property
    def state(self) -> str:
        """How far it is and what is awaited of the person, for the screen."""
        count, of = len(self.kept), self._plan.takes
        bar = f" [{'#' * count}{'.' * (of - count)}]" if of is not None and of <= LONGEST_BAR else ""
        earlier = f"  (u takes back take {count + 1 + self.chosen})" if self.chosen < -1 else ""
        return f"{self._plan.gesture} {count}{'' if of is None else f'/{of}'}{bar}: {self._awaited()}{earlier}"

    def _awaited(self) -> str:
        if self._asked is not None:
            return f"{self._asked.duration_s:.1f} s: Enter keeps it, a again, d discards"
        left_s = self._left_s()
        return self._cutter.state if left_s is None else f"{math.ceil(left_s)} ..."

    def _left_s(self) -> float | None:
        """What is left of the countdown; None when it is over, or there is none."""
        if self._go is None or self._now is None or self._now >= self._go:
            return None
        return self._go - self._now

    def _begin(self) -> None:
        """Await the next take."""
        self._cutter = Cutter(self._plan.gesture, self._plan.person, self._plan.length_s)
        self._go: float | None = None
        self._asked = None

    def push(self, seen: Observation) -> None:
        """Take in what the camera sees; raise `ClipError` where a take cannot be written.

        When the picture changes its shape the take in hand is given up: a take has one shape.
        """
        aspects = {hand.aspect for hand in seen.hands}
        if aspects and aspects != {self._aspect}:
            if self._aspect is not None and self._asked is None:
                self._begin()
            self._aspect = aspects.pop()
        before = None if self._now is None else self._left_s()
        self._now = seen.time
        if self.done or self._asked is not None:
            return
        if self._plan.countdown_s > 0:
            if self._go is None:
                self._go = seen.time + self._plan.countdown_s
            left = self._left_s()
            if before is not None and math.ceil(left or 0) != math.ceil(before):
                self._say(f"{math.ceil(left)}" if left is not None else "go")
            # Until it is over hands are watched, so that the take may begin at once, but none is cut.
            if left is not None and (self._plan.length_s is not None or self._cutter.begun):
                self._cutter = Cutter(self._plan.gesture, self._plan.person, self._plan.length_s)
                return
        self._weigh(self._cutter.push(seen))

    def finish(self) -> None:
        """Keep what the end of the stream leaves; a take that is still asked about is not kept."""
        if self._asked is not None:
            self._discard("nobody said that it is kept")
        elif not self.done:
            self._weigh(self._cutter.finish())
            self._keep()

    def key(self, key: str) -> None:
        """Enter, space or k keep the take in question; a and d do not; u takes back the chosen one, [ and ] choose.

        a: again, at once, and where no take is in question the last one is taken back. d: not that one.
        """
        if key in ("\r", "\n", " ", "k"):
            self._keep()
        elif key in ("a", "d") and self._asked is not None:
            self._discard("once more" if key == "a" else "discarded")
        elif key in ("a", "d", "u"):
            self.undo()
        elif key in ("[", "]"):
            step = -1 if key == "[" else 1
            self.chosen = min(-1, max(self.chosen + step, -max(len(self.kept), 1)))

    def undo(self) -> None:
        """Take back the take in question, else the chosen one, or the last if none was; nothing where there is none."""
        if self._asked is not None:
            self._discard("taken back")
        elif self.kept:
            self._takes.pop(self.chosen)
            path = self.kept.pop(self.chosen)
            self._say(f"taken back: {path}, now {put_away(path)}")
            self.chosen = -1
            self._begin()

    def _weigh(self, take: Clip | None) -> None:
        if take is None:
            return
        self._go = None
        wrong = fault(take)
        if wrong is not None:
            self.refused += 1
            self._say(f"not kept: {wrong}")
            return
        self._asked = replace(take, recorded=self._plan.recorded)
        if self._plan.ask:
            self._say(f"{take.duration_s:.1f} s of {self._plan.gesture}: Enter keeps it, a again, d discards")
        else:
            self._keep()

    def _keep(self) -> None:
        if self._asked is None:
            return
        take = self._asked
        self.kept.append(keep(take, self._plan.gesture, self._plan.into))
        self._takes.append(take)
        self.chosen = -1
        self._begin()
        of = "" if self._plan.takes is None else f" of {self._plan.takes}"
        lack = missing(self._takes) if len(self._takes) % ADVISED_EVERY == 0 else []
        advice = f"; still missing: {'; '.join(lack)}" if lack and not self.done else ""
        self._say(f"take {len(self.kept)}{of}: {take.duration_s:.1f} s, {self.kept[-1]}{advice}")

    def _discard(self, why: str) -> None:
        self._say(f"not kept: {why}")
        self.refused += 1
        self._begin()


def put_away(path: Path) -> Path:
    """Take a take out of its set without losing it: to `.removed/GESTURE/` beside it, where no set looks; its place.

    Raise `ClipError` where nothing may be written.
    """
    folder = path.parents[1] / ".removed" / path.parent.name
    with free_place(folder, path.stem, path.name) as target:
        try:
            path.replace(target)
        except OSError as error:
            raise ClipError(f"{path} cannot be moved ({error.strerror}): is its folder yours to write to?") from error
    return target


@contextmanager
def free_place(folder: Path, person: str, wanted: str = "") -> Iterator[Path]:
    """A free number of a person's takes in a gesture's folder, nobody else's until the `with` is over.

    The file called `wanted` where that is free, else the next number.

    No take is ever overwritten, not even by a second recorder at work in the same set: a number is reserved by a file
    that only one can create. Raise `ClipError` where nothing may be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path, reserved = _reserve(folder, person, wanted)
    except OSError as error:
        raise ClipError(f"{folder} cannot be written ({error.strerror}): choose a folder you may write to") from error
    try:
        yield path
    finally:
        reserved.unlink(missing_ok=True)


def _reserve(folder: Path, person: str, wanted: str) -> tuple[Path, Path]:
    numbered = (f"{person}_{number:02d}.npz" for number in itertools.count())
    for name in itertools.chain([wanted] if wanted else [], numbered):
        path = folder / name
        reserved = path.with_suffix(".reserved")
        if path.exists():
            continue
        try:
            reserved.open("x").close()
        except FileExistsError:
            continue
        # Between the look and the reservation another recorder may have saved and let go.
        if not path.exists():
            return path, reserved
        reserved.unlink()
    raise AssertionError("numbers never end")


def keep(take: Clip, gesture: str, into: Path) -> Path:
    """Save a recorded take under the next free number of its person, and name the gesture in the set's note.

    Raise `ClipError` where nothing may be written.
    """
    with free_place(into / gesture, take.person) as path:
        save_clip(take, path)
    save_set_note(into, [gesture] if gesture != REST else [])
    return path
