"""Documents are run: what they show works, and what exists is shown."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import gestures
from gestures.console import shipped
from gestures.flags import parser

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text("utf-8")


def verbs():
    """The verbs of the command line, with their flags."""
    (actions,) = (a for a in parser()._actions if a.dest == "verb")
    return {name: set(flags(sub)) for name, sub in actions.choices.items()}


def flags(parser):
    """The flags of a verb and of the verbs below it."""
    for action in parser._actions:
        yield from action.option_strings
        for below in (action.choices or {}).values() if isinstance(action.choices, dict) else ():
            yield from flags(below)


def run_code(text, monkeypatch, capsys):
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    monkeypatch.chdir(REPOSITORY)
    exec(compile(code, "document", "exec"), {})
    return capsys.readouterr().out


def test_the_readmes_program_runs(monkeypatch, capsys):
    lines = run_code(README, monkeypatch, capsys).splitlines()
    assert len(lines) >= 8
    assert all(re.fullmatch(r" *\d+\.\d\d s  \w+ (began|ended)", line) for line in lines)


def test_the_packages_program_runs(monkeypatch, capsys):
    """The ten lines of the package's docstring, with the demo clip in the webcam's place."""
    monkeypatch.setattr(gestures, "Camera", lambda: gestures.Video(shipped("data/demo/demo.mp4")))
    assert "began" in run_code(gestures.__doc__, monkeypatch, capsys)


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_has_help_and_is_in_the_readme(verb):
    command = [sys.executable, "-m", "gestures.cli", verb, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "usage: gestures" in done.stdout
    assert f"gestures {verb}" in README


def test_the_readme_types_only_what_exists():
    known = verbs()
    # Fences in pairs: a block of another language ends with the three ticks that others begin with.
    typed = [
        text for language, text in re.findall(r"^```(\w*)\n(.*?)^```", README, re.DOTALL | re.MULTILINE) if not language
    ]
    for line in re.findall(r"(?:uv run )?gestures (\w+.*)", "\n".join(typed)):
        verb, *words = line.split("#")[0].split()
        if verb not in known:
            continue
        assert {word for word in words if word.startswith("--")} <= known[verb], line
    named = set(re.findall(r"`gestures (\w+)", README)) - {"Frame"}
    assert named <= set(known), named - set(known)


def typed_scripts():
    """Each script the README names, with its part (`render.py measure`), and every flag it is typed with there."""
    flags = {}
    for script, part, rest in re.findall(r"scripts/(\w+)\.py((?: [a-z_]+\b(?!/))?)([^`]*)`", README):
        flags.setdefault((script, *part.split()), set()).update(re.findall(r"--[a-z-]+", rest))
    return flags


@pytest.mark.parametrize(("words", "flags"), sorted(typed_scripts().items()))
def test_every_command_that_prints_a_figure_starts(words, flags):
    command = [sys.executable, f"scripts/{words[0]}.py", *words[1:], "--help"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert flags <= set(re.findall(r"--[a-z-]+", done.stdout))


def test_links_and_pictures_are_there():
    for document in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", (REPOSITORY / document).read_text("utf-8")):
            assert (REPOSITORY / target).exists(), f"{document}: {target}"


def test_every_module_is_on_the_map():
    contributing = (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8")
    for path in (REPOSITORY / "gestures").rglob("*.py"):
        assert path.name == "__init__.py" or f"`{path.name}`" in contributing, path.name


def test_every_public_thing_says_what_it_is():
    for name in gestures.__all__:
        assert (getattr(gestures, name).__doc__ or "").strip(), name
