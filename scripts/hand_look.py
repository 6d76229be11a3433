"""How a rendered scene looks: skin, sleeves, light, rooms and people behind the hand, and the camera's own faults."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from hand_mesh import Mesh, rasterize, unit

from gestures.performers import Performer
from gestures.skeleton import FRAMES, REST, TIPS, Array

Picture = npt.NDArray[np.float32]

# Back of the hand, then palm; sRGB 0..1.
SKINS = (
    ((0.91, 0.74, 0.65), (0.94, 0.72, 0.64)),
    ((0.87, 0.67, 0.56), (0.90, 0.66, 0.56)),
    ((0.76, 0.55, 0.42), (0.83, 0.60, 0.49)),
    ((0.55, 0.37, 0.26), (0.72, 0.51, 0.40)),
    ((0.36, 0.235, 0.17), (0.60, 0.42, 0.34)),
)
BACKGROUNDS = ("plain", "gradient", "noise", "room")
SLEEVES = ("long", "short")


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Everything about a picture that is not movement. Colours are sRGB 0..1, `light` (3,) points at its source.

    `shutter` is the share of a frame for which it is open; `person` whether the performer's head and body are seen.
    """

    skin: Array
    palm: Array
    cloth: Array
    sleeve: str
    light: Array
    gain: float
    noise: float
    blur_px: float
    jpeg: int
    shutter: float
    background: str
    person: bool

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Look":
        """Someone's skin and clothes, in some light, seen by some camera."""
        skin, palm = SKINS[rng.integers(len(SKINS))]
        return cls(
            skin=np.array(skin),
            palm=np.array(palm),
            cloth=_paint(rng),
            sleeve=str(rng.choice(SLEEVES)),
            light=unit(np.array([rng.normal(0, 0.7), 0.3 + abs(rng.normal(0, 0.7)), 0.6])),
            gain=float(rng.uniform(0.75, 1.1)),
            noise=float(rng.uniform(0.004, 0.03)),
            blur_px=float(rng.uniform(0.4, 1.1)),
            jpeg=int(rng.integers(55, 95)),
            shutter=float(rng.uniform(0.2, 0.8)),
            background=str(rng.choice(BACKGROUNDS)),
            person=bool(rng.random() < 0.6),
        )


def bake(mesh: Mesh, size: int = 512) -> Picture:
    """Skin as a texture (size, size, 4): how much palm (-1..1), nail, crease (0..1), and mottling (spread 1)."""
    flat = np.zeros((size * size, 4), np.float32)
    owner = mesh.weights.argmax(1)
    palmar = -(mesh.normals * FRAMES[owner][:, :, 1]).sum(1)
    screen = np.concatenate([mesh.uv * size, np.ones((len(mesh.uv), 1))], 1)
    for triangles in (mesh.triangles, mesh.triangles[:, ::-1]):
        drawn = rasterize(screen, triangles, size, size)
        corners = triangles[drawn.triangle]

        where, facing, weights, palm = (
            np.einsum("kc,kc...->k...", drawn.weights, values[corners])
            for values in (mesh.vertices, mesh.normals, mesh.weights, palmar)
        )
        flat[drawn.pixel, 0] = palm
        for tip in TIPS:
            nail, crease = _finger_marks(tip, where, facing, weights, palm)
            flat[drawn.pixel, 1] = np.maximum(flat[drawn.pixel, 1], nail)
            flat[drawn.pixel, 2] = np.maximum(flat[drawn.pixel, 2], crease)
        flat[drawn.pixel, 2] = np.maximum(flat[drawn.pixel, 2], _palm_lines(where, palm))
    texture = _fill_seams(flat.reshape(size, size, 4))
    texture[..., 3] = cloud(np.random.default_rng(3), size, size, (20, 60, 160, 380), (1, 0.7, 0.5, 0.4))
    return texture


def _finger_marks(tip: int, where: Array, facing: Array, weights: Array, palm: Array) -> tuple[Array, Array]:
    """The nail and the creases (K,) 0..1 of the finger that ends in `tip`."""
    on = weights[:, tip - 3 if tip > 4 else 1 : tip + 1].sum(1) > 0.5
    x, _, z = ((where - REST[tip]) @ FRAMES[tip]).T
    half_m = {4: 0.0062, 20: 0.0042}.get(tip, 0.0052)
    rim = (np.abs(x / half_m) ** 3 + np.abs((z + 0.002) / (1.25 * half_m)) ** 3) ** (1 / 3)
    nail = on * (facing @ FRAMES[tip][:, 1] > 0.15) * np.clip((1.05 - rim) * 8, 0, 1)
    crease = np.zeros(len(where))
    for joint in range(tip - 3, tip):
        x, y, z = ((where - REST[joint]) @ FRAMES[joint]).T
        near = on * (np.hypot(x, y) < 0.016)
        at_m = -0.018 if joint == tip - 3 and tip > 4 else 0.0  # fingers leave the palm well beyond the knuckle
        crease = np.maximum(crease, np.exp(-(((z - at_m) / 0.0009) ** 2)) * near * np.clip(2 * palm, 0, 1))
        if joint > tip - 3:
            wrinkles = np.exp(-((np.abs(np.abs(z) - 0.00125) / 0.0012) ** 2))
            crease = np.maximum(crease, 0.5 * wrinkles * near * np.clip(-2 * palm - 0.6, 0, 1))
    return nail, crease


def _palm_lines(where: Array, palm: Array) -> Array:
    """The three long lines (K,) 0..1: arcs about x, y with a radius in m, from one angle to another."""
    x, y = where[:, 0], where[:, 1]
    line = np.zeros(len(where))
    arcs = ((0.043, 0.025, 0.036, 1.6, 3.3), (0.02, 0.135, 0.068, 3.75, 4.75), (-0.02, 0.13, 0.052, 4.2, 5.6))
    for centre_x, centre_y, radius, first, last in arcs:
        off = np.hypot(x - centre_x, y - centre_y) - radius
        angle = np.mod(np.arctan2(y - centre_y, x - centre_x), 2 * np.pi)
        line = np.maximum(line, np.exp(-((off / 0.001) ** 2)) * (angle > first) * (angle < last))
    return 0.9 * line * np.clip(2 * palm, 0, 1) * (y > 0.01) * (y < 0.1)


def _fill_seams(texture: Picture) -> Picture:
    """Let the texture run a few pixels over its pieces' edges."""
    filled = (texture != 0).any(2).astype(np.float32)
    for _ in range(6):
        weight = cv2.blur(filled, (3, 3))
        spread = cv2.blur(texture * filled[..., None], (3, 3)) / np.maximum(weight, 1e-6)[..., None]
        new = (filled == 0) & (weight > 0)
        texture[new], filled[new] = spread[new], 1
    return texture


def cloud(
    rng: np.random.Generator, width: int, height: int, sizes: tuple[int, ...], strengths: tuple[float, ...]
) -> Picture:
    """Smooth noise (height, width), spread 1, with `sizes` bumps across the picture."""
    total = np.zeros((height, width), np.float32)
    for size, strength in zip(sizes, strengths, strict=True):
        bumps = rng.standard_normal((max(2, size * height // width), size)).astype(np.float32)
        total += strength * cv2.resize(bumps, (width, height), interpolation=cv2.INTER_CUBIC)
    spread: Picture = total / total.std()
    return spread


def backdrop(look: Look, performer: Performer, width: int, height: int, rng: np.random.Generator) -> Picture:
    """What is behind the hands: (height, width, 3) float32 RGB 0..1."""
    if look.background == "plain":
        picture = np.ones((height, width, 3), np.float32) * _paint(rng)
    elif look.background == "noise":
        colour = [cloud(rng, width, height, (8, 16, 32), (1, 0.5, 0.25)) for _ in range(3)]
        picture = (
            _paint(rng) + 0.035 * np.stack(colour, -1) + 0.06 * cloud(rng, width, height, (8, 16), (1, 0.6))[..., None]
        )
        picture += 0.05 * cloud(rng, width, height, (100, 250), (1, 0.7))[..., None]
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.002, 0.008)) * width)  # it is behind the hand
    else:
        x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
        first, last = _paint(rng), _paint(rng)
        share = np.clip(rng.uniform(-1, 1) * (x - 0.5) + y, 0, 1)[..., None]
        picture = first * (1 - share) + last * share
    if look.background == "room":
        picture = furnish(picture, rng)
    if look.person:
        picture = seat_person(picture, look, performer, rng)
    return np.clip(picture, 0, 1).astype(np.float32)


def _paint(rng: np.random.Generator) -> Array:
    """(3,) a colour of walls and clothes: any brightness, seldom bright colour."""
    colour: Array = np.clip(rng.uniform(0.1, 0.8) + rng.normal(0, 0.1, 3), 0.03, 0.95)
    return colour


def furnish(picture: Array, rng: np.random.Generator) -> Array:
    """A room out of focus: shelves, frames, a window, lamps."""
    height, width = picture.shape[:2]
    grey = float(rng.uniform(0.35, 0.8))
    picture = np.ascontiguousarray(0.5 * picture + 0.5 * grey)
    for _ in range(12):
        colour = tuple(float(c) for c in np.clip(grey + rng.normal(0, 0.2) + rng.normal(0, 0.08, 3), 0.03, 0.97))
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        dx, dy = (int(size * width) for size in rng.uniform(0.03, 0.18, 2))
        if rng.random() < 0.75:
            cv2.rectangle(picture, (x - dx, y - dy), (x + dx, y + dy), colour, -1)
        else:
            cv2.ellipse(picture, (x, y), (dx, dy), 0, 0, 360, colour, -1)
    blurred: Array = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.004, 0.015)) * width)
    return blurred


def seat_person(picture: Array, look: Look, performer: Performer, rng: np.random.Generator) -> Array:
    """The performer, a little out of focus: head, neck, shoulders and chest, at their place behind the hands."""
    height, width = picture.shape[:2]
    away_m = performer.depth_m + 0.3
    scale = width / (2 * away_m * np.tan(np.deg2rad(performer.fov_deg / 2)))  # pixels a metre
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = (x - width / 2) / scale - performer.aside_m, (height / 2 - y) / scale
    head_y = min(0.26, 0.9 * height / 2 / scale)
    skin, cloth = look.skin * 0.95, look.cloth
    hair = np.array(((0.08, 0.06, 0.05), (0.25, 0.15, 0.08), (0.5, 0.38, 0.22), (0.45, 0.45, 0.45))[rng.integers(4)])

    def lit(u: Array, v: Array) -> Array:
        """How bright a rounded thing is at u, v in -1..1 across it."""
        normal = np.stack([u, v, np.sqrt(np.clip(1 - u * u - v * v, 0.05, 1))], -1)
        brightness: Array = 0.5 + 0.5 * np.clip((unit(normal) * look.light).sum(-1) + 0.25, 0, 1.2)
        return brightness

    def paint(colour: Array, cover: Array, brightness: Array) -> None:
        picture[:] += cover.clip(0, 1)[..., None] * (colour * brightness[..., None] - picture)

    def oval(
        colour: Array, at: tuple[float, float], radii: tuple[float, float], power: float = 2, ink: float = 1
    ) -> None:
        u, v = (x - at[0]) / radii[0], (y - at[1]) / radii[1]
        paint(colour, ink * (1 - np.abs(u) ** power - np.abs(v) ** power) * radii[0] * scale / 3, lit(u, v))

    oval(hair * 0.8, (0, head_y + 0.025), (0.09, 0.12))
    # Half the width of neck, shoulders and chest, by height below the middle of the head.
    half_m = np.interp(
        head_y - y, (0.05, 0.14, 0.165, 0.2, 0.25, 0.35, 0.6, 1.0), (0.052, 0.05, 0.075, 0.15, 0.19, 0.2, 0.175, 0.18)
    )
    body, collar = (half_m - np.abs(x)) * scale / 3 * (y < head_y), head_y - 0.16 - 0.03 * np.cos(x / 0.035)
    paint(skin * 0.8, body, lit(0.8 * x / half_m, 0 * y - 0.3))
    paint(
        cloth,
        body.clip(0, 1) * (collar - y) * scale / 3,
        lit(0.8 * x / half_m, np.clip(0.5 - 3 * (head_y - 0.2 - y), 0, 0.5)),
    )
    oval(skin, (0, head_y - 0.01), (0.074, 0.108), 2.3)
    oval(hair, (0, head_y + 0.085), (0.078, 0.04), 2.5)
    for side in (-1, 1):
        oval(skin * 0.75, (side * 0.031, head_y + 0.012), (0.019, 0.011), ink=0.6)
        oval(np.full(3, 0.1), (side * 0.031, head_y + 0.009), (0.009, 0.006))
        oval(hair * 0.8, (side * 0.031, head_y + 0.032), (0.021, 0.005), ink=0.8)
    oval(skin * 0.85, (0.004, head_y - 0.03), (0.014, 0.012), ink=0.6)
    oval(skin * (0.75, 0.45, 0.45), (0, head_y - 0.062), (0.025, 0.008), ink=0.8)
    blurred: Array = cv2.GaussianBlur(picture, (0, 0), 0.004 * width)
    return blurred
