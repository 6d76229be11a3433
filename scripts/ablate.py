"""What each ingredient of the synthetic hand buys: `scripts/ablate.py --people 150 --steps 1500 --count 40`.

Small starters, each taught with one ingredient left out, are judged on the same rendered streams (see `rendered`) and
on the same idle hands that none of them has met. Each has its levels fitted on held-out people of its own kind, as
anybody would who left that ingredient out. The shipped starter learns far longer: compare the rows with each other.
"""

import argparse
import sys

from rendered import judge, streams
from starter import INGREDIENTS, make, recipe, said_to_idlers

from gestures.console import Bar
from gestures.teaching import teach


def main() -> None:
    """Teach and judge one starter after another, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=150, metavar="N", help="to learn from, each for a minute")
    parser.add_argument("--steps", type=int, default=1500, metavar="N")
    parser.add_argument("--count", type=int, default=40, metavar="N", help="rendered streams to judge on")
    parser.add_argument("--hours", type=float, default=0.5, metavar="H", help="of synthetic idling to judge on")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--without", nargs="+", choices=("nothing", *INGREDIENTS), metavar="WHAT", help="only these")
    options = parser.parse_args()
    seen = list(streams(options.count))
    print("| left out | DR | FP | JI | false accepts an hour |\n|---|--:|--:|--:|--:|", flush=True)
    for without in options.without or ("nothing", *INGREDIENTS):
        takes = make(options.people, 1_000_000 * (1 + options.seed), without)
        with Bar() as bar:
            model = teach(takes, recipe(options.steps, options.seed), bar.tell, revise=False).model
        strict, _ = judge(model, seen)
        pooled, said = strict.pooled.json(), said_to_idlers(model, options.hours)
        figures = " | ".join(f"{pooled[key]:.3f}" for key in ("DR", "FP", "JI"))
        print(f"| {without} | {figures} | {said.total() / options.hours:.0f} |", flush=True)
    print(
        f"{options.people} people, {options.steps} steps, {len(seen)} streams, {options.hours} h idle", file=sys.stderr
    )


if __name__ == "__main__":
    main()
