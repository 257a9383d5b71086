"""The export to a collector: one thread that posts what is counted, and the spans of requests."""

from __future__ import annotations

import threading
import time
from typing import List

from ...shared.threads import guarded_thread
from ..rest.families import families
from ..service import Service
from .document import metrics_document
from .post import post
from .settings import ExportSettings
from .spans import SpanQueue
from .values import resource_document

_WAIT_S = 10.0
_LAST_WAIT_S = 2.0
_MOST_POSTS = 8
"""Of spans in a turn, so that metrics come in time however many there are."""


class Exporter:
    """Posts metrics and spans to a collector.

    Counts are totals since the start, so none is queued: what one export misses is in the next.
    Spans wait in a queue that is bounded. A failure is logged once, and so is the end of failures.
    """

    def __init__(self, service: Service, settings: ExportSettings) -> None:
        self._service = service
        self._settings = settings
        self._spans = SpanQueue()
        self._fails = False
        self._due = time.monotonic() + settings.interval_s
        self._ends = threading.Event()
        self._thread = guarded_thread("otlp", self._work)

    def start(self) -> None:
        """Begin to export."""
        if self._settings.traces is not None:
            self._service.traces = self._spans
        self._thread.start()

    def close(self) -> None:
        """Export for the last time, and end; returns within seconds."""
        self._ends.set()
        self._thread.join(2 * _LAST_WAIT_S)

    def _work(self) -> None:
        while not self._ends.wait(self._settings.turn_s):
            self._turn(_WAIT_S, last=False)
        self._turn(_LAST_WAIT_S, last=True)

    def _turn(self, wait_s: float, *, last: bool) -> None:
        """Post what is due.

        Args:
            wait_s: Seconds for each step of a request.
            last: Metrics are due, however new the last ones are.
        """
        posts = [self._post_spans]
        if last or time.monotonic() >= self._due:
            self._due = time.monotonic() + self._settings.interval_s
            posts.append(self._post_metrics)
        done, reasons = False, []
        for one in posts:
            try:
                done = one(wait_s) or done
            except Exception as error:  # the thread must live on, whatever the collector sends
                reasons.append(str(error)[:300] or "no reason given")
        if done or reasons:
            self._note(reasons)

    def _post_metrics(self, wait_s: float) -> bool:
        """Post metrics; return whether they are wanted."""
        service, settings = self._service, self._settings
        if settings.metrics is None:
            return False
        models = service.repository.all()
        counted, now = families(service, models), time.time()
        document = metrics_document(counted, models, settings.resource, service.started, now)
        post(settings.metrics, settings, document, wait_s)
        return True

    def _post_spans(self, wait_s: float) -> bool:
        """Post the spans that wait; return whether there were some."""
        settings = self._settings
        for number in range(_MOST_POSTS):
            spans = self._spans.first()
            if settings.traces is None or not spans:
                return number > 0
            document = resource_document(settings.resource, "spans", spans)
            post(settings.traces, settings, document, wait_s)
            self._spans.sent(len(spans))
        return True

    def _note(self, reasons: List[str]) -> None:
        if bool(reasons) == self._fails:
            return
        self._fails = bool(reasons)
        host = self._settings.host
        if reasons:
            self._service.log.event("telemetry is not exported", collector=host, error=reasons[0])
        else:
            self._service.log.event("telemetry is exported again", collector=host)
