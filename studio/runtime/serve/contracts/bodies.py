"""Bodies that are no JSON: CSV, numpy's file format, raw tensors, pictures."""

from __future__ import annotations

import ast
import csv
import io
import struct
from typing import Any, Callable, Tuple

import numpy as np

from ..engine.served_model import ServedModel
from ..http.message import Body
from ..protocol.json_reader import JsonList, JsonObject
from ..protocol.tensor_data import bad
from ..protocol.tensors import TensorSpec
from .documents import of_table
from .picture_input import prepared
from .question import Form, Question, of_array, only_input

_NPY = b"\x93NUMPY"
_NPY_HEADER = 10_000


def read_csv(body: Body, model: ServedModel) -> Question:
    """Lines of CSV, an instance each; the first may name the columns.

    Raises:
        HttpError: 400, when it does not fit the model.
    """
    try:
        # Spreadsheet programs start a CSV file with a byte order mark.
        text = body.decode("utf-8-sig")
        lines = [line for line in csv.reader(io.StringIO(text), strict=True) if line]
    except (UnicodeDecodeError, csv.Error):
        raise bad("The body is not CSV in UTF-8.") from None
    if not lines:
        raise bad("There is no instance in the request.")
    columns = [name.strip() for name in lines[0]]
    named = set(model.inputs) <= set(columns) or not all(map(_is_number, lines[0]))
    rows = lines[1:] if named else lines
    if not all(name in columns for name in model.inputs):
        convert = _converter(only_input(model))
        return of_table(columns, [[convert(cell) for cell in row] for row in rows], model)
    by_column = [
        _converter(model.inputs[name]) if name in model.inputs else str for name in columns
    ]
    cells: JsonList = [
        [convert(cell) for convert, cell in zip(by_column, row)]
        if len(row) == len(columns)
        else row
        for row in rows
    ]
    return of_table(columns, cells, model)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return not cell.strip()
    return True


def _converter(spec: TensorSpec) -> Callable[[str], Any]:
    """Cell of a table -> value for an input; what cannot be converted is refused later, by type."""
    dtype = spec.kind.dtype
    if dtype is None:
        return str
    if dtype.kind == "b":
        return lambda cell: {"true": True, "1": True, "false": False, "0": False}.get(
            cell.strip().lower(), cell
        )
    whole = dtype.kind in "iu" and not spec.kind.bits

    def number(cell: str) -> Any:
        try:
            if whole and len(cell) <= 40:
                return int(cell)
            return float(cell) if cell.strip() else None
        except ValueError:
            return cell

    return number


def read_npy(body: Body, model: ServedModel) -> Question:
    """Return an array in numpy's file format. Nothing in it is ever unpickled.

    Raises:
        HttpError: 400, when it is damaged or does not fit the model.
    """
    header, offset = _npy_header(body)
    try:
        dtype = np.dtype(header["descr"])
        shape = tuple(header["shape"])
        ordered = bool(header["fortran_order"])
    except (KeyError, TypeError, ValueError):
        raise _damaged() from None
    if dtype.kind not in "biuf" or not all(type(size) is int and size >= 0 for size in shape):
        raise bad("The array must hold numbers.")
    # Python integers: a product in int64 could overflow to the length of the body.
    count = 1
    for size in shape:
        count *= size
    if count * dtype.itemsize != len(body) - offset or len(shape) > 32:
        raise _damaged()
    if not count:
        raise bad("There is no instance in the request.")
    flat = np.frombuffer(body, dtype, count, offset)
    # Any byte passes as a bool in numpy, and the model would compute with its value.
    if dtype.kind == "b" and flat.view(np.uint8).max() > 1:
        raise _damaged()
    array = flat.reshape(shape, order="F" if ordered else "C")
    return of_array(np.ascontiguousarray(array), model, Form.ROWS)


def _npy_header(body: Body) -> Tuple[JsonObject, int]:
    """Return the header, and where the numbers begin."""
    if bytes(body[:6]) != _NPY or len(body) < 12 or body[6] not in (1, 2, 3):
        raise _damaged()
    begin, form = (10, "<H") if body[6] == 1 else (12, "<I")
    (size,) = struct.unpack(form, bytes(body[8:begin]))
    # The limit bounds the work of literal_eval on text from a client.
    if size > _NPY_HEADER or begin + size > len(body):
        raise _damaged()
    try:
        header = ast.literal_eval(bytes(body[begin : begin + size]).decode("latin-1").strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise _damaged() from None
    if not isinstance(header, dict):
        raise _damaged()
    return header, begin + size


def _damaged() -> Exception:
    return bad("The body is not an array in numpy's file format.")


def read_raw(body: Body, model: ServedModel) -> Question:
    """Return the little-endian bytes of the one input; its free axis follows from their number.

    Raises:
        HttpError: 400, when they do not fit the model.
    """
    spec = only_input(model)
    if spec.kind.dtype is None or sum(size < 0 for size in spec.shape) > 1:
        raise bad("The shape of the input {!r} does not follow from the bytes.", spec.name)
    try:
        array = np.frombuffer(bytes(body), spec.kind.dtype).reshape(spec.shape)
    except ValueError:
        sentence = "{} bytes do not make up the input {!r}, which is {} {}."
        raise bad(sentence, len(body), spec.name, spec.kind.name, list(spec.shape)) from None
    if not array.size:
        raise bad("There is no instance in the request.")
    if spec.kind.name == "BOOL" and array.view(np.uint8).max() > 1:
        raise bad("The input {!r} is BOOL: each byte must be 0 or 1.", spec.name)
    if not spec.shape or spec.shape[0] not in (-1, 1):
        return Question([{spec.name: array}], 1, Form.ROWS, whole=True)
    return of_array(array, model, Form.ROWS)


def read_picture(body: Body, model: ServedModel, keep: bool = False) -> Question:
    """A JPEG or PNG.

    Args:
        keep: Keep the pixels of the picture in the question, too.

    Raises:
        HttpError: 415 when the model takes none; otherwise what is wrong with it.
    """
    feeds, picture = prepared(body, model, keep)
    return Question([feeds], 1, Form.PICTURE, picture=picture)
