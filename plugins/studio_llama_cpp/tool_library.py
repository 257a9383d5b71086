"""The libraries of llama.cpp: GGUF files and the types of their weights."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

TYPES = {
    **{"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8},
    **{"Q2_K": 10, "Q3_K": 11, "Q4_K": 12, "Q5_K": 13, "Q6_K": 14},
    **{"IQ4_NL": 20, "IQ3_S": 21, "IQ4_XS": 23, "BF16": 30},
}
"""Numbers of ggml's types."""

NAMES = {number: name for name, number in TYPES.items()}


class Tensor(NamedTuple):
    """A tensor of a GGUF file.

    Attributes:
        shape: Rows first; of a vector one number.
    """

    name: str
    type: int
    shape: tuple[int, ...]
    offset: int
    size: int


class Library:
    """The functions of ggml that read, write and round, of the wheel llama-cpp-py-sync."""

    def __init__(self) -> None:
        from llama_cpp_py_sync import _cffi_bindings

        self.ffi: Any = _cffi_bindings.ffi
        self.lib: Any = _cffi_bindings.get_lib()
        folder = Path(_cffi_bindings.__file__).parent
        (path,) = sorted(folder.glob("libggml-base.*"))[:1]
        self.base = ctypes.CDLL(os.fspath(path))
        for name in ("ggml_get_name", "ggml_op_desc", "gguf_get_tensor_name"):
            getattr(self.base, name).restype = ctypes.c_char_p
        for name in ("ggml_get_data", "gguf_init_from_file"):
            getattr(self.base, name).restype = ctypes.c_void_p
        for name in ("ggml_type_size", "gguf_get_tensor_offset", "gguf_get_data_offset"):
            getattr(self.base, name).restype = ctypes.c_size_t
        for name in ("ggml_blck_size", "gguf_get_n_tensors", "gguf_find_tensor", "ggml_nbytes"):
            getattr(self.base, name).restype = ctypes.c_int64
        self.base.ggml_quantize_chunk.restype = ctypes.c_size_t

    def block(self, kind: int) -> tuple[int, int]:
        """Return the weights of a block of a type, and its bytes."""
        return int(self.base.ggml_blck_size(kind)), int(self.base.ggml_type_size(kind))

    def size(self, kind: int, shape: tuple[int, ...]) -> int:
        """Return the bytes of a tensor in a type."""
        block, size = self.block(kind)
        return int(np.prod(shape)) // block * size

    def fits(self, kind: int, shape: tuple[int, ...]) -> bool:
        """Return whether the rows of a tensor are whole blocks of a type."""
        return shape[-1] % self.block(kind)[0] == 0

    def round(self, weights: Array, kind: int, importance: Array | None = None) -> Array:
        """Return weights (rows, columns) as blocks of a type, rounded by llama.cpp.

        Args:
            importance: Weight of each column's squared error.
        """
        values = np.ascontiguousarray(weights, np.float32)
        rows, columns = values.shape
        blocks = np.empty((rows, columns // self.block(kind)[0] * self.block(kind)[1]), np.uint8)
        which = None if importance is None else np.ascontiguousarray(importance, np.float32)
        self.base.ggml_quantize_chunk(
            kind,
            values.ctypes.data_as(ctypes.c_void_p),
            blocks.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_int64(0),
            ctypes.c_int64(rows),
            ctypes.c_int64(columns),
            None if which is None else which.ctypes.data_as(ctypes.c_void_p),
        )
        return blocks

    def widen(self, blocks: Array, kind: int, shape: tuple[int, ...]) -> Array:
        """Return blocks of a type as float32."""
        name = NAMES[kind]
        if name == "F32":
            return np.frombuffer(blocks.tobytes(), np.float32).reshape(shape).copy()
        if name == "F16":
            return np.frombuffer(blocks.tobytes(), np.float16).reshape(shape).astype(np.float32)
        if name == "BF16":
            wide = np.frombuffer(blocks.tobytes(), np.uint16).astype(np.uint32) << 16
            return wide.view(np.float32).reshape(shape).copy()
        suffix = name[0].lower() + name[1:] if name.startswith("Q") else name.lower()
        function = getattr(self.base, f"dequantize_row_{suffix}")
        values = np.empty(shape, np.float32)
        content = np.ascontiguousarray(blocks)
        function(
            content.ctypes.data_as(ctypes.c_void_p),
            values.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_int64(values.size),
        )
        return values


class _Params(ctypes.Structure):
    _fields_ = (("no_alloc", ctypes.c_bool), ("context", ctypes.c_void_p))


class Gguf:
    """A GGUF file that is read, and written with other types and values."""

    def __init__(self, library: Library, path: Path) -> None:
        self._base, self.path = library.base, path
        handle = self._base.gguf_init_from_file(os.fsencode(path), _Params(True, None))
        if not handle:
            raise ValueError(f"llama.cpp cannot read {path.name}")
        self.handle = ctypes.c_void_p(handle)
        self._start = int(self._base.gguf_get_data_offset(self.handle))
        self.tensors = {one.name: one for one in self._read()}

    def _read(self) -> list[Tensor]:
        base, found = self._base, []
        base.gguf_get_tensor_ne.restype = ctypes.POINTER(ctypes.c_int64)
        base.gguf_get_tensor_size.restype = ctypes.c_size_t
        for number in range(base.gguf_get_n_tensors(self.handle)):
            place = ctypes.c_int64(number)
            counts = base.gguf_get_tensor_ne(self.handle, place)[:4]
            while len(counts) > 1 and counts[-1] == 1:
                counts = counts[:-1]
            found.append(
                Tensor(
                    base.gguf_get_tensor_name(self.handle, place).decode(),
                    int(base.gguf_get_tensor_type(self.handle, place)),
                    tuple(reversed(counts)),
                    int(base.gguf_get_tensor_offset(self.handle, place)),
                    int(base.gguf_get_tensor_size(self.handle, place)),
                )
            )
        return found

    @property
    def size(self) -> int:
        """The bytes of the file."""
        return self.path.stat().st_size

    def retype(self, kinds: Mapping[str, int]) -> None:
        """Give tensors other types in what is written next."""
        for name, kind in kinds.items():
            self._base.gguf_set_tensor_type(self.handle, name.encode(), kind)

    def content(self, name: str) -> Array:
        """Return the bytes of a tensor."""
        one = self.tensors[name]
        count = one.size
        return np.fromfile(self.path, np.uint8, count, offset=self._start + one.offset)

    def write(self, path: Path, changed: Mapping[str, tuple[int, Array]]) -> int:
        """Write the file with other tensors (type and bytes), and return its size."""
        base, handle = self._base, self.handle
        base.gguf_write_to_file.restype = ctypes.c_bool
        for name, (kind, _) in changed.items():
            base.gguf_set_tensor_type(handle, name.encode(), kind)
        base.gguf_set_val_u32(handle, b"general.quantization_version", ctypes.c_uint32(2))
        if not base.gguf_write_to_file(handle, os.fsencode(path), True):
            raise OSError(f"{path.name} cannot be written")
        with path.open("ab") as file:
            for name in self.tensors:
                content = changed[name][1] if name in changed else self.content(name)
                file.write(content.tobytes())
                file.write(b"\0" * (-content.size % 32))
        return path.stat().st_size
