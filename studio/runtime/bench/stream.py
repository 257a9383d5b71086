"""The JSON lines that a process writes where nothing else can write."""

from __future__ import annotations

import json
import os
from typing import Any

from .errors import Cancelled

PROTOCOL = 1
"""Version of the events and of the configuration."""


class LineWriter:
    """Writes one JSON object a line to the original standard output.

    From its creation on, everything else that writes to file descriptor 1 (native libraries,
    ``print``) ends up on standard error, so it cannot break the stream.
    """

    def __init__(self) -> None:
        self._descriptor = os.dup(1)
        os.dup2(2, 1)

    def write(self, message: dict[str, Any]) -> None:
        """Write it whole.

        Raises:
            Cancelled: when nobody reads any more.
        """
        data = json.dumps(message, separators=(",", ":"), default=_plain).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except BrokenPipeError as error:
            raise Cancelled("nobody reads the events") from error


def _plain(value: Any) -> Any:
    """The plain form of numpy's scalars and of paths."""
    return value.item() if hasattr(value, "item") else str(value)
