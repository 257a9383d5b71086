"""Reader of a running server's status and metrics over HTTP."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Mapping

from studio.api import TargetError
from studio.documents.dataclass_json import read_parts
from studio.lazy_dataclass import dataclass
from studio.monitoring.endpoint.endpoint import Endpoint
from studio.monitoring.endpoint.status import ServerStatus

_LINE = re.compile(r"([A-Za-z_:][A-Za-z0-9_:]*(?:\{.*\})?) ([^ ]+)(?: \d+)?")
_LARGEST = 4 << 20


@dataclass(frozen=True, slots=True)
class Reading:
    """The status and the metrics of a server at one time.

    Attributes:
        status: The document of ``/edgewright/status``.
        metrics: The samples of ``/metrics``; labelled ones by their name with the labels.
    """

    status: ServerStatus
    metrics: Mapping[str, float]


def read(endpoint: Endpoint, timeout: float = 5.0) -> Reading:
    """Read the status and the metrics of a server.

    Raises:
        TargetError: when it does not answer in time, or the answer is invalid.
    """
    connection = endpoint.connect(timeout)
    try:
        content = _get(endpoint, connection, "/edgewright/status")
        metrics = _get(endpoint, connection, "/metrics")
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or "no reason given"
        raise TargetError(f"The server does not answer: {reason}.") from None
    finally:
        connection.close()
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise TargetError("The server at this address is not an Edgewright server.")
    status = read_parts(ServerStatus, document)
    return Reading(status, parse_metrics(metrics.decode("utf-8", "replace")))


def _get(endpoint: Endpoint, connection: http.client.HTTPConnection, path: str) -> bytes:
    answer = endpoint.request(connection, "GET", path)
    content = answer.read(_LARGEST)
    if answer.status != 200:
        raise TargetError(f"The server answers {path} with status {answer.status}.")
    return content


def parse_metrics(text: str) -> dict[str, float]:
    """Read Prometheus' text format; skip lines that are no samples."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        match = None if line.startswith("#") else _LINE.fullmatch(line.strip())
        if match is None:
            continue
        try:
            found[match.group(1)] = float(match.group(2))
        except ValueError:
            continue
    return found
