"""The scores against published figures, worked examples and laws."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gestures.clips import Span
from gestures.errors import InputError
from gestures.scoring import Detection, Stream, detections, levenshtein, match, score, start_rule, strict
from gestures.types import Event

SHREC_2022 = {  # participant: class means of DR, FP, JI
    "Stronger": (0.719, 0.340, 0.589),
    "Stronger+EN": (0.703, 0.354, 0.561),
    "2ST-GCN 1F": (0.684, 0.328, 0.524),
    "TN-FSM": (0.727, 0.339, 0.560),
    "TN-FSM+JD": (0.771, 0.233, 0.633),
    "TN-FSM+JD+SC": (0.745, 0.358, 0.561),
}


def read_shrec(path: Path, width: int) -> dict[str, list[list[str]]]:
    """Stream id -> rows of `width` fields; the last one may lack its semicolon."""
    lines = [line.strip().rstrip(";").split(";") for line in path.read_text("utf-8").splitlines() if line.strip()]
    assert all(len(line) % width == 1 for line in lines)
    return {line[0]: [line[i : i + width] for i in range(1, len(line), width)] for line in lines}


def stream(truth: str, found: str = "", duration_s: float = 100.0) -> Stream:
    """Streams written as "label start end", "label start end decided", separated by commas."""
    spans = [Span(row[0], *map(float, row[1:])) for row in map(str.split, truth.split(",")) if row]
    told = [Detection(row[0], *map(float, row[1:])) for row in map(str.split, found.split(",")) if row]
    return Stream(spans, told, duration_s)


def counts(truth: str, found: str, rule=strict) -> tuple[int, int, int]:
    """True detections, misses, false ones."""
    pooled = score([stream(truth, found)], rule).pooled
    return pooled.ok, pooled.missed, pooled.false


@pytest.mark.shared_data
@pytest.mark.parametrize("participant", SHREC_2022)
def test_shrec_2022_conformance(shared_data, participant):
    folder = shared_data / "shrec22_scoring"
    truth = read_shrec(folder / "annotations.txt", 3)
    found = read_shrec(folder / f"{participant}.txt", 4)
    assert truth.keys() == found.keys()
    streams = [
        Stream(
            [Span(label, float(start), float(end)) for label, start, end in rows],
            [Detection(row[0], *map(float, row[1:])) for row in found[name]],
            duration_s=0.0,
        )
        for name, rows in truth.items()
    ]
    figures = score(streams).json()
    assert (len(streams), figures["pooled"]["annotated"], len(figures["per_class"])) == (144, 576, 16)
    assert tuple(round(figures[key], 3) for key in ("DR", "FP", "JI")) == SHREC_2022[participant]


def test_levenshtein_worked_example():
    assert levenshtein("123456789", "1274566789") == 2
    truth = ",".join(f"g{label} {i} {i + 1}" for i, label in enumerate("123456789"))
    found = ",".join(f"g{label} {i} {i + 1} {i}" for i, label in enumerate("1274566789"))
    figures = score([stream(truth, found)]).json()
    assert figures["levenshtein_distance"] == 2
    assert f"{figures['levenshtein']:.2%}" == "77.78%"


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("", "", 0), ("abc", "", 3), ("", "abc", 3), ("ab", "ba", 2), ("kitten", "sitting", 3)],
)
def test_levenshtein_distance(one, other, distance):
    assert levenshtein(one, other) == distance


def test_a_stream_without_prediction_costs_its_length():
    figures = score([stream("a 0 1, b 2 3, c 4 5", ""), stream("a 0 1", "a 0 1 1")]).json()
    assert figures["levenshtein_distance"] == 3
    assert figures["levenshtein"] == pytest.approx(1 / 4)


@pytest.mark.parametrize(
    ("truth", "found", "expected"),
    [
        pytest.param("a 10 20", "a 10 20 15", (1, 0, 0), id="exact"),
        pytest.param("a 10 20", "a 10 20 15, a 11 19 15", (1, 0, 1), id="an annotation is matched once"),
        pytest.param("a 10 20, a 12 22", "a 11 21 15, a 11 21 15", (2, 0, 0), id="the second takes the next"),
        pytest.param("a 10 20", "b 10 20 15", (0, 1, 1), id="another label"),
        pytest.param("a 10 20", "a 15 25 16", (1, 0, 0), id="overlap of a half"),
        pytest.param("a 10 20", "a 15.1 25 16", (0, 1, 1), id="overlap below a half"),
        pytest.param("a 10 20", "a 12 16 13", (0, 1, 1), id="within, but less than a half"),
        pytest.param("a 10 20", "a 5 25 16", (1, 0, 0), id="twice as long"),
        pytest.param("a 10 20", "a 5 25.1 16", (0, 1, 1), id="more than twice as long"),
        pytest.param("a 10 20", "a 30 40 35", (0, 1, 1), id="elsewhere"),
        pytest.param("a 10 20", "", (0, 1, 0), id="nothing predicted"),
        pytest.param("", "a 10 20 15", (0, 0, 1), id="nothing annotated"),
    ],
)
def test_strict_rule(truth, found, expected):
    assert counts(truth, found) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("a 9 50 9", (1, 0, 0)),
        ("a 8.9 20 9", (0, 1, 1)),
        ("a 20 21 20", (1, 0, 0)),
        ("a 20.1 21 20", (0, 1, 1)),
        ("b 10 20 10", (0, 1, 1)),
        ("a 9 20 9, a 10 20 10", (1, 0, 1)),
    ],
)
def test_start_rule(found, expected):
    assert counts("a 10 20", found, start_rule(tolerance_s=1.0)) == expected


def test_the_first_annotation_that_fits_is_taken():
    first, second, found = Span("a", 10, 20), Span("a", 12, 22), Detection("a", 12, 20, 20)
    assert match([second, first], [found]) == [(found, first)]


def test_detections_are_taken_in_the_order_of_their_start():
    late, early = Detection("a", 11, 20, 20), Detection("a", 10, 20, 20)
    assert match([Span("a", 10, 20)], [late, early]) == [(early, Span("a", 10, 20))]


def test_class_means_and_pooled_figures():
    figures = score([stream("a 0 2, a 10 12, a 20 22, b 30 32", "a 0 2 1, b 30 32 31, b 40 42 41, c 50 52 51")]).json()
    assert figures["DR"] == pytest.approx((1 / 3 + 1) / 2)
    assert figures["FP"] == pytest.approx((0 + 1) / 2)
    assert figures["JI"] == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert figures["pooled"]["DR"] == pytest.approx(2 / 4)
    assert figures["pooled"]["FP"] == pytest.approx(2 / 4)
    assert figures["pooled"]["JI"] == pytest.approx(2 / 6)
    assert figures["misses"] == pytest.approx(2 / 4)
    assert figures["per_class"]["c"] == {
        "DR": None, "FP": None, "JI": 0, "annotated": 0, "ok": 0, "missed": 0, "false": 1
    }  # fmt: skip


def test_time_to_detect_and_delays_are_over_true_detections():
    figures = score(
        [stream("a 10 20, a 30 40, a 50 54, b 60 70", "a 11 21 15, a 30 40 31, a 51 54 54, b 0 9 9")]
    ).json()
    assert figures["NTtD"] == pytest.approx((0.5 + 0.1 + 1) / 3)
    assert figures["misses"] == pytest.approx(1 / 4)
    assert figures["NTtD_median"] == pytest.approx(0.5)
    assert figures["delay_s"] == pytest.approx((5 + 1 + 4) / 3)
    assert figures["delay_from_reported_start_s"] == pytest.approx((4 + 1 + 3) / 3)


def test_no_false_accept_gives_only_a_bound():
    figures = score([stream("", "", 1800), stream("", "", 3600), stream("a 0 1", "b 0 1 1", 3600)]).json()
    assert figures["hours"] == 1.5
    assert (figures["false_accepts"], figures["false_accepts_per_hour"]) == (0, 0)
    assert figures["false_accepts_per_hour_bound"] == pytest.approx(2)


def test_false_accepts_per_hour_count_idle_streams_only():
    figures = score([stream("", "a 0 1 1, b 2 3 3, a 4 5 5", 1800), stream("a 0 1", "b 0 1 1", 3600)]).json()
    assert figures["hours"] == 0.5
    assert (figures["false_accepts"], figures["false_accepts_per_hour"]) == (3, 6)
    assert figures["false_accepts_per_hour_bound"] is None


def test_nothing_to_count_is_none():
    figures = score([]).json()
    given = {key for key, value in figures.items() if value is not None}
    assert given == {"pooled", "levenshtein_distance", "false_accepts", "hours", "per_class"}


def event(phase: str, time: float, gesture: str = "wave", started: float = 0.0, hand: int = 0) -> Event:
    return Event(gesture, phase, time, started, hand, "right", 0.9)


def test_events_pair_by_gesture_and_hand():
    told = [
        event("began", 2.0, started=1.5, hand=7),
        event("began", 2.5, started=1.0, hand=8),
        event("ended", 3.0, started=1.0, hand=8),
        event("began", 3.5, "fist", started=3.25, hand=8),
        event("ended", 4.0, started=1.5, hand=7),
    ]
    both = [Detection("wave", 1.0, 3.0, 2.5), Detection("wave", 1.5, 4.0, 2.0)]
    assert detections(told) == [*both, Detection("fist", 3.25, 4.0, 3.5)]
    assert detections(told, until=9.0) == [*both, Detection("fist", 3.25, 9.0, 3.5)]
    assert detections([event("began", -0.5, started=-1.0)], until=0.0) == [Detection("wave", -1.0, 0.0, -0.5)]
    assert detections([]) == []


def test_an_end_that_lies_before_events_told_sooner_ends_no_other_before_it_began():
    told = [event("began", 0.5), event("began", 2.5, "fist", started=2.2, hand=8), event("ended", 1.0)]
    assert detections(told) == [Detection("wave", 0.0, 1.0, 0.5), Detection("fist", 2.2, 2.5, 2.5)]


ENDED_FIRST = [event("ended", 1.0)]
BEGAN_TWICE = [event("began", 1.0), event("began", 2.0)]
ENDED_ANOTHER = [event("began", 1.0), event("ended", 2.0, "fist")]
ENDED_ON_ANOTHER_HAND = [event("began", 1.0), event("ended", 2.0, hand=1)]


@pytest.mark.parametrize("told", [ENDED_FIRST, BEGAN_TWICE, ENDED_ANOTHER, ENDED_ON_ANOTHER_HAND])
def test_events_out_of_turn_are_refused(told):
    with pytest.raises(InputError, match="out of turn"):
        detections(told)


@pytest.mark.parametrize("times", [(1, 0, 0), (math.nan, 1, 1), (0, math.inf, 1), (0, 1, math.nan)])
def test_times_that_are_none_are_refused(times):
    with pytest.raises(InputError, match="Detection of a must"):
        Detection("a", *times)
    with pytest.raises(InputError, match=r"Stream\.duration_s"):
        Stream([], [], -1.0)


LABELS = st.sampled_from("abc")
TIMES = st.integers(0, 400).map(lambda tenths: tenths / 10)
LENGTHS = st.integers(1, 100).map(lambda tenths: tenths / 10)
SPANS = st.builds(lambda label, start, length: Span(label, start, start + length), LABELS, TIMES, LENGTHS)
FOUND = st.builds(
    lambda label, start, length, wait: Detection(label, start, start + length, start + wait),
    LABELS, TIMES, LENGTHS, LENGTHS,
)  # fmt: skip
STREAMS = st.lists(st.builds(Stream, st.lists(SPANS, max_size=6), st.lists(FOUND, max_size=6), LENGTHS), max_size=5)
RULES = st.sampled_from([strict, start_rule()])


@given(STREAMS, RULES)
def test_rates_stay_in_their_range(streams, rule):
    figures = score(streams, rule).json()
    for row in (figures, figures["pooled"], *figures["per_class"].values()):
        for key in ("DR", "JI"):
            assert row[key] is None or 0 <= row[key] <= 1
        assert row["FP"] is None or row["FP"] >= 0
    pooled = figures["pooled"]
    assert pooled["ok"] + pooled["missed"] == sum(len(s.truth) for s in streams)
    assert pooled["ok"] + pooled["false"] == sum(len(s.detections) for s in streams)


@given(st.lists(st.lists(SPANS, min_size=1, max_size=6), min_size=1, max_size=4), RULES)
def test_a_perfect_prediction_has_the_best_scores(truths, rule):
    streams = [Stream(spans, [Detection(s.gesture, s.start, s.end, s.end) for s in spans], 60.0) for spans in truths]
    figures = score(streams, rule).json()
    assert (figures["DR"], figures["FP"], figures["JI"]) == (1, 0, 1)


def test_sums_do_not_round_by_the_order_of_streams():
    streams = [stream("", "", length) for length in (0.1, 0.2, 0.3)]
    streams += [stream("a 0 1", f"a 0 1 {decided}") for decided in (0.1, 0.2, 0.3)]
    assert score(streams[::-1]).json() == score(streams).json()


@given(STREAMS, st.randoms(), RULES)
def test_the_order_of_streams_does_not_matter(streams, random, rule):
    shuffled = random.sample(streams, len(streams))
    assert score(shuffled, rule).json() == score(streams, rule).json()


@given(st.lists(SPANS, max_size=6), st.lists(FOUND, max_size=6), st.randoms(), RULES)
def test_the_order_within_a_stream_does_not_matter_to_the_rates(spans, found, random, rule):
    mixed = Stream(random.sample(spans, len(spans)), random.sample(found, len(found)), 60.0)
    one, other = score([mixed], rule).json(), score([Stream(spans, found, 60.0)], rule).json()
    assert one["pooled"] == other["pooled"]
    assert one["per_class"] == other["per_class"]
