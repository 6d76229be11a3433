"""What several tests need: a tiny model with a seed, hands that move, and proof that nothing is left running."""

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import hypothesis
import numpy as np
import pytest

import gestures
from gestures import features, model
from gestures.network import Network, finish, load_keras
from gestures.video import Film

# A shared machine may pause a test for longer than any deadline.
hypothesis.settings.register_profile("project", deadline=None)
hypothesis.settings.load_profile("project")

REPOSITORY = Path(__file__).parents[1]
LABELS = ("rest", "swipe", "wave")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; skips the test where it is absent."""
    folder = Path(os.environ.get("GESTURES_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("the recordings of real people are missing: name their folder in GESTURES_SHARED_DATA")
    return folder


@pytest.fixture(autouse=True)
def _nothing_left_running():
    before = set(threading.enumerate())
    yield
    ours = [each for each in threading.enumerate() if each not in before and each.name.startswith(("camera", "action"))]
    for thread in ours:
        thread.join(10)  # a camera that hung ends when its server does, a moment later
    left = [thread.name for thread in ours if thread.is_alive()]
    assert left == []


@pytest.fixture(scope="session")
def network():
    """A network with two layers and random weights: what matters here is that it remembers, not what."""
    load_keras().utils.set_random_seed(3)
    rng = np.random.default_rng(3)
    made = Network(len(LABELS), (12, 8), rng.normal(size=features.SIZE), rng.uniform(0.5, 2, features.SIZE))
    made.remember(20, seed=3)
    head = made.sequence.get_layer("scores")
    head.kernel.assign(np.asarray(head.kernel) * 8)  # so that it is sure of itself now and then,
    head.bias.assign([-3, 0, 0, -3])  # and not always of rest
    moved = made.both.get_layer("forecast_moved")
    moved.kernel.assign(rng.normal(0, 0.2, moved.kernel.shape))  # a new head knows nothing but the velocity
    return made


@pytest.fixture(scope="session")
def exported(network):
    """The same network as a model to run, with the bytes of its step."""
    probe = np.random.default_rng(4).normal(size=(40, features.SIZE)).astype(np.float32)
    rules = gestures.DecisionRules(on=0.4, off=0.3, hold_s=0.05, rest_s=0.1)
    return finish(network, model.Manifest(LABELS, (12, 8), rules=rules, horizons_s=network.horizons_s), probe)


@pytest.fixture(scope="session")
def tiny(exported):
    """The model of `exported`."""
    return exported[0]


def hand(t=0.0, side="right", at=(0.5, 0.5), size=0.2, aspect=4 / 3):
    """A hand whose place and fingers change smoothly with `t` (s)."""
    joint = np.arange(21)
    finger, along = (joint - 1) // 4, (joint - 1) % 4 + 1
    bend = 0.4 + 0.3 * np.sin(2 * t + finger)
    x = np.where(joint == 0, 0, (finger - 2) * 0.02 + along * 0.002)
    y = np.where(joint == 0, 0, -0.06 - along * 0.02 * np.cos(bend))
    z = np.where(joint == 0, 0, -along * 0.015 * np.sin(bend))
    world = np.stack([x, y, z], 1)
    if side == "left":
        world = world * (-1, 1, 1)
    place = np.array([at[0] + 0.15 * np.sin(3 * t), at[1] + 0.1 * np.cos(2 * t), 0])
    image = world / 0.1 * size * np.array([1, aspect, 1]) + place
    return gestures.Hand(image.astype(np.float32), world.astype(np.float32), side, 0.9, aspect)


def observations(seconds=4.0, rate_hz=30.0, start=0.0):
    """Two hands, of which the left comes late, goes for long and comes again."""
    out = []
    for t in start + np.arange(0, seconds, 1 / rate_hz):
        here = [hand(t, "right", (0.65, 0.5))]
        if 0.5 < t - start < 1.5 or t - start > 2.5:
            here.append(hand(t + 1, "left", (0.25, 0.5)))
        out.append(gestures.Observation(float(t), tuple(here)))
    return out


@pytest.fixture
def url():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


@pytest.fixture
def serve(url):
    """Start the camera at `url`; what starts is killed at the end at the latest."""
    started = []

    def start(how="well"):
        command = [sys.executable, str(Path(__file__).parent / "mjpeg.py"), url.split(":")[2].strip("/"), how]
        started.append(subprocess.Popen(command))
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(command[2]))) == 0:
                    return started[-1]
            time.sleep(0.05)
        pytest.fail("the camera of this test does not start")

    yield start
    for process in started:
        process.kill()
        process.wait()


def demo_until(seconds, folder, since=0.0):
    """A part of the demo clip as a film of its own: landmarking all of it takes long."""
    with gestures.Video(REPOSITORY / "data" / "demo" / "demo.mp4") as video, Film(folder, "demo") as film:
        for frame in video:
            if frame.time > seconds:
                break
            if frame.time >= since:
                film.add(frame)
    return film.path


def clip(gesture="swipe", person="ana", seconds=2.0, phase=0.0):
    """A take of one hand, with its span in the middle."""
    seen = [gestures.Observation(t, (hand(t + phase),)) for t in np.arange(0, seconds, 1 / 30)]
    spans = () if gesture == "rest" else (gestures.Span(gesture, 0.4, seconds - 0.4),)
    return gestures.Clip.of(seen, person, spans)
