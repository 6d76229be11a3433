"""The rules of the house: who may import whom, what is public, what stays asleep."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import gestures

REPOSITORY = Path(__file__).parents[1]
HEAVY = ("ai_edge_litert", "cv2", "keras", "matplotlib", "mediapipe", "tensorflow")
HEAVY += ("aiohttp", "evdev", "keyring", "mido", "paho", "pynput", "pythonosc", "rtmidi")


def run(*code: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", "\n".join(code)]
    return subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout


def test_import_contracts_hold():
    linter = "from importlinter.cli import lint_imports"
    command = [sys.executable, "-c", f"{linter}; raise SystemExit(lint_imports(no_cache=True, no_logo=True))"]
    done = subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_public_name_can_be_imported():
    assert len(set(gestures.__all__)) == len(gestures.__all__)
    for name in gestures.__all__:
        assert getattr(gestures, name) is not None
    assert set(gestures.__all__) <= set(dir(gestures))


def test_no_public_name_is_undeclared():
    modules = {path.stem for path in (REPOSITORY / "gestures").iterdir()}
    declared = set(gestures.__all__)
    found = vars(importlib.import_module("gestures")).items()
    names = {name for name, value in found if not name.startswith("_") and not isinstance(value, ModuleType)}
    # A module appears in its package once something imports it; every other name is chosen.
    assert names - declared - modules == set()


def test_type_checkers_see_the_names_that_are_imported_when_asked_for():
    tree = ast.parse((REPOSITORY / "gestures" / "__init__.py").read_text("utf-8"))
    seen = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {node.module: tuple(alias.name for alias in node.names) for node in seen} == gestures._HOMES
    assert sorted(name for names in gestures._HOMES.values() for name in names) == sorted(gestures.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Recogniser'"):
        gestures.Recogniser  # noqa: B018


@pytest.mark.parametrize("code", ["import gestures", "import gestures.cli; gestures.cli.parser().format_help()"])
def test_import_and_help_wake_no_heavy_library(code):
    woken = run(f"import sys; {code}", f"print(*sorted({{'numpy', *{HEAVY}}} & set(sys.modules)))")
    assert woken.split() == []


def test_a_model_and_a_camera_wake_no_heavy_library():
    code = "gestures.load, gestures.Camera, gestures.Landmarker, gestures.Actions"
    woken = run("import sys, gestures", code, f"print(*sorted(set({HEAVY}) & set(sys.modules)))")
    assert woken.split() == []


@pytest.mark.parametrize("path", sorted((REPOSITORY / "gestures").rglob("*.py")), ids=lambda path: path.stem)
def test_heavy_libraries_are_imported_where_used(path):
    tree = ast.parse(path.read_text("utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    roots = {alias.name.split(".")[0] for node in imports if isinstance(node, ast.Import) for alias in node.names}
    roots |= {
        (node.module or "").split(".")[0] for node in imports if isinstance(node, ast.ImportFrom) and not node.level
    }
    assert roots & set(HEAVY) == set()


def test_constraints_name_no_host():
    lines = (REPOSITORY / "constraints.txt").read_text("utf-8").splitlines()
    assert len(lines) > 100
    assert [line for line in lines if "://" in line or (line.lstrip().startswith("-") and "--hash=" not in line)] == []
