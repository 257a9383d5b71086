"""Files of a folder of Hugging Face, read with bounds and without leaving the folder.

Used by ``tool_hub.py`` in the environment, and by ``convert.py``: the standard library alone.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

CONFIG, PICTURES, TOKENIZER = "config.json", "preprocessor_config.json", "tokenizer_config.json"
README = "README.md"
ONNX = ("onnx/model.onnx", "model.onnx")
"""Where exporters put the graph, the usual place first."""

_INDEX = ".index.json"
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_SAFETENSORS, _PICKLED = ".safetensors", ".bin"
_MOST_JSON = 16 << 20
_MOST_HEADER = 64 << 20
_MOST_SHARDS = 1000
_MOST_TEXT = 64 << 10
_DEEPEST = 24
_NAME = re.compile(r"\w[\w.+-]*")
_SHARD = re.compile(r"-\d+-of-\d+\.")
_BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 8),
}


class FolderError(Exception):
    """The fault of a file in the folder, in one sentence."""


class HubFolder:
    """A folder with ``config.json``, weights and what belongs to them.

    Args:
        path: The folder, or one file of weights in it.
    """

    def __init__(self, path: str) -> None:
        self._only = "" if os.path.isdir(path) else os.path.basename(path)
        self.path = path if os.path.isdir(path) else os.path.dirname(os.path.abspath(path))
        if not self.has(CONFIG):
            raise FolderError(
                f"{os.path.basename(path)} has weights and no graph: put its {CONFIG} into the "
                "same folder."
            )

    def has(self, name: str) -> bool:
        """Whether there is such a file, or a link of that name."""
        return os.path.lexists(os.path.join(self.path, name))

    def file(self, name: str) -> str:
        """Return the path of a regular file in the folder.

        Raises:
            FolderError: for a name or a link that leads out of it, or for no such file.
        """
        return self.inside(self.path, name)

    @staticmethod
    def inside(folder: str, name: str) -> str:
        """Return the path of a regular file in any folder, as ``file`` does."""
        home, real = os.path.realpath(folder), os.path.realpath(os.path.join(folder, name))
        if not real.startswith(home + os.sep):
            raise FolderError(
                f"{shortened(name)} leads out of the folder; copy the folder with cp -rL first."
            )
        try:
            mode = os.stat(real).st_mode
        except OSError:
            raise FolderError(f"The file {shortened(name)} is missing.") from None
        if not stat.S_ISREG(mode):
            raise FolderError(f"{shortened(name)} is not a regular file.")
        return real

    def json(self, name: str) -> Json:
        """Return the JSON object in a file; an empty one where there is no such file.

        Raises:
            FolderError: when it is too large, nested too deeply, or no object.
        """
        return _object(self._bytes(name, _MOST_JSON), name) if self.has(name) else {}

    def text(self, name: str) -> str:
        """Return the beginning of a text; empty where there is no such file."""
        if not self.has(name):
            return ""
        with open(self.file(name), "rb") as file:
            return file.read(_MOST_TEXT).decode("utf-8", "replace")

    def onnx(self) -> str:
        """Return the path of the ONNX file in the folder; empty without one."""
        return next((self.file(name) for name in ONNX if self.has(name)), "")

    def weights(self) -> list[str]:
        """Return the files of weights: of safetensors where there are some, else of PyTorch.

        Raises:
            FolderError: when one is missing, or an index names what is not in the folder.
        """
        is_shard = bool(_SHARD.search(self._only)) and self.has(_WEIGHTS[0] + _INDEX)
        alone = self._only and not is_shard
        names = [self._only] if alone else list(self._weight_names())
        return [self.file(name) for name in names]

    def _weight_names(self) -> Iterator[str]:
        for name in _WEIGHTS:
            if self.has(name):
                yield name
                return
            if self.has(name + _INDEX):
                yield from _shards(self.json(name + _INDEX), name)
                return
        with os.scandir(self.path) as entries:
            others = sorted(one.name for one in entries if one.name.endswith(_SAFETENSORS))
        if len(others) != 1:
            raise FolderError(f"The folder has no weights called {_WEIGHTS[0]}.")
        yield from others

    def _bytes(self, name: str, most: int) -> bytes:
        with open(self.file(name), "rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise FolderError(f"{shortened(name)} has more than {most >> 20} MB.")
        return content


def _shards(index: Json, weights: str) -> Iterator[str]:
    ending = os.path.splitext(weights)[1]
    names = index.get("weight_map")
    if not isinstance(names, dict) or not names:
        raise FolderError(f"{weights}{_INDEX} has no map of weights.")
    found = sorted({str(name) for name in names.values()})
    for name in found:
        if not _NAME.fullmatch(name) or not name.endswith(ending):
            raise FolderError(
                f"{weights}{_INDEX} names {shortened(name)!r}, which is no file of weights in the "
                "folder."
            )
    if len(found) > _MOST_SHARDS:
        raise FolderError(f"{weights}{_INDEX} names more than {_MOST_SHARDS:,} files.")
    yield from found


def numbers_of(path: str) -> int:
    """Return how many numbers a file of safetensors holds, from its header.

    Raises:
        FolderError: when the header does not fit the file.
    """
    name, size = os.path.basename(path), os.path.getsize(path)
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(_MOST_HEADER, size - 8):
            raise FolderError(f"The header of {name} does not fit the file.")
        tensors = _object(file.read(length), f"The header of {name}")
    room = size - 8 - length
    return sum(_numbers(one, room, name) for key, one in tensors.items() if key != "__metadata__")


def _numbers(tensor: Any, room: int, name: str) -> int:
    match tensor:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [int(begin), int(end)]}:
            sizes = [one for one in shape if type(one) is int and 0 <= one <= room * 8]
            count = math.prod(sizes[:8]) if len(sizes) == len(shape) <= 8 else -1
            if dtype not in _BITS:
                raise FolderError(f"{name} has weights of the unknown type {shortened(dtype)!r}.")
            if 0 <= begin <= end <= room and count * _BITS[dtype] == (end - begin) * 8:
                return count
    raise FolderError(f"The header of {name} does not fit the file.")


def is_pickled(path: str) -> bool:
    """Whether a file of weights is PyTorch's own instead of safetensors."""
    return path.endswith(_PICKLED)


def _object(content: bytes, name: str) -> Json:
    try:
        found = json.loads(content)
    except RecursionError:
        raise FolderError(f"{shortened(name)} is nested too deeply.") from None
    except ValueError:
        raise FolderError(f"{shortened(name)} is no JSON.") from None
    if not isinstance(found, dict):
        raise FolderError(f"{shortened(name)} is no JSON object.")
    if _depth(found) > _DEEPEST:
        raise FolderError(f"{shortened(name)} is nested too deeply.")
    return found


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= _DEEPEST:
        depth += 1
        inner: list[Any] = []
        for one in level:
            inner += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        level = [one for one in inner if isinstance(one, dict | list)]
    return depth


def shortened(text: str) -> str:
    """Return a text of the folder on one line, of a bounded length."""
    plain = "".join(char if char.isprintable() else "?" for char in text)
    return plain if len(plain) <= 80 else f"{plain[:80]}..."
