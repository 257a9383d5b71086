"""Models of other frameworks: recognised by their content, with the way to ONNX.

Nothing is unpacked, unpickled or imported: some hundred bytes and the table of a zip archive are
read.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

_HEAD = 64
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
    """A form of a model that has to be converted before it is opened.

    Attributes:
        title: What the file is, with its article.
        remedy: How it becomes ONNX, in the framework that made it.
    """

    title: str
    remedy: str


def _in_python(code: str, where: str) -> str:
    return f'Convert it to ONNX where {where} is installed: python -c "{code}"'


PYTORCH_EXPORT = SourceFormat(
    "a PyTorch export (.pt2)",
    _in_python(
        "import torch; torch.onnx.export("
        "torch.export.load('model.pt2'), dynamo=True).save('model.onnx')",
        "torch with onnxscript",
    ),
)
TORCHSCRIPT = SourceFormat(
    "a TorchScript module",
    _in_python(
        "import torch; torch.onnx.export(torch.jit.load('model.pt'), "
        "(torch.zeros(1, 3, 224, 224),), 'model.onnx', dynamo=False)",
        "torch",
    )
    + " with the shape of your input.",
)
PYTORCH_WEIGHTS = SourceFormat(
    "a file of PyTorch weights or a pickled module, which has no graph",
    "Export it where the class of the model is: "
    "model.load_state_dict(torch.load('weights.pth', weights_only=True)); "
    "program = torch.export.export(model.eval(), (example,)); "
    "torch.onnx.export(program, dynamo=True).save('model.onnx')",
)
KERAS = SourceFormat(
    "a Keras model",
    _in_python(
        "import keras; keras.saving.load_model('model.keras').export('model.onnx', format='onnx')",
        "keras with its backend",
    ),
)
KERAS_HDF5 = SourceFormat(
    "an HDF5 file, as of Keras",
    "Convert it to ONNX where tf2onnx is installed: "
    "python -m tf2onnx.convert --keras model.h5 --output model.onnx",
)
SAVED_MODEL = SourceFormat(
    "a TensorFlow SavedModel",
    "Convert it to ONNX where tf2onnx is installed: "
    "python -m tf2onnx.convert --saved-model FOLDER --output model.onnx",
)
TENSORFLOW_GRAPH = SourceFormat(
    "a TensorFlow graph",
    "Convert it to ONNX where tf2onnx is installed: python -m tf2onnx.convert --graphdef model.pb "
    "--inputs INPUT:0 --outputs OUTPUT:0 --output model.onnx",
)
HUGGING_FACE = SourceFormat(
    "a folder of Hugging Face transformers",
    "Convert it to ONNX where optimum is installed: "
    "optimum-cli export onnx --model FOLDER OUT, then open OUT/model.onnx",
)
SAFETENSORS = SourceFormat(
    "a file of weights (safetensors), which has no graph",
    "Convert the folder of its config.json to ONNX where optimum is installed: "
    "optimum-cli export onnx --model FOLDER OUT",
)
GGUF = SourceFormat(
    "a language model in GGUF",
    "Convert the model that it was made from to ONNX where optimum is installed: "
    "optimum-cli export onnx --model NAME OUT",
)
PICKLE = SourceFormat(
    "a Python pickle, which could run any code as it is read",
    "Convert a model of scikit-learn to ONNX in the program that made it: "
    "from skl2onnx import to_onnx; "
    "open('model.onnx', 'wb').write(to_onnx(model, X[:1]).SerializeToString())",
)
LIGHTGBM = SourceFormat(
    "a LightGBM model",
    "Convert it to ONNX where onnxmltools is installed: onnxmltools.convert_lightgbm("
    "lightgbm.Booster(model_file='model.txt'), initial_types=[('x', FloatTensorType([None, N]))])",
)
XGBOOST = SourceFormat(
    "an XGBoost model",
    "Convert it to ONNX where onnxmltools is installed: onnxmltools.convert_xgboost("
    "booster, initial_types=[('x', FloatTensorType([None, N]))])",
)
PADDLE = SourceFormat(
    "a PaddlePaddle model",
    "Convert it to ONNX where paddle2onnx is installed: paddle2onnx --model_dir . "
    "--model_filename inference.pdmodel --params_filename inference.pdiparams "
    "--save_file model.onnx",
)
ORT = SourceFormat(
    "an ONNX Runtime file (.ort), which is made for one build of it",
    "Open the ONNX file that it was made from.",
)
TENSORRT = SourceFormat(
    "a TensorRT engine, which is built for one GPU", "Open the ONNX file that it was built from."
)
CORE_ML = SourceFormat(
    "a Core ML model",
    "Open the model that it was converted from. The Netron panel in the window shows this one.",
)

_BY_SUFFIX = {
    **dict.fromkeys((".pt", ".pth", ".ckpt"), PYTORCH_WEIGHTS),
    ".joblib": PICKLE,
    ".pb": TENSORFLOW_GRAPH,
    ".pdmodel": PADDLE,
    **dict.fromkeys((".engine", ".plan", ".trt"), TENSORRT),
    **dict.fromkeys((".mlmodel", ".mlpackage"), CORE_ML),
}
"""Those without a mark of their own, or whose mark could not be read."""


def source_format(path: Path) -> SourceFormat | None:
    """Return what a file or folder of another framework is, or None for anything else."""
    try:
        if path.is_dir():
            found = _of_folder({one.name for one in _first(path)})
        elif path.is_file():
            found = _of_file(path)
        else:
            return None
    except OSError:
        return None
    return found or _BY_SUFFIX.get(path.suffix.lower())


def _first(folder: Path, most: int = 1000) -> list[Path]:
    return [one for one, _ in zip(folder.iterdir(), range(most), strict=False)]


def _of_folder(names: Collection[str]) -> SourceFormat | None:
    if "saved_model.pb" in names:
        return SAVED_MODEL
    weights = any(name.endswith((".safetensors", "pytorch_model.bin")) for name in names)
    return HUGGING_FACE if weights and "config.json" in names else None


def _of_file(path: Path) -> SourceFormat | None:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_ZIP):
        return _of_archive(_archive_names(path))
    if head.startswith(_LEGACY_TORCH):
        return PYTORCH_WEIGHTS
    if len(head) > 1 and head[0] == _PICKLE and head[1] in _PICKLE_PROTOCOLS:
        return PICKLE
    if _is_safetensors(head, path.stat().st_size):
        return SAFETENSORS
    return _of_head(head)


def _of_head(head: bytes) -> SourceFormat | None:
    """Return the format of a file by its first bytes alone."""
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return KERAS_HDF5
    if head.startswith(b"GGUF"):
        return GGUF
    if head.startswith(b"tree\nversion="):
        return LIGHTGBM
    if head[4:8] == b"ORTM":
        return ORT
    json = head.translate(None, b" \t\r\n").startswith(b'{"learner"')
    ubjson = head.startswith(b"{L") and head[10:17] == b"learner"
    return XGBOOST if json or ubjson else None


def _is_safetensors(head: bytes, size: int) -> bool:
    """Whether a length of the JSON that follows comes first, as the format has it."""
    return len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= size - 8


def _of_archive(names: Collection[str]) -> SourceFormat | None:
    """Return the format of a zip archive; PyTorch's have one folder, which is named at will."""
    below = {name.partition("/")[2] for name in names}
    if "archive_format" in below or "serialized_exported_program.json" in names:
        return PYTORCH_EXPORT
    if "constants.pkl" in below or any(name.startswith("code/") for name in below):
        return TORCHSCRIPT
    if "data.pkl" in below:
        return PYTORCH_WEIGHTS
    return KERAS if "model.weights.h5" in names and "config.json" in names else None


def _archive_names(path: Path) -> set[str]:
    """Return the names in a zip archive, as far as its table says them and has a sensible size."""
    names: set[str] = set()
    with path.open("rb") as file:
        start = file.read(_ZIP_FILE_BYTES)
        if len(start) == _ZIP_FILE_BYTES:
            (length,) = struct.unpack_from("<H", start, 26)
            names.add(_text(file.read(length)))
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
        names.add(_text(table[at : at + name]))
        at += name + extra + comment
    return names


def _text(name: bytes) -> str:
    return name.decode(errors="replace")
