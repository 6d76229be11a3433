"""Draws the hands of a performance as a camera sees them, with NumPy and OpenCV."""

import cv2
import numpy as np
import numpy.typing as npt
from hand_look import Look, Picture, backdrop, bake
from hand_mesh import Ints, fetch_mesh, load_mesh, rasterize, tube, unit

from gestures.skeleton import Array, PosedHand
from gestures.synthetic import Performance

FPS = 30
WIDTH, HEIGHT = 640, 480
RED_BLEEDS = np.array([0.45, 0.28, 0.22], np.float32)
"""How far light wraps around skin in red, green and blue: a cheap stand-in for what scatters beneath it."""


class Studio:
    """Draws the hands of one performance before one backdrop, frame by frame."""

    def __init__(
        self,
        performance: Performance,
        look: Look,
        seed: int,
        size: tuple[int, int] = (WIDTH, HEIGHT),
        rate_hz: float = FPS,
    ) -> None:
        """Raise `MeshError` when the hand's mesh is not to be had."""
        self.performance, self.look, self.rate_hz = performance, look, rate_hz
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
        """Centres and radii of bare arm and sleeve: wrist, elbow, shoulder, or down and out of the picture."""
        who = self.performance.performer
        own = 1.0 if hand.side == "right" else -1.0
        size = hand.shape.mean()
        elbow = hand.wrist + 0.26 * size * hand.forearm
        shoulder = np.array([who.aside_m - 0.17 * own, -0.03, -who.depth_m - 0.3])
        if not self.look.person:
            shoulder = elbow + 1.2 * unit(hand.forearm - np.array([0, 1.5, 0]))
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
        half = 0.5 * self.look.shutter / self.rate_hz
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
