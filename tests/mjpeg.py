"""A camera at a URL, to be killed: `python tests/mjpeg.py PORT HOW`, or a film in place of HOW, again and again.

It listens on this machine only.
"""

import itertools
import sys
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np


class Server(BaseHTTPRequestHandler):
    """Serves pictures until it is killed, `how` they say."""

    how = "well"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        for number in itertools.count():
            _, jpeg = cv2.imencode(".jpg", picture(self.how, number))
            self.wfile.write(b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg))
            self.wfile.write(jpeg.tobytes() + b"\r\n")
            self.wfile.flush()
            time.sleep(0.2 if self.how == "slow" else 0.03)
            if self.how == "hang" and number == 40:
                time.sleep(3600)

    def log_message(self, *_):
        pass


@cache
def film(path):
    """Its pictures."""
    video = cv2.VideoCapture(path)
    return [shown for _ in range(int(video.get(cv2.CAP_PROP_FRAME_COUNT))) for ok, shown in [video.read()] if ok]


def picture(how, number):
    if Path(how).is_file():
        return film(how)[number % len(film(how))]
    if how == "dark":
        return np.zeros((120, 160, 3), np.uint8)
    if how == "grey":
        return np.full((120, 160), 40 + number % 50, np.uint8)
    return np.full((120, 160, 3), (40 + number % 50, 90, 200), np.uint8)


if __name__ == "__main__":
    Server.how = sys.argv[2]
    ThreadingHTTPServer.allow_reuse_address = True
    served = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Server)
    served.serve_forever()
