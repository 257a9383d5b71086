"""Metrics of one server, from the runtime's ``/metrics``, for a canary's comparison."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from studio.api import TargetError, Tunnel
from studio_kubernetes.rollout.canary import Traffic

_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

_SUCCESS = "nv_inference_request_success"
_FAILURE = "nv_inference_request_failure"
_BUCKET = "edgewright_request_seconds_bucket"
_INFO = "edgewright_model_info"
_OURS = ("BACKEND", "REJECTED")
"""Reasons of failures that are the server's; the others are the client's own."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Counts since the server started.

    Attributes:
        digest: Of the release that it serves.
    """

    requests: int = 0
    errors: int = 0
    buckets: Mapping[float, int] = field(default_factory=dict)
    digest: str = ""


def parse_counters(text: str) -> Counters:
    """Read Prometheus' text format; what is not known is passed over."""
    success = errors = 0
    buckets: dict[float, int] = {}
    digest = ""
    for line in text.splitlines():
        match = _SAMPLE.fullmatch(line)
        if match is None:
            continue
        labels = dict(_LABEL.findall(match[2] or ""))
        if match[1] == _SUCCESS:
            success += int(float(match[3]))
        elif match[1] == _FAILURE and labels.get("reason") in _OURS:
            errors += int(float(match[3]))
        elif match[1] == _BUCKET:
            bound = float(labels.get("le", "inf"))
            buckets[bound] = buckets.get(bound, 0) + int(float(match[3]))
        elif match[1] == _INFO:
            digest = labels.get("digest", "")
    return Counters(success + errors, errors, buckets, digest)


def between(before: Iterable[Counters], after: Iterable[Counters]) -> Traffic:
    """Return the increase of the counters over several servers.

    A restarted server counts from zero: where the sum fell, all of it is new.
    """
    old, new = _total(before), _total(after)
    if new.requests < old.requests:
        old = Counters()
    return Traffic(
        new.requests - old.requests,
        max(0, new.errors - old.errors),
        {bound: count - old.buckets.get(bound, 0) for bound, count in new.buckets.items()},
    )


def _total(counters: Iterable[Counters]) -> Counters:
    requests = errors = 0
    buckets: dict[float, int] = {}
    for one in counters:
        requests += one.requests
        errors += one.errors
        for bound, count in one.buckets.items():
            buckets[bound] = buckets.get(bound, 0) + count
    return Counters(requests, errors, buckets)


def read_counters(tunnel: Tunnel, timeout_s: float) -> Counters:
    """Read the counters of the server behind a tunnel.

    Raises:
        TargetError: when it does not answer.
    """
    connection = http.client.HTTPConnection(tunnel.host, tunnel.port, timeout=timeout_s)
    try:
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise TargetError("The server in the pod does not answer.", detail=str(error)) from None
    finally:
        connection.close()
    if response.status != 200:
        raise TargetError(f"The server in the pod does not tell its metrics ({response.status}).")
    return parse_counters(text)
