"""Two-step commands: what is meant, what is kept in mind until then, and that only rest is said of it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import LABELS, clip, hand

import gestures
from gestures import (
    augmentation,
    bridging,
    curating,
    features,
    gates,
    holdout,
    lives,
    losses,
    model,
    streams,
    teaching,
    training,
)
from gestures.clips import Span
from gestures.network import Network, finish, load_keras, save
from gestures.recipe import Recipe
from gestures.sequences import Commands, firsts, follow
from gestures.setnote import load_set_note, save_set_note

COMMANDS = {"launch": ("arm", "fire"), "stop": ("arm", "halt"), "again": ("fire", "fire")}


def spans(*names):
    return [Span(name, 2.0 * n + 0.5, 2.0 * n + 1.5) for n, name in enumerate(names)]


def named(*names):
    return [(span.gesture, kept) for span, kept in follow(spans(*names), COMMANDS)]


def test_a_command_is_the_second_gesture_after_the_first_and_spends_it():
    assert named("arm", "fire", "halt") == [("arm", "arm"), ("launch", None), ("halt", None)]
    assert named("halt", "arm", "wave", "halt") == [("halt", None), ("arm", "arm"), ("wave", "arm"), ("stop", None)]
    assert named("fire", "arm", "fire") == [("fire", "fire"), ("arm", "arm"), ("launch", None)]
    assert named("fire", "fire", "fire") == [("fire", "fire"), ("again", None), ("fire", "fire")]
    assert named("arm", "launch", "fire") == [("arm", "arm"), ("launch", None), ("fire", "fire")]
    assert firsts(COMMANDS) == ("arm", "fire")
    assert [span.start for span, _ in follow(spans("arm", "fire")[::-1], COMMANDS)] == [0.5, 2.5]


def life(*names, gap_s=0.0):
    """A hand that does these gestures, each for a second of two; it goes for `gap_s` before the last."""
    seconds = 2.0 * len(names)
    gone = (seconds - 2.0, seconds - 2.0 + gap_s)
    times = [t for t in np.arange(0, seconds + gap_s, 1 / 30) if not gone[0] <= t < gone[1]]
    seen = [gestures.Observation(float(t), (hand(t),)) for t in times]
    meant = spans(*names)
    meant[-1] = replace(meant[-1], start=meant[-1].start + gap_s, end=meant[-1].end + gap_s)
    return gestures.Clip.of(seen, "ana", tuple(meant))


LABELLED = ("rest", "arm", "fire", "launch")


def test_what_idling_is_called_tells_what_is_kept_in_mind():
    (one,) = lives.lives(life("arm", "fire", "fire"), LABELLED, 30.0, sequences={"launch": ("arm", "fire")})
    at = lambda second: (int(one.labels[round(30 * second)]), int(one.silence[round(30 * second)]))
    assert at(0.2) == (0, 0)
    assert at(1.0) == (1, 0)
    assert at(2.2) == (5, 5)  # behind the four labels and "not yet known which" stands the silence after arm
    assert at(3.0) == (3, 5)
    assert at(4.2) == (0, 0)
    assert at(5.0) == (2, 0)
    said = [int(one.words[round(30 * second)]) for second in (1.0, 1.55, 1.7, 1.85, 2.2, 3.0, 3.7, 5.0)]
    assert said == [1, 1, 6, 6, 0, 2, 7, 2], "a fire is a fire, whatever it means, and over when it has been done"
    (plain,) = lives.lives(life("arm", "fire", "fire"), LABELLED, 30.0)
    assert not plain.silence.any()
    assert 3 not in plain.labels


def test_a_hand_that_leaves_takes_what_it_kept_in_mind_along():
    command = {"launch": ("arm", "fire")}
    first, second = lives.lives(life("arm", "fire", gap_s=1.0), LABELLED, 30.0, sequences=command)
    assert 5 in first.labels
    assert set(second.labels.tolist()) == {0, 2}
    (stayed,) = lives.lives(life("arm", "fire", gap_s=0.2), LABELLED, 30.0, sequences=command)
    assert 3 in stayed.labels


def test_a_gesture_that_fades_may_be_followed_by_the_right_silence_alone():
    tf = pytest.importorskip("tensorflow")
    one = np.ones((1, 1), np.float32)

    def loss(likely, label, silence, owed=lives.FADING):
        logits = np.full((1, 1, 6), -9, np.float32)  # rest, arm, fire, launch, not yet known which, rest after arm
        logits[..., likely] = 9
        given = np.array([[label]]), owed * one, one, np.array([[silence]])
        return float(losses.unsaid(tf, tf.constant(logits), *given, 1))

    assert loss(5, 1, 5) < 0.01
    assert loss(1, 1, 5) < 0.01
    assert loss(0, 1, 5) > 5
    assert loss(0, 3, 0) < 0.01
    assert loss(4, 3, 5, owed=0) < 0.01, "while it is early it may be undecided,"
    assert loss(5, 3, 5, owed=0) > 5, "but not silent"
    assert loss(5, 5, 5, owed=1) < 0.01
    assert loss(4, 5, 5, owed=0) > 5, "at rest there is nothing to decide"


def test_what_is_kept_in_mind_is_asked_among_the_silences_alone():
    tf = pytest.importorskip("tensorflow")
    one = np.ones((1, 1), np.float32)

    def loss(likely, silence, kept=2):
        logits = np.full((1, 1, 5), -9, np.float32)
        logits[..., likely] = 9
        return float(losses.forgotten(tf, tf.constant(logits), np.array([[silence]]), one, kept))

    assert loss(0, 0) == pytest.approx(0, abs=1e-3)
    assert loss(4, 4) == pytest.approx(0, abs=1e-3)
    assert loss(3, 4) > 10
    assert loss(0, 3) > 10
    assert loss(2, 3) == pytest.approx(np.log(3)), "a label is none of them"


@pytest.fixture(scope="module")
def minded():
    """A network that keeps two things in mind, and the model made of it."""
    load_keras().utils.set_random_seed(6)
    network = Network(3, (12,), np.zeros(features.SIZE), np.ones(features.SIZE), commands=Commands(2))
    network.remember(20, 1)
    probe = np.random.default_rng(6).normal(size=(40, features.SIZE)).astype(np.float32)
    return network, *finish(network, model.Manifest(LABELS, ()), probe), probe


def test_every_silence_is_said_as_rest(minded):
    network, exported, manifest, _, probe = minded
    logits, _ = network.read(probe[None], exported.begin())
    raised = np.exp(np.asarray(logits)[0])
    whole = raised / raised.sum(1, keepdims=True)
    memory, said = exported.begin(), []
    for row in probe:
        p, memory = exported.step(row, memory)
        said.append(p)
    assert whole.shape[1] == 6
    np.testing.assert_allclose(np.array(said)[:, 0], whole[:, [0, 4, 5]].sum(1), atol=1e-5)
    np.testing.assert_allclose(np.array(said)[:, 1:], whole[:, 1:4], atol=1e-5)
    assert manifest.parity < 1e-5


def test_a_network_that_keeps_things_in_mind_is_explained(minded, tmp_path):
    network, exported, _, step, probe = minded
    save(network, exported, step, "# a card\n", tmp_path / "m")
    weights = gates.read_weights(tmp_path / "m", gestures.load(tmp_path / "m"))
    assert gates.passage(weights, probe).probabilities.shape == (40, 4)
    assert gates.attribution(weights, probe, 1).shape == probe.shape


def test_what_keeps_a_command_in_mind_holds_it_while_it_hears_nothing():
    network = Network(4, (4,), np.zeros(features.SIZE), np.ones(features.SIZE), commands=Commands(1), horizons_s=())
    # Rest and three labels, undecided, then the same as what has just been done.
    rest, under_way, done = np.eye(9)[[0, 1, 6]] * 9
    before = [np.zeros((1, size), np.float32) for _, size in network.states]
    before[-1][:] = 1
    vectors = np.random.default_rng(1).normal(size=(1, 600, features.SIZE)).astype(np.float32)
    for words, holds in ((rest, True), (under_way, True), (done, False)):
        network.sequence.get_layer("words").bias.assign(words)
        _, after = network.read(vectors[:, : 600 if holds else 30], before)
        assert (np.abs(np.asarray(after[-1]) - 1).max() < 0.1) == holds


def test_a_gesture_is_heard_as_done_or_not_however_sure_it_is():
    """What is kept of a doubtful gesture must last as long as what is kept of a sure one."""
    network = Network(4, (4,), np.zeros(features.SIZE), np.ones(features.SIZE), commands=Commands(1), horizons_s=())
    before = [np.zeros((1, size), np.float32) for _, size in network.states]
    vectors = np.zeros((1, 3, features.SIZE), np.float32)
    words, kept = network.sequence.get_layer("words"), []
    words.kernel.assign(np.zeros(words.kernel.shape))
    for likely in (0.05, 0.4, 0.95):
        words.bias.assign(np.log([1 - likely, *[1e-6] * 5, likely, 1e-6, 1e-6]))
        kept.append(np.asarray(network.read(vectors, before)[1][-1]))
    assert np.abs(kept[0]).max() < 1e-6
    assert np.abs(kept[1]).max() > 0.1
    np.testing.assert_allclose(kept[1], kept[2], atol=1e-6)


def test_only_the_keeper_tells_a_command_from_the_gesture_that_ends_it():
    """Else the layers learn it of a first gesture not long ago, and what is kept is not asked of two minutes later."""
    trained = training.train(small_set(), Recipe(steps=3, units=(8,)))
    network = trained.network
    head = np.asarray(network.sequence.get_layer("scores").kernel)
    rest, arm, fire, launch, undecided, armed = range(head.shape[1])
    for a, b in ((rest, armed), (fire, launch)):
        np.testing.assert_allclose(head[:8, a], head[:8, b], atol=1e-7)
        assert np.abs(head[8:, a] - head[8:, b]).max() > 1e-3
    for a, b in ((arm, fire), (rest, undecided), (fire, undecided)):
        assert np.abs(head[:8, a] - head[:8, b]).max() > 1e-3
    # So whatever the layers remember: by how much the two differ follows from what is kept alone.
    network.sequence.get_layer("words").bias.assign(np.eye(9)[0] * 20)  # nothing has just been done
    vectors = np.random.default_rng(3).normal(size=(2, 5, features.SIZE)).astype(np.float32)
    memory = [np.zeros((2, size), np.float32) for _, size in network.states]
    memory[0][1] = memory[1][1] = 0.9
    logits = np.asarray(network.read(vectors, memory)[0])
    apart = logits[..., launch] - logits[..., fire]
    np.testing.assert_allclose(apart[0], apart[1], atol=1e-4)


def small_set():
    takes = [clip(g, "ana", phase=n) for n in range(3) for g in ("arm", "fire", "rest")]
    return gestures.ClipSet(("arm", "fire"), tuple(takes), sequences={"launch": ("arm", "fire")})


def test_training_names_the_command_and_refuses_what_cannot_be_learnt():
    trained = training.train(small_set(), Recipe(steps=2, units=(8,)))
    assert trained.model.manifest.labels == LABELLED
    assert trained.network.sequence.output_shape[0][-1] == 6
    keeper = trained.network.sequence.get_layer("over_time1").cell
    assert not np.any(keeper.recurrent_kernel), "it hears nothing of itself,"
    assert np.ptp(keeper.kernel) > 0, "but the words"
    assert trained.model.step(np.zeros(features.SIZE, np.float32), trained.model.begin())[0].shape == (5,)
    with pytest.raises(gestures.TrainingError, match="launch needs halt, of which there is no take"):
        holdout.check(replace(small_set(), sequences={"launch": ("arm", "halt")}))
    with pytest.raises(gestures.TrainingError, match="launch needs hands that idle between arm and fire"):
        holdout.check(small_set().only(lambda each: bool(each.spans)))


def test_one_hand_does_all_of_a_command_in_a_mirror_as_well():
    takes = replace(small_set(), mirror={})
    made = [
        stream.present.any(0)
        for seed in range(8)
        for stream, _ in streams.compose(takes, streams.donors(takes), np.random.default_rng(seed), 0.0)
    ]
    assert {tuple(sides) for sides in made} == {(True, False), (False, True)}


def test_streams_of_a_known_lag_are_what_they_say():
    rng, takes = np.random.default_rng(1), small_set()
    made = bridging.lagged(takes, "launch", 7.0, True, rng)
    assert [span.gesture for span in made.spans] == ["arm", "launch"]
    assert 7.0 < made.spans[1].start - made.spans[0].end < 20.0
    assert made.time[-1] <= made.spans[1].end
    assert np.diff(made.time[made.present.any(1)]).max() < 0.4, "the hand stays"
    plain = bridging.lagged(takes, "launch", 7.0, False, rng)
    assert [span.gesture for span in plain.spans] == ["fire"]
    assert plain.spans[0].start > 7.0
    assert bridging.lagged(takes.only(lambda each: bool(each.spans)), "launch", 1.0, True, rng) is None


def both_hands():
    """The small set done by either hand."""
    takes = small_set()
    left = [augmentation.mirror(each, {}) for each in takes.clips]
    return replace(takes, clips=(*takes.clips, *left))


def test_no_hand_takes_turns_with_the_other_in_a_command():
    """A hand that comes to idle for another knows nothing of what that one did."""
    rng = np.random.default_rng(2)
    for _ in range(10):
        made = bridging.lagged(both_hands(), "launch", 7.0, True, rng)
        assert made.present.any(0).sum() == 1
    lenders = [np.array([], np.int64)] * len(both_hands().clips)
    composed = [made for _ in range(5) for made, _ in streams.compose(both_hands(), lenders, rng, 0.0)]
    turns = [np.count_nonzero(np.diff(made.present.argmax(1)[made.present.any(1)])) for made in composed]
    assert max(turns) == 1
    takes = both_hands()
    mixed = replace(takes, clips=tuple(c for c in takes.clips if c.present[:, 1].any() == bool(c.spans)))
    assert bridging.lagged(mixed, "launch", 1.0, True, rng) is None, "no hand does all of it"


def test_what_is_kept_is_counted_on_both_sides(monkeypatch):
    monkeypatch.setattr(bridging, "LAGS_S", (1.0,))
    network = Network(4, (8,), np.zeros(features.SIZE), np.ones(features.SIZE), commands=Commands(1))
    head = network.sequence.get_layer("scores")
    head.bias.assign([0, 0, 0, 5, 0, 0])  # says launch whatever it sees: right where it was armed, wrong where not
    made, _, _ = finish(network, model.Manifest(LABELLED, ()), np.zeros((2, features.SIZE), np.float32))
    counts = bridging.bridged(made, small_set(), tries=2)
    assert counts == {"launch": {"1 s": {"kept": 2, "none_invented": 0, "tries": 2}}}
    assert bridging.bridged(made, small_set().only(lambda each: bool(each.spans)), tries=2) == {}


def test_sequences_stand_in_the_sets_note(tmp_path):
    for gesture in ("arm", "fire"):
        gestures.save_clip(clip(gesture), tmp_path / gesture / "ana_00.npz")
    (tmp_path / "set.json").write_text(json.dumps({"format": 1, "sequences": {"launch": ["arm", "fire"]}}))
    assert gestures.load_set(tmp_path).sequences == {"launch": ("arm", "fire")}
    save_set_note(tmp_path, ("fire",))
    assert load_set_note(tmp_path)["sequences"] == {"launch": ("arm", "fire")}
    curating.rename(tmp_path, "fire", "shoot", False)
    assert gestures.load_set(tmp_path).sequences == {"launch": ("arm", "shoot")}
    curating.merge([tmp_path], tmp_path / "both", False)
    assert gestures.load_set(tmp_path / "both").sequences == {"launch": ("arm", "shoot")}
    for wrong in (["arm"], "arm", {"launch": ["arm"]}, {"launch": ["arm", "fire", "on"]}, {"launch": [1, 2]}):
        (tmp_path / "set.json").write_text(json.dumps({"format": 1, "sequences": wrong}))
        with pytest.raises(gestures.ClipError, match=r"set\.json cannot be read"):
            gestures.load_set(tmp_path)


def test_teaching_says_for_how_long_a_command_is_kept_in_mind(monkeypatch):
    monkeypatch.setattr(bridging, "LAGS_S", (1.0,))
    takes = [clip(g, p, phase=n) for n, p in enumerate(("ana", "bo", "cy", "di")) for g in ("arm", "fire", "rest") * 2]
    both = gestures.ClipSet(("arm", "fire"), tuple(takes), sequences={"launch": ("arm", "fire")})
    taught = teaching.teach(both, Recipe(steps=1, units=(4,)), revise=False)
    counts = taught.model.manifest.scores["sequences"]["launch"]["1 s"]
    assert counts["tries"] == bridging.TRIES
    assert bridging.text({"launch": {"1 s": counts}}).startswith(f"launch after   1 s: known {counts['kept']} of 5")
