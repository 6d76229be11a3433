"""What the fuzzer feeds, and to which loader.

Whole inputs, mutations of them, and, for JSON and TOML, whole files with single values replaced: an input that begins
with `GRAFT` stands for one. Bytes mutated blindly are hardly ever JSON; they show little of what is done with values.
"""

import copy
import io
import json
import random
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).parents[1]
FORMATS = REPOSITORY / "tests" / "formats"
LOADERS = ("clip", "note", "manifest", "actions", "model", "video")
GRAFT = 5
MOST_GRAFTS = 8


def loader(name: str, folder: Path) -> Callable[[bytes], object]:
    """What writes an input to where the loader of that name looks, and loads it."""
    from gestures import ModelError, Video, load_clip
    from gestures.actions import load_plan
    from gestures.features import SIZE
    from gestures.model import Model, load_manifest
    from gestures.setnote import load_set_note

    whole, step = load_manifest(FORMATS / "model-1"), (FORMATS / "model-1" / "step.tflite").read_bytes()

    labels = json.loads((REPOSITORY / "trained" / "starter" / "manifest.json").read_text())["labels"]

    def clip(data: bytes) -> object:
        path = folder / "swipe" / "ana_00.npz"
        path.write_bytes(packed(data))
        return [*load_clip(path).observations()]

    def note(data: bytes) -> object:
        (folder / "set.json").write_bytes(grafted_json(name, data))
        return load_set_note(folder)

    tried: dict[str, ModelError | None] = {}

    def manifest(data: bytes) -> object:
        (folder / "manifest.json").write_bytes(grafted_json(name, data))
        read = load_manifest(folder)
        # All that a model looks at: what came of it once comes of it again, and LiteRT is slow to start.
        looked_at = repr((len(read.labels), read.units, read.cell, read.horizons_s))
        if looked_at not in tried:
            try:
                Model(read, step)
                tried[looked_at] = None
            except ModelError as error:
                tried[looked_at] = error
        if (refused := tried[looked_at]) is not None:
            raise refused.with_traceback(None)
        return read

    def actions(data: bytes) -> object:
        (folder / "actions.toml").write_bytes(grafted_toml(data))
        plan = load_plan(folder / "actions.toml")
        plan.missing()
        plan.sentences()
        return plan.fit(labels, "starter")

    def model(data: bytes) -> object:
        made = Model(whole, data)
        return made.step(np.zeros(SIZE, np.float32), made.begin())

    def video(data: bytes) -> object:
        (folder / "a.mp4").write_bytes(data)
        with Video(folder / "a.mp4") as opened:
            return [frame.time for _, frame in zip(range(50), opened, strict=False)]

    (folder / "swipe").mkdir()
    return {"clip": clip, "note": note, "manifest": manifest, "actions": actions, "model": model, "video": video}[name]


PARTS = ("note", "time", "image", "world")


def packed(data: bytes) -> bytes:
    """An archive: the bytes themselves, or, where they begin with 1, 2, 3 or 4, a whole one with that part replaced."""
    if data[:1] == bytes([GRAFT]):
        data = b"\1" + grafted_json("clip", data)
    if not data or data[0] not in (1, 2, 3, 4):
        return data
    part = PARTS[data[0] - 1]
    content = dict(whole_clip())
    content[part] = array(data[1:].decode("utf-8", "replace")) if part == "note" and data[1:2] == b"{" else data[1:]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in PARTS:
            archive.writestr(f"{name}.npy", content[name])
    return file.getvalue()


def whole_clip() -> dict[str, bytes]:
    """The members of a small whole clip."""
    if not _WHOLE:
        with np.load(FORMATS / "set-1" / "swipe" / "ana_00.npz") as file:
            for name in PARTS:
                value = file[name] if name == "note" else file[name][:15]
                _WHOLE[name] = array(value)
    return _WHOLE


_WHOLE: dict[str, bytes] = {}


def array(value: object) -> bytes:
    """As numpy writes it."""
    file = io.BytesIO()
    np.save(file, np.asarray(value))
    return file.getvalue()


def seeds(name: str) -> list[bytes]:
    """Whole inputs to begin with."""
    untouched = bytes([GRAFT])
    if name == "clip":
        members = whole_clip()
        parts = [bytes([number + 1]) + members[part] for number, part in enumerate(PARTS)]
        whole = (FORMATS / "set-1" / "swipe" / "ana_00.npz").read_bytes()
        return [whole, b"\1" + whole_json("clip"), *parts, untouched]
    if name in ("note", "manifest"):
        return [whole_json(name), untouched]
    if name == "actions":
        examples = (REPOSITORY / "examples").glob("*.toml")
        return [path.read_bytes() for path in sorted(examples)] + [untouched]
    if name == "video":
        return [video for kind in FILMED for video in [small_video(*kind, size=(16, 16), pictures=5)] if video]
    return [(FORMATS / "model-1" / "step.tflite").read_bytes()]


def whole_json(name: str) -> bytes:
    """The JSON that single values of are replaced: a clip's note, a set's note, a manifest."""
    if name == "clip":
        return str(np.load(io.BytesIO(whole_clip()["note"]))).encode()
    if name == "note":
        note = json.loads((FORMATS / "set-1" / "set.json").read_text())
        return json.dumps(note | {"labels": ["a", "b"], "mirror": {"a": "b"}}).encode()
    manifest = json.loads((FORMATS / "model-1" / "manifest.json").read_text())
    manifest["rules"] |= {"per_gesture": [["swipe", 0.7, 0.2]], "leaving": 0.5, "lead_s": 0.1}
    return json.dumps(manifest).encode()


VALUES = [None, True, False, 0, -1, 1, 2, 3, 0.5, 30.0, 1e300, -1e300, 5e-324, float("inf"), float("nan")]
VALUES += [10**400, -(10**400), 2**63, "", "a", "rest", "swipe", "../up", "a/b", "\x1b[2J", "\udcff", "\0", "1"]
VALUES += ["x" * 9000, [], {}, [[]], [1], ["a"], ["rest", "a"], ["a", "a"], [["a", 1]], {"a": 1}, {"a": "b"}, {"": []}]


def grafted_json(name: str, data: bytes) -> bytes:
    """`data`; where it begins with `GRAFT` and then n, m, …, a whole JSON whose n-th value is the m-th of `VALUES`."""
    if data[:1] != bytes([GRAFT]):
        return data
    tree = json.loads(whole_json(name))
    for n, m in grafts_of(data):
        places = [*_places(tree)]
        box, key = places[n % len(places)]
        box[key] = copy.deepcopy(VALUES[m % len(VALUES)])
    return json.dumps(tree).encode()


def grafts_of(data: bytes) -> list[tuple[int, int]]:
    """The pairs of numbers after the first byte."""
    return [*zip(data[1::2], data[2::2], strict=False)][:MOST_GRAFTS]


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - JSON
    """Every (container, key) below `tree`; the tree itself has none, and so is never replaced."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield tree, key
        yield from _places(tree[key])


WORDS = ["1", "0", "-1", "true", "0.5", "1e308", "nan", "inf", "9" * 400, "9" * 5000, '""', '"a"', '"x"', "[]", "{}"]
WORDS += ["[1]", '["a"]', '["a", 1]', "[0, 1]", "[0, 1e308]", "[nan, inf]", f"[0, {'9' * 400}]", '{ env = "A" }']
WORDS += [
    '{ keyring = "a" }',
    "{ env = 1 }",
    "{ note = 60 }",
    "{ control = 7, channel = 17 }",
    "1979-05-27",
    "07:32:00",
]
WORDS += ['"analogue"', '"toggle"', '"left"', '"hold"', '"tap"', '"ctrl+a"', '"/a"', '"a.py:b"', '"\\u0000.py:b"', "0x"]
WORDS += [
    '"http://a/"',
    '"http://[::1"',
    '"http://a:99999/"',
    '"http://u:p@a/"',
    '"scroll_up"',
    "[" * 2000,
    "",
    '"\\ud800"',
]


def grafted_toml(data: bytes) -> bytes:
    """As `grafted_json`, of the lines of an example, which the second byte chooses: from the n-th on, m says what.

    An even m replaces the value of the line by one of `WORDS`; an odd one puts a line of another example before it.
    """
    if data[:1] != bytes([GRAFT]):
        return data
    examples = _examples()
    chosen = int.from_bytes(data[1:2], "big") % len(examples)
    lines, others = list(examples[chosen]), [line for example in examples for line in example]
    for n, m in grafts_of(data[1:]):
        at = n % len(lines)
        if m % 2:
            lines.insert(at, others[m // 2 % len(others)])
        elif not lines[at].startswith("["):
            lines[at] = f"{lines[at].partition('=')[0]}= {WORDS[m // 2 % len(WORDS)]}"
    return "\n".join(lines).encode()


@cache
def _examples() -> list[list[str]]:
    """The lines of each example, without what is no setting."""
    if not (paths := sorted((REPOSITORY / "examples").glob("*.toml"))):
        sys.exit(f"no example of an actions file in {REPOSITORY / 'examples'}: run this in a checkout")
    return [[line for line in path.read_text().splitlines() if line and line[0] != "#"] for path in paths]


FILMED = ((".mp4", "mp4v"), (".avi", "MJPG"), (".mkv", "mp4v"), (".webm", "VP80"), (".mpg", "PIM1"), (".wmv", "WMV2"))
"""The kinds of files that videos come in, each with a codec."""


def small_video(
    suffix: str = ".mp4", codec: str = "mp4v", size: tuple[int, int] = (64, 48), pictures: int = 10
) -> bytes:
    """Pictures of noise; no bytes where this OpenCV writes no such files."""
    from gestures.video import load_cv2

    cv2 = load_cv2()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), 30.0, size)
        rng = np.random.default_rng(0)
        for _ in range(pictures):
            writer.write(rng.integers(0, 255, (*size[::-1], 3), np.uint8))
        writer.release()
        return path.read_bytes() if path.exists() else b""


TOKENS = [b"null", b"[]", b"{}", b"-1", b"1e999", b"NaN", b"true", b'""', b'"\\u001b[2J"', b"9" * 40, b"[" * 2000]
TOKENS += [b"\xff" * 4, b"\0" * 8, b"\x7f\xff\xff\xff", b"PK\5\6", b"PK\1\2", b"<f8", b"|O", b"<U9", b"(1000000000,)"]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """`data` with a few bytes changed, cut, doubled, or replaced by words that mean something."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at = chance.randrange(len(out) + 1)
        end = min(len(out), at + chance.choice((1, 2, 4, 16, 200)))
        kind = chance.randrange(5)
        if kind == 0:
            out[at:end] = bytes(chance.randrange(256) for _ in range(end - at))
        elif kind == 1:
            del out[at:end]
        elif kind == 2:
            out[at:at] = out[at:end]
        elif kind == 3:
            out[at:end] = chance.choice(TOKENS)
        elif at < len(out):
            out[at] ^= 1 << chance.randrange(8)
    return bytes(out)
