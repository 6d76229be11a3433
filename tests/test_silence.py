"""Nothing leaves the machine: the kernel is asked whom the program calls while it works."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import clip

from gestures.console import shipped
from gestures.recording import keep

DEMO = str(shipped("data/demo/demo.mp4"))

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: apt install strace")


def internet_calls(tmp_path, *words):
    """The calls with which `words`, its threads and children turned to an internet address.

    That a socket is opened says nothing yet: urllib3, which TensorFlow brings, opens one and binds it to the machine
    itself, to learn whether IPv6 is there.
    """
    log = tmp_path / "calls"
    command = [
        "strace",
        "-f",
        "-qq",
        "-e",
        "trace=connect,sendto,sendmsg,sendmmsg",
        "-o",
        str(log),
        sys.executable,
        *words,
    ]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=300, env=os.environ | {"DISPLAY": ""}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return re.findall(r"(?:connect|send\w+)\(.*AF_INET.*", log.read_text())


@pytest.mark.parametrize("call", ["connect((HOST, 9))", "sendto(b'x', (HOST, 9))"])
def test_a_call_would_be_seen(tmp_path, call):
    # 192.0.2.0/24 belongs to nobody (RFC 5737), and UDP waits for no answer.
    plant = (
        "import socket, threading, contextlib\nHOST = '192.0.2.1'\n"
        "def call():\n with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as s:\n"
        f"  s.{call}\nt = threading.Thread(target=call); t.start(); t.join()"
    )
    assert len(internet_calls(tmp_path, "-c", plant)) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("demo", "--no-window"),
        ("live", "--source", DEMO, "--no-window", "--json"),
        ("record", "rest", "--source", DEMO, "--seconds", "5", "--takes", "1", "--no-window", "--into", "SET"),
        ("train", "SET", "--into", "MODEL", "--steps", "3"),
    ],
    ids=lambda words: words[0],
)
def test_no_verb_calls_the_internet(tmp_path, words):
    for n in range(6):
        keep(clip("swipe", f"p{n}"), "swipe", tmp_path / "set")
        keep(clip("rest", f"p{n}"), "rest", tmp_path / "set")
    places = {"SET": str(tmp_path / "set"), "MODEL": str(tmp_path / "model")}
    assert internet_calls(tmp_path, "-m", "gestures.cli", *(places.get(word, word) for word in words)) == []
