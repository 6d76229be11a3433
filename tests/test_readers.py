"""Public data sets as clips: joints, axes, hands and spans come out where they belong."""

import sys

import numpy as np
import pytest
from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
import readers

THUMB_TIP, INDEX_MCP, INDEX_TIP, MIDDLE_MCP, PINKY_MCP, PINKY_TIP = 4, 5, 8, 9, 17, 20


def curls_to_the_right(world):
    """Whether bent fingers lie on the side of the palm on which a right hand's do."""
    up, across = world[:, MIDDLE_MCP] - world[:, 0], world[:, INDEX_MCP] - world[:, PINKY_MCP]
    out = np.cross(up, across)
    bent = world[:, [8, 12, 16, 20]] - world[:, [5, 9, 13, 17]]
    return float((bent.mean(1) * out).sum(1).mean()) < 0


@pytest.mark.shared_data
def test_sfinge3d_is_a_right_hand_with_its_streams_annotated(shared_data):
    takes, streams = readers.sfinge3d(shared_data / "sfinge3d")
    assert (len(takes.clips), len(streams.clips)) == (468, 36)
    assert sum(len(clip.spans) for clip in streams.clips) == 137
    assert len(takes.labels) == 13
    assert sum(curls_to_the_right(clip.world[:, 1]) for clip in takes.clips) > 450
    left = [clip for clip in takes.clips if clip.spans[0].gesture == "swipe_left"]
    went = [clip.image[-1, 1, 0, 0] - clip.image[0, 1, 0, 0] for clip in left]
    assert np.median(went) < 0


@pytest.mark.shared_data
def test_fpha_joints_follow_the_fingers(shared_data):
    takes = readers.fpha(shared_data / "fpha")
    assert len(takes.clips) == 600
    assert len(takes.labels) == 45
    assert len(takes.people) == 6
    for clip in takes.clips[::50]:
        bones = np.linalg.norm(np.diff(clip.world[:, 1, 5:9], axis=1), axis=2)
        assert (bones < 0.08).all()
    assert sum(curls_to_the_right(clip.world[:, 1]) for clip in takes.clips) > 550


@pytest.mark.shared_data
def test_mp_data_keeps_absent_hands_absent(shared_data):
    takes = readers.mp_data(shared_data / "mp_data")
    assert takes.people == ("recorder_1", "recorder_2", "recorder_3", "recorder_4")
    assert takes.mirror == {}
    present = np.concatenate([clip.present for clip in takes.clips])
    assert 0.2 < present[:, 0].mean() < 0.95
    palms = [
        np.linalg.norm(clip.world[clip.present][:, 9] - clip.world[clip.present][:, 0], axis=1) for clip in takes.clips
    ]
    assert np.allclose(np.concatenate(palms)[:100], readers.PALM_M, atol=0.02)


def test_a_film_of_metres_keeps_left_left_and_near_large():
    rng = np.random.default_rng(0)
    hand = (rng.uniform(-0.05, 0.05, (3, 21, 3)) + np.array([0.1, -0.1, 0.5])).astype(np.float32)
    far = readers.filmed(hand + np.array([0, 0, 0.5], np.float32), 30, "p", [], focal=1, aspect=1)
    near = readers.filmed(hand, 30, "p", [], focal=1, aspect=1)
    assert (near.image[:, 1, :, 0] > 0.5).all()
    assert (near.image[:, 1, :, 1] < 0.5).all()
    assert np.ptp(near.image[:, 1, :, 0]) > 1.5 * np.ptp(far.image[:, 1, :, 0])
    assert not near.present[:, 0].any()


@pytest.mark.shared_data
def test_sfinge3d_from_opposite_is_the_same_right_hand_the_other_way_round(shared_data):
    behind, opposite = (readers.sfinge3d(shared_data / "sfinge3d", opposite=far)[0].clips for far in (False, True))
    assert sum(curls_to_the_right(clip.world[:, 1]) for clip in opposite) > 450
    went = [
        [
            clip.image[:, 1, 0, 0].max() - clip.image[0, 1, 0, 0]
            for clip in clips
            if clip.spans[0].gesture == "swipe_left"
        ]
        for clips in (behind, opposite)
    ]
    assert np.median(went[0]) < 0.1 < np.median(went[1])
