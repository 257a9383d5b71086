"""Pickles in every container that models are kept in."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy

from tests.e2e.hostile_files.kinds import Hostile, Make, Payload, made

_TORCH_MAGIC = 0x1950A86A20F9469CFC6C
_TORCH_PROTOCOL = 1001
_OLD_EXPORT = {
    "version": "8.8",
    "serialized_exported_program.json": "{}",
    "serialized_state_dict.pt": None,
    "serialized_constants.pt": None,
    "serialized_example_inputs.pt": None,
}
_EXPORT = {
    "m/archive_format": "pt2",
    "m/archive_version": "0",
    "m/models/model.json": "{}",
    "m/data/weights/model_weights_config.json": "{}",
    "m/data/weights/weight_0": None,
    "m/data/constants/custom_obj_0": None,
    "m/data/sample_inputs/model.pt": None,
    "m/extra/notes.pkl": None,
}
SCRIPT = {
    "m/data.pkl": None,
    "m/constants.pkl": None,
    "m/code/__torch__.py": "import os\nos._exit(86)\n",
    "m/version": "3",
}
WEIGHTS = {"m/data.pkl": None, "m/byteorder": "little", "m/version": "3", "m/data/0": "abcd"}


def archive(members: Mapping[str, str | None], payload: Payload, packed: bool = False) -> bytes:
    """Return a zip archive; a member without a text is the pickle."""
    file = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", method) as made:
        for name, text in members.items():
            made.writestr(name, payload.pickled() if text is None else text)
    return file.getvalue()


def _raw(protocol: int, payload: Payload) -> bytes:
    return payload.pickled(protocol)


def _array(payload: Payload) -> bytes:
    file = io.BytesIO()
    numpy.save(file, numpy.array([payload], object), allow_pickle=True)
    return file.getvalue()


def arrays(payload: Payload) -> bytes:
    file = io.BytesIO()
    numpy.savez(file, allow_pickle=True, image=numpy.array([payload], object))
    return file.getvalue()


def _torch_tar(payload: Payload) -> bytes:
    """Return what the first versions of PyTorch wrote."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as made:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            content = payload.pickled()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def _torch_magic(payload: Payload) -> bytes:
    """Return what PyTorch wrote between its tar files and its zip archives."""
    heads = (_TORCH_MAGIC, _TORCH_PROTOCOL, {"little_endian": True})
    return b"".join(pickle.dumps(one, 2) for one in heads) + payload.pickled()


def _pickle_then_zip(payload: Payload) -> bytes:
    """Return a pickle to some readers, and an archive to those that begin at the end."""
    return payload.pickled() + archive(SCRIPT, payload)


def _keras_weights(payload: Payload) -> bytes:
    members = {"metadata.json": "{}", "config.json": "{}", "model.weights.h5": None}
    return archive(members, payload)


def _of_folder(name: str, members: Mapping[str, str | None]) -> Make:
    """Return a maker of a folder of files; one without a text is the pickle."""

    def make(folder: Path, payload: Payload) -> Path:
        path = folder / name
        for member, text in members.items():
            file = path / member
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(payload.pickled() if text is None else text.encode())
        return path

    return make


def _compressed(pack: str, payload: Payload) -> bytes:
    packers = {
        "gzip": gzip.compress,
        "bz2": bz2.compress,
        "xz": lzma.compress,
        "zlib": zlib.compress,
    }
    return packers[pack](payload.pickled())


_AUTO_MAP = '{"model_type": "x", "auto_map": {"AutoModel": "modeling_x.XModel"}}'
_ATTACK = "import os\nos._exit(86)\n"
_MLFLOW = "flavors:\n  python_function:\n    loader_module: attack\n    python_model: model.pkl\n"

_WEIGHT_WORDS = "a file of PyTorch weights or a pickled module"
_PICKLE_WORDS = "a Python pickle, which runs code as it is read"
_UNKNOWN_WORDS = "is not a model in a known format"
_INSPECT = ("inspect", "{file}")
_CONVERT = ("convert", "{file}")
_EVALUATE = ("evaluate", "{model}", "--data", "{file}")


def _one(name: str, make: Make, words: str, command: tuple[str, ...] = _INSPECT) -> Hostile:
    code = 4 if command == _CONVERT else 1
    return Hostile(name, make, words, code, command, has_pickle=True)


FILES = (
    *(
        _one(
            f"pickle of protocol {number}",
            made("model.pkl", partial(_raw, number)),
            _PICKLE_WORDS,
        )
        for number in range(6)
    ),
    *(
        _one(
            f"pickle in {pack}",
            made(f"model.{suffix}", partial(_compressed, pack)),
            _PICKLE_WORDS,
        )
        for pack, suffix in (
            ("gzip", "pkl.gz"),
            ("bz2", "pkl.bz2"),
            ("xz", "pkl.xz"),
            ("zlib", "joblib"),
        )
    ),
    _one("pickle to convert", made("model.pkl", partial(_raw, 4)), _PICKLE_WORDS, _CONVERT),
    _one(
        "packed pickle to convert",
        made("model.joblib", partial(_compressed, "zlib")),
        _PICKLE_WORDS,
        _CONVERT,
    ),
    _one(
        "pickle called an ONNX file",
        made("model.onnx", partial(_raw, 4)),
        "is a Python pickle, not an ONNX model",
    ),
    _one(
        "pickle called a TFLite file",
        made("model.tflite", partial(_raw, 4)),
        "is not a TFLite model",
    ),
    _one("pickle called an IR", made("model.xml", partial(_raw, 0)), _UNKNOWN_WORDS),
    _one("pickle called safetensors", made("model.safetensors", partial(_raw, 2)), _PICKLE_WORDS),
    _one("pickle called HDF5", made("model.h5", partial(_raw, 2)), _PICKLE_WORDS),
    _one("array of objects as a model", made("model.npy", _array), _UNKNOWN_WORDS),
    _one("arrays of objects as a model", made("model.npz", arrays), _UNKNOWN_WORDS),
    _one(
        "array of objects as data",
        made("data.npy", _array),
        "holds Python objects (a pickle)",
        _EVALUATE,
    ),
    _one(
        "arrays of objects as data",
        made("data.npz", arrays),
        "holds Python objects (a pickle)",
        _EVALUATE,
    ),
    _one("weights of PyTorch", made("model.pth", partial(archive, WEIGHTS)), _WEIGHT_WORDS),
    _one(
        "packed weights of PyTorch",
        made("pytorch_model.bin", partial(archive, WEIGHTS, packed=True)),
        _WEIGHT_WORDS,
    ),
    _one(
        "weights of PyTorch in tar",
        made("model.pth.tar", _torch_tar),
        "is not a model in a known format",
    ),
    _one("weights with PyTorch's number", made("model.pt", _torch_magic), _WEIGHT_WORDS),
    _one(
        "export of old PyTorch",
        made("model.pt2", partial(archive, _OLD_EXPORT)),
        "is a PyTorch export",
    ),
    _one("export of PyTorch", made("model.pt2", partial(archive, _EXPORT)), "is a PyTorch export"),
    _one("TorchScript", made("model.pt", partial(archive, SCRIPT)), "is a TorchScript module"),
    _one("pickle before an archive", made("model.pt", _pickle_then_zip), _PICKLE_WORDS),
    _one("weights of Keras", made("model.keras", _keras_weights), "is a Keras model"),
    _one(
        "folder of Hugging Face",
        _of_folder(
            "llm",
            {
                "config.json": _AUTO_MAP,
                "modeling_x.py": _ATTACK,
                "__init__.py": _ATTACK,
                "pytorch_model.bin": None,
            },
        ),
        "is a model of Hugging Face transformers",
    ),
    _one(
        "folder of MLflow",
        _of_folder("mlflow", {"MLmodel": _MLFLOW, "attack.py": _ATTACK, "model.pkl": None}),
        "is a folder without a model in a known format",
    ),
)
