"""Long-lag tasks: sequences as the papers say, criteria that bite, and our layer doing what others cannot."""

import re
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
import lags
import learner
import memory

from gestures.network import load_keras


def texts(symbols):
    return "".join(lags.SYMBOLS[i] for i in symbols)


def reber(text):
    """Whether `text` is a string of the Reber grammar, by a walk over its textbook diagram."""
    diagram = {0: "B1", 1: "T2P3", 2: "S2X4", 3: "T3V5", 4: "X3S6", 5: "P4V6", 6: "E7"}
    at = 0
    for letter in text:
        moves = dict(re.findall(r"(\w)(\d)", diagram.get(at, "")))
        if letter not in moves:
            return False
        at = int(moves[letter])
    return at == 7


def test_embedded_strings_are_of_the_grammar_and_remember_their_second_letter():
    stream = lags.ContinualReber(np.random.default_rng(1), 4)
    parts = [stream.read(33) for _ in range(30)]
    lines = np.concatenate([part.inputs.argmax(2) for part in parts], 1)
    following = np.concatenate([part.targets.argmax(2) for part in parts], 1)
    np.testing.assert_array_equal(lines[:, 1:], following[:, :-1])
    strings = re.findall(r"B[TP]B.*?E[TP]E", texts(lines[0]))
    assert "".join(strings) == texts(lines[0])[: len("".join(strings))]
    assert len(strings) > 50
    for string in strings:
        assert reber(string[2:-2]), string
        assert string[1] == string[-2]
    assert {string[1] for string in strings} == {"T", "P"}


def test_legal_is_what_the_grammar_allows_next():
    batch = lags.embedded_reber(np.random.default_rng(2), 300)
    assert ((batch.legal - batch.targets)[batch.counts > 0] >= 0).all()
    for row, legal, counts in zip(batch.inputs, batch.legal, batch.counts, strict=True):
        text = texts(row.argmax(1)[: int(counts.sum())])
        assert len(text) >= 8
        # The last letter asked for but one is the second letter, and only that.
        assert texts(np.flatnonzero(legal[len(text) - 2])) == text[1]
        assert texts(np.flatnonzero(legal[len(text) - 1])) == "E"


def test_the_answers_of_the_other_tasks_follow_from_their_first_ticks():
    rng = np.random.default_rng(3)
    added, multiplied = lags.adding(rng, 200, 100), lags.multiplying(rng, 200, 100)
    for batch, answer in ((added, lambda pair: 0.5 + pair.sum() / 4), (multiplied, np.prod)):
        ends = batch.counts.argmax(1)
        assert (batch.counts.sum(1) == 1).all()
        assert 99 <= ends.min() < ends.max() <= 109
        for row, end, target in zip(batch.inputs, ends, batch.targets, strict=True):
            marked = np.flatnonzero(row[:, 1] == 1)
            assert len(marked) == 2
            assert marked[0] < 10
            assert marked[1] < 50
            assert target[end, 0] == pytest.approx(answer(row[marked, 0]), abs=1e-6)
    for places, classes in ((lags.SIX_A, 4), (lags.SIX_B, 8)):
        batch = lags.order(rng, 200, places)
        line, ends = batch.inputs.argmax(2), batch.counts.argmax(1)
        for row, end, target in zip(line, ends, batch.targets, strict=True):
            letters = row[: end + 1][row[: end + 1] < 2]
            assert len(letters) == len(places)
            assert target[end].argmax() == int("".join(map(str, letters)), 2)
            assert (row[0], row[end]) == (2, 3)
        assert len(set(batch.targets.max(1).argmax(1))) == classes
    batch = lags.irregular(rng, 50, 100, 10)
    line, ends = batch.inputs.argmax(2), batch.counts.argmax(1)
    assert ends.min() >= 102
    assert (line[np.arange(50), ends] == 3).all()
    np.testing.assert_array_equal(batch.targets[np.arange(50), ends].argmax(1), line[:, 1])


def test_wrong_is_one_answer_that_counts_and_is_off():
    task = memory.TASKS["order 6a"]
    batch = task.make(np.random.default_rng(4), 5)
    said = batch.targets.copy()
    assert not task.wrong(said, batch).any()
    said[1, 3] += 1  # not asked for
    said[2, batch.counts[2].argmax()] -= 0.29
    said[3, batch.counts[3].argmax()] += 0.31
    assert task.wrong(said, batch).tolist() == [False, False, False, True, False]
    task = memory.TASKS["reber"]
    batch = task.make(np.random.default_rng(5), 3)
    said = batch.legal * 0.5
    assert not task.wrong(said, batch).any()
    illegal = np.flatnonzero(batch.legal[1, 4] == 0)[0]
    said[1, 4, illegal] = 0.6
    assert task.wrong(said, batch).tolist() == [False, True, False]


def test_one_operation_for_a_whole_sequence_is_the_layer_tick_by_tick():
    """What it tells, its memory, and the gradients of all weights; from a memory that is not empty."""
    tf = pytest.importorskip("tensorflow")
    keras = load_keras()
    rng = np.random.default_rng(9)
    cell = keras.layers.LSTMCell(5)
    cell.build((None, 3))
    cell.bias.assign(rng.normal(size=20))
    x = tf.constant(2 * rng.normal(size=(4, 12, 3)), tf.float32)
    begun = [tf.constant(rng.normal(size=(4, 5)), tf.float32) for _ in "hc"]

    def read(how):
        with tf.GradientTape() as tape:
            told, (h, c) = how(cell, x, begun)
            loss = tf.reduce_sum(told**2) + tf.reduce_sum(tf.sin(h) + c**2)
        return [told, h, c, *tape.gradient(loss, cell.trainable_variables)]

    for one, other in zip(read(learner.lstm_over_time), read(learner.over_time), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_both_sequences_of_task_2a_come_in_turn():
    batch = lags.locally_regular(np.random.default_rng(6), 8)
    first, last = batch.inputs[:, 0].argmax(1), batch.targets[:, -1].argmax(1)
    np.testing.assert_array_equal(first, last)
    assert first.sum() == 4
    np.testing.assert_array_equal(batch.inputs[:, 1:].argmax(2), batch.targets[:, :-1].argmax(2))


def test_our_layer_remembers_what_keras_defaults_forget():
    """Order of two letters over 100 ticks, cut to what the test's ten seconds allow."""
    task = replace(memory.TASKS["order 6a"], sequences=6400, tested=500, recent=500)
    ours = memory.run(task, "gestures", 0)
    assert ours.sequences is not None
    assert ours.wrong <= 2
    other = memory.run(replace(task, sequences=ours.sequences), "keras LSTM", 0)
    assert other.sequences is None
    assert other.wrong > 250


def test_results_are_kept_and_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(memory.TASKS, "reber", replace(memory.TASKS["reber"], sequences=40, tested=20))
    first = memory.table(["reber"], ["gestures"], 1)
    monkeypatch.setattr(memory, "Learner", None)  # whoever learns again fails
    assert memory.table(["reber"], ["gestures"], 1) == first
    monkeypatch.setitem(memory.TASKS, "order 6a", replace(memory.TASKS["order 6a"], rate=1.0))
    assert memory.table(["reber"], ["gestures"], 1) == first, "what another task asks for changes nothing here"
    for change in ({"rate": 1.0}, {"make": partial(lags.adding, lag=50)}):
        with monkeypatch.context() as changed:
            changed.setitem(memory.TASKS, "reber", replace(memory.TASKS["reber"], **change))
            with pytest.raises(TypeError):
                memory.table(["reber"], ["gestures"], 1)
    assert "reber" in memory.text(first)
    assert "0/1 after   never" in memory.text(first)
