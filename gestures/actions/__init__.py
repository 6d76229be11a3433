"""Events that do things: a file of the user's maps gestures to keys, messages, notes, programs.

* `plan`     the file, read and checked
* `secrets`  what the file may name but must not hold
* `values`   a hand -> a number from 0 to 1, eased
* `modes`    events and hands -> orders: tap, hold, repeat, toggle, analogue; arm and pause
* `workers`  a queue and a thread for each target, so that none is in the pipeline's way
* `layer`    all of it joined: `Actions`
* the targets, each of which takes orders: `calls` and more beside it
"""

from .layer import Actions
from .orders import Action, Order
from .plan import Plan, load_plan

__all__ = ["Action", "Actions", "Order", "Plan", "load_plan"]
