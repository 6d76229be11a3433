"""Recording for real: a window with keys pressed by a real X client, a disk that is full, recorders side by side."""

import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import clip, demo_until
from test_recording import LOOP

import gestures
from gestures.console import open_window
from gestures.overlay import COLOURS
from gestures.recording import Assignment, Recorder, keep
from gestures.studio import how_to

needs_x = pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool: apt install xvfb xdotool"
)


@pytest.fixture
def screen(tmp_path):
    """The environment of an X server of its own, and the file its picture lies in."""
    report, told = os.pipe()
    command = [
        "Xvfb",
        "-displayfd",
        str(told),
        "-screen",
        "0",
        "1024x768x24",
        "-fbdir",
        str(tmp_path),
        "-nolisten",
        "tcp",
    ]
    with subprocess.Popen(command, pass_fds=[told], stderr=subprocess.DEVNULL) as server:
        os.close(told)
        with os.fdopen(report) as display:
            number = display.readline().strip()
        try:
            yield {**os.environ, "DISPLAY": f":{number}", "WAYLAND_DISPLAY": ""}, tmp_path / "Xvfb_screen0"
        finally:
            server.terminate()


def press(environment, key):
    """Press a key as a person would, in the window that has just been opened."""
    window = ["search", "--sync", "--onlyvisible", "--name", "gestures record"]
    command = ["xdotool", *window, "windowfocus", "--sync", "key", "--window", "0", key]
    subprocess.run(command, env=environment, check=True, timeout=60, capture_output=True)


def pixels(path, colour):
    """How many pixels of the X server's picture have a colour (BGR)."""
    raw = path.read_bytes()
    head = np.frombuffer(raw[:100], ">u4")
    start, height, line = int(head[0] + 12 * head[19]), int(head[5]), int(head[12])
    picture = np.frombuffer(raw, np.uint8, height * line, start).reshape(height, -1, 4)
    return int((picture[:, :, :3] == colour).all(2).sum())


def drawn_in_time(path, seconds=20):
    """Whether a skeleton comes onto the screen: the window system draws in its own time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if max(pixels(path, colour) for colour in COLOURS.values()) > 20:
            return True
        time.sleep(0.05)
    return False


@needs_x
def test_the_skeleton_is_on_the_screen(tmp_path, screen, url, serve):
    environment, framebuffer = screen
    serve(demo_until(12, tmp_path))
    command = [sys.executable, "-m", "gestures.cli", "record", "wave", "--into", str(tmp_path / "set"), "--source", url]

    def drawn():
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as recorder:
            try:
                return drawn_in_time(framebuffer)
            finally:
                recorder.kill()

    # On a busy machine a window in ten or twenty is never drawn: an X server without a window manager.
    assert any(drawn() for _ in range(4))


@needs_x
def test_takes_are_kept_done_again_and_taken_back_by_keys(tmp_path, screen, url, serve):
    environment, _ = screen
    serve(demo_until(12, tmp_path))  # a film would be over before a slow machine's keys are pressed
    words = [
        "record",
        "wave",
        "--into",
        tmp_path / "set",
        "--seconds",
        "2",
        "--ask",
        "--source",
        url,
    ]
    command = [sys.executable, "-m", "gestures.cli", *map(str, words)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as recorder:

        def heard(words):
            return any(words in line for line in recorder.stderr)

        try:
            for key, answer in (("Return", "take 1 of 10"), ("a", "once more"), ("k", "take 2 of 10")):
                assert heard("Enter keeps it")
                press(environment, key)
                assert heard(answer)
            press(environment, "u")  # while the next take of 2 s is still going on
            assert heard("taken back: ")
            press(environment, "q")
            assert recorder.wait(60) == 0
        finally:
            recorder.kill()
    assert [path.name for path in (tmp_path / "set" / "wave").glob("*.npz")] == ["me_00.npz"]
    assert [path.name for path in (tmp_path / "set" / ".removed" / "wave").glob("*.npz")] == ["me_01.npz"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 kB."""
    if not (sys.platform == "linux" and os.geteuid() == 0):
        pytest.skip("needs root, to make a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip(f"no small disk may be made here: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_told_and_spoils_no_take(small_disk):
    told = []
    with pytest.raises(gestures.ClipError, match="No space left"):
        while len(told) < 99:
            told.append(keep(clip(phase=len(told)), "swipe", small_disk))
    assert told
    there = set(small_disk.glob("swipe/*"))
    assert set(told) <= there
    assert all(path.suffix == ".npz" for path in there)  # nothing half written lies about
    assert len(gestures.load_set(small_disk).clips) == len(there)
    told[0].unlink()
    assert keep(clip(), "swipe", small_disk) == told[0]  # and with room again it goes on


def test_two_recorders_in_one_set_one_of_them_killed(tmp_path):
    program = LOOP.format(tests=os.path.dirname(__file__), into=str(tmp_path))  # noqa: PTH120 - as the loop wants it
    command = [sys.executable, "-c", program]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as one,
        subprocess.Popen(command, stdout=subprocess.PIPE) as other,
    ):
        for _ in range(8):
            one.stdout.readline()
            other.stdout.readline()
        one.send_signal(signal.SIGKILL)
        kept = 8 + len(one.stdout.readlines())
        for _ in range(8):
            other.stdout.readline()
        other.send_signal(signal.SIGKILL)
        kept += 16 + len(other.stdout.readlines())
    time.sleep(0.05)
    assert kept <= len(gestures.load_set(tmp_path).clips) <= kept + 2


@pytest.mark.parametrize(
    ("gesture", "seconds", "keys", "told"),
    [
        ("nod", None, True, "hold a hand still in view, do nod, hold it still again; u takes a take back, q ends"),
        ("nod", None, False, "hold a hand still in view, do nod, hold it still again"),
        ("nod", 2.0, False, "do nod, a hand in view: every 2 s are a take"),
        ("rest", None, False, "do what means nothing, a hand in view: every 30 s are a take"),
    ],
)
def test_a_person_is_told_what_to_do_and_only_keys_that_are_there(tmp_path, gesture, seconds, keys, told):
    recorder = Recorder(Assignment(gesture, "ana", tmp_path, length_s=seconds), lambda _: None)
    assert how_to(recorder, keys, "ends") == told


def test_a_window_that_has_no_screen_is_missed_aloud(monkeypatch, capsys):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert open_window("gestures record") is None
    assert "no screen here" in capsys.readouterr().err
