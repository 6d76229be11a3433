"""Passwords and tokens: named in a file, kept in the environment or the keyring, never shown."""

import os
from dataclasses import dataclass
from typing import Any

from gestures.errors import ActionError


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is kept: `kind` "env", and `name` of the variable; or "keyring", and `name` SERVICE/USER."""

    kind: str
    name: str

    @staticmethod
    def of(where: str, given: Any) -> "Secret":  # noqa: ANN401 - whatever TOML holds
        """The secret that `given` names; raise `ActionError` for anything else, a bare word above all."""
        if isinstance(given, dict) and len(given) == 1:
            ((kind, name),) = given.items()
            if kind in ("env", "keyring") and isinstance(name, str) and name and (kind == "env" or "/" in name):
                return Secret(kind, name)
        raise ActionError(
            f'{where} must not stand in the file: write {{ env = "NAME" }}, and put it into that environment variable, '
            'or { keyring = "SERVICE/USER" }'
        )

    def __str__(self) -> str:
        """Where it is kept, never what it is."""
        return f"from ${self.name}" if self.kind == "env" else f"from the keyring's {self.name}"

    def missing(self) -> str | None:
        """What to do about a secret that is not there; None where it is."""
        try:
            self.reveal()
        except ActionError as error:
            return str(error)
        return None

    def reveal(self) -> str:
        """The secret itself; raise `ActionError` where there is none."""
        if self.kind == "env":
            found = os.environ.get(self.name)
            if not found:
                raise ActionError(f"the environment variable {self.name} is not set: export {self.name}=…")
            return found
        try:
            import keyring
        except ImportError as error:
            raise ActionError("the keyring needs a library: pip install 'gestures[keyring]'") from error
        service, _, user = self.name.rpartition("/")
        try:
            kept: str | None = keyring.get_password(service, user)
        except Exception as error:
            raise ActionError(
                f"the keyring did not open ({type(error).__name__}): use an environment variable"
            ) from error
        if not kept:
            raise ActionError(f"the keyring has nothing for {self.name}: keyring set {service} {user}")
        return kept
