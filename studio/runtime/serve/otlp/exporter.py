"""The export of metrics: one thread that posts what is counted, now and then."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time

from ..service import Service
from .document import metrics_document
from .settings import ExportSettings

_WAIT_S = 10.0
_LAST_WAIT_S = 2.0
_LONGEST_ANSWER = 65536


class MetricsExporter:
    """Posts the counts of language models to a collector.

    Counts are totals since the start, so nothing is queued: what one export misses is in the next.
    A failure is logged once, and so is the end of failures. Redirects are not followed, as headers
    may hold a token.
    """

    def __init__(self, service: Service, settings: ExportSettings) -> None:
        self._service = service
        self._settings = settings
        self._fails = False
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work, name="otlp", daemon=True)

    def start(self) -> None:
        """Begin to export."""
        self._thread.start()

    def close(self) -> None:
        """Export for the last time, and end; returns within seconds."""
        self._ends.set()
        self._thread.join(2 * _LAST_WAIT_S)

    def export(self, wait_s: float = _WAIT_S) -> None:
        """Post once.

        Args:
            wait_s: Seconds for each step of the request.

        Raises:
            OSError: when it fails, in a few words.
        """
        service = self._service
        models = service.repository.all()
        document = metrics_document(models, self._settings.resource, service.started, time.time())
        if document["resourceMetrics"]:
            self._post(json.dumps(document, separators=(",", ":")).encode("ascii"), wait_s)

    def _work(self) -> None:
        while not self._ends.wait(self._settings.interval_s):
            self._try(_WAIT_S)
        self._try(_LAST_WAIT_S)

    def _try(self, wait_s: float) -> None:
        reason = ""
        try:
            self.export(wait_s)
        except Exception as error:  # the thread must live on, whatever the collector sends
            reason = str(error)[:300] or type(error).__name__
        if bool(reason) != self._fails:
            self._fails = bool(reason)
            log = self._service.log.event
            host = self._settings.address.host
            if reason:
                log("metrics are not exported", collector=host, error=reason)
            else:
                log("metrics are exported again", collector=host)

    def _post(self, body: bytes, wait_s: float) -> None:
        settings = self._settings
        link = settings.address.connection(wait_s)
        headers = {**settings.headers, "Content-Type": "application/json"}
        try:
            link.request("POST", settings.address.target, body, headers)
            answer = link.getresponse()
            answer.read(_LONGEST_ANSWER)
        except ssl.SSLCertVerificationError:
            raise OSError("its certificate is not valid") from None
        except http.client.HTTPException:
            raise OSError("it does not answer in HTTP") from None
        finally:
            link.close()
        if not 200 <= answer.status < 300:
            raise OSError("it answers with {}".format(answer.status))
