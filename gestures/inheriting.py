"""A new network that begins with another model's memory: what hands do is known already, only the names are new."""

import hashlib
import tempfile
from pathlib import Path

import numpy as np

from . import features
from .clips import ClipSet
from .errors import ModelError
from .files import read_together
from .model import MAX_BYTES, load_manifest
from .network import Network, load_keras
from .sequences import Commands

NAME = "model.keras"


def inherit(folder: Path, takes: ClipSet, dropout: float = 0.4, seed: int = 0) -> Network:
    """A network for what `takes` may teach, whose memory is that of the model in `folder`.

    Normalisation and layers are the other's; the head is new, drawn from `seed`, and so is what is to keep first steps
    of commands.
    Raise `ModelError` when the folder holds no model of this version, or its weights are not the file its manifest
    names.
    """
    keras = load_keras()
    manifest = load_manifest(folder)
    try:
        content = read_together(folder, NAME, MAX_BYTES)
    except OSError as error:
        raise ModelError(f"{folder / NAME} cannot be read ({error.strerror}): the model is not whole") from error
    if hashlib.sha256(content).hexdigest() != manifest.sha256.get(NAME):
        raise ModelError(f"{folder / NAME} is not the file its manifest names (sha256 differs): train it again")
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / NAME
        path.write_bytes(content)
        old = keras.saving.load_model(path, compile=False, safe_mode=True)
    normalise = old.get_layer("normalise").get_config()
    scale = 1 / np.asarray(normalise["scale"], np.float64)
    mean = -np.asarray(normalise["offset"], np.float64) * scale
    if scale.shape != (features.SIZE,):
        raise ModelError(f"{folder} reads {scale.size} features, this version has {features.SIZE}: retrain it")
    normal = mean.astype(np.float32), scale.astype(np.float32)
    commands = Commands.of(takes.said, takes.sequences)
    keras.utils.set_random_seed(seed)
    network = Network(len(takes.said), manifest.units, *normal, dropout, cell=manifest.cell, commands=commands)
    for layer in range(len(manifest.units)):
        name = f"over_time{layer}"
        network.sequence.get_layer(name).set_weights(old.get_layer(name).get_weights())
    return network
