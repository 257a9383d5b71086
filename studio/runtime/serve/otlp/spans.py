"""Requests as spans of their clients' traces, by OpenTelemetry's conventions for HTTP and GenAI."""

from __future__ import annotations

import os
import threading
import time
from typing import List, Optional, Sequence, Tuple

from ..http.exchange import Exchange
from .values import Json, moment, pairs

MOST_WAITING = 2048
"""Spans that wait for the collector; more are left out, and counted."""

MOST_AT_ONCE = 512
_SAMPLED = 1
_SERVER, _INTERNAL = 2, 1
_ERROR = 2
_LONGEST_TEXT = 200


class TracedRequest:
    """A request whose client traces it.

    Attributes:
        streamed: It ends with its stream, and not with the head of its answer.
    """

    __slots__ = ("_begun", "_exchange", "_id", "_parent", "_phases", "_traces", "streamed")

    def __init__(self, traces: SpanQueue, exchange: Exchange, parent: Tuple[str, str]) -> None:
        """Begin.

        Args:
            parent: Ids of the trace and of the client's span.
        """
        self.streamed = False
        self._traces = traces
        self._exchange = exchange
        self._parent = parent
        self._id = _new_id()
        self._begun = exchange.received
        self._phases: List[Json] = []

    def phase(self, name: str, start: float, end: float, *facts: Tuple[str, object]) -> None:
        """Note one phase of the work (see ``http.exchange.RequestSpan``)."""
        head = self._head(_new_id(), self._id, name, _INTERNAL)
        self._phases.append({**head, **_times(start, end), "attributes": pairs(facts)})

    def end(self, status: int) -> None:
        """Queue the request's span and those of its parts."""
        request = self._exchange.request
        facts = (
            ("http.request.method", request.method),
            ("url.path", request.path),
            ("http.response.status_code", status),
        )
        head = self._head(self._id, self._parent[1], request.method, _SERVER)
        times = _times(self._begun, time.monotonic())
        whole: Json = {**head, **times, "attributes": pairs(facts)}
        if status >= 500:
            whole["status"] = {"code": _ERROR}
        self._traces.add([whole, *self._phases])

    def _head(self, identifier: str, parent: str, name: str, kind: int) -> Json:
        return {
            "traceId": self._parent[0],
            "spanId": identifier,
            "parentSpanId": parent,
            "name": name[:_LONGEST_TEXT],
            "kind": kind,
        }


class SpanQueue:
    """Spans on their way to a collector.

    Attributes:
        dropped: Number of spans that were left out, as too many waited.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._waiting: List[Json] = []
        self._lock = threading.Lock()

    def begin(self, exchange: Exchange) -> None:
        """Give an exchange its span, if its client has sampled it (W3C Trace Context)."""
        parent = sampled_parent(exchange.trace)
        if parent is not None:
            exchange.span = TracedRequest(self, exchange, parent)

    def add(self, spans: Sequence[Json]) -> None:
        """Queue the spans of a request, all or none."""
        with self._lock:
            if len(self._waiting) + len(spans) > MOST_WAITING:
                self.dropped += len(spans)
            else:
                self._waiting += spans

    def first(self) -> List[Json]:
        """Return those that have waited longest; they stay until they were sent."""
        with self._lock:
            return self._waiting[:MOST_AT_ONCE]

    def sent(self, count: int) -> None:
        """Forget the first ones."""
        with self._lock:
            del self._waiting[:count]


def sampled_parent(trace: str) -> Optional[Tuple[str, str]]:
    """Return the ids of the trace and the parent of a ``traceparent``; None if it is not sampled.

    Args:
        trace: A valid header, or empty.
    """
    if not trace:
        return None
    version, identifier, parent, flags = trace.split("-")[:4]
    known = version != "ff" and identifier.strip("0") and parent.strip("0")
    return (identifier, parent) if known and int(flags, 16) & _SAMPLED else None


def _new_id() -> str:
    return os.urandom(8).hex()


def _times(start: float, end: float) -> Json:
    offset = time.time() - time.monotonic()
    return {"startTimeUnixNano": moment(start + offset), "endTimeUnixNano": moment(end + offset)}
