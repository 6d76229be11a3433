"""Draw synthetic performances as video: the demo clip, random test clips, and how well MediaPipe finds their hands.

    scripts/render.py demo --into data/demo
    scripts/render.py clips --into DIR --count 20 --seed 1
    scripts/render.py measure --count 200

The hand's mesh is fetched once with `npm pack` into the user's cache; nothing of it is committed but what it drew.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from hand_look import SKINS, Look, Picture, backdrop, bake
from hand_mesh import Ints, fetch_mesh, load_mesh, rasterize, tube, unit

from gestures.landmarks import Landmarker
from gestures.motions import Performer
from gestures.skeleton import ANGLES, Array, PosedHand
from gestures.synthetic import Performance, perform
from gestures.types import Frame, Hand

FPS = 30
WIDTH, HEIGHT = 640, 480
CODEC = "mp4v"
RED_BLEEDS = np.array([0.45, 0.28, 0.22], np.float32)
"""How far light wraps around skin in red, green and blue: a cheap stand-in for what scatters beneath it."""


class Studio:
    """Draws the hands of one performance before one backdrop, frame by frame."""

    def __init__(
        self, performance: Performance, look: Look, seed: int, size: tuple[int, int] = (WIDTH, HEIGHT)
    ) -> None:
        """Raise `MeshError` when the hand's mesh is not to be had."""
        self.performance, self.look = performance, look
        self.width, self.height = size
        self._rng = np.random.default_rng(seed)
        self._mesh = load_mesh(fetch_mesh())
        self._texture = bake(self._mesh)
        self._backdrop = backdrop(look, performance.performer, *size, self._rng)
        self._grain = (
            np.random.default_rng(0).standard_normal((self.height + 64, self.width + 64, 3)).astype(np.float32)
        )
        self._focal_px = self.width / 2 / np.tan(np.deg2rad(performance.performer.fov_deg / 2))

    def frame(self, time: float) -> npt.NDArray[np.uint8]:
        """The picture (height, width, 3) uint8 RGB that the camera takes at `time` s."""
        picture = self._backdrop.copy()
        for hand in sorted(self.performance.hands(time), key=lambda hand: float(hand.wrist[2])):
            self._paint(picture, hand, time)
        return self._develop(picture)

    def project(self, points: Array) -> Array:
        """Points (..., 3) m in the camera's space to x, y in pixels and depth in m."""
        depth = -points[..., 2]
        safe = np.where(depth > 0.02, depth, 1)
        x = self.width / 2 + self._focal_px * points[..., 0] / safe
        y = self.height / 2 - self._focal_px * points[..., 1] / safe
        return np.stack([x, y, np.where(depth > 0.02, depth, 0)], -1)

    def _paint(self, picture: Picture, hand: PosedHand, time: float) -> None:
        """Draw one hand over the picture, blurred by its motion while the shutter is open."""
        vertices, normals, uv, kinds, triangles = self._surface(hand)
        drawn = rasterize(self.project(vertices), triangles, self.width, self.height)
        if not len(drawn.pixel):
            return
        corners = triangles[drawn.triangle]
        features = np.concatenate([normals, uv], 1).astype(np.float32)
        at = (features[corners] * drawn.weights[..., None]).sum(1)
        facing = unit(at[:, :3]).astype(np.float32)
        shade = self._shade(facing, at[:, 3:], kinds[corners[:, 0]], hand)

        rows, columns = np.divmod(drawn.pixel, self.width)
        smear = self._smear(hand, time)
        margin = 10 + int(np.abs(smear).max())
        top, left = max(0, rows.min() - margin), max(0, columns.min() - margin)
        bottom, right = min(self.height, rows.max() + margin + 1), min(self.width, columns.max() + margin + 1)
        layer = np.zeros((bottom - top, right - left, 4), np.float32)
        depth = np.zeros(layer.shape[:2], np.float32)
        rows, columns = rows - top, columns - left
        layer[rows, columns, 3], depth[rows, columns] = 1, drawn.depth_m
        hollow = self._hollow(depth, layer[..., 3])[rows, columns, None]
        hollow = np.where(kinds[corners[:, :1]] == 0, hollow, 0.6 + 0.4 * hollow)  # a limb is round, it has no hollows
        layer[rows, columns, :3] = shade * hollow ** np.array(
            [0.75, 1, 1.08], np.float32
        )  # red light leaks into hollows
        layer = _streak(cv2.GaussianBlur(layer, (3, 3), 0.6), smear)
        region = picture[top:bottom, left:right]
        region *= 1 - layer[..., 3:]
        region += layer[..., :3]

    def _surface(self, hand: PosedHand) -> tuple[Array, Array, Array, Ints, Ints]:
        """Vertices, normals, uv, kinds (0 hand, 1 bare arm, 2 cloth) and triangles of a hand and its arm."""
        own = np.array([1.0 if hand.side == "right" else -1.0, 1, 1])
        vertices, normals = self._mesh.posed(hand)
        triangles = self._mesh.triangles if hand.side == "right" else self._mesh.triangles[:, ::-1]
        parts = [(hand.place(vertices), (normals * own) @ hand.turn.T, self._mesh.uv, 0, triangles)]
        across = hand.turn[:, 0]
        for kind, (centres, radii) in enumerate(self._arm(hand), start=1):
            limb, outward, faces = tube(centres, radii, across)
            parts.append((limb, outward, np.zeros((len(limb), 2)), kind, faces))
        starts = np.cumsum([0] + [len(part[0]) for part in parts])
        return (
            np.concatenate([part[0] for part in parts]),
            np.concatenate([part[1] for part in parts]),
            np.concatenate([part[2] for part in parts]),
            np.concatenate([np.full(len(part[0]), part[3], np.int32) for part in parts]),
            np.concatenate([part[4] + start for part, start in zip(parts, starts, strict=False)]).astype(np.int32),
        )

    def _arm(self, hand: PosedHand) -> list[tuple[Array, Array]]:
        """Centres and radii of bare arm and sleeve: wrist, elbow, shoulder, or straight on where no body is seen."""
        who = self.performance.performer
        own = 1.0 if hand.side == "right" else -1.0
        size = hand.shape.mean()
        elbow = hand.wrist + 0.26 * size * hand.forearm
        shoulder = np.array([who.aside_m - 0.17 * own, -0.03, -who.depth_m - 0.3])
        if not self.look.person:
            shoulder = elbow + 0.4 * hand.forearm
        # Straight to just before the elbow, a rounded corner, straight on.
        corner_in, corner_out = hand.wrist + 0.85 * (elbow - hand.wrist), elbow + 0.25 * (shoulder - elbow)
        forearm = hand.wrist + np.linspace(0, 1, 14)[:, None] * (corner_in - hand.wrist)
        bent = np.linspace(0, 1, 7)[1:, None]
        corner = (1 - bent) ** 2 * corner_in + 2 * bent * (1 - bent) * elbow + bent**2 * corner_out
        upper = corner_out + np.linspace(0, 1, 9)[1:, None] * (shoulder - corner_out)
        centres = np.concatenate([forearm, corner, upper])
        along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(centres, axis=0), axis=1))])
        growth = np.clip(along / 0.24, 0, 1)[:, None] ** 1.25
        radii = size * (np.array([0.0258, 0.0182]) * (1 - growth) + np.array([0.044, 0.041]) * growth)
        radii += 0.008 * np.clip(along / along[-1] - 0.5, 0, 1)[:, None]
        start = 3 if self.look.sleeve == "long" else 20
        sleeve = radii[start:] + 0.008 + 0.002 * np.sin(70 * along[start:, None])
        round_end = np.sqrt(1 - np.linspace(0, 0.98, 5)[:, None] ** 2)
        sleeve[-5:] *= round_end
        return [(centres[: start + 2], radii[: start + 2]), (centres[start:], sleeve)]

    def _shade(self, facing: Picture, uv: Picture, kind: Ints, hand: PosedHand) -> Picture:
        """Colours (K, 3) of fragments by the way they face, their place on the skin and their kind."""
        look, size = self.look, len(self._texture)
        column, row = np.clip((uv * size).astype(np.int32), 0, size - 1).T
        palm, nail, crease, mottle = np.where((kind == 0)[:, None], self._texture[row, column], 0).T[..., None]
        palm = np.where((kind == 0)[:, None], palm, (facing @ hand.turn[:, 2].astype(np.float32))[:, None])
        share = np.clip(0.75 * palm + 0.5, 0, 1)
        colour = look.skin.astype(np.float32) * (1 - share) + look.palm.astype(np.float32) * share
        colour *= 1 + 0.035 * mottle * np.array([0.7, 1, 1.1], np.float32)
        colour += 0.5 * nail * (0.5 * np.array([0.95, 0.75, 0.7], np.float32) - 0.55 * colour)
        colour *= 1 - 0.28 * crease * np.array([0.8, 1, 1.05], np.float32)
        colour[kind == 2] = look.cloth
        light = look.light.astype(np.float32)
        direct = np.clip(((facing @ light)[:, None] + RED_BLEEDS) / (1 + RED_BLEEDS), 0, 1) ** 1.15
        sky = 0.5 + 0.5 * facing[:, 1:2]
        ambient = np.array([0.36, 0.30, 0.28]) * (1 - sky) + np.array([0.52, 0.52, 0.54]) * sky
        half_way = unit(look.light + np.array([0, 0, 1])).astype(np.float32)
        gloss = 0.07 * np.clip(facing @ half_way, 0, 1)[:, None] ** 24 * (1 + 2 * nail) * (kind != 2)[:, None]
        lit: Picture = (colour * (ambient + direct * np.array([0.62, 0.59, 0.55])) + gloss).astype(np.float32)
        return lit

    def _hollow(self, depth: Picture, cover: Picture) -> Picture:
        """How much light reaches each pixel: less where its surroundings stand out before it."""
        light = np.ones_like(depth)
        per_metre = self._focal_px / float(np.median(depth[cover > 0]))
        for radius_m, strength in ((0.006, 55.0), (0.018, 22.0)):
            size = max(3, int(2 * radius_m * per_metre) | 1)
            around = cv2.blur(depth, (size, size)) / np.maximum(cv2.blur(cover, (size, size)), 1e-3)
            light *= np.clip(1 - strength * np.clip(depth - around - 0.0006, 0, 0.02), 0.45, 1)
        return light

    def _smear(self, hand: PosedHand, time: float) -> Array:
        """(2,) pixels that the middle of the hand moves while the shutter is open."""
        half = 0.5 * self.look.shutter / FPS
        ends = self.performance.posed(hand.side, [max(0.0, time - half), time + half])
        middle = self.project(ends.place(np.array([[0.0, 0.09, 0.0]]))[:, 0])
        smear: Array = np.clip(middle[1, :2] - middle[0, :2], -60, 60)
        return smear

    def _develop(self, picture: Picture) -> npt.NDArray[np.uint8]:
        """What the lens, the sensor and the camera's compression make of it."""
        look = self.look
        picture = cv2.GaussianBlur(picture, (0, 0), look.blur_px) * np.float32(look.gain)
        row, column = self._rng.integers(0, 64, 2)
        picture += look.noise * self._grain[row : row + self.height, column : column + self.width]
        taken = cv2.convertScaleAbs(np.clip(picture, 0, 1), alpha=255)
        packed = cv2.imencode(".jpg", taken[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, look.jpeg])[1]
        decoded = cv2.imdecode(packed, cv2.IMREAD_COLOR)
        assert decoded is not None
        return np.ascontiguousarray(decoded[..., ::-1]).astype(np.uint8, copy=False)


def _streak(layer: Picture, smear: Array) -> Picture:
    """The layer, smeared along `smear` (2,) pixels."""
    if np.hypot(*smear) < 1:
        return layer
    size = int(np.ceil(np.abs(smear).max() / 2)) * 2 + 1
    kernel = np.zeros((size, size), np.float32)
    ends = [tuple(round(float(v) * 16) for v in (size - 1) / 2 + sign * smear / 2) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
    streaked: Picture = cv2.filter2D(layer, -1, kernel / kernel.sum())
    return streaked


def frames(studio: Studio) -> Iterator[tuple[float, npt.NDArray[np.uint8]]]:
    """Time s and picture of every frame of a performance."""
    for index in range(int(studio.performance.duration_s * FPS)):
        yield index / FPS, studio.frame(index / FPS)


def write_video(studio: Studio, path: Path, seed: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
    """Draw a performance into `path` (.mp4), `size` pixels large, and its truth into the .json beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*CODEC), FPS, size)
    for _, picture in frames(studio):
        writer.write(cv2.resize(picture, size, interpolation=cv2.INTER_AREA)[..., ::-1])
    writer.release()
    truth = {
        "fps": FPS,
        "seed": seed,
        "hands": list(studio.performance.motion),
        "spans": [asdict(act) for act in studio.performance.acts],
    }
    path.with_suffix(".json").write_text(json.dumps(truth, indent=1) + "\n")


DEMO_SEED = 6222
DEMO_S = 20.0
DEMO_SIZE = 360, 270
"""MPEG-4 as OpenCV writes it costs so many bytes a pixel, whatever is in the picture; so there are few."""
DEMO = (
    *("wave", "adjust", "thumb_up", "circle_cw", "talk"),
    *("grab", "open", "zoom_in", "circle_ccw", "rest"),
)


def demo_performance(seed: int = DEMO_SEED) -> Performance:
    """One performer, right-handed and brisk, doing seven gestures with idle life between them."""
    performer = Performer(
        side="right",
        sides=("left", "right"),
        shape=np.array([0.97, 1.0, 0.97]),
        habit=np.zeros(ANGLES),
        speed=1.3,
        amplitude=1.0,
        depth_m=0.62,
        aside_m=0.0,
        view_deg=np.array([-4.0, 3.0, 0.0]),
        fov_deg=62.0,
        aspect=WIDTH / HEIGHT,
    )
    return perform(seed, DEMO_S, script=DEMO, performer=performer)


def demo_studio(seed: int = DEMO_SEED) -> Studio:
    """That performer at home, in daylight."""
    skin, palm = SKINS[1]
    look = Look(
        skin=np.array(skin),
        palm=np.array(palm),
        cloth=np.array([0.20, 0.30, 0.42]),
        sleeve="long",
        light=unit(np.array([0.4, 0.6, 0.7])),
        gain=1.0,
        noise=0.0,
        blur_px=1.0,
        jpeg=100,
        shutter=0.4,
        background="room",
        person=True,
    )
    return Studio(demo_performance(seed), look, 5)


def random_studio(seed: int, duration_s: float = 6.0, busy: float = 0.7) -> Studio:
    """Anyone, anywhere, in any light."""
    rng = np.random.default_rng(seed)
    return Studio(perform(seed, duration_s, busy=busy), Look.random(rng), seed)


@dataclass(slots=True)
class Tally:
    """How MediaPipe did: hands there, found, called by the right side; landmark errors in palm lengths."""

    there: int = 0
    found: int = 0
    right_side: int = 0
    errors: list[float] = field(default_factory=list)

    def add(self, truth: Array, side: str, hands: tuple[Hand, ...], aspect: float) -> None:
        """Count one hand that was there: `truth` (21, 2) are its landmarks in 0..1 of the picture."""
        scale = np.array([aspect, 1.0])
        palm = float(np.linalg.norm((truth[9] - truth[0]) * scale))
        palm = max(palm, float(np.linalg.norm((truth[17] - truth[5]) * scale)))
        offs = [float(np.linalg.norm((hand.image[:, :2] - truth) * scale, axis=1).mean()) / palm for hand in hands]
        self.there += 1
        if offs and min(offs) < 0.5:
            self.found += 1
            self.right_side += hands[int(np.argmin(offs))].side == side
            self.errors.append(min(offs))

    def __str__(self) -> str:
        found, called = self.found / max(self.there, 1), self.right_side / max(self.found, 1)
        error = float(np.median(self.errors)) if self.errors else float("nan")
        return f"{self.there:6d} hands, found {found:6.1%}, side right {called:6.1%}, error {error:.3f} palm"


def measure(count: int, seed: int) -> None:
    """Print how often MediaPipe finds the hands of `count` random clips, a gesture each."""
    tallies: dict[str, Tally] = {}
    for number in range(count):
        studio = random_studio(seed + number, 12.0, busy=1.0)
        performance = studio.performance
        act = next(iter(performance.acts), None)
        if act is None:
            continue
        with Landmarker() as landmarker:
            for time in np.arange(max(0.0, act.start - 0.4), act.end + 0.2, 1 / FPS):
                hands = landmarker.see(Frame(studio.frame(float(time)), float(time))).hands
                for hand in performance.hands(float(time)):
                    truth = studio.project(hand.landmarks())[:, :2] / (studio.width, studio.height)
                    if ((truth > 0) & (truth < 1)).all(1).mean() < 0.8:
                        continue
                    acting = hand.side in act.sides
                    for group in (
                        "acting" if acting else "other hand",
                        *((act.gesture, studio.look.background) if acting else ()),
                    ):
                        tallies.setdefault(group, Tally()).add(truth, hand.side, hands, studio.width / studio.height)
    for group, tally in sorted(tallies.items()):
        print(f"{group:12s} {tally}")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    demo = verbs.add_parser("demo", help="the clip that ships with the package")
    demo.add_argument("--into", type=Path, required=True)
    clips = verbs.add_parser("clips", help="random test videos with their truth")
    clips.add_argument("--into", type=Path, required=True)
    quality = verbs.add_parser("measure", help="how often MediaPipe finds the rendered hands")
    for verb in (clips, quality):
        verb.add_argument("--count", type=int, default=10)
        verb.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.verb == "measure":
        measure(given.count, given.seed)
    elif given.verb == "demo":
        write_video(demo_studio(), given.into / "demo.mp4", DEMO_SEED, DEMO_SIZE)
    else:
        for seed in range(given.seed, given.seed + given.count):
            write_video(random_studio(seed), given.into / f"clip_{seed:05d}.mp4", seed)


if __name__ == "__main__":
    main()
