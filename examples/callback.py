"""Functions that gestures call: see callback.toml. They run on a thread of their own."""

import sys

counted = {"thumb_up": 0, "thumb_down": 0}


def count(order):
    """Count thumbs; `order.event` is the event that began."""
    counted[order.event.gesture] += 1
    print(counted, file=sys.stderr)


def show(order):
    """Show a value that follows the hand."""
    print(f"{order.value:.0f} %", file=sys.stderr)
