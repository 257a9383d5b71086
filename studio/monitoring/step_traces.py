"""The steps of a command as a trace, for a collector that the environment names."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping

from studio.runtime.serve.otlp.post import post
from studio.runtime.serve.otlp.settings import ExportSettings, export_settings
from studio.runtime.serve.otlp.spans import sampled_parent
from studio.runtime.serve.otlp.values import Json, moment, pairs, resource_document
from studio.runtime.shared.errors import LoadError

log = logging.getLogger(__name__)

_ENDED = "studio.jobs.job_records"
"""Logger whose records with an outcome are the ends of steps."""

_FACTS = ("job", "outcome", "error", "plugin")
_EVERY_S, _WAIT_S = 10.0, 2.0
_MOST = 2048
_INTERNAL = 1
_FAILURE = {"status": {"code": 2}}
_GOOD = ("succeeded", "cancelled")


class StepTraces(logging.Handler):
    """Makes a span of each step that ends, below one span of the whole command.

    A pipeline in CI is one trace, which continues that of its caller (``TRACEPARENT``, as W3C Trace
    Context writes it). Names of files, data and messages are not in it.
    """

    def __init__(
        self, settings: ExportSettings, command: str, environment: Mapping[str, str]
    ) -> None:
        """Begin the span of the command.

        Args:
            command: Its name.
            environment: Where a caller may have named its own span.
        """
        super().__init__(logging.INFO)
        self._settings = settings
        self._name = f"studio {command}"
        parent = sampled_parent(environment.get("TRACEPARENT", ""))
        self._trace, self._parent = parent or (os.urandom(16).hex(), "")
        self._id = os.urandom(8).hex()
        self._began = time.time()
        self._failed = False
        self._waiting: list[Json] = []
        self._access = threading.Lock()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work, name="step traces", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take the record of a step that has ended; others are left out."""
        seconds = getattr(record, "seconds", None)
        outcome = getattr(record, "outcome", "")
        if record.name != _ENDED or not outcome or not isinstance(seconds, (int, float)):
            return
        known = {name: getattr(record, name, "") for name in _FACTS}
        facts = [(f"edgewright.{name}", value) for name, value in known.items() if value]
        name = str(getattr(record, "step", "step"))
        span = self._span(os.urandom(8).hex(), name, record.created - seconds, record.created)
        span.update(parentSpanId=self._id, attributes=pairs(facts))
        if outcome not in _GOOD:
            self._failed = True
            span.update(_FAILURE)
        with self._access:
            if len(self._waiting) < _MOST:
                self._waiting.append(span)

    def close(self) -> None:
        """End the span of the command, and send what waits; returns within seconds."""
        if self._ends.is_set():
            return
        whole = self._span(self._id, self._name, self._began, time.time())
        if self._parent:
            whole.update(parentSpanId=self._parent)
        if self._failed:
            whole.update(_FAILURE)
        with self._access:
            self._waiting.append(whole)
        self._ends.set()
        self._thread.join(2 * _WAIT_S)
        super().close()

    def _span(self, identifier: str, name: str, began: float, ended: float) -> Json:
        return {
            "traceId": self._trace,
            "spanId": identifier,
            "name": name,
            "kind": _INTERNAL,
            "startTimeUnixNano": moment(began),
            "endTimeUnixNano": moment(ended),
        }

    def _work(self) -> None:
        while not self._ends.wait(_EVERY_S):
            self._send()
        self._send()

    def _send(self) -> None:
        """Send what waits; it stays where the collector does not take it."""
        address = self._settings.traces
        with self._access:
            spans = list(self._waiting)
        if address is None or not spans:
            return
        document = resource_document(self._settings.resource, "spans", spans)
        try:
            post(address, self._settings, document, _WAIT_S)
        except OSError as error:
            keys = {"collector": address.host, "reason": str(error)[:200]}
            log.warning("steps are not traced", extra=keys)
            return
        with self._access:
            del self._waiting[: len(spans)]


def step_traces(environment: Mapping[str, str], command: str) -> list[logging.Handler]:
    """Return what traces the steps of a command; nothing where no collector takes traces."""
    try:
        settings = export_settings("", environment)
    except LoadError as error:
        log.warning("steps are not traced", extra={"reason": str(error)})
        return []
    if settings is None or settings.traces is None:
        return []
    return [StepTraces(settings, command, environment)]
