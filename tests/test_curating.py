"""Sets joined, renamed, thinned out and dealt: as told, and nothing lost."""

from dataclasses import replace

import pytest
from conftest import clip

import gestures
from gestures import curating
from gestures.cli import main
from gestures.setnote import load_set_note, save_set_note


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    for n, (gesture, person) in enumerate([("wave", "ana"), ("wave", "bo"), ("swipe", "ana"), ("rest", "bo")]):
        gestures.save_clip(clip(gesture, person, phase=n), folder / gesture / f"{person}_00.npz")
    session = replace(
        clip("wave", "cy", phase=9), spans=(gestures.Span("wave", 0.2, 0.5), gestures.Span("swipe", 1, 1.5))
    )
    gestures.save_clip(session, folder / "sessions" / "cy_00.npz")
    save_set_note(folder, ["wave", "swipe"], {"wave": "swipe"})
    return folder


def run(capsys, *words):
    code = main(["data", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


def movements(*folders):
    """Every take's movement, wherever it lies."""
    paths = [path for folder in folders for path in folder.rglob("*.npz")]
    return sorted(gestures.load_clip(path).image.tobytes() for path in paths)


def everything(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    "words",
    [
        ["merge", "{data}", "--into", "{data}2"],
        ["rename", "{data}", "wave", "hello"],
        ["remove", "{data}", "wave"],
        ["split", "{data}", "--into", "{data}1", "{data}2"],
    ],
)
def test_a_dry_run_says_all_and_does_nothing(data, capsys, words):
    before = everything(data.parent)
    words = [word.format(data=data) for word in words]
    code, said, err = run(capsys, *words, "--dry-run")
    assert (code, "nothing was touched" in err) == (0, True)
    assert everything(data.parent) == before
    assert run(capsys, *words)[1] == said  # and what it said is what is then done
    assert everything(data.parent) != before


def test_merging_takes_all_but_what_is_there_already(data, tmp_path, capsys):
    other = tmp_path / "other"
    gestures.save_clip(clip("wave", "ana", phase=50), other / "wave" / "ana_00.npz")  # same name, other take
    run(capsys, "merge", data, other, "--into", tmp_path / "all")
    whole = movements(tmp_path / "all")
    assert whole == movements(data, other)
    assert gestures.load_set(tmp_path / "all").labels == ("wave", "swipe")
    assert load_set_note(tmp_path / "all")["mirror"] == {"wave": "swipe"}
    _, out, _ = run(capsys, "merge", data, other, "--into", tmp_path / "all")
    assert out == ""
    assert movements(tmp_path / "all") == whole


def test_renaming_goes_through_takes_sessions_and_note(data, capsys):
    before = movements(data)
    run(capsys, "rename", data, "wave", "hello")
    takes = gestures.load_set(data)
    assert takes.labels == ("hello", "swipe")
    assert takes.mirror == {"hello": "swipe"}
    assert sum(span.gesture == "hello" for take in takes.clips for span in take.spans) == 3
    assert movements(data) == before
    assert not (data / "wave").exists()


def test_renaming_into_a_gesture_that_is_there_makes_them_one(data, capsys):
    before = movements(data)
    run(capsys, "rename", data, "swipe", "wave")
    assert movements(data) == before
    assert len(list((data / "wave").glob("*.npz"))) == 3
    assert gestures.load_set(data).labels == ("wave",)


def test_what_is_removed_can_be_brought_back(data, capsys):
    before = movements(data)
    run(capsys, "remove", data, "wave/bo_00", "swipe")
    assert len(gestures.load_set(data).clips) == 3
    assert movements(data) == before
    assert (data / ".removed" / "wave" / "bo_00.npz").exists()


def test_a_set_is_split_by_person(data, tmp_path, capsys):
    run(capsys, "split", data, "--into", tmp_path / "a", tmp_path / "b", "--people", "bo")
    assert gestures.load_set(tmp_path / "a").people == ("ana", "cy")
    assert gestures.load_set(tmp_path / "b").people == ("bo",)
    assert movements(tmp_path / "a", tmp_path / "b") == movements(data)
    assert load_set_note(tmp_path / "b")["mirror"] == {"wave": "swipe"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["merge", "{data}/none", "--into", "{data}2"], "holds no clips"),
        (["rename", "{data}", "nod", "hello"], "no take of"),
        (["rename", "{data}", "wave", "rest"], "neither of them rest"),
        (["rename", "{data}", "wave", "a/b"], "is no name"),
        (["remove", "{data}", "wave", "nod"], "holds no nod"),
        (["split", "{data}", "--into", "{data}1", "{data}2", "--people", "eve"], "nobody"),
        (["split", "{data}", "--into", "{data}1", "{data}2", "--people", "ana", "bo", "cy"], "leave nobody"),
        (["split", "{data}", "--into", "{data}1", "{data}"], "holds takes already"),
        (["split", "{data}", "--into", "{data}1", "{data}1/../{data.name}1"], "named for both parts"),
    ],
)
@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_what_cannot_be_done_is_told_and_nothing_is_touched(data, capsys, words, told, dry):
    before = everything(data.parent)
    code, _, err = run(capsys, *[word.format(data=data) for word in words], *dry)
    assert code == 1
    assert told in err
    assert everything(data.parent) == before


def test_a_take_that_cannot_be_read_is_named(data, tmp_path, capsys, monkeypatch):
    wrong = data / "wave" / "eve_00.npz"
    wrong.mkdir()
    code, _, err = run(capsys, "merge", data, "--into", tmp_path / "all")
    assert code == 1
    assert f"{wrong} cannot be read (" in err
    wrong.rmdir()
    wrong.write_bytes(bytes(1 << 20))
    monkeypatch.setattr(curating, "MAX_BYTES", (1 << 20) - 1)
    code, _, err = run(capsys, "merge", data, "--into", tmp_path / "all")
    assert code == 1
    assert f"{wrong} cannot be read (it is larger than 1048575 bytes)" in err
