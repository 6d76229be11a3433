"""The training script: `scripts/train.py …` is `gestures train …`."""

import sys

from gestures.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
