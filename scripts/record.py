"""The recording script: `scripts/record.py …` is `gestures record …`."""

import sys

from gestures.cli import main

if __name__ == "__main__":
    sys.exit(main(["record", *sys.argv[1:]]))
