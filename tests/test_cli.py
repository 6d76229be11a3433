"""The command line as people meet it: answers, exit codes, one sentence for every mistake."""

import argparse
import importlib
import json
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from conftest import observations
from test_camera import write_video

import gestures
from gestures import checkpoint, watching, workbench
from gestures.cli import main
from gestures.console import Bar, shipped
from gestures.flags import parser
from gestures.network import save


@pytest.fixture
def trained(exported, network, tmp_path):
    made, _, step = exported
    save(network, made, step, "# a card\n", tmp_path / "trained")
    return tmp_path / "trained"


def run(capsys, *words):
    """Exit code, answers, talk."""
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def refused(capsys, *words):
    """The one sentence with which a command is refused."""
    code, out, err = run(capsys, *words)
    told = [line for line in err.splitlines() if line.startswith("gestures: ")]
    assert (code, out, len(told)) == (1, "", 1)
    assert "Traceback" not in err
    return told[0]


def test_a_video_without_a_hand_gives_no_event_and_no_complaint(capsys, tmp_path, trained):
    video = write_video(tmp_path / "a.mp4", frames=8)
    code, out, err = run(capsys, "live", "--source", video, "--model", trained, "--no-window", "--json")
    assert (code, out) == (0, "")
    assert "8 pictures" in err


@pytest.mark.parametrize(
    ("source", "words"),
    [("97", "camera 97 did not open"), ("missing.mp4", "is not there"), ("http://127.0.0.1:9/x", "did not open")],
)
def test_a_source_that_is_none_is_one_sentence(capsys, trained, source, words):
    assert words in refused(capsys, "live", "--source", source, "--model", trained, "--no-window")


def test_text_named_mp4_is_one_sentence(capsys, tmp_path, trained):
    (tmp_path / "a.mp4").write_text("no video")
    assert "is not a video" in refused(
        capsys, "live", "--source", tmp_path / "a.mp4", "--model", trained, "--no-window"
    )


def test_a_spoilt_model_is_one_sentence(capsys, tmp_path, trained):
    (trained / "step.tflite").write_bytes(b"spoilt")
    video = write_video(tmp_path / "a.mp4", frames=3)
    assert "sha256 differs" in refused(capsys, "live", "--source", video, "--model", trained, "--no-window")
    assert "is no model folder" in refused(capsys, "live", "--source", video, "--model", tmp_path / "none")


def test_an_import_without_videos_or_hands_writes_nothing(capsys, tmp_path):
    into = tmp_path / "set"
    (tmp_path / "videos" / "wave").mkdir(parents=True)
    assert "is no folder" in refused(capsys, "import", tmp_path / "nowhere", "--into", into)
    assert "holds no videos" in refused(capsys, "import", tmp_path / "videos", "--into", into)
    write_video(tmp_path / "videos" / "wave" / "ana_00.mp4", frames=5)
    (tmp_path / "videos" / "wave" / "bad.mp4").write_text("no video")
    assert "gave no take" in refused(capsys, "import", tmp_path / "videos", "--into", into)
    assert list(into.rglob("*.*")) == []


def test_what_may_not_be_written_is_told_before_the_work(capsys, tmp_path):
    write_video(tmp_path / "wave_00.mp4", frames=3)
    (tmp_path / "videos" / "wave").mkdir(parents=True)
    (tmp_path / "wave_00.mp4").rename(tmp_path / "videos" / "wave" / "a.mp4")
    (tmp_path / "file").write_text("in the way")
    assert "cannot be written" in refused(capsys, "import", tmp_path / "videos", "--into", tmp_path / "file" / "set")


def test_training_on_nothing_or_too_little_is_one_sentence(capsys, tmp_path):
    from conftest import clip

    import gestures

    assert "holds no clips" in refused(capsys, "train", tmp_path, "--into", tmp_path / "m")
    for n in range(3):
        gestures.save_clip(clip("wave"), tmp_path / "data" / "wave" / f"ana_0{n}.npz")
    assert "one gesture only (wave)" in refused(capsys, "train", tmp_path / "data", "--into", tmp_path / "m")
    assert not list((tmp_path / "m").glob("*"))


@pytest.fixture
def hearing():
    """A shell starts its background jobs deaf to Ctrl-C, and the tests may be such a job."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hearing")
@pytest.mark.parametrize("error", [ImportError, gestures.ModelError])
def test_ctrl_c_in_midst_of_a_librarys_import_is_ctrl_c(capsys, monkeypatch, error):
    """LiteRT and others make an ImportError of it, and we a sentence of that."""

    def struck(_):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as interrupt:
            raise error("initialization failed") from interrupt

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(watching, "live", struck)
    assert main(["live", "--no-window"]) == 130
    assert capsys.readouterr().err == ""
    assert signal.getsignal(signal.SIGINT) is before
    monkeypatch.setattr(watching, "live", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["live", "--no-window"])


@pytest.mark.usefixtures("hearing")
def test_ctrl_c_in_midst_of_making_something_tells_nothing_of_its_end(monkeypatch):
    """MediaPipe's pictures, half made, raise in `__del__`."""

    class HalfMade:
        def __init__(self, strike):
            if strike:
                signal.raise_signal(signal.SIGINT)

        def __del__(self):
            self.never_set  # noqa: B018

    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    monkeypatch.setattr(watching, "live", lambda _: HalfMade(True))
    assert main(["live", "--no-window"]) == 130
    assert not told
    monkeypatch.setattr(watching, "live", lambda _: HalfMade(False))
    assert main(["live", "--no-window"]) == 0
    assert len(told) == 1


@pytest.mark.usefixtures("hearing")
def test_ctrl_c_that_a_library_loses_ends_the_work_at_the_next_move_of_its_bar(capsys, monkeypatch):
    """TensorFlow swallows one in midst of some calls: a training went on to its end."""
    done = []

    def work(options):
        with Bar() as bar:
            for step in range(1, 6):
                bar.tell("learning", step, 5, 0.0)
                done.append(step)
                if step == options.steps:
                    with suppress(KeyboardInterrupt):
                        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(workbench, "train", work)
    for last in (2, 5):
        assert main(["train", "takes", "--into", "model", "--steps", str(last)]) == 130
        assert done == list(range(1, last + 1))
        done.clear()
    assert main(["train", "takes", "--into", "model"]) == 0
    assert done == [1, 2, 3, 4, 5]
    assert "Traceback" not in capsys.readouterr().err


def test_wrong_usage_is_two():
    for words in ([], ["dance"], ["train"], ["live", "--speed", "9"]):
        with pytest.raises(SystemExit) as left:
            main(words)
        assert left.value.code == 2


def test_the_loop_a_user_walks(capsys, tmp_path):
    """Recordings, train, evaluate, live: the words of one verb are the input of the next."""
    from test_training import small_set

    import gestures

    for n, take in enumerate(small_set().clips):
        folder = take.spans[0].gesture if take.spans else "rest"
        gestures.save_clip(take, tmp_path / "data" / folder / f"{take.person}_{n:02d}.npz")
    code, out, _ = run(capsys, "train", tmp_path / "data", "--into", tmp_path / "m", "--steps", 60, "--seed", 1)
    assert code == 0
    assert "people held out" in out
    assert f"gestures live --model {tmp_path / 'm'}" in out
    code, out, _ = run(capsys, "evaluate", tmp_path / "m", tmp_path / "data", "--json", "--plots", tmp_path / "plots")
    figures = json.loads(out)
    assert {"DR", "FP", "JI", "NTtD", "levenshtein", "false_accepts_per_hour", "hours", "misses"} <= set(figures)
    assert 0 <= figures["video_accuracy"] <= 1
    assert (tmp_path / "plots" / "confusion.png").stat().st_size > 5000
    manifest = json.loads((tmp_path / "m" / "manifest.json").read_text())
    assert manifest["labels"] == ["rest", "go", "nod"]
    assert manifest["made_from"]["seed"] == 1


def test_a_training_struck_by_ctrl_c_goes_on_when_the_same_is_typed_again(capsys, tmp_path, monkeypatch):
    from test_training import small_set

    told = []

    def tell(_, part, at, *__):
        told.append((part, at))
        if len(told) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(Bar, "tell", tell)
    monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)
    for n, take in enumerate(small_set().clips):
        folder = take.spans[0].gesture if take.spans else "rest"
        gestures.save_clip(take, tmp_path / "data" / folder / f"{take.person}_{n:02d}.npz")
    typed = ["train", tmp_path / "data", "--into", tmp_path / "m", "--steps", 6]
    assert run(capsys, *typed)[0] == 130
    assert [path.name for path in (tmp_path / "m").iterdir()] == [".training"]
    assert run(capsys, *typed)[0] == 0
    assert [at for part, at in told[4:] if part == "learning"] == [4, 5, 6]
    assert not (tmp_path / "m" / ".training").exists()


def test_ctrl_c_is_no_stack_trace_and_waits_for_no_farewell(tmp_path, trained):
    """TensorFlow's takes a second."""
    import signal
    import time

    video = write_video(tmp_path / "a.mp4", frames=3000, size=(640, 480))
    # A shell starts its background jobs deaf to Ctrl-C; this one must hear it even when the tests are such a job.
    hear = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); import gestures.cli as c"
    words = ["live", "--source", video, "--model", trained, "--no-window"]
    farewell = "import atexit; atexit.register(print, 'farewell')"
    command = [sys.executable, "-c", f"{hear}; {farewell}; c.program(sys.argv[1:])", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if line.startswith("first picture"):
                break
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    assert "farewell" not in out


@pytest.mark.parametrize("name", ["(1).mp4", "con_01.mp4", "x" * 90 + ".mp4"])
def test_one_odd_file_spoils_no_import(capsys, tmp_path, name, monkeypatch):
    import gestures
    from gestures import importing

    monkeypatch.setattr(importing, "watch", lambda path, person, hands: gestures.Clip.of(observations(1.0), person))
    folder = tmp_path / "videos" / "wave"
    folder.mkdir(parents=True)
    for each in (name, "ana_03.mp4", "._ana_03.mp4"):
        (folder / each).touch()
    code, out, err = run(capsys, "import", tmp_path / "videos", "--into", tmp_path / "set")
    assert code == 0
    assert (tmp_path / "set" / "wave" / "ana_03.npz").exists()
    assert "of 2 videos" in out
    assert ("is left out" in err) == (not name.startswith("x"))


def test_no_take_overwrites_another_of_the_same_import(capsys, tmp_path, monkeypatch):
    import gestures
    from gestures import importing

    monkeypatch.setattr(importing, "watch", lambda path, person, hands: gestures.Clip.of(observations(1.0), person))
    for each in ("rest/a_00.mp4", "idle/a_00.mp4", "wave/a_00.mp4", "wave/a_00.avi"):
        (tmp_path / "videos" / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "videos" / each).touch()
    code, _, err = run(capsys, "import", tmp_path / "videos", "--into", tmp_path / "set")
    assert code == 0
    assert len(list((tmp_path / "set").rglob("*.npz"))) == 4
    assert "is replaced" not in err
    _, _, err = run(capsys, "import", tmp_path / "videos", "--into", tmp_path / "set")
    assert "is replaced" in err
    assert len(list((tmp_path / "set").rglob("*.npz"))) == 4


def test_no_import_overwrites_a_recorded_take(capsys, tmp_path, monkeypatch):
    from gestures import importing
    from gestures.clips import Recorded

    monkeypatch.setattr(importing, "watch", lambda path, person, hands: gestures.Clip.of(observations(1.0), person))
    (tmp_path / "videos" / "wave").mkdir(parents=True)
    (tmp_path / "videos" / "wave" / "ana.mp4").touch()
    folder = tmp_path / "set" / "wave"
    own = gestures.Clip.of(observations(2.0), "ana", (gestures.Span("wave", 0.5, 1.5),))
    gestures.save_clip(replace(own, recorded=Recorded("gestures 0.1.0")), folder / "ana_00.npz")
    (folder / "ana_01.npz").write_bytes(b"of somebody else's")
    assert run(capsys, "import", tmp_path / "videos", "--into", tmp_path / "set")[0] == 0
    assert gestures.load_clip(folder / "ana_00.npz").duration_s > 1.5
    assert (folder / "ana_01.npz").read_bytes() == b"of somebody else's"
    assert gestures.load_clip(folder / "ana_02.npz").duration_s < 1.5


def test_a_mistyped_word_leaves_no_folder_behind(capsys, tmp_path):
    assert "is no folder" in refused(capsys, "import", tmp_path / "nosuch", "--into", tmp_path / "set")
    assert "is no name" in refused(capsys, "record", "a/b", "--into", tmp_path / "set")
    assert "is no name" in refused(capsys, "record", "a", "--person", "*", "--into", tmp_path / "set")
    assert "is no name" in refused(
        capsys, "teach", "a", "--person", "*", "--data", tmp_path / "set", "--into", tmp_path
    )
    assert not [*tmp_path.iterdir()]


def test_a_set_that_a_model_knows_nothing_of_is_not_judged(capsys, tmp_path, trained):
    take = gestures.Clip.of(observations(1.0), "ana", (gestures.Span("dance", 0.2, 0.8),))
    gestures.save_clip(take, tmp_path / "d" / "dance" / "ana_00.npz")
    assert "shows no gesture that" in refused(capsys, "evaluate", trained, tmp_path / "d")


def test_it_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "gestures", "--help"], check=False, capture_output=True, text=True)
    assert done.returncode == 0
    assert "usage: gestures" in done.stdout


def test_a_url_of_a_film_ends_when_the_film_ends(capsys, tmp_path, trained):
    from gestures import Camera

    video = write_video(tmp_path / "a.mp4", frames=8)
    code, _, err = run(capsys, "live", "--source", video.as_uri(), "--model", trained, "--no-window")
    assert (code, "8 pictures" in err) == (0, True)
    with Camera(video.as_uri()) as camera:
        assert len(list(camera)) <= 8


@pytest.mark.parametrize("words", [["--seed", "-1"], ["--steps", "0"], ["--seed", "x"], ["--steps", "9" * 30]])
def test_numbers_that_cannot_be_are_wrong_usage(words, capsys):
    with pytest.raises(SystemExit) as left:
        main(["train", "data", "--into", "m", *words])
    assert left.value.code == 2
    assert "must be a whole number" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [["--json"], []])
def test_the_demo_names_the_gestures_of_its_clip(capsys, flags):
    truth = json.loads((shipped("data/demo") / "demo.json").read_text())["spans"]
    code, out, _ = run(capsys, "demo", "--no-window", *flags)
    assert code == 0
    if flags:
        began = [e for e in map(json.loads, out.splitlines()) if e["phase"] == "began"]
        assert [e["gesture"] for e in began] == [span["gesture"] for span in truth]
        for event, span in zip(began, truth, strict=True):
            assert span["start"] - 0.3 <= event["time"] <= span["end"] + 0.5
            assert list(event) == ["gesture", "phase", "time", "started", "hand", "side", "confidence"]
    else:
        assert len(out.splitlines()) == 2 * len(truth)
        assert np.all([span["gesture"] in out for span in truth])


def test_no_picture_is_drawn_while_a_newer_one_waits_but_ten_a_second_are():
    camera = gestures.Camera()
    camera._frame = None
    assert not watching._hurries(camera, 0.03)
    camera._frame = gestures.Frame(np.zeros((4, 4, 3), np.uint8), 1.0)
    assert watching._hurries(camera, 0.03)
    assert not watching._hurries(camera, 0.2)


def test_every_verb_has_its_function():
    """They are looked up only when a verb is typed."""

    def calls(parser):
        if isinstance(run := parser._defaults.get("run"), partial):
            yield run.args
        for action in parser._actions:
            for below in action.choices.values() if isinstance(action, argparse._SubParsersAction) else ():
                yield from calls(below)

    found = {*calls(parser()), ("lesson", "lesson")}
    assert len(found) >= 15
    for module, function in found:
        assert callable(getattr(importlib.import_module(f"gestures.{module}"), function))
