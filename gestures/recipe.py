"""How a model is trained, in figures."""

from dataclasses import dataclass, field

import numpy as np

from . import features
from .clips import ClipSet
from .lives import Owing

LANES = 32
"""Streams learnt from side by side."""
WINDOW = 32
"""Ticks between two corrections of the weights; the memory goes on across them."""
STEPS_A_GESTURE, STEPS_A_TAKE, FEWEST_GESTURES, ENOUGH = 120, 6, 5, 1200
"""Fewest steps of a small set: so many for each gesture, counted as five at least, or for each take, whichever is more,
and `ENOUGH` at most: of EgoGestAR's videos two sets of five gestures do as well by 600 as by 1,200, all ten do not."""
CROWD = 18
"""Beyond so many gestures takes are visited the more often: of FPHA's 45 actions, 145 takes not learnt from, 88.3 % are
right after 100 visits, 93.8 after 250; of SFINGE3D's 13 gestures a fold of streams is told the same after both."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is trained.

    `steps` corrections of the weights, each by `lanes` streams side by side; `units` of each layer, made of `cell`s;
    `varied` the share of takes that are played otherwise than they were recorded, each time otherwise, `steady` at
    their own pace and with no more noise; `owing` when the answer is owed; `ahead` how much a palm's error of the
    forecast weighs beside the scores' loss, 0: the network does not forecast; `ahead_units` what it is made by.
    """

    steps: int = 2400
    units: tuple[int, ...] = (176,)
    cell: str = "lstm"
    rate_hz: float = features.RATE_HZ
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    dropout: float = 0.4
    varied: float = 1.0
    steady: bool = False
    owing: Owing = field(default_factory=Owing)
    ahead: float = 0.1
    ahead_units: int = 96
    average: float = 0.995  # share of the averaged weights that each step keeps
    lanes: int = LANES
    seed: int = 0


def steps_for(takes: ClipSet) -> int:
    """How many steps a set is worth: about 100 visits to every take, and no fewer than its gestures need.

    The more gestures beyond `CROWD`, the more there are to be told from each other, and the more visits it takes. Where
    visits ask for less than `ENOUGH`, a quarter of what they lack is saved besides: a user's set, five gestures of 20
    takes, does as well by 600 as by 716.
    """
    ticks = sum(clip.duration_s for clip in takes.clips) * features.RATE_HZ
    fewest = max(STEPS_A_GESTURE * max(len(takes.labels), FEWEST_GESTURES), STEPS_A_TAKE * len(takes.clips))
    fewest = ENOUGH if takes.sequences else min(fewest, ENOUGH)
    crowd = max(1.0, len(takes.labels) / CROWD)
    visits = 100 * crowd * ticks / (LANES * WINDOW)
    return int(np.clip(visits - max(0.0, ENOUGH - visits) / 4, fewest, 4500 * crowd))
