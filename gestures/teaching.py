"""Takes -> a model one may trust: learnt on some people, judged on others, its levels fitted, then taught on all."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from .bridging import bridged
from .clips import Clip, ClipSet
from .disturbed import TELLING, otherwise
from .errors import TrainingError
from .evaluation import Report, evaluate, report
from .fitting import fit_rules
from .holdout import check, hold_out
from .model import Manifest, Model
from .network import Network, save
from .recipe import Recipe
from .training import Trained, train
from .types import DecisionRules

REVISION = 0.4
"""Share of the steps spent once more on everything, the judged-on part included."""

ENOUGH_S = 600.0
"""Streams that are held out and last longer in all tell where the levels belong as they are."""

Say = Callable[[str, int, int, float], None]
"""Told what is done: the part of the work, how far, of how much, and the loss where there is one."""


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """A finished `model`, how it was judged (`report`, of the model before its last revision) and on whom (`how`)."""

    trained: Trained
    report: Report
    how: str

    @property
    def model(self) -> Model:
        """The model, ready to run."""
        return self.trained.model

    def save(self, folder: Path, title: str) -> None:
        """Write the model folder; raise `ModelError` where that is not allowed."""
        save(self.trained.network, self.model, self.trained.step, self.card(title), folder)

    def card(self, title: str) -> str:
        """The model card."""
        return card(title, self.model.manifest, self.how, self.report)


def card(title: str, manifest: Manifest, how: str, judged: Report) -> str:
    """What a model knows, what it learnt from, how well it does: `judged` on the people or takes that `how` names."""
    revised = (
        " The figures are those of the model before it was taught once more on everything."
        if manifest.made_from.get("revised")
        else ""
    )
    return (
        f"# {title}\n\nGestures: {', '.join(manifest.labels[1:])}.\n\n"
        f"Split: {how}.{revised}\n\n"
        f"{spoken(manifest.rules)}\n\n"
        f"```\n{judged.text()}\n```\n"
    )


def spoken(rules: DecisionRules) -> str:
    """When a model says something, as its card tells it."""
    own = ", ".join(f"{gesture} at {on} after {hold_s} s" for gesture, on, hold_s in rules.per_gesture)
    return f"Speaks at {rules.on} after {rules.hold_s} s{f' ({own})' if own else ''}, falls silent below {rules.off}."


def teach(
    takes: ClipSet,
    recipe: Recipe | None = None,
    say: Say | None = None,
    revise: bool = True,
    network: Network | None = None,
    keep: Path | None = None,
) -> Taught:
    """Train, fit and judge a model; raise `TrainingError` when the clips cannot teach.

    `revise` False leaves out the last lesson on everything, so that the held-out part stays unseen.
    `network` goes on learning where it stands (it is changed); None starts a new one. `keep` as in `train`.
    """
    recipe, tell = recipe or Recipe(), say or (lambda *_: None)
    check(takes)
    learn_from, judge_on, how = hold_out(takes, seed=recipe.seed)
    if not any(clip.spans for clip in judge_on.clips):
        raise TrainingError("too few takes to hold some out for judging: film each gesture three times or more")
    first = train(learn_from, recipe, lambda at, of, loss: tell("learning", at, of, loss), network, keep)
    done, others = 0, otherwise(judge_on.clips, recipe.seed) if _few_streams(judge_on) else []

    def count(_: Clip) -> None:
        nonlocal done
        done += 1
        tell("judging", done, len(judge_on.clips) + len(others), float("nan"))

    how += "; the levels were fitted on the same: expect a little less"
    _, replays = evaluate(first.model, judge_on.clips, count)
    labels = first.model.manifest.labels
    _, disturbed = evaluate(first.model, others, count)
    rules = fit_rules(replays + disturbed, labels, 1 + len(TELLING) if others else 1)
    judged = report([each.judge(labels, rules) for each in replays], labels)
    scores = {key: value for key, value in judged.json().items() if key not in ("per_class", "confusion", "labels")}
    if takes.sequences:
        scores["sequences"] = bridged(first.model, judge_on, recipe.seed)
    made_from = {**first.model.manifest.made_from, "revised": False}
    first.model.manifest = replace(
        first.model.manifest, rules=rules, made_from=made_from, scores={"split": how, **scores}
    )
    taught = Taught(first, judged, how)
    return once_more(taught, takes, recipe, tell, keep) if revise else taught


def _few_streams(held: ClipSet) -> bool:
    """Whether recordings would say more about the levels as other cameras would have them.

    Takes of one gesture each do not: they do not tell how a stream is to be judged, and less so the more they are.
    """
    return any(len(clip.spans) > 1 for clip in held.clips) and sum(c.duration_s for c in held.clips) < ENOUGH_S


def once_more(taught: Taught, takes: ClipSet, recipe: Recipe, say: Say, keep: Path | None = None) -> Taught:
    """`taught` after a last, shorter lesson on all `takes`, the judged-on part included; its figures stay as judged."""
    again, judged = replace(recipe, steps=max(1, round(recipe.steps * REVISION))), taught.model.manifest
    network = taught.trained.network
    last = train(takes, again, lambda at, of, loss: say("revising", at, of, loss), network, keep)
    made_from = {**last.model.manifest.made_from, "steps": recipe.steps, "revised": True}
    last.model.manifest = replace(last.model.manifest, rules=judged.rules, made_from=made_from, scores=judged.scores)
    return replace(taught, trained=last)
