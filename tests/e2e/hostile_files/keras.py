"""Files of Keras whose configurations name code."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.hostile_files.archives import zip_of
from tests.e2e.hostile_files.kinds import Hostile, Make, Payload, made, written
from tests.e2e.hostile_files.pickles import WEIGHTS, archive, arrays


def keras(config: Any) -> bytes:
    """Return a file of Keras with a configuration of an attacker."""
    meta = json.dumps({"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"})
    members = {"metadata.json": meta, "config.json": json.dumps(config), "model.weights.h5": ""}
    return zip_of([(name, text.encode()) for name, text in members.items()])


def _layer(module: str, name: str, config: dict[str, Any], registered: str | None = None) -> Any:
    return {
        "module": module,
        "class_name": name,
        "config": config,
        "registered_name": registered,
    }


def _sequence(*layers: Any) -> Any:
    shape = {"batch_shape": [None, 4], "dtype": "float32", "name": "x"}
    first = _layer("keras.layers", "InputLayer", shape)
    config = {"name": "s", "trainable": True, "layers": [first, *layers]}
    return _layer("keras", "Sequential", config)


def _torch_module(payload: Payload) -> bytes:
    """Return a layer that wraps a module of PyTorch, which is in the configuration as a pickle."""
    module = archive(WEIGHTS, payload).decode("latin1")
    config = {"name": "m", "module": module}
    return keras(_sequence(_layer("keras.layers", "TorchModuleWrapper", config)))


def _pickled_weights(payload: Payload) -> bytes:
    """Return a model whose weights are arrays of objects."""
    members = {"metadata.json": b"{}", "config.json": json.dumps(_sequence()).encode()}
    members |= {"model.weights.h5": payload.pickled(), "model.weights.npz": arrays(payload)}
    return zip_of(list(members.items()))


_COMMAND = {"command": "touch canary", "args": ["touch", "canary"]}
_NESTED: Any = _layer("keras", "Sequential", {})
for _ in range(150):
    _NESTED = _layer("keras", "Sequential", {"layers": [_NESTED]})


def _one(name: str, make: Make, words: str) -> Hostile:
    return Hostile(name, make, words, command=("convert", "{file}"))


FILES = (
    _one(
        "Keras of os.system",
        written("m.keras", keras(_layer("os", "system", _COMMAND))),
        "the code of system is not in the file",
    ),
    _one(
        "Keras of a registered name",
        written(
            "m.keras", keras(_sequence(_layer("subprocess", "Popen", _COMMAND, "subprocess>Popen")))
        ),
        "the code of Popen is not in the file",
    ),
    _one(
        "Keras of a function",
        written("m.keras", keras(_sequence(_layer("builtins", "function", {}, "exec")))),
        "could not be deserialized",
    ),
    _one(
        "Keras that fetches a file",
        written(
            "m.keras", keras(_layer("keras.utils", "get_file", {"origin": "http://127.0.0.1:9/x"}))
        ),
        "its configuration names code",
    ),
    _one(
        "Keras with a pickled module",
        made("m.keras", _torch_module),
        "its configuration names code",
    ),
    _one("Keras with pickled weights", made("m.keras", _pickled_weights), "cannot be loaded"),
    _one("Keras of a nest", written("m.keras", keras(_NESTED)), "cannot be loaded"),
    _one("Keras without a configuration", written("m.keras", keras(None)), "cannot be loaded"),
)
