"""What users install: the wheel alone, in an empty environment, does what the checkout does."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import REPOSITORY
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

UV = os.environ.get("UV") or shutil.which("uv")
FOREIGN = ("tensorflow", "keras", "pytest", "ruff", "mypy", "aiohttp", "pynput")
"""What belongs to training, acting and working on it."""


def pins():
    """(name, version, how many hashes, whether it is never installed) of every line of constraints.txt."""
    text = (REPOSITORY / "constraints.txt").read_text("utf-8").replace("\\\n", " ")
    found = re.findall(r"^([\w.-]+)==([^\s;]+)([^\n]*)$", text, re.MULTILINE)
    assert len(found) == len(text.strip().splitlines())
    return [
        (canonicalize_name(name), version, rest.count("--hash=sha256:"), "'never'" in rest)
        for name, version, rest in found
    ]


def test_every_pinned_version_has_hashes_and_is_one_that_the_project_allows():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    lists = [project["project"]["dependencies"], *extras, project["dependency-groups"]["dev"]]
    wanted = [Requirement(each) for each in itertools.chain(*lists)]
    held = pins()
    assert [name for name, _, hashes, _ in held if not hashes] == []
    for each in wanted:
        versions = [version for name, version, _, never in held if name == canonicalize_name(each.name) and not never]
        known = {name for name, *_ in held} | {"gestures"}
        assert canonicalize_name(each.name) in known, f"{each} is not in constraints.txt: make it anew"
        assert all(each.specifier.contains(version) for version in versions), (
            f"{each}, but constraints.txt has {versions}"
        )


@pytest.mark.skipif(UV is None, reason="uv is not installed: pip install uv")
def test_the_wheel_alone_runs_the_demo_in_an_empty_environment(tmp_path):
    def run(*words, **more):
        done = subprocess.run(words, check=False, capture_output=True, text=True, **more)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    run(UV, "build", "--wheel", "--quiet", "--out-dir", str(tmp_path), str(REPOSITORY))
    (wheel,) = tmp_path.glob("*.whl")
    folder = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    run(UV, "venv", "--quiet", "--python", sys.executable, str(tmp_path / "env"))
    held = ["--constraints", str(REPOSITORY / "constraints.txt")]
    run(UV, "pip", "install", "--quiet", "--python", str(folder / "python"), *held, str(wheel), cwd=REPOSITORY)
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "UV", "VIRTUAL_ENV"))}
    there = f"import importlib.util as i; print(*[n for n in {FOREIGN} if i.find_spec(n)])"
    assert run(str(folder / "python"), "-c", there, cwd=tmp_path, env=bare).split() == []
    told = run(str(folder / "gestures"), "demo", "--no-window", "--json", cwd=tmp_path, env=bare)
    events = [json.loads(line) for line in told.splitlines()]
    spans = json.loads((REPOSITORY / "data" / "demo" / "demo.json").read_text())["spans"]
    began = [event["gesture"] for event in events if event["phase"] == "began"]
    assert began == [span["gesture"] for span in spans]
