"""Messages of Qt itself, in the log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

log = logging.getLogger(__name__)

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def log_message(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    """Log a message of Qt, and print it as Qt would have done."""
    log.log(_LEVELS.get(kind, logging.WARNING), "%s", text, extra={"category": context.category})
    if sys.stderr is not None:
        sys.stderr.write(f"{text}\n")


@contextmanager
def qt_messages_logged() -> Iterator[None]:
    """Log the messages of Qt."""
    before = qInstallMessageHandler(log_message)
    try:
        yield
    finally:
        qInstallMessageHandler(before)
