"""Hostile files, folders and bundles for ``studio convert`` and ``studio serve``."""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onnx import TensorProto

from tests.e2e.hostile_files import archives, graphs, pickles, places, weights
from tests.e2e.hostile_files.keras import FILES as KERAS
from tests.e2e.hostile_files.kinds import ESCAPES, Make, Payload, made, written

SERVE = ("serve", "{file}", "--port", "0")
CONVERT = ("convert", "{file}")
SECRET = "a-secret-of-the-user"

_CHOSEN = (
    "pickle of protocol 4", "pickle in zlib", "pickle called an ONNX file", "export of PyTorch",
    "TorchScript", "archive that climbs", "bomb as export", "bomb as Keras",
    "links in an archive", "safetensors of a huge header", "safetensors with a deep nest",
    "GGUF of many tensors", "TFLite in a ring", "TFLite with a huge vector",
    "external data in /etc", "external data behind a link", "external data beyond the end",
    "external data of a pipe", "device called ONNX", "pipe called PyTorch", "folder of devices",
    "name that a terminal obeys", "name of two lines",
)  # fmt: skip
"""Of those that ``inspect`` gets, at least one of each kind."""


def _sparse(folder: Path, payload: Payload) -> Path:
    """Make a model whose weights of 4 TB are a file without content."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[16, 1 << 36])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": "w.bin", "length": str(1 << 42), "offset": "0"}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    (folder / "model.onnx").write_bytes(graphs._product(tensor))
    with (folder / "w.bin").open("wb") as file:
        file.truncate(1 << 42)
    return folder / "model.onnx"


def _secret_above(folder: Path, payload: Payload) -> Path:
    (folder.parent / "secret").write_text(SECRET * 60)
    return graphs._external("../secret")(folder, payload)


def _reads(payload: Payload) -> bytes:
    """Return a pickle that prints a secret before it leaves its canary."""
    payload.code = f"import os\nprint(open(os.path.expanduser('~/secret')).read())\n{payload.code}"
    return payload.pickled()


def _etc(folder: Path, payload: Payload) -> Path:
    path = folder / "llm"
    path.mkdir()
    (path / "config.json").symlink_to(folder.parent.parent / "secret")
    (path / "model.safetensors").symlink_to("/etc/passwd")
    return path


MORE: dict[str, Make] = {
    "weights of 4 TB": _sparse,
    "weights in the secret above": _secret_above,
    "pickle that prints a secret": made("model.pkl", _reads),
    "folder of links to a secret": _etc,
    "GGUF with a text of a gigabyte": written(
        "model.gguf", b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 30) + bytes(99)
    ),
    "10,000 nested graphs": written("model.onnx", graphs._model(graphs._nest(10_000))),
    "link to /etc": lambda folder, payload: _linked(folder / "model", "/etc"),
    "Keras of code": next(iter(KERAS)).make,
}


def _linked(path: Path, target: str) -> Path:
    path.symlink_to(target)
    return path


_KNOWN = (*pickles.FILES, *archives.FILES, *weights.FILES, *graphs.FILES, *places.FILES)
SOURCES: dict[str, Make] = {one.name: one.make for one in _KNOWN if one.name in _CHOSEN} | MORE

Change = Callable[[Path], object]


def _manifest(change: Callable[[dict[str, Any]], Any]) -> Change:
    def write(folder: Path) -> None:
        path = folder / "manifest.json"
        document = json.loads(path.read_text())
        changed = change(document)
        path.write_text(json.dumps(document if changed is None else changed))

    return write


def _text(content: bytes) -> Change:
    return lambda folder: (folder / "manifest.json").write_bytes(content)


def _instead(name: str, make: Callable[[Path], object]) -> Change:
    def replace(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        make(folder / name)

    return replace


_SIGNATURE = "manifest.json.sig"
BUNDLES: dict[str, Change] = {
    "a model in /etc": _manifest(lambda raw: raw["model"].update(file="/etc/passwd")),
    "a model above": _manifest(lambda raw: raw["model"].update(file="../secret")),
    "a name that a terminal obeys": _manifest(lambda raw: raw["model"].update(file=ESCAPES)),
    "a list as a manifest": _manifest(lambda raw: [raw]),
    "a manifest without a model": _manifest(lambda raw: raw.pop("model") and None),
    "a deep manifest": _text(b"[" * 200_000),
    "a manifest that is no text": _text(b"\xff\xfe"),
    "a number of 5,000 digits": _text(b'{"format":' + b"9" * 5000 + b"}"),
    "a manifest that is a link": _instead(
        "manifest.json", lambda path: path.symlink_to("/etc/passwd")
    ),
    "a model that is a link": _instead("model.onnx", lambda path: path.symlink_to("/etc/passwd")),
    "a signature that is a pipe": _instead(_SIGNATURE, os.mkfifo),
    "a signature that is a link": _instead(_SIGNATURE, lambda path: path.symlink_to("/etc/passwd")),
    "a signature that is a device": _instead(_SIGNATURE, lambda path: path.symlink_to("/dev/zero")),
}


def bundle(good: Path, change: Change) -> Make:
    """Return a maker of a bundle that was changed by a stranger."""

    def make(folder: Path, payload: Payload) -> Path:
        path = folder / "bundle"
        shutil.copytree(good, path)
        change(path)
        return path

    return make
