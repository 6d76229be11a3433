"""The actions file: read, checked, and told in words. Nothing here acts."""

import os
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gestures.errors import ActionError

from . import calls, keys, mqtt, music, web
from .fields import Table, like
from .needs import library
from .orders import MODES, SIDES, Action, Mode
from .secrets import Secret
from .values import VALUES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Read = TypeVar("Read")
MOST_BYTES = 1 << 20
MODEL = ("manifest.json", "step.tflite")
"""What every model's folder holds."""
FIELDS: dict[str, tuple[str, Callable[[object, Mode], tuple[Any, str]]]] = {
    "command": ("command", calls.read_command),
    "keys": ("keys", keys.read_keys),
    "mouse": ("keys", keys.read_mouse),
    "midi": ("midi", music.read_midi),
    "mqtt": ("mqtt", mqtt.read_entity),
    "osc": ("osc", music.read_osc),
    "python": ("python", calls.read_python),
    "webhook": ("webhook", calls.read_webhook),
}
"""What an action may do: the field of the file -> the target, and how the field is read: (what, the same in words)."""


SETTINGS: dict[str, tuple[Mode, ...]] = {
    **dict.fromkeys(("gesture", "mode", "name", "hand", "confidence", "cooldown_s"), MODES),
    "every_s": ("analogue", "repeat"),
    **dict.fromkeys(("value", "range", "ease_s"), ("analogue",)),
}
"""The other fields of an action, and the modes that each goes with."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole actions file.

    `arm` None: actions always act; else only for `arm_s` (s) after that gesture, or after the last that acted.
    `pause` is the gesture that stops everything, and starts it again. `folder` is where the file lies.
    """

    actions: tuple[Action, ...] = ()
    folder: Path = Path()
    arm: str | None = None
    arm_s: float = 10.0
    pause: str | None = None
    through: str = "pynput"
    broker: mqtt.Broker = mqtt.NEAR
    osc: tuple[str, int] = ("127.0.0.1", 9000)
    midi: music.Port = music.VIRTUAL
    authorization: Secret | None = None
    site: web.Site | None = None

    def of(self, target: str) -> list[Action]:
        """The actions of one target."""
        return [action for action in self.actions if action.target == target]

    def fit(self, labels: Sequence[str], model: str) -> None:
        """Raise `ActionError` when a gesture is none of the `labels`, rest first, of the model called `model`."""
        for gesture in (*(action.gesture for action in self.actions), self.arm, self.pause):
            if gesture is not None and gesture not in labels[1:]:
                raise ActionError(
                    f"the model {model} knows no gesture {gesture!r}{like(gesture, labels[1:])}, "
                    "or name another with --model"
                )

    def missing(self) -> list[str]:
        """What the file needs and this machine lacks, a line each: programs, libraries, secrets."""
        found = [calls.missing_program(action.what[0]) for action in self.of("command")]
        found += [calls.missing_function(action.what, self.folder) for action in self.of("python")]
        if self.of("keys"):
            found += keys.missing(self.through)
        if self.of("mqtt"):
            found += mqtt.missing(self.broker)
        if self.of("osc"):
            found.append(library("osc", "pythonosc", "python-osc"))
        if self.of("midi"):
            # Not by the extra: where there is no wheel of it, the extra leaves it out.
            found += [library("midi", "mido", "mido"), library("midi", "rtmidi", "python-rtmidi", "python-rtmidi")]
        if self.site is not None:
            found += web.missing(self.site)
        found += [secret.missing() for secret in self.secrets()]
        return [line for line in dict.fromkeys(found) if line is not None]

    def secrets(self) -> list[Secret]:
        """The secrets that the file names and its actions need."""
        found = [self.broker.password if self.of("mqtt") else None]
        if self.of("webhook"):
            found += [self.authorization, *(a.what for a in self.of("webhook") if isinstance(a.what, Secret))]
        if self.site is not None:
            found.append(self.site.token)
        return [secret for secret in found if secret is not None]

    def sentences(self) -> list[str]:
        """What would happen, a line each."""
        lines = []
        if self.arm is not None:
            lines.append(f"nothing acts until {self.arm}, and again {self.arm_s:g} s after the last that acted")
        if self.pause is not None:
            lines.append(f"{self.pause} pauses everything, and lets it go on")
        if self.site is not None:
            sent = ", ".join(self.site.sends)
            lines.append(f"web pages at {web.HOST}:{self.site.port} are told {sent}; the token is {self.site.token}")
        return lines + [action.sentence() for action in self.actions]


def load_plan(path: str | Path) -> Plan:
    """Read an actions file; raise `ActionError`, with the entry and what to write instead, for anything unclear."""
    path = Path(path)
    given = Table(str(path), _read(path))
    listed = given.any("action")
    if listed is None and given.has("web"):
        listed = []
    if not isinstance(listed, list) or not (listed or given.has("web")):
        raise ActionError(f"{path} has no actions: begin each with a line [[action]]")
    actions = tuple(_action(n, entry) for n, entry in enumerate(listed, 1))
    plan = Plan(
        actions=actions,
        folder=path.parent,
        arm=given.text("arm"),
        arm_s=given.number("arm_s", 0.5, 3600, 10.0),
        pause=given.text("pause"),
        through=_settings(given, "keys", keys.read_settings),
        broker=_settings(given, "mqtt", lambda table: mqtt.read_settings(table, path.parent)),
        osc=_settings(given, "osc", music.read_osc_settings),
        midi=_settings(given, "midi", music.read_midi_settings),
        authorization=_settings(given, "webhook", _read_authorization),
        site=_settings(given, "web", lambda table: web.read_settings(table, path.parent)) if given.has("web") else None,
    )
    given.done()
    names = [action.name for action in actions]
    for name in names:
        if names.count(name) > 1:
            raise ActionError(f"{path}: two actions are called {name!r}: give each a name of its own")
    switches = [gesture for gesture in (plan.arm, plan.pause) if gesture is not None]
    for gesture in switches:
        if switches.count(gesture) > 1 or any(action.gesture == gesture for action in actions):
            raise ActionError(f"{path}: {gesture} arms or pauses, and can do nothing else: take another gesture")
    return plan


def _settings(given: Table, name: str, read: Callable[[Table], Read]) -> Read:
    """What the table of a target says, or leaves to be said by default."""
    table = Table(name, given.any(name) or {})
    settings = read(table)
    table.done()
    return settings


def _read_authorization(table: Table) -> Secret | None:
    """The header that webhooks are sent with."""
    return Secret.of("the authorization", table.any("authorization")) if table.has("authorization") else None


def _read(path: Path) -> dict[str, Any]:
    """The file's tables. A file may start programs, so only the user's own is read, and none that came with a model."""
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            text = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ActionError(f"{path} cannot be read ({error.strerror}): name an actions file") from error
    if any(all((folder / name).exists() for name in MODEL) for folder in path.resolve().parents):
        raise ActionError(
            f"{path} lies in a model's folder, and models may come from strangers: read it, then copy it out"
        )
    if hasattr(os, "getuid") and (about.st_uid not in (0, os.getuid()) or about.st_mode & stat.S_IWOTH):
        raise ActionError(
            f"{path} belongs to or may be written by others, and it may start programs: chmod o-w it, or copy it"
        )
    if len(text) > MOST_BYTES:
        raise ActionError(f"{path} is larger than {MOST_BYTES} bytes: it is no actions file")
    try:
        return tomllib.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, a number of thousands of digits
        raise ActionError(f"{path} is no TOML ({error}): mend that line; texts stand in quotes") from error


def _action(number: int, given: object) -> Action:
    named = given.get("gesture") if isinstance(given, dict) else None
    where = f"action {number} ({named})" if isinstance(named, str) else f"action {number}"
    table = Table(where, given)
    gesture = table.text("gesture")
    chosen = [name for name in FIELDS if table.has(name)]
    if len(chosen) != 1:
        table.only((*FIELDS, *SETTINGS))
        named = " and ".join(chosen) or "nothing"
        raise ActionError(f"{where} must do one thing, not {named}: name one of {', '.join(FIELDS)}")
    mode: Mode = table.choice("mode", MODES, "tap")  # type: ignore[assignment]
    for name, modes in SETTINGS.items():
        if table.has(name) and mode not in modes:
            raise ActionError(f'{where}: {name} goes with mode = "{modes[-1]}", not with {mode!r}')
    analogue = mode == "analogue"
    target, read = FIELDS[chosen[0]]
    try:
        what, says = read(table.any(chosen[0]), mode)
    except ActionError as error:
        raise ActionError(f"{where}: {error}") from error
    if gesture is None and not analogue:
        raise ActionError(f'{where} names no gesture: add gesture = "…"')
    hand = table.choice("hand", SIDES, "either")
    if gesture is None and hand == "both":
        raise ActionError(
            f'{where}: without a gesture a value is of one hand, not of both: hand = "left", "right" or "either"'
        )
    low, high = table.pair("range", (0.0, 127.0 if target == "midi" else 1.0)) if analogue else (0.0, 1.0)
    action = Action(
        name=table.text("name") or "_".join(str(part) for part in (gesture or "hand", target, number)),
        gesture=gesture,
        target=target,
        what=what,
        says=says,
        mode=mode,
        hand=hand,
        confidence=table.number("confidence", 0, 1, 0.0),
        cooldown_s=table.number("cooldown_s", 0, 3600, 0.0),
        every_s=table.number("every_s", 0.02, 3600, 0.0 if analogue else 0.5) if analogue or mode == "repeat" else 0.0,
        value=table.choice("value", tuple(VALUES), "y") if analogue else "",
        ease_s=table.number("ease_s", 0, 10, 0.1) if analogue else 0.0,
        low=low,
        high=high,
    )
    table.done()
    return action
