"""The ratchet: what the shipped model does on committed recordings it never met may get better, not worse."""

import json
from pathlib import Path

import pytest

import gestures
from gestures.console import shipped
from gestures.evaluation import evaluate

PROMISES = json.loads((Path(__file__).parent / "promises.json").read_text())


@pytest.fixture(scope="module")
def starter():
    """The starter model's report on the sample of its set, which was drawn from other seeds than it learnt from."""
    takes = gestures.load_set(shipped("data/starter"))
    report, _ = evaluate(gestures.load(shipped("trained/starter")), takes.clips)
    return report.json()


def test_the_starter_detects_what_it_promised(starter):
    assert starter["pooled"]["annotated"] >= 20
    assert starter["pooled"]["DR"] >= PROMISES["DR"]


def test_the_starter_invents_no_more_than_it_promised(starter):
    assert starter["pooled"]["FP"] <= PROMISES["FP"]
    assert starter["false_accepts"] <= PROMISES["false_accepts"]


def test_the_exported_step_is_keras_to_the_fifth_digit():
    assert gestures.load(shipped("trained/starter")).manifest.parity < 1e-5
