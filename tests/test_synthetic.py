"""The animated hand: pure, possible for a hand, true to its directions, and seen as a clip should be."""

from dataclasses import replace

import numpy as np
import pytest

from gestures.clips import Clip
from gestures.errors import InputError
from gestures.motions import MOVES, broken_off
from gestures.performers import CHANNELS, PLACE, RATE_HZ, Actor, Performer, mirrored
from gestures.seeing import frame_times, seen
from gestures.skeleton import LIMITS, PARENTS, POSES, REST, bend, rotation
from gestures.synthetic import GESTURES, IDLE, MIRROR, perform

FACING = {"view_deg": np.zeros(3), "aside_m": 0.0}


def actor(seed=0, side="right"):
    rng = np.random.default_rng(seed)
    return Actor(Performer.random(rng), side, rng)


def test_the_same_seed_gives_the_same_scene_and_the_same_clip():
    one, two = perform(7, 20), perform(7, 20)
    assert one.acts == two.acts
    assert one.motion.keys() == two.motion.keys()
    for side in one.motion:
        np.testing.assert_array_equal(one.motion[side], two.motion[side])
    a, b = seen(one, 3), seen(two, 3)
    np.testing.assert_array_equal(a.image, b.image)
    np.testing.assert_array_equal(a.world, b.world)
    np.testing.assert_array_equal(a.time, b.time)


def test_another_seed_gives_another_scene_and_another_clip():
    assert perform(7, 20).acts != perform(8, 20).acts
    scene = perform(7, 20)
    assert not np.array_equal(seen(scene, 3).image[:100], seen(scene, 4).image[:100], equal_nan=True)


@pytest.mark.parametrize("name", POSES)
def test_every_pose_is_one_a_hand_can_take(name):
    assert (LIMITS[:, 0] <= POSES[name]).all()
    assert (POSES[name] <= LIMITS[:, 1]).all()


def test_hands_stay_within_what_joints_allow():
    for seed in range(5):
        for motion in perform(seed, 30).motion.values():
            assert (LIMITS[:, 0] <= motion[:, :21]).all()
            assert (motion[:, :21] <= LIMITS[:, 1]).all()


def test_bones_keep_their_lengths():
    scene = perform(1, 20)
    hand = scene.posed(scene.performer.side, np.arange(0, 20, 0.05))
    joints = hand.joints()
    lengths = np.linalg.norm(joints - joints[:, PARENTS], axis=-1)
    expected = np.linalg.norm((REST - REST[list(PARENTS)]) * scene.performer.shape, axis=-1)
    np.testing.assert_allclose(lengths, np.tile(expected, (len(lengths), 1)), atol=1e-9)


def test_bending_brings_fingertips_to_the_palm_and_the_thumb_to_the_index():
    flat, fist, pinch = (bend(POSES[name], np.ones(3))[0] for name in ("flat", "fist", "pinch"))
    for tip in (8, 12, 16, 20):
        assert flat[tip, 1] > 0.1
        assert fist[tip, 1] < 0.1
        assert fist[tip, 2] > 0.01  # on the palm's side
    assert np.linalg.norm(pinch[4] - pinch[8]) < 0.02


@pytest.mark.parametrize("loosely", [False, True])
def test_no_hand_jumps(loosely):
    for seed in range(10):
        for motion in perform(seed, 30, loosely=loosely).motion.values():
            assert np.linalg.norm(np.diff(motion[:, PLACE], axis=0), axis=1).max() * RATE_HZ < 8  # m/s
            assert np.abs(np.diff(motion[:, :21], axis=0)).max() * RATE_HZ < 2500  # degrees/s


def test_only_who_gestures_loosely_is_still_on_the_way_when_a_gesture_begins():
    moving = {}
    for loosely in (False, True):
        scenes = [perform(seed, 30, idle=(), busy=1.0, loosely=loosely) for seed in range(12)]
        moving[loosely] = [
            np.linalg.norm(np.diff(scene.motion[act.sides[0]][round(act.start * RATE_HZ) :][:2, PLACE], axis=0))
            for scene in scenes
            for act in scene.acts
        ]
    still, under_way = (np.array(steps) * RATE_HZ for steps in (moving[False], moving[True]))  # m/s
    assert still.max() < 0.2
    assert 0.05 < np.mean(under_way > 0.2) < 0.7


def test_no_hand_stops_short_on_its_way_to_a_gesture_of_two():
    scenes = [perform(seed, 30, gestures=("zoom_in",), idle=(), busy=1.0, loosely=True) for seed in range(20)]
    pairs = [(scene, round(act.start * RATE_HZ)) for scene in scenes for act in scene.acts if len(act.sides) == 2]
    assert len(pairs) > 20
    for scene, at in pairs:
        for motion in scene.motion.values():
            velocity = np.diff(motion[at - 25 : at + 20, PLACE], axis=0) * RATE_HZ
            assert np.linalg.norm(np.diff(velocity, axis=0), axis=1).max() < 0.3  # m/s from one frame to the next


@pytest.mark.parametrize(("looseness", "turned_deg"), [(1, 0), (1.1, 45), (4, 45)])
def test_a_forearm_swings_only_in_loose_swipes_and_no_further_the_looser(looseness, turned_deg):
    for name, heading in (("swipe_left", 1), ("swipe_right", -1)):
        strokes = [
            MOVES[name](replace(someone, performer=replace(someone.performer, looseness=looseness)))
            for someone in map(actor, range(400))
        ]
        yaws = [heading * (stroke.path[-1] - stroke.start)[25] for stroke in strokes]
        assert abs(np.mean(yaws) - turned_deg) < 10


@pytest.mark.parametrize("gesture", ["grab", "open", "circle_cw", "swipe_left", "pinch"])
def test_fingers_lean_to_the_camera_only_where_people_gesture_loosely(gesture):
    leaning = []
    for looseness in (1, 1.1):
        people = [actor(seed) for seed in range(200)]
        people = [replace(who, performer=replace(who.performer, looseness=looseness)) for who in people]
        fingers = [rotation(MOVES[gesture](who).start[24:27])[:, 1] for who in people]
        leaning.append(np.mean([towards > 0.6 for _, _, towards in fingers]))
    assert leaning[0] < 0.05
    assert leaning[1] > 0.15


def test_who_is_loose_holds_a_flat_hand_less_flat():
    bent = []
    for loosely in (False, True):
        people = [actor(seed).performer for seed in range(200)]
        people = [who.loosened(np.random.default_rng(n)) if loosely else who for n, who in enumerate(people)]
        flat = [Actor(who, "right", np.random.default_rng(n)).pose("flat") for n, who in enumerate(people)]
        bent.append(np.std(flat, 0).mean())
    assert bent[1] > 1.5 * bent[0]


def test_who_gestures_loosely_idles_by_the_book():
    for seed in range(3):
        by_the_book, loosely = (perform(seed, 20, busy=0.0, loosely=loosely).motion for loosely in (False, True))
        for side, motion in by_the_book.items():
            np.testing.assert_array_equal(loosely[side], motion)


def moved(gesture, seed, side="right"):
    stroke = MOVES[gesture](actor(seed, side))
    path = np.concatenate([stroke.start[None], stroke.path])
    return stroke, path


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("gesture", "axis", "sign"),
    [("swipe_left", 0, 1), ("swipe_right", 0, -1), ("swipe_up", 1, 1), ("swipe_down", 1, -1)],
)
def test_swipes_go_the_performers_way(gesture, axis, sign, side):
    for seed in range(20):
        _, path = moved(gesture, seed, side)
        way = path[-1, PLACE] - path[0, PLACE]
        assert sign * way[axis] > 0.05
        assert abs(way[axis]) > 2 * np.delete(np.abs(way), axis).max()


@pytest.mark.parametrize("gesture", ["swipe_left", "swipe_right"])
def test_swipes_go_the_performers_way_in_the_picture(gesture):
    for seed in range(12):
        scene = perform(seed, 25, gestures=(gesture,), busy=0.8)
        for act in scene.acts:
            hand = scene.posed(act.sides[0], [act.start, act.end])
            x = hand.joints()[:, 9, 0] / -hand.joints()[:, 9, 2]
            assert (x[1] - x[0] > 0) == (gesture == "swipe_left")  # the performer's left is the picture's right


@pytest.mark.parametrize(("gesture", "anticlockwise"), [("circle_cw", True), ("circle_ccw", False)])
def test_circles_turn_the_performers_way(gesture, anticlockwise):
    for seed in range(20):
        _, path = moved(gesture, seed)
        x, y = (path[:, PLACE] - path[:, PLACE].mean(0))[:, :2].T
        area = np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))
        assert (area > 0) == anticlockwise  # seen by the camera, x right and y up


def test_thumbs_point_up_and_down():
    for seed in range(20):
        for gesture, sign in (("thumb_up", 1), ("thumb_down", -1)):
            for side in ("left", "right"):
                scene = perform(seed, 12, gestures=(gesture,), performer=replaced(seed, side), idle=())
                hand = scene.posed(side, scene.acts[0].end - 0.1)
                joints = hand.joints()
                assert sign * (joints[4, 1] - joints[2, 1]) > 0.02


def replaced(seed, side):
    return replace(Performer.random(np.random.default_rng(seed)), side=side, sides=(side,), **FACING)


def test_push_comes_nearer_and_zoom_moves_what_it_should():
    for seed in range(20):
        _, path = moved("push", seed)
        assert path[-1, 23] - path[0, 23] > 0.05
        for gesture, sign in (("zoom_in", 1), ("zoom_out", -1)):
            stroke, path = moved(gesture, seed)
            if stroke.two_handed:
                gap = path[:, PLACE] - mirrored(path)[:, PLACE]
            else:
                joints = bend(path[:, :21], np.ones(3))[0]
                gap = joints[:, 4] - joints[:, 8]
            opened = np.linalg.norm(gap[-1]) - np.linalg.norm(gap[0])
            assert sign * opened > 0.03


def test_a_broken_off_gesture_stays_short_of_it():
    for seed in range(20):
        stroke, path = moved("swipe_left", seed)
        broken = broken_off(stroke, 0.4)
        whole_m = path[-1, 21] - path[0, 21]
        assert 0 < broken[-1, 21] - path[0, 21] < 0.5 * whole_m
        assert np.linalg.norm(broken[-1] - broken[-2]) < np.linalg.norm(np.diff(broken, axis=0), axis=1).max()


def test_spans_lie_inside_and_apart():
    for seed in range(20):
        scene = perform(seed, 30, busy=0.9)
        ends = [0.0] + [act.end for act in scene.acts]
        for act, last in zip(scene.acts, ends, strict=False):
            assert last <= act.start < act.end <= scene.duration_s


def test_spans_hold_the_stroke_and_not_the_way_back():
    scene = perform(3, 60, gestures=("swipe_left",), busy=1.0)
    for act in scene.acts:
        x = scene.posed(act.sides[0], np.linspace(act.start, act.end, 30)).joints()[:, 9, 0]
        assert np.diff(x).min() > -0.006  # only the hand's restlessness goes against the stroke


def test_every_gesture_and_every_idle_kind_can_be_asked_for_alone():
    for gesture in GESTURES:
        assert {act.gesture for act in perform(0, 20, gestures=(gesture,), busy=1.0).acts} == {gesture}
    for kind in IDLE:
        assert perform(0, 10, gestures=(), idle=(kind,)).acts == ()


def test_mirroring_is_its_own_opposite():
    assert {MIRROR[MIRROR[name]] for name in MIRROR} == set(MIRROR)
    assert set(MIRROR) < set(GESTURES)
    path = np.random.default_rng(0).normal(size=(5, CHANNELS))
    np.testing.assert_array_equal(mirrored(mirrored(path)), path)


def test_the_other_hand_doing_the_mirrored_movement_is_the_mirrored_hand():
    scene = perform(2, 10)
    who = replace(scene.performer, **FACING)
    path = scene.motion[who.side]
    right = replace(scene, performer=who, motion={"right": path}).posed("right", [3.0])
    left = replace(scene, performer=who, motion={"left": mirrored(path)}).posed("left", [3.0])
    np.testing.assert_allclose(left.joints(), right.joints() * (-1, 1, 1), atol=1e-12)
    np.testing.assert_allclose(left.landmarks(), right.landmarks() * (-1, 1, 1), atol=1e-12)
    np.testing.assert_allclose(left.forearm, right.forearm * (-1, 1, 1), atol=1e-12)


def test_another_view_turns_the_whole_scene_about_the_seat():
    scene = perform(4, 10)
    who = scene.performer
    straight = replace(scene, performer=replace(who, view_deg=np.zeros(3)))
    seat = np.array([who.aside_m, 0, -who.depth_m])
    times = np.arange(0, 10, 0.5)
    seen_straight = straight.posed(who.side, times).joints() - seat
    turned = seen_straight @ rotation(who.view_deg).T + seat
    np.testing.assert_allclose(scene.posed(who.side, times).joints(), turned, atol=1e-12)


@pytest.mark.parametrize("rate_hz", [10, 15, 30, 60])
def test_a_clip_at_any_rate_is_whole(rate_hz):
    scene = perform(5, 40)
    clip = seen(scene, 1, rate_hz)
    assert isinstance(clip, Clip)
    assert len(clip.time) == pytest.approx(40 * rate_hz, rel=0.05)
    assert clip.spans
    assert [span.gesture for span in clip.spans] == [act.gesture for act in scene.acts]
    for span, act in zip(clip.spans, scene.acts, strict=True):
        assert span.start == act.start
        assert span.end == min(act.end, clip.time[-1])
    assert 0.2 < clip.present.any(1).mean() < 1
    np.testing.assert_array_equal(np.isnan(clip.image).any((2, 3)), np.isnan(clip.world).all((2, 3)))


def test_frame_times_rise_and_differ():
    times = frame_times(np.random.default_rng(0), 20, 30)
    assert np.diff(times).min() > 0.3 / 30
    assert np.diff(times).std() > 0.01 / 30
    assert times[-1] <= 20


def pictured(scene, marks):
    """Where points (..., 3) m are in the picture (..., 2), 0..1."""
    half = np.tan(np.deg2rad(scene.performer.fov_deg / 2)) * np.array([1, -1 / scene.performer.aspect])
    return 0.5 - marks[..., :2] / marks[..., 2:] / 2 / half


def test_a_clip_that_ends_early_has_the_spans_that_began_by_then():
    scene = perform(11, 40)
    middle = scene.acts[2]
    spans = scene.spans_until((middle.start + middle.end) / 2)
    assert [span.gesture for span in spans] == [act.gesture for act in scene.acts[:3]]
    assert spans[-1].end == (middle.start + middle.end) / 2
    assert scene.spans_until(middle.start) == spans[:2]
    assert len(scene.spans_until(40)) == len(scene.acts)


@pytest.mark.parametrize("offsets", [True, False])
def test_without_noise_landmarks_are_where_the_hand_or_its_joints_are(offsets):
    for seed in range(4):
        scene = perform(seed, 15)
        clip = seen(scene, seed, offsets=offsets, noise=0.0)
        for slot, side in enumerate(("left", "right")):
            if side not in scene.motion:
                assert not clip.present[:, slot].any()  # nobody's side is mistaken
                continue
            there = clip.present[:, slot]
            hand = scene.posed(side, clip.time[there])
            marks = hand.landmarks() if offsets else hand.joints()
            np.testing.assert_allclose(clip.image[there, slot, :, :2], pictured(scene, marks), atol=1e-5)
    assert there.any()


def test_noise_loses_hands_and_grows_with_its_share():
    scenes = [perform(seed, 30, gestures=("swipe_left", "tap"), busy=1.0) for seed in range(4)]
    kept, errors = [], []
    for noise in (0.0, 0.5, 1.0):
        clips = [seen(scene, 0, noise=noise) for scene in scenes]
        kept.append(sum(clip.present.sum() for clip in clips))  # on whichever side
        slot = 0 if scenes[0].performer.side == "left" else 1
        there = clips[0].present[:, slot]
        marks = scenes[0].posed(scenes[0].performer.side, clips[0].time[there]).landmarks()
        errors.append(np.median(np.abs(clips[0].image[there, slot, :, :2] - pictured(scenes[0], marks))))
    assert kept[0] > kept[2]
    assert errors[0] < 1e-5 < errors[1] < errors[2]


def test_what_is_seen_is_where_the_hand_is():
    scene = perform(11, 40)
    clip = seen(scene, 0)
    slot = 0 if scene.performer.side == "left" else 1
    there = clip.present[:, slot]
    marks = scene.posed(scene.performer.side, clip.time[there]).landmarks()
    assert np.median(np.abs(clip.image[there, slot, :, :2] - pictured(scene, marks)), (0, 1)).max() < 0.01
    # MediaPipe's world axes: x right, y down, z away from the camera.
    shape = (marks - marks.mean(1, keepdims=True)) * (1, -1, -1)
    world = clip.world[there, slot] - clip.world[there, slot].mean(1, keepdims=True)
    for axis, least in ((0, 0.85), (1, 0.85), (2, 0.5)):
        assert np.corrcoef(shape[..., axis].ravel(), world[..., axis].ravel())[0, 1] > least
    palm_m = np.linalg.norm(clip.world[there, slot, 9] - clip.world[there, slot, 0], axis=-1)
    assert 0.07 < np.median(palm_m) < 0.12


@pytest.mark.parametrize(
    "wrong",
    [{"gestures": ("slap",)}, {"idle": ("sleep",)}, {"duration_s": 0}, {"duration_s": float("nan")}],
)
def test_what_cannot_be_performed_is_refused(wrong):
    with pytest.raises(InputError):
        perform(**{"seed": 0, "duration_s": 5, **wrong})


def test_a_webcam_without_frames_is_refused():
    with pytest.raises(InputError):
        seen(perform(0, 5), 0, rate_hz=0)
