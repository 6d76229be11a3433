"""Recording: takes on disk, whole, never one over another, whatever happens to the recorder."""

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from conftest import clip, demo_until
from test_cutting import played

import gestures
from gestures.cli import main
from gestures.clips import Recorded
from gestures.recording import Assignment, Recorder, keep

MOVES = [(1.0, 1.6), (3.5, 4.3), (6.0, 6.5)]


def record(into, seen, gesture="swipe", keys=None, **wanted):
    """Record what is `seen`; `keys` (time: key) are typed at their times."""
    told = []
    recorder = Recorder(Assignment(gesture, "ana", into, **wanted), told.append)
    waiting = sorted((keys or {}).items())
    for each in seen:
        recorder.push(each)
        while waiting and each.time >= waiting[0][0]:
            recorder.key(waiting.pop(0)[1])
    recorder.finish()
    return recorder, told


def names(folder):
    return sorted(path.name for path in folder.glob("*.npz"))


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


def test_a_take_taken_back_is_put_away_not_lost(tmp_path):
    recorder, told = record(tmp_path, played(MOVES, 8.0))
    kept = recorder.kept[-1].read_bytes()
    recorder.key("u")
    (away,) = (tmp_path / ".removed" / "swipe").glob("*.npz")
    assert away.read_bytes() == kept
    assert str(away) in told[-1]
    assert len(gestures.load_set(tmp_path).clips) == 2


def test_any_earlier_take_can_be_chosen_and_taken_back(tmp_path):
    recorder, _ = record(tmp_path, played(MOVES, 8.0))
    for key in "[[[[]u":  # more than there are: the first; then one forward: the second
        recorder.key(key)
    assert names(tmp_path / "swipe") == ["ana_00.npz", "ana_02.npz"]
    recorder.key("u")
    assert names(tmp_path / "swipe") == ["ana_00.npz"]


def test_a_take_is_asked_about_and_kept_done_again_or_discarded(tmp_path):
    moves = [*MOVES, (9.0, 9.6)]
    keys = {3.0: "\r", 5.5: "d", 8.0: "a", 11.0: "k"}
    recorder, told = record(tmp_path, played(moves, 12.0), keys=keys, ask=True)
    assert names(tmp_path / "swipe") == ["ana_00.npz", "ana_01.npz"]
    starts = [take.spans[0].start for take in gestures.load_set(tmp_path).clips]
    assert [round(start) for start in starts] == [1, 9]
    assert recorder.refused == 2
    assert sum("Enter keeps it" in line for line in told) == 4


def test_u_takes_back_the_take_in_question_and_no_other(tmp_path):
    _, told = record(tmp_path, played(MOVES, 8.0), keys={3.0: "k", 5.5: "u"}, ask=True)
    assert names(tmp_path / "swipe") == ["ana_00.npz"]
    assert "not kept: taken back" in told


def test_while_a_take_is_asked_about_none_is_recorded_and_unanswered_it_is_not_kept(tmp_path):
    recorder, told = record(tmp_path, played(MOVES, 8.0), ask=True)
    assert recorder.kept == []
    assert sum("Enter keeps it" in line for line in told) == 1
    assert "nobody said" in told[-1]


def test_a_countdown_passes_before_each_take(tmp_path):
    # The first movement falls into the countdown; 3 s after it begins anew.
    recorder, told = record(tmp_path, played([(1.0, 1.6), (3.5, 4.3), (5.5, 6.0), (9.5, 10.1)], 12.0), countdown_s=3.0)
    takes = gestures.load_set(tmp_path).clips
    assert [take.spans[0].start for take in takes] == pytest.approx([3.5, 9.5], abs=0.2)
    assert told[:3] == ["2", "1", "go"]
    recorder, _ = record(tmp_path, played([], 9.0), countdown_s=2.0, length_s=1.0, takes=2)
    assert [round(gestures.load_clip(path).time[0], 1) for path in recorder.kept] == [2.0, 5.0]


def test_a_film_is_cut_to_its_end_when_nobody_says_how_many(tmp_path):
    moves = [(1.0 + 2.0 * n, 1.5 + 2.0 * n) for n in range(13)]
    recorder, _ = record(tmp_path, played(moves, 28.0), takes=None)
    assert len(recorder.kept) == 13


def test_after_some_takes_it_is_told_what_they_lack(tmp_path):
    _, told = record(tmp_path, played([(1.0 + 2.0 * n, 1.5 + 2.0 * n) for n in range(5)], 12.0))
    assert "still missing: speed" in told[3]
    assert "missing" not in "".join(told[:3] + told[4:])


def test_a_note_says_how_its_take_was_made(tmp_path):
    made = Recorded("gestures 9", "0", turned=True)
    recorder, _ = record(tmp_path, played(MOVES, 8.0, rate_hz=15.0), recorded=made)
    assert gestures.load_clip(recorder.kept[0]).recorded == made
    with np.load(recorder.kept[0]) as file:
        note = json.loads(str(file["note"]))["recorded"]
    assert note["rate_hz"] == pytest.approx(15, abs=0.1)
    assert note["side"] == "right"


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


def test_yes_cuts_a_whole_film_and_its_pictures_are_kept_where_asked(tmp_path, capsys):
    words = ["record", "anything", "--into", str(tmp_path / "set"), "--yes", "--keep-video", str(tmp_path / "film")]
    words += ["--seconds", "0.5"]
    shown = demo_until(9.0, tmp_path)
    assert main([*words, "--source", str(shown)]) == 0
    out, err = capsys.readouterr()
    (film,) = (tmp_path / "film").iterdir()
    assert str(film) in err
    takes = gestures.load_set(tmp_path / "set").clips
    assert f"{len(takes)} takes of anything" in out
    assert len(takes) > 0
    assert all(take.spans[0].gesture == "anything" for take in takes)
    assert takes[0].recorded.video == film.name
    assert takes[0].recorded.by == f"gestures {gestures.__version__}"
    with gestures.Video(film) as kept:
        assert sum(1 for _ in kept) / 30 == pytest.approx(9.0, abs=0.2)


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
from conftest import clip, demo_until
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
