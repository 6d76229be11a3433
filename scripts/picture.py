"""Makes the README's animation: the demo clip as the program draws it.

scripts/picture.py --into data/demo/demo.webp
"""

import argparse
from pathlib import Path

import cv2

import gestures
from gestures.console import shipped
from gestures.overlay import Overlay, Picture

EVERY = 6
"""One picture of so many: 5 a second of the clip's 30."""


def pictures(model: gestures.Model) -> list[Picture]:
    """Every sixth frame with its overlay, mirrored as the window shows it."""
    recognizer, overlay = gestures.Recognizer(model), Overlay(model.manifest.labels)
    drawn = []
    with gestures.Video(shipped("data/demo/demo.mp4")) as video, gestures.Landmarker() as landmarker:
        for count, frame in enumerate(video):
            seen = landmarker.see(frame)
            picture = overlay.draw(frame, seen, recognizer.scores, recognizer.push(seen))
            if count % EVERY == 0:
                drawn.append(picture)
    return drawn


def main() -> None:
    """Write the animation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, required=True, metavar="FILE", help="a .webp file")
    parser.add_argument("--model", type=Path, default=shipped("trained/starter"), metavar="DIR")
    options = parser.parse_args()
    animation = cv2.Animation()
    animation.frames = pictures(gestures.load(options.model))
    animation.durations = [200] * len(animation.frames)
    cv2.imwriteanimation(str(options.into), animation, [cv2.IMWRITE_WEBP_QUALITY, 35])


if __name__ == "__main__":
    main()
