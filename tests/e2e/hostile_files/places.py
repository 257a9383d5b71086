"""What has the name of a model and is none, and models with names that are obeyed."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from tests.e2e.hostile_files.kinds import ESCAPES, Hostile, Make, Payload, linked, made

_CONVERT = ("convert", "{file}")
_DIFF = ("diff", "{model}", "{file}")


def _done(name: str | bytes, do: Callable[[Path], object]) -> Make:
    def make(folder: Path, payload: Payload) -> Path:
        path = folder / os.fsdecode(name)
        do(path)
        return path

    return make


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def _full(path: Path) -> None:
    path.mkdir()
    (path / "config.json").symlink_to("/dev/zero")
    (path / "model.safetensors").symlink_to("/dev/zero")


def _junk(payload: Payload) -> bytes:
    return b"\x00" * 64


FILES = (
    Hostile("pipe called ONNX", _done("model.onnx", os.mkfifo), "is not a regular file", 2),
    Hostile("pipe called an IR", _done("model.xml", os.mkfifo), "is not a regular file", 2),
    Hostile(
        "pipe called PyTorch",
        _done("model.pt2", os.mkfifo),
        "is not a regular file",
        2,
        command=_CONVERT,
    ),
    Hostile(
        "pipe in a comparison",
        _done("model.tflite", os.mkfifo),
        "No file or registered model",
        2,
        command=_DIFF,
    ),
    Hostile("device called ONNX", linked("model.onnx", "/dev/zero"), "is not a regular file", 2),
    Hostile(
        "device called PyTorch",
        linked("model.pt2", "/dev/zero"),
        "is not a regular file",
        2,
        command=_CONVERT,
    ),
    Hostile("link in a ring", linked("model.onnx", "model.onnx"), "does not exist", 2),
    Hostile(
        "link to nothing", linked("model.pt2", "nothing"), "does not exist", 2, command=_CONVERT
    ),
    Hostile("folder called ONNX", _done("model.onnx", Path.mkdir), "is a folder, not a model file"),
    Hostile(
        "folder called PyTorch",
        _done("model.pt2", Path.mkdir),
        "holds no model that the studio converts",
        2,
        command=_CONVERT,
    ),
    Hostile("folder of devices", _done("llm", _full), "is a model of Hugging Face transformers"),
    Hostile("socket called ONNX", _done("model.onnx", _socket), "is not a regular file", 2),
    Hostile(
        "name that a terminal obeys",
        made(f"{ESCAPES.replace('/', '')}.pkl", _junk),
        "is a Python pickle",
    ),
    Hostile(
        "name of two lines", made("a\nstudio: all is well.onnx", _junk), "is not an ONNX model"
    ),
    Hostile(
        "name that is no text", _done(b"\xff\xfe\x9b2J.pt", Path.touch), "a file of PyTorch weights"
    ),
    Hostile("name of the longest", made("m" * 250 + ".onnx", _junk), "is not an ONNX model"),
    Hostile("name like a flag", made("--out=owned.onnx", _junk), "is not an ONNX model"),
    Hostile("empty file", _done("model.onnx", Path.touch), "is empty"),
)
