"""Exports of PyTorch that carry code: a sound one, with some of its members replaced."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tests.e2e.hostile_files.kinds import Hostile, Make, Payload, made
from tests.e2e.hostile_files.pickles import WEIGHTS, archive

_SOURCES = Path(__file__).parents[2] / "data" / "sources"
_MODEL = "m/models/model.json"
_WEIGHTS = "m/data/weights/model_weights_config.json"
_CONSTANTS = "m/data/constants/model_constants_config.json"
_SAMPLES = "m/data/sample_inputs/model.pt"

Change = Callable[[Payload], Mapping[str, bytes]]


def _exported(change: Change, payload: Payload) -> bytes:
    """Return the export with members replaced, or added."""
    file = io.BytesIO()
    changed = dict(change(payload))
    with zipfile.ZipFile(_SOURCES / "export.pt2") as sound, zipfile.ZipFile(file, "w") as made:
        for name in sound.namelist():
            made.writestr(name, changed.pop(name, None) or sound.read(name))
        for name, content in changed.items():
            made.writestr(name, content)
    return file.getvalue()


def _member(name: str) -> str:
    with zipfile.ZipFile(_SOURCES / "export.pt2") as sound:
        return sound.read(name).decode()


def _torch_file(payload: Payload) -> bytes:
    return archive(WEIGHTS, payload)


def _samples(payload: Payload) -> Mapping[str, bytes]:
    return {_SAMPLES: _torch_file(payload)}


def _weights(payload: Payload) -> Mapping[str, bytes]:
    """Weights that say of themselves that they are pickled."""
    config = _member(_WEIGHTS).replace('"use_pickle": false', '"use_pickle": true')
    return {_WEIGHTS: config.encode(), "m/data/weights/weight_0": _torch_file(payload)}


def _constants(name: str, payload: Payload) -> Mapping[str, bytes]:
    """A constant that is an object of a class."""
    meta = {"path_name": name, "is_param": False, "use_pickle": True, "tensor_meta": None}
    config = json.dumps({"config": {"c": meta}}).encode()
    return {_CONSTANTS: config, f"m/data/constants/{name}": payload.pickled()}


def _compiled(payload: Payload) -> Mapping[str, bytes]:
    names = ("model.so", "model.cpp", "model_metadata.json")
    return {f"m/data/aotinductor/model/{name}": b"\x7fELF" for name in names}


def _replaced(old: str, new: str, payload: Payload) -> Mapping[str, bytes]:
    """The graph with a text replaced; ``CODE`` stands for what runs the payload."""
    text = new.replace("CODE", json.dumps(f"exec({payload.code!r})")[1:-1])
    found = re.sub(re.escape(old), lambda _: text, _member(_MODEL))
    assert found != _member(_MODEL)
    return {_MODEL: found.encode()}


def _legacy(payload: Payload) -> bytes:
    """Return an export as PyTorch wrote it before its archives had folders."""
    parts = ("state_dict", "constants", "example_inputs")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("version", "8.8")
        made.writestr("serialized_exported_program.json", _member(_MODEL))
        for part in parts:
            made.writestr(f"serialized_{part}.pt", _torch_file(payload))
    return file.getvalue()


def _script(name: str, payload: Payload) -> bytes:
    """Return TorchScript with one of its pickles replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(_SOURCES / "script.pt") as sound, zipfile.ZipFile(file, "w") as made:
        for member in sound.namelist():
            made.writestr(member, payload.pickled() if member == name else sound.read(member))
    return file.getvalue()


CONVERTED = "Converted in"
"""What carries code is passed over: the model is converted without it."""

_LINEAR, _SIZE = "torch.ops.aten.linear.default", "Symbol('s77', positive=True, integer=True)"
_NAME = '"name": "x"'
_CHANGES: Mapping[str, tuple[Change, str]] = {
    "a pickle among its samples": (_samples, "it holds a pickle"),
    "pickled weights": (_weights, "it holds pickled weights"),
    "an opaque object": (partial(_constants, "opaque_obj_0"), "it holds pickled objects"),
    "a custom object": (partial(_constants, "custom_obj_0"), "it holds pickled objects"),
    "compiled code": (_compiled, "it holds compiled code"),
    "a size that is code": (partial(_replaced, _SIZE, "CODE"), "no expression of sizes"),
    "a function as operator": (
        partial(_replaced, _LINEAR, "torch.serialization.os.system"),
        "no operator of PyTorch",
    ),
    "a call as operator": (partial(_replaced, _LINEAR, "_operator.call"), "no operator of PyTorch"),
    "a library as operator": (
        partial(_replaced, _LINEAR, "torch.ops.load_library"),
        "no operator of PyTorch",
    ),
    "a name that is code": (partial(_replaced, '"x"', '"x=CODE"'), "it has the name"),
    "guards that are code": (
        partial(_replaced, '"guards_code": []', '"guards_code": ["CODE"]'),
        CONVERTED,
    ),
}


def _one(name: str, make: Make, words: str) -> Hostile:
    code = 0 if words == CONVERTED else 1
    return Hostile(name, make, words, code, ("convert", "{file}", "--input", "2,4"))


FILES = (
    *(
        _one(f"export with {name}", made("model.pt2", partial(_exported, change)), words)
        for name, (change, words) in _CHANGES.items()
    ),
    _one("export of an older PyTorch", made("model.pt2", _legacy), "it holds a pickle"),
    *(
        _one(
            f"TorchScript with a pickle as {name}",
            made("m.pt", partial(_script, f"m_script/{name}")),
            words,
        )
        for name, words in (
            ("data.pkl", "Unknown type name"),
            ("constants.pkl", "Unknown type name"),
            ("traced_inputs.pkl", CONVERTED),
        )
    ),
)
