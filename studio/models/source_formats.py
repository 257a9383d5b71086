"""Models of other frameworks: recognised by their content, and how each becomes ONNX.

Nothing is unpacked, unpickled or imported: some hundred bytes and the table of a zip archive are
read.
"""

from __future__ import annotations

import functools
import struct
import tomllib
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from pathlib import Path

from studio.api import UsageError
from studio.lazy_dataclass import dataclass
from studio.models.kinds import entry_file, folder_kind
from studio.settings import resource

_HEAD = 64
_MOST_ENTRIES = 1000
_MOST_NAMES = 10
_PICKLE = 0x80
_PICKLE_PROTOCOLS = range(2, 6)
_LEGACY_TORCH = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")
"""What ``torch.save`` wrote before it wrote zip archives: its magic number, pickled."""

_ZIP = b"PK\x03\x04"
_ZIP_ENTRY = b"PK\x01\x02"
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22
_ZIP_ENTRY_BYTES = 46
_ZIP_FILE_BYTES = 30
_LONGEST_COMMENT = 0xFFFF
_MOST_TABLE = 1 << 19
"""Bytes of an archive's table that are read; those of models have some hundred entries."""


@dataclass(frozen=True, slots=True)
class SourceFormat:
    """A form of a model that becomes ONNX by a conversion.

    Attributes:
        id: Its name in ``resources/source_formats.toml``.
        title: What the file is, with its article.
        remedy: How it becomes ONNX, in the framework that made it.
        runs_code: Whether reading it runs code that it holds.
        opens: Whether the studio opens it as it is, too.
    """

    id: str
    title: str
    remedy: str
    runs_code: bool = False
    opens: bool = False


class SeveralModels(UsageError):
    """A folder, given as a model, with several models.

    Attributes:
        folder: The folder as it was given.
        models: The files of its models.
    """

    def __init__(self, folder: str, models: Sequence[Path]) -> None:
        names = ", ".join(model.name for model in models[:_MOST_NAMES])
        more = f" and {len(models) - _MOST_NAMES} more" if len(models) > _MOST_NAMES else ""
        super().__init__(
            f"The folder {folder} has {len(models)} models: {names}{more}.",
            hint=f"Name one: {models[0]}",
        )
        self.folder, self.models = folder, models


@functools.cache
def _formats() -> Mapping[str, SourceFormat]:
    with resource("source_formats.toml").open("rb") as file:
        return {name: SourceFormat(name, **entry) for name, entry in tomllib.load(file).items()}


_PACKAGE = ".mlpackage"
"""Core ML's newer form, the one folder that is known by its name alone."""

_BY_SUFFIX = {
    ".pt2": "pytorch-export",
    **dict.fromkeys((".pt", ".pth", ".ckpt"), "pytorch-weights"),
    ".keras": "keras",
    **dict.fromkeys((".joblib", ".pkl", ".pickle"), "pickle"),
    ".pb": "tensorflow-graph",
    ".pdmodel": "paddle",
    **dict.fromkeys((".engine", ".plan", ".trt"), "tensorrt"),
    **dict.fromkeys((".mlmodel", _PACKAGE), "core-ml"),
}
"""Those without a mark of their own, or whose mark could not be read."""

CONVERTED = (".pt2", ".pt", ".pth", ".ts", ".keras", ".h5", ".pb", ".joblib", ".pkl", ".pickle")
"""How files end that the studio converts, for a dialog; their content decides."""

_ONNX = ("model.onnx", "onnx/model.onnx")
"""ONNX files in a folder of Hugging Face."""
_FLATBUFFERS = {b"ORTM": "ort", b"TFL3": "tflite"}
"""The marks of files that are flatbuffers."""

_COMPRESSIONS = frozenset({".gz", ".bz2", ".xz", ".lzma", ".z"})
"""Those in which joblib reads pickles."""


def source_format(path: Path) -> SourceFormat | None:
    """Return what a file or folder is that has to be converted first; None for anything else."""
    found = convertible_format(path)
    return None if found is None or found.opens else found


def is_model_folder(path: Path) -> bool:
    """Return whether a folder is a model: of another framework, or a language model."""
    return entry_file(path) != path or source_format(path) is not None


def models_in(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the model files that lie directly in a folder."""
    try:
        names = sorted(islice((one.name for one in folder.iterdir()), _MOST_ENTRIES))
    except OSError:  # not a folder, or one that may not be read
        return []
    return [folder / name for name in names if name.lower().endswith(suffixes)]


def convertible_format(path: Path) -> SourceFormat | None:
    """Return what a file or folder of another framework is, also of one that opens as it is."""
    try:
        if is_folder := path.is_dir():
            found = _of_folder({one.name for one in islice(path.iterdir(), _MOST_ENTRIES)}, path)
        elif path.is_file():
            found = _of_file(path)
        else:
            return None
    except OSError:
        return None
    by_name = "" if is_folder and path.suffix != _PACKAGE else _suffix(path)
    return _formats().get(found or _BY_SUFFIX.get(by_name, ""))


def _suffix(path: Path) -> str:
    """Return the suffix of a name, without that of a compression."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix in _COMPRESSIONS else suffix


def _of_folder(names: Collection[str], path: Path) -> str:
    if "saved_model.pb" in names:
        return "saved-model"
    if by_kind := folder_kind(path).folder_format:
        return by_kind
    if "config.json" in names and any((path / name).is_file() for name in _ONNX):
        return "hugging-face-onnx"
    weights = any(name.endswith((".safetensors", "pytorch_model.bin")) for name in names)
    return "hugging-face" if weights and "config.json" in names else ""


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_ZIP):
        return _of_archive(_archive_names(path))
    if head.startswith(_LEGACY_TORCH):
        return "pytorch-weights"
    if len(head) > 1 and head[0] == _PICKLE and head[1] in _PICKLE_PROTOCOLS:
        return "pickle"
    if _is_safetensors(head, path.stat().st_size):
        if by_kind := folder_kind(path.parent).folder_format:
            return by_kind
        return "hugging-face" if (path.parent / "config.json").is_file() else "safetensors"
    return _of_head(head)


def _of_head(head: bytes) -> str:
    """Return the format of a file by its first bytes alone."""
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "keras-hdf5"
    if head.startswith(b"RKNN"):
        return "rknn"
    if head.startswith(b"GGUF"):
        return "gguf"
    if head.startswith(b"tree\nversion="):
        return "lightgbm"
    if head[4:8] in _FLATBUFFERS:
        return _FLATBUFFERS[head[4:8]]
    json = head.translate(None, b" \t\r\n").startswith(b'{"learner"')
    ubjson = head.startswith(b"{L") and head[10:17] == b"learner"
    return "xgboost" if json or ubjson else ""


def _is_safetensors(head: bytes, size: int) -> bool:
    """Whether a length of the JSON that follows comes first, as the format has it."""
    return len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= size - 8


def _of_archive(names: Collection[str]) -> str:
    """Return the format of a zip archive; PyTorch's have one folder, which is named at will."""
    below = {name.partition("/")[2] for name in names}
    if "archive_format" in below or "serialized_exported_program.json" in names:
        return "pytorch-export"
    if "constants.pkl" in below or any(name.startswith("code/") for name in below):
        return "torchscript"
    if "data.pkl" in below:
        return "pytorch-weights"
    return "keras" if "model.weights.h5" in names and "config.json" in names else ""


def _archive_names(path: Path) -> set[str]:
    """Return the names in a zip archive, as far as its table is whole and of a sensible size."""
    names: set[str] = set()
    with path.open("rb") as file:
        start = file.read(_ZIP_FILE_BYTES)
        if len(start) == _ZIP_FILE_BYTES:
            (length,) = struct.unpack_from("<H", start, 26)
            names.add(file.read(length).decode(errors="replace"))
        size = file.seek(0, 2)
        file.seek(max(0, size - _LONGEST_COMMENT - _ZIP_END_BYTES))
        end = file.read()
        at = end.rfind(_ZIP_END)
        if at < 0 or len(end) - at < _ZIP_END_BYTES:
            return names
        length, offset = struct.unpack_from("<II", end, at + 12)
        file.seek(offset)
        return names | _table_names(file.read(min(length, _MOST_TABLE)))


def _table_names(table: bytes) -> set[str]:
    names, at = set(), 0
    while table[at : at + 4] == _ZIP_ENTRY and len(table) - at >= _ZIP_ENTRY_BYTES:
        name, extra, comment = struct.unpack_from("<HHH", table, at + 28)
        at += _ZIP_ENTRY_BYTES
        names.add(table[at : at + name].decode(errors="replace"))
        at += name + extra + comment
    return names
