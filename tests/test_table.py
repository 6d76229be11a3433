"""The README's tables: written by the benchmark, where they belong and nowhere else; what was mistaken is told."""

import sys
from contextlib import suppress

import numpy as np
import pytest
from conftest import REPOSITORY

import gestures
from gestures.clips import Clip, Span
from gestures.evaluation import Verdict
from gestures.scoring import strict
from gestures.types import Event

sys.path.insert(0, str(REPOSITORY / "scripts"))
import benchmark
import mistakes
import table

SHARES = {"up": 1.0, "down": 0.5}
NOISE = {"JI": None, "right": 9, "label at the end": 0.75}
FIGURES = {
    "set": "egogestar",
    "seed": 0,
    "split": "4 folds by round",
    "videos": 13,
    "videos_hand_found": 12,
    "video_accuracy": 10 / 13,
    "video_accuracy_hand_found": 10 / 12,
    "isolated": {"25%": 0.1, "50%": 0.5, "75%": 0.9, "100%": 1.0},
    "unclassified_silent": 2,
    "unclassified": 3,
    "NTtD": 0.618,
    "disturbed": {"10 fps": NOISE},
    "mistakes": {"by round": {"pairs": [["up", "down", 2]], "people": {"ana": 1.0, "bo": 0.5}, "gestures": SHARES}},
}
ISOLATED = {"25%": 0.1, "100%": 0.9}
STREAMS = {"JI": None, "DR": 0.5, "FP": 0.25, "levenshtein": 0.8, "NTtD": None, "disturbed": {"10 fps": NOISE}}
STREAMS["pooled"] = {"DR": 0.6, "FP": 0.2, "annotated": 7}


def test_a_table_tells_every_figure_and_who_was_mistaken():
    lines = table.markdown(FIGURES, "scripts/benchmark.py egogestar --train DIR").splitlines()
    assert lines[0] == "`scripts/benchmark.py egogestar --train DIR`, 4 folds by round, seed 0:"
    assert "|  | as recorded | 10 fps |" in lines
    assert "| exactly the one right event, of 12 | 83.3 % | 75.0 % |" in lines
    assert "| the right label after 25 / 50 / 75 / 100 % of the film | 10.0 / 50.0 / 90.0 / 100.0 % |  |" in lines
    assert lines[-4:] == [
        "",
        "Right, by round: bo 50.0 %, ana 100.0 %.",
        "",
        "Mistaken most often, by round: up for down 2.",
    ]


def test_of_many_people_those_served_worst_are_named():
    many = {f"p{n}": n / 10 for n in range(10)}
    found = {"by round": {"pairs": [], "people": many, "gestures": {}}}
    lines = table.markdown({**FIGURES, "mistakes": found}, "command").splitlines()
    assert lines[-1].startswith("Right, by round: p0 0.0 %, p1 10.0 %")
    assert lines[-1].endswith("p5 50.0 %, 4 others 60.0 % or more.")


def test_a_table_is_written_between_its_marks_and_touches_nothing_else(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("before\n<!-- fpha -->\nold\n<!-- /fpha -->\nafter <!-- mp_data -->\n", "utf-8")
    for text in ("one", "two\nlines"):
        table.write(path, "fpha", text)
        assert path.read_text("utf-8") == f"before\n<!-- fpha -->\n{text}\n<!-- /fpha -->\nafter <!-- mp_data -->\n"
    with pytest.raises(gestures.GesturesError, match="no place for mp_data"):
        table.write(path, "mp_data", "three")


@pytest.mark.parametrize("name", table.ROWS)
def test_the_readme_has_every_sets_table_as_its_command_wrote_it(name):
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    written = readme.partition(f"<!-- {name} -->\n")[2].partition(f"\n<!-- /{name} -->")[0]
    assert written.startswith(f"`scripts/benchmark.py {name} --train DIR")
    assert written.count("\n| ") >= 4


def verdict(person, spans, said, guess="up"):
    clip = Clip(np.arange(10.0), np.zeros((10, 2, 21, 3)), np.zeros((10, 2, 21, 3)), person, spans)
    events = [
        Event(gesture, phase, time, start, hand, "right", 1.0)
        for hand, (gesture, start, end) in enumerate(said)
        for phase, time in (("began", start), ("ended", end))
    ]
    return Verdict(clip, tuple(events), {"100%": guess})


def test_labels_at_the_end_are_told_by_pair_person_and_gesture():
    up, down = (Span("up", 0, 9),), (Span("down", 0, 9),)
    found = mistakes.mistakes([verdict("ana", up, []), verdict("ana", down, []), verdict("bo", down, [])], None)
    assert found == {"pairs": [["up", "down", 2]], "people": {"ana": 0.5, "bo": 0.0}, "gestures": {"up": 1, "down": 0}}


def test_events_are_matched_missed_taken_for_another_late_or_made_up():
    spans = (Span("up", 0, 1), Span("down", 2, 3), Span("up", 4, 5), Span("down", 6, 7))
    said = [("up", 0, 1), ("up", 2.2, 3), ("up", 4.9, 6), ("down", 8, 9)]
    found = mistakes.mistakes([verdict("ana", spans, said)], strict)
    assert sorted(found["pairs"]) == [
        ["down", "nothing", 1],
        ["nothing", "down", 1],
        ["nothing", "up", 1],
        ["up", "down", 1],
    ]
    assert (found["people"], found["gestures"]) == ({"ana": 0.25}, {"up": 0.5, "down": 0})


def test_the_picture_of_mistakes_is_one(tmp_path):
    mistakes.draw(FIGURES["mistakes"], "egogestar", tmp_path / "worst.png")
    assert (tmp_path / "worst.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_not_there_is_left_out_or_a_dash():
    rows = list(table.sfinge3d({"dictionary_only": STREAMS}))
    assert rows[0] == ("streams, of which none was learnt from, 7 gestures: Jaccard, class mean", "–", {"10 fps": "–"})
    assert [value for _, value, _ in rows[1:]] == ["50.0 % (60.0 %)", "25.0 % (20.0 %)", "80.0 %", "–"]
    of = {"clips": 5, "isolated": ISOLATED, "disturbed": {"10 fps": NOISE}}
    assert next(table.fpha(of)) == ("the right label at the end, of 5", "90.0 %", {"10 fps": "75.0 %"})
    folds = {"clips": 5, "isolated_by_trial": ISOLATED, "isolated_by_person": {"100%": 0.5}, "disturbed": {}}
    assert [value for _, value, _ in table.fpha(folds)] == ["90.0 %", "10.0 / 90.0 %", "50.0 %", "50.0 %"]
    assert [row[1] for row in table.mp_data(of)] == ["90.0 %", "10.0 / 90.0 %"]


@pytest.mark.parametrize("words", [["egogestar", "--readme", "nowhere.md"], ["memory", "--readme", "README.md"]])
def test_what_cannot_be_written_is_told_before_the_work(words, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmark.py", *words, "--train", "nowhere"])
    with suppress(SystemExit):
        assert benchmark.main() == 1
    told = capsys.readouterr().err
    assert "nowhere.md cannot be read" in told or "neither table nor picture" in told
