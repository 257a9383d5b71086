"""The rows of one stored array, read one after the other without loading the whole."""

from __future__ import annotations

import math
import sys
import tokenize
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy
from numpy.lib import format as npy

from studio.api import Array, InvalidData
from studio.runtime.shared.safe_zip import DAMAGED, open_archive

_UNREADABLE: tuple[type[Exception], ...] = (*DAMAGED, tokenize.TokenError, SyntaxError)
"""Exceptions of the libraries for a damaged file; the last two are for an array's header."""

MOST_BYTES_AT_ONCE = 2**30
"""Largest piece of an array read into memory; a header that claims more is refused."""


class Rows:
    """One ``.npy`` file, or one member of an ``.npz`` file, as a sequence of its rows.

    The file is read from its start to its end, so that a compressed array of any length needs
    the memory of a single row. Objects (pickles) are never read.

    Attributes:
        dtype: The element type as stored.
        shape: The whole array's shape; rows are cut along its first axis.
    """

    def __init__(self, path: Path, member: str = "") -> None:
        """Read the header.

        Args:
            member: Key of the array in an ``.npz``; empty for an ``.npy``.

        Raises:
            InvalidData: when there is no such array, or it is not a plain one.
        """
        self._path = path
        self._member = member
        with self._reading() as stream:
            self.shape, fortran, self.dtype = self._header(stream)
        # Unpickling runs code, and data files are untrusted.
        if self.dtype.hasobject:
            raise InvalidData(
                f"{self.title} holds Python objects (a pickle), which are never loaded.",
                hint="Save a plain array of numbers or texts: numpy.save(..., allow_pickle=False).",
            )
        if fortran and len(self.shape) > 1:
            raise InvalidData(
                f"{self.title} is stored column by column and cannot be read a sample at a time.",
                hint="Save numpy.ascontiguousarray(...) of it.",
            )

    @property
    def title(self) -> str:
        """Name of the array in a message."""
        return f"{self._member!r} in {self._path.name}" if self._member else self._path.name

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 1

    def whole(self) -> Array:
        """Return the array as a whole, if it is small or one sample."""
        with self._reading() as stream:
            self._header(stream)
            return self._read_row(stream, self.shape)

    def blocks(self, starts: Iterable[int], length: int) -> Iterator[Array]:
        """Yield blocks of ``length`` rows, each beginning at one of the ascending ``starts``."""
        shape = (length, *self.shape[1:])
        row_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        with self._reading() as stream:
            self._header(stream)
            origin = stream.tell()
            for start in starts:
                stream.seek(origin + start * row_bytes)
                yield self._read_row(stream, shape)

    def _read_row(self, stream: IO[bytes], shape: tuple[int, ...]) -> Array:
        size = math.prod(shape) * self.dtype.itemsize
        if size > MOST_BYTES_AT_ONCE:
            raise InvalidData(f"One sample of {self.title} would take {size / 2**30:.1f} GiB.")
        data = stream.read(size)
        if len(data) < size:
            raise InvalidData(f"{self.title} ends early: the file is damaged or was cut off.")
        return numpy.frombuffer(data, dtype=self.dtype).reshape(shape)

    def _header(
        self, stream: IO[bytes]
    ) -> tuple[tuple[int, ...], bool, numpy.dtype[numpy.generic]]:
        version = npy.read_magic(stream)
        if version == (1, 0):
            shape, fortran, dtype = npy.read_array_header_1_0(stream)
        elif version == (2, 0):
            shape, fortran, dtype = npy.read_array_header_2_0(stream)
        else:
            raise InvalidData(f"{self.title} is written in an unknown version of numpy's format.")
        if any(not 0 <= size <= sys.maxsize for size in shape):
            raise InvalidData(f"{self.title} has a size that no array has.")
        return shape, fortran, dtype

    @contextmanager
    def _reading(self) -> Iterator[IO[bytes]]:
        try:
            if self._member:
                with (
                    open_archive(str(self._path)) as archive,
                    archive.open(f"{self._member}.npy") as stream,
                ):
                    yield stream
            else:
                with self._path.open("rb") as stream:
                    yield stream
        except KeyError:
            raise InvalidData(f"{self._path.name} has no array {self._member!r}.") from None
        except _UNREADABLE as error:
            raise InvalidData(
                f"{self.title} cannot be read as an array: the file is damaged or of another kind.",
                detail=str(error),
            ) from None


def keys(path: Path) -> tuple[str, ...]:
    """Return the names of the arrays in an ``.npz`` file, in their order.

    Raises:
        InvalidData: when the file is not an ``.npz``.
    """
    try:
        with open_archive(str(path)) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile) as error:
        raise InvalidData(f"{path.name} is not a readable .npz file.", detail=str(error)) from None
    return tuple(name.removesuffix(".npy") for name in names if name.endswith(".npy"))
