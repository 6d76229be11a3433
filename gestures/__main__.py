"""`python -m gestures` is `gestures`."""

from .cli import program

if __name__ == "__main__":
    program()
