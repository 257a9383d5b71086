"""External tensor data, resolved without trusting the names that a model gives.

| a model asks for                      | answer                                   |
|---------------------------------------|------------------------------------------|
| an absolute name, ``..``, a drive     | UnsafeModel                              |
| a symbolic link that leaves the folder| UnsafeModel                              |
| a file with further hard links        | UnsafeModel: it may be any file          |
| a folder, a device, a pipe            | UnsafeModel                              |
| a file that is missing                | InvalidModel, naming it                  |
| bytes behind the end of the file      | InvalidModel                             |
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath

import onnx

from studio.api import InvalidModel, UnsafeModel
from studio_onnx.tensors import is_external, is_known, nbytes, reference
from studio_onnx.wire import INSIDE

_MOST_BYTES = 1 << 63
_BY_COPY = "Import by copy: copy the model and its data into a folder of their own (cp -rL)."


def check(model: Path, tensors: Iterable[onnx.TensorProto]) -> list[Path]:
    """Check every reference; return the external files, in the order of their first use.

    Args:
        model: Absolute path of the model's file.

    Raises:
        UnsafeModel: when a reference could reach a file that does not belong to the model.
        InvalidModel: when data is missing, cut off, or does not fit its tensor's shape.
    """
    sizes = {INSIDE: model.stat().st_size}
    files: dict[str, Path] = {}
    for tensor in tensors:
        if any(size < 0 for size in tensor.dims):
            raise InvalidModel(f"Tensor {tensor.name!r} has a negative size.")
        if nbytes(tensor) > _MOST_BYTES:
            raise InvalidModel(f"Tensor {tensor.name!r} has a shape of more than 2^63 bytes.")
        if not is_external(tensor):
            _check_inline(tensor)
            continue
        location = _location(tensor)
        if location not in sizes:
            files[location] = _resolve(model.parent, location)
            sizes[location] = files[location].stat().st_size
        _check_range(tensor, location, sizes[location])
    return list(files.values())


def _location(tensor: onnx.TensorProto) -> str:
    try:
        return reference(tensor).location
    except ValueError:
        raise InvalidModel(
            f"Tensor {tensor.name!r} gives an offset or length that is no number."
        ) from None


def _resolve(folder: Path, location: str) -> Path:
    """Return the path of an external file by its name in the model, if it is safe to read."""
    posix, windows = PurePosixPath(location), PureWindowsPath(location)
    if not location or "\0" in location:
        raise InvalidModel("A tensor has external data, but no file name.")
    if posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise UnsafeModel(
            f"The model asks for data outside its folder ({location}).", hint=_BY_COPY
        )
    named = folder / location
    resolved = Path(os.path.realpath(named))
    if not resolved.is_relative_to(os.path.realpath(folder)):
        raise UnsafeModel(
            f"External data {location} is a link that leads outside the model's folder.",
            hint=_BY_COPY,
        )
    try:
        status = resolved.stat()
    except OSError:
        raise InvalidModel(
            f"External data file {location} is missing beside the model.",
            hint=f"Put it into {folder}.",
        ) from None
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeModel(f"External data {location} is not a regular file.")
    if status.st_nlink > 1:
        raise UnsafeModel(
            f"External data {location} has further hard links, so it may be any file of this "
            "computer; import by copy.",
            hint=_BY_COPY,
        )
    return named


def _check_range(tensor: onnx.TensorProto, location: str, size: int) -> None:
    where = "the model's file" if location == INSIDE else location
    needed, part = nbytes(tensor), reference(tensor)
    if location == INSIDE and part.offset is None:
        return  # typed fields: their count is checked where they are expanded
    offset = part.offset or 0
    length = needed if part.length is None else part.length
    if offset < 0 or length < 0 or offset + length > size:
        raise InvalidModel(
            f"Tensor {tensor.name!r} lies behind the end of {where} "
            f"({offset + length:,} of {size:,} bytes)."
        )
    if length != needed and is_known(tensor.data_type):
        raise InvalidModel(
            f"Tensor {tensor.name!r} has {length:,} bytes in {where}, "
            f"but its shape needs {needed:,}."
        )


def _check_inline(tensor: onnx.TensorProto) -> None:
    if not is_known(tensor.data_type):
        return
    if tensor.HasField("raw_data") and len(tensor.raw_data) != nbytes(tensor):
        raise InvalidModel(
            f"Tensor {tensor.name!r} has {len(tensor.raw_data):,} bytes, "
            f"but its shape needs {nbytes(tensor):,}."
        )
