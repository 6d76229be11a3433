"""Files from strangers: refused in words, within bounds, and without doing anything they ask for."""

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tracemalloc
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, clip
from hypothesis import given, settings
from hypothesis import strategies as st

import gestures
from gestures import clips, files, model, setnote
from gestures.console import LONGEST, printable
from gestures.stepfile import check_step

sys.path.insert(0, str(REPOSITORY / "scripts"))
import fuzz
import loaders

FORMATS = REPOSITORY / "tests" / "formats"
CORPUS = sorted((REPOSITORY / "tests" / "corpus").glob("*-*"))


def archive(path, **members):
    """A clip whose members are replaced by bytes, or left out where they are None."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = loaders.whole_clip() | members
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in whole.items():
            if content is not None:
                packed.writestr(f"{name}.npy", content)
    return path


def header(shape, kind="<f4"):
    """An array of which there is only the header."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
    return file.getvalue()


def refused(path):
    """The words with which a clip is refused; it may cost neither much memory nor the stack."""
    tracemalloc.start()
    try:
        with pytest.raises(gestures.ClipError, match="is not a whole clip") as wrong:
            gestures.load_clip(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100e6
    return str(wrong.value)


@pytest.mark.parametrize(
    "image",
    [
        header((10**9, 2, 21, 3)),
        header((10**18,)),
        header((2**63, 2**63)),
        header((-1, 2, 21, 3)),
        header((0,) * 40),
        header((10**12,), "|S0"),
        header((5,), "|O") + b"cos\nsystem\n(S'touch touched'\ntR.",
        header((5,), "<U99999999"),
        b"\x93NUMPY\x03\x00\xff\xff\xff\x7f{",
        b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535,
        b"",
    ],
    ids=range(11),
)
def test_forged_headers_and_huge_counts_cost_nothing(tmp_path, image):
    refused(archive(tmp_path / "swipe" / "ana_00.npz", image=image))


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    """60 MB of zeros in 60 kB, once as it is and once with a directory that says it were small."""
    monkeypatch.setattr(clips, "MAX_BYTES", 10 << 20)
    path = archive(tmp_path / "swipe" / "ana_00.npz", image=header((10**5, 2, 21, 3)) + bytes(60 << 20))
    assert path.stat().st_size < 1 << 20
    refused(path)
    content = bytearray(path.read_bytes())
    size = (60 << 20) + len(header((10**5, 2, 21, 3)))
    forged = bytes(content).replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert forged != bytes(content)
    path.write_bytes(forged)
    refused(path)


def test_a_listing_of_a_million_names_is_not_read(tmp_path):
    path = archive(tmp_path / "swipe" / "ana_00.npz")
    content = path.read_bytes()
    end = bytearray(content[-22:])
    entry = content[content.index(b"PK\1\2") : -22][:54]
    listing = entry * 200_000
    end[8:12] = b"\xff\xff\xff\xff"
    end[12:16], end[16:20] = len(listing).to_bytes(4, "little"), content.index(b"PK\1\2").to_bytes(4, "little")
    path.write_bytes(content[: content.index(b"PK\1\2")] + listing + bytes(end))
    assert "no archive of a few arrays" in refused(path)


def test_a_note_without_end_is_not_read(tmp_path):
    """Packed it has 40 kB, unpacked four bytes a letter."""
    note = json.loads(str(np.load(io.BytesIO(loaders.whole_clip()["note"]))))
    path = archive(
        tmp_path / "swipe" / "ana_00.npz", note=loaders.array(json.dumps(note) + " " * (files.MAX_NOTE // 4))
    )
    assert "more than a clip may have" in refused(path)


@pytest.mark.parametrize("how", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_packings_that_numpy_never_uses_are_refused(tmp_path, how):
    path = tmp_path / "ana_00.npz"
    with zipfile.ZipFile(path, "w", how) as packed:
        for name, content in loaders.whole_clip().items():
            packed.writestr(f"{name}.npy", content)
    assert "in a way that numpy never does" in refused(path)


def test_names_that_climb_out_of_the_archive_go_nowhere(tmp_path):
    path = archive(tmp_path / "in" / "swipe" / "ana_00.npz")
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("../../climbed.npy", b"x")
        packed.writestr(str(tmp_path / "climbed.npy"), b"x")
    gestures.load_clip(path)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["ana_00.npz"]


def spoil(note, **what):
    return loaders.array(json.dumps(note | what))


@pytest.mark.parametrize(
    "what",
    [
        {"person": "../../up"},
        {"person": "\x1b]0;title\x07"},
        {"person": "x" * 10**6},
        {"person": None},
        {"spans": [{"gesture": "a/b", "start": 0.1, "end": 0.2}]},
        {"spans": [{"gesture": "a", "start": float("nan"), "end": 1}]},
        {"spans": [{"gesture": "a", "start": -1e308, "end": 1e308}] * 2 + [3]},
        {"spans": {"a": 1}},
        {"aspect": 1e-300},
        {"aspect": float("inf")},
        {"aspect": [1]},
        {"folder": ["a"], "spans": 5},
        {"recorded": [1]},
    ],
    ids=lambda what: next(iter(what)),
)
def test_notes_that_lie_are_refused(tmp_path, what):
    note = json.loads(str(np.load(io.BytesIO(loaders.whole_clip()["note"]))))
    refused(archive(tmp_path / "swipe" / "ana_00.npz", note=spoil(note, **what)))


def test_a_note_says_how_a_take_was_made_or_nothing(tmp_path):
    note = json.loads(str(np.load(io.BytesIO(loaders.whole_clip()["note"]))))
    told = refused(archive(tmp_path / "swipe" / "ana_00.npz", note=spoil(note, recorded=[1])))
    assert "`recorded` must be an object, not [1]" in told


@pytest.mark.parametrize("deep", ["[" * 200_000, '{"a":' * 100_000, "9" * 10_000])
def test_notes_without_a_bottom_are_refused(tmp_path, deep):
    refused(archive(tmp_path / "swipe" / "ana_00.npz", note=loaders.array(deep)))
    (tmp_path / "set.json").write_text(f'{{"labels": {deep}}}')
    with pytest.raises(gestures.ClipError, match="cannot be read"):
        setnote.load_set_note(tmp_path)
    shutil.copytree(FORMATS / "model-1", tmp_path / "m")
    (tmp_path / "m" / "manifest.json").write_text(f'{{"format": 1, "features": {deep}}}')
    with pytest.raises(gestures.ModelError):
        gestures.load(tmp_path / "m")


@pytest.mark.parametrize("labels", ["\x1b[2J", "../up", "x" * 10**6, "a\nb", "\u202egnp.exe", "con", 7, None, ["a"]])
def test_hostile_labels_reach_neither_disk_nor_terminal(tmp_path, labels):
    shutil.copytree(FORMATS / "model-1", tmp_path / "m")
    path = tmp_path / "m" / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"labels": ["rest", labels, "b"]}))
    with pytest.raises(gestures.ModelError) as wrong:
        gestures.load(tmp_path / "m")
    assert len(str(wrong.value)) < 1000
    (tmp_path / "set.json").write_text(json.dumps({"labels": [labels]}))
    with pytest.raises(gestures.ClipError, match="cannot be read"):
        setnote.load_set_note(tmp_path)


def test_recording_into_a_set_with_a_hostile_note_loses_no_take(tmp_path):
    from gestures.recording import keep

    (tmp_path / "set.json").write_text('{"labels": 3}')
    with pytest.raises(gestures.ClipError, match="mend or delete it"):
        keep(clip("swipe"), "swipe", tmp_path)
    assert len(gestures.load_clip(tmp_path / "swipe" / "ana_00.npz").time) > 10


def test_what_is_told_steers_no_terminal():
    hostile = "take \x1b[2J\x1b]52;c;aGk=\x07 \x9b31m \u202e \udcff \r done\n"
    assert printable(hostile) == "take \\x1b[2J\\x1b]52;c;aGk=\x07 \\x9b31m \\u202e \\udcff \\r done\n"
    assert len(printable("x" * 10**7)) < LONGEST + 10


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_a_file_name_from_a_stranger_steers_no_terminal(tmp_path, capsys):
    from gestures.cli import main

    path = tmp_path / "wave" / "\x1b[2J.npz"
    path.parent.mkdir()
    path.write_bytes(b"no clip")
    assert main(["train", str(tmp_path), "--into", str(tmp_path / "m")]) == 1
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert "\\x1b[2J.npz is not a whole clip" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_an_import_of_a_strangers_videos_steers_no_terminal(tmp_path, capsys):
    """Their names stand in what is told of them, and beside the progress bar."""
    from gestures.cli import main

    path = tmp_path / "in" / "wave" / "\x1b[2J.mp4"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no video")
    assert main(["import", str(tmp_path / "in"), "--into", str(tmp_path / "set")]) == 1
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert "wave/\\x1b[2J.mp4 is left out" in err
    assert "wave/\\x1b[2J.mp4:" in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk on this system")
def test_answers_that_find_no_room_are_one_sentence():
    with Path("/dev/full").open("wb") as full:
        words = [sys.executable, "-m", "gestures.cli", "demo", "--no-window"]
        done = subprocess.run(words, check=False, stdout=full, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr.splitlines()[-1]


CODE = """
import sys
from pathlib import Path
from gestures.network import load_keras
keras = load_keras()
layer = keras.layers.Lambda(eval("lambda x: __import__('pathlib').Path({touched!r}).touch() or x"))
made = keras.Sequential([keras.Input((2,)), layer])
made.save({path!r})
Path({touched!r}).unlink(missing_ok=True)
try:
    keras.models.load_model({path!r}, safe_mode=True)
except ValueError as error:
    print("refused", "Lambda" in str(error))
"""


def test_a_keras_file_that_carries_code_runs_nowhere(tmp_path):
    """Its hash is right, its weights are a program: loading the model never opens it, safe mode refuses it."""
    folder, touched = tmp_path / "m", tmp_path / "touched"
    shutil.copytree(FORMATS / "model-1", folder)
    code = CODE.format(path=str(folder / "model.keras"), touched=str(touched))
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["refused", "True"]
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"]["model.keras"] = model._sha256((folder / "model.keras").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest))
    gestures.load(folder)
    assert not touched.exists()


def test_a_model_file_without_end_is_not_read(tmp_path, monkeypatch):
    shutil.copytree(FORMATS / "model-1", tmp_path / "m")
    monkeypatch.setattr(model, "MAX_BYTES", 1000)
    with pytest.raises(gestures.ModelError, match="larger than 1000 bytes"):
        gestures.load(tmp_path / "m")


def forged(change):
    """The step of the oldest model, changed: a whole LiteRT file that does not do what it should."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    step = schema.ModelT.InitFromObj(schema.Model.GetRootAs((FORMATS / "model-1" / "step.tflite").read_bytes(), 0))
    tensor = {each.name.decode().rpartition("/")[2]: each for each in step.subgraphs[0].tensors}
    change(step, tensor)
    builder = flatbuffers.Builder(1 << 15)
    builder.Finish(step.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def more_splits(step, _):
    next(op for op in step.subgraphs[0].operators if len(op.outputs) == 4).builtinOptions.numSplits = 12


def no_splits(step, _):
    next(op for op in step.subgraphs[0].operators if len(op.outputs) == 4).builtinOptions = None


def no_shape(_, tensor):
    tensor["step_c0:0"].shape = []


def weights_as_memory(step, _):
    next(out for out in step.signatureDefs[0].outputs if out.name == b"h0_next").tensorIndex = 4


def two_at_once(_, tensor):
    tensor["step_features:0"].shape = tensor["mul"].shape = tensor["add"].shape = [2, 108]


@pytest.mark.parametrize(
    "change", [more_splits, no_splits, no_shape, weights_as_memory, two_at_once], ids=lambda each: each.__name__
)
def test_a_forged_step_is_refused_before_it_runs(tmp_path, change):
    """The first ended the program: what LiteRT's faster kernels are told, they believe."""
    folder = tmp_path / "m"
    shutil.copytree(FORMATS / "model-1", folder)
    (folder / "step.tflite").write_bytes(forged(lambda *_: None))
    manifest = json.loads((folder / "manifest.json").read_text())

    def load():
        manifest["sha256"]["step.tflite"] = model._sha256((folder / "step.tflite").read_bytes())
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return gestures.load(folder)

    load()
    (folder / "step.tflite").write_bytes(forged(change))
    with pytest.raises(gestures.ModelError, match=r"the model's step .*: train it again"):
        load()


def test_a_step_that_lies_of_its_parts_is_refused_twice(monkeypatch):
    """By a look at the file, and by kernels that check what they are told, before those get it that do not."""
    lies, whole = forged(more_splits), model.load_manifest(FORMATS / "model-1")
    with pytest.raises(ValueError, match="promises to split into 12 parts and gives 4"):
        check_step(lies)
    check_step(forged(lambda *_: None))
    monkeypatch.setattr(model, "check_step", lambda _: None)
    with pytest.raises(gestures.ModelError, match="train it again"):
        gestures.Model(whole, lies)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name on this system")
def test_a_pipe_among_a_models_files_does_not_hang(tmp_path):
    shutil.copytree(FORMATS / "model-1", tmp_path / "m")
    (tmp_path / "m" / "manifest.json").unlink()
    os.mkfifo(tmp_path / "m" / "manifest.json")
    with pytest.raises(gestures.ModelError, match="no plain file"):
        gestures.load(tmp_path / "m")


def test_a_video_that_never_ends_is_left_out(monkeypatch):
    """After one picture more than it may have: what is read on is kept in memory."""
    from gestures import importing

    read = []

    class Endless:
        def __init__(self, path):
            assert path == Path("endless.mp4")

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def __iter__(self):
            for number in range(1000):
                read.append(number)
                yield gestures.Frame(np.zeros((48, 64, 3), np.uint8), number / 30)

    monkeypatch.setattr(importing, "Video", Endless)
    monkeypatch.setattr(importing, "MOST_FRAMES", 5)
    with pytest.raises(gestures.ClipError, match="more than 5 frames"):
        importing.watch(Path("endless.mp4"), "ana")
    assert len(read) == 6


def test_a_video_of_gigantic_pictures_is_refused(tmp_path):
    """The size stands in the header: nothing is decoded."""
    content = bytearray(loaders.small_video())
    for at in range(len(content) - 4):
        if content[at : at + 4] in (b"tkhd", b"mp4v"):
            for offset, step in ((80, 4), (84, 4)) if content[at : at + 4] == b"tkhd" else ((28, 2), (30, 2)):
                content[at + offset : at + offset + step] = (32000).to_bytes(2, "big") + bytes(step - 2)
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(gestures.CameraError), gestures.Video(tmp_path / "a.mp4") as video:
        for frame in video:
            assert frame.image.size <= 64 * 48 * 3, "the decoder went by the stream: the header is a lie, and harmless"
        raise gestures.CameraError


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    loads = {name: loaders.loader(name, tmp_path_factory.mktemp(name)) for name in loaders.LOADERS}

    def one(name, data):
        """Whether it loads; all but a `GesturesError` comes out."""
        try:
            loads[name](data)
        except gestures.GesturesError:
            return False
        return True

    return one


@pytest.mark.parametrize("name", loaders.LOADERS)
def test_what_fuzzing_begins_with_loads(load, name):
    assert all(load(name, seed) for seed in loaders.seeds(name))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_what_fuzzing_found_stays_mended(load, path):
    load(path.name.split("-")[0], path.read_bytes())


@pytest.mark.parametrize(
    ("name", "times"),
    [("clip", 300), ("note", 1000), ("manifest", 1000), ("actions", 500), ("model", 60), ("video", 8)],
)
def test_random_mutations_bring_out_nothing_but_words(load, name, times):
    chance = random.Random(1)
    seeds = loaders.seeds(name)
    loaded = sum(load(name, loaders.mutated(chance.choice(seeds), chance)) for _ in range(times))
    assert loaded < times


@pytest.mark.parametrize(("name", "times"), [("clip", 300), ("note", 1000), ("manifest", 1000), ("actions", 1000)])
def test_whole_files_with_other_values_in_them_are_read_or_refused(load, name, times):
    chance = random.Random(1)
    grafts = (bytes([loaders.GRAFT, *chance.choices(range(256), k=chance.choice((2, 3, 4, 6)))]) for _ in range(times))
    loaded = sum(load(name, graft) for graft in grafts)
    assert 0 < loaded < times


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
)
NOTE = st.fixed_dictionaries(
    {},
    optional={
        "format": st.just(1) | JSON,
        "person": st.just("ana") | JSON,
        "aspect": st.just(1.3) | JSON,
        "folder": st.just("swipe") | JSON,
        "spans": st.lists(st.fixed_dictionaries({"gesture": JSON, "start": JSON, "end": JSON}), max_size=2) | JSON,
        "labels": JSON,
        "mirror": JSON | st.dictionaries(st.text(max_size=3), JSON, max_size=2),
        "recorded": JSON,
        "rules": JSON | st.dictionaries(st.sampled_from(["on", "off", "per_gesture"]), JSON),
        "units": JSON,
        "rate_hz": JSON,
        "features": st.just(1) | JSON,
        "sha256": JSON,
    },
)


@settings(max_examples=60)
@given(NOTE)
def test_any_json_is_read_or_refused(load, note):
    text = json.dumps(note).encode()
    for name in ("note", "manifest"):
        load(name, text)
    load("clip", b"\1" + text)


@settings(max_examples=60)
@given(st.sampled_from("1234"), st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(load, part, data):
    for name in loaders.LOADERS:
        load(name, data)
    load("clip", bytes([int(part)]) + data)


@settings(max_examples=60)
@given(st.binary(max_size=12))
def test_whole_files_with_any_values_in_them_are_read_or_refused(load, grafts):
    for name in ("clip", "note", "manifest", "actions"):
        load(name, bytes([loaders.GRAFT]) + grafts)


@settings(max_examples=60)
@given(st.sampled_from(loaders.LOADERS), st.integers(0, 99), st.lists(st.tuples(st.integers(0), st.binary(max_size=4))))
def test_whole_files_with_any_bytes_changed_are_read_or_refused(load, name, which, changes):
    seeds = _seeds(name)
    whole = bytearray(seeds[which % len(seeds)])
    for place, content in changes:
        at = place % len(whole)
        whole[at : at + len(content)] = content
    load(name, bytes(whole))


@cache
def _seeds(name):
    return loaders.seeds(name)


def test_the_fuzzer_itself_sees_a_plant(tmp_path):
    """A loader that forgets one kind of wrong note is found out."""
    old = signal.getsignal(signal.SIGPROF)
    try:
        taste = fuzz.Taste("note", lambda data: [name.strip() for name in json.loads(data)["labels"]], tmp_path)
        for seed in (b'{"labels": ["a"]}', b'{"labels": [3]}'):
            taste(seed)
    finally:
        signal.signal(signal.SIGPROF, old)
    assert [place.split(" at ")[0] for place in taste.found] == ["AttributeError"]
    assert len(list(tmp_path.glob("note-*"))) == 1


def test_bounds_are_those_that_are_read(tmp_path):
    (tmp_path / "set.json").write_bytes(b" " * (files.MAX_NOTE + 1))
    with pytest.raises(gestures.ClipError, match="larger than"):
        setnote.load_set_note(tmp_path)
    assert files.read_within(FORMATS / "set-1" / "set.json", 1000)
