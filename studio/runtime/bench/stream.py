"""JSON lines on a stream to which nothing else can write."""

from __future__ import annotations

import json
import os
from dataclasses import fields, is_dataclass
from typing import Any, Mapping

from .errors import Cancelled


class LineWriter:
    """Writer of one JSON object per line to the original standard output.

    From its creation on, other output to file descriptor 1 (native libraries, ``print``) goes to
    standard error, so it cannot break the stream.
    """

    def __init__(self) -> None:
        self._descriptor = os.dup(1)
        os.dup2(2, 1)

    def write(self, message: Mapping[str, object]) -> None:
        """Write an object as one line.

        Raises:
            Cancelled: when the reader has left.
        """
        data = json.dumps(message, separators=(",", ":"), default=_plain).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except BrokenPipeError as error:
            raise Cancelled("nobody reads the events") from error


def _plain(value: Any) -> Any:
    """Return the plain form of dataclasses, of numpy's scalars and of paths."""
    if is_dataclass(value):
        return document(value)
    return value.item() if hasattr(value, "item") else str(value)


def document(value: Any) -> dict[str, object]:
    """Return the fields of a dataclass, without those that are left out while they are None."""
    return {
        each.name: part
        for each in fields(value)
        if (part := getattr(value, each.name)) is not None or not each.metadata
    }
