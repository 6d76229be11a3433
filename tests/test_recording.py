"""Recording: takes on disk, whole, never one over another, whatever happens to the recorder."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import clip
from test_cutting import played

import gestures
from gestures.cli import main
from gestures.console import shipped
from gestures.recording import Recorder, keep

MOVES = [(1.0, 1.6), (3.5, 4.3), (6.0, 6.5)]


def record(into, seen, gesture="swipe", takes=10, length_s=None):
    told = []
    recorder = Recorder(gesture, "ana", into, takes, length_s, told.append)
    for each in seen:
        recorder.push(each)
    recorder.finish()
    return recorder, told


def test_takes_are_on_disk_and_counted(tmp_path):
    recorder, told = record(tmp_path, played(MOVES, 8.0))
    assert [path.name for path in recorder.kept] == ["ana_00.npz", "ana_01.npz", "ana_02.npz"]
    assert told[2].startswith("take 3 of 10")
    takes = gestures.load_set(tmp_path)
    assert takes.labels == ("swipe",)
    assert takes.people == ("ana",)


def test_it_is_done_after_so_many_takes_and_keeps_no_more(tmp_path):
    recorder, _ = record(tmp_path, played(MOVES, 8.0), takes=2)
    assert recorder.done
    assert len(list(tmp_path.glob("*/*.npz"))) == 2


def test_takes_are_taken_back_from_the_last(tmp_path):
    recorder, _ = record(tmp_path, played(MOVES, 8.0))
    recorder.undo()
    recorder.undo()
    assert [path.name for path in tmp_path.glob("swipe/*")] == ["ana_00.npz"]
    recorder.undo()
    recorder.undo()
    assert recorder.kept == []


def test_a_later_recording_goes_on_with_the_numbers(tmp_path):
    record(tmp_path, played(MOVES, 8.0))
    again, _ = record(tmp_path, played(MOVES[:1], 4.0))
    assert [path.name for path in again.kept] == ["ana_03.npz"]


def test_rest_is_cut_by_length_and_names_no_gesture(tmp_path):
    recorder, _ = record(tmp_path, played([(1.0, 2.0)], 70.0), gesture="rest")
    assert len(recorder.kept) == 3
    takes = gestures.load_set(tmp_path)
    assert takes.labels == ()
    assert 65 < sum(take.duration_s for take in takes.clips) < 71


def test_recorders_side_by_side_lose_and_overwrite_nothing(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda n: keep(clip(seconds=1.0 + n / 10), "swipe", tmp_path), range(24)))
    assert len(set(paths)) == 24
    lengths = sorted(round(take.duration_s, 2) for take in gestures.load_set(tmp_path).clips)
    assert len(set(lengths)) == 24
    assert list(tmp_path.glob("*/*.reserved")) == []


def test_the_demo_clip_is_a_camera_to_record_from(tmp_path, capsys):
    words = ["record", "anything", "--into", str(tmp_path / "set"), "--no-window", "--takes", "2"]
    assert main([*words, "--source", str(shipped("data/demo/demo.mp4"))]) == 0
    assert "2 takes of anything" in capsys.readouterr().out
    takes = gestures.load_set(tmp_path / "set")
    assert all(take.spans[0].gesture == "anything" for take in takes.clips)


@pytest.mark.parametrize(
    ("words", "told"),
    [(["con"], "is no name"), (["a/b"], "is no name"), (["x", "--person", ".."], "is no name")],
)
def test_names_that_cannot_be_are_refused(tmp_path, capsys, words, told):
    assert main(["record", *words, "--into", str(tmp_path), "--no-window", "--source", "missing.mp4"]) == 1
    assert told in capsys.readouterr().err


LOOP = """
import sys
sys.path.insert(0, {tests!r})
from conftest import clip
from pathlib import Path
from gestures.recording import keep
while True:
    keep(clip(), "swipe", Path({into!r}))
    print("kept", flush=True)
"""


@pytest.mark.parametrize("after_s", [0.0, 0.011, 0.023, 0.037])
def test_a_recorder_killed_at_any_moment_leaves_whole_takes_only(tmp_path, after_s):
    program = LOOP.format(tests=str(Path(__file__).parent), into=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as recorder:
        for _ in range(4):
            recorder.stdout.readline()
        time.sleep(after_s)
        recorder.send_signal(signal.SIGKILL)
        recorder.wait(10)
    assert len(gestures.load_set(tmp_path).clips) >= 4
    # A number that the killed one had reserved is passed over, not waited for.
    assert keep(clip(), "swipe", tmp_path).exists()
