"""The rendered hand: the mesh moves with the joints, the same seed draws the same picture, and MediaPipe finds it."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from conftest import REPOSITORY
from conftest import hand as hand_seen

import gestures
from gestures.console import shipped
from gestures.evaluation import evaluate
from gestures.importing import watch
from gestures.landmarks import Landmarker
from gestures.performers import Performer
from gestures.skeleton import POSES, REST, PosedHand, bend
from gestures.synthetic import perform
from gestures.types import Frame

sys.path.insert(0, str(REPOSITORY / "scripts"))
import demo
import hand_mesh
import hand_studio
import render
import rendered
from hand_look import Look


@pytest.fixture(scope="module")
def mesh():
    try:
        return hand_mesh.load_mesh(hand_mesh.fetch_mesh())
    except hand_mesh.MeshError as error:
        pytest.skip(str(error))


def hand(pose, side="right"):
    return PosedHand(side, POSES[pose], np.eye(3), np.array([0, -0.1, -0.6]), np.array([0, -1.0, 0]), np.ones(3))


def studio(side, gesture="wave", seed=3, **look):
    who = replace(
        Performer.random(np.random.default_rng(seed)),
        side=side,
        sides=(side,),
        depth_m=0.55,
        fov_deg=60.0,
        view_deg=np.zeros(3),
        aside_m=0.0,
    )
    scene = perform(seed, 8, gestures=(gesture,), busy=1.0, performer=who)
    look = replace(Look.random(np.random.default_rng(seed)), **{"person": False, "gain": 1.0, "noise": 0.005, **look})
    return hand_studio.Studio(scene, look, seed)


def test_a_hand_at_rest_is_the_mesh_itself(mesh):
    at_rest = replace(hand("flat"), angles=np.zeros(21))
    vertices, normals = mesh.posed(at_rest)
    np.testing.assert_allclose(vertices, mesh.vertices, atol=1e-6)
    np.testing.assert_allclose(normals, hand_mesh.unit(mesh.normals), atol=1e-6)


@pytest.mark.parametrize("pose", ["open", "fist", "pinch", "thumb"])
def test_the_mesh_follows_the_joints(mesh, pose):
    joints = bend(POSES[pose], np.ones(3))[0]
    vertices, _ = mesh.posed(hand(pose))
    for joint in range(1, 21):
        near = mesh.weights[:, joint] > 0.6
        if near.any():
            moved = np.linalg.norm(vertices[near] - joints[joint], axis=1)
            rest = np.linalg.norm(mesh.vertices[near] - REST[joint], axis=1)
            np.testing.assert_allclose(moved, rest, atol=0.012)


def test_triangles_face_outward(mesh):
    corners = mesh.vertices[mesh.triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert ((across * mesh.normals[mesh.triangles[:, 0]]).sum(1) > 0).mean() > 0.97
    tube, outward, triangles = hand_mesh.tube(
        np.linspace([0, 0, 0], [0, -1, 0], 5), np.full((5, 2), 0.1), np.array([1.0, 0, 0])
    )
    corners = tube[triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert ((across * outward[triangles[:, 0]]).sum(1) > 0).all()


def test_the_nearest_triangle_is_seen():
    square = np.array([[2, 2], [2, 18], [18, 18], [18, 2]], float)
    far = np.concatenate([square, np.full((4, 1), 2.0)], 1)
    near = np.concatenate([square / 2, np.full((4, 1), 1.0)], 1)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    drawn = hand_mesh.rasterize(
        np.concatenate([near, far]), np.concatenate([faces, faces + 4]).astype(np.int32), 20, 20
    )
    depth = np.zeros((20, 20))
    depth.ravel()[drawn.pixel] = drawn.depth_m
    assert depth[5, 5] == pytest.approx(1)
    assert depth[14, 14] == pytest.approx(2)
    assert depth[0, 0] == 0
    np.testing.assert_allclose(drawn.weights.sum(1), 1, atol=1e-5)
    assert len(np.unique(drawn.pixel)) == len(drawn.pixel)


def test_what_faces_away_is_not_drawn():
    square = np.array([[2, 2, 1], [18, 2, 1], [18, 18, 1]], float)
    assert len(hand_mesh.rasterize(square, np.array([[0, 1, 2]], np.int32), 20, 20).pixel) == 0


def test_the_same_seed_draws_the_same_picture(mesh):
    assert mesh is not None
    np.testing.assert_array_equal(studio("right").frame(2.0), studio("right").frame(2.0))


def test_found_is_a_hand_that_is_near_and_traced_one_whose_landmarks_are():
    seen, tally = hand_seen(0, "right", (0.5, 0.5)), render.Tally()
    truth = seen.image[:, :2].copy()
    turned = replace(seen, image=2 * seen.image.mean(0) - seen.image)
    away = replace(seen, image=seen.image + np.float32(0.4))
    assert tally.add(truth, "right", (away, seen), 1.0)
    assert tally.add(truth, "left", (turned,), 1.0)
    assert not tally.add(truth, "right", (away,), 1.0)
    assert not tally.add(truth, "right", (), 1.0)
    assert (tally.there, tally.found, tally.right_side) == (4, 2, 1)
    assert "found  50.0%, traced  25.0%, side right  50.0%" in str(tally)


@pytest.mark.parametrize("side", ["left", "right"])
def test_mediapipe_finds_the_rendered_hand_and_its_side(mesh, side):
    assert mesh is not None
    drawn = studio(side)
    act = drawn.performance.acts[0]
    tally = render.Tally()
    with Landmarker() as landmarker:
        for time in np.arange(act.start - 0.3, act.end, 1 / 15):
            hands = landmarker.see(Frame(drawn.frame(float(time)), float(time))).hands
            (posed,) = drawn.performance.hands(float(time))
            truth = drawn.project(posed.landmarks())[:, :2] / (drawn.width, drawn.height)
            tally.add(truth, side, hands, drawn.width / drawn.height)
    assert tally.there >= 10
    assert tally.found >= 0.95 * tally.there
    assert tally.right_side >= 0.95 * tally.found
    assert np.median(tally.errors) < 0.1


def test_the_demo_is_what_its_truth_says():
    path = REPOSITORY / "data" / "demo" / "demo.mp4"
    truth = json.loads(path.with_suffix(".json").read_text("utf-8"))
    video = cv2.VideoCapture(str(path))
    count = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    assert video.get(cv2.CAP_PROP_FPS) == truth["fps"]
    video.release()
    assert path.stat().st_size < 850_000
    assert len({span["gesture"] for span in truth["spans"]}) >= demo.FEWEST
    ends = [0.0] + [span["end"] for span in truth["spans"]]
    for span, last in zip(truth["spans"], ends, strict=False):
        assert last <= span["start"] < span["end"] <= count / truth["fps"]
    # The file was drawn from this code: whoever changes the movements draws it again.
    acts = demo.performance(truth["seed"]).acts
    assert [act.gesture for act in acts] == [span["gesture"] for span in truth["spans"]]
    np.testing.assert_allclose([act.start for act in acts], [span["start"] for span in truth["spans"]], atol=1e-6)


random_scene = rendered.Scene.random


def glimpse(seed=rendered.FIRST_SEED + 1):
    """The first pictures of a stream."""
    scene = random_scene(seed)
    return replace(scene, times=scene.times[:4])


def test_a_stream_is_drawn_once_and_then_remembered(mesh, monkeypatch, tmp_path):
    assert mesh is not None
    drawn = []
    monkeypatch.setattr(rendered, "cache", lambda name: tmp_path / name)
    monkeypatch.setattr(rendered.Scene, "random", classmethod(lambda _, seed: drawn.append(seed) or glimpse(seed)))
    (first,) = rendered.streams(1, 7)
    assert drawn == [rendered.FIRST_SEED + 7]
    assert len(first.time) == 4
    monkeypatch.setattr(rendered.Scene, "watch", lambda _: pytest.fail("it was drawn again"))
    (again,) = rendered.streams(1, 7)
    np.testing.assert_array_equal(first.image, again.image)
    assert first.spans == again.spans
    assert first.aspect == again.aspect


def test_what_would_be_seen_otherwise_is_drawn_again():
    scene = glimpse()
    assert scene.key == glimpse().key
    others = [
        replace(scene, times=scene.times + 0.01),
        replace(scene, look=replace(scene.look, gain=scene.look.gain / 2)),
        replace(scene, size=(scene.size[0] // 2, scene.size[1] // 2)),
        replace(scene, performance=replace(scene.performance, acts=scene.performance.acts[1:])),
        replace(scene, performance=replace(scene.performance, motion=moved(scene.performance.motion))),
    ]
    assert len({scene.key, *(other.key for other in others)}) == 1 + len(others)


def moved(motion):
    """The same motion, a centimetre aside."""
    return {side: path + np.eye(path.shape[1])[21] * 0.01 for side, path in motion.items()}


def test_streams_are_idle_for_more_than_half_their_time():
    scenes = [rendered.Scene.random(rendered.FIRST_SEED + seed).performance for seed in range(10)]
    gestured = [sum(act.end - act.start for act in scene.acts) for scene in scenes]
    assert max(gestured) < 0.5 * rendered.STREAM_S
    assert gestured[0] == gestured[5] == 0
    assert min(gestured[1:5] + gestured[6:]) > 0


def longer(clip):
    """`clip` annotated as if its gestures went on for two seconds: only their starts fit what is detected."""
    return replace(clip, spans=tuple(replace(span, end=min(span.end + 2, clip.time[-1])) for span in clip.spans))


def test_streams_are_scored_as_the_evaluation_scores_them():
    model = gestures.load(shipped("trained/starter"))
    clips = [longer(clip) for clip in gestures.load_set(shipped("data/starter")).clips[:4]]
    strict, starts = rendered.judge(model, clips)
    assert strict.json() == evaluate(model, clips)[0].tally.json()
    assert starts.pooled.ok > strict.pooled.ok
    text = rendered.judgement(clips, strict, starts)
    assert f"{strict.json()['pooled']['DR']:.3f}" in text
    assert f"{strict.false_accepts} false accepts" in text


def test_a_demo_scene_is_named_whole_or_not_at_all():
    model = gestures.load(shipped("trained/starter"))
    scene = demo.performance(json.loads((REPOSITORY / "data/demo/demo.json").read_text("utf-8"))["seed"])
    clip = watch(REPOSITORY / "data/demo/demo.mp4", "demo")
    assert 0 <= demo.doubt(model, clip, scene) < 1
    one_less = replace(scene, acts=scene.acts[:-1])
    assert demo.doubt(model, clip, one_less) is None
    later = replace(scene, acts=tuple(replace(act, start=act.start + 2, end=act.end + 2) for act in scene.acts))
    assert demo.doubt(model, clip, later) is None
    turned = tuple(replace(act, sides=("left",) if act.sides == ("right",) else ("right",)) for act in scene.acts)
    assert demo.doubt(model, clip, replace(scene, acts=turned)) is None


def last_words(words, **env):
    """What a script says at its end, which is one sentence."""
    command = [sys.executable, str(REPOSITORY / "scripts" / words[0]), *words[1:]]
    ended = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("words", [["render.py", "clips", "--count", "1"], ["starter.py", "--minutes", "1"]])
def test_without_a_mesh_a_script_ends_with_one_sentence(words, tmp_path):
    env = {"XDG_CACHE_HOME": str(tmp_path), "PATH": str(tmp_path)}
    assert "install npm" in last_words([*words, "--into", str(tmp_path / "out")], **env)


@pytest.mark.parametrize(
    "words",
    [["render.py", "judge", "nowhere", "--count", "0"], ["starter.py", "--idle", "nowhere"], ["levels.py", "nowhere"]],
)
def test_without_a_model_a_script_ends_with_one_sentence(words):
    assert "nowhere is no model folder" in last_words(words)
