"""Whatever the moment at which the program is killed: the old or the new, whole, and no mixture."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, clip

import gestures
from gestures import files
from gestures.recording import keep
from gestures.video import Film

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


@forks
def test_a_kill_at_any_step_leaves_the_old_or_the_new():
    command = [sys.executable, "scripts/kill.py", "--only", "steps", "saves", "--times", "10", "--json"]
    done = subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["steps of a clip"]["kills"] >= 7
    assert figures["steps of a model"]["kills"] >= 18
    assert figures["saves"]["kills"] == 20
    assert sum(counts["lost"] for counts in figures.values()) == 0


def test_files_are_replaced_together_and_others_stay(tmp_path):
    (tmp_path / "mine").write_text("mine")
    files.write_together(tmp_path, {"a": b"1", "b": b"1"}, gestures.ModelError)
    files.write_together(tmp_path, {"a": b"2", "b": b"2"}, gestures.ModelError)
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a": "2", "b": "2", "mine": "mine"}


def test_what_was_decided_counts_before_it_is_in_place(tmp_path):
    """A kill right after the one rename, made by hand."""
    files.write_together(tmp_path, {"a": b"1", "b": b"1"}, gestures.ModelError)
    (tmp_path / files.NEXT).mkdir()
    (tmp_path / files.NEXT / "b").write_text("2")
    (tmp_path / "a").write_text("2")
    assert [files.read_together(tmp_path, name, 9) for name in "ab"] == [b"2", b"2"]
    files.write_together(tmp_path, {"a": b"3"}, gestures.ModelError)
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a": "3", "b": "2"}


def test_whatever_takes_its_place_has_been_flushed(monkeypatch, tmp_path):
    """A kill loses nothing that was written; a power cut loses what the disk has not got yet."""
    flushed, fsync = set(), os.fsync

    def noted(number):
        flushed.add(os.fstat(number).st_ino)
        fsync(number)

    monkeypatch.setattr(os, "fsync", noted)
    files.write_whole(tmp_path / "one", lambda file: file.write(b"1"), gestures.ModelError)
    files.write_together(tmp_path / "two", {"a": b"1", "b": b"1"}, gestures.ModelError)
    with Film(tmp_path, "three") as film:
        film.add(gestures.Frame(np.zeros((48, 64, 3), np.uint8), 0.0))
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 4
    assert {path.stat().st_ino for path in written} <= flushed


def test_nothing_half_written_is_left(tmp_path):
    target = tmp_path / "swipe" / "ana_00.npz"

    def fail(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(gestures.ClipError, match="No space left on device"):
        files.write_whole(target, fail, gestures.ClipError)
    assert list(target.parent.iterdir()) == []


FULL = """
import resource, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from conftest import clip
from gestures import GesturesError, load
from gestures.files import write_together
from gestures.recording import keep
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for work in (
    lambda: keep(clip(), "swipe", Path("set")),
    lambda: write_together(Path("model"), {{"small": b"new", "large": bytes(5000)}}, GesturesError),
):
    try:
        work()
    except GesturesError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file")
def test_a_disk_without_room_keeps_what_is_there(tmp_path):
    files.write_together(tmp_path / "model", {"small": b"old", "large": b"old"}, gestures.ModelError)
    kept = keep(clip(), "swipe", tmp_path / "set")
    code = FULL.format(tests=str(Path(__file__).parent))
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert [line.count("cannot be written (File too large)") for line in done.stdout.splitlines()] == [1, 1]
    names = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert names == ["model/large", "model/small", "set/set.json", "set/swipe/ana_00.npz"]
    assert (tmp_path / "model" / "small").read_text() == "old"
    gestures.load_clip(kept)


def test_two_recorders_in_one_set_lose_no_take(tmp_path):
    kept, errors = [], []

    def work():
        try:
            kept.extend(keep(clip(seconds=1.0), "swipe", tmp_path) for _ in range(12))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told below
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(set(kept)) == 24
    assert len(gestures.load_set(tmp_path).clips) == 24
    assert gestures.load_set(tmp_path).labels == ("swipe",)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name on this system")
@pytest.mark.parametrize("name", ["pipe", "folder"])
def test_what_is_no_plain_file_is_refused_at_once(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"no plain file|directory"):
        files.read_within(tmp_path / name, 9)
    with pytest.raises(gestures.ClipError, match="is not a whole clip"):
        gestures.load_clip(tmp_path / name)


def test_a_file_larger_than_it_may_be_is_not_read(tmp_path):
    (tmp_path / "a").write_bytes(bytes(10))
    assert files.read_within(tmp_path / "a", 10) == bytes(10)
    with pytest.raises(OSError, match="larger than 9 bytes"):
        files.read_within(tmp_path / "a", 9)
