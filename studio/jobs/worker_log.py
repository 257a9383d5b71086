"""The worker's side of the log: records travel to the parent as events."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from studio.settings.redaction import Redactor, keys_of, message_of

Send = Callable[..., None]
"""Sends an event (its kind, its values) to the parent."""


class EventHandler(logging.Handler):
    """The handler that sends each record to the parent, which alone writes the log."""

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send
        # A worker sees no kept secrets; what it is given in variables it may come to log.
        self.addFilter(Redactor.of_variables(os.environ))

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record; a parent that has gone is noticed elsewhere."""
        values: dict[str, Any] = {"text": message_of(record), "keys": keys_of(record)}
        if record.exc_text:
            values["traceback"] = record.exc_text
        try:
            self._send("log", level=record.levelname, logger=record.name, **values)
        except (OSError, ValueError):
            pass
