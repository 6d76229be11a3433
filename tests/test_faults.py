"""What cameras do: go and come back, hang, go dark, change; each told once, counted, and survived."""

import json
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from conftest import REPOSITORY

import gestures
from gestures import camera, faults
from gestures.console import shipped


def watch_until(source, seen, most=2000):
    """The frames of a camera up to the first for which `seen` is true."""
    frames = []
    for frame in source:
        frames.append(frame)
        if seen(frame):
            return frames
        assert len(frames) < most
    return frames


def test_a_camera_whose_server_dies_and_returns(url, serve):
    server = serve()
    with gestures.Camera(url) as source:
        before = watch_until(source, lambda frame: frame.time > 0.3)
        server.kill()
        away = watch_until(source, lambda _: source.faults.counts["lost"] and source.faults.news())
        away += watch_until(source, lambda frame: not frame.image.any())
        serve()
        after = watch_until(source, lambda frame: source.faults.counts["back"] and frame.image.any())
        told = source.faults.news()
    times = [frame.time for frame in before + away + after]
    assert (np.diff(times) > 0).all()
    assert before[-1].image.any()
    assert (source.faults.counts["lost"], source.faults.counts["back"]) == (1, 1)
    assert len(told) == 1
    assert "is back after" in told[0]


def test_a_camera_that_hangs_gives_black_pictures_and_says_so_once(url, serve):
    serve("hang")
    with gestures.Camera(url, stale_s=0.6) as source:
        frames = watch_until(source, lambda frame: source.faults.counts["stalled"])
        frames += watch_until(source, lambda frame: frame.time > frames[-1].time + 1)
        told = source.faults.news()
    assert frames[0].image.any()
    assert not frames[-1].image.any()
    assert source.faults.counts["stalled"] == 1
    assert [line.count("has given no picture for") for line in told] == [1]


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ("dark", "black", "open its shutter"),
        ("slow", "slow", "pictures a second, gestures need 15"),
    ],
)
def test_what_a_camera_does_wrong_is_told_and_counted(url, serve, monkeypatch, how, kind, words):
    monkeypatch.setattr(camera, "SLOW_S", 1.0)
    serve(how)
    with gestures.Camera(url) as source:
        watch_until(source, lambda frame: source.faults.counts[kind] and frame.time > 2.5)
        told = source.faults.news()
    assert sum(words in line for line in told) == 1
    assert kind == "slow" or source.faults.counts[kind] == 1


def test_a_camera_gives_black_pictures_after_a_second_without_light_and_each_time_anew():
    """Noise is no light; a wink is no fault."""
    noted = faults.Faults()
    judge = camera._Judge(noted, "camera 0")
    noise, light = np.full((48, 64, 3), camera.DARK, np.uint8), np.full((48, 64, 3), camera.DARK + 1, np.uint8)

    def see(picture, *times):
        for time_s in times:
            judge.see(picture, time_s)
        return noted.counts["black"]

    assert see(noise, 0.0, 0.9) == 0
    assert see(light, 1.0) == 0
    assert see(noise, 1.1, 2.0) == 0
    assert see(noise, 2.1, 3.0, 9.0) == 1
    assert see(light, 9.1) == 1
    assert see(noise, 9.2, 10.1) == 1
    assert see(noise, 10.2) == 2


def test_grey_pictures_are_pictures(url, serve):
    serve("grey")
    with gestures.Camera(url) as source:
        (frame,) = watch_until(source, lambda _: True)
    assert frame.image.shape == (120, 160, 3)


@pytest.mark.parametrize(
    ("shape", "kind", "gives"),
    [
        ((4, 6), np.uint8, (4, 6, 3)),
        ((4, 6, 1), np.uint8, (4, 6, 3)),
        ((4, 6, 4), np.uint8, (4, 6, 3)),
        ((4, 6, 3), np.uint16, (4, 6, 3)),
        ((4, 6, 2), np.uint8, None),
        ((4, 6, 3), np.float32, None),
        ((0, 6, 3), np.uint8, None),
        ((1 << 13, 1 << 13), np.uint8, None),
    ],
    ids=str,
)
def test_whatever_a_driver_gives_becomes_rgb_or_nothing(shape, kind, gives):
    from gestures.video import to_rgb

    image = to_rgb(np.zeros(shape, kind))
    assert (None if image is None else image.shape) == gives


@pytest.fixture
def live(url):
    """`gestures live` at the camera of this test, deaf to nothing: a shell's background jobs do not hear Ctrl-C."""
    hear = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); import gestures.cli as c"
    words = ["live", "--source", url, "--model", str(shipped("trained/starter")), "--no-window", "--stats", "--json"]
    command = [sys.executable, "-c", f"{hear}; c.program(sys.argv[1:])", *words]
    started = []

    def start():
        process = subprocess.Popen(
            command, cwd=REPOSITORY, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def heard(process, words):
    """The lines up to the one that holds `words`."""
    lines = []
    for line in process.stderr:
        lines.append(line)
        if words in line:
            return lines
    return pytest.fail(f"never said {words!r}: {lines}")


def test_live_outlives_its_camera_and_counts_what_it_lived_through(serve, live):
    server = serve()
    process = live()
    heard(process, "first picture")
    server.kill()
    heard(process, "stopped giving pictures")
    server = serve("dark")
    heard(process, "is back after")
    heard(process, "gives black pictures")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    stats = json.loads(err.splitlines()[-1])
    assert (process.returncode, out) == (130, "")
    assert {kind: stats["faults"][kind] for kind in ("lost", "back", "black")} == {"lost": 1, "back": 1, "black": 1}
    assert stats["pictures"] > 10
    assert 0 < stats["age_ms"]["median"] <= stats["age_ms"]["p99"] <= stats["age_ms"]["max"]


@pytest.mark.parametrize("when", ["opening", "hanging", "away"])
def test_ctrl_c_is_heard_whatever_the_camera_does(url, serve, live, when):
    """Were it not, the test would time out: nothing else ends a read that hangs for an hour."""
    if when == "opening":
        with socket.socket() as mute:
            mute.bind(("127.0.0.1", int(url.split(":")[2].strip("/"))))
            mute.listen()
            process = live()
            caller, _ = mute.accept()
            with caller:
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=5)
    else:
        server = serve("hang")
        process = live()
        heard(process, "first picture")
        if when == "away":
            server.kill()
            heard(process, "stopped giving")
        else:
            time.sleep(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=5)
    assert process.returncode == 130
    assert "Traceback" not in out + err


def test_a_url_that_never_answers_is_given_up(url, monkeypatch):
    """Left to itself OpenCV waits for half a minute, and the mute server of this test no longer than a third of one."""
    monkeypatch.setattr(camera, "OPENING_S", 0.5)
    with socket.socket() as mute, ThreadPoolExecutor() as aside:
        mute.bind(("127.0.0.1", int(url.split(":")[2].strip("/"))))
        mute.listen()
        opening = aside.submit(gestures.Camera(url).__enter__)
        caller, _ = mute.accept()
        with caller:
            caller.settimeout(10)
            while caller.recv(1000):
                pass
        with pytest.raises(gestures.CameraError, match="did not open"):
            opening.result()


@pytest.mark.parametrize(
    ("then", "told"),
    [("gone", "gave no picture for"), ("larger", "changed its pictures")],
)
def test_a_gesture_under_way_ends_when_the_camera_goes_or_changes(monkeypatch, capsys, then, told):
    """Pictures of the demo up to the midst of a gesture, then none, or others; then none at all."""
    import gestures.watching
    from gestures.cli import main

    with gestures.Video(shipped("data/demo/demo.mp4")) as video:
        frames = list(video)
    (first, *_) = json.loads((shipped("data/demo") / "demo.json").read_text())["spans"]
    middle = next(k for k, frame in enumerate(frames) if frame.time > first["end"] - 0.1)
    pictures = [cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR) for frame in frames[:middle]]
    pictures += [None if then == "gone" else cv2.resize(pictures[-1], None, fx=1.2, fy=1.5)] * 20

    class Capture:
        def __init__(self, *_):
            self.number = -1

        def isOpened(self):  # noqa: N802
            return True

        def get(self, _):
            return 0.0

        def read(self):
            time.sleep(1 / 30)
            self.number += 1
            picture = pictures[self.number] if self.number < len(pictures) else None
            return picture is not None, picture

        def release(self):
            pass

    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    monkeypatch.setattr(gestures.watching, "open_source", lambda _: gestures.Camera(0, patience_s=1.2))
    monkeypatch.setattr(camera, "FIRST_PAUSE_S", 9.0)
    code = main(["live", "--json", "--no-window"])
    out, err = capsys.readouterr()
    phases = [json.loads(line)["phase"] for line in out.splitlines()]
    assert code == 1
    assert err.count(told) == 1
    assert err.splitlines()[-1].startswith("gestures: camera 0 gave no picture for")
    assert phases.count("began") == phases.count("ended") > 0


def test_a_gesture_under_way_ends_with_ctrl_c(monkeypatch, capsys):
    import gestures.watching
    from gestures.cli import main

    (first, *_) = json.loads((shipped("data/demo") / "demo.json").read_text())["spans"]

    class Interrupted(gestures.Video):
        def __iter__(self):
            for frame in super().__iter__():
                if frame.time > first["end"] - 0.1:
                    raise KeyboardInterrupt
                yield frame

    monkeypatch.setattr(gestures.watching, "open_source", lambda _: Interrupted(shipped("data/demo/demo.mp4")))
    assert main(["live", "--json", "--no-window"]) == 130
    phases = [json.loads(line)["phase"] for line in capsys.readouterr().out.splitlines()]
    assert phases == ["began", "ended"]


def test_a_fault_is_told_once_a_minute_and_counted_always(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    noted = faults.Faults()
    for second in range(121):
        clock[0] = float(second)
        noted.note("dark", f"dark at {second}")
    assert noted.news() == ["dark at 0", "dark at 60", "dark at 120"]
    assert noted.news() == []
    assert noted.counts == {"dark": 121}


def test_a_list_of_addresses_named_like_a_video_is_no_way_out(tmp_path):
    """FFmpeg would fetch what a playlist names; from a file on disk nothing is fetched."""
    with socket.socket() as trap:
        trap.bind(("127.0.0.1", 0))
        trap.listen()
        trap.settimeout(0.5)
        address = f"http://127.0.0.1:{trap.getsockname()[1]}/x.ts"
        for name in ("a.m3u8", "a.mp4"):
            (tmp_path / name).write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{address}\n#EXT-X-ENDLIST\n")
            with pytest.raises(gestures.CameraError, match="is not a video"):
                gestures.Video(tmp_path / name)
        (tmp_path / "b.mp4").write_text(f"ffconcat version 1.0\nfile {address}\n")
        with pytest.raises(gestures.CameraError, match="is not a video"):
            gestures.Video(tmp_path / "b.mp4")
        with pytest.raises(TimeoutError):
            trap.accept()


def test_a_name_that_reads_as_a_pattern_opens_no_other_files(tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"a_{number:02d}.png"), np.full((48, 64, 3), 60 * number, np.uint8))
    (tmp_path / "a_%02d.png").write_text("no picture")
    with pytest.raises(gestures.CameraError, match="rename it"):
        gestures.Video(tmp_path / "a_%02d.png")
