"""Targets of the user's own making: a command, a Python function, an address that is sent JSON."""

import ast
import importlib.util
import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gestures.errors import ActionError

from .fields import like
from .orders import Mode, Order
from .secrets import Secret

WEBHOOK_S = 5.0
"""How long a webhook may take to answer."""
COMMAND_S = 10.0
"""A command that takes longer is ended: the orders behind it wait."""


def read_command(given: object, mode: Mode) -> tuple[tuple[str, ...], str]:
    """The arguments and their words; raise `ActionError` unless `given` is a list of them."""
    if mode == "analogue":
        raise ActionError("a command takes no analogue values: take another mode")
    if not isinstance(given, list) or not given or not all(isinstance(word, str) for word in given) or not given[0]:
        raise ActionError(
            f'a command must be a list of arguments, such as ["notify-send", "{{gesture}}"], not {given!r}'
        )
    return tuple(given), f"command {' '.join(given)}"


def read_python(given: object, _mode: Mode) -> tuple[str, str]:
    """FILE.py:FUNCTION; raise `ActionError` for anything else."""
    if (
        not isinstance(given, str)
        or not all(given.rpartition(":")[::2])
        or not given.rpartition(":")[0].endswith(".py")
    ):
        raise ActionError(f'python must name a file and a function in it, such as "lamp.py:on_gesture", not {given!r}')
    return given, f"python {given}"


def missing_program(name: str) -> str | None:
    """What to do about a program that is not there; None where it is."""
    if shutil.which(name) is not None:
        return None
    return f"the command {name!r} is not found: install it, or give its full path"


def missing_function(name: str, folder: Path) -> str | None:
    """What to do about a Python function that is not there; None where it is. The file is read, not run."""
    file, _, function = name.rpartition(":")
    path = folder / file
    try:
        tree = ast.parse(path.read_bytes())
    except OSError:
        return f"{path} is not there: write it, or mend its name"
    except (SyntaxError, ValueError) as error:
        return f"{path} is no Python ({error}): mend it"
    made = [part.name for part in tree.body if isinstance(part, ast.FunctionDef)]
    # A function may also come by an import or an assignment: whoever calls it finds out.
    if function in made or not all(isinstance(part, ast.FunctionDef | ast.Expr | ast.Import) for part in tree.body):
        return None
    return f"{path} has no function {function!r}{like(function, made)}"


class Command:
    """Starts a program for each order, and waits for its end.

    In its arguments {gesture}, {side}, {does}, {value} and {name} are filled in. No shell reads them. What it prints
    goes to stderr: stdout belongs to the events.
    """

    def do(self, order: Order) -> None:
        """Run the command; raise where it cannot start, fails or takes too long."""
        event = order.event
        filled = {
            "{gesture}": event.gesture if event else "",
            "{side}": event.side if event else "",
            "{does}": order.does,
            "{value}": f"{order.value:g}",
            "{name}": order.action.name,
        }
        words = [_fill(word, filled) for word in order.action.what]
        words[0] = shutil.which(words[0]) or words[0]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=COMMAND_S, check=False)  # noqa: S603
        if done.returncode != 0:
            raise ActionError(f"{order.action.what[0]} ended with {done.returncode}")

    def close(self) -> None:
        """Nothing is held."""


def _fill(word: str, filled: dict[str, str]) -> str:
    for name, text in filled.items():
        word = word.replace(name, text)
    return word


def read_webhook(given: object, _mode: Mode) -> tuple[str | Secret, str]:
    """An address, or the secret that holds one; raise `ActionError` for anything else. Only its host is told."""
    if isinstance(given, dict):
        secret = Secret.of("a webhook", given)
        return secret, f"webhook {secret}"
    return _address(given), f"webhook to {urllib.parse.urlsplit(_address(given)).hostname}"


def _address(given: object) -> str:
    if isinstance(given, str):
        try:
            parts = urllib.parse.urlsplit(given)
            good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            good = False
        if good:
            if parts.username or parts.password:
                raise ActionError('a webhook must hold no password: write [webhook] authorization = { env = "NAME" }')
            return given
    raise ActionError("a webhook must be an address that begins with http:// or https://")


class Webhook:
    """Sends each order as JSON in a POST. An answer beyond 2xx is a loss; no other address is followed."""

    def __init__(self, authorization: Secret | None, whats: list[str | Secret]) -> None:
        self._headers = {"Content-Type": "application/json", "User-Agent": "gestures"}
        if authorization is not None:
            self._headers["Authorization"] = authorization.reveal()
        self._addresses = {what: _address(what.reveal()) if isinstance(what, Secret) else what for what in whats}
        self._opener = urllib.request.build_opener(_NoRedirect)

    def do(self, order: Order) -> None:
        """Send it, and wait for the answer."""
        body = json.dumps(order.json()).encode()
        address = self._addresses[order.action.what]
        request = urllib.request.Request(address, body, self._headers, method="POST")  # noqa: S310 - http only
        try:
            with self._opener.open(request, timeout=WEBHOOK_S) as answer:
                answer.read(1)
        except urllib.error.HTTPError as error:
            raise ActionError(f"{order.action.says} answered {error.code}") from None
        except OSError as error:
            # Not its text: it may hold the address.
            reason = getattr(error, "reason", error)
            raise ActionError(f"{order.action.says} did not answer ({type(reason).__name__})") from None

    def close(self) -> None:
        """Nothing is held."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What goes to one address goes to no other."""

    def redirect_request(self, *_: object) -> None:
        """Do not follow."""


class Python:
    """Calls functions of files that lie beside the actions file, each with the `Order`."""

    def __init__(self, names: list[str], folder: Path) -> None:
        self._functions = {name: _function(name, folder) for name in names}

    def do(self, order: Order) -> None:
        """Call it; whatever it raises is a loss."""
        self._functions[order.action.what](order)

    def close(self) -> None:
        """Nothing is held."""


def _function(name: str, folder: Path) -> Callable[[Order], Any]:
    file, _, function = name.rpartition(":")
    path = folder / file
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        found: Callable[[Order], Any] = getattr(module, function)
    except Exception as error:
        raise ActionError(
            f"{path} did not give {function!r} ({type(error).__name__}: {error}): mend that file"
        ) from error
    return found
